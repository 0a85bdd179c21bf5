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
// on the wire (API reference, section 2).
func parsePage(e envelope) (page, error) {
	var p page
	var err error
	if p.total, err = strconv.Atoi(e.trimmed("TotalCount")); err != nil || p.total < 0 {
		return page{}, unsteady("a page does not say how many jobs there are")
	}
	if size, err := strconv.Atoi(e.trimmed("PageSize")); err == nil && size > 0 && size <= pageSizeMax {
		p.size = size
	}
	p.jobs, err = parseJobs(e)
	return p, err
}

func parseJobs(e envelope) (jobs []plan.RemoteJob, err error) {
	var entries []json.RawMessage
	if list := e.field("APSJobs"); list != nil {
		if err := json.Unmarshal(list, &entries); err != nil {
			return nil, unsteady("a page holds no list of jobs")
		}
	}
	for _, entry := range entries {
		job, ok := parseJob(entry)
		if !ok {
			return nil, unsteady("a page holds an entry that is no job with an id")
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// parseJob reads one entry.
func parseJob(entry json.RawMessage) (job plan.RemoteJob, ok bool) {
	o, err := parseObject(entry)
	if err != nil {
		return job, false
	}
	if job.ID, ok = o.jobID(); !ok {
		return job, false
	}
	for name, to := range map[string]*string{
		"ApsJobName":            &job.Name,
		"SourceInstanceID":      &job.SourceInstance,
		"DestinationInstanceID": &job.DestinationInstance,
		"Status":                &job.Status,
		"SubStatus":             &job.SubStatus,
		"CreateTime":            &job.CreateTime,
		"Projress":              &job.Progress, // the service's spelling
		"ErrMessage":            &job.ErrorMessage,
	} {
		if *to, ok = o.text(name); !ok {
			return job, false
		}
	}
	if job.Progress == "" { // should the spelling be mended one day
		job.Progress = o.trimmed("Progress")
	}
	job.DelaySeconds, _ = strconv.ParseInt(strings.TrimSpace(o.trimmed("Delay")), 10, 64)
	return job, true
}
