package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/internal/secret"
)

// kmsSecrets is a file of the emulator's secrets, outside the bench's folder.
func kmsSecrets(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// applyWith runs apply on ten jobs with these references for their passwords, and
// returns all it said.
func (c *cloud) applyWith(source, destination string) string {
	c.Helper()
	c.write("plan.yaml", strings.Replace(planOf(10), "destination: {instance: amv-1}",
		"source: {password: "+source+"}\n  destination: {instance: amv-1, password: "+destination+"}", 1))
	r := c.apsctl("apply", "--yes", "--full", "--rate", "0", "--settle", "100ms", "plan.yaml")
	return r.String()
}

// TestNoSecretOfKMSIsLeftAnywhere greps all that runs with trouble wrote for
// passwords that KMS keeps, a whole secret and a field of one.
func TestNoSecretOfKMSIsLeftAnywhere(t *testing.T) {
	b := newBench(t)
	const whole, field = "Whole+c4nary%41ä", "Field/c4nary=&\\u00e9"
	cloud := b.emulator("--secrets", kmsSecrets(t, "- {name: whole, data: '"+whole+"'}\n"+
		"- {name: object, data: '{\"user\": \"u\", \"password\": \""+field+"\"}'}\n- {name: key, data: AAEC, type: binary}\n"))
	ref := func(name, field string) string {
		if field == "" {
			return "{kms: {secret: " + name + "}}"
		}
		return "{kms: {secret: " + name + ", field: " + field + "}}"
	}
	cloud.setFaults("- {operation: GetSecretValue, kind: status, status: 403, code: Forbidden.NoPermission, count: 1}\n")
	said := cloud.applyWith(ref("whole", ""), ref("object", "password"))
	if !strings.Contains(said, "kms:GetSecretValue") || cloud.creates() != 0 {
		t.Errorf("%d creates without permission to read the password: %s", cloud.creates(), said)
	}
	for part, wrong := range map[string]string{
		"not one JSON object": ref("whole", "password"), "no field of that name": ref("object", "Password"),
		"binary": ref("key", ""), "no secret of that name": ref("other", ""),
	} {
		now := cloud.applyWith(wrong, ref("whole", ""))
		if said += now; !strings.Contains(now, part) {
			t.Errorf("%q is not said in %s", part, now)
		}
	}
	if n := cloud.creates(); n != 0 {
		t.Errorf("%d creates without a password", n)
	}
	before := cloud.stats().Actions["GetSecretValue"].Calls
	cloud.setFaults(`
- {operation: GetSecretValue, kind: throttle, code: Rejected.Throttling, status: 429, count: 1}
- {operation: GetSecretValue, kind: cut, count: 1}
- {operation: CreateAPSJob, kind: status, status: 500, when: before, share: 0.3}
- {operation: CreateAPSJob, kind: drop, when: after, share: 0.3}
`)
	said += cloud.applyWith(ref("object", "password"), ref("whole", ""))
	if s := cloud.stats(); s.Jobs == 0 || s.Actions["GetSecretValue"].Calls-before != 4 {
		t.Errorf("%d jobs, KMS was asked %d times, want 4: %s", s.Jobs, s.Actions["GetSecretValue"].Calls-before, said)
	}
	for _, text := range []string{whole, strings.ReplaceAll(field, `\u00e9`, "é")} {
		for _, form := range formsOf(text) {
			if strings.Contains(said, form) {
				t.Errorf("the output has the secret, as %q", form)
			}
			for _, file := range b.filesWith(form) {
				t.Errorf("%s has the secret, as %q", file, form)
			}
		}
	}
}

// TestKMSOfTheEmulator: with --emulator, and beside any loopback endpoint, no
// other KMS is asked.
func TestKMSOfTheEmulator(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll(emulatorFolder, 0o700); err != nil {
		t.Fatal(err)
	}
	inFolder := func() (string, error) {
		service, err := newApp(nil, nil, nil).openService(target{emulator: true}, 0)
		if err != nil {
			return "", err
		}
		defer service.close()
		v, err := service.SecretValue(t.Context(), secret.KMS{Secret: "db", Region: "cn-hangzhou"})
		return v.Reveal(), err
	}
	if _, err := inFolder(); err == nil || !strings.Contains(err.Error(), "no secret of that name") {
		t.Errorf("without a file: got %v", err)
	}
	for content, want := range map[string]string{"- {name: db, data: from-the-folder}\n": "from-the-folder", "- {name: db}\n": ""} {
		if err := os.WriteFile(filepath.Join(emulatorFolder, "secrets.yaml"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := inFolder(); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", content, got, err)
		}
	}
	for _, bad := range []target{
		{emulator: true, kms: "https://kms.cn-hangzhou.aliyuncs.com"},
		{endpoint: "http://127.0.0.1:1", kms: "https://kms.cn-hangzhou.aliyuncs.com"},
	} {
		_, err := newApp(nil, nil, nil).openService(bad, 0)
		if code, _ := classify(err); code != exitInvalid {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}
