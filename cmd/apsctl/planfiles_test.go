package main

import (
	"strings"
	"testing"
)

const composedPlan = `version: 1
name: ${var.env}-shop
vars:
  env: {type: text}
  cluster: amv-default
region: cn-hangzhou
include: [jobs/*.yaml]
defaults: {destination: {instance: "${var.cluster}"}, db_list: {EntireInstance: true}}
generate:
  - csv: {file: shards.csv, where: {env: "${var.env}"}}
    job: {name: "shard-${row.n}", source: {instance: "${row.instance}"}}
`

func composedBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.write("plan/plan.yaml", composedPlan)
	b.write("plan/jobs/one.yaml", "jobs: [{name: one, source: {instance: pc-1}}]\n")
	b.write("plan/shards.csv", "n,env,instance\n1,test,pc-t\n1,prod,pc-p\n2,prod,pc-q\n")
	return b
}

func TestVariablesComeFromFlagsFilesAndTheEnvironment(t *testing.T) {
	b := composedBench(t)
	b.write("a.yaml", "env: test\ncluster: amv-file\n")
	b.write("b.yaml", "env: prod\n")
	for _, tt := range []struct {
		name string
		env  string
		args []string
		want string // in the expanded jobs
	}{
		{"a flag", "", []string{"--var", "env=test"}, "name: test-shop"},
		{"the environment", "prod", nil, "name: prod-shop"},
		{"a file over the environment", "prod", []string{"--var-file", "a.yaml"}, "instance: amv-file"},
		{"a later file over an earlier one", "", []string{"--var-file", "a.yaml", "--var-file", "b.yaml"}, "name: prod-shop"},
		{"a flag over all", "prod", []string{"--var", "cluster=amv-flag", "--var-file", "a.yaml"}, "instance: amv-flag"},
		{"and says so", "prod", []string{"--var", "cluster=amv-flag"}, "# plan/plan.yaml:8:36, ${var.cluster}, --var"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &bench{T: t, dir: b.dir, env: b.env}
			if tt.env != "" {
				b.setenv("APSCTL_VAR_env", tt.env)
			}
			r := b.want(0, append([]string{"plan", "plan/plan.yaml", "--show-expanded", "*"}, tt.args...)...)
			if !strings.Contains(r.stdout, tt.want) {
				t.Errorf("no %q in %s", tt.want, r)
			}
		})
	}
}

func TestVariablesThatCannotBe(t *testing.T) {
	b := composedBench(t)
	b.write("empty.yaml", "# later\n")
	for want, args := range map[string][]string{
		"empty.yaml: the file has only comments\n      write NAME: VALUE for each variable, or leave the file out\n": {"--var-file", "empty.yaml"},
		`variable "env" has no value`:        nil,
		`did you mean "env"?`:                {"--var", "evn=test"},
		`--var is NAME=VALUE`:                {"--var", "env"},
		`"p q-shop"`:                         {"--var", "env=p q"},
		`none.yaml: the file does not exist`: {"--var-file", "none.yaml"},
	} {
		r := b.want(exitInvalid, append([]string{"validate", "plan/plan.yaml"}, args...)...)
		if !strings.Contains(r.stderr, want) {
			t.Errorf("no %q in %s", want, r)
		}
	}
}

func TestExpandedJobCanBePlannedByItself(t *testing.T) {
	b := composedBench(t)
	r := b.want(0, "plan", "plan", "--var", "env=prod", "--show-expanded", "shard-2")
	b.write("expanded.yaml", r.stdout)
	r = b.want(0, "validate", "expanded.yaml")
	if !strings.Contains(r.stdout, "plan prod-shop, 1 job") {
		t.Errorf("%s", r)
	}
	b.want(exitInvalid, "plan", "plan", "--var", "env=prod", "--show-expanded", "[")
	for _, args := range [][]string{{"-o", "json"}, {"--target", "shard-2"}, {"--full"}, {"--detailed-exitcode"}} {
		r := b.want(exitInvalid, append([]string{"plan", "plan", "--var", "env=prod", "--show-expanded", "shard-2"}, args...)...)
		if !strings.Contains(r.stderr, "compares nothing: leave --") {
			t.Errorf("%s", r)
		}
	}
}

