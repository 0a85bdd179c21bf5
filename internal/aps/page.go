package aps

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/apsctl/apsctl/plan"
)

// page is one page of DescribeApsJobs.
type page struct {
	total int
	size  int // 0 if the service does not say a usable one
	jobs  []plan.RemoteJob
}

// parsePage reads a page, of which anything that matters must be as documented:
// a total that is a number, and entries with an id. The page fields are strings
// on the wire (API reference, section 2). number says in an error which page it is.
func parsePage(e envelope, number int) (page, error) {
	var p page
	var err error
	if p.total, err = strconv.Atoi(e.trimmed("TotalCount")); err != nil || p.total < 0 {
		return page{}, unsteady("a page does not say how many jobs there are")
	}
	if size, err := strconv.Atoi(e.trimmed("PageSize")); err == nil && size > 0 && size <= pageSizeMax {
		p.size = size
	}
	p.jobs, err = parseJobs(e, number)
	return p, err
}

func parseJobs(e envelope, number int) (jobs []plan.RemoteJob, err error) {
	var entries []json.RawMessage
	if list := e.field("APSJobs"); list != nil {
		if err := json.Unmarshal(list, &entries); err != nil {
			return nil, unsteady("a page holds no list of jobs")
		}
	}
	for i, entry := range entries {
		job, why := parseJob(entry)
		if why != "" {
			return nil, unsteady("entry %d of page %d %s", i+1, number, why)
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// parseJob reads one entry. why is "" or says what is wrong with it.
func parseJob(entry json.RawMessage) (job plan.RemoteJob, why string) {
	o, err := parseObject(entry)
	if err != nil {
		return job, "is no job"
	}
	var ok bool
	if job.ID, ok = o.jobID(); !ok {
		return job, o.named() + " has no id that can be used: " + o.quoted("ApsJobId")
	}
	for _, text := range []struct {
		name string
		to   *string
	}{
		{"ApsJobName", &job.Name},
		{"SourceInstanceID", &job.SourceInstance},
		{"DestinationInstanceID", &job.DestinationInstance},
		{"Status", &job.Status},
		{"SubStatus", &job.SubStatus},
		{"CreateTime", &job.CreateTime},
		{"Projress", &job.Progress}, // the service's spelling
		{"ErrMessage", &job.ErrorMessage},
	} {
		if *text.to, ok = o.text(text.name); !ok {
			return job, o.named() + " has something else than a text as " + text.name
		}
	}
	if job.Progress == "" { // should the spelling be mended one day
		job.Progress = o.trimmed("Progress")
	}
	job.Delay, _ = strconv.ParseInt(strings.TrimSpace(o.trimmed("Delay")), 10, 64)
	return job, ""
}

// named is how an entry that cannot be used is told from others, for whoever has to
// find its job at the service.
func (o object) named() string {
	if name, ok := o.text("ApsJobName"); ok && name != "" {
		return "(the job " + o.quoted("ApsJobName") + ")"
	}
	return "(a job without a name)"
}

// quoted is what came as a field, in one line of bounded length in which every
// character shows.
func (o object) quoted(name string) string {
	const most = 100
	text, ok := o.text(name)
	switch value := o.field(name); {
	case value == nil:
		return "there is none"
	case !ok || value[0] != '"':
		return shorten(strings.Trim(strconv.Quote(string(value)), `"`), most)
	}
	return strconv.Quote(shorten(text, most))
}
