package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
)

var cronRuns = flag.Int("cron.runs", 48, "runs in TestDayOfCron; a day of one each minute has 1440")

const (
	cronSeed  = 1
	cronJobs  = 20 // in the plan of the morning
	cronKills = 8  // one run in so many is killed
)

// cronDay is a day of cron on one plan, with the time between the runs left out.
// What can happen to a run happens: the plan grows, calls are throttled and
// answers are lost, new jobs are listed late, runs are killed, and for a part of
// the day the credentials are refused.
type cronDay struct {
	*bench
	cloud   *cloud
	people  *mailbox
	monitor *mailbox
	dice    *rand.Rand
	runs    []cronRun
}

// cronRun is one process.
type cronRun struct {
	result
	killed    bool
	jobs      int
	peakBytes int64 // 0 if it was killed, and elsewhere than on Linux
}

func TestDayOfCron(t *testing.T) {
	b := newBench(t)
	d := &cronDay{bench: b, people: newMailbox(t), monitor: newMailbox(t), dice: rand.New(rand.NewPCG(cronSeed, cronSeed))}
	d.cloud = b.emulator("--list-lag", "100ms", "--latency", "2ms", "--initializing", "1ms")
	b.setenv(notifyVariable, d.people.address())
	b.setenv(heartbeatVariable, d.monitor.address())
	faults := `[{operation: CreateAPSJob, kind: throttle, share: 0.15}, {operation: "Describe*", kind: throttle, share: 0.1},
		{operation: CreateAPSJob, kind: drop, when: after, share: 0.15}, {operation: CreateAPSJob, kind: drop, share: 0.1}]`
	d.cloud.setFaults(faults)
	evening := *cronRuns * 5 / 6 // from then on nothing happens
	growth := 4 + *cronRuns/40
	for i := range *cronRuns {
		d.outage(i > evening/2 && i < evening/2+3+*cronRuns/40)
		if i == evening {
			d.cloud.setFaults("")
		}
		d.run(cronJobs+min(i, evening)*growth/evening, i < evening && d.dice.IntN(cronKills) == 0)
	}
	d.checkJobs()
	d.checkMessages()
	d.checkHeartbeats()
	d.checkMemory()
}

func (d *cronDay) outage(on bool) {
	key := "emulator"
	if on {
		key = "revoked"
	}
	d.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", key)
}

// run is one run as cron starts it, with few descriptors to open.
func (d *cronDay) run(jobs int, kill bool) {
	d.Helper()
	d.write("plan.yaml", planOf(jobs))
	exe, err := os.Executable()
	if err != nil {
		d.Fatal(err)
	}
	p := &process{Cmd: exec.Command("sh", "-c", `ulimit -n 32; exec "$0" "$@"`, exe,
		"apply", "--yes", "--quiet", "--settle", "2s", "--max-runtime", "4s", "--metrics", "apsctl.prom", "plan.yaml")}
	peak := filepath.Join(d.dir, "peak")
	_ = os.Remove(peak) // of the run before
	p.Dir, p.Env, p.Stdout, p.Stderr = d.dir, append(slices.Clone(d.env), testPeak+"="+peak), &p.out, &p.err
	if err := p.Start(); err != nil {
		d.Fatal(err)
	}
	if kill {
		time.Sleep(time.Duration(d.dice.IntN(60)) * time.Millisecond)
		_ = p.Process.Kill()
	}
	r := cronRun{result: p.result(), jobs: jobs}
	r.killed = r.code < 0
	if text, err := os.ReadFile(peak); err == nil {
		r.peakBytes, _ = strconv.ParseInt(string(text), 10, 64)
	}
	switch r.code {
	case -1, exitDone, exitFailed, exitUnknown, exitDenied, exitLeft:
	default:
		d.Fatalf("run %d: %s", len(d.runs), r.result)
	}
	if strings.Contains(r.stderr, "not taken") || strings.Contains(r.stderr, "not written") {
		d.Errorf("run %d: %s", len(d.runs), r.result)
	}
	d.runs = append(d.runs, r)
}

// checkJobs: at the end of the day every job exists once, and the ledger is sound.
func (d *cronDay) checkJobs() {
	d.Helper()
	last := d.runs[len(d.runs)-1]
	if last.code != exitDone || last.stdout+last.stderr != "" {
		d.Errorf("the last run is not one without news: %s", last.result)
	}
	if s := d.cloud.stats(); s.Jobs != last.jobs || s.Duplicates != 0 {
		d.Errorf("%d jobs exist for %d, %d duplicates", s.Jobs, last.jobs, s.Duplicates)
	}
	d.want(exitDone, "ledger", "verify")
	if _, v := d.readMetrics("apsctl.prom"); v["apsctl_jobs state=created"] != float64(last.jobs) || v["apsctl_last_run_outcome outcome=done"] != 1 {
		d.Errorf("the metrics say %v", v)
	}
}

