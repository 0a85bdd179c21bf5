package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/store"
)

// runsShown is the number of runs listed unless --limit says otherwise.
const runsShown = 20

type runsCommand struct {
	app    *app
	target target
	output outputFormat
	plan   string
	diff   string
	limit  int
}

func newRunsCommand(a *app) *cobra.Command {
	c := &runsCommand{app: a}
	cmd := &cobra.Command{
		Use:   "runs [RUN]",
		Short: "List the runs so far, show one, or compare two",
		Long: `runs lists the runs that the ledger has on record, newest first: who ran what,
when, for how long, and how it ended. RUN shows one with its calls to the service,
what was throttled, and its errors by cause; with --diff it is compared with
another.

RUN is the id of a run or the beginning of one, "last" for the newest, "last~1" for
the one before it, and so on; with --plan they are counted among that plan's runs.
It changes nothing and can run beside an apply.`,
		Example:           "  apsctl runs --plan orders-migration\n  apsctl runs last\n  apsctl runs last~1 --diff last",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd, strings.Join(args, "")) },
	}
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.plan, "plan", "", "only runs of the plan of this `name`")
	flags.StringVar(&c.diff, "diff", "", "compare RUN (the newest where none is given) with this `run`")
	flags.IntVar(&c.limit, "limit", runsShown, "list at most `N` runs; 0 lists all")
	return cmd
}

func (c *runsCommand) run(cmd *cobra.Command, name string) error {
	if c.limit < 0 {
		return usagef(cmd, "--limit %d: want 0 or more", c.limit)
	}
	ledger, err := store.OpenReadOnly(cmd.Context(), c.target.ledgerPath())
	if err != nil {
		return err
	}
	defer ledger.Close()
	if c.plan != "" {
		if err := checkPlan(cmd.Context(), ledger, c.plan); err != nil {
			return err
		}
	}
	runs, err := readRuns(cmd.Context(), ledger, c.target.ledgerPath(), c.plan)
	if err != nil {
		return err
	}
	switch {
	case c.diff != "":
		return c.compare(cmd, ledger, runs, cmp.Or(name, "last"))
	case name == "":
		return c.list(runs)
	}
	r, err := findRun(cmd, runs, name)
	if err != nil {
		return err
	}
	return c.show(cmd.Context(), ledger, r)
}

// pastRun is one run as the ledger has it.
type pastRun struct {
	store.Run
	detail runDetail
	counts []countOf // those that are not 0, in the order of the record
	state  jsonform.RunState
}

// countOf is one of the counts that a run ended with.
type countOf struct {
	Name  string
	Count int
}

// readRuns returns the runs of one plan, or for "" all, newest first. Whoever
// is at work is the newest run without an end or none on record: every other one
// without an end has died.
func readRuns(ctx context.Context, ledger *store.Ledger, path, planName string) ([]pastRun, error) {
	all, err := ledger.Runs(ctx, 0)
	if err != nil {
		return nil, err
	}
	var runs []pastRun
	newest := true // of those without an end; one that was turned away may be newer
	for _, r := range all {
		open := r.FinishedAt.IsZero()
		mayBeAtWork := open && newest
		newest = newest && !open
		if planName != "" && r.Plan != planName {
			continue
		}
		past := pastRun{Run: r, state: jsonform.RunEnded, counts: countsOf(r.Counts)}
		if r.Detail != "" && json.Unmarshal([]byte(r.Detail), &past.detail) != nil {
			past.detail = runDetail{} // of another shape
		}
		if open {
			past.state = jsonform.RunDied
			if mayBeAtWork && atWork(path, r) {
				past.state = jsonform.RunActive
			}
		}
		runs = append(runs, past)
	}
	return runs, nil
}

// atWork reports whether the process that took the lock last is that of r and
// still there. It does not try the lock: a run that starts at this moment would be
// turned away.
func atWork(path string, r store.Run) bool {
	holder := store.LockHolder(path)
	return holder.PID == r.PID && holder.Host == r.Host && alive(r.PID)
}

func alive(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = process.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}

// countsOf reads the counts of any kind of run, in their own order.
func countsOf(text string) []countOf {
	decoder := json.NewDecoder(strings.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil
	}
	var counts []countOf
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return counts
		}
		var value any
		if decoder.Decode(&value) != nil {
			return counts
		}
		if n, ok := value.(float64); ok && n != 0 {
			counts = append(counts, countOf{strings.ReplaceAll(fmt.Sprint(name), "_", " "), int(n)})
		}
	}
	return counts
}

// took is how long the run worked; for one that has not ended it is not known.
func (r pastRun) took() (d time.Duration, known bool) {
	return r.FinishedAt.Sub(r.StartedAt), !r.FinishedAt.IsZero()
}

func (r pastRun) who() string {
	if r.Host == "" {
		return r.User
	}
	return r.User + "@" + r.Host
}

var lastPattern = regexp.MustCompile(`^last(~(\d{1,9}))?$`)

// findRun finds the one run that name means among runs, newest first.
func findRun(cmd *cobra.Command, runs []pastRun, name string) (pastRun, error) {
	if len(runs) == 0 {
		return pastRun{}, usagef(cmd, "the ledger has no run on record yet")
	}
	if m := lastPattern.FindStringSubmatch(name); m != nil {
		back, _ := strconv.Atoi(cmp.Or(m[2], "0"))
		if back >= len(runs) {
			return pastRun{}, usagef(cmd, "%s: there are only %d runs; the oldest is last~%d", name, len(runs), len(runs)-1)
		}
		return runs[back], nil
	}
	var ids []string
	var found pastRun
	for _, r := range runs {
		if r.ID == name {
			return r, nil
		}
		if strings.HasPrefix(r.ID, name) {
			found, ids = r, append(ids, r.ID)
		}
	}
	switch len(ids) {
	case 0:
		return pastRun{}, usagef(cmd, "there is no run %q; runs lists them, last is the newest", name)
	case 1:
		return found, nil
	}
	return pastRun{}, usagef(cmd, "%q begins the names of %d runs (%s): give more of it", name, len(ids),
		strings.Join(ids[:min(len(ids), namesShown)], ", "))
}

// newer reports whether a is newer than b; both are of runs.
func newer(runs []pastRun, a, b pastRun) bool {
	at := func(r pastRun) int { return slices.IndexFunc(runs, func(o pastRun) bool { return o.ID == r.ID }) }
	return at(a) < at(b)
}
