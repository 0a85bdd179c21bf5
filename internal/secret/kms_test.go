package secret

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// kmsOf is a hook that always gives text.
func kmsOf(text string) func(context.Context, KMS) (Value, error) {
	return func(context.Context, KMS) (Value, error) { return NewValue(text), nil }
}

// wantRefused checks that err names ref, says part, and keeps the secret.
func wantRefused(t *testing.T, ref Ref, v Value, err error, part string) {
	t.Helper()
	if err == nil || !v.IsZero() {
		t.Fatalf("got value %v, error %v; want %q", !v.IsZero(), err, part)
	}
	for _, part := range []string{part, ref.String()} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %q, want %q in it", err, part)
		}
	}
	if strings.Contains(err.Error(), canary) {
		t.Errorf("the secret shows in %q", err)
	}
}

func TestReader_kms(t *testing.T) {
	const object = `{"user":"u","password":"` + canary + `\u00e9\n","n":{"password":1}}` + "\n"
	for _, test := range []struct{ text, field, want string }{
		{canary, "", canary},
		{canary + "\r\n", "", canary},
		{canary + "\n\n", "", canary + "\n"},
		{object, "", strings.TrimSuffix(object, "\n")},
		{object, "password", canary + "é"},
		{object, "user", "u"},
		{`{"":"` + canary + `"}`, "", `{"":"` + canary + `"}`},
		{strings.Repeat("x", sizeMaxBytes), "", strings.Repeat("x", sizeMaxBytes)},
	} {
		redactor := NewRedactor()
		r := Reader{Redactor: redactor, KMS: kmsOf(test.text)}
		v, err := r.Read(t.Context(), Ref{KMS: &KMS{Secret: "db", Field: test.field}})
		if err != nil || v.Reveal() != test.want {
			t.Errorf("%.40q, field %q: got %.40q, %v", test.text, test.field, v.Reveal(), err)
		}
		if got := redactor.Clean(test.want); len(test.want) >= redactMin && got != redacted {
			t.Errorf("%.40q: the redactor does not know %.40q", test.text, test.want)
		}
		if got := redactor.Clean("<" + test.text); strings.Trim(got, "\r\n") != "<"+redacted {
			t.Errorf("the redactor does not know the whole of %.40q", test.text)
		}
	}
}

func TestReader_kms_refused(t *testing.T) {
	for name, test := range map[string]struct{ text, field, want string }{
		"empty":                 {"", "", "empty"},
		"newline only":          {"\n", "", "empty"},
		"nul":                   {canary + "\x00", "", "NUL"},
		"too large":             {strings.Repeat("x", sizeMaxBytes+1), "", "64 KiB"},
		"not JSON":              {canary, "password", "not one JSON object"},
		"a list":                {`["` + canary + `"]`, "password", "not one JSON object"},
		"a text":                {`"` + canary + `"`, "password", "not one JSON object"},
		"two objects":           {`{"password":"` + canary + `"}{}`, "password", "not one JSON object"},
		"not UTF-8":             {`{"password":"` + canary + "\xff\"}", "password", "not one JSON object"},
		"missing":               {`{"passwort":"` + canary + `"}`, "password", "no field of that name"},
		"other capitals":        {`{"Password":"` + canary + `"}`, "password", "no field of that name"},
		"twice":                 {`{"password":"` + canary + `","pass\u0077ord":"x"}`, "password", "more than once"},
		"a number":              {`{"password":12345678}`, "password", "no text"},
		"null":                  {`{"password":null}`, "password", "no text"},
		"an object":             {`{"password":{"a":"` + canary + `"}}`, "password", "no text"},
		"empty field":           {`{"password":""}`, "password", "empty"},
		"nul in the field":      {`{"password":"` + canary + `\u0000"}`, "password", "NUL"},
		"half a pair":           {`{"password":"` + canary + `\ud800"}`, "password", "cannot be read"},
		"nested, not the top":   {`{"a":{"password":"` + canary + `"}}`, "password", "no field of that name"},
		"empty secret, a field": {"", "password", "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Reader{KMS: kmsOf(test.text)}
			ref := Ref{KMS: &KMS{Secret: "db", Field: test.field}}
			v, err := r.Read(t.Context(), ref)
			wantRefused(t, ref, v, err, test.want)
		})
	}
	for name, ref := range map[string]Ref{
		"cannot be asked": {KMS: &KMS{Secret: "db"}},
		"no secret":       {KMS: &KMS{}},
		"exactly one of":  {KMS: &KMS{Secret: "db"}, Env: "A"},
	} {
		v, err := new(Reader).Read(t.Context(), ref)
		wantRefused(t, ref, v, err, name)
	}
}

// All fields of one secret, at whatever spelling of its stage, share a request.
func TestReader_asks_kms_once(t *testing.T) {
	var asked atomic.Int32
	r := Reader{KMS: func(_ context.Context, k KMS) (Value, error) {
		asked.Add(1)
		if k.Field != "" || k.VersionStage == "" || k.Region != "cn-hangzhou" {
			t.Errorf("got %+v", k)
		}
		return NewValue(`{"a":"aaaa","b":"bbbb"}`), nil
	}}
	var all sync.WaitGroup
	for range 20 {
		for _, k := range []KMS{
			{Secret: "db", Field: "a"}, {Secret: "db", Field: "b"}, {Secret: "db", VersionStage: "ACSCurrent", Field: "a"}, {Secret: "db"},
		} {
			all.Go(func() {
				ref := Ref{KMS: &k, Dir: "x"}
				if _, err := r.Read(t.Context(), ref.InRegion("cn-hangzhou")); err != nil || k.Region != "" {
					t.Errorf("got %v, region %q", err, k.Region)
				}
			})
		}
	}
	all.Wait()
	for _, other := range []KMS{
		{Secret: "db2", Region: "cn-hangzhou"}, {Secret: "db", Region: "cn-hangzhou", VersionStage: "ACSPrevious", Field: "a"},
	} {
		if _, err := r.Read(t.Context(), Ref{KMS: &other}); err != nil {
			t.Error(err)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("KMS was asked %d times, want 3", n)
	}
}

// An error of the hook is told and forgotten; one that came because its reader
// gave up is not told to those who still wait.
func TestReader_kms_errors(t *testing.T) {
	failure := errors.New("no permission")
	var asked atomic.Int32
	entered := make(chan struct{}, 1)
	r := Reader{KMS: func(ctx context.Context, _ KMS) (Value, error) {
		switch asked.Add(1) {
		case 1:
			return Value{}, failure
		case 2:
			entered <- struct{}{}
			<-ctx.Done()
			return Value{}, ctx.Err()
		}
		return NewValue(`{"a":"` + canary + `"}`), nil
	}}
	ref := Ref{KMS: &KMS{Secret: "db", Field: "a"}}
	v, err := r.Read(t.Context(), ref)
	wantRefused(t, ref, v, err, "no permission")
	if !errors.Is(err, failure) {
		t.Errorf("got %v, want the hook's own error in it", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := r.Read(ctx, ref); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	<-entered
	all.Go(func() {
		if v, err := r.Read(t.Context(), ref); err != nil || v.Reveal() != canary {
			t.Errorf("got %v", err)
		}
	})
	cancel()
	all.Wait()
}
