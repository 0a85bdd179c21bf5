// Package secret holds passwords and keys on their way from where they are kept
// to the request that needs them, and keeps them out of everything else. It
// knows nothing of plans or jobs.
package secret

import (
	"fmt"
	"log/slog"
)

// redacted is what a secret prints as, under every verb and encoding.
const redacted = "[redacted]"

// Value is a secret text. The zero Value is "no secret was given". A Value
// prints, marshals and logs as [redacted]; only Reveal gives the text.
// Values are immutable and safe for concurrent use.
type Value struct{ text *string }

// NewValue wraps text.
func NewValue(text string) Value { return Value{&text} }

// Reveal returns the secret itself, for the request that needs it.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// IsZero reports whether no secret was given.
func (v Value) IsZero() bool { return v.text == nil }

// Format prints [redacted] for every verb and flag.
func (v Value) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(redacted)) }

func (v Value) String() string               { return redacted }
func (v Value) GoString() string             { return redacted }
func (v Value) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// Ref says where a secret is found. Exactly one of Env, File, Command and KMS is
// set.
type Ref struct {
	Env     string   // name of an environment variable
	File    string   // path of a file
	Command []string // program and arguments, run without a shell
	KMS     *KMS     // a secret of Alibaba Cloud's Key Management Service
	// Dir is the folder of the plan file: where a relative File starts and
	// where Command runs.
	Dir string
}

// String names the place and never the secret, for example "env DB_PASSWORD".
func (r Ref) String() string {
	switch {
	case r.Env != "":
		return "env " + r.Env
	case r.File != "":
		return "file " + r.File
	case len(r.Command) > 0:
		return "command " + r.Command[0]
	case r.KMS != nil:
		return r.KMS.String()
	}
	return "nowhere"
}
