package aps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	credential "github.com/aliyun/credentials-go/credentials"

	"github.com/apsctl/apsctl/plan"
)

// home gives the test an empty home folder and no keys in the environment.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	for _, name := range []string{
		"ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN", "ROLE_ARN", "OIDC_PROVIDER_ARN", "OIDC_TOKEN",
		"OIDC_TOKEN_FILE", "CONFIG_FILE", "PROFILE", "CLI_PROFILE_DISABLED", "CREDENTIALS_FILE",
		"ECS_METADATA", "CREDENTIALS_URI",
	} {
		t.Setenv("ALIBABA_CLOUD_"+name, "")
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func idOf(t *testing.T, c Credentials) string {
	t.Helper()
	model, err := c.GetCredential()
	if err != nil {
		t.Fatalf("GetCredential: %v", err)
	}
	return *model.AccessKeyId
}

const cliConfig = `{"current":"daily","profiles":[
	{"name":"daily","mode":"AK","access_key_id":"cliDaily","access_key_secret":"s"},
	{"name":"prod","mode":"StsToken","access_key_id":"cliProd","access_key_secret":"s","sts_token":"t"}]}`

func TestDefaultChain(t *testing.T) {
	dir := home(t)
	c := DefaultCredentials("")
	if _, err := c.GetCredential(); err == nil {
		t.Fatal("a key from nowhere")
	}
	// The same object finds a key that comes later: it does not stay with the
	// last provider.
	write(t, filepath.Join(dir, ".aliyun/config.json"), cliConfig)
	if got := idOf(t, c); got != "cliDaily" {
		t.Errorf("CLI profile: got %s", got)
	}
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "envID")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "envSecret")
	if got := idOf(t, DefaultCredentials("")); got != "envID" {
		t.Errorf("environment: got %s", got)
	}
}

func TestRenewLooksAgain(t *testing.T) {
	dir := home(t)
	write(t, filepath.Join(dir, ".aliyun/config.json"), cliConfig)
	c := DefaultCredentials("prod")
	idOf(t, c)
	write(t, filepath.Join(dir, ".aliyun/config.json"), strings.ReplaceAll(cliConfig, "cliProd", "rotated"))
	if got := idOf(t, c); got != "cliProd" {
		t.Errorf("before: got %s", got)
	}
	c.(renewer).Renew()
	if got := idOf(t, c); got != "rotated" {
		t.Errorf("after: got %s", got)
	}
}

func TestNamedProfile(t *testing.T) {
	dir := home(t)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "envID") // not meant by who names a profile
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "envSecret")
	write(t, filepath.Join(dir, ".aliyun/config.json"), cliConfig)
	write(t, filepath.Join(dir, ".alibabacloud/credentials"), "[batch]\ntype=access_key\naccess_key_id=iniBatch\naccess_key_secret=s\n")
	for profile, want := range map[string]string{"prod": "cliProd", "daily": "cliDaily", "batch": "iniBatch"} {
		c := DefaultCredentials(profile)
		if got := idOf(t, c); got != want {
			t.Errorf("%s: got %s, want %s", profile, got, want)
		}
		if got := idOf(t, c); got != want {
			t.Errorf("%s again: got %s, want %s", profile, got, want)
		}
	}
	_, err := DefaultCredentials("nightly").GetCredential()
	if err == nil {
		t.Fatal("no error")
	}
	has(t, err.Error(), `"nightly"`, "~/.aliyun/config.json", "aliyun configure --profile")
	if os.Getenv("ALIBABA_CLOUD_PROFILE") != "" {
		t.Error("the environment was changed")
	}
}

func TestAdviceNamesThePlaceAndNoValue(t *testing.T) {
	dir := home(t)
	// The library quotes a file that it cannot read.
	write(t, filepath.Join(dir, ".aliyun/config.json"), `{"profiles": hunter2`)
	for _, profile := range []string{"", "prod"} {
		c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") },
			func(o *Options) { o.Credentials = DefaultCredentials(profile) })
		got := c.Create(t.Context(), request())
		wantVerdict(t, got, plan.VerdictNotSent, plan.FailureCredentials, "config.json")
		_, err := c.List(t.Context(), region, false)
		var failed *plan.CallError
		if !errors.As(err, &failed) || failed.Failure != plan.FailureCredentials {
			t.Errorf("list: got %v", err)
		}
		if strings.Contains(got.Why+err.Error(), "hunter2") {
			t.Errorf("a value is shown: %s, %v", got.Why, err)
		}
	}
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "hunter2")
	_, err := DefaultCredentials("").GetCredential()
	if err == nil || !strings.Contains(err.Error(), "ALIBABA_CLOUD_ACCESS_KEY_ID is set but ALIBABA_CLOUD_ACCESS_KEY_SECRET is not") {
		t.Errorf("got %v", err)
	}
}

// source is a scripted Credentials.
type source struct {
	mu      sync.Mutex
	renewed int
	token   func(renewed int) string
	err     error
	wait    chan struct{}
}

