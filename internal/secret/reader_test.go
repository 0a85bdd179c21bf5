//go:build unix

package secret

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// write makes a file that only this user may read and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantError checks that err names ref, says all of parts, and keeps the secret.
func wantError(t *testing.T, ref Ref, v Value, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %q", parts)
	}
	if !v.IsZero() {
		t.Error("a value came with the error")
	}
	for _, part := range append(parts, ref.String()) {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %q, want %q in it", err, part)
		}
	}
	if strings.Contains(err.Error(), canary) {
		t.Errorf("the secret shows in %q", err)
	}
}

func TestReader_env(t *testing.T) {
	r := Reader{Redactor: NewRedactor(), LookupEnv: func(name string) (string, bool) {
		text, ok := map[string]string{"SET": canary + "\n", "EMPTY": ""}[name]
		return text, ok
	}}
	v, err := r.Read(t.Context(), Ref{Env: "SET"})
	if err != nil || v.Reveal() != canary+"\n" {
		t.Errorf("got %q, %v", v.Reveal(), err)
	}
	for name, want := range map[string]string{"EMPTY": "is empty", "UNSET": "is not set"} {
		ref := Ref{Env: name}
		v, err := r.Read(t.Context(), ref)
		wantError(t, ref, v, err, want)
	}
	t.Setenv("APSCTL_TEST_SECRET", canary)
	if v, err := new(Reader).Read(t.Context(), Ref{Env: "APSCTL_TEST_SECRET"}); err != nil || v.Reveal() != canary {
		t.Errorf("got %q, %v", v.Reveal(), err)
	}
}

func TestReader_file(t *testing.T) {
	for text, want := range map[string]string{
		canary: canary, canary + "\n": canary, canary + "\r\n": canary,
		canary + "\n\n": canary + "\n", canary + "\r": canary + "\r", "a\nb\n": "a\nb",
		strings.Repeat("x", sizeMaxBytes): strings.Repeat("x", sizeMaxBytes),
	} {
		redactor := NewRedactor()
		r := Reader{Redactor: redactor}
		v, err := r.Read(t.Context(), Ref{File: write(t, "f", text)})
		if err != nil || v.Reveal() != want {
			t.Errorf("%.20q: got %.20q, %v", text, v.Reveal(), err)
		}
		if got := redactor.Clean(want); len(want) >= redactMin && got != redacted {
			t.Errorf("%.20q: the redactor does not know it", text)
		}
	}
}

