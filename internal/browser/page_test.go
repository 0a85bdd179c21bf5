package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/sync/errgroup"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// hostile are names and messages that try to be more than text.
var hostile = []string{
	`<script>document.title="owned"</script>`, `"><img src=x onerror=document.title="owned">`, "\x1b[31mred\x1b[0m",
	"abc\u202edcba", "=cmd|' /C calc'!A0", "</style><script>document.title='owned'</script>", "javascript:document.title='owned'",
	"{{.Ledger}}", "line\nbreak", "\xff\xfe", "&lt;b&gt;",
}

// begun is when the seeded migration began.
var begun = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

// seed makes a ledger of n jobs as a migration of an hour and a half leaves it:
// most created, some throttled at first, and of the rest one in each state.
func (d *desk) seed(n int) {
	d.Helper()
	ledger, err := store.Open(d.Context(), filepath.Join(d.folder, ".apsctl/ledger.db"), store.Options{Create: true})
	if err != nil {
		d.Fatal(err)
	}
	run := plan.RunRecord{ID: "20260302T010000Z-FIRSTRUN", Command: "apply", Plan: "orders-migration", PlanDigest: "sha256:1",
		Host: "batch-1", User: "etl", PID: 4242, Version: "v1.0.0", StartedAt: begun}
	if err := ledger.BeginRun(d.Context(), run); err != nil {
		d.Fatal(err)
	}
	group := errgroup.Group{}
	group.SetLimit(200)
	for i := range n {
		group.Go(func() error { return seedJob(d.Context(), ledger, run.ID, i, n) })
	}
	if err := group.Wait(); err != nil {
		d.Fatal(err)
	}
	counts, _ := json.Marshal(map[string]int{"planned": n + 12, "created": n * 98 / 100, "failed": n / 100, "not_tried": 12})
	detail := `{"calls":[{"operation":"CreateAPSJob","region":"cn-hangzhou","sent":` + fmt.Sprint(n+n/9) + `,"throttled":` + fmt.Sprint(n/9) + `}]}`
	if err := ledger.FinishRun(d.Context(), run.ID, store.RunEnd{
		FinishedAt: begun.Add(90 * time.Minute), ExitCode: 4, Counts: string(counts), Detail: detail,
	}); err != nil {
		d.Fatal(err)
	}
	if err := ledger.Close(); err != nil {
		d.Fatal(err)
	}
}

// seedJob records the i-th job of n, and what became of it.
func seedJob(ctx context.Context, ledger *store.Ledger, runID string, i, n int) error {
	name := fmt.Sprintf("orders-%05d", i)
	if i < len(hostile) {
		name = hostile[i]
	}
	at := begun.Add(time.Duration(i) * 90 * time.Minute / time.Duration(n))
	spec := plan.Spec{
		Name: name, Region: "cn-hangzhou", DBList: `{"EntireInstance":true}`,
		Source:      plan.SourceEndpoint{Instance: fmt.Sprintf("pc-bp1orders%04d", i/3)},
		Destination: plan.DestinationEndpoint{Instance: fmt.Sprintf("amv-bp1warehouse%d", i%4)},
	}
	intent := plan.Intent{Plan: "orders-migration", Name: name, Attempt: 1, Spec: spec, Digest: plan.HashSpec(spec),
		Nonce: fmt.Sprint(i, "-1"), SignedAt: at, RunID: runID, At: at}
	step := plan.Transition{Plan: intent.Plan, Name: name, From: plan.StateIntent, Attempt: 1, RunID: runID, At: at, RequestID: "req"}
	settle := func(to plan.State, code, reason string) error {
		step.To, step.Code, step.Reason = to, code, reason
		switch to {
		case plan.StateCreated:
			step.JobID = fmt.Sprintf("aps-%020d", i)
		case plan.StateConflict, plan.StateDuplicate:
			step.Candidates = []string{"aps-other"}
		case plan.StateAbsent:
			step.Evidence = "{}"
		}
		return ledger.Settle(ctx, step)
	}
	if err := ledger.Intend(ctx, intent); err != nil {
		return err
	}
	switch {
	case i < len(hostile):
		return settle(plan.StateRejected, "InvalidParameter.Hostile", hostile[i])
	case i%400 == 11:
		return settle(plan.StateRejected, "InvalidDBClusterId.NotFound", fmt.Sprintf("the service refused the request: The DBCluster pc-bp1orders%04d does not exist.", i/3))
	case i%900 == 14:
		return settle(plan.StateRejected, "Forbidden.NoPermission", "the access key is not permitted to do this: You are not authorized to perform this operation.")
	case i%700 == 17:
		return settle(plan.StateUnknown, "", "no answer came within 90s")
	case i%2000 == 23:
		return settle(plan.StateConflict, "", "a job of that name exists and has another source")
	case i%9 == 4:
		if err := settle(plan.StateRejected, "Throttling.User", "too many calls, the service asks to slow down"); err != nil {
			return err
		}
		again := at.Add(20 * time.Second)
		intent.From, intent.Attempt, intent.Nonce, intent.SignedAt, intent.At = plan.StateRejected, 2, fmt.Sprint(i, "-2"), again, again
		step.Attempt, step.At = 2, again
		if err := ledger.Intend(ctx, intent); err != nil {
			return err
		}
	}
	return settle(plan.StateCreated, "", "acknowledged")
}

