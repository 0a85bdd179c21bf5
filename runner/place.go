package runner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/apsctl/apsctl/plan"
)

// place is where jobs may initialise, one instance as a source or a destination.
type place struct {
	side     side
	instance string
}

type side string

const (
	sourceSide      side = "source"
	destinationSide side = "destination"
)

// places bounds how many jobs of one instance are initialising. A task that finds
// no room is parked and holds no worker.
type places struct {
	most   map[side]int
	own    map[place]int // taken by tasks of this run
	others map[place]int // taken by other jobs that a listing shows
	listed map[string]map[place]int
	parked map[place][]*task
	count  int // parked tasks
}

func newPlaces(o Rollout) places {
	return places{
		most: map[side]int{sourceSide: o.PerSource, destinationSide: o.PerDestination},
		own:  map[place]int{}, others: map[place]int{}, listed: map[string]map[place]int{}, parked: map[place][]*task{},
	}
}

// of are the bounded places that a job with these instances takes.
func (p *places) of(source, destination string) []place {
	var all []place
	for _, one := range []place{{sourceSide, source}, {destinationSide, destination}} {
		if p.most[one.side] > 0 {
			all = append(all, one)
		}
	}
	return all
}

func (p *places) full(one place) bool { return p.own[one]+p.others[one] >= p.most[one.side] }

// fullFor is the first of the task's places that has no room.
func (p *places) fullFor(t *task) (place, bool) {
	for _, one := range t.places {
		if p.full(one) {
			return one, true
		}
	}
	return place{}, false
}

// placesOf are the bounded places that a change takes.
func (s *scheduler) placesOf(c plan.Change) []place {
	spec := plan.Spec{}
	if c.Entry != nil {
		spec = c.Entry.Spec
	}
	if c.Job != nil {
		spec = c.Job.Spec
	}
	return s.places.of(spec.Source.Instance, spec.Destination.Instance)
}

// occupy gives a task its places whether there is room or not: its job may be
// there already.
func (p *places) occupy(t *task) {
	t.placed = true
	for _, one := range t.places {
		p.own[one]++
	}
}

// take gives a task its places, or parks it where there is no room.
func (p *places) take(t *task) bool {
	if t.placed || len(t.places) == 0 {
		return true
	}
	if one, full := p.fullFor(t); full {
		p.park(t, one)
		return false
	}
	p.occupy(t)
	return true
}

func (p *places) park(t *task, at place) {
	t.result.Error = fmt.Sprintf("it waits for other jobs of its %s %s: no more than %d may be initialising at once", at.side, at.instance, p.most[at.side])
	p.parked[at] = append(p.parked[at], t)
	p.count++
}

// give returns a task's places and the tasks that may go now.
func (p *places) give(t *task) []*task {
	if !t.placed {
		return nil
	}
	t.placed = false
	var ready []*task
	for _, one := range t.places {
		p.own[one]--
		ready = append(ready, p.wake(one)...)
	}
	return ready
}

// wake returns parked tasks for the room that there is at a place. One that finds
// its other place full is parked there instead.
func (p *places) wake(at place) []*task {
	var ready []*task
	room := p.most[at.side] - p.own[at] - p.others[at]
	for len(ready) < room && len(p.parked[at]) > 0 {
		t := p.parked[at][0]
		p.parked[at] = p.parked[at][1:]
		p.count--
		if other, full := p.fullFor(t); full {
			p.park(t, other)
			continue
		}
		t.result.Error = ""
		ready = append(ready, t)
	}
	return ready
}

// observe takes in which jobs a listing of a region shows as initialising beside
// those that own says are this run's, and returns the tasks that may go now.
func (p *places) observe(listing plan.Listing, own map[string]*task) []*task {
	before, now := p.listed[listing.Region], map[place]int{}
	for _, job := range listing.Jobs {
		if initialising(job.Status) && own[job.ID] == nil {
			for _, one := range p.of(job.SourceInstance, job.DestinationInstance) {
				now[one]++
			}
		}
	}
	p.listed[listing.Region] = now
	for one, n := range now {
		p.others[one] += n
	}
	for one, n := range before {
		p.others[one] -= n
	}
	var ready []*task
	for _, one := range slices.SortedFunc(maps.Keys(before), place.compare) {
		ready = append(ready, p.wake(one)...)
	}
	return ready
}

func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(p.side, other.side), cmp.Compare(p.instance, other.instance))
}

// initialising reports whether a status says that a job is loading its data. One
// that waits to be started is not.
func initialising(status string) bool {
	return plan.ClassOf(status) == plan.ClassPending && !plan.NotStarted(status) && !plan.Suspending(status)
}
