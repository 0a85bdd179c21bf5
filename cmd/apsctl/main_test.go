package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// actAsApsctl makes the test binary be apsctl itself: the tests run the real
// program in processes of its own, with signals, kills and exit codes.
const actAsApsctl = "APSCTL_TEST_ACT_AS_APSCTL"

// testNotedJobs is how many jobs a plan has at least to be noted, see notedJobsMin.
const testNotedJobs = "APSCTL_TEST_NOTED_JOBS"

// testPeak names a file that a process writes its peak memory to, in bytes, before it
// ends. What wait(2) tells is no less than what the process that started it had.
const testPeak = "APSCTL_TEST_PEAK"

// noSleepAtExit keeps the race detector from holding each process for a second at its
// end, which the tests would mostly wait for.
const noSleepAtExit = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	if os.Getenv(actAsApsctl) != "" {
		if n, err := strconv.Atoi(os.Getenv(testNotedJobs)); err == nil {
			notedJobsMin = n
		}
		if path := os.Getenv(testPeak); path != "" {
			mainTellingPeak(path)
		}
		main()
	}
	flag.Parse()
	// The tests mostly wait for processes of their own.
	_ = flag.Set("test.parallel", "16")
	os.Exit(m.Run())
}

// mainTellingPeak is main, see testPeak.
func mainTellingPeak(path string) {
	keepMemoryPrivate()
	saveMemory()
	code := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		var kib int64
		_, after, _ := strings.Cut(string(status), "VmHWM:")
		_, _ = fmt.Sscan(after, &kib)
		err = os.WriteFile(path, fmt.Append(nil, kib<<10), 0o600)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // there is no such file but on Linux
		panic(err)
	}
	os.Exit(code)
}

// bench is a folder to work in and an environment that knows no credentials
// but the test's own.
type bench struct {
	*testing.T
	dir string
	env []string
	in  string // what apsctl reads from standard input
}

func newBench(t *testing.T) *bench {
	t.Helper()
	t.Parallel() // every bench has its own folder, processes and ports
	dir := t.TempDir()
	return &bench{T: t, dir: dir, env: []string{
		actAsApsctl + "=1", noSleepAtExit, "HOME=" + filepath.Join(dir, "home"), "PATH=" + os.Getenv("PATH"), "TZ=UTC",
		"ALIBABA_CLOUD_ECS_METADATA_DISABLED=true", "ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true",
		"ALIBABA_CLOUD_CREDENTIALS_FILE=" + filepath.Join(dir, "none"), "ALIBABA_CLOUD_CONFIG_FILE=" + filepath.Join(dir, "none"),
		"ALIBABA_CLOUD_CREDENTIALS_URI=", "ALIBABA_CLOUD_ROLE_ARN=", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN=",
		"ALIBABA_CLOUD_OIDC_TOKEN_FILE=", "ALIBABA_CLOUD_PROFILE=", "ALIBABA_CLOUD_SECURITY_TOKEN=",
		"ALIBABA_CLOUD_ACCESS_KEY_ID=emulator", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=emulator",
	}}
}

// setenv replaces a variable of the environment that apsctl gets.
func (b *bench) setenv(name, value string) { b.env = append(b.env, name+"="+value) }

// result is how one process ended.
type result struct {
	code           int
	stdout, stderr string
}

func (r result) String() string {
	return fmt.Sprintf("exit %d\n--- stdout\n%s--- stderr\n%s", r.code, r.stdout, r.stderr)
}

// process is apsctl, running.
type process struct {
	*exec.Cmd
	out, err bytes.Buffer
}

func (b *bench) start(args ...string) *process {
	b.Helper()
	return b.startInto(nil, args...)
}

