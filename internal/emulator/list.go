package emulator

import (
	"strconv"
	"strings"
	"time"
)

// listEntry is one job of a listing. "Projress" is spelt as on the wire.
type listEntry struct {
	ApsJobID              string `json:"ApsJobId"`
	ApsJobName            string
	SourceInstanceID      string
	DestinationInstanceID string
	Status                string
	SubStatus             string
	CreateTime            string
	Delay                 int64
	Projress              string
	ErrMessage            string
}

// listJobs is DescribeApsJobs. Page numbers and counts are strings, and
// HttpStatusCode is the text of the documented sample.
func listJobs(s *Server, c *call) (fields, *problem) {
	number, _ := count(c.params["PageNumber"])
	size, _ := count(c.params["PageSize"])
	if size > s.opts.PageCap {
		if s.opts.PageCapMode == PageCapRefuse {
			return nil, refuseBusiness("InvalidPageSize", "The specified PageSize is not valid: the largest is %d.", s.opts.PageCap)
		}
		size = s.opts.PageCap
	}
	var page []*job
	var total int
	match := s.matcher(c)
	s.state.view(c.place, func(sh *shelf) {
		if sh != nil {
			page, total = sh.page((number-1)*size, size, s.opts.ListOrder == OrderNewest, match)
		}
	})
	entries := make([]listEntry, 0, len(page))
	for _, j := range page {
		entries = append(entries, s.entry(j, c.now))
	}
	return fields{
		"Success": true, "Code": "ok", "HttpStatusCode": "ok", "Message": "ok",
		"PageNumber": strconv.Itoa(number), "PageSize": strconv.Itoa(size), "TotalCount": strconv.Itoa(total),
		"APSJobs": entries,
	}, nil
}

func (s *Server) entry(j *job, now time.Time) listEntry {
	at := j.phaseAt(now, s.life())
	return listEntry{
		ApsJobID: j.ID, ApsJobName: j.Name, SourceInstanceID: j.Source, DestinationInstanceID: j.Destination,
		Status: at.status, SubStatus: at.sub, Delay: at.delay, Projress: strconv.Itoa(at.progress), ErrMessage: at.message,
		CreateTime: j.created().In(s.opts.CreateTimeZone).Format(time.DateTime),
	}
}

// matcher is the filter of a listing, nil if everything passes. The start of
// a time range is inside it, the end is not.
func (s *Server) matcher(c *call) func(*job) bool {
	name, start, end := c.params["ApsJobName"], minuteMs(c.params["CreateTimeStart"]), minuteMs(c.params["CreateTimeEnd"])
	if name == "" && start == 0 && end == 0 && s.opts.ListLag == 0 {
		return nil
	}
	return func(j *job) bool {
		return s.listed(j, c.now) && s.named(j.Name, name) &&
			(start == 0 || j.CreatedMs >= start) && (end == 0 || j.CreatedMs < end)
	}
}

// listed tells whether the listing knows the job yet.
func (s *Server) listed(j *job, now time.Time) bool {
	return s.opts.ListLag == 0 || j.CreatedMs+s.opts.ListLag.Milliseconds() <= now.UnixMilli() || j.CreatedMs <= s.shownMs.Load()
}

func (s *Server) named(name, wanted string) bool {
	switch {
	case wanted == "":
		return true
	case s.opts.NameFilter == NameExact:
		return name == wanted
	case s.opts.NameFilter == NamePrefix:
		return strings.HasPrefix(name, wanted)
	}
	return strings.Contains(name, wanted)
}

// minuteMs reads a checked time of a filter; 0 if there is none.
func minuteMs(value string) int64 {
	at, err := time.Parse(minuteLayout, value)
	if err != nil {
		return 0
	}
	return at.UnixMilli()
}

// page returns the jobs at offset, at most size of them, and how many match
// in all. Without a filter it touches only the page.
func (s *shelf) page(offset, size int, backward bool, match func(*job) bool) (page []*job, total int) {
	at := func(i int) *job {
		if backward {
			return s.jobs[len(s.jobs)-1-i]
		}
		return s.jobs[i]
	}
	if match == nil {
		for i := offset; i < len(s.jobs) && i < offset+size; i++ {
			page = append(page, at(i))
		}
		return page, len(s.jobs)
	}
	for i := range s.jobs {
		j := at(i)
		if !match(j) {
			continue
		}
		if total >= offset && len(page) < size {
			page = append(page, j)
		}
		total++
	}
	return page, total
}
