package aps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

const opList = "DescribeApsJobs"

// Bounds of a listing.
const (
	pageSizeMax = 1000    // a size that comes back above it is not believed
	jobsDefault = 600_000 // of one region at most, in pages of whatever size
	scansMax    = 6       // of one listing
)

// IncompleteError is a listing that cannot be trusted to show every job, though
// each call succeeded. It proves nothing about a job that is not in it.
type IncompleteError struct {
	Region string
	Why    string // of the last scan, in our words, one line
	Scans  int
}

func (e *IncompleteError) Error() string {
	times := fmt.Sprintf("after %d scans", e.Scans)
	if e.Scans == 1 {
		times = "after one scan"
	}
	return fmt.Sprintf("%s in %s: the listing is incomplete %s: %s", opList, e.Region, times, e.Why)
}

// List returns all jobs of region. Every page arrived and the distinct ids add
// up to the service's own total; a scan that does not add up, because pages
// shift under inserts and deletions, is repeated a few times. With agree, two
// scans in a row must also be identical in ids, names, sources and destinations.
//
// Errors are *plan.CallError and *IncompleteError, and when ctx ended also what
// ctx says.
func (c *Client) List(ctx context.Context, region string, agree bool) (plan.Listing, error) {
	s, err := c.steady(ctx, region, "", agree)
	if err != nil {
		return plan.Listing{}, err
	}
	return plan.Listing{Region: region, Jobs: s.sorted(), ServerStart: s.start, ServerEnd: s.end, Agreed: agree}, nil
}

// Find returns the jobs of region with exactly that name, in order of ID. The
// service's filter only narrows what is looked at, since nothing says how it
// compares; names are compared here. Errors are those of List: a search that
// does not add up is no answer.
func (c *Client) Find(ctx context.Context, region, name string) ([]plan.RemoteJob, error) {
	s, err := c.steady(ctx, region, name, false)
	if err != nil {
		return nil, err
	}
	return plan.Listing{Jobs: s.sorted()}.Named(name), nil
}

// steady scans until a scan adds up, and with agree until the next one confirms
// it.
func (c *Client) steady(ctx context.Context, region, name string, agree bool) (*scan, error) {
	k, failed := c.prepare(opList, region, nil)
	if failed != nil {
		return nil, failed
	}
	k.bodyMax = listMax
	if name != "" {
		k.params["ApsJobName"] = name
	}
	var last *scan
	var why string
	for n := 1; n <= scansMax; n++ {
		s, err := c.sized(ctx, k)
		var unsteady *unsteadyError
		switch {
		case errors.As(err, &unsteady):
			if last, why = nil, unsteady.why; unsteady.final {
				return nil, &IncompleteError{region, why, n}
			}
			if err := c.opts.Sleep(ctx, pause(n, 0)); err != nil {
				return nil, c.waitError(ctx, k, err)
			}
		case err != nil:
			return nil, err
		case !agree || mutant.On(mutant.SingleScan):
			return s, nil
		case last != nil && last.same(s):
			s.start = last.start // both scans are the evidence
			return s, nil
		default:
			last, why = s, "no two scans in a row were the same"
		}
	}
	return nil, &IncompleteError{region, why, scansMax}
}

// sized scans in pages that are as large as the service takes them. A scan whose
// page size was refused shows nothing and counts for none.
func (c *Client) sized(ctx context.Context, k call) (*scan, error) {
	for {
		asked := c.pageSize.asked()
		s := &scan{size: asked, jobs: map[string]plan.RemoteJob{}}
		if err := c.scan(ctx, k, s); !c.pageSize.lower(asked, err) {
			return s, err
		}
	}
}

// scan is one pass over all pages.
type scan struct {
	size       int // as the service has it, once a page came
	total      int
	jobs       map[string]plan.RemoteJob // by ID
	start, end time.Time                 // Date headers of the first and last page
}

// Scan is how far one pass over the listing of a region is.
type Scan struct {
	Region string
	Page   int // that is asked for now, from 1; 0 once all came
	Jobs   int // that came
	Total  int // of the service; 0 until the first page came
}

// tell tells of a scan of a whole region: the search for one name is over at once.
func (c *Client) tell(k call, page int, s *scan) {
	if c.opts.Scanned != nil && k.params["ApsJobName"] == "" {
		c.opts.Scanned(Scan{k.region, page, len(s.jobs), s.total})
	}
}

