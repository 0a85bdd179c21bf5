package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/plan"
)

// doctorPlan has nothing to warn of.
const doctorPlan = `version: 1
name: bulk
region: cn-hangzhou
defaults:
  destination: {instance: amv-1}
  db_list: {EntireInstance: true}
jobs:
  - {name: job-0000, source: {instance: pc-000}}
  - {name: job-0001, source: {instance: pc-001}}
  - {name: job-0002, source: {instance: pc-002}}
`

// diagnosed is the JSON of one doctor.
func (b *bench) diagnosed(code int, args ...string) diagnosisJSON {
	b.Helper()
	r := b.want(code, append([]string{"doctor", "-o", "json"}, args...)...)
	var d diagnosisJSON
	if err := json.Unmarshal([]byte(r.stdout), &d); err != nil {
		b.Fatalf("%v in %s", err, r)
	}
	if d.ExitCode != code {
		b.Errorf("it says exit code %d and ends with %d", d.ExitCode, code)
	}
	return d
}

// found is the first finding of a check.
func (d diagnosisJSON) found(check string) finding {
	for _, f := range d.Checks {
		if f.Check == check {
			return f
		}
	}
	return finding{}
}

func TestDoctorOfAFolderWithoutAnything(t *testing.T) {
	b := newBench(t)
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
	d := b.diagnosed(exitDenied)
	if f := d.found("credentials"); f.Code != codeCredentials || !strings.Contains(f.Text, "ALIBABA_CLOUD_ACCESS_KEY_ID") {
		t.Errorf("no key is %+v", f)
	}
	if f := d.found("plan"); f.Status != findingSkipped {
		t.Errorf("no plan is %+v", f)
	}
	if left, err := os.ReadDir(b.dir); err != nil || len(left) > 0 {
		t.Errorf("doctor left %v, %v", left, err)
	}
}

// TestDoctorChangesNothing: all is well after an apply, by reads alone, and the
// ledger stays as it was.
func TestDoctorChangesNothing(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("apsctl.yaml", doctorPlan)
	b.want(exitDone, "apply", "--yes")
	before, err := os.ReadFile(filepath.Join(b.dir, ledgerDefault))
	if err != nil {
		t.Fatal(err)
	}
	writes := cloud.writes()
	d := b.diagnosed(exitDone)
	if d.Troubles+d.Warnings+d.Skipped > 0 || d.OK < 12 {
		t.Errorf("after an apply doctor finds %+v", d)
	}
	if f := d.found("credentials"); !strings.Contains(f.Text, "default/env") || strings.Contains(f.Text, "emulator") {
		t.Errorf("the key is %+v", f)
	}
	if after, err := os.ReadFile(filepath.Join(b.dir, ledgerDefault)); err != nil || string(after) != string(before) {
		t.Errorf("doctor changed the ledger, %v", err)
	}
	if now := cloud.writes(); now != writes {
		t.Errorf("doctor sent %d requests that change something", now-writes)
	}
	if r := b.want(exitDone, "doctor"); !strings.Contains(r.stdout, "ok       cn-hangzhou duplicates") || strings.Contains(r.stdout, "next:") {
		t.Error(r)
	}
}

// writes counts the requests that are no reads.
func (c *cloud) writes() int {
	c.Helper()
	n := 0
	for action, s := range c.stats().Actions {
		if !strings.HasPrefix(action, "Describe") && !strings.HasPrefix(action, "Get") {
			n += s.Calls
		}
	}
	return n
}