func TestExpandedSuggestsTheNearestNames(t *testing.T) {
	b := composedBench(t)
	b.write("empty.yaml", "version: 1\nname: empty\njobs: []\n")
	for name, want := range map[string]string{
		"shard-3": "has no job \"shard-3\": did you mean shard-1, shard-2?",
		"Shar-2":  "did you mean shard-2, shard-1?",
		"on":      "did you mean one?",
		"none":    "did you mean one?",
		"other":   "--show-expanded '*' shows all 3",
		"other-*": "--show-expanded '*' shows all 3",
	} {
		r := b.want(exitInvalid, "plan", "plan", "--var", "env=prod", "--show-expanded", name)
		if !strings.HasSuffix(r.stderr, want+" [E-NO-SUCH-JOB]\n") || r.stdout != "" {
			t.Errorf("%s: no %q in %s", name, want, r)
		}
	}
	if r := b.want(exitInvalid, "plan", "empty.yaml", "--show-expanded", "a"); !strings.Contains(r.stderr, "it has no jobs at all") {
		t.Errorf("got %s", r)
	}
}

func TestComposedPlanIsApplied(t *testing.T) {
	b := composedBench(t)
	r := b.want(0, "apply", "plan", "--var", "env=prod", "--emulator", "--yes", "-o", "json")
	if counts := b.applied(r).Counts; counts.Created != 3 {
		t.Errorf("created %+v", counts)
	}
	b.want(0, "plan", "plan", "--var", "env=prod", "--emulator", "--detailed-exitcode")
	// Another environment is another plan, whose jobs are its own.
	b.want(exitChanges, "plan", "plan", "--var", "env=test", "--emulator", "--detailed-exitcode")
}

// TestPlanFromStandardInput: - is one plan file like others, whose paths start at
// the current folder.
func TestPlanFromStandardInput(t *testing.T) {
	b := newBench(t)
	b.in = strings.Replace(composedPlan, "jobs/*.yaml", "jobs/one.yaml", 1)
	b.write("jobs/one.yaml", "jobs: [{name: one, source: {instance: pc-1}}]\n")
	b.write("shards.csv", "n,env,instance\n1,prod,pc-p\n")
	b.write("more.yaml", "version: 1\nname: prod-shop\nregion: cn-hangzhou\njobs: [{name: two, source: {instance: pc-2}, destination: {instance: amv-1}, db_list: {a: 1}}]\n")
	b.setenv("APSCTL_VAR_env", "prod")
	for want, args := range map[string][]string{
		"<stdin> is valid: plan prod-shop, 2 jobs":              {"validate", "-"},
		"more.yaml, <stdin> is valid: plan prod-shop, 3 jobs":   {"validate", "more.yaml", "-", "-"},
		"Plan prod-shop (<stdin>): 2 jobs":                      {"plan", "-"},
		"instance: amv-default  # <stdin>:8:36, ${var.cluster}": {"plan", "--show-expanded", "one", "-"},
		`"file": "<stdin>"`:                                     {"plan", "-o", "json", "-"},
	} {
		if r := b.want(exitDone, args...); !strings.Contains(r.stdout, want) {
			t.Errorf("apsctl %s: no %q in %s", strings.Join(args, " "), want, r)
		}
	}
	if r := b.want(exitInvalid, "apply", "--emulator", "-"); !strings.Contains(r.stderr, "add --yes") {
		t.Errorf("got %s", r)
	}
	if counts := b.applied(b.want(exitDone, "apply", "--emulator", "--yes", "-o", "json", "-")).Counts; counts.Created != 2 {
		t.Errorf("created %+v", counts)
	}
	b.in = "version: 1\nname: p\njobs: [\n"
	if r := b.want(exitInvalid, "validate", "-"); !strings.HasPrefix(r.stderr, "<stdin>:3:7: ") {
		t.Errorf("got %s", r)
	}
	b.in = ""
	if r := b.want(exitInvalid, "validate", "-"); !strings.Contains(r.stderr, "<stdin>: the file is empty") {
		t.Errorf("got %s", r)
	}
}

// TestPlanAdoptsWhatItSays: adopt in the plan does for one job what the flag does
// for all.
func TestPlanAdoptsWhatItSays(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	job := func(name, more string) string {
		return "  - {name: " + name + ", source: {instance: pc-" + name + "}, destination: {instance: amv-1}, db_list: {EntireInstance: true}" + more + "}\n"
	}
	const head = "version: 1\nname: p\nregion: cn-hangzhou\njobs:\n"
	b.write("plan.yaml", head+job("a", "")+job("b", "")+job("c", "")+job("d", ""))
	made := b.applied(b.want(0, "apply", "--yes", "--ledger", "first.db", "-o", "json", "plan.yaml"))
	id := map[string]string{}
	for _, result := range made.Jobs {
		id[result.Name] = result.JobID
	}
	b.write("plan.yaml", head+job("a", ", adopt: true")+job("b", ", adopt: "+id["b"])+job("c", ", adopt: aps-other")+job("d", ""))
	again := b.applied(b.want(exitUnknown, "apply", "--yes", "--ledger", "second.db", "-o", "json", "plan.yaml"))
	if c := again.Counts; c.Adopted != 2 || c.Blocked != 2 || cloud.creates() != 4 {
		t.Errorf("%+v after %d creates", c, cloud.creates())
	}
}

