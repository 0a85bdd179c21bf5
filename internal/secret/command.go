package secret

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// commandEnv lists the only environment variables that a command sees: enough to
// find programs, its user's files and the language, and nothing that is itself
// secret. A command that needs more sets it, for example by env(1) or a script.
var commandEnv = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR",
	"LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
	"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR",
	// Without these, few programs start on Windows.
	"SYSTEMROOT", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP",
}

// waitDelay is how long the output of a command that has ended, or was killed,
// may still be held open by a process that it left behind.
const waitDelay = 2 * time.Second

var (
	errTooLong = errors.New("too long")
	errTimeout = errors.New("timeout")
)

// readCommand runs the command of ref and returns what it prints.
func (r *Reader) readCommand(ctx context.Context, ref Ref) (string, error) {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = timeoutDefault
	}
	caller := ctx
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	timer := time.AfterFunc(timeout, func() { stop(errTimeout) })
	defer timer.Stop()

	out := &capped{full: func() { stop(errTooLong) }}
	cmd := exec.CommandContext(ctx, ref.Command[0], ref.Command[1:]...)
	cmd.Dir = ref.Dir
	cmd.Stdout = out // Stdin and Stderr stay nil: the null device
	cmd.WaitDelay = waitDelay
	cmd.Env = []string{} // nil would hand on everything
	for _, name := range commandEnv {
		if text, ok := r.lookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+text)
		}
	}
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		if caller.Err() != nil {
			return "", fmt.Errorf("%w: %w", errStopped, context.Cause(caller))
		}
		return "", fmt.Errorf("%w; check the command and that it may be run", err)
	}
	err := cmd.Wait()
	if err != nil {
		_ = killGroup(cmd) // what the program left behind
	}
	byHand := "run it by hand in " + cmp.Or(ref.Dir, ".") + " to see why"
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return trim(out.data)
	case caller.Err() != nil:
		return "", fmt.Errorf("%w: %w", errStopped, context.Cause(caller))
	case errors.Is(context.Cause(ctx), errTooLong):
		return "", fmt.Errorf("it prints more than %d KiB; it must print the secret and nothing else", sizeMaxBytes>>10)
	case errors.Is(context.Cause(ctx), errTimeout):
		return "", fmt.Errorf("it did not end within %v and was killed; it must not wait for input; %s", timeout, byHand)
	case errors.Is(err, exec.ErrWaitDelay):
		return "", errors.New("it ended but left a process that keeps its output open; redirect the output of that process")
	case errors.As(err, &exit):
		return "", fmt.Errorf("it ended with %s; %s", exit.ProcessState, byHand)
	}
	return "", fmt.Errorf("%w; %s", err, byHand)
}

// capped keeps the first sizeMaxBytes that are written to it and calls full when
// there are more.
type capped struct {
	data []byte
	full func()
}

func (c *capped) Write(data []byte) (int, error) {
	if len(c.data)+len(data) > sizeMaxBytes {
		c.full()
		return 0, errTooLong
	}
	c.data = append(c.data, data...)
	return len(data), nil
}