func TestDoctorFinds(t *testing.T) {
	for _, test := range []struct {
		name   string
		harm   func(*bench, *cloud)
		args   []string
		exit   int
		check  string
		status findingStatus
		code   errorCode
	}{
		{"a wrong secret", func(b *bench, _ *cloud) { b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "other") }, nil, exitDenied, "identity", findingTrouble, codeCredentials},
		{"no permission to list", func(_ *bench, c *cloud) {
			c.setFaults("- {operation: DescribeApsJobs, kind: status, status: 403, code: NoPermission}\n")
		}, nil, exitDenied, "cn-hangzhou permission", findingTrouble, codePermission},
		{"no permission for details", func(_ *bench, c *cloud) {
			c.setFaults("- {operation: DescribeApsJobDetail, kind: status, status: 403, code: NoPermission}\n")
		}, nil, exitDenied, "cn-hangzhou permission", findingTrouble, codePermission},
		{"a service of small pages", func(_ *bench, c *cloud) {
			c.setFaults("- {operation: DescribeApsJobs, kind: status, status: 400, code: InvalidPageSize, count: 2}\n")
		}, nil, exitDone, "cn-hangzhou listing", findingOK, ""},
		{"a mistake in the plan", func(b *bench, _ *cloud) { b.write("apsctl.yaml", "version: 1\nnme: x\n") }, nil, exitInvalid, "plan", findingTrouble, codePlan},
		{"a damaged ledger and a wrong plan", func(b *bench, _ *cloud) {
			b.write(ledgerDefault, strings.Repeat("damaged ", 200))
			b.write("apsctl.yaml", "nme: x\n")
		}, nil, exitLedger, "ledger", findingTrouble, codeNotLedger},
		{"a ledger of another account", func(b *bench, _ *cloud) { b.emulator() }, nil, exitLedger, "identity", findingTrouble, codeLedgerForeign},
		{"no ledger where one is named", nil, []string{"--ledger", "none.db"}, exitLedger, "ledger", findingTrouble, codeLedgerMissing},
		{"DEBUG", func(b *bench, _ *cloud) { b.setenv("DEBUG", "dara") }, nil, exitInvalid, "settings", findingTrouble, codeDebug},
		{"nobody at the address", nil, []string{"--endpoint", "http://127.0.0.1:9"}, exitFailure, "cn-hangzhou address", findingTrouble, codeTemporary},
		{"no service", func(_ *bench, c *cloud) { c.setFaults("- {operation: DescribeApsJobs, kind: html}\n") }, nil, exitFailure, "cn-hangzhou permission", findingTrouble, codeTemporary},
		{"a job that exists twice", func(b *bench, _ *cloud) {
			b.createTwin("job-0000", "pc-000")
		}, nil, exitFailure, "cn-hangzhou duplicates", findingTrouble, codeDuplicates},
		{"a twin of nobody's", func(b *bench, _ *cloud) {
			b.createTwin("foreign", "pc-000")
			b.createTwin("foreign", "pc-000")
		}, nil, exitDone, "cn-hangzhou duplicates", findingWarning, ""},
		{"too many jobs of a source", func(b *bench, _ *cloud) {
			b.write("apsctl.yaml", strings.ReplaceAll(planOf(6), "pc-001", "pc-000"))
		}, nil, exitDone, "cn-hangzhou quotas", findingWarning, ""},
		{"an open ledger file", func(b *bench, _ *cloud) { _ = os.Chmod(filepath.Join(b.dir, ledgerDefault), 0o644) }, nil, exitDone, "permissions", findingWarning, ""},
		{"a password that is not there", func(b *bench, _ *cloud) {
			b.write("apsctl.yaml", strings.Replace(doctorPlan, "defaults:", "defaults:\n  source: {password: {env: NOT_SET}}", 1))
		}, []string{"--secrets"}, exitFailure, "passwords", findingTrouble, codeSecret},
		{"a password that was not asked for", func(b *bench, _ *cloud) {
			b.write("apsctl.yaml", strings.Replace(doctorPlan, "defaults:", "defaults:\n  source: {password: {command: [touch, ran]}}", 1))
		}, nil, exitDone, "passwords", findingSkipped, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			cloud := b.emulator()
			b.write("apsctl.yaml", doctorPlan)
			b.want(exitDone, "apply", "--yes")
			if test.harm != nil {
				test.harm(b, cloud)
			}
			f := b.diagnosed(test.exit, test.args...).found(test.check)
			if f.Status != test.status || f.Code != test.code || f.Status == findingWarning && f.Next == "" {
				t.Errorf("got %+v", f)
			}
			if _, err := os.Stat(filepath.Join(b.dir, "ran")); err == nil {
				t.Error("the command of a password ran")
			}
		})
	}
}

