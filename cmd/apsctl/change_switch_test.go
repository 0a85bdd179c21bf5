package main

import (
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

// changePlan is a plan before and after each kind of change: of objects, of the
// source, of the state, and a job that leaves.
func changePlan(changed bool) string {
	objects, source, state, leaves := "{EntireInstance: true}", "pc-2", "running", "  - {name: leaves, source: {instance: pc-4}}\n"
	if changed {
		objects, source, state, leaves = "{shop: {all: true}}", "pc-9", "suspended", ""
	}
	return `version: 1
name: changes
region: cn-hangzhou
defaults:
  destination: {instance: amv-1}
  db_list: {EntireInstance: true}
jobs:
  - {name: stays, source: {instance: pc-0}, state: running}
  - {name: objects, source: {instance: pc-1}, state: running, db_list: ` + objects + `}
  - {name: unput, source: {instance: pc-5}, db_list: ` + objects + `}
  - {name: source, source: {instance: ` + source + `}, state: running}
  - {name: put, source: {instance: pc-3}, state: ` + state + `}
` + leaves
}

// TestChangesUnderEverySwitch carries out every kind of change under each answer
// that the documentation leaves open (docs/emulator.md).
func TestChangesUnderEverySwitch(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string]string{
		"strict":                 "",
		"modify when it rests":   "--modify-needs-suspended",
		"delete when it rests":   "--delete-needs-suspended",
		"both when it rests":     "--modify-needs-suspended --delete-needs-suspended --business-errors http200",
		"rests, started by hand": "--modify-needs-suspended --needs-start",
		"rests, repeats allowed": "--modify-needs-suspended --repeat-allowed",
		"started by hand":        "--needs-start",
		"repeats allowed":        "--repeat-allowed",
		"omitted lists are kept": "--omitted-partitions keep",
		"details as strings":     "--detail-form string --detail-mode string",
		"details as sent":        "--detail-keys as-sent",
		"unknown ids are empty":  "--unknown-detail empty",
		"refusals with HTTP 200": "--business-errors http200",
		"details before lists":   "--list-lag 300ms --detail-at-once",
		"lists lag":              "--list-lag 300ms",
		"oldest first":           "--list-order oldest --page-cap 2",
		"pages are refused":      "--list-order id --page-cap 30 --page-cap-mode refuse",
		"names exact":            "--name-filter exact",
		"names by prefix":        "--name-filter prefix",
		"no second of a name":    "--duplicate-names refuse",
		"quota by hint":          "--quota 40 --quota-hint retry-after --quota-status 429",
		"quota without a hint":   "--quota 40 --quota-status 503 --quota-code Throttling",
	} {
		t.Run(name, func(t *testing.T) {
			oneSwitchIfShort(t, switches)
			b := newBench(t)
			c := b.emulator(append([]string{"--initializing", "1ms"}, strings.Fields(switches)...)...)
			settle := "400ms"
			if strings.Contains(switches, "--list-lag") {
				settle = "2s" // requests are dated in whole seconds, and a busy machine takes its time
			}
			apply := []string{"apply", "--yes", "--settle", settle, "--allow", "replace,delete,suspend"}
			b.write("apsctl.yaml", changePlan(false))
			b.want(0, apply...)
			before := b.ids()
			if strings.Contains(switches, "--list-lag") {
				c.showAll() // what is not listed yet is not deleted
			}
			b.write("apsctl.yaml", changePlan(true))
			r := b.want(0, apply...)
			if !strings.Contains(r.stdout, "2 updated, 1 replaced, 1 suspended, 1 kept of 5 jobs, and 1 deleted of those that left") {
				t.Errorf("apply says something else: %s", r)
			}
			b.want(0, "plan", "--refresh", "all", "--detailed-exitcode")
			if s := c.stats(); s.Jobs != 5 || s.Duplicates != 0 {
				t.Errorf("the service has %+v", s)
			}
			after := b.ids()
			for _, name := range []string{"stays", "objects", "unput", "put"} {
				if after[name] != before[name] {
					t.Errorf("%s was %s and is %s", name, before[name], after[name])
				}
			}
			for _, job := range c.details() {
				resting := plan.ClassOf(job.Status) == plan.ClassSuspended
				if changed := job.Name == "objects" || job.Name == "unput"; resting != (job.Name == "put") ||
					plan.SameJSON(job.DBList, `{"shop":{"all":true}}`) != changed {
					t.Errorf("%s is %s and has %s", job.Name, job.Status, job.DBList)
				}
			}
		})
	}
}

// TestRunningJobIsNotSuspendedUnasked: what has to rest to be changed is left as it
// is, and the way out is named.
func TestRunningJobIsNotSuspendedUnasked(t *testing.T) {
	b := newBench(t)
	c := b.emulator("--initializing", "1ms", "--modify-needs-suspended")
	b.write("apsctl.yaml", changePlan(false))
	apply := []string{"apply", "--yes", "--settle", "200ms"}
	b.want(0, apply...)
	b.write("apsctl.yaml", strings.Replace(changePlan(false), "pc-1}, state: running, db_list: {EntireInstance: true}", "pc-1}, state: running, db_list: {shop: {all: true}}", 1))
	if r := b.apsctl(apply...); r.code == 0 || !strings.Contains(r.stdout+r.stderr, "--allow suspend") {
		t.Errorf("the way out is not named: %s", r)
	}
	for _, job := range c.details() {
		if plan.ClassOf(job.Status) == plan.ClassSuspended {
			t.Errorf("%s was suspended", job.Name)
		}
	}
	b.want(0, append(apply, "--allow", "suspend")...)
}

// oneSwitchIfShort leaves out, with -short, all but the emulator without a switch: the
// answers are others then, and not who is at work at the same time.
func oneSwitchIfShort(t *testing.T, switches string) {
	t.Helper()
	if testing.Short() && switches != "" {
		t.Skip("it is the same work")
	}
}
