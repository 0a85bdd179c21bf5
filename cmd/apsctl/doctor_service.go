package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

const (
	// connectLimit bounds each look at an address.
	connectLimit = 10 * time.Second
	// certificateSoon is how long before its end a certificate is worth a warning.
	certificateSoon = 14 * 24 * time.Hour
	// absentJob is an id that no job has.
	absentJob = "aps-doctor-no-such-job"
	// What the documentation names (API reference, section 0).
	perSourceDocumented, perRegionDocumented = 3, 30
)

func (c *doctorCommand) checkService(ctx context.Context) {
	service, err := c.app.openService(c.target, c.rate)
	if err != nil {
		c.diagnosis.failed("settings", err)
		c.checkSecrets(ctx, nil)
		return
	}
	defer service.close()
	c.diagnosis.ok("settings", "the endpoint can be used, and DEBUG prints no keys")
	if c.checkKey(ctx, service) {
		c.checkIdentity(ctx, service)
		regions := c.regionsMeant()
		if len(regions) == 0 {
			c.diagnosis.skip("regions", "neither a plan nor a ledger says any; --region looks at one")
		}
		for _, region := range regions {
			c.checkRegion(ctx, service, region)
		}
	}
	c.checkSecrets(ctx, service)
}

// checkKey reports whether there is a key at all.
func (c *doctorCommand) checkKey(ctx context.Context, service *service) bool {
	key, err := service.Key(ctx)
	if err != nil {
		c.diagnosis.failed("credentials", err)
		return false
	}
	kind := "a key that does not expire"
	if key.Temporary {
		kind = "a temporary key"
	}
	c.diagnosis.ok("credentials", "%s, %s, from %s", maskKey(key.ID), kind, key.Provider)
	return true
}

// maskKey shows the ends of an access key id, enough to tell keys apart.
func maskKey(id string) string {
	shown := min(4, len(id)/4)
	return id[:shown] + "..." + id[len(id)-shown:]
}

func (c *doctorCommand) checkIdentity(ctx context.Context, service *service) {
	identity, err := service.CallerIdentity(ctx)
	switch {
	case err != nil:
		c.diagnosis.failed("identity", err)
		return
	case c.meta.Account != "" && (c.meta.Account != identity.AccountID || c.meta.Service != service.Service()):
		c.diagnosis.failed("identity", &store.ForeignError{
			Path: c.target.ledgerPath(), Account: c.meta.Account, Service: c.meta.Service,
			GotAccount: identity.AccountID, GotService: service.Service(),
		})
		return
	}
	c.diagnosis.ok("identity", "account %s, %s", identity.AccountID, cmp.Or(identity.Arn, identity.Type))
}

// checkRegion looks at one region, with reads only.
func (c *doctorCommand) checkRegion(ctx context.Context, service *service, region string) {
	named := func(check string) string { return region + " " + check }
	c.checkAddress(ctx, service, region, named("address"))
	answer, err := service.ReadOnce(ctx, aps.ReadRequest{
		Operation: aps.OperationList, Region: region, Params: map[string]string{"PageNumber": "1", "PageSize": "30"},
	})
	c.checkClock(answer, named("clock"))
	if err != nil && !aps.PageSizeRefused(err) { // the listing below asks for smaller ones
		c.diagnosis.failed(named("permission"), err)
		return
	}
	_, err = service.ReadOnce(ctx, aps.ReadRequest{
		Operation: aps.OperationDetail, Region: region, Params: map[string]string{"ApsJobId": absentJob},
	})
	var call *plan.CallError
	if errors.As(err, &call) && call.Failure != plan.FailureOther {
		c.diagnosis.failed(named("permission"), err)
	} else {
		c.diagnosis.ok(named("permission"), "the key may list jobs and read their details; whether it may create, only a create would tell")
	}
	listing, err := service.List(ctx, region, false)
	if err != nil {
		c.diagnosis.failed(named("listing"), err)
		return
	}
	c.diagnosis.ok(named("listing"), "complete, %s", plan.Count(len(listing.Jobs), "job"))
	c.checkQuotas(listing, named("quotas"))
	c.checkDuplicates(listing, named("duplicates"))
}

// checkClock compares the clocks by the Date header, which has whole seconds.
func (c *doctorCommand) checkClock(answer aps.ReadAnswer, check string) {
	if answer.ServerTime.IsZero() {
		c.diagnosis.skip(check, "no answer with a date came")
		return
	}
	// Round(0): the wall clock is what gets signed, not the monotonic one.
	middle := answer.Sent.Round(0).Add(answer.Received.Sub(answer.Sent) / 2)
	offset := answer.ServerTime.Add(time.Second / 2).Sub(middle).Round(time.Second)
	direction := "behind"
	if offset < 0 {
		direction = "ahead of"
	}
	switch apart := offset.Abs(); {
	case apart > runner.SkewRefuse:
		c.diagnosis.failed(check, &runner.SkewError{Offset: offset})
	case apart > runner.SkewWarn:
		c.diagnosis.warn(check, "set the clock (NTP): from "+runner.SkewRefuse.String()+" on nothing is created", "this machine's clock is %s %s the service's", apart, direction)
	case apart > 2*time.Second:
		c.diagnosis.ok(check, "this machine's clock is %s %s the service's, which is near enough", apart, direction)
	default:
		c.diagnosis.ok(check, "this machine's clock and the service's agree")
	}
}

