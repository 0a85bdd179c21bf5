package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// seed is an entry to put into a ledger, as a run would have left it.
type seed struct {
	plan, name string // plan is bulk unless given
	state      plan.State
	sent       time.Duration // ago
	jobID      string        // for created and lost
	candidates []string
	spec       func(*plan.Spec)
}

func (b *bench) ledgerPath() string { return filepath.Join(b.dir, ledgerDefault) }

// openLedger opens the bench's ledger in this process, and closes it by close.
func (b *bench) openLedger() (ledger *store.Ledger, closeIt func()) {
	b.Helper()
	ledger, err := store.Open(b.Context(), b.ledgerPath(), store.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	return ledger, func() {
		if err := ledger.Close(); err != nil {
			b.Error(err)
		}
	}
}

// specOf is the spec of a job of planOf.
func specOf(name string) plan.Spec {
	var n int
	_, _ = fmt.Sscanf(name, "job-%d", &n)
	return plan.Spec{
		Name: name, Region: "cn-hangzhou",
		Source:      plan.SourceEndpoint{Instance: fmt.Sprintf("pc-%03d", n/3)},
		Destination: plan.DestinationEndpoint{Instance: "amv-1"},
		DBList:      `{"EntireInstance":true}`,
	}
}

// seed makes a ledger of entries, each through the steps that lead to its state.
func (b *bench) seed(seeds ...seed) {
	b.Helper()
	ledger, closeIt := b.openLedger()
	defer closeIt()
	for _, s := range seeds {
		if s.plan == "" {
			s.plan = "bulk"
		}
		spec := specOf(s.name)
		if s.spec != nil {
			s.spec(&spec)
		}
		at := time.Now().Add(-s.sent)
		err := ledger.Intend(b.Context(), plan.Intent{
			Plan: s.plan, Name: s.name, Attempt: 1, Spec: spec, Digest: plan.HashSpec(spec),
			Nonce: s.plan + "-" + s.name, SignedAt: at, Settle: time.Millisecond, RunID: "seed", At: at,
		})
		for from := plan.StateIntent; err == nil && from != s.state; {
			step := plan.Transition{
				Plan: s.plan, Name: s.name, From: from, Attempt: 1, To: s.state, Candidates: s.candidates,
				JobID: s.jobID, Reason: "seeded", RequestID: "req-1", RunID: "seed", At: at,
			}
			switch {
			case s.state == plan.StateLost && from == plan.StateIntent:
				step.To = plan.StateCreated
			case s.state == plan.StateAbsent:
				step.Evidence = "{}"
			}
			err = ledger.Settle(b.Context(), step)
			from = step.To
		}
		if err != nil {
			b.Fatalf("seed %s as %s: %v", s.name, s.state, err)
		}
	}
}

// jobs makes the first n jobs of planOf on the service, behind the back of every
// ledger, and returns their ids by name.
func (c *cloud) jobs(n int) map[string]string {
	c.Helper()
	specs := make([]plan.Spec, n)
	for i := range specs {
		specs[i] = specOf(fmt.Sprintf("job-%04d", i))
	}
	ids := map[string]string{}
	for i, id := range c.make(specs...) {
		ids[specs[i].Name] = id
	}
	return ids
}

// make makes jobs on the service, behind the back of every ledger, and returns
// their ids.
func (c *cloud) make(specs ...plan.Spec) []string {
	c.Helper()
	client, err := aps.New(aps.Options{Endpoint: c.address, Credentials: aps.StaticCredentials("emulator", "emulator", "")})
	if err != nil {
		c.Fatal(err)
	}
	defer client.CloseIdleConnections()
	ids := make([]string, len(specs))
	for i, spec := range specs {
		outcome := client.Create(c.Context(), plan.CreateRequest{Spec: spec, Nonce: rand.Text(), SignedAt: time.Now()})
		if outcome.Verdict != plan.VerdictCreated {
			c.Fatalf("create %s: %+v", spec.Name, outcome)
		}
		ids[i] = outcome.JobID
	}
	return ids
}

// entry reads one entry of plan bulk.
func (b *bench) entry(name string) plan.Entry {
	b.Helper()
	ledger, err := store.OpenReadOnly(b.Context(), b.ledgerPath())
	if err != nil {
		b.Fatal(err)
	}
	defer ledger.Close()
	snapshot, err := ledger.Snapshot(b.Context(), "bulk")
	if err != nil {
		b.Fatal(err)
	}
	return snapshot.Entries[name]
}

// lastEvent reads the latest event of a job of plan bulk.
func (b *bench) lastEvent(name string) (event eventJSON, proof store.PersonEvidence) {
	b.Helper()
	var out eventsJSON
	b.decode(b.want(0, "ledger", "events", name, "--plan", "bulk", "-o", "json"), &out)
	event = out.Events[len(out.Events)-1]
	if err := json.Unmarshal(event.Evidence, &proof); err != nil {
		b.Fatalf("%v in %s", err, event.Evidence)
	}
	return event, proof
}

func (b *bench) decode(r result, into any) {
	b.Helper()
	if err := json.Unmarshal([]byte(r.stdout), into); err != nil {
		b.Fatalf("%v in %s", err, r)
	}
}

// wantIn fails the test unless every part is in text.
func wantIn(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}
