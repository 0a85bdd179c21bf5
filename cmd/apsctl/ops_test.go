package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

const opsFolder = "../../examples/ops"

// opsCommands has what apsctl is told to do by each file of examples/ops, in order.
var opsCommands = map[string][]string{
	"crontab":             {"apply", "drift", "ledger backup", "ledger prune"},
	"apsctl.service":      {"status", "apply"},
	"apsctl.timer":        nil,
	"github-actions.yaml": {"validate", "plan", "apply", "report"},
	"gitlab-ci.yaml":      {"validate", "plan", "apply", "report"},
	"kubernetes.yaml":     {"apply"},
	"alerts.yaml":         {"explain"}, // in a sentence
}

func opsFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(opsFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOpsFiles: each file says what it is for, and each command line in it is one
// that this apsctl takes.
func TestOpsFiles(t *testing.T) {
	files, err := filepath.Glob(opsFolder + "/*")
	if err != nil || len(files) != len(opsCommands) {
		t.Errorf("got the files %v, %v", files, err)
	}
	for name, want := range opsCommands {
		text := opsFile(t, name)
		if name != "alerts.yaml" && !strings.HasPrefix(text, "# When to use it: ") {
			t.Errorf("%s does not say when to use it", name)
		}
		var got []string
		for _, args := range append(commandLines(text), containerCommands(t, name, text)...) {
			path, err := parseCommand(args)
			if err != nil {
				t.Errorf("%s: apsctl %s: %v", name, strings.Join(args, " "), err)
			}
			got = append(got, path)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s has other commands: %s", name, diff)
		}
	}
}

var commandPattern = regexp.MustCompile(`(?:^|[\s/])apsctl +([a-z]+(?: +(?:"[^"]*"|[^\s|>;&)"]+))*)`)

// commandLines finds the command lines of apsctl in a file: whole lines, and in
// comments those that are set in.
func commandLines(text string) (lines [][]string) {
	for line := range strings.Lines(text) {
		if comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok && !strings.HasPrefix(comment, "   ") {
			continue
		}
		line = regexp.MustCompile(`-u apsctl |\d?>&\d|\$\(date[^)]*\)`).ReplaceAllString(line, "")
		for _, match := range commandPattern.FindAllStringSubmatch(line, -1) {
			if args := strings.Fields(match[1]); !strings.Contains(args[0], "/") {
				lines = append(lines, args)
			}
		}
	}
	return lines
}

// parseCommand does what is done with a command line up to running it.
func parseCommand(args []string) (path string, err error) {
	root := newRoot(newApp(strings.NewReader(""), io.Discard, io.Discard))
	cmd, rest, err := root.Find(args)
	if err != nil {
		return "", err
	}
	if cmd == root {
		return "", errors.New("no command")
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return "", err
	}
	return strings.TrimPrefix(cmd.CommandPath(), "apsctl "), errors.Join(cmd.ValidateArgs(cmd.Flags().Args()), cmd.ValidateRequiredFlags())
}

// yamlDocuments reads a file of YAML documents.
func yamlDocuments(t *testing.T, text string) (documents []map[string]any) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var document map[string]any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents
		}
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, document)
	}
}

// at goes down by keys, and into the first element of lists.
func at(t *testing.T, value any, path string) any {
	t.Helper()
	for key := range strings.SplitSeq(path, ".") {
		if list, ok := value.([]any); ok && len(list) > 0 {
			value = list[0]
		}
		fields, ok := value.(map[string]any)
		if !ok || fields[key] == nil {
			t.Fatalf("%s: there is no %s", path, key)
		}
		value = fields[key]
	}
	return value
}

const podPath = "spec.jobTemplate.spec.template.spec."

// containerCommands are the arguments of apsctl in the containers of a CronJob.
func containerCommands(t *testing.T, name, text string) (lines [][]string) {
	if name != "kubernetes.yaml" {
		return nil
	}
	var args []string
	for _, arg := range at(t, yamlDocuments(t, text)[1], podPath+"containers.args").([]any) {
		args = append(args, arg.(string))
	}
	return append(lines, args)
}