// TestDoctorOfManyFindingsIsShort: those that differ in their text alone are shown
// a few times, and counted all the same.
func TestDoctorOfManyFindingsIsShort(t *testing.T) {
	d := diagnosis{clean: func(text string) string { return text }}
	for i := range 1000 {
		d.warn("jobs", "compare them", "2 jobs are called job-%d", i)
	}
	d.warn("jobs", "ask for more", "there are many")
	var b strings.Builder
	if err := d.write(&b); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(b.String(), "\n"); lines != 2*alikeShown+1+2+2 {
		t.Errorf("%d lines:\n%s", lines, b.String())
	}
	wantIn(t, b.String(), "job-4\n", "… and 995 more like these; -o json lists all\n", "there are many", "1001 warnings")
	if n := len(d.json().Checks); n != 1001 {
		t.Errorf("the JSON has %d", n)
	}
}

// createTwin has the service make one more job, without any ledger.
func (b *bench) createTwin(name, source string) {
	b.Helper()
	endpoint := ""
	for _, pair := range b.env {
		if value, ok := strings.CutPrefix(pair, "APSCTL_ENDPOINT="); ok {
			endpoint = value
		}
	}
	client, err := aps.New(aps.Options{Endpoint: endpoint, Credentials: aps.StaticCredentials("emulator", "emulator", "")})
	if err != nil {
		b.Fatal(err)
	}
	o := client.Create(b.Context(), plan.CreateRequest{
		Spec: plan.Spec{
			Name: name, Region: "cn-hangzhou", Source: plan.SourceEndpoint{Instance: source},
			Destination: plan.DestinationEndpoint{Instance: "amv-1"}, DBList: `{"EntireInstance":true}`,
		},
		Nonce: strconv.FormatInt(time.Now().UnixNano(), 16), SignedAt: time.Now(),
	})
	if o.Verdict != plan.VerdictCreated {
		b.Fatalf("create: %+v", o)
	}
}

// TestDoctorTellsOfTheClock by the Date header of an answer.
func TestDoctorTellsOfTheClock(t *testing.T) {
	now := time.Now()
	for apart, want := range map[time.Duration]finding{
		time.Second:       {Status: findingOK},
		-30 * time.Second: {Status: findingOK},
		5 * time.Minute:   {Status: findingWarning},
		-time.Hour:        {Status: findingTrouble, Code: codeSkew},
	} {
		c := doctorCommand{diagnosis: diagnosis{clean: func(text string) string { return text }}}
		c.checkClock(aps.ReadAnswer{ServerTime: now.Add(apart), Sent: now, Received: now.Add(time.Second)}, "clock")
		if got := c.diagnosis.findings[0]; got.Status != want.Status || got.Code != want.Code {
			t.Errorf("%s apart: %+v", apart, got)
		}
	}
}

// TestPolicyHasTheActionsThatAreSent: each operation of the client is in the
// policy, or known to need no permission, and nothing else is.
func TestPolicyHasTheActionsThatAreSent(t *testing.T) {
	sent := []string{}
	for _, operations := range []map[string]string{constants(t, "plan", "Operation"), untypedConstants(t, "internal/aps", "op")} {
		for _, operation := range operations {
			if operation != "" && operation != "GetCallerIdentity" {
				sent = append(sent, operation)
			}
		}
	}
	allowed := slices.Concat(readActions, writeActions, secretActions)
	slices.Sort(sent)
	slices.Sort(allowed)
	if !slices.Equal(sent, allowed) {
		t.Errorf("the client sends %q, the policy allows %q: see policy.go", sent, allowed)
	}
}

