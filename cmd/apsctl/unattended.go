package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/logfile"
	"github.com/apsctl/apsctl/internal/metrics"
	"github.com/apsctl/apsctl/internal/notice"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// unattended are the flags of a run that nobody watches, as cron and CI start it.
type unattended struct {
	maxRuntime time.Duration // 0 means no end
	quiet      bool
	heartbeat  string // address, or ""
	notify     string // address, or ""
	form       string // of messages; "" goes by the host
	metrics    string // file, or ""
	events     string // file, or ""
	progress   progressForm

	started  time.Time
	used     inUse
	skipped  bool // the ledger was left to another run
	news     notice.Run
	seen     metrics.Seen
	beat     *notice.Heartbeat // nil for none
	notifier *notice.Notifier  // nil for none
	stream   *eventStream      // nil for none
	log      *os.File          // of --events, or nil
}

// The environment gives what shows in the list of processes as a flag.
const (
	heartbeatVariable = "APSCTL_HEARTBEAT"
	notifyVariable    = "APSCTL_NOTIFY"
)

func (u *unattended) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.DurationVar(&u.maxRuntime, "max-runtime", 0, "take up nothing more after this time, waiting for a lock included; what is on the wire is awaited, and what is left is for the next run (default no end)")
	flags.BoolVarP(&u.quiet, "quiet", "q", false, "print only what changed and what is wrong: nothing at all when there is nothing to do")
	flags.StringVar(&u.heartbeat, "heartbeat", "", "tell a monitor in the manner of healthchecks.io: `URL`/start, then URL or URL/EXITCODE (default $"+heartbeatVariable+")")
	flags.StringVar(&u.notify, "notify", "", "send a message to this `URL` when the outcome of the run differs from the last one that a message told of the plan (default $"+notifyVariable+")")
	flags.StringVar(&u.form, "notify-form", "", "`form` of that message: "+strings.Join(notice.Forms, ", ")+" (default by the host of the URL, else json)")
	flags.StringVar(&u.metrics, "metrics", "", "write metrics of the run and the plan's jobs to this `file`, for node_exporter's textfile collector")
	flags.StringVar(&u.events, "events", "", "append what happens to this `file`, one JSON object a line (docs/events.md)")
	u.progress.addFlag(cmd)
	_ = cmd.RegisterFlagCompletionFunc("notify-form", cobra.FixedCompletions(notice.Forms, cobra.ShellCompDirectiveNoFileComp))
}

// begin checks the flags and starts the clock.
func (u *unattended) begin(cmd *cobra.Command, a *app, used inUse) error {
	u.started, u.used = time.Now(), used
	u.news = notice.Run{Ledger: used.ledger, Record: newRunRecord(&plan.Plan{}), Redactor: a.redactor}
	u.news.Record.ID = ""
	if err := u.hooks(cmd, a); err != nil {
		return err
	}
	u.openEvents(a)
	if u.maxRuntime < 0 || u.maxRuntime == 0 && cmd.Flags().Changed("max-runtime") {
		return usagef(cmd, "--max-runtime is more than nothing, not %s", u.maxRuntime)
	}
	return nil
}

// hooks reads the addresses.
func (u *unattended) hooks(cmd *cobra.Command, a *app) error {
	if address := cmp.Or(u.heartbeat, os.Getenv(heartbeatVariable)); address != "" {
		h, err := notice.ParseHook(address, "apsctl/"+version(), a.redactor)
		if err != nil {
			return usagef(cmd, "--heartbeat or $%s: %w", heartbeatVariable, err)
		}
		u.beat = &notice.Heartbeat{Hook: h, Warn: a.warn}
	}
	if u.form != "" && !slices.Contains(notice.Forms, u.form) {
		return usagef(cmd, "--notify-form is one of %s, not %q", strings.Join(notice.Forms, ", "), u.form)
	}
	if address := cmp.Or(u.notify, os.Getenv(notifyVariable)); address != "" {
		h, err := notice.ParseHook(address, "apsctl/"+version(), a.redactor)
		if err != nil {
			return usagef(cmd, "--notify or $%s: %w", notifyVariable, err)
		}
		u.notifier = &notice.Notifier{Hook: h, Form: cmp.Or(notice.Form(u.form), notice.FormOf(h)), Warn: a.warn, OutcomeOf: outcomeOf}
	}
	return nil
}

// loaded takes in which plan it is, also one that could not be read.
func (u *unattended) loaded(wanted *plan.Plan, args []string) {
	if wanted == nil {
		u.news.Record.Plan = planNameIn(args)
		return
	}
	u.news.Record.Plan, u.news.Record.PlanDigest = wanted.Name, wanted.Digest
}

// atWork takes in that the run has the lock.
func (u *unattended) atWork(ctx context.Context) {
	u.news.Locked = true
	u.beat.Start(context.WithoutCancel(ctx)) // it may take longer than the run
}

// openEvents opens the stream of events, if somebody wants it. A file that cannot
// be opened is a warning.
func (u *unattended) openEvents(a *app) {
	s := &eventStream{clean: a.redactor.Clean, warn: a.warn, record: u.news.Record}
	if u.progress == progressJSON {
		s.live = a.stderr
		s.warn = s.warning
	}
	if u.events != "" {
		file, err := u.openEventFile()
		if err != nil {
			s.warn("nothing is written to the file of --events: " + err.Error())
		} else {
			u.log, s.file = file, file
		}
	}
	if s.live != nil || s.file != nil {
		u.stream = s
	}
}

func (u *unattended) openEventFile() (*os.File, error) {
	if err := u.used.refuseBut(u.events, "{"); err != nil {
		return nil, fmt.Errorf("%s: %w", u.events, err)
	}
	return logfile.Open(u.events)
}

// listen has the stream told of what happens in a run.
func (u *unattended) listen(o *runner.Options, g *runner.Governor, d *display) {
	d.quiet = u.quiet || u.progress == progressNone
	d.plain = u.progress == progressPlain
	if u.stream == nil {
		return
	}
	o.Tell, g.Slowed = u.stream.tell, u.stream.slowed
	if u.stream.live != nil {
		d.stream = u.stream
		o.Warn = u.stream.warning
	}
}

// until is when the run takes up nothing more; zero for no end.
func (u *unattended) until() time.Time {
	if u.maxRuntime == 0 {
		return time.Time{}
	}
	return u.started.Add(u.maxRuntime)
}

// errTimeOver is the cause of a context that --max-runtime ended.
var errTimeOver = errors.New("the time for this run is over")

// reading returns a context that ends with --max-runtime, for work that changes
// nothing and can be dropped at any time.
func (u *unattended) reading(ctx context.Context) (context.Context, context.CancelFunc) {
	if u.maxRuntime == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, u.until(), errTimeOver)
}

// late turns what a context of reading ended into what a person needs to know.
func (u *unattended) late(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) == errTimeOver {
		return coded(codeStopTime, fmt.Errorf("%w, before it was known what is to be done: nothing was created; the next run starts anew, or give it more than --max-runtime %s", errTimeOver, u.maxRuntime))
	}
	return err
}

// silent reports whether there is nothing to print of a run.
func (u *unattended) silent(report runner.Report, code int) bool {
	return u.quiet && code == exitDone && nothingToDo(report.Counts(), report)
}

// silentPlan does the same before the run, for what it is about to do.
func (u *unattended) silentPlan(summary plan.Summary) bool {
	return u.quiet && summary.Changes() == 0
}
