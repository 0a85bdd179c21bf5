package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const canary = "Canary+pass/word=%41 äß"

func TestLiteralPasswordIsRefusedAndNotPrinted(t *testing.T) {
	b := newBench(t)
	b.write("plan.yaml", "version: 1\nname: p\nregion: cn-hangzhou\njobs:\n  - name: a\n    source: {instance: pc-1, password: hunter2hunter2}\n"+
		"    destination: {instance: amv-1}\n    db_list: {EntireInstance: true}\n")
	r := b.want(exitInvalid, "validate", "plan.yaml")
	if strings.Contains(r.stdout+r.stderr, "hunter2") || !strings.Contains(r.stderr, "plan.yaml:6:") {
		t.Errorf("%s", r)
	}
}

func TestFiveMistakesAreReportedAtOnce(t *testing.T) {
	b := newBench(t)
	b.write("plan.yaml", `version: 1
name: p
regoin: cn-hangzhou
region: cn-hangzhou
jobs:
  - name: a
    soruce: {instance: pc-1}
    source: {instance: pc-1, password: literal}
    destination: {instance: amv-1}
    db_list: {EntireInstance: true}
  - name: a
    source: {instance: pc-1}
    destination: {}
    db_list: [1]
`)
	r := b.want(exitInvalid, "plan", "plan.yaml")
	for _, at := range []string{":3:1:", ":7:5:", ":8:", ":11:", ":13:", ":14:"} {
		if !strings.Contains(r.stderr, "plan.yaml"+at) {
			t.Errorf("no problem is reported at %s in %s", at, r)
		}
	}
	if !strings.Contains(r.stderr, `"region"`) || !strings.Contains(r.stderr, `"source"`) {
		t.Errorf("the nearest names are not suggested: %s", r)
	}
}

// TestNoSecretIsLeftAnywhere greps everything that a run with trouble of every
// kind wrote for the password and the access key's secret, in any encoding.
func TestNoSecretIsLeftAnywhere(t *testing.T) {
	b := newBench(t)
	const accessSecret = "canary-access-secret"
	cloud := b.emulator("--key", "mine:"+accessSecret)
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "mine")
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accessSecret)
	b.setenv("DB_PASSWORD", canary)
	cloud.setFaults(`
- {operation: CreateAPSJob, kind: status, status: 500, when: before, share: 0.3}
- {operation: CreateAPSJob, kind: drop, when: after, share: 0.3}
- {operation: CreateAPSJob, kind: html, when: before, share: 0.3}
`)
	b.write("plan.yaml", strings.ReplaceAll(planOf(20), "defaults:\n",
		"defaults:\n  source: {user: u, password: {env: DB_PASSWORD}}\n"))
	var shown strings.Builder
	for _, args := range [][]string{
		{"apply", "--yes", "--full", "--settle", "100ms", "plan.yaml"},
		{"apply", "--yes", "-o", "json", "--settle", "100ms", "plan.yaml"},
		{"plan", "--full", "plan.yaml"}, {"status", "--refresh"}, {"status", "-o", "json"},
	} {
		shown.WriteString(b.apsctl(args...).String())
	}
	if cloud.stats().Jobs == 0 {
		t.Fatal("nothing was created: the test proves nothing")
	}
	for _, secret := range []string{canary, accessSecret} {
		for _, form := range formsOf(secret) {
			if strings.Contains(shown.String(), form) {
				t.Errorf("the output has the secret, as %q", form)
			}
			for _, file := range b.filesWith(form) {
				t.Errorf("%s has the secret, as %q", file, form)
			}
		}
	}
}

// formsOf lists the forms in which a secret might be written.
func formsOf(secret string) []string {
	raw := []byte(secret)
	return []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret),
		base64.StdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw),
		hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)),
		secret[:len(secret)/2], secret[len(secret)/2:],
	}
}

func (b *bench) filesWith(form string) []string {
	b.Helper()
	var found []string
	err := filepath.WalkDir(b.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(form)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return found
}
