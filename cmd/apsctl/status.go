package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// statusShown is the number of rows printed unless everything is asked for.
const statusShown = 100

type statusCommand struct {
	app     *app
	chosen  jobChoice
	target  target
	output  outputFormat
	refresh bool
	full    bool
	rate    float64

	watch    bool
	interval time.Duration
}

func newStatusCommand(a *app) *cobra.Command {
	c := &statusCommand{app: a}
	cmd := &cobra.Command{
		Use:   "status [SELECTOR...]",
		Short: "List the jobs that the ledger knows",
		Long: `status lists the jobs in the ledger: all, those of one plan with --plan, or those
that a selector fits. With --refresh, or a selector that asks for what only the
service knows, it takes one complete listing per region and adds status, progress
and delay as the service tells them, and the last logs of the first few jobs that
failed. It changes nothing and can run beside an apply. Where there is no ledger
yet it says so and exits 0, but for one that --ledger names: then it exits 13.

With --watch it asks again and again until Ctrl-C, which is how it ends: exit code
0. On a terminal a table is painted over, and jobs that need a look come first where
not all have room; elsewhere it prints one line each time. A listing that fails is
told, and tried again the next time, unless no other will succeed.

` + selectorUsage,
		Example:           "  apsctl status --plan orders --refresh\n  apsctl status state=failed\n  apsctl status 'orders-*' team=a -o json",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              c.run,
	}
	c.chosen.addFlags(cmd)
	c.target.addLedgerFlags(cmd)
	c.target.addServiceFlags(cmd)
	c.output.addFlag(cmd)
	cmd.Flags().BoolVar(&c.refresh, "refresh", false, "ask the service for status, progress and delay")
	cmd.Flags().BoolVar(&c.full, "full", false, "list every job, however many")
	cmd.Flags().Float64Var(&c.rate, "rate", runner.RateDefault, "most calls per second, for each operation and region; 0 means no ceiling")
	cmd.Flags().BoolVarP(&c.watch, "watch", "w", false, "ask the service again and again, until Ctrl-C")
	cmd.Flags().DurationVar(&c.interval, "interval", watchDefault, "time from one look of --watch to the next, at least 1s")
	return cmd
}

// jobStatus is one job as the ledger and, if asked, the service have it.
type jobStatus struct {
	plan.Entry
	asked  bool
	remote *plan.RemoteJob // nil when not asked, or not listed
	others int             // listed jobs of the same name, source and destination
	logs   []plan.ActionLog
}

func (j jobStatus) failed() bool {
	return j.remote != nil && plan.ClassOf(j.remote.Status) == plan.ClassFailed
}

func (c *statusCommand) run(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	if err := c.chosen.read(cmd, args); err != nil {
		return err
	}
	if err := c.checkWatch(cmd); err != nil {
		return err
	}
	c.refresh = c.refresh || c.watch || c.chosen.choice.AsksService()
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if errors.Is(err, fs.ErrNotExist) && c.target.ledger == "" {
		fmt.Fprintf(c.app.stderr, "apsctl: no ledger at %s yet; the first apply makes it\n", printable.Line(c.target.ledgerPath()))
		return c.print(nil)
	}
	if err != nil {
		return err
	}
	defer ledger.Close()
	regions := &listedRegions{open: func(ctx context.Context) (*service, error) { return c.openService(ctx, ledger) }}
	defer regions.close()
	if c.watch {
		return c.keepWatching(ctx, ledger, regions)
	}
	if !c.refresh && !c.full && !c.output.json() && c.chosen.choice.IsZero() {
		return c.printSummary(ctx, ledger)
	}
	jobs, err := c.inLedger(ctx, ledger, regions)
	if err == nil && c.refresh && len(jobs) > 0 {
		err = c.ask(ctx, regions, jobs)
	}
	if err != nil {
		return err
	}
	return c.print(jobs)
}

// printSummary is print of all jobs of the ledger, of which it reads only those that
// are shown.
func (c *statusCommand) printSummary(ctx context.Context, ledger *store.Ledger) error {
	if err := checkPlan(ctx, ledger, c.chosen.plan); err != nil {
		return err
	}
	summary, err := ledger.Summary(ctx, c.chosen.plan, statusShown)
	if err != nil {
		return err
	}
	jobs := make([]jobStatus, len(summary.First))
	for i, entry := range summary.First {
		jobs[i].Entry = entry
	}
	return writeStatus(c.app.stdout, jobs, len(jobs), summary.States, false)
}

// inLedger are the chosen jobs as the ledger has them.
func (c *statusCommand) inLedger(ctx context.Context, ledger *store.Ledger, regions *listedRegions) ([]jobStatus, error) {
	all, places, err := c.chosen.entries(ctx, ledger, regions.list)
	if err != nil {
		return nil, err
	}
	jobs := make([]jobStatus, len(places))
	for i, place := range places {
		jobs[i].Entry = all[place]
	}
	return jobs, nil
}

// openService connects to the service, after checking that it is the one that the
// ledger belongs to.
func (c *statusCommand) openService(ctx context.Context, ledger *store.Ledger) (*service, error) {
	service, err := c.app.openService(c.target, c.rate)
	if err != nil {
		return nil, err
	}
	if err := checkAccount(ctx, ledger, service); err != nil {
		service.close()
		return nil, err
	}
	return service, nil
}

// listedRegions are the listings that were taken, each once. The service is opened
// when the first is needed.
type listedRegions struct {
	open     func(context.Context) (*service, error)
	service  *service
	listings map[string]plan.Listing
}