func (s *source) GetCredential() (*credential.CredentialModel, error) {
	if s.wait != nil {
		<-s.wait
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	return StaticCredentials("testAK", "testSecret", s.token(s.renewed)).GetCredential()
}

func (s *source) Renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed++
}

// tokens accepts requests that are signed with one of good, and refuses others
// for their token.
func tokens(good string, success string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Acs-Security-Token") != good {
			answer(400, errorBody("InvalidSecurityToken.Expired"))(w, r)
			return
		}
		answer(200, success)(w, r)
	}
}

func TestTokenIsRenewedForACreate(t *testing.T) {
	s := &source{token: func(n int) string { return fmt.Sprint("token", n) }}
	c := serve(t, tokens("token1", `{"ApsJobId":"aps-1"}`), func(o *Options) { o.Credentials = s })
	wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictRejected, plan.FailureTemporary, "a new one is fetched")
	wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictCreated, plan.FailureNone, "")
	if s.renewed != 1 {
		t.Errorf("renewed %d times", s.renewed)
	}
}

func TestTokenThatStaysRefused(t *testing.T) {
	s := &source{token: func(int) string { return "old" }}
	c := serve(t, tokens("new", ""), func(o *Options) { o.Credentials = s })
	wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictRejected, plan.FailureTemporary, "")
	for range 3 {
		wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictRejected, plan.FailureCredentials, "refused")
	}
	if s.renewed != 1 {
		t.Errorf("renewed %d times, want once", s.renewed)
	}
	static := serve(t, tokens("new", ""), func(o *Options) { o.Credentials = StaticCredentials("a", "b", "old") })
	wantVerdict(t, static.Create(t.Context(), request()), plan.VerdictRejected, plan.FailureCredentials, "refused")
}

func TestTokenIsRenewedForARead(t *testing.T) {
	var calls atomic.Int32
	s := &source{token: func(n int) string { return fmt.Sprint("token", n) }}
	accept := tokens("token1", pageBody(jobs(0, 1), "30", "1"))
	var slept naps
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { calls.Add(1); accept(w, r) },
		func(o *Options) { o.Credentials, o.Sleep = s, slept.sleep })
	if _, err := c.List(t.Context(), region, false); err != nil || calls.Load() != 2 || len(slept.taken) != 0 {
		t.Errorf("got %v after %d calls, slept %v", err, calls.Load(), slept.taken)
	}
	s = &source{token: func(int) string { return "old" }}
	c = serve(t, tokens("new", ""), func(o *Options) { o.Credentials = s })
	_, err := c.List(t.Context(), region, false)
	var failed *plan.CallError
	if !errors.As(err, &failed) || failed.Failure != plan.FailureCredentials {
		t.Errorf("got %v", err)
	}
}

// TestTokenExpiresForManyAtOnce: all that were on their way with the old token
// may try again, and the source is renewed once.
func TestTokenExpiresForManyAtOnce(t *testing.T) {
	s := &source{token: func(n int) string { return fmt.Sprint("token", n) }}
	var all, arrived sync.WaitGroup
	arrived.Add(8)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived.Done()
		arrived.Wait()
		tokens("token1", "")(w, r)
	}, func(o *Options) { o.Credentials = s })
	for range 8 {
		all.Go(func() {
			if got := c.Create(t.Context(), request()); got.Failure != plan.FailureTemporary {
				t.Errorf("got %v (%s)", got.Failure, got.Why)
			}
		})
	}
	all.Wait()
	if k, err := c.keys.fetch(t.Context()); err != nil || k.generation != 1 || s.renewed != 1 {
		t.Errorf("generation %d, renewed %d times, %v", k.generation, s.renewed, err)
	}
}

func TestForeignCredentials(t *testing.T) {
	c := newTestClient(t, "http://127.0.0.1:1", func(o *Options) {
		o.Credentials = &source{err: errors.New("hunter2")}
	})
	got := c.Create(t.Context(), request())
	wantVerdict(t, got, plan.VerdictNotSent, plan.FailureCredentials, "gave no access key")
	if strings.Contains(got.Why, "hunter2") {
		t.Errorf("a value is shown: %s", got.Why)
	}
	c = newTestClient(t, "http://127.0.0.1:1", func(o *Options) { o.Credentials = StaticCredentials("", "", "") })
	wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictNotSent, plan.FailureCredentials, "no access key")
}

func TestSlowCredentialsDoNotHoldTheCaller(t *testing.T) {
	s := &source{wait: make(chan struct{}), token: func(int) string { return "t" }}
	c := newTestClient(t, "http://127.0.0.1:1", func(o *Options) { o.Credentials = s })
	for range 2 { // the second waits for the first's lock
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		wantVerdict(t, c.Create(ctx, request()), plan.VerdictNotSent, plan.FailureTemporary, "given up")
		cancel()
	}
	close(s.wait)
	if _, err := c.keys.fetch(t.Context()); err != nil {
		t.Error(err)
	}
}