// checkMessages holds the messages against the runs on record: one for each run
// that ended otherwise than the one before, and no other. A run that was killed
// right after its end was recorded may have had no time for its message.
func (d *cronDay) checkMessages() {
	d.Helper()
	var on struct {
		Runs []jsonform.Run `json:"runs"`
	}
	if err := json.Unmarshal([]byte(d.want(exitDone, "runs", "--limit", "0", "-o", "json").stdout), &on); err != nil {
		d.Fatal(err)
	}
	slices.Reverse(on.Runs)
	codes := map[int]int{} // how many processes ended with each code
	for _, r := range d.runs {
		if !r.killed {
			codes[r.code]++
		}
	}
	var want, may []string
	before := exitDone // as if
	beforeDied := false
	died := 0
	for _, r := range on.Runs {
		if r.ExitCode == nil {
			beforeDied = true
			died++
			continue
		}
		codes[*r.ExitCode]--
		if *r.ExitCode != before || beforeDied {
			want = append(want, r.ID)
		}
		before, beforeDied = *r.ExitCode, false
	}
	surplus := 0
	for code, n := range codes {
		if n > 0 {
			d.Errorf("%d runs ended with %d and are not on record", n, code)
		}
		surplus -= n
	}
	_, bodies := d.people.take()
	var got []string
	for _, body := range bodies {
		var m messageJSON
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			d.Fatal(err)
		}
		got = append(got, m.Run)
		if !slices.Contains(want, m.Run) {
			d.Errorf("a message about no change: %s", m.Text)
		}
	}
	for _, run := range want {
		if !slices.Contains(got, run) {
			may = append(may, run)
		}
	}
	if len(may) > surplus {
		d.Errorf("no message about %q; %d runs were killed after their end was recorded", may, surplus)
	}
	if twice := len(got) - len(slices.Compact(slices.Sorted(slices.Values(got)))); twice > 0 {
		d.Errorf("%d messages came twice", twice)
	}
	kills := 0
	for _, r := range d.runs {
		if r.killed {
			kills++
		}
	}
	d.Logf("%d runs, %d killed (%d left without an end), %d changes of outcome, %d messages", len(d.runs), kills, died, len(want), len(got))
	if kills == 0 || len(want) < 2 {
		d.Errorf("too little happened for a day")
	}
}

// checkHeartbeats: each run that was not killed told how it ended, once.
func (d *cronDay) checkHeartbeats() {
	d.Helper()
	ends, kills := map[string]int{}, 0
	paths, _ := d.monitor.take()
	for _, path := range paths {
		if path != "POST /start" {
			ends[path]++
		}
	}
	for _, r := range d.runs {
		switch {
		case r.killed:
			kills++
		case r.code == exitDone:
			ends["POST "]--
		default:
			ends[fmt.Sprintf("POST /%d", r.code)]--
		}
	}
	for path, n := range ends {
		if n < 0 || n > kills {
			d.Errorf("%q: %d more heartbeats than runs", path, n)
		}
	}
}

// checkMemory: runs without news take no more at the end of the day than in the
// morning.
func (d *cronDay) checkMemory() {
	d.Helper()
	var all []int64
	for _, r := range d.runs {
		if r.code == exitDone && r.stdout == "" {
			all = append(all, r.peakBytes)
		}
	}
	if len(all) < 10 {
		d.Errorf("only %d runs were without news", len(all))
		return
	}
	part := len(all) / 4
	morning, evening := slices.Clone(all[:part]), slices.Clone(all[len(all)-part:])
	slices.Sort(morning)
	slices.Sort(evening)
	first, last := morning[part/2], evening[part/2]
	d.Logf("memory of a run without news: %d KiB in the morning, %d KiB in the evening; the most of any run: %d KiB",
		first>>10, last>>10, slices.MaxFunc(d.runs, func(a, b cronRun) int { return int(a.peakBytes - b.peakBytes) }).peakBytes>>10)
	if !raceEnabled && runtime.GOOS == "linux" && (first == 0 || last > first*5/4) {
		d.Errorf("a run without news took %d KiB in the morning and %d KiB in the evening", first>>10, last>>10)
	}
	info, err := os.Stat(filepath.Join(d.dir, ledgerDefault))
	if err != nil || info.Size() > 1<<10*int64(len(d.runs))+1<<20 {
		d.Errorf("the ledger has %d bytes after %d runs, %v", info.Size(), len(d.runs), err)
	}
}
