package secret

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const canary = "S3cr3t-c4n4ry"

// holder has a Value in every place where printing reaches it another way.
type holder struct {
	Open   Value
	hidden Value
	Ptr    *Value
	List   []Value
	Map    map[string]Value
	Any    any
}

type single struct{ V Value }

func TestValue_never_shows(t *testing.T) {
	v := NewValue(canary)
	h := holder{v, v, &v, []Value{v}, map[string]Value{"k": v}, v}
	var texts []string
	for _, verb := range strings.Split("v +v #v s q x X +q #q # x d t T b o c U e g p", " ") {
		for _, subject := range []any{v, &v, h, &h, []Value{v}, map[string]Value{"k": v}, any(v)} {
			texts = append(texts, fmt.Sprintf("%"+verb, subject))
		}
	}
	for _, marshal := range []func(any) ([]byte, error){
		json.Marshal, xml.Marshal, func(x any) ([]byte, error) { return yaml.Marshal(x) },
	} {
		for _, subject := range []any{v, &v, single{v}} {
			text, err := marshal(subject)
			if err != nil {
				t.Errorf("%T: %v", subject, err)
			}
			if !strings.Contains(string(text), redacted) {
				t.Errorf("%T: got %s, want %s in it", subject, text, redacted)
			}
			texts = append(texts, string(text))
		}
		text, _ := marshal(h)
		texts = append(texts, string(text))
	}
	for _, subject := range []any{v, &v, single{v}, h} { // that it fails will do
		var out bytes.Buffer
		if err := gob.NewEncoder(&out).Encode(subject); err != nil {
			texts = append(texts, err.Error())
		}
		texts = append(texts, out.String())
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("m", "value", v, "pointer", &v, "holder", h, slog.Group("g", "v", v))
	}
	texts = append(texts, log.String(),
		fmt.Errorf("wrapped: %w, %v", errors.Join(fmt.Errorf("%v", v)), v).Error(),
		fmt.Sprint(panicOf(func() { panic(v) })), fmt.Sprint(panicOf(func() { panic(h) })),
		v.String(), v.GoString(), fmt.Sprintln(v, h))
	for _, text := range texts {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("the secret shows in %q", text)
		}
	}
}

func panicOf(f func()) (got any) {
	defer func() { got = recover() }()
	f()
	return nil
}

func TestValue_zero(t *testing.T) {
	var v Value
	if !v.IsZero() || v.Reveal() != "" || v.String() != redacted {
		t.Errorf("got %v %q %q", v.IsZero(), v.Reveal(), v)
	}
	if v = NewValue(""); v.IsZero() {
		t.Error("an empty secret is not the zero Value")
	}
}
