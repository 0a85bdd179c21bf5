package runner_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

const region = "cn-hangzhou"

// fixture is a plan, a ledger file and a cloud, in a bubble of virtual time.
type fixture struct {
	*testing.T
	plan   *plan.Plan
	path   string
	ledger *store.Ledger
	cloud  *cloud
	// options of the next run; zero values are the defaults.
	options runner.Options
	rate    float64
	drain   chan struct{}
	// boot is the clock that runs in suspend; sleepBoot is added to it.
	slept time.Duration
	// wrap may put something between the runner and the ledger.
	wrap    func(runner.Ledger) runner.Ledger
	secrets runner.Secrets
	// service is asked in place of cloud, unless nil.
	service runner.Service
}

// inBubble runs test with n wanted jobs named job-000 and up.
func inBubble(t *testing.T, n int, test func(f *fixture)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	synctest.Test(t, func(t *testing.T) {
		ledger, err := store.Open(t.Context(), path, store.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{T: t, plan: planOf(n), path: path, ledger: ledger, cloud: newCloud(t, path), drain: make(chan struct{}), secrets: noSecrets{}}
		f.options.Rand = rand.New(rand.NewPCG(1, 2))
		defer func() { // also after a Fatal: the bubble must be empty at its end
			if err := f.ledger.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(f)
	})
}

func planOf(n int) *plan.Plan {
	p := &plan.Plan{Name: "test", File: "test.yaml"}
	for i := range n {
		p.Jobs = append(p.Jobs, jobNamed(fmt.Sprintf("job-%03d", i)))
	}
	return p
}

func jobNamed(name string) plan.Job { return jobFrom(name, "pc-1") }

func jobFrom(name, source string) plan.Job {
	spec := plan.Spec{
		Name: name, Region: region,
		Source: plan.SourceEndpoint{Instance: source}, Destination: plan.DestinationEndpoint{Instance: "amv-1"},
		DBList: `{"EntireInstance":true}`,
	}
	return plan.Job{Spec: spec, Digest: plan.HashSpec(spec)}
}

type noSecrets struct{}

func (noSecrets) Read(context.Context, secret.Ref) (secret.Value, error) {
	return secret.Value{}, errors.New("no secret was expected to be read")
}
func (noSecrets) Clean(text string) string { return text }

// run is one whole run: prepare and apply.
func (f *fixture) run() (runner.Report, error) {
	f.Helper()
	run, changes, err := f.prepare()
	if err != nil {
		f.Fatalf("prepare: %v", err)
	}
	return run.Apply(f.Context(), f.drain, changes)
}

func (f *fixture) prepare() (*runner.Run, []plan.Change, error) {
	var ledger runner.Ledger = f.ledger
	if f.wrap != nil {
		ledger = f.wrap(ledger)
	}
	start := time.Now()
	clock := runner.Clock{Now: time.Now, Boot: func() time.Duration { return time.Since(start) + f.slept }}
	var service runner.Service = f.cloud
	if f.service != nil {
		service = f.service
	}
	run := runner.New(f.plan, ledger, service, f.secrets, runner.NewGovernor(f.rate), clock, f.options)
	changes, err := run.Prepare(f.Context())
	return run, changes, err
}

// mustRun is run for tests in which the ledger works.
func (f *fixture) mustRun() runner.Report {
	f.Helper()
	report, err := f.run()
	if err != nil {
		f.Fatalf("apply: %v", err)
	}
	f.checkBooks(report)
	return report
}

// checkBooks holds what is true after every run: the counts add up, no job
// exists twice, and every job on the service is accounted for in the ledger.
func (f *fixture) checkBooks(report runner.Report) {
	f.Helper()
	c := report.Counts()
	if sum := c.Created + c.Adopted + c.Updated + c.Replaced + c.Started + c.Suspended + c.Kept + c.Unhealthy + c.Failed + c.Unknown + c.Blocked + c.NotTried; sum != c.Planned || c.Planned != len(f.plan.Jobs) {
		f.Errorf("the books do not balance: %+v for %d jobs", c, len(f.plan.Jobs))
	}
	if n := f.cloud.duplicates(); n != 0 {
		f.Errorf("%d duplicates exist", n)
	}
	f.checkOrphans()
}

// checkOrphans fails for a job that apsctl made and does not account for.
func (f *fixture) checkOrphans() {
	f.Helper()
	for name := range f.cloud.creates {
		e, ok := f.snapshot().Entries[name]
		exists := len(f.cloud.listed(func(j cloudJob) bool { return j.Name == name })) > 0
		if exists && (!ok || (e.State != plan.StateCreated && !e.State.Unresolved() && !e.State.NeedsPerson())) {
			f.Errorf("job %s exists and the ledger says %q", name, e.State)
		}
	}
}

func (f *fixture) snapshot() plan.Snapshot {
	f.Helper()
	s, err := f.ledger.Snapshot(f.Context(), f.plan.Name)
	if err != nil {
		f.Fatal(err)
	}
	return s
}

func (f *fixture) entry(name string) plan.Entry { f.Helper(); return f.snapshot().Entries[name] }

// wantCounts compares a report's counts, Planned aside.
func (f *fixture) wantCounts(report runner.Report, want runner.Counts) {
	f.Helper()
	got := report.Counts()
	got.Planned = want.Planned
	if got != want {
		f.Errorf("counts are %+v, want %+v", got, want)
		for _, r := range report.Results {
			if r.Error != "" {
				f.Logf("  %s: %s (%s)", r.Name, r.Error, r.Ending)
			}
		}
	}
}

// Answers a cloud may give.

func lost(create bool) reply {
	return reply{create: create, outcome: &plan.Outcome{Failure: plan.FailureTemporary, Why: "the connection was closed before an answer came"}}
}

func throttled(hint time.Duration) reply {
	return reply{outcome: &plan.Outcome{
		Verdict: plan.VerdictRejected, Failure: plan.FailureThrottled, Why: "refused: too many requests",
		Code: "Throttling.User", HTTPStatus: 400, RetryAfter: hint,
	}}
}

func refused(failure plan.Failure, code string) reply {
	return reply{outcome: &plan.Outcome{
		Verdict: plan.VerdictRejected, Failure: failure, Why: "refused by the service", Code: code, HTTPStatus: 400,
	}}
}