// untypedConstants are the string constants whose names begin so and go on with a
// capital, by name.
func untypedConstants(t *testing.T, folder, prefix string) map[string]string {
	found := map[string]string{}
	for _, file := range parseFolder(t, folder) {
		ast.Inspect(file, func(n ast.Node) bool {
			value, ok := n.(*ast.ValueSpec)
			if !ok || len(value.Values) == 0 {
				return true
			}
			rest, ok := strings.CutPrefix(value.Names[0].Name, prefix)
			literal, text := value.Values[0].(*ast.BasicLit)
			if ok && text && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' {
				found[value.Names[0].Name], _ = strconv.Unquote(literal.Value)
			}
			return true
		})
	}
	return found
}

// TestOperationsHaveConstants: what the client sends has a constant, on which the
// test above rests.
func TestOperationsHaveConstants(t *testing.T) {
	for _, file := range parseFolder(t, "internal/aps") {
		ast.Inspect(file, func(n ast.Node) bool {
			pair, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			if key, is := pair.Key.(*ast.Ident); is && key.Name == "operation" {
				if _, literal := pair.Value.(*ast.BasicLit); literal {
					t.Errorf("an operation is written out in place: make it a constant op…")
				}
			}
			return true
		})
	}
}

func TestPolicy(t *testing.T) {
	b := newBench(t)
	b.write("plan.yaml", `version: 1
name: p
region: cn-hangzhou
defaults:
  destination: {instance: amv-1}
  db_list: {EntireInstance: true}
jobs:
  - name: a
    source: {instance: pc-1, password: {kms: {secret: orders}}}
  - name: b
    region: cn-shanghai
    source: {instance: pc-2}
    destination: {instance: amv-2}
`)
	read := func(args ...string) (p ramPolicy) {
		r := b.want(exitDone, append([]string{"doctor"}, args...)...)
		if err := json.Unmarshal([]byte(r.stdout), &p); err != nil || p.Version != "1" {
			t.Fatalf("%v in %s", err, r)
		}
		return p
	}
	p := read("--policy", "--account", "1234567890", "plan.yaml")
	want := [][]string{
		{"acs:adb:cn-hangzhou:1234567890:dbcluster/*", "acs:adb:cn-shanghai:1234567890:dbcluster/*"},
		{"acs:adb:cn-hangzhou:1234567890:dbcluster/amv-1", "acs:adb:cn-shanghai:1234567890:dbcluster/amv-2"},
		{"acs:kms:cn-hangzhou:1234567890:secret/orders"},
	}
	for i, s := range p.Statement {
		if i >= len(want) || !slices.Equal(s.Resource, want[i]) || s.Effect != "Allow" {
			t.Errorf("statement %d is %+v", i, s)
		}
	}
	for _, s := range read("--policy=read", "plan.yaml").Statement {
		for _, action := range s.Action {
			if !strings.HasPrefix(action, "adb:Describe") {
				t.Errorf("the policy for reading allows %s", action)
			}
		}
		if fmt.Sprint(s.Resource) != "[acs:adb:cn-hangzhou:*:dbcluster/* acs:adb:cn-shanghai:*:dbcluster/*]" {
			t.Errorf("without an account the resources are %v", s.Resource)
		}
	}
	b.want(exitInvalid, "doctor", "--policy=write", "plan.yaml")
	b.want(exitInvalid, "doctor", "--account", "1", "plan.yaml")
}

// TestPolicyOfAPlanThatLostJobs: they may have to be deleted, and the account is
// that of the ledger.
func TestPolicyOfAPlanThatLostJobs(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("apsctl.yaml", strings.Replace(doctorPlan, "{instance: pc-002}", "{instance: pc-002}, destination: {instance: amv-old}", 1))
	b.want(exitDone, "apply", "--yes")
	b.write("apsctl.yaml", doctorPlan[:strings.Index(doctorPlan, "  - {name: job-0002")])
	r := b.want(exitDone, "doctor", "--policy")
	if !regexp.MustCompile(`acs:adb:cn-hangzhou:[0-9]+:dbcluster/amv-old`).MatchString(r.stdout) {
		t.Error(r)
	}
}
