package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readmePlan returns the plan of a migration that the README shows.
func readmePlan(t *testing.T) string {
	t.Helper()
	_, text, ok := strings.Cut(readme(t), "```yaml\n")
	if !ok {
		t.Fatal("the README shows no plan")
	}
	text, _, _ = strings.Cut(text, "```\n")
	return text
}

// TestReadmeIsEnough does in an empty folder what the README says to somebody new,
// line by line, up to where the real service is meant.
func TestReadmeIsEnough(t *testing.T) {
	b := newBench(t)
	text := readme(t)
	_, own, _ := strings.Cut(text, "## A plan of your own\n")
	own, _, _ = strings.Cut(own, "\n## ")
	b.write("migration.yaml", readmePlan(t))
	var script, doctor []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(own, -1) {
		for line := range strings.Lines(block[1]) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
			switch {
			case strings.HasPrefix(line, "apsctl apply migration"):
				continue
			case strings.HasPrefix(line, "apsctl doctor"):
				doctor = append(doctor, line)
				continue
			}
			script = append(script, strings.Replace(line, "apply --emulator", "apply --emulator --yes", 1))
		}
	}
	r := b.shell(exitDone, strings.Join(script, " && "))
	wantIn(t, r.stdout, "1 created of 1 job", "invoices  created", "17 to create", "17 created of 17 jobs")
	wantIn(t, b.want(exitDone, "apply", "--emulator", "--yes").stdout, "Nothing to do")
	if len(doctor) != 1 {
		t.Fatalf("doctor is in it as %q", doctor)
	}
	b.emulator() // in place of the real service
	b.setenv("POLARDB_PASSWORD", "anything")
	b.setenv("ADB_PASSWORD", "anything")
	wantIn(t, b.shell(exitDone, doctor[0]).stdout, "service")
}

// TestReadmeIsTrue: it lists every command, no flag that does not exist, and links
// to files that do.
func TestReadmeIsTrue(t *testing.T) {
	text := readme(t)
	flags := map[string]bool{}
	root := newRoot(newApp(strings.NewReader(""), os.Stdout, os.Stderr))
	eachCommand(root, func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		for _, flag := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(cmd.LocalFlags().FlagUsages(), -1) {
			flags[flag] = true
		}
		if cmd.Parent() == root && !regexp.MustCompile("(?m)^\\|.*`"+cmd.Name()+"\\b.*\\|").MatchString(text) {
			t.Errorf("there is no row for %s", cmd.Name())
		}
	})
	for _, flag := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(text, -1) {
		if !flags[flag] {
			t.Errorf("there is no %s", flag)
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("../..", link[1])); err != nil {
			t.Errorf("the link leads nowhere: %v", err)
		}
	}
}
