package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
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

const accessSecret = "canary-access-secret"

// providers are the ways to say where the password is; each returns what the
// plan says. The file that holds it is outside the bench's folder.
var providers = map[string]func(*bench) string{
	"env": func(b *bench) string {
		b.setenv("DB_PASSWORD", canary)
		return "{env: DB_PASSWORD}"
	},
	"file": func(b *bench) string { return "{file: " + canaryFile(b) + "}" },
	"command": func(b *bench) string {
		return `{command: [/bin/sh, -c, 'cat "$0"; cat "$0" >&2', ` + canaryFile(b) + "]}"
	},
	"kms": func(*bench) string { return "{kms: {secret: db, field: password}}" },
}

func canaryFile(b *bench) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "password")
	if err := os.WriteFile(path, []byte(canary+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// canaryBench is a folder with a plan whose password the provider gives, and an
// emulator, whose KMS keeps it in the field password of the secret db. Temporary files go to the folder, too.
func canaryBench(t *testing.T, password func(*bench) string, emulator ...string) *cloud {
	t.Helper()
	b := newBench(t)
	secrets := kmsSecrets(t, "- {name: db, data: '{\"password\": \""+canary+"\"}'}\n")
	cloud := b.emulator(append(emulator, "--key", "mine:"+accessSecret, "--secrets", secrets)...)
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "mine")
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accessSecret)
	b.setenv("TMPDIR", b.dir)
	b.write("plan.yaml", strings.ReplaceAll(planOf(20), "defaults:\n",
		"defaults:\n  source: {user: u, password: "+password(b)+"}\n"))
	return cloud
}

// wantNoCanary greps what was shown, and all files of the folder, for the
// password and the access key's secret.
func (c *cloud) wantNoCanary(shown string) {
	c.Helper()
	for _, secret := range []string{canary, accessSecret} {
		for _, form := range formsOf(secret) {
			if strings.Contains(shown, form) {
				c.Errorf("the output has the secret, as %q", form)
			}
			for _, file := range c.filesWith(form) {
				c.Errorf("%s has the secret, as %q", file, form)
			}
		}
	}
}

// TestNoSecretIsLeftAnywhere greps everything that a run with trouble of every
// kind wrote for the password and the access key's secret, in any encoding.
func TestNoSecretIsLeftAnywhere(t *testing.T) {
	for name, password := range providers {
		t.Run(name, func(t *testing.T) {
			cloud := canaryBench(t, password)
			cloud.setFaults(`
- {operation: CreateAPSJob, kind: status, status: 500, when: before, share: 0.3}
- {operation: CreateAPSJob, kind: drop, when: after, share: 0.3}
- {operation: CreateAPSJob, kind: html, when: before, share: 0.3}
`)
			var shown strings.Builder
			for _, args := range [][]string{
				{"apply", "--yes", "--full", "--settle", "100ms", "plan.yaml"},
				{"apply", "--yes", "-o", "json", "--settle", "100ms", "plan.yaml"},
				{"plan", "--full", "plan.yaml"}, {"status", "--refresh"}, {"status", "-o", "json"},
			} {
				shown.WriteString(cloud.apsctl(args...).String())
			}
			if cloud.stats().Jobs == 0 {
				t.Fatal("nothing was created: the test proves nothing")
			}
			cloud.wantNoCanary(shown.String())
		})
	}
}

// TestNoSecretIsLeftByACrash ends the program in the middle, once with the stacks
// of all its goroutines and once without a word: the ledger's log stays behind.
func TestNoSecretIsLeftByACrash(t *testing.T) {
	for name, password := range providers {
		for _, end := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL} {
			t.Run(name+"/"+end.String(), func(t *testing.T) {
				cloud := canaryBench(t, password, "--latency", "300ms") // so that it is not over before the signal comes
				p := cloud.start("apply", "--yes", "--rate", "0", "--parallel", "4", "plan.yaml")
				cloud.eventually("some jobs", func() bool { return cloud.stats().Jobs > 4 })
				_ = p.Process.Signal(end)
				r := p.result()
				if stacks := strings.Contains(r.stderr, "goroutine "); stacks != (end == syscall.SIGQUIT) {
					t.Fatalf("it did not end by the signal: %s", r)
				}
				if _, err := os.Stat(filepath.Join(cloud.dir, ledgerDefault+"-wal")); err != nil {
					t.Errorf("the ledger's log is not there to look at: %v", err)
				}
				cloud.wantNoCanary(r.String())
			})
		}
	}
}

