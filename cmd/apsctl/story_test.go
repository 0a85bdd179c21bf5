package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/plan"
)

// story is a migration from its first plan to its end, with one file of golden
// output for each of its steps.
type story struct {
	*bench
	cloud *cloud
	plan  string
	step  int
	ids   []string // job ids in the order in which they were seen
}

// tell runs apsctl and holds what it says against the step's file.
func (s *story) tell(name string, code int, args ...string) {
	s.Helper()
	s.step++
	r := s.apsctl(args...)
	got := fmt.Sprintf("$ apsctl %s\nexit code %d\n--- stdout\n%s--- stderr\n%s", strings.Join(args, " "), r.code, s.steady(r.stdout), s.steady(r.stderr))
	if r.code != code {
		s.Errorf("step %d, %s: want exit code %d: %s", s.step, name, code, r)
	}
	path := filepath.Join("testdata", "story", fmt.Sprintf("%02d-%s.txt", s.step, name))
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			s.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			s.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		s.Errorf("step %d, %s (-want +got):\n%s", s.step, name, diff)
	}
}

var (
	jobIDs    = regexp.MustCompile(`aps-ch[a-z0-9]{16}`)
	durations = regexp.MustCompile(`\b(in|took|about|after) [0-9][0-9.]*(ms|m[0-9.]*s|s|m)\b`)
	clocks    = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+Z?`)
	progress  = regexp.MustCompile(`(?m)^apsctl: .*(in flight|jobs|waiting).*elapsed.*\n`)
)

// steady puts words in place of what differs from run to run.
func (s *story) steady(text string) string {
	text = jobIDs.ReplaceAllStringFunc(text, func(id string) string {
		i := slices.Index(s.ids, id)
		if i < 0 {
			i = len(s.ids)
			s.ids = append(s.ids, id)
		}
		return fmt.Sprintf("aps-%02d", i+1)
	})
	text = strings.ReplaceAll(text, s.cloud.address, "http://EMULATOR")
	text = progress.ReplaceAllString(text, "")
	text = durations.ReplaceAllString(text, "$1 TIME")
	return clocks.ReplaceAllString(text, "DATE")
}

// edit changes the plan file as a person would.
func (s *story) edit(replacements ...string) {
	s.Helper()
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(s.plan, replacements[i]) {
			s.Fatalf("the plan has no %q", replacements[i])
		}
		s.plan = strings.Replace(s.plan, replacements[i], replacements[i+1], 1)
	}
	s.write("apsctl.yaml", s.plan)
}

// sent counts the calls so far that change something at the service.
func (s *story) sent() int {
	s.Helper()
	n := 0
	for action, a := range s.cloud.stats().Actions {
		if !strings.HasPrefix(action, "Describe") && !strings.HasPrefix(action, "Get") {
			n += a.Calls
		}
	}
	return n
}

// behindOurBack changes the objects of a job as somebody else would.
func (s *story) behindOurBack(name, objects string) {
	s.Helper()
	client, err := aps.New(aps.Options{Endpoint: s.cloud.address, Credentials: aps.StaticCredentials("emulator", "emulator", "")})
	if err != nil {
		s.Fatal(err)
	}
	defer client.CloseIdleConnections()
	found, err := client.Find(s.Context(), "cn-hangzhou", name)
	if err != nil || len(found) != 1 {
		s.Fatalf("%v, %v", found, err)
	}
	err = client.Change(s.Context(), plan.ChangeRequest{
		Operation: plan.OperationModify, Region: "cn-hangzhou", JobID: found[0].ID, DBList: objects, PartitionList: "{}",
		SignedAt: time.Now(),
	})
	if err != nil {
		s.Fatal(err)
	}
}

func storyPlan() string {
	var b strings.Builder
	b.WriteString(`version: 1
name: shop
region: cn-hangzhou
defaults:
  destination: {instance: amv-1}
jobs:
`)
	for i := range 20 {
		fmt.Fprintf(&b, "  - name: orders-%02d\n    source: {instance: pc-%02d}\n    db_list: {orders_%02d: {all: true}}\n    labels: {team: %s}\n",
			i, i, i, []string{"red", "blue"}[i%2])
	}
	return b.String()
}

// TestStory is the whole life of a migration.
func TestStory(t *testing.T) {
	b := newBench(t)
	s := &story{bench: b, cloud: b.emulator("--initializing", "1ms"), plan: storyPlan()}
	s.edit()
	s.tell("plan-20-jobs", 0, "plan")
	s.tell("create-20-jobs", 0, "apply", "--yes")

	s.edit("orders_03: {all: true}", "orders_03: {all: true}, stock: {all: true}",
		"orders_04: {all: true}", "orders_04: {all: true, name: archive}",
		"orders_05: {all: true}", `orders_05: {"all":  true}, items: {all: true}`)
	s.tell("plan-objects-of-3", 2, "plan", "--detailed-exitcode")
	s.tell("update-in-place", 0, "apply", "--yes")

	s.edit("pc-07", "pc-77")
	s.tell("plan-another-source", 2, "plan", "--detailed-exitcode")
	before := s.sent()
	s.tell("replace-refused", exitLimit, "apply", "--yes")
	if s.sent() != before {
		t.Errorf("the refused replacement sent something")
	}
	s.tell("replace", 0, "apply", "--yes", "--allow", "replace")

	from, to := strings.Index(s.plan, "  - name: orders-10\n"), strings.Index(s.plan, "  - name: orders-12\n")
	s.edit(s.plan[from:to], "")
	before = s.sent()
	s.tell("two-left-and-are-kept", 0, "apply", "--yes")
	if s.sent() != before {
		t.Errorf("jobs that left the plan were touched")
	}
	s.tell("delete-over-budget", exitLimit, "apply", "--yes", "--allow", "delete", "--max-delete", "1")
	s.tell("delete", 0, "apply", "--yes", "--allow", "delete", "--max-delete", "2")

	s.edit("name: orders-15", "name: invoices", "jobs:\n", "moved: {orders-15: invoices}\njobs:\n")
	before = s.sent()
	s.tell("rename", 0, "apply", "--yes")
	if s.sent() != before {
		t.Errorf("a renamed job was touched")
	}

	s.tell("no-drift", 0, "drift", "--sample", "100%")
	s.behindOurBack("orders-00", `{"orders_00":{"all":true},"secret":{"all":true}}`)
	s.tell("drift", exitChanges, "drift", "--sample", "100%")
	s.tell("drift-put-right", 0, "apply", "--yes", "--refresh", "changed")

	s.cloud.make(plan.Spec{
		Name: "made-by-hand", Region: "cn-hangzhou", Source: plan.SourceEndpoint{Instance: "pc-hand"},
		Destination: plan.DestinationEndpoint{Instance: "amv-1"}, DBList: `{"hand":{"all":true}}`,
	})
	s.edit("jobs:\n", "jobs:\n  - name: made-by-hand\n    source: {instance: pc-hand}\n    db_list: {hand: {all: true}}\n    labels: {team: green}\n")
	s.tell("made-outside", exitUnknown, "apply", "--yes")
	s.tell("adopt", 0, "apply", "--yes", "--adopt")

	s.tell("suspend-by-label", 0, "suspend", "--yes", "team=red")
	s.tell("wait", 0, "wait", "team=red", "--for", "suspended", "--timeout", "1m")

	before = s.sent()
	s.tell("nothing-to-do", 0, "apply", "--yes")
	s.tell("plan-nothing", 0, "plan", "--detailed-exitcode")
	s.tell("drift-nothing", 0, "drift", "--sample", "100%")
	if s.sent() != before {
		t.Errorf("something was sent when there was nothing to do")
	}
}
