package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each kind, on both sides of the commit: what the client sees, and whether
// the job exists.
func TestFaultKinds(t *testing.T) {
	broken := func(got reply, err error) bool { return err != nil && got.status == 0 }
	status := func(status int, code string) func(reply, error) bool {
		return func(got reply, err error) bool { return err == nil && got.status == status && got.text("Code") == code }
	}
	for name, test := range map[string]struct {
		fault Fault
		saw   func(got reply, err error) bool
	}{
		"drop": {Fault{Kind: FaultDrop}, broken},
		"hang": {Fault{Kind: FaultHang, Hold: 20 * time.Millisecond}, broken},
		"cut": {Fault{Kind: FaultCut}, func(got reply, err error) bool {
			return errors.Is(err, io.ErrUnexpectedEOF) && got.status == 200 && !json.Valid(got.raw)
		}},
		"500":         {Fault{Kind: FaultStatus}, status(500, "InternalError")},
		"503":         {Fault{Kind: FaultStatus, Status: 503}, status(503, "ServiceUnavailable")},
		"408":         {Fault{Kind: FaultStatus, Status: 408}, status(408, "AcsServerTimeOut")},
		"other":       {Fault{Kind: FaultStatus, Status: 403, Code: "Forbidden.RAM"}, status(403, "Forbidden.RAM")},
		"false":       {Fault{Kind: FaultSuccessFalse}, status(200, "InternalError")},
		"false, code": {Fault{Kind: FaultSuccessFalse, Code: "X"}, status(200, "X")},
		"html": {Fault{Kind: FaultHTML}, func(got reply, err error) bool {
			return err == nil && got.status == 503 && strings.HasPrefix(string(got.raw), "<html>") && got.header.Get("Content-Type") == "text/html"
		}},
		"empty":     {Fault{Kind: FaultEmpty}, func(got reply, err error) bool { return err == nil && got.status == 200 && len(got.raw) == 0 }},
		"empty 503": {Fault{Kind: FaultEmpty, Status: 503}, func(got reply, err error) bool { return err == nil && got.status == 503 && len(got.raw) == 0 }},
		"no-id": {Fault{Kind: FaultNoID}, func(got reply, err error) bool {
			_, has := got.body["ApsJobId"]
			return err == nil && got.status == 200 && got.body["Success"] == true && !has
		}},
		"throttle": {Fault{Kind: FaultThrottle}, status(400, "Throttling.User")},
	} {
		for _, when := range []FaultTime{Before, After} {
			if name == "throttle" && when == After {
				continue
			}
			t.Run(name+" "+string(when), func(t *testing.T) {
				test.fault.When, test.fault.Operation, test.fault.Count = when, "CreateAPSJob", 1
				c, server := open(t, Options{Faults: []Fault{test.fault}})
				if got, err := c.do("CreateAPSJob", createParams("a")); !test.saw(got, err) {
					t.Errorf("got status %d, %s, %v", got.status, got.raw, err)
				}
				want := map[FaultTime]int{Before: 0, After: 1}[when]
				if got := server.Stats(); got.Jobs != want || got.Creates != want || got.Actions["CreateAPSJob"].Faulted != 1 {
					t.Errorf("got stats %+v, want %d jobs", got, want)
				}
				c.create("a") // the count is used up
			})
		}
	}
}

func TestFaultsHitReadsToo(t *testing.T) {
	c, _ := open(t, Options{Faults: []Fault{{Operation: "Describe*", Kind: FaultCut, When: After}, {Operation: "*", Kind: FaultNoID}}})
	if _, err := c.do("DescribeApsJobs", map[string]string{"PageNumber": "1", "PageSize": "30"}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want a cut answer", err)
	}
	c.ok("GetCallerIdentity", nil) // no-id strikes only what has one
	if id := c.create("a"); id != "" {
		t.Errorf("got id %q", id)
	}
}

func TestFaultComesAfterTheChecks(t *testing.T) {
	c, _ := open(t, Options{Faults: []Fault{{Kind: FaultStatus}}})
	c.refused("CreateAPSJob", createParams("a", "RegionId", ""), 400, "MissingRegionId")
	c.secret = "x"
	c.refused("CreateAPSJob", createParams("a"), 400, "SignatureDoesNotMatch")
}

