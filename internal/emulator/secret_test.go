package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const secretCanary = `{"user":"u","password":"S3cr3t-c4n4ry"}`

func TestGetSecretValue(t *testing.T) {
	clock := newClock()
	var log bytes.Buffer
	state := filepath.Join(t.TempDir(), "state")
	c, server := open(t, Options{
		Now: clock.now, State: state, Log: slog.New(slog.NewJSONHandler(&log, nil)),
		Secrets: []Secret{
			{Name: "prod/db", Data: secretCanary},
			{Name: "prod/db", Data: "before", Stage: "ACSPrevious", Version: "v0"},
			{Name: "key", Data: "AAECAw==", Type: SecretBinary},
		},
	})
	wantBody(t, "the current one", c.ok("GetSecretValue", map[string]string{"SecretName": "prod/db"}).without(), map[string]any{
		"SecretName": "prod/db", "SecretType": "Generic", "SecretData": secretCanary, "SecretDataType": "text",
		"VersionId": "v1", "VersionStages": map[string]any{"VersionStage": []any{"ACSCurrent"}}, "CreateTime": "2026-01-02T03:04:05Z",
	})
	if got := c.ok("GetSecretValue", map[string]string{"SecretName": "prod/db", "VersionStage": "ACSPrevious"}); got.text("SecretData") != "before" || got.text("VersionId") != "v0" {
		t.Errorf("got %s", got.raw)
	}
	if got := c.ok("GetSecretValue", map[string]string{"SecretName": "key", "VersionStage": "ACSCurrent"}); got.text("SecretDataType") != "binary" {
		t.Errorf("got %s", got.raw)
	}
	c.refused("GetSecretValue", map[string]string{"SecretName": "Prod/db"}, 404, "Forbidden.ResourceNotFound")
	c.refused("GetSecretValue", map[string]string{"SecretName": "prod/db", "VersionStage": "acscurrent"}, 404, "Forbidden.ResourceNotFound")
	c.refused("GetSecretValue", map[string]string{}, 400, "MissingSecretName")
	for _, name := range []string{"RegionId", "VersionId", "Field"} {
		c.refused("GetSecretValue", map[string]string{"SecretName": "prod/db", name: "cn-hangzhou"}, 400, "InvalidParameter")
	}
	bad := *c
	bad.secret = "wrong"
	bad.refused("GetSecretValue", map[string]string{"SecretName": "prod/db"}, 400, "SignatureDoesNotMatch")
	bad = *c
	bad.version = "2021-12-01"
	bad.refused("GetSecretValue", map[string]string{"SecretName": "prod/db"}, 400, "ApiVersionForbidden")
	bad = *c
	bad.method = "GET"
	if got := bad.call("GetSecretValue", map[string]string{"SecretName": "prod/db"}); got.status != 400 {
		t.Errorf("GET: got %s", got.raw)
	}
	pages := log.String()
	for _, page := range []string{"stats", "jobs", "faults"} {
		response, err := http.Get(c.url + "/_emulator/" + page)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		pages += string(text)
	}
	stats, _ := json.Marshal(server.Stats())
	kept, _ := os.ReadFile(state)
	if strings.Contains(pages+string(stats)+string(kept), "c4n4ry") {
		t.Error("the secret is in a log, a page or the state")
	}
	if got := server.Stats().Actions["GetSecretValue"]; got.AnsweredOK != 3 || got.Refused == 0 {
		t.Errorf("got %+v", got)
	}
}

func TestLoadSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.yaml")
	for text, want := range map[string]string{
		"- {name: a, data: S3cr3t-c4n4ry}\n- {name: a, data: x, stage: ACSPrevious}\n": "",
		`[{"name":"b","data":"AAECAw==","type":"binary"}]`:                             "",
		"[]": "",
		"":   "want one list",
		"- {name: a, data: S3cr3t-c4n4ry, region: x}":           "want one list",
		"- {name: a, data: [S3cr3t-c4n4ry]}":                    "want one list",
		"S3cr3t-c4n4ry":                                         "want one list",
		"[]\n---\n[]":                                           "want one list",
		"- {name: a, data: 'S3cr3t-c4n4ry":                      "want one list",
		"- {name: a}":                                           "0 bytes",
		"- {data: S3cr3t-c4n4ry}":                               "name",
		"- {name: a b, data: S3cr3t-c4n4ry}":                    "name",
		"- {name: a, data: S3cr3t-c4n4ry, type: x}":             "type",
		"- {name: a, data: S3cr3t-c4n4ry, type: binary}":        "not base64",
		"- {name: a, data: " + strings.Repeat("x", 30721) + "}": "30721 bytes",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := LoadSecrets(path)
		if err == nil {
			_, err = newVault(got, newClock().now())
		}
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "c4n4ry")) {
			t.Errorf("%.60q: got %v, want %q", text, err, want)
		}
	}
	if _, err := Open(Options{Secrets: []Secret{{Name: "a", Data: "x"}, {Name: "a", Data: "y"}}}); err == nil {
		t.Error("no error for two current versions of a secret")
	}
}

func FuzzSecrets(f *testing.F) {
	f.Add("- {name: a, data: b, type: text, stage: ACSCurrent, version: v1}\n")
	f.Add(`[{"name":"b","data":"AAECAw==","type":"binary"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		secrets, err := parseSecrets([]byte(text))
		if err != nil {
			return
		}
		for _, s := range secrets {
			if s.Name == "" || s.Data == "" || s.Stage == "" {
				t.Errorf("%q: got %+v", text, s)
			}
		}
	})
}
