package runner_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

func refresh(t *testing.T, text string) plan.Refresh {
	t.Helper()
	r, err := plan.ParseRefresh(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// change is somebody at the console who changes what a job loads.
func (c *cloud) change(id, dbList string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setObjects(id, dbList)
}

// called is how often an operation was called since the last time.
func (c *cloud) called(operation string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.calls[operation]
	c.calls[operation] = 0
	return n
}

// supposed is what a plan that asks the service shows.
func (f *fixture) supposed(options runner.Options) (*runner.Run, []plan.Change, error) {
	f.Helper()
	var service runner.Service = f.cloud
	if f.service != nil {
		service = f.service
	}
	clock := runner.Clock{Now: time.Now, Boot: func() time.Duration { return 0 }}
	run := runner.NewLook(f.plan, f.ledger, service, runner.NewGovernor(0), clock, options)
	changes, err := run.Prepare(f.Context())
	return run, changes, err
}

func TestWhatWasChangedOutsideIsPutBack(t *testing.T) {
	for _, how := range []string{"all", "sample:100%"} {
		inBubble(t, 3, func(f *fixture) {
			f.mustRun()
			id := f.entry("job-001").JobID
			f.cloud.change(id, `{"theirs":{"all":true}}`)
			f.wantCounts(f.mustRun(), runner.Counts{Kept: 3}) // it is not asked
			f.options.Refresh = refresh(t, how)
			f.wantCounts(f.mustRun(), runner.Counts{Kept: 2, Updated: 1})
			if got := f.cloud.specOf(id).DBList; got != `{"EntireInstance":true}` {
				f.Errorf("the service has %s", got)
			}
			f.wantCounts(f.mustRun(), runner.Counts{Kept: 3})
		})
	}
}

// TestWhatTheServiceHasAlreadyIsOnlyRecorded: the plan was made to follow what
// somebody did at the console.
func TestWhatTheServiceHasAlreadyIsOnlyRecorded(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.mustRun()
		f.editObjects(0, `{"theirs":{"all":true}}`)
		f.cloud.change(f.entry("job-000").JobID, ` {"theirs": {"all": true}}`)
		f.options.Refresh = refresh(t, "changed")
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 1, Updated: 1})
		if n := f.cloud.called("modify"); n != 0 || f.entry("job-000").Digest != f.plan.Jobs[0].Digest {
			f.Errorf("%d requests were sent, and the ledger says %+v", n, f.entry("job-000"))
		}
	})
}

// TestPuttingBackThatGotNoAnswerIsMadeAgain: what puts a job back is promised like
// any other change, though the ledger has the same objects already.
func TestPuttingBackThatGotNoAnswerIsMadeAgain(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		id := f.entry("job-000").JobID
		f.cloud.change(id, `{"theirs":{"all":true}}`)
		f.options.Refresh = refresh(t, "all")
		f.options.MaxAttempts = 1
		f.cloud.modify = func(string) error {
			return &plan.CallError{Operation: "ModifyApsJob", Failure: plan.FailureTemporary, Why: "no answer came"}
		}
		f.wantCounts(f.mustRun(), runner.Counts{Unknown: 1})
		if !f.entry("job-000").Pending.IsSet() {
			f.Error("nothing says that it was sent")
		}
		f.cloud.modify, f.options.Refresh = nil, plan.Refresh{}
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		if got := f.cloud.specOf(id).DBList; got != `{"EntireInstance":true}` {
			f.Errorf("the service has %s", got)
		}
	})
}

func TestRefreshAsksNoMoreThanItSays(t *testing.T) {
	inBubble(t, 40, func(f *fixture) {
		f.mustRun()
		f.editObjects(7, `{"sales":{"all":true}}`)
		for _, test := range []struct {
			how           string
			lists, detail int
		}{{"none", 0, 0}, {"changed", 1, 1}, {"sample:10%", 1, 5}, {"all", 1, 40}} {
			f.cloud.called("list")
			f.cloud.called("detail")
			if _, changes, err := f.supposed(runner.Options{Refresh: refresh(t, test.how)}); err != nil || len(changes) != 40 || changes[7].Kind != plan.KindUpdate {
				f.Errorf("%s: %v", test.how, err)
			}
			if lists, details := f.cloud.called("list"), f.cloud.called("detail"); lists != test.lists || details != test.detail {
				f.Errorf("%s takes %d listings and %d details, want %d and %d", test.how, lists, details, test.lists, test.detail)
			}
		}
		if n := f.cloud.called("modify"); n != 0 || f.cloud.sent() != 40 {
			f.Errorf("looks sent %d changes and %d creates", n, f.cloud.sent()-40)
		}
	})
}

// TestLookWritesNothing: it shows what a run would find, and the ledger stays as it
// is.
func TestLookWritesNothing(t *testing.T) {
	inBubble(t, 4, func(f *fixture) {
		f.mustRun()
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(true) }
		f.plan.Jobs = append(f.plan.Jobs, jobNamed("late"))
		f.cloud.lag = time.Hour
		f.mustRun()
		f.cloud.lag = 0
		time.Sleep(2 * runner.SettleDefault)
		f.cloud.remove("job-000")
		before := f.snapshot()
		_, changes, err := f.supposed(runner.Options{Refresh: refresh(t, "all")})
		if err != nil {
			f.Fatal(err)
		}
		if c := changes[0]; c.Kind != plan.KindBlocked || c.State() != plan.StateLost {
			f.Errorf("a job that is gone shows as %s, %s", c.Kind, c.State())
		}
		if c := changes[4]; c.Kind != plan.KindKeep || c.State() != plan.StateCreated {
			f.Errorf("a create that turns out well shows as %s, %s", c.Kind, c.State())
		}
		if now := f.snapshot(); now.Serial != before.Serial || now.Entries["job-000"].State != plan.StateCreated || now.Entries["late"].State != plan.StateUnknown {
			f.Errorf("the ledger was written: %+v", now)
		}
	})
}

