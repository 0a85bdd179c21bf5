package aps

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A process that stood still past the limit waits anew, and once only: a source that is
// slow as well ends the wait.
func TestAwaitAfterStandingStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newPatience(fetchTimeout)
		defer limit.timer.Stop()
		limit.due = limit.due.Add(-time.Minute) // the timer is a minute late
		start, never := time.Now(), make(chan int)
		if _, err := await(t.Context(), limit, never); !errors.Is(err, errFetchSlow) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != 2*fetchTimeout {
			t.Errorf("it waited %v", took)
		}
	})
}

func TestAwaitWithoutStandingStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newPatience(fetchTimeout)
		defer limit.timer.Stop()
		start := time.Now()
		if _, err := await(t.Context(), limit, make(chan int)); !errors.Is(err, errFetchSlow) || time.Since(start) != fetchTimeout {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

// What has come counts, when the limit is over as well.
func TestAwaitPrefersWhatHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 { // a select with both ready chooses at random
			limit := newPatience(time.Millisecond)
			time.Sleep(time.Second)
			came := make(chan int, 1)
			came <- 7
			if got, err := await(context.Background(), limit, came); got != 7 || err != nil {
				t.Fatalf("got %d, %v", got, err)
			}
		}
	})
}