// startInto is start with stdout in a file, to be read while it runs; nil has it in
// the result.
func (b *bench) startInto(stdout *os.File, args ...string) *process {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	p := &process{Cmd: exec.Command(exe, args...)}
	p.Dir, p.Env, p.Stdin, p.Stdout, p.Stderr = b.dir, b.env, strings.NewReader(b.in), &p.out, &p.err
	if stdout != nil {
		p.Stdout = stdout
	}
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

func (p *process) result() result {
	err := p.Wait()
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	return result{code, p.out.String(), p.err.String()}
}

func (b *bench) apsctl(args ...string) result { b.Helper(); return b.start(args...).result() }

// shell runs a command line as a person would who copied it.
func (b *bench) shell(code int, line string) result {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	p := &process{Cmd: exec.Command("sh", "-c", `apsctl() { "$0" "$@"; }; `+line, exe)}
	p.Dir, p.Env, p.Stdout, p.Stderr = b.dir, b.env, &p.out, &p.err
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	r := p.result()
	if r.code != code {
		b.Fatalf("%s: want exit %d, got %s", line, code, r)
	}
	return r
}

// want runs apsctl and fails the test unless it ends with code.
func (b *bench) want(code int, args ...string) result {
	b.Helper()
	r := b.apsctl(args...)
	if r.code != code {
		b.Fatalf("apsctl %s: want exit %d, got %s", strings.Join(args, " "), code, r)
	}
	return r
}

// emulator starts `apsctl emulator` in a process of its own and points the
// bench's endpoint at it.
func (b *bench) emulator(args ...string) *cloud {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, exe, append([]string{"emulator", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir, cmd.Env = b.dir, b.env
	stderr := &bytes.Buffer{}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	address := regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
	if address == "" {
		cancel()
		b.Fatalf("the emulator did not start: %q %s", line, stderr)
	}
	b.setenv("APSCTL_ENDPOINT", address)
	return &cloud{b, address}
}

// cloud is a running emulator, seen from outside.
type cloud struct {
	*bench
	address string
}

type stats struct {
	Actions map[string]struct {
		Calls     int `json:"calls"`
		Throttled int `json:"throttled"`
	} `json:"actions"`
	Jobs       int `json:"jobs"`
	Duplicates int `json:"duplicates"`
}

func (c *cloud) stats() stats {
	c.Helper()
	response, err := http.Get(c.address + "/_emulator/stats")
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.Fatal(err)
	}
	var s stats
	if err := json.Unmarshal(body, &s); err != nil {
		c.Fatalf("%v in %s", err, body)
	}
	return s
}

func (c *cloud) creates() int { c.Helper(); return c.stats().Actions["CreateAPSJob"].Calls }

// setFaults posts faults to the emulator; "" clears them.
func (c *cloud) setFaults(yaml string) {
	c.Helper()
	method := http.MethodPost
	if yaml == "" {
		method = http.MethodDelete
	}
	request, err := http.NewRequest(method, c.address+"/_emulator/faults", strings.NewReader(yaml))
	if err != nil {
		c.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/yaml")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		body, _ := io.ReadAll(response.Body)
		c.Fatalf("faults: %s %s", response.Status, body)
	}
}

// write makes a file in the bench's folder.
func (b *bench) write(name, text string) {
	b.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// planOf is a plan of n jobs.
func planOf(n int) string {
	var text strings.Builder
	text.WriteString("version: 1\nname: bulk\nregion: cn-hangzhou\ndefaults:\n  destination: {instance: amv-1}\n  db_list: {EntireInstance: true}\njobs:\n")
	for i := range n {
		fmt.Fprintf(&text, "  - name: job-%04d\n    source: {instance: pc-%03d}\n", i, i/3)
	}
	return text.String()
}

// applied is the JSON of one apply.
func (b *bench) applied(r result) applyJSON {
	b.Helper()
	var a applyJSON
	if err := json.Unmarshal([]byte(r.stdout), &a); err != nil {
		b.Fatalf("%v in %s", err, r)
	}
	return a
}

// eventually waits for something to come true, for at most a minute.
func (b *bench) eventually(what string, true_ func() bool) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if true_() {
			return
		}
	}
	b.Fatalf("waited a minute for %s", what)
}

// sessionPlan is a plan of so many jobs, of which the one named gate asks for a
// password that comes when the file of that name is there. Its command also ends
// with the folder of the test: one that outlives a killed apsctl is nobody's.
func (b *bench) sessionPlan(jobs int, gate string) string {
	b.Helper()
	var text strings.Builder
	text.WriteString("version: 1\nname: orders\nregion: cn-hangzhou\ndefaults:\n" +
		"  source: {user: sync, password: {env: PASSWORD}}\n  destination: {instance: amv-bp1analytics, user: loader, password: {env: PASSWORD}}\n" +
		"  db_list: {EntireInstance: true}\njobs:\n")
	b.setenv("PASSWORD", "not-shown-anywhere")
	for i := range jobs {
		name := fmt.Sprintf("orders-%02d", i)
		password := ""
		if name == gate {
			script := fmt.Sprintf("until [ -e %s ] || [ ! -d %s ]; do sleep 0.05; done; echo not-shown-anywhere", filepath.Join(b.dir, gate), b.dir)
			password = fmt.Sprintf(", password: {command: [sh, -c, %q]}", script)
		}
		fmt.Fprintf(&text, "  - {name: %s, source: {instance: pc-bp1%s%s}}\n", name, name, password)
	}
	b.write("orders.yaml", text.String())
	return "orders.yaml"
}
