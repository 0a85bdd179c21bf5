package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func selectorSubjects() []Subject {
	return []Subject{
		{Plan: "p", Name: "orders-01", Region: "cn-hangzhou", Source: "pc-1", Destination: "amv-1", Labels: map[string]string{"team": "a", "state": "odd"}, State: StateCreated, JobID: "aps-1", Class: ClassRunning},
		{Plan: "p", Name: "orders-02", Region: "cn-beijing", Source: "pc-2", Destination: "amv-1", Labels: map[string]string{"team": "b"}, State: StateRejected},
		{Plan: "p", Name: "users", Region: "cn-beijing", Source: "pc-1", Destination: "amv-2", State: StateCreated, JobID: "aps-3", Class: ClassFailed},
		{Plan: "q", Name: "audit", Region: "cn-beijing", Source: "pc-3", Destination: "amv-2", Labels: map[string]string{"tier": "x=y/z"}},
	}
}

func TestSelectors(t *testing.T) {
	for _, test := range []struct{ texts, want string }{
		{"users", "users"},
		{"users orders-01", "orders-01 users"},
		{"orders-*", "orders-01 orders-02"},
		{"orders-0?", "orders-01 orders-02"},
		{"nothing-*", ""},
		{"team=a", "orders-01"},
		{"team!=a", "orders-02 users audit"},
		{"team=", "users audit"},
		{"tier=x=*", "audit"},
		{"label.state=odd", "orders-01"},
		{"state=created", "orders-01 users"},
		{"state=failed", "users"},
		{"state=new", "audit"},
		{"state!=created", "orders-02 audit"},
		{"source=pc-1,state!=failed", "orders-01"},
		{"orders-*,region=cn-beijing", "orders-02"},
		{"destination=amv-2 team=b", "orders-02 users audit"},
		{"plan=q", "audit"},
		{"id=aps-3", "users"},
		{"name=audit", "audit"},
	} {
		selectors, err := ParseSelectors(strings.Fields(test.texts))
		if err != nil {
			t.Errorf("%s: %v", test.texts, err)
			continue
		}
		subjects := selectorSubjects()
		places, err := selectors.Choose(subjects)
		if err != nil {
			t.Errorf("%s: %v", test.texts, err)
		}
		var got []string
		for _, i := range places {
			got = append(got, subjects[i].Name)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %v, want %s", test.texts, got, test.want)
		}
	}
}

func TestSelectorsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":               "empty",
		"orders-01,":     "empty",
		",team=a":        "empty",
		"orders-[":       "needs its ]",
		"team=[a":        "needs its ]",
		"state=runing":   "running",
		"state=":         "state is one of",
		"state!=craeted": "created",
		"a b=c":          "label's key",
		"=x":             "label's key",
	} {
		if _, err := ParseSelectors([]string{text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error that says %q", text, err, want)
		}
	}
}

// A status at the service is asked for only where a selector may depend on it.
func TestSelectorsThatAskTheService(t *testing.T) {
	for text, want := range map[string]bool{
		"orders-*": false, "state=created": false, "state!=rejected": false, "team=running": false, "label.state=running": false,
		"state=running": true, "state!=failed": true, "state=*ed": true, "a,state=pending": true,
	} {
		selectors, err := ParseSelectors([]string{text})
		if err != nil || selectors.AsksService() != want {
			t.Errorf("%s: got %v, %v, want %v", text, selectors.AsksService(), err, want)
		}
	}
}

// A name that no job has is a slip, whether it is to be chosen or left out.
func TestChoiceOfAMissingName(t *testing.T) {
	one, err := ParseSelectors([]string{"orders-1", "zzz", "users"})
	if err != nil {
		t.Fatal(err)
	}
	for _, choice := range []Choice{{Target: one}, {Exclude: one}} {
		_, err := choice.Places(selectorSubjects())
		var missing *SelectorError
		if !errors.As(err, &missing) || !slices.Equal(missing.Missing, []string{"orders-1", "zzz"}) {
			t.Fatalf("got %v, want both names missing", err)
		}
		if !strings.Contains(err.Error(), "orders-01") {
			t.Errorf("%v suggests nothing", err)
		}
	}
}

func TestChoiceOfChanges(t *testing.T) {
	target, err := ParseSelectors([]string{"orders-*"})
	if err != nil {
		t.Fatal(err)
	}
	exclude, err := ParseSelectors([]string{"orders-02"})
	if err != nil {
		t.Fatal(err)
	}
	p := &Plan{Name: "p"}
	for _, name := range []string{"audit", "orders-01", "orders-02", "orders-03"} {
		p.Jobs = append(p.Jobs, wantedJob(name))
	}
	left := entryFor(wantedJob("orders-04"), StateCreated)
	changes := Diff(p, Snapshot{Entries: map[string]Entry{"orders-04": left}}, nil, DiffOptions{})
	for want, choice := range map[string]Choice{
		"audit orders-01 orders-02 orders-03 orders-04": {},
		"orders-01 orders-02 orders-03 orders-04":       {Target: target},
		"orders-01 orders-03 orders-04":                 {Target: target, Exclude: exclude},
		"audit orders-01 orders-03 orders-04":           {Exclude: exclude},
	} {
		chosen, err := choice.Of(changes)
		var got []string
		for _, c := range chosen {
			got = append(got, c.Name)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("got %v, %v, want %s", got, err, want)
		}
	}
}
