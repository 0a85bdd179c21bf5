package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/notice"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// TestWrite has no ledger: cmd/apsctl has the tests of what is read from one, with
// Prometheus's own parser.
func TestWrite(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "apsctl.prom")
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	run := &notice.Run{
		Record: plan.RunRecord{Plan: "bulk", Command: "apply x.yaml", StartedAt: began}, Ledger: filepath.Join(folder, "none.db"),
		Finished: began.Add(1500 * time.Millisecond), ExitCode: 12, Outcome: notice.OutcomeDenied,
	}
	seen := Seen{Calls: []aps.CallCount{{Operation: "B", Region: "r", Sent: 1}, {Operation: "A", Region: "r", Sent: 2, Throttled: 1}, {Operation: "A", Region: "s", Sent: 3}}}
	write := func() string {
		t.Helper()
		if err := Write(t.Context(), path, run, seen); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	early := write()
	for _, want := range []string{
		`apsctl_last_run_duration_seconds{plan="bulk"} 1.5`, `apsctl_last_run_exit_code{plan="bulk"} 12`,
		`apsctl_last_run_outcome{plan="bulk",outcome="denied"} 1`, `apsctl_last_run_outcome{plan="bulk",outcome="refused"} 0`,
	} {
		if !strings.Contains(early, want+"\n") {
			t.Errorf("there is no %s in %s", want, early)
		}
	}
	if strings.Contains(early, "apsctl_last_run_calls") || strings.Contains(early, "apsctl_jobs") || !strings.HasPrefix(early, Beginning) {
		t.Errorf("got %s", early)
	}
	run.Report = &runner.Report{Requests: 4}
	if late := write(); !strings.Contains(late, `apsctl_last_run_calls{plan="bulk",operation="A"} 5`+"\n"+`apsctl_last_run_calls{plan="bulk",operation="B"} 1`+"\n") {
		t.Errorf("got %s", late)
	}
	run.Record.Plan = ""
	if err := Write(t.Context(), path, run, seen); err == nil {
		t.Error("a plan without a name has metrics")
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
}
