package runner

import (
	"slices"
	"time"
)

// busy reports whether a worker is at work, with a seat or without.
func (s *scheduler) busy() bool { return s.inFlight > 0 || s.recording > 0 }

// hasSeat reports whether one more task may start.
func (s *scheduler) hasSeat() bool {
	seats := s.run.options.Parallel
	return s.inFlight < seats && s.inFlight+s.recording < 2*seats
}

func (s *scheduler) start(t *task) {
	s.inFlight++
	t.begun = time.Now()
	if t.tries == 0 {
		t.since = t.begun
	}
	seat := slices.Index(s.seats, nil)
	s.seats[seat] = t
	s.group.Go(func() error {
		report := s.work(t, seat)
		s.events <- func() {
			if s.seats[seat] == t {
				s.seats[seat] = nil
			}
			report()
		}
		return nil
	})
}

// giveSeat takes the seat from a worker whose record has its place in the ledger. With
// a single seat it is kept: there, one thing comes after the other.
func (s *scheduler) giveSeat(a *attempt, seat int) {
	if s.run.options.Parallel == 1 {
		return
	}
	s.events <- func() {
		a.seatGiven, s.seats[seat] = true, nil
		s.inFlight--
		s.recording++
	}
}