// TestTenThousandJobs: the page of a migration of 10,000 jobs is there in under 2
// seconds, and its filter and its sorting work, by keyboard too.
func TestTenThousandJobs(t *testing.T) {
	d := newDesk(t)
	d.seed(10_000)
	b := open(t, d.page())
	b.await("document.querySelectorAll('#list tbody tr').length === 10000 && !document.querySelector('.tools').hidden")
	loaded := eval[float64](b, "performance.getEntriesByType('navigation')[0].loadEventEnd")
	work := b.work()
	t.Logf("10,000 jobs: loaded after %.0f ms, of which the page's own work %.0f ms", loaded, work)
	if work <= 0 || work > 2000 { // of the processor, so that a busy machine does not fail it
		t.Errorf("the page works for %.0f ms until it is loaded", work)
	}
	visible, cut := "document.querySelectorAll('#list tbody tr:not([hidden])').length", "document.querySelectorAll('#list .cut').length"
	if got := eval[string](b, "document.querySelector('#shown').textContent"); got != "10,000 jobs, the first 500 shown" {
		t.Errorf("it says %q", got)
	}
	b.focus("#find")
	b.do(chromedp.KeyEvent("ORDERS-00042"))
	b.await(visible + " === 1")
	if got := eval[string](b, "document.querySelector('#shown').textContent"); got != "1 of 10,000 jobs" {
		t.Errorf("filtered, it says %q", got)
	}
	eval[any](b, "document.querySelector('#find').value = 'nobody'; document.querySelector('#find').dispatchEvent(new Event('input')), 0")
	b.await(visible + " === 0 && !document.querySelector('#none').hidden")
	eval[any](b, "document.querySelector('#find').value = ''; document.querySelector('#find').dispatchEvent(new Event('input')); document.querySelector('#only').value = 'unknown'; document.querySelector('#only').dispatchEvent(new Event('change')), 0")
	b.await(visible + " === 15")
	eval[any](b, "document.querySelector('#only').value = ''; document.querySelector('#only').dispatchEvent(new Event('change')), 0")
	b.await(visible + " === 10000 && " + cut + " === 9500")
	// Twice by keyboard: up, then down.
	b.focus("#list th button")
	b.do(chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Enter))
	b.await("document.querySelector('#list th[aria-sort=descending]') !== null")
	if got := eval[string](b, "document.querySelector('#list tbody th').textContent"); !strings.HasPrefix(got, "orders-09999") {
		t.Errorf("sorted down, the first is %q", got)
	}
	eval[any](b, "document.querySelector('#more button').click(), 0")
	b.await(cut + " === 0 && document.querySelector('#more').hidden")
}

// TestPictures keeps pictures of a migration that is worth looking at.
func TestPictures(t *testing.T) {
	if *keep == "" {
		t.Skip("no folder for them: -page.keep")
	}
	d := newDesk(t)
	d.seed(2500)
	open(t, d.page()).shots("report")
}

// shots keeps pictures in light and dark, on paper and on a phone.
func (b *tab) shots(name string) {
	b.Helper()
	for _, m := range []struct {
		medium, scheme string
		width          int64
	}{{"screen", "light", 1280}, {"screen", "dark", 1280}, {"print", "light", 800}, {"screen", "light", 390}} {
		b.media(m.medium, m.scheme, m.width)
		b.shoot(fmt.Sprintf("%s-%s-%s-%d", name, m.medium, m.scheme, m.width), m.width)
	}
	b.media("", "light", 1280)
	b.paper(name)
}

// TestHostileTextIsText: nothing that a name or a message says is carried out, and
// all of it can be read.
func TestHostileTextIsText(t *testing.T) {
	d := newDesk(t)
	d.seed(len(hostile) + 5)
	b := open(t, d.page())
	b.await("!document.querySelector('.tools').hidden")
	if title := eval[string](b, "document.title"); !strings.HasPrefix(title, "orders-migration") {
		t.Errorf("the title is %q", title)
	}
	if n := eval[int](b, "document.querySelectorAll('script, img, iframe, link, object').length"); n != 1 {
		t.Errorf("%d elements that load or run, want the page's own script", n)
	}
	text := eval[string](b, "document.querySelector('#list').textContent")
	for _, want := range []string{
		`<script>document.title="owned"</script>`, `"><img src=x onerror=`, `\x1b[31mred\x1b[0m`, `abc\u202edcba`, "=cmd|' /C calc'!A0",
		"</style><script>", "javascript:document", "{{.Ledger}}", `line\nbreak`, `\xff\xfe`, "&lt;b&gt;",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q cannot be read", want)
		}
	}
}

// TestPageWithoutItsScript: everything can be read, and nothing is offered that
// does not work.
func TestPageWithoutItsScript(t *testing.T) {
	d := newDesk(t)
	d.seed(40)
	file := d.page()
	b := blank(t)
	b.withoutScript(file)
	rows := eval[int](b, "document.querySelectorAll('#list tbody tr').length")
	if tools := eval[bool](b, "document.querySelector('.tools').hidden"); rows != 40 || !tools {
		t.Errorf("%d rows, tools hidden: %v", rows, tools)
	}
	b.media("print", "light", 800)
	if got := eval[string](b, "getComputedStyle(document.querySelector('.tools')).display + getComputedStyle(document.body).backgroundColor"); got != "nonergb(255, 255, 255)" {
		t.Errorf("on paper: %s", got)
	}
	b.media("screen", "dark", 1280)
	if light := eval[string](b, "getComputedStyle(document.body).backgroundColor"); light == "rgb(252, 252, 251)" {
		t.Errorf("in the dark the paper is %s", light)
	}
	b.media("screen", "light", 390)
	if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > 390 {
		t.Errorf("on a phone it is %d wide", wide)
	}
}
