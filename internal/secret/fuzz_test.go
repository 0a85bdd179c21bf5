//go:build unix

package secret

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/cost"
)

// bounded fails the test if f takes more than a second or 256 MiB, counted as
// all that it allocates.
func bounded(t *testing.T, f func()) {
	t.Helper()
	took, bytes := cost.Of(t, f)
	if took > slowness*time.Second {
		t.Errorf("it took %v of the processor", took)
	}
	if bytes > 256<<20 {
		t.Errorf("it allocated %d MiB", bytes>>20)
	}
}

// wantTrimmed checks what came of reading data as a whole.
func wantTrimmed(t *testing.T, data, got string, err error) {
	t.Helper()
	want := strings.TrimSuffix(data, "\n")
	if want != data {
		want = strings.TrimSuffix(want, "\r")
	}
	bad := want == "" || strings.Contains(want, "\x00") || len(data) > sizeMaxBytes
	if (err != nil) != bad || err == nil && got != want {
		t.Errorf("%.40q: got %.40q, %v", data, got, err)
	}
	if err != nil && strings.Contains(err.Error(), canary) {
		t.Errorf("%.40q: the secret shows in %q", data, err)
	}
}

// wantRedacted checks that redactor finds v where a service may repeat it.
func wantRedacted(t *testing.T, redactor *Redactor, v Value) {
	t.Helper()
	text := v.Reveal()
	if got := redactor.Clean("<" + text + ">"); len(text) >= redactMin && !strings.Contains(got, redacted) {
		t.Errorf("%.40q is not redacted", text)
	}
}

// seeds are contents that reading might stumble over; large ones, which would
// keep a fuzzer from its work, are in largeSeeds.
var seeds = []string{
	canary, canary + "\n", canary + "\r\n", canary + "\n\n", "", "\n", "\r\n", canary + "\x00", "\xff\xfe" + canary, "a", "abc",
}

var largeSeeds = []string{
	strings.Repeat("a", sizeMaxBytes), strings.Repeat("a", sizeMaxBytes+1), strings.Repeat("a", 4<<20),
	strings.Repeat("\n", sizeMaxBytes), strings.Repeat("%25", sizeMaxBytes/3), strings.Repeat("%2525+&amp;", sizeMaxBytes/11),
	`{"password":` + strings.Repeat("[", 30000) + strings.Repeat("]", 30000) + `}`,
	"{" + strings.Repeat(`"a":0,`, 10000) + `"password":"` + canary + `"}`,
	"{" + strings.Repeat(`"password":0,`, 5000) + `"password":"` + canary + `"}`,
	`{"password":"` + strings.Repeat(`\u0061`, 10000) + `"}`,
}

func TestLargeContentsAreBounded(t *testing.T) {
	for _, text := range largeSeeds {
		checkFile(t, filepath.Join(t.TempDir(), "secret"), []byte(text))
		checkOutput(t, []byte(text), 511)
		checkKMS(t, text, "password")
		checkKMS(t, text, "")
	}
}

func FuzzFileContent(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "secret")
	f.Fuzz(func(t *testing.T, data []byte) { checkFile(t, path, data) })
}

func checkFile(t *testing.T, path string, data []byte) {
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	bounded(t, func() {
		r := Reader{Redactor: NewRedactor()}
		v, err := r.Read(t.Context(), Ref{File: path})
		wantTrimmed(t, string(data), v.Reveal(), err)
		wantRedacted(t, r.Redactor, v)
	})
}

func FuzzCommandOutput(f *testing.F) {
	for i, seed := range seeds {
		f.Add([]byte(seed), uint16(i))
	}
	f.Fuzz(checkOutput)
}

// checkOutput plays a command that prints data in pieces of size+1 bytes, without
// the process.
func checkOutput(t *testing.T, data []byte, size uint16) {
	bounded(t, func() {
		full := 0
		out := &capped{full: func() { full++ }}
		var err error
		for rest := data; len(rest) > 0 && err == nil; {
			n := min(len(rest), int(size)+1)
			_, err = out.Write(rest[:n])
			rest = rest[n:]
		}
		if (full == 1) != (len(data) > sizeMaxBytes) || full > 1 || len(out.data) > sizeMaxBytes {
			t.Errorf("%d bytes: told %d times that it is too much, kept %d", len(data), full, len(out.data))
		}
		text := ""
		if err == nil {
			text, err = trim(out.data)
		}
		wantTrimmed(t, string(data), text, err)
	})
}

func FuzzKMSField(f *testing.F) {
	for _, seed := range append([]string{
		`{"password":"` + canary + `","user":"u"}`, `{"password":"` + canary + `\n"}` + "\n", `{"a":{"password":"x"}}`, `{"password":1e9}`,
		`{"password":"a","password":"` + canary + `"}`, `{"pass\u0077ord":"\ud83d\ude00\ud800"}`, `["password"]`, `{"password":"` + canary, `{}{}`,
	}, seeds...) {
		f.Add(seed, "password")
		f.Add(seed, "")
	}
	f.Fuzz(checkKMS)
}

func checkKMS(t *testing.T, text, field string) {
	bounded(t, func() {
		r := Reader{Redactor: NewRedactor(), KMS: kmsOf(text)}
		v, err := r.Read(t.Context(), Ref{KMS: &KMS{Secret: "db", Field: field}})
		if err == nil {
			wantRedacted(t, r.Redactor, v)
		}
		if field == "" {
			wantTrimmed(t, text, v.Reveal(), err)
			return
		}
		if err != nil {
			if !v.IsZero() || strings.Contains(err.Error(), canary) && !strings.Contains(field, canary) {
				t.Errorf("%.60q: the secret shows in %q", text, err)
			}
			return
		}
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			t.Fatalf("%.60q: a field of what is no object", text)
		}
		want, ok := object[field].(string)
		if short := v.Reveal(); !ok || want != short && want != short+"\n" && want != short+"\r\n" {
			t.Errorf("%.60q: field %q: got %q, want %q", text, field, short, want)
		}
	})
}