// checkQuotas holds what is and what is wanted against the documented limits.
// Whether they hold for an account, only the service knows.
func (c *doctorCommand) checkQuotas(listing plan.Listing, check string) {
	sources, total := map[string]int{}, len(listing.Jobs)
	there := map[[3]string]bool{}
	for _, job := range listing.Jobs {
		sources[job.SourceInstance]++
		there[[3]string{job.Name, job.SourceInstance, job.DestinationInstance}] = true
	}
	if c.plan != nil {
		for _, job := range c.plan.Jobs {
			if job.Region == listing.Region && !there[[3]string{job.Name, job.Source.Instance, job.Destination.Instance}] {
				sources[job.Source.Instance]++
				total++
			}
		}
	}
	var over []string
	for _, source := range slices.Sorted(maps.Keys(sources)) {
		if sources[source] > perSourceDocumented {
			over = append(over, fmt.Sprintf("%s: %d", source, sources[source]))
		}
	}
	const next = "if the service refuses jobs, ask Alibaba Cloud for a higher quota; --max-create and waves keep a first try small"
	if total > perRegionDocumented {
		c.diagnosis.warn(check, next, "%d jobs with those that the plan still wants; the documentation names %d per region", total, perRegionDocumented)
	}
	if len(over) > 0 {
		more := ""
		if len(over) > namesShown {
			over, more = over[:namesShown], fmt.Sprintf(" and %d more sources", len(over)-namesShown)
		}
		c.diagnosis.warn(check, next, "more than the documented %d jobs of one source: %s%s", perSourceDocumented, strings.Join(over, ", "), more)
	}
	if total <= perRegionDocumented && len(over) == 0 {
		c.diagnosis.ok(check, "%s with those that the plan still wants, within the documented %d per source and %d per region",
			plan.Count(total, "job"), perSourceDocumented, perRegionDocumented)
	}
}

// checkDuplicates looks for jobs that load the same data. Those of the plan or the
// ledger are trouble, and those of others worth a warning.
func (c *doctorCommand) checkDuplicates(listing plan.Listing, check string) {
	ids := map[[3]string][]string{}
	for _, job := range listing.Jobs {
		key := [3]string{job.Name, job.SourceInstance, job.DestinationInstance}
		ids[key] = append(ids[key], job.ID)
	}
	ours := c.names(listing.Region)
	found := false
	for _, key := range slices.SortedFunc(maps.Keys(ids), func(x, y [3]string) int { return slices.Compare(x[:], y[:]) }) {
		if len(ids[key]) < 2 {
			continue
		}
		found = true
		text := fmt.Sprintf("%d jobs are called %s and lead from %s to %s: %s", len(ids[key]), key[0], key[1], key[2], strings.Join(ids[key], ", "))
		if ours[key[0]] {
			c.diagnosis.trouble(check, codeDuplicates, "%s", text)
		} else {
			c.diagnosis.warn(check, "neither plan nor ledger has them; compare them in the console", "%s", text)
		}
	}
	if !found {
		c.diagnosis.ok(check, "no two jobs have the same name, source and destination")
	}
}

// names are those of the plan's and the ledger's jobs in region.
func (c *doctorCommand) names(region string) map[string]bool {
	names := map[string]bool{}
	if c.plan != nil {
		for _, job := range c.plan.Jobs {
			names[job.Name] = names[job.Name] || job.Region == region
		}
	}
	for _, entry := range c.entries {
		names[entry.Spec.Name] = names[entry.Spec.Name] || entry.Region == region
	}
	return names
}

// checkAddress resolves and connects, apart from the calls, to tell names, routes
// and certificates from each other.
func (c *doctorCommand) checkAddress(ctx context.Context, service *service, region, check string) {
	endpoint, err := service.Endpoint(region)
	if err != nil {
		c.diagnosis.trouble(check, codeEndpoint, "%s", err)
		return
	}
	at, err := url.Parse(endpoint)
	if err != nil {
		c.diagnosis.trouble(check, codeEndpoint, "%s", endpoint)
		return
	}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: at}); err != nil || proxy != nil {
		c.diagnosis.skip(check, "%s is asked through the proxy of the environment, which is not looked through", endpoint)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	ips, err := net.DefaultResolver.LookupHost(ctx, at.Hostname())
	if err != nil {
		c.diagnosis.trouble(check, codeTemporary, "%s: its name cannot be resolved", endpoint)
		return
	}
	host := net.JoinHostPort(at.Hostname(), cmp.Or(at.Port(), map[string]string{"http": "80", "https": "443"}[at.Scheme]))
	begun := time.Now()
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		c.diagnosis.trouble(check, codeTemporary, "%s (%s): no connection", endpoint, strings.Join(ips, ", "))
		return
	}
	defer connection.Close()
	latency := max(time.Since(begun), time.Microsecond).Round(time.Microsecond)
	if at.Scheme == "http" {
		c.diagnosis.ok(check, "%s is %s, connected in %s, without TLS since it is this machine", endpoint, strings.Join(ips, ", "), latency)
		return
	}
	secured := tls.Client(connection, &tls.Config{ServerName: at.Hostname(), MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		c.diagnosis.trouble(check, codeConfig, "%s (%s): the TLS handshake failed: %s", endpoint, strings.Join(ips, ", "), err)
		return
	}
	state := secured.ConnectionState()
	ends := state.PeerCertificates[0].NotAfter
	if left := time.Until(ends); left < certificateSoon {
		c.diagnosis.warn(check, "tell whoever runs the endpoint", "the certificate of %s ends on %s", endpoint, ends.UTC().Format(time.DateOnly))
		return
	}
	c.diagnosis.ok(check, "%s is %s, connected in %s, %s, certificate until %s", endpoint, strings.Join(ips, ", "), latency,
		tls.VersionName(state.Version), ends.UTC().Format(time.DateOnly))
}
