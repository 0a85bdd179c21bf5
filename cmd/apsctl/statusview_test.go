package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

func statuses(n int) []jobStatus {
	var jobs []jobStatus
	for i := range n {
		jobs = append(jobs, jobStatus{
			Entry:  plan.Entry{Plan: "orders", Name: fmt.Sprintf("orders-%02d", i), State: plan.StateCreated, JobID: fmt.Sprintf("aps-%02d", i)},
			asked:  true,
			remote: &plan.RemoteJob{Status: "Running", Progress: "100", Delay: int64(i)},
		})
	}
	jobs[n-1].remote.Status, jobs[n-1].Name = "InitializeFailed", "订单库-归档-同步任务-华东-一号"
	jobs[n-2].remote = nil
	jobs[n-3].JobID, jobs[n-3].remote, jobs[n-3].State = "", nil, plan.StateUnknown
	jobs[n-4].remote.Status, jobs[n-4].remote.Progress = "Initializing\x1b[2J", "42"
	return jobs
}

// laidOut checks a view at each size and compares it with a file of testdata.
func laidOut(t *testing.T, name string, lines layout) {
	t.Helper()
	var got bytes.Buffer
	for _, size := range viewSizes {
		width, height := size[0], size[1]
		fmt.Fprintf(&got, "--- %dx%d\n", width, height)
		for _, line := range lines(width-1, height-1) {
			fmt.Fprintln(&got, line.render(width-1, false))
		}
	}
	for width := range 130 {
		for height := range 45 {
			all := lines(width, height)
			if len(all) > height {
				t.Fatalf("%s at %dx%d takes %d lines", name, width, height, len(all))
			}
			for _, line := range all {
				if shown := line.render(width, false); printable.Width(shown) > width || strings.ContainsAny(shown, "\x1b\n") {
					t.Fatalf("%s at %dx%d has the line %q", name, width, height, shown)
				}
			}
		}
	}
	golden(t, "view/"+name+".txt", got.String())
}

func TestStatusViewFitsEverySize(t *testing.T) {
	v := statusView{jobs: statuses(40), asked: noon, now: in(3 * time.Second), again: in(10 * time.Second)}
	laidOut(t, "status", v.lines)
	v.jobs, v.trouble = statuses(6), "DescribeApsJobs in cn-hangzhou: too many calls"
	laidOut(t, "status-trouble", v.lines)
	laidOut(t, "status-none", statusView{asked: noon, now: noon, again: in(10 * time.Second)}.lines)
	laidOut(t, "status-first", statusView{now: noon}.lines)
}

func TestWaitViewFitsEverySize(t *testing.T) {
	running, err := plan.ParseCondition("running")
	if err != nil {
		t.Fatal(err)
	}
	v := waitView{condition: running, now: noon, began: in(-5 * time.Minute), until: in(55 * time.Minute), looked: in(-12 * time.Second)}
	for _, j := range statuses(40) {
		v.jobs = append(v.jobs, runner.Awaited{Entry: j.Entry, Job: j.remote, Met: j.remote != nil && j.remote.Status == "Running"})
	}
	laidOut(t, "wait", v.lines)
}

func TestStatusWatchElsewhereThanOnATerminalIsALineEachTime(t *testing.T) {
	b := newBench(t)
	b.emulator("--initializing", "1ms")
	b.want(0, "apply", "--yes", b.sessionPlan(2, ""))
	out, err := os.Create(filepath.Join(b.dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := b.startInto(out, "status", "--watch", "--interval", "1s")
	text := ""
	for deadline := time.Now().Add(time.Minute); strings.Count(text, "\n") < 2 && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
		read, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		text = string(read)
	}
	_ = p.Process.Signal(os.Interrupt)
	r := p.result()
	if line, _, _ := strings.Cut(text, "\n"); r.code != exitDone || !strings.HasSuffix(line, "Z  2 jobs: 2 created; on the service: 2 Running") || r.stderr != "" {
		t.Errorf("watched %s and %s", text, r)
	}
	wantIn(t, b.want(exitInvalid, "status", "--watch", "-o", "json").stderr, "run status -o json as often")
	wantIn(t, b.want(exitInvalid, "status", "--watch", "--full").stderr, "leave --full out")
	wantIn(t, b.want(exitInvalid, "status", "--interval", "5s").stderr, "goes with --watch")
	wantIn(t, b.want(exitInvalid, "status", "--watch", "--interval", "10ms").stderr, "at least 1s")
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong")
	b.want(exitDenied, "status", "--watch") // no later look would succeed
}