// unsteadyError is a scan that does not add up. A final one would not get better.
type unsteadyError struct {
	why   string
	final bool
}

func (e *unsteadyError) Error() string { return e.why }

func unsteady(format string, args ...any) error {
	return &unsteadyError{why: fmt.Sprintf(format, args...)}
}

// scan asks for pages until as many distinct ids came as there are in total, and
// then makes sure that nothing follows. It comes to an end: the total is bounded, and
// a page without a job that is new is the last one.
func (c *Client) scan(ctx context.Context, k call, s *scan) error {
	defer c.tell(k, 0, s)
	for number := 1; ; number++ {
		c.tell(k, number, s)
		done, full := false, false
		err := c.page(ctx, k, number, s, func(e envelope, header http.Header) error {
			p, err := parsePage(e, number)
			if err == nil && p.total > c.jobsMax {
				err = &unsteadyError{fmt.Sprintf("the total is %d, and a listing takes in %d jobs at most", p.total, c.jobsMax), true}
			}
			if err == nil {
				if s.end = serverTime(header); number == 1 {
					s.start = s.end
				}
				done, err = s.add(number, p)
				full = len(p.jobs) >= s.size
			}
			return err
		})
		if err != nil || done && !full {
			return err
		}
		if done {
			c.tell(k, number+1, s)
			return c.nothingAfter(ctx, k, number, s)
		}
	}
}

func (c *Client) page(ctx context.Context, k call, number int, s *scan, read func(envelope, http.Header) error) error {
	k.params = maps.Clone(k.params)
	k.params["PageNumber"], k.params["PageSize"] = strconv.Itoa(number), strconv.Itoa(s.size)
	return c.ask(ctx, k, read)
}

// nothingAfter looks behind a full last page: a total that is too small would
// otherwise hide the jobs there. How the service answers beyond its end is not
// documented, so that only jobs count: it may refuse, or say any total.
func (c *Client) nothingAfter(ctx context.Context, k call, number int, s *scan) error {
	err := c.page(ctx, k, number+1, s, func(e envelope, _ http.Header) error {
		more, err := parseJobs(e, number+1)
		if err == nil && len(more) > 0 {
			err = unsteady("the total is %d, and page %d shows further jobs", s.total, number+1)
		}
		return err
	})
	if failed := (*plan.CallError)(nil); errors.As(err, &failed) && failed.Failure == plan.FailureOther {
		return nil
	}
	return err
}

// add takes one page in and reports whether the scan is complete.
func (s *scan) add(number int, p page) (done bool, err error) {
	if number == 1 {
		s.total, s.size = p.total, cmp.Or(p.size, s.size)
	}
	switch {
	case p.total != s.total:
		return false, unsteady("the total changed from %d to %d", s.total, p.total)
	case p.size != 0 && p.size != s.size:
		return false, unsteady("the page size changed from %d to %d", s.size, p.size)
	}
	before := len(s.jobs)
	for _, job := range p.jobs {
		if seen, ok := s.jobs[job.ID]; ok && identity(seen) != identity(job) {
			return false, unsteady("two entries with one id differ")
		}
		s.jobs[job.ID] = job
	}
	switch {
	case len(s.jobs) == s.total:
		return true, nil
	case len(s.jobs) > s.total:
		return false, unsteady("more than the total of %d jobs came", s.total)
	case len(s.jobs) == before && mutant.On(mutant.IncompleteList):
		return true, nil
	case len(s.jobs) == before:
		return false, unsteady("%d of %d jobs came, and page %d had no further one", len(s.jobs), s.total, number)
	}
	return false, nil
}

// identity is the part of job that two scans must agree on. Status and progress
// change all the time.
func identity(job plan.RemoteJob) [4]string {
	return [4]string{job.ID, job.Name, job.SourceInstance, job.DestinationInstance}
}

func (s *scan) same(other *scan) bool {
	return maps.EqualFunc(s.jobs, other.jobs, func(a, b plan.RemoteJob) bool { return identity(a) == identity(b) })
}

func (s *scan) sorted() []plan.RemoteJob {
	return slices.SortedFunc(maps.Values(s.jobs), func(a, b plan.RemoteJob) int { return cmp.Compare(a.ID, b.ID) })
}
