package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	// timeoutDefault is how long a command may take to print its secret.
	timeoutDefault = 30 * time.Second
	// sizeMaxBytes is the most that a file, a command or a KMS secret may hold.
	sizeMaxBytes = 64 << 10
)

// Reader reads secrets from where a Ref says. The zero Reader is ready for use.
// A Reader is safe for concurrent use and must not be copied.
type Reader struct {
	// Redactor learns every secret that is read. It may be nil.
	Redactor *Redactor
	// Timeout limits one run of a command. Zero means 30 seconds.
	Timeout time.Duration
	// LookupEnv reads the environment. nil means os.LookupEnv.
	LookupEnv func(name string) (string, bool)
	// KMS returns a whole secret; Field is empty and VersionStage is not. Its
	// errors must not repeat anything of what came. It is called from several
	// goroutines. nil refuses secrets of KMS.
	KMS func(ctx context.Context, k KMS) (Value, error)

	mu    sync.Mutex
	calls map[string]*call
}

// call is one reading that is under way or has succeeded.
type call struct {
	done  chan struct{} // closed when value and err are set
	value Value
	err   error
}

// Read returns the secret that ref points to, never empty if err is nil.
//
// A secret is read once in the life of r, and everyone who asks meanwhile waits
// for that one reading; an error is told to those who waited and then forgotten,
// so the next Read tries again. The value of an environment variable is taken as
// it is; one newline (LF or CRLF) at the end of anything else is dropped. A secret
// that is empty, or holds a NUL byte, is refused, and so is a file, an output or a
// KMS secret of more than 64 KiB.
//
// A file must be a regular file, possibly reached by symbolic links, that belongs
// to this user or root, that no one else may read or write, and that is not in a
// folder where anyone may replace it.
//
// A command runs without a shell, in ref.Dir, with no input, its error output
// thrown away, and none of the environment but the variables in commandEnv. When
// it does not end in time, or ctx is done, it is killed with all its children.
//
// Errors name ref and the next step, and never anything that was read.
func (r *Reader) Read(ctx context.Context, ref Ref) (Value, error) {
	value, err := r.shared(ctx, ref)
	if err != nil {
		return Value{}, fmt.Errorf("secret from %s: %w", ref, err)
	}
	return value, nil
}

// shared is Read, with errors that do not name ref.
func (r *Reader) shared(ctx context.Context, ref Ref) (Value, error) {
	key := ref.key()
	for {
		r.mu.Lock()
		c, waiting := r.calls[key]
		if !waiting {
			if r.calls == nil {
				r.calls = map[string]*call{}
			}
			c = &call{done: make(chan struct{})}
			r.calls[key] = c
		}
		r.mu.Unlock()
		if !waiting {
			r.lead(ctx, key, ref, c)
			return c.value, c.err
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			return Value{}, fmt.Errorf("%w: %w", errStopped, context.Cause(ctx))
		}
		// The one who read may have been cancelled while we still want the secret.
		if c.err == nil || !errors.Is(c.err, errStopped) || ctx.Err() != nil {
			return c.value, c.err
		}
	}
}

// key is equal for references to the same secret.
func (r Ref) key() string {
	if r.KMS == nil {
		return fmt.Sprintf("%q", []any{r.Env, r.File, r.Command, r.Dir})
	}
	k := r.KMS.whole()
	return fmt.Sprintf("%q", []any{r.Env, r.File, r.Command, "kms", k.Secret, k.Region, k.VersionStage, r.KMS.Field})
}

// errStopped marks a reading that ended because its reader's context did.
var errStopped = errors.New("stopped")

// lead does the reading that c stands for, and forgets c when it fails.
func (r *Reader) lead(ctx context.Context, key string, ref Ref, c *call) {
	c.err = errors.New("the reading was cut short by a panic")
	defer func() {
		if c.err != nil {
			r.mu.Lock()
			delete(r.calls, key)
			r.mu.Unlock()
		}
		close(c.done)
	}()
	text, err := r.read(ctx, ref)
	if err != nil {
		c.err = err
		return
	}
	c.value, c.err = NewValue(text), nil
	r.Redactor.Add(c.value)
}

// read does not cache. Its errors do not name ref.
func (r *Reader) read(ctx context.Context, ref Ref) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("%w: %w", errStopped, context.Cause(ctx))
	}
	set := 0
	for _, is := range []bool{ref.Env != "", ref.File != "", len(ref.Command) > 0, ref.KMS != nil} {
		if is {
			set++
		}
	}
	switch {
	case set != 1:
		return "", errors.New("the reference must name exactly one of env, file, command and kms")
	case ref.Env != "":
		return r.readEnv(ref.Env)
	case ref.File != "":
		return readFile(ref)
	case ref.KMS != nil:
		return r.readKMS(ctx, *ref.KMS)
	}
	return r.readCommand(ctx, ref)
}

func (r *Reader) readEnv(name string) (string, error) {
	text, ok := r.lookupEnv(name)
	if !ok {
		return "", fmt.Errorf("the variable is not set; export %s in the environment apsctl runs in", name)
	}
	if text == "" {
		return "", fmt.Errorf("the variable is empty; set %s to the secret", name)
	}
	return text, nil
}

func (r *Reader) lookupEnv(name string) (string, bool) {
	if r.LookupEnv != nil {
		return r.LookupEnv(name)
	}
	return os.LookupEnv(name)
}

// trim drops one newline from the end of data and refuses what cannot be a
// password.
func trim(data []byte) (string, error) {
	if rest, ok := bytes.CutSuffix(data, []byte("\n")); ok {
		data, _ = bytes.CutSuffix(rest, []byte("\r"))
	}
	if len(data) == 0 {
		return "", errors.New("it is empty; it must hold the secret and nothing else")
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "", errors.New("it holds a NUL byte; it must be text, not a binary file or UTF-16")
	}
	return string(data), nil
}
