package emulator

import (
	"encoding/json"
	"strconv"
)

// describeJob is DescribeApsJobDetail. The answer has neither Success nor
// Code, and the detail neither id nor name; that is how it is documented.
func describeJob(s *Server, c *call) (fields, *problem) {
	id := c.params["ApsJobId"]
	j := s.state.job(c.place, id)
	if j != nil && !s.opts.DetailAtOnce && !s.listed(j, c.now) {
		j = nil
	}
	if j == nil {
		if s.opts.UnknownDetail == UnknownDetailEmpty {
			return fields{"APSJobDetail": fields{}}, nil
		}
		return nil, unknownJob(id)
	}
	return fields{"APSJobDetail": fields{
		"SourceEndpointRegion":          j.SourceRegion,
		"SourceEndpointInstanceID":      j.Source,
		"DestinationEndpointRegion":     j.Region,
		"DestinationEndpointInstanceID": j.Destination,
		"DbList":                        s.showObject(j.DbList),
		"PartitionList":                 s.showObject(j.PartitionList),
		"TargetTableMode":               s.showMode(j.TargetTableMode),
		"Status":                        j.phaseAt(c.now, s.life()).status,
	}}, nil
}

// showObject gives stored JSON the form and the order of keys of the switches.
func (s *Server) showObject(text string) any {
	o, err := parseObject(text)
	if err != nil {
		return text // a state edited by hand; shown as it is
	}
	if s.opts.DetailKeys == KeysReversed {
		o = o.reversed()
	}
	if s.opts.DetailForm == FormObject {
		return o
	}
	if s.opts.DetailKeys == KeysAsSent {
		return text
	}
	out, err := json.Marshal(o)
	if err != nil {
		return text
	}
	return string(out)
}

// showMode shows the mode; a job that was created without one has mode 0, as
// in the documented sample.
func (s *Server) showMode(mode string) any {
	setDefault(&mode, "0")
	n, err := strconv.Atoi(mode)
	if err == nil && strconv.Itoa(n) == mode && s.opts.DetailMode == ModeNumber {
		return n
	}
	return mode
}

func (s *Server) life() life {
	return life{first: s.opts.FirstStatus, initializing: s.opts.Initializing}
}

// unknownJob is the one error that the detail's page documents.
func unknownJob(id string) *problem {
	return refuseBusiness("InvalidInput", "The specified ApsJobId %s does not exist in this region.", clip(id))
}
