package aps

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

// TestMain keeps the tests away from the keys of whoever runs them, and from
// the network: no test may find a profile, a proxy or an instance role.
func TestMain(m *testing.M) {
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "ALIBABA_CLOUD_") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			_ = os.Unsetenv(name)
		}
	}
	home, err := os.MkdirTemp("", "aps")
	if err != nil {
		panic(err)
	}
	_ = os.Setenv("HOME", home)
	_ = os.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	debugFlags = ""
	code := m.Run()
	_ = os.RemoveAll(home)
	os.Exit(code)
}

const region = "cn-hangzhou"

// naps records what a Client slept, without sleeping.
type naps struct {
	mu    sync.Mutex
	taken []time.Duration
}

func (n *naps) sleep(ctx context.Context, d time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.taken = append(n.taken, d)
	return ctx.Err()
}

// newTestClient returns a Client of the service at address that does not sleep
// and gives up soon.
func newTestClient(t testing.TB, address string, edit ...func(*Options)) *Client {
	t.Helper()
	opts := Options{
		Endpoint: address, Credentials: StaticCredentials("testAK", "testSecret", ""),
		Sleep: (&naps{}).sleep, CreateTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
	}
	for _, e := range edit {
		e(&opts)
	}
	c, err := New(opts)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// serve starts a server and returns a Client of it.
func serve(t testing.TB, handler http.HandlerFunc, edit ...func(*Options)) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newTestClient(t, server.URL, edit...)
}

// answer is a handler that always says the same.
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// form returns the parameters of r.
func form(t testing.TB, r *http.Request) url.Values {
	t.Helper()
	if err := r.ParseForm(); err != nil {
		t.Errorf("parse the form: %v", err)
	}
	return r.PostForm
}

const (
	sourcePassword      = "pa55 word/+&=%é\"\\"
	destinationPassword = "other<secret>'#"
)

// request is a complete CreateRequest with text that is hard to encode.
func request() plan.CreateRequest {
	return plan.CreateRequest{
		Spec: plan.Spec{
			Name: "orders *~ ü", Region: region,
			Source:          plan.SourceEndpoint{Instance: "pc-1", Region: region, User: "reader"},
			Destination:     plan.DestinationEndpoint{Instance: "amv-1", User: "writer"},
			DBList:          `{"EntireInstance":true}`,
			TargetTableMode: "1",
		},
		SourcePassword:      secret.NewValue(sourcePassword),
		DestinationPassword: secret.NewValue(destinationPassword),
		Nonce:               "0123456789abcdef0123456789abcdef",
		SignedAt:            time.Date(2026, 1, 2, 11, 4, 5, 999, time.FixedZone("", 8*3600)),
	}
}

// job is one entry of a listing as the service writes it.
func job(n int) map[string]any {
	return map[string]any{
		"ApsJobId": fmt.Sprintf("aps-%04d", n), "ApsJobName": fmt.Sprintf("job-%d", n),
		"SourceInstanceID": "pc-1", "DestinationInstanceID": "amv-1",
		"Status": "Running", "SubStatus": "-", "CreateTime": "2022-06-28 15:00:04",
		"Delay": 7, "Projress": "30", "ErrMessage": "OK",
	}
}

func jobs(from, to int) []map[string]any {
	list := []map[string]any{}
	for n := from; n < to; n++ {
		list = append(list, job(n))
	}
	return list
}

// pageBody is one page as the service writes it: page fields are strings.
func pageBody(list any, size, total string) string {
	body, err := json.Marshal(map[string]any{
		"RequestId": "R1", "Success": true, "Code": "ok", "HttpStatusCode": "ok",
		"PageNumber": "1", "PageSize": size, "TotalCount": total, "APSJobs": list,
	})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// has fails the test unless text contains all parts.
func has(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("got %q\nwant it to contain %q", text, part)
		}
	}
}
