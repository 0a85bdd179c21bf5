package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// complete asks for completions as a shell does: the last of args is what was typed
// so far. They come without their descriptions, and without the directive's name.
func (b *bench) complete(args ...string) (words []string, directive string) {
	b.Helper()
	r := b.want(exitDone, append([]string{"__completeNoDesc"}, args...)...)
	lines := strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
	if strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "Completion ended") {
		b.Errorf("%q says more than words: %s", args, r)
	}
	last := len(lines) - 1
	return lines[:last], lines[last]
}

const (
	completeWords   = ":4" // no files
	completeNoSpace = ":6"
	completeFiles   = ":0"
)

func TestCompletion(t *testing.T) {
	b := newBench(t)
	b.write("plan.yaml", `
version: 1
name: shop
region: cn-hangzhou
defaults:
  destination: {instance: am-1}
  db_list: {EntireInstance: true}
jobs:
  - name: orders-00
    source: {instance: pc-1}
    labels: {team: orders, tier: gold}
  - name: orders-01
    source: {instance: pc-2}
    labels: {team: billing}
  - name: users
    source: {instance: pc-2}
`)
	b.want(exitDone, "apply", "--emulator", "--yes", "plan.yaml")
	run := strings.Fields(b.want(exitDone, "runs", "--emulator").stdout)
	var id string
	for _, word := range run {
		if strings.HasPrefix(word, "20") && strings.Contains(word, "Z-") {
			id = word
		}
	}
	names := []string{"orders-00", "orders-01", "users"}
	for _, test := range []struct {
		args      string
		words     []string
		directive string
	}{
		{"status --emulator u", []string{"users"}, completeWords},
		{"wait --emulator orders-", names[:2], completeWords},
		{"start --emulator team=", []string{"team=billing", "team=orders"}, completeWords},
		{"suspend --emulator team!=o", []string{"team!=orders"}, completeWords},
		{"delete --emulator label.tier=", []string{"label.tier=gold"}, completeWords},
		{"delete --emulator t", []string{"team=", "tier="}, completeNoSpace},
		{"delete --emulator team=orders,sour", []string{"team=orders,source="}, completeNoSpace},
		{"delete --emulator team=orders,source=", []string{"team=orders,source=pc-1", "team=orders,source=pc-2"}, completeWords},
		{"status --emulator state=cr", []string{"state=created"}, completeWords},
		{"status --emulator --plan s", []string{"shop"}, completeWords},
		{"status --emulator --plan other u", nil, completeNoSpace},
		{"status --emulator --exclude or", names[:2], completeWords},
		{"apply --emulator plan.yaml --target region=", []string{"region=cn-hangzhou"}, completeWords},
		{"plan --emulator --target destination=", []string{"destination=am-1"}, completeWords},
		{"ledger show --emulator o", names[:2], completeWords},
		{"ledger show --emulator users o", nil, completeWords},
		{"ledger mv --emulator u", []string{"users"}, completeWords},
		{"ledger list --emulator s", []string{"shop"}, completeWords},
		{"ledger list --emulator --state ", stateWords(), completeWords},
		{"report --emulator s", []string{"shop"}, completeWords},
		{"resolve --emulator --adopt us", []string{"users="}, completeNoSpace},
		{"resolve --emulator --absent us", []string{"users"}, completeWords},
		{"runs --emulator 2", []string{id}, ":36"},
		{"runs --emulator --diff ", []string{id, "last"}, ":36"},
		{"apply --allow ", []string{"replace", "delete", "suspend"}, completeWords},
		{"apply --on-unknown ", []string{"recreate", "hold"}, completeWords},
		{"apply --adopt ", nil, completeFiles}, // takes no value here: a FILE follows
		{"apply --max-runtime ", nil, completeWords},
		{"apply --ledger ", nil, completeFiles},
		{"emulator --list-order ", []string{"newest", "oldest", "id"}, completeWords},
	} {
		args := strings.Split(test.args, " ")
		words, directive := b.complete(args...)
		if diff := cmp.Diff(strings.Join(test.words, " "), strings.Join(words, " ")); diff != "" || directive != test.directive {
			t.Errorf("%s: got %s, want %s%s", test.args, directive, test.directive, diff)
		}
	}
}

// TestCompletionIsBounded: a ledger of many jobs offers some of them.
func TestCompletionIsBounded(t *testing.T) {
	b := newBench(t)
	b.write("plan.yaml", `
version: 1
name: many
region: cn-hangzhou
generate:
  - range: {from: 1, to: 150, width: 3}
    job: {name: "job-${item}", source: {instance: "pc-${item}"}, destination: {instance: am-1}, db_list: {EntireInstance: true}}
`)
	b.want(exitDone, "apply", "--emulator", "--yes", "--rate", "0", "plan.yaml")
	if words, _ := b.complete("start", "--emulator", "job-"); len(words) != completionMax {
		t.Errorf("got %d words, want %d", len(words), completionMax)
	}
	if words, _ := b.complete("start", "--emulator", "job-15"); fmt.Sprint(words) != "[job-150]" {
		t.Errorf("got %s", words)
	}
}

// TestCompletionKeepsQuietOnTrouble: a ledger that is missing or no ledger offers
// nothing, says nothing and is left as it is.
func TestCompletionKeepsQuietOnTrouble(t *testing.T) {
	b := newBench(t)
	b.write("noledger", "this is not SQLite")
	for _, ledger := range []string{"noledger", "missing", "folder/missing", "."} {
		if words, _ := b.complete("ledger", "show", "--ledger", ledger, "o"); len(words) > 0 {
			t.Errorf("%s: got %s", ledger, words)
		}
	}
	files, err := filepath.Glob(filepath.Join(b.dir, "*"))
	if err != nil || len(files) != 1 {
		t.Errorf("it left files: %s, %v", files, err)
	}
	if text, _ := os.ReadFile(files[0]); string(text) != "this is not SQLite" {
		t.Errorf("it changed the file: %q", text)
	}
}

// TestTypeable: what a shell would take for something else is not offered.
func TestTypeable(t *testing.T) {
	for word, want := range map[string]bool{
		"orders-00": true, "订单": true, "a.b/c:d@e": true,
		"-rf": false, "$(reboot)": false, "a b": false, "a\tb": false, "a\nb": false, "a;b": false, "'a'": false, "a*": false, "\x1b[31m": false, "a\u202eb": false,
	} {
		if typeable(word) != want {
			t.Errorf("%q: got %v", word, !want)
		}
	}
}