// TestOpsKubernetes: one pod at a time, one volume, nothing else to write on.
func TestOpsKubernetes(t *testing.T) {
	documents := yamlDocuments(t, opsFile(t, "kubernetes.yaml"))
	claim, job := documents[0], documents[1]
	for path, want := range map[string]any{
		"spec.concurrencyPolicy":                                        "Forbid",
		"spec.jobTemplate.spec.backoffLimit":                            0,
		podPath + "restartPolicy":                                       "Never",
		podPath + "securityContext.runAsNonRoot":                        true,
		podPath + "containers.securityContext.readOnlyRootFilesystem":   true,
		podPath + "containers.securityContext.allowPrivilegeEscalation": false,
		podPath + "volumes.persistentVolumeClaim.claimName":             at(t, claim, "metadata.name"),
		podPath + "containers.volumeMounts.name":                        at(t, job, podPath+"volumes.name"),
	} {
		if got := at(t, job, path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	if modes := at(t, claim, "spec.accessModes").([]any); len(modes) != 1 || modes[0] != "ReadWriteOnce" {
		t.Errorf("the volume is %v", modes)
	}
}

// TestOpsActionsArePinned: to a commit each.
func TestOpsActionsArePinned(t *testing.T) {
	text := opsFile(t, "github-actions.yaml")
	uses := regexp.MustCompile(`uses: .*`).FindAllString(text, -1)
	for _, line := range uses {
		if !regexp.MustCompile(`^uses: [\w/-]+@[0-9a-f]{40} # v[\d.]+$`).MatchString(line) {
			t.Errorf("it is not pinned: %s", line)
		}
	}
	if len(uses) == 0 {
		t.Error("there are no actions")
	}
}

func TestOpsSystemd(t *testing.T) {
	service := opsFile(t, "apsctl.service")
	wantIn(t, service, "\nUnsetEnvironment=DEBUG\n", "\nEnvironmentFile=/", "\nStateDirectory=apsctl\n", "\nProtectSystem=strict\n", "\nNoNewPrivileges=yes\n")
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("needs systemd-analyze to verify the units")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, text := range map[string]string{
		"apsctl.service": strings.ReplaceAll(service, "/usr/local/bin/apsctl", exe), "apsctl.timer": opsFile(t, "apsctl.timer"),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(tool, "verify", "--man=no", folder+"/apsctl.service", folder+"/apsctl.timer").CombinedOutput()
	if err != nil || bytes.Contains(out, []byte(folder)) {
		t.Errorf("%v: %s", err, out)
	}
}

// opsBench is a machine as the files want it: apsctl in the PATH, and a plan with
// passwords from the environment.
func opsBench(t *testing.T) *cloud {
	b := newBench(t)
	c := b.emulator()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b.write("bin/gh", "#!/bin/sh\nprintf '%s\\n' \"$@\" >\"$HOME/gh\"\n")
	b.write("home/.keep", "")
	if err := errors.Join(os.Symlink(exe, filepath.Join(b.dir, "bin/apsctl")), os.Chmod(filepath.Join(b.dir, "bin/gh"), 0o755)); err != nil {
		t.Fatal(err)
	}
	b.setenv("PATH", filepath.Join(b.dir, "bin")+":"+os.Getenv("PATH"))
	b.setenv("APSCTL_LEDGER", filepath.Join(b.dir, "state/ledger.db"))
	b.setenv("DEBUG", "dara")
	text := strings.Replace(planOf(2), "destination: {", "destination: {user: loader, password: {env: ADB_PASSWORD}, ", 1)
	b.write("migration/apsctl.yaml", text)
	b.write("migration/orders.yaml", text)
	b.write("orders.env", "ADB_PASSWORD='correct horse'\n")
	return c
}

// TestOpsCrontab carries out each line of the crontab, as cron would.
func TestOpsCrontab(t *testing.T) {
	c := opsBench(t)
	if err := os.Remove(filepath.Join(c.dir, "migration/apsctl.yaml")); err != nil {
		t.Fatal(err)
	}
	place := strings.NewReplacer("/srv/migration", c.dir+"/migration", "/etc/apsctl/orders.env", c.dir+"/orders.env",
		"/usr/local/bin/apsctl", c.dir+"/bin/apsctl", "/var/lib/apsctl", c.dir+"/state", `\%`, "%")
	entries := regexp.MustCompile(`(?m)^(?:[\d*,-]+ ){5} *(.+)$`).FindAllStringSubmatch(opsFile(t, "crontab"), -1)
	if len(entries) != 4 {
		t.Fatalf("got %d entries", len(entries))
	}
	for night := range 2 {
		for i, entry := range entries {
			if night == 1 && i == 2 {
				continue // a copy is never replaced
			}
			line := place.Replace(entry[1])
			r := c.shell(exitDone, line)
			if quiet := night == 1 || i > 0; quiet && r.stdout+r.stderr != "" {
				t.Errorf("night %d: %s makes mail: %s", night, line, r)
			}
		}
	}
	if s := c.stats(); s.Jobs != 2 || s.Duplicates != 0 {
		t.Errorf("got %+v", s)
	}
	if backups := c.files("state/ledger-20*.db"); len(backups) != 1 {
		t.Errorf("got the copies %v", backups)
	}
	c.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong")
	if r := c.shell(exitDone, place.Replace(entries[1][1])); !strings.Contains(r.stdout, "[E-") {
		t.Errorf("drift cannot look, and nobody is told: %s", r)
	}
}

// TestOpsGitHub carries out the steps of both jobs, with a gh that notes what it is
// told to do.
func TestOpsGitHub(t *testing.T) {
	c := opsBench(t)
	c.setenv("GITHUB_STEP_SUMMARY", filepath.Join(c.dir, "summary.md"))
	c.setenv("RUNNER_TEMP", c.dir)
	c.setenv("CHANGE", "https://github.com/example/migration/pull/7")
	c.setenv("ADB_PASSWORD", "correct horse")
	if err := os.Remove(filepath.Join(c.dir, "migration/orders.yaml")); err != nil {
		t.Fatal(err)
	}
	document := yamlDocuments(t, opsFile(t, "github-actions.yaml"))[0]
	for _, job := range []string{"plan", "apply"} {
		for _, step := range at(t, document, "jobs."+job+".steps").([]any) {
			if script, ok := step.(map[string]any)["run"].(string); ok {
				cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", script)
				cmd.Dir, cmd.Env = c.dir, slices.DeleteFunc(slices.Clone(c.env), func(v string) bool { return job == "plan" && strings.HasPrefix(v, "DEBUG=") })
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v: %s", script, err, out)
				}
			}
		}
		if job == "plan" {
			if s := c.stats(); s.Jobs != 0 {
				t.Errorf("the plan made %d jobs", s.Jobs)
			}
			wantIn(t, c.read("home/gh"), "pull/7", "--edit-last", c.dir+"/plan.md")
			wantIn(t, c.read("plan.md"), "job-0000", "2 to create")
		}
	}
	if s := c.stats(); s.Jobs != 2 {
		t.Errorf("got %d jobs", s.Jobs)
	}
	wantIn(t, c.read("summary.md"), "job-0000", "bulk")
}