func (l *listedRegions) list(ctx context.Context, region string) (plan.Listing, error) {
	if listing, ok := l.listings[region]; ok {
		return listing, nil
	}
	if l.service == nil {
		var err error
		if l.service, err = l.open(ctx); err != nil {
			return plan.Listing{}, err
		}
	}
	if l.listings == nil {
		l.listings = map[string]plan.Listing{}
	}
	listing, err := l.service.List(ctx, region, false)
	if err == nil {
		l.listings[region] = listing
	}
	return listing, err
}

// forget has the next look take new listings.
func (l *listedRegions) forget() { l.listings = nil }

func (l *listedRegions) close() {
	if l.service != nil {
		l.service.close()
	}
}

// ask adds what the service lists, and the logs of jobs that failed.
func (c *statusCommand) ask(ctx context.Context, regions *listedRegions, jobs []jobStatus) error {
	if err := c.list(ctx, regions, jobs); err != nil {
		return err
	}
	var failed []plan.Entry
	for _, j := range jobs {
		if j.failed() {
			failed = append(failed, j.Entry)
		}
	}
	logs := c.app.lastLogs(ctx, regions.service, failed)
	for i := range jobs {
		jobs[i].logs = logs[jobs[i].JobID]
	}
	return nil
}

// list adds what the service lists.
func (c *statusCommand) list(ctx context.Context, regions *listedRegions, jobs []jobStatus) error {
	indexed := map[string]*listedJobs{} // by region
	for i := range jobs {
		region := jobs[i].Region
		if indexed[region] == nil {
			listing, err := regions.list(ctx, region)
			if err != nil {
				return err
			}
			indexed[region] = indexJobs(listing.Jobs)
		}
		jobs[i].asked = true
		if remote, ok := indexed[region].byID[jobs[i].JobID]; ok {
			jobs[i].remote = &remote
		}
		jobs[i].others = indexed[region].likeIt(jobs[i].Entry)
	}
	return nil
}

// checkAccount refuses a ledger that belongs to another account or service. It
// writes nothing into one that belongs to none yet.
func checkAccount(ctx context.Context, ledger *store.Ledger, service *service) error {
	identity, err := service.CallerIdentity(ctx)
	if err != nil {
		return err
	}
	meta, err := ledger.Meta(ctx)
	if err != nil {
		return err
	}
	if meta.Account == "" || meta.Account == identity.AccountID && meta.Service == service.Service() {
		return nil
	}
	return &store.ForeignError{
		Path: ledger.Path(), Account: meta.Account, Service: meta.Service,
		GotAccount: identity.AccountID, GotService: service.Service(),
	}
}

// listedJobs finds jobs of a listing by id and by name.
type listedJobs struct {
	byID   map[string]plan.RemoteJob
	byName map[string][]plan.RemoteJob
}

func indexJobs(jobs []plan.RemoteJob) *listedJobs {
	l := &listedJobs{map[string]plan.RemoteJob{}, map[string][]plan.RemoteJob{}}
	for _, job := range jobs {
		l.byID[job.ID] = job
		l.byName[job.Name] = append(l.byName[job.Name], job)
	}
	return l
}

// likeIt counts the jobs that could be taken for e's and do not have its id.
func (l *listedJobs) likeIt(e plan.Entry) int {
	n := 0
	for _, job := range l.byName[e.Name] {
		if job.ID != e.JobID && len(plan.DisagreeListed(e.Spec, job)) == 0 {
			n++
		}
	}
	return n
}

func (c *statusCommand) print(jobs []jobStatus) error {
	if c.output.json() {
		return writeJSON(c.app.stdout, newStatusJSON(jobs))
	}
	if len(jobs) == 0 && !c.chosen.choice.IsZero() {
		_, err := fmt.Fprintln(c.app.stdout, "No job of the ledger fits.")
		return err
	}
	shown := len(jobs)
	if !c.full {
		shown = min(shown, statusShown)
	}
	return writeStatus(c.app.stdout, jobs, shown, countStates(jobs), c.refresh)
}

type statusJSON struct {
	Jobs []jobStatusJSON `json:"jobs"`
}

type jobStatusJSON struct {
	Plan        string         `json:"plan"`
	Name        string         `json:"name"`
	State       plan.State     `json:"state"`
	JobID       string         `json:"aps_job_id"`
	Attempts    int            `json:"attempts"`
	Region      string         `json:"region"`
	Source      string         `json:"source"`
	Destination string         `json:"destination"`
	Reason      string         `json:"reason"`
	Remote      *remoteJSON    `json:"service,omitempty"`
	Logs        []jsonform.Log `json:"logs,omitempty"` // of a job that failed
}

// remoteJSON is what the service tells; Listed false leaves the rest empty.
// Duplicates counts other listed jobs of the same name, source and destination.
type remoteJSON struct {
	Listed     bool   `json:"listed"`
	Duplicates int    `json:"duplicates"`
	Status     string `json:"status"`
	Progress   string `json:"progress"`
	Delay      int64  `json:"delay"`
	Message    string `json:"message"`
}

func newStatusJSON(jobs []jobStatus) statusJSON {
	out := statusJSON{Jobs: make([]jobStatusJSON, 0, len(jobs))}
	for _, j := range jobs {
		one := jobStatusJSON{
			Plan: j.Plan, Name: j.Name, State: j.State, JobID: j.JobID, Attempts: j.Attempt,
			Region: j.Region, Source: j.Spec.Source.Instance, Destination: j.Spec.Destination.Instance, Reason: j.Reason,
			Logs: jsonform.Logs(j.logs),
		}
		if j.asked {
			one.Remote = &remoteJSON{Duplicates: j.others}
			if r := j.remote; r != nil {
				*one.Remote = remoteJSON{true, j.others, r.Status, r.Progress, r.Delay, r.ErrorMessage}
			}
		}
		out.Jobs = append(out.Jobs, one)
	}
	return out
}