func TestReader_file_refused(t *testing.T) {
	mode := func(mode os.FileMode) func(*testing.T, string) string {
		return func(t *testing.T, path string) string {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	for name, test := range map[string]struct {
		text    string
		prepare func(t *testing.T, path string) string
		want    string
	}{
		"empty":           {"", nil, "empty"},
		"newline only":    {"\r\n", nil, "empty"},
		"nul":             {canary + "\x00", nil, "NUL"},
		"too large":       {strings.Repeat("x", sizeMaxBytes+1), nil, "64 KiB"},
		"group may read":  {canary, mode(0o640), "chmod 600"},
		"others may read": {canary, mode(0o604), "chmod 600"},
		"others write":    {canary, mode(0o602), "chmod 600"},
		"missing":         {canary, func(_ *testing.T, path string) string { return path + "x" }, "no such file"},
		"folder":          {canary, func(_ *testing.T, path string) string { return filepath.Dir(path) }, "not a regular file"},
		"named pipe": {canary, func(t *testing.T, path string) string {
			if err := syscall.Mkfifo(path+"p", 0o600); err != nil {
				t.Fatal(err)
			}
			return path + "p"
		}, "not a regular file"},
		"device": {canary, func(*testing.T, string) string { return "/dev/null" }, "not a regular file"},
		"somebody else's": {canary, func(t *testing.T, path string) string {
			if err := os.Chown(path, 4242, -1); err != nil {
				t.Skip("only root can give files away")
			}
			return path
		}, "belongs to user 4242"},
		"folder anyone may write": {canary, func(t *testing.T, path string) string {
			if err := os.Chmod(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			return path
		}, "anyone may replace"},
		"link to a bad file": {canary, func(t *testing.T, path string) string {
			link := filepath.Join(t.TempDir(), "link")
			if err := errors.Join(os.Chmod(path, 0o644), os.Symlink(path, link)); err != nil {
				t.Fatal(err)
			}
			return link
		}, "chmod 600"},
		"link in a circle": {canary, func(t *testing.T, path string) string {
			if err := os.Symlink(path+"l", path+"l"); err != nil {
				t.Fatal(err)
			}
			return path + "l"
		}, "symbolic links"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "f", test.text)
			if test.prepare != nil {
				path = test.prepare(t, path)
			}
			ref := Ref{File: path}
			v, err := new(Reader).Read(t.Context(), ref)
			wantError(t, ref, v, err, test.want)
		})
	}
}

// As Kubernetes mounts a secret: password -> ..data/password, ..data -> ..2026.
func TestReader_file_by_links_and_relative(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(
		os.Mkdir(filepath.Join(dir, "..2026"), 0o700),
		os.WriteFile(filepath.Join(dir, "..2026", "password"), []byte(canary), 0o400),
		os.Symlink("..2026", filepath.Join(dir, "..data")),
		os.Symlink("..data/password", filepath.Join(dir, "password")),
	); err != nil {
		t.Fatal(err)
	}
	v, err := new(Reader).Read(t.Context(), Ref{File: "password", Dir: dir})
	if err != nil || v.Reveal() != canary {
		t.Errorf("got %q, %v", v.Reveal(), err)
	}
}

// sh is a Ref to a script; only tests use a shell.
func sh(t *testing.T, script string) Ref {
	return Ref{Command: []string{"/bin/sh", "-c", script}, Dir: t.TempDir()}
}

func TestReader_command(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "get"), []byte("#!/bin/sh\necho \"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	redactor := NewRedactor()
	r := Reader{Redactor: redactor}
	// The argument reaches the program as it is: there is no shell.
	text := canary + " $HOME `id` ; | '"
	v, err := r.Read(t.Context(), Ref{Command: []string{"./get", text}, Dir: dir})
	if err != nil || v.Reveal() != text {
		t.Errorf("got %q, %v", v.Reveal(), err)
	}
	if got := redactor.Clean(text); got != redacted {
		t.Errorf("the redactor does not know it: %q", got)
	}
	// stdin is empty, and the folder is that of the plan.
	v, err = r.Read(t.Context(), Ref{Command: []string{"/bin/sh", "-c", "cat; pwd -P"}, Dir: dir})
	if want, _ := filepath.EvalSymlinks(dir); err != nil || v.Reveal() != want {
		t.Errorf("got %q, %v, want %q", v.Reveal(), err, want)
	}
}

func TestReader_command_newlines(t *testing.T) {
	for output, want := range map[string]string{
		`p`: "p", `p\n`: "p", `p\r\n`: "p", `p\n\n`: "p\n", `p\r`: "p\r", `\np\n`: "\np", ` p `: " p ",
	} {
		v, err := new(Reader).Read(t.Context(), sh(t, "printf '"+output+"'; echo "+canary+" >&2"))
		if err != nil || v.Reveal() != want {
			t.Errorf("%s: got %q, %v, want %q", output, v.Reveal(), err, want)
		}
	}
}

func TestReader_command_environment(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", canary)
	t.Setenv("HTTPS_PROXY", "http://u:"+canary+"@proxy")
	t.Setenv("LANG", "C")
	v, err := new(Reader).Read(t.Context(), Ref{Command: []string{"/usr/bin/env"}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(v.Reveal(), canary) || !strings.Contains(v.Reveal(), "LANG=C") {
		t.Errorf("got %s", v.Reveal())
	}
	none := Reader{LookupEnv: func(string) (string, bool) { return "", false }}
	if v, err := none.Read(t.Context(), Ref{Command: []string{"/usr/bin/env"}}); err == nil {
		t.Errorf("got %q, want an empty environment", v.Reveal())
	}
}

func TestReader_command_refused(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"exit status":  {"echo " + canary + "; echo " + canary + " >&2; exit 3", "exit status 3"},
		"killed":       {"kill -9 $$", "signal: killed"},
		"empty":        {"true", "empty"},
		"nul":          {`printf 'x\0y'`, "NUL"},
		"too long":     {"while :; do echo " + canary + "; done", "64 KiB"},
		"timeout":      {"echo " + canary + "; sleep 60", "did not end within"},
		"left running": {"sleep 60 & echo " + canary, "left a process"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Reader{}
			if name == "timeout" {
				r.Timeout = 300 * time.Millisecond
			}
			ref := sh(t, test.script)
			v, err := r.Read(t.Context(), ref)
			wantError(t, ref, v, err, test.want)
		})
	}
	for name, ref := range map[string]Ref{
		"no such program": {Command: []string{"apsctl-no-such-program"}},
		"no such folder":  {Command: []string{"true"}, Dir: "/no/such/folder"},
		"nothing":         {},
		"two":             {Env: "A", File: "b"},
	} {
		v, err := new(Reader).Read(t.Context(), ref)
		if err == nil || !v.IsZero() {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestReader_command_killed_with_its_children(t *testing.T) {
	for name, script := range map[string]string{
		"foreground": `sh -c 'echo $$ >pid; sleep 60; true'; true`,
		"background": `sh -c 'echo $$ >pid; sleep 60; true' & wait`,
	} {
		t.Run(name, func(t *testing.T) {
			ref := sh(t, script)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var pid int
			go func() {
				defer cancel()
				for range 500 {
					text, _ := os.ReadFile(filepath.Join(ref.Dir, "pid"))
					if strings.HasSuffix(string(text), "\n") {
						pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
			}()
			start := time.Now()
			v, err := new(Reader).Read(ctx, ref)
			wantError(t, ref, v, err, "context canceled")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			if pid == 0 {
				t.Fatal("the grandchild did not start")
			}
			for range 200 {
				if gone(pid) {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Errorf("grandchild %d is still there", pid)
		})
	}
}

// gone reports whether a process has ended; in a container without an init that
// reaps it, it stays as a zombie.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestReader_runs_a_command_once(t *testing.T) {
	ref := sh(t, "echo x >>runs; sleep 0.2; echo "+canary)
	r := Reader{}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if v, err := r.Read(t.Context(), ref); err != nil || v.Reveal() != canary {
				t.Errorf("got %q, %v", v.Reveal(), err)
			}
		})
	}
	wg.Wait()
	if runs, _ := os.ReadFile(filepath.Join(ref.Dir, "runs")); string(runs) != "x\n" {
		t.Errorf("it ran %d times, want once", len(runs)/2)
	}
	// Another folder is another secret.
	other := ref
	other.Dir = t.TempDir()
	if _, err := r.Read(t.Context(), other); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(other.Dir, "runs")); err != nil {
		t.Error(err)
	}
}

func TestReader_forgets_errors(t *testing.T) {
	ref := sh(t, "cat value")
	r := Reader{}
	v, err := r.Read(t.Context(), ref)
	wantError(t, ref, v, err, "exit status 1")
	if err := os.WriteFile(filepath.Join(ref.Dir, "value"), []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := r.Read(t.Context(), ref); err != nil || v.Reveal() != canary {
		t.Errorf("got %q, %v", v.Reveal(), err)
	}
}

// A worker that is cancelled does not take the secret from those who wait for it.
func TestReader_cancelled_leader(t *testing.T) {
	ref := sh(t, "touch started; sleep 0.3; echo "+canary)
	r := Reader{}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := r.Read(ctx, ref); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	for {
		if _, err := os.Stat(filepath.Join(ref.Dir, "started")); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	wg.Go(func() {
		if v, err := r.Read(t.Context(), ref); err != nil || v.Reveal() != canary {
			t.Errorf("got %q, %v", v.Reveal(), err)
		}
	})
	short, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if _, err := r.Read(short, ref); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
	cancel()
	wg.Wait()
}
