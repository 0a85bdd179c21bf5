package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What validate says as JSON is an interface: fields are added, never renamed.
var (
	badPlan = `version: 1
name: p
regoin: 100%
jobs: []
`
	badPlanJSON = `{
  "valid": false,
  "jobs": 0,
  "problems": [
    {
      "file": "bad.yaml",
      "line": 3,
      "column": 1,
      "severity": "error",
      "message": "unknown key \"regoin\" in the plan",
      "hint": "did you mean \"region\"?",
      "code": "E-PLAN"
    },
    {
      "file": "bad.yaml",
      "line": 3,
      "column": 9,
      "severity": "error",
      "message": "region cannot be \"100%\"",
      "hint": "a region is an id such as cn-hangzhou",
      "code": "E-PLAN"
    }
  ]
}
`
	oddPlan = `version: 1
name: p
region: cn-hangzhou
defaults: {destination: {instance: amv-1}, db_list: {EntireInstance: true}}
jobs:
  - {name: one, source: {instance: pc-1}}
  - {name: two, source: {instance: pc-1}}
`
)

func TestValidateAsJSON(t *testing.T) {
	b := newBench(t)
	b.write("bad.yaml", badPlan)
	b.write("odd.yaml", oddPlan)
	b.write("good.yaml", "version: 1\nname: p\njobs: []\n")

	r := b.want(exitInvalid, "validate", "-o", "json", "bad.yaml")
	if diff := cmp.Diff(badPlanJSON, r.stdout); diff != "" || r.stderr != "" {
		t.Errorf("%s%s", diff, r.stderr)
	}

	r = b.want(0, "validate", "-o", "json", "odd.yaml")
	var odd struct {
		Valid    bool
		Plan     string
		Jobs     int
		Problems []struct {
			File, Severity, Message string
			Line, Column            int
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &odd); err != nil {
		t.Fatalf("%v in %s", err, r)
	}
	if !odd.Valid || odd.Plan != "p" || odd.Jobs != 2 || len(odd.Problems) != 1 {
		t.Fatalf("%s", r)
	}
	p := odd.Problems[0]
	if p.File != "odd.yaml" || p.Line != 7 || p.Column == 0 || p.Severity != "warning" || !strings.Contains(p.Message, `"one"`) {
		t.Errorf("%s", r)
	}

	r = b.want(0, "validate", "-o", "json", "good.yaml")
	if want := "{\n  \"valid\": true,\n  \"plan\": \"p\",\n  \"jobs\": 0,\n  \"problems\": []\n}\n"; r.stdout != want || r.stderr != "" {
		t.Errorf("%s", r)
	}
	if r = b.want(exitInvalid, "validate", "-o", "json", "none.yaml"); !strings.Contains(r.stdout, `"line": 0`) {
		t.Errorf("a file that is not there: %s", r)
	}
}

// TestValidateExamplesOfJQ runs what the help suggests for CI.
func TestValidateExamplesOfJQ(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip(err)
	}
	examples := regexp.MustCompile(`(?s)\| jq (?:-r )?'(.*?)'`).FindAllStringSubmatch(newValidateCommand(&app{}).Example, -1)
	wants := []string{
		"\nbad.yaml:3: region cannot be",
		`::error file=bad.yaml,line=3,col=9::region cannot be "100%25"`,
		`"severity": "blocker"`,
	}
	if len(examples) != len(wants) {
		t.Fatalf("the help has %d examples", len(examples))
	}
	for i, example := range examples {
		cmd := exec.Command(jq, "-r", example[1])
		cmd.Stdin = strings.NewReader(badPlanJSON)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains("\n"+string(out), wants[i]) {
			t.Errorf("%s\nprints %v\n%s\nwant %s", example[1], err, out, wants[i])
		}
	}
}