func TestHintsOfFaults(t *testing.T) {
	c, _ := open(t, Options{Faults: []Fault{
		{Kind: FaultThrottle, Status: 429, Code: "Throttling", Hint: HintRetryAfter, Wait: 7 * time.Second, Count: 1},
		{Kind: FaultStatus, Status: 503, Hint: HintRateLimit, Count: 1},
	}})
	if got := c.refused("CreateAPSJob", createParams("a"), 429, "Throttling").header.Get("X-Acs-Retry-After"); got != "7000" {
		t.Errorf("got hint %q, want 7000", got)
	}
	if got := c.refused("CreateAPSJob", createParams("a"), 503, "ServiceUnavailable").header.Get("X-Ratelimit-User-Api"); got != "Limit:1,Remain:0,TimeLeft:1000" {
		t.Errorf("got hint %q", got)
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	c, _ := open(t, Options{Faults: []Fault{{Kind: FaultHang, When: After}}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c.tamper = func(r *http.Request) { *r = *r.WithContext(ctx) }
	if _, err := c.do("CreateAPSJob", createParams("a")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a request that hangs", err)
	}
}

func TestShareSkipAndSeed(t *testing.T) {
	pattern := func(seed uint64) string {
		set, err := newFaultSet([]Fault{{Kind: FaultDrop, Share: 0.3, Skip: 5}}, seed)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for range 200 {
			hit := set.strike(&operations[0]) != nil
			fmt.Fprint(&out, map[bool]int{true: 1, false: 0}[hit])
		}
		return out.String()
	}
	one := pattern(1)
	if one != pattern(1) || one == pattern(2) {
		t.Error("the same seed must give the same faults, another seed others")
	}
	if hits := strings.Count(one, "1"); hits < 40 || hits > 80 || strings.HasPrefix(one[:5], "1") {
		t.Errorf("got %d of 195 struck, want about 30%%, none of the first 5: %s", hits, one)
	}
}

func TestLoadFaults(t *testing.T) {
	load := func(text string) ([]Fault, error) {
		path := filepath.Join(t.TempDir(), "faults.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return LoadFaults(path)
	}
	got, err := load(`
- operation: CreateAPSJob
  kind: drop
  when: after
  share: 0.25
  count: 3
- {operation: "Describe*", kind: hang, hold: 90s, skip: 2, seed: 7}
- {kind: throttle, status: 429, code: Throttling, hint: retry-after, wait: 1500ms}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Fault{
		{Operation: "CreateAPSJob", Kind: FaultDrop, When: After, Share: 0.25, Count: 3, Hint: HintNone},
		{Operation: "Describe*", Kind: FaultHang, When: Before, Share: 1, Skip: 2, Seed: 7, Hold: 90 * time.Second, Hint: HintNone},
		{Operation: "*", Kind: FaultThrottle, When: Before, Share: 1, Status: 429, Code: "Throttling", Hint: HintRetryAfter, Wait: 1500 * time.Millisecond},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got, err := load(`[]`); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v for no faults", got, err)
	}
	if got, err := load(`[{"operation": "CreateAPSJob", "kind": "cut"}]`); err != nil || len(got) != 1 {
		t.Errorf("JSON: got %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"":                                  "empty",
		"kind: drop":                        "want a list",
		"- {}":                              `fault 1: kind "" is unknown`,
		"- {kind: drop}\n- {kind: explode}": `fault 2: kind "explode" is unknown`,
		"- {kind: drop, chance: 1}":         "chance",
		"- {kind: drop, operation: CreateApsJob}":    "mind the capitals",
		"- {kind: no-id, operation: DescribeAps*}":   "strikes nothing",
		"- {kind: drop, when: during}":               "want before or after",
		"- {kind: throttle, when: after}":            "always before",
		"- {kind: drop, share: 0}":                   "never strikes",
		"- {kind: drop, share: 1.5}":                 "share 1.5",
		"- {kind: drop, share: .nan}":                "share NaN",
		"- {kind: drop, count: -1}":                  "negative",
		"- {kind: drop, count: many}":                "want a list",
		"- {kind: drop, kind: cut}":                  "already defined",
		"- {kind: drop, status: 500}":                "status has no meaning",
		"- {kind: status, status: 418}":              "needs a code",
		"- {kind: status, status: 200, code: X}":     "is no error",
		"- {kind: html, status: 99}":                 "not a final",
		"- {kind: drop, hold: 1s}":                   "hold has no meaning",
		"- {kind: hang, hold: long}":                 "not a duration",
		"- {kind: hang, hold: 100h}":                 "hold 100h",
		"- {kind: throttle, wait: 1s}":               "there is no hint",
		"- {kind: throttle, hint: soon}":             `hint "soon" is unknown`,
		"- {kind: drop}\n---\n- {kind: drop}":        "more than one document",
		"- {kind: drop, operation: '['}":             "strikes nothing",
		"- [drop]":                                   "want a list of faults, each",
		strings.Repeat("#", faultFileMaxBytes) + "#": "larger than",
	} {
		if got, err := load(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, %v; want an error with %q", text, got, err, want)
		}
	}
	if _, err := LoadFaults(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v for a file that does not exist", err)
	}
}
