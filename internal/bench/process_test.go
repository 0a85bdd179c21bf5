package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// roles are what the test binary does in a process of its own, by name; see
// bench.self.
var roles = map[string]func(args []string) error{}

const roleVariable = "APSCTL_BENCH_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := roles[role](os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// apsctl builds the program, once.
var apsctl = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "apsctl-bench-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "apsctl")
	out, err := exec.Command("go", "build", "-o", path, "github.com/apsctl/apsctl/cmd/apsctl").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// bench is a folder, and an environment that knows no credentials but its own.
type bench struct {
	*testing.B
	dir, program string
	env          []string
}

func newBench(b *testing.B) *bench {
	b.Helper()
	program, err := apsctl()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	return &bench{B: b, dir: dir, program: program, env: []string{
		"HOME=" + filepath.Join(dir, "home"), "PATH=" + os.Getenv("PATH"), "TZ=UTC",
		"ALIBABA_CLOUD_ECS_METADATA_DISABLED=true", "ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true",
		"ALIBABA_CLOUD_CREDENTIALS_FILE=" + filepath.Join(dir, "none"), "ALIBABA_CLOUD_CONFIG_FILE=" + filepath.Join(dir, "none"),
		"ALIBABA_CLOUD_ACCESS_KEY_ID=emulator", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=emulator",
		"SRC_PASSWORD=not-a-real-one", "DST_PASSWORD=not-a-real-one",
	}}
}

// cost is what one process took.
type cost struct {
	wall, cpu time.Duration
	peakBytes int64
}

// least keeps the smallest of each figure: what disturbs a run only adds to it.
func (c *cost) least(other cost) {
	if c.wall == 0 {
		*c = other
		return
	}
	c.wall, c.cpu, c.peakBytes = min(c.wall, other.wall), min(c.cpu, other.cpu), min(c.peakBytes, other.peakBytes)
}

func (c cost) mebibytes() float64 { return float64(c.peakBytes) / (1 << 20) }

// apsctl runs the program to its end, with its output thrown away.
func (b *bench) apsctl(args ...string) cost {
	b.Helper()
	return b.run(exec.Command(b.program, args...))
}

// self runs a role of this binary to its end.
func (b *bench) self(role string, args ...string) cost {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(cmd.Env, roleVariable+"="+role)
	return b.run(cmd)
}

func (b *bench) run(cmd *exec.Cmd) cost {
	b.Helper()
	cmd.Dir, cmd.Env = b.dir, append(cmd.Env, b.env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s: %v: %s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{
		wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		peakBytes: usage.Maxrss << 10,
	}
}

// emulator starts the emulator in a process of its own and has apsctl use it.
func (b *bench) emulator(args ...string) (address string) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, b.program, append([]string{"emulator", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir, cmd.Env = b.dir, b.env
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
	address = regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
	if address == "" {
		b.Fatalf("the emulator did not start: %q", line)
	}
	b.env = append(b.env, "APSCTL_ENDPOINT="+address)
	return address
}

// path is that of a file in the bench's folder.
func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// write makes a file in the bench's folder.
func (b *bench) write(name, text string) string {
	b.Helper()
	if err := os.WriteFile(b.path(name), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return b.path(name)
}
