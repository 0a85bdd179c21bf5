package emulator

import (
	"hash/fnv"
	"io"
	"math/rand/v2"
)

// createJob is CreateAPSJob. The Code of a success is InvalidInput: that is
// the documented sample.
func createJob(s *Server, c *call) (fields, *problem) {
	draft, p := s.draft(c)
	if p != nil {
		return nil, p
	}
	made, p := s.state.create(draft, func(sh *shelf) *problem { return s.allowCreate(sh, draft) })
	if p != nil {
		return nil, p
	}
	s.stats.created()
	return fields{
		"ApsJobId": made.ID, "HttpStatusCode": 200, "Success": true,
		"Code": "InvalidInput", "Message": "OK",
	}, nil
}

// draft is the job that the parameters describe, still without an id.
// Passwords were dropped when the parameters were checked; user names are not
// kept either, since no operation returns them.
func (s *Server) draft(c *call) (job, *problem) {
	sourceRegion := c.params["SourceEndpointRegion"]
	setDefault(&sourceRegion, c.place.region)
	if sourceRegion != c.place.region && !s.opts.CrossRegion {
		return job{}, refuseBusiness("InvalidSourceEndpointRegion", "Source and destination must be in the same region: %s is not %s.", sourceRegion, c.place.region)
	}
	partitions := c.params["PartitionList"]
	setDefault(&partitions, "{}")
	draft := job{
		Account: c.place.account, Region: c.place.region,
		Name: c.params["ApsJobName"], Source: c.params["SourceEndpointInstanceID"], SourceRegion: sourceRegion,
		Destination: c.params["DestinationEndpointInstanceID"], DbList: c.params["DbList"],
		PartitionList: partitions, TargetTableMode: c.params["TargetTableMode"], CreatedMs: c.now.UnixMilli(),
		Failing: s.fails(c.params["ApsJobName"]),
	}
	if !s.opts.NeedsStart {
		draft.ResumedMs = draft.CreatedMs
	}
	return draft, nil
}

// fails draws whether a new job is one of Options.FailShare, by its name: the
// same jobs fail in whatever order they are created.
func (s *Server) fails(name string) bool {
	sum := fnv.New64a()
	io.WriteString(sum, name)
	return rand.New(rand.NewPCG(s.opts.Seed, sum.Sum64())).Float64() < s.opts.FailShare
}

// allowCreate holds a new job against the ones that are there.
func (s *Server) allowCreate(sh *shelf, draft job) *problem {
	switch {
	case s.opts.DuplicateNames == DuplicatesRefuse && sh.names[draft.Name] > 0:
		return refuseBusiness("ApsJobName.Duplicate", "The APS job name %s is in use already.", clip(draft.Name))
	case s.opts.JobsPerSource > 0 && sh.sources[draft.Source] >= s.opts.JobsPerSource:
		return refuseBusiness("QuotaExceeded.ApsJobPerSource", "The source %s has %d APS jobs already; no more are allowed.", clip(draft.Source), s.opts.JobsPerSource)
	case s.opts.JobsPerRegion > 0 && len(sh.jobs) >= s.opts.JobsPerRegion:
		return refuseBusiness("QuotaExceeded.ApsJobPerRegion", "The region %s has %d APS jobs already; no more are allowed.", draft.Region, s.opts.JobsPerRegion)
	}
	return nil
}
