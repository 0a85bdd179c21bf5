package plan

import (
	"testing"
)

func TestConditions(t *testing.T) {
	for text, wants := range map[string]map[string]bool{
		"running":    {"Running": true, "synchronizing": true, "Initializing": false, "Suspended": false, "RunFailed": false},
		"suspended":  {"Suspended": true, "NotStarted": true, "Suspending": false, "Running": false, "Failed": false},
		"gone":       {"Running": false, "Suspended": false},
		"delay<=30s": {"Running": true, "Initializing": false, "Suspended": false},
	} {
		c, err := ParseCondition(text)
		if err != nil {
			t.Fatal(err)
		}
		for status, want := range wants {
			if got := c.Met(RemoteJob{Status: status, Delay: 30}); got != want {
				t.Errorf("%s: %s is met: %v", text, status, got)
			}
		}
	}
	c, _ := ParseCondition("delay<=30s")
	if c.Met(RemoteJob{Status: "Running", Delay: 31}) || c.String() != "running with a delay of at most 30s" {
		t.Errorf("%s: a delay of 31 counts", c)
	}
	for _, text := range []string{"", "Running", "delay", "delay<30s", "delay<=", "delay<=-1s", "delay<=30"} {
		if _, err := ParseCondition(text); err == nil {
			t.Errorf("%q is taken for a condition", text)
		}
	}
}

// What a job that is not there says, and whether waiting for it makes sense.
func TestHopelessConditions(t *testing.T) {
	for _, test := range []struct {
		condition string
		state     State
		hopeless  bool
	}{
		{"running", StateUnknown, false}, {"running", StateIntent, false}, {"running", StateCreated, false},
		{"running", StateAbsent, true}, {"running", StateRejected, true}, {"running", StateLost, true},
		{"gone", StateLost, false}, {"gone", StateDuplicate, true},
	} {
		c, _ := ParseCondition(test.condition)
		if why := c.Hopeless(Entry{State: test.state}); (why != "") != test.hopeless {
			t.Errorf("%s of a job that is %s: %q", test.condition, test.state, why)
		}
	}
}

func TestByHand(t *testing.T) {
	listings := map[string]Listing{"r": {Jobs: []RemoteJob{{ID: "1", Status: "Running"}, {ID: "2", Status: "Suspended"}, {ID: "3", Status: "Initializing"}}}}
	created := func(id string, change func(*Entry)) Entry {
		e := Entry{Name: "job", State: StateCreated, JobID: id}
		if change != nil {
			change(&e)
		}
		return e
	}
	sent := func(operation Operation) func(*Entry) {
		return func(e *Entry) { e.Pending.Operation = operation }
	}
	for name, test := range map[string]struct {
		entry                  Entry
		start, suspend, remove Kind
	}{
		"runs":                   {created("1", nil), KindKeep, KindSuspend, KindDelete},
		"stands still":           {created("2", nil), KindStart, KindKeep, KindDelete},
		"is on its way":          {created("3", nil), KindStart, KindSuspend, KindDelete},
		"is not listed":          {created("4", nil), KindStart, KindSuspend, KindDelete},
		"is protected":           {created("1", func(e *Entry) { e.Life.Protect = true }), KindKeep, KindSuspend, KindBlocked},
		"runs unlike the ledger": {created("1", func(e *Entry) { e.Doing = Suspended }), KindStart, KindSuspend, KindDelete},
		"a suspend is open":      {created("1", sent(OperationSuspend)), KindStart, KindSuspend, KindDelete},
		"a delete is open":       {created("1", sent(OperationDelete)), KindBlocked, KindBlocked, KindDelete},
		"is unknown":             {Entry{State: StateUnknown}, KindBlocked, KindBlocked, KindBlocked},
		"is lost":                {Entry{State: StateLost, JobID: "9"}, KindBlocked, KindBlocked, KindBlocked},
		"was deleted":            {Entry{State: StateAbsent, Reason: ReasonDeleted}, KindBlocked, KindBlocked, KindKeep},
		"was refused":            {Entry{State: StateRejected}, KindBlocked, KindBlocked, KindKeep},
	} {
		for asked, want := range map[Kind]Kind{KindStart: test.start, KindSuspend: test.suspend, KindDelete: test.remove} {
			c := ByHand(asked, []Entry{test.entry}, listings, Commands{})[0]
			if c.Kind != want || c.Job != nil || c.Kind == KindBlocked && c.Reason == "" {
				t.Errorf("a job that %s, to %s: got %s (%s), want %s", name, asked, c.Kind, c.Reason, want)
			}
		}
	}
}