// TestDebugOfTheCoreIsRefused: the core would print what it signs.
func TestDebugOfTheCoreIsRefused(t *testing.T) {
	for _, flag := range []string{"dara", "tea", "x,credential"} {
		t.Run(flag, func(t *testing.T) {
			cloud := canaryBench(t, providers["env"])
			cloud.setenv("DEBUG", flag)
			r := cloud.want(exitInvalid, "apply", "--yes", "plan.yaml")
			if !strings.Contains(r.stderr, "unset DEBUG") || strings.Contains(r.String(), "--endpoint") || cloud.creates() != 0 {
				t.Errorf("%d creates: %s", cloud.creates(), r)
			}
			if strings.Contains(strings.ToLower(r.String()), "authorization") {
				t.Errorf("a request was printed: %s", r)
			}
			cloud.wantNoCanary(r.String())
		})
	}
}

// TestLedgerDoesNotDependOnThePassword: of two runs that differ in the password
// alone, the ledgers are the same but for times and what is random.
func TestLedgerDoesNotDependOnThePassword(t *testing.T) {
	random := regexp.MustCompile(`_ms$|^(lineage|account|pid|nonce|run_id|request_id|aps_job_id)$`)
	date := regexp.MustCompile(`"signed_at":"[^"]*"`)
	b := canaryBench(t, providers["env"]).bench
	var first map[string]string
	for i, password := range []string{"a", "another, longer " + canary} {
		b.emulator("--key", "mine:"+accessSecret) // that knows no job
		b.setenv("DB_PASSWORD", password)
		b.setenv(ledgerVariable, fmt.Sprintf("%d.db", i))
		b.want(0, "apply", "--yes", "--parallel", "1", "plan.yaml")
		ledger := map[string]string{}
		for _, table := range []string{"meta", "runs", "entries", "attempts", "events", "sqlite_master"} {
			var got struct {
				Columns []string
				Rows    [][]any
			}
			r := b.want(0, "ledger", "sql", "-o", "json", "--rows", "0", "SELECT * FROM "+table)
			if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || len(got.Rows) == 0 {
				t.Fatalf("%v in %s", err, r)
			}
			for _, row := range got.Rows {
				for i, column := range got.Columns {
					if random.MatchString(column) || table == "runs" && column == "id" {
						row[i] = nil
					}
				}
			}
			ledger[table] = date.ReplaceAllString(fmt.Sprint(got.Columns, got.Rows), "")
		}
		if first == nil {
			first = ledger
		}
		if diff := cmp.Diff(first, ledger); diff != "" {
			t.Errorf("the ledger depends on the password:\n%s", diff)
		}
	}
}

// TestFilesArePrivateWhateverTheUmask: nothing that a run leaves is open to
// others, not even what was there before it, open to all.
func TestFilesArePrivateWhateverTheUmask(t *testing.T) {
	b := newBench(t)
	b.write("plan.yaml", planOf(3))
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"apply", "--emulator", "--yes", "plan.yaml"},
		{"ledger", "backup", "--emulator", ".apsctl/backup.db"},
	} {
		cmd := exec.Command("sh", append([]string{"-c", `umask 000; exec "$0" "$@"`, exe}, args...)...)
		cmd.Dir, cmd.Env = b.dir, b.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	seen := 0
	err = filepath.WalkDir(filepath.Join(b.dir, ".apsctl"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		seen++
		if info, err := entry.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil || seen < 6 {
		t.Errorf("looked at %d files, %v", seen, err)
	}
	open := filepath.Join(b.dir, "emergency")
	if err := errors.Join(os.WriteFile(open, nil, 0o666), os.Chmod(open, 0o666), appendDurably(open, []byte("x\n"))); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(open); err != nil || info.Mode() != 0o600 {
		t.Errorf("an emergency file that was there before has mode %v, %v", info.Mode(), err)
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
		strings.Trim(strconv.QuoteToASCII(secret), `"`), html.EscapeString(secret),
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