func TestValidateReadsSecretsWhenAsked(t *testing.T) {
	b := newBench(t)
	b.write("plan.yaml", `version: 1
name: p
region: cn-hangzhou
defaults: {destination: {instance: amv-1, password: {env: NOT_SET}}}
jobs:
  - {name: a, source: {instance: pc-1, password: {file: pw}}, db_list: {a: 1}}
  - {name: b, source: {instance: pc-2, password: {command: [sh, -c, exit 3]}}, db_list: {a: 1}}
  - {name: c, source: {instance: pc-3, password: {kms: {secret: x}}}, db_list: {a: 1}}
`)
	b.write("pw", "hunter2hunter2\n")
	b.want(0, "validate", "plan.yaml")
	r := b.want(exitInvalid, "validate", "--secrets", "plan.yaml")
	for _, want := range []string{"password: secret from env NOT_SET", `job "b", source.password: `, "exit status 3", "1 password kept by KMS"} {
		if strings.Count(r.stderr, want) != 1 {
			t.Errorf("%q is not there once in %s", want, r)
		}
	}
	if strings.Contains(r.stderr, "hunter2") {
		t.Errorf("the password is shown: %s", r)
	}
}

// A password can only be changed by a job that is made again, and its version says
// that it was.
func TestRotatedPasswordReplacesWhereAllowed(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	text := func(version string) string {
		return "version: 1\nname: p\nregion: cn-hangzhou\njobs:\n  - name: a\n    source: {instance: pc-1, password: {env: PW}, password_version: " + version + "}\n" +
			"    destination: {instance: amv-1}\n    db_list: {EntireInstance: true}\n"
	}
	b.setenv("PW", "password-1")
	b.write("plan.yaml", text("1"))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	b.setenv("PW", "password-2")
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	b.write("plan.yaml", text("2"))
	r := b.want(exitLimit, "apply", "--yes", "plan.yaml")
	if !strings.Contains(r.stdout, "--allow replace") || cloud.creates() != 1 {
		t.Errorf("%d creates, %s", cloud.creates(), r)
	}
	b.want(exitDone, "apply", "--yes", "--allow", "replace", "plan.yaml")
	if cloud.creates() != 2 {
		t.Errorf("%d creates", cloud.creates())
	}
	b.want(exitDone, "apply", "--yes", "plan.yaml")
}

func TestChangedObjectsAreUpdated(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	text := func(objects, more string) string {
		return "version: 1\nname: p\nregion: cn-hangzhou\njobs:\n  - {name: a, source: {instance: pc-1}, destination: {instance: amv-1}, db_list: " + objects + more + "}\n"
	}
	b.write("plan.yaml", text("{shop: {all: true}}", ""))
	b.want(0, "apply", "--yes", "plan.yaml")
	b.write("plan.yaml", text("{shop: {all: true}, stock: {all: true}}", ", ignore: [db_list]"))
	b.want(0, "plan", "--detailed-exitcode", "plan.yaml")
	b.write("plan.yaml", text("{shop: {all: true}, stock: {all: true}}", ""))
	if r := b.want(exitChanges, "plan", "--detailed-exitcode", "plan.yaml"); !strings.Contains(r.stdout, "1 to update") || !strings.Contains(r.stdout, "db_list") {
		t.Errorf("%s", r)
	}
	r := b.want(0, "apply", "--yes", "-o", "json", "plan.yaml")
	if c := b.applied(r).Counts; c.Updated != 1 || cloud.creates() != 1 || cloud.stats().Actions["ModifyApsJob"].Calls != 1 {
		t.Errorf("%+v: %s", c, r)
	}
	b.want(0, "plan", "--detailed-exitcode", "plan.yaml")
	b.write("plan.yaml", text("{shop: {all: true}, stock: {all: true}}", ", target_table_mode: 7"))
	b.want(exitLimit, "apply", "--yes", "plan.yaml")
}