// TestFailedLookIsAnError and never a job that looks absent.
func TestFailedLookIsAnError(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.mustRun()
		f.cloud.listErr = errors.New("the listing is incomplete")
		for _, how := range []string{"changed", "sample:1", "all"} {
			f.options.Refresh = refresh(t, how)
			if _, changes, err := f.supposed(f.options); err == nil || changes != nil {
				f.Errorf("a look that failed gives %v, %v", changes, err)
			}
			if _, changes, err := f.prepare(); err == nil || changes != nil {
				f.Errorf("a run whose look failed gives %v, %v", changes, err)
			}
		}
	})
}

// untelling is a service that tells no details of one job.
type untelling struct {
	*cloud
	id  string
	err error
}

func (u untelling) Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error) {
	if id == u.id {
		return plan.RemoteDetail{}, u.err
	}
	return u.cloud.Detail(ctx, region, id)
}

// TestDetailsThatAreNotTold: a listed job is there, whatever its details are
// answered with; and a service that does not answer ends the look.
func TestDetailsThatAreNotTold(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.mustRun()
		id := f.entry("job-001").JobID
		f.service = untelling{f.cloud, id, &plan.CallError{Operation: "DescribeApsJobDetail", Failure: plan.FailureOther, Code: "InvalidInput"}}
		run, changes, err := f.supposed(runner.Options{Refresh: refresh(t, "all")})
		if err != nil || len(changes) != 3 || changes[1].Kind != plan.KindKeep || fmt.Sprint(run.Untold()) != "["+id+"]" || len(run.Compared()) != 2 {
			f.Errorf("got %+v, %v, untold %v, compared %v", changes, err, run.Untold(), run.Compared())
		}
		f.service = untelling{f.cloud, id, &plan.CallError{Operation: "DescribeApsJobDetail", Failure: plan.FailureTemporary, Why: "no answer"}}
		if _, _, err := f.supposed(runner.Options{Refresh: refresh(t, "all")}); err == nil {
			f.Error("a service that does not answer is no error")
		}
	})
}

// meddling is a run beside a look: it moves on while the details are asked for.
type meddling struct {
	*cloud
	once func()
}

func (m *meddling) Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error) {
	if once := m.once; once != nil {
		m.once = nil
		once()
	}
	return m.cloud.Detail(ctx, region, id)
}

// TestLookBesideARunJudgesNothingThatMoves: a job whose objects a run changes just
// now was not changed outside.
func TestLookBesideARunJudgesNothingThatMoves(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.mustRun()
		f.editObjects(0, `{"sales":{"all":true}}`)
		f.service = &meddling{f.cloud, func() {
			beside := f.service
			f.service = nil
			f.wantCounts(f.mustRun(), runner.Counts{Kept: 1, Updated: 1})
			f.service = beside
		}}
		run, changes, err := f.supposed(runner.Options{Refresh: refresh(t, "all"), Parallel: 1})
		if err != nil || changes[0].Kind != plan.KindKeep || changes[0].Seen != nil || len(run.Compared()) != 1 {
			f.Errorf("got %+v, %v, compared %v", changes, err, run.Compared())
		}
	})
}

// TestUpdateLeavesTheIgnoredList: a change of one list says the other as the service
// has it, not as the ledger does, also in a run that does not refresh.
func TestUpdateLeavesTheIgnoredList(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		id := f.entry("job-000").JobID
		f.cloud.change(id, `{"theirs":{"all":true}}`)
		p, err := plan.Parse("p.yaml", []byte("version: 1\nname: test\nregion: cn-hangzhou\njobs:\n"+
			"  - {name: job-000, source: {instance: pc-1}, destination: {instance: amv-1}, db_list: {EntireInstance: true}, partition_list: {a: 1}, ignore: [db_list]}\n"), plan.Options{})
		if err != nil {
			f.Fatal(err)
		}
		f.plan = p
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		if spec := f.cloud.specOf(id); spec.DBList != `{"theirs":{"all":true}}` || spec.PartitionList != `{"a":1}` {
			f.Errorf("the service has %+v", spec)
		}
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 1})
	})
}

// Somebody changed what a job loads and started it again: one run undoes both.
func TestWhatWasChangedAndStartedOutsideIsPutBackAtOnce(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.plan.Jobs[0].State = plan.Suspended
		f.mustRun()
		id := f.entry("job-000").JobID
		f.cloud.change(id, `{"theirs":{"all":true}}`)
		for i := range f.cloud.jobs {
			f.cloud.jobs[i].Status = "Running"
		}
		f.options.Refresh = refresh(t, "all")
		f.mustRun()
		if job := f.cloud.jobs[0]; job.spec.DBList != f.plan.Jobs[0].DBList || job.Status != "Suspended" {
			t.Errorf("it loads %s and is %s", job.spec.DBList, job.Status)
		}
	})
}
