package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/apsctl/apsctl/internal/emulator"
)

type emulatorCommand struct {
	app     *app
	listen  string
	keys    []string
	faults  string
	secrets string
	options emulator.Options
}

func newEmulatorCommand(a *app) *cobra.Command {
	c := &emulatorCommand{app: a}
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Serve a local stand-in for the APS API",
		Long: `emulator serves the APS job operations, STS GetCallerIdentity and KMS
GetSecretValue on a local address: same wire protocol, signatures checked, jobs
kept in a file. What the service's documentation leaves open is a flag. The key
pair is emulator/emulator.

GET /_emulator/stats tells what was called and how many jobs are duplicates;
POST /_emulator/faults sets the faults, POST /_emulator/jobs has every job listed
before its --list-lag is over (docs/emulator.md).`,
		Example: `  apsctl emulator --state cloud.journal --quota 50
  export APSCTL_ENDPOINT=http://127.0.0.1:8095 ALIBABA_CLOUD_ACCESS_KEY_ID=emulator ALIBABA_CLOUD_ACCESS_KEY_SECRET=emulator
  apsctl apply --yes examples/quickstart.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.listen, "listen", "127.0.0.1:8095", "loopback `address` to serve on; port 0 picks a free one")
	flags.StringVar(&c.options.State, "state", "", "`file` that keeps the jobs; without it they are gone at the end")
	flags.StringArrayVar(&c.keys, "key", nil, "further access key, as `id:secret[:account]`; may be repeated")
	flags.StringVar(&c.faults, "faults", "", "YAML `file` of faults to strike with")
	flags.StringVar(&c.secrets, "secrets", "", "YAML `file` of the secrets that KMS keeps (docs/emulator.md)")
	c.addSwitches(flags)
	return cmd
}

// addSwitches adds a flag for each question that the documentation leaves open.
func (c *emulatorCommand) addSwitches(flags *pflag.FlagSet) {
	o := &c.options
	flags.Float64Var(&o.Quota, "quota", 0, "requests per second for each action and region; 0 means no quota")
	flags.StringVar((*string)(&o.QuotaHint), "quota-hint", "none", "header of a throttled answer: none, retry-after or ratelimit")
	flags.IntVar(&o.QuotaStatus, "quota-status", 400, "HTTP status of a throttled answer: 400, 429 or 503")
	flags.StringVar(&o.QuotaCode, "quota-code", "Throttling.User", "error `code` of a throttled answer")
	flags.DurationVar(&o.Latency, "latency", 0, "time that every request takes")
	flags.DurationVar(&o.ListLag, "list-lag", 0, "time until a new job is listed")
	flags.BoolVar(&o.DetailAtOnce, "detail-at-once", false, "show the detail of a new job before it is listed")
	flags.IntVar(&o.PageCap, "page-cap", 100, "largest page of a listing")
	flags.StringVar((*string)(&o.PageCapMode), "page-cap-mode", "lower", "a larger page is: lower (cut) or refuse")
	flags.StringVar((*string)(&o.ListOrder), "list-order", "newest", "newest, oldest or id")
	flags.StringVar((*string)(&o.NameFilter), "name-filter", "contains", "ApsJobName narrows a listing by: contains, exact or prefix")
	flags.StringVar((*string)(&o.DuplicateNames), "duplicate-names", "allow", "a second job of one name: allow or refuse")
	flags.IntVar(&o.JobsPerSource, "jobs-per-source", 0, "most jobs for one source; 0 means no limit, the documentation says 3")
	flags.IntVar(&o.JobsPerRegion, "jobs-per-region", 0, "most jobs in one region; 0 means no limit, the documentation says 30")
	flags.BoolVar(&o.NeedsStart, "needs-start", false, "new jobs wait for StartApsJob")
	flags.DurationVar(&o.Initializing, "initializing", o.Initializing, "time from start to Running (default 3s)")
	flags.Float64Var(&o.FailShare, "fail-share", 0, "share of new jobs that fail when their initialising is over, from 0 to 1")
	flags.BoolVar(&o.RepeatAllowed, "repeat-allowed", false, "a running job may be started, a suspended one suspended")
	flags.BoolVar(&o.ModifyNeedsSuspended, "modify-needs-suspended", false, "refuse ModifyApsJob on a job that runs")
	flags.BoolVar(&o.DeleteNeedsSuspended, "delete-needs-suspended", false, "refuse DeleteApsJob on a job that runs")
	flags.StringVar((*string)(&o.OmittedPartitions), "omitted-partitions", "clear", "ModifyApsJob without PartitionList: clear or keep")
	flags.StringVar((*string)(&o.DetailForm), "detail-form", "object", "DbList and PartitionList in a detail: object or string")
	flags.StringVar((*string)(&o.DetailKeys), "detail-keys", "reversed", "order of the keys in them: reversed or as-sent")
	flags.StringVar((*string)(&o.DetailMode), "detail-mode", "number", "TargetTableMode in a detail: number or string")
	flags.StringVar((*string)(&o.UnknownDetail), "unknown-detail", "error", "detail of an unknown id: error or empty")
	flags.StringVar((*string)(&o.BusinessErrors), "business-errors", "http400", "refusals behind the gateway: http400 or http200")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of the faults' chances")
}

func (c *emulatorCommand) run(cmd *cobra.Command) error {
	if err := c.readOptions(); err != nil {
		return usage(cmd, err)
	}
	if err := c.checkOptions(); err != nil {
		return usage(cmd, err)
	}
	listener, err := listenLoopback(c.listen)
	if err != nil {
		return usage(cmd, err)
	}
	server, err := emulator.Open(c.options)
	if err != nil {
		_ = listener.Close()
		if errors.Is(err, emulator.ErrInUse) {
			return err
		}
		return coded(codeEmulator, err)
	}
	defer server.Close()
	fmt.Fprintf(c.app.stdout, "The emulator serves on http://%s (Ctrl-C ends it).\n", listener.Addr())
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return server.Serve(ctx, listener)
}

func (c *emulatorCommand) readOptions() error {
	for _, text := range c.keys {
		key, err := emulator.ParseKey(text)
		if err != nil {
			return err
		}
		c.options.Keys = append(c.options.Keys, key)
	}
	var err error
	if c.secrets != "" {
		if c.options.Secrets, err = emulator.LoadSecrets(c.secrets); err != nil {
			return err
		}
	}
	if c.faults != "" {
		c.options.Faults, err = emulator.LoadFaults(c.faults)
	}
	return err
}

// checkOptions opens an emulator that keeps nothing, to tell wrong switches from
// trouble with the state.
func (c *emulatorCommand) checkOptions() error {
	options := c.options
	options.State = ""
	server, err := emulator.Open(options)
	if err != nil {
		return err
	}
	return server.Close()
}

// listenLoopback refuses every address that other machines could reach: the
// emulator's key is public.
func listenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--listen is host:port, not %q", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--listen is a loopback address such as 127.0.0.1:8095, not %q: the emulator's key is no secret", address)
	}
	var config net.ListenConfig
	return config.Listen(context.Background(), "tcp", address)
}
