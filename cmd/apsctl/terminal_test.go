//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// terminal is apsctl on a terminal of the test's own, and what that shows.
type terminal struct {
	*bench
	cmd    *exec.Cmd
	line   *os.File // the other end
	screen vt10x.Terminal
	drawn  chan struct{} // closed when the program has ended and all is drawn
	raw    []byte        // all that was sent, to be read after the end
}

func (t *terminal) sent() string { return string(t.raw) }

// terminal starts apsctl with stdin, stdout and stderr on a terminal.
func (b *bench) terminal(width, height int, args ...string) *terminal {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	t := &terminal{bench: b, cmd: exec.Command(exe, args...), screen: vt10x.New(vt10x.WithSize(max(width, 2), height)), drawn: make(chan struct{})}
	t.cmd.Dir, t.cmd.Env = b.dir, append([]string{"TERM=xterm-256color", "LANG=C.UTF-8"}, b.env...)
	if t.line, err = pty.StartWithSize(t.cmd, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		b.Fatal(err)
	}
	go func() {
		defer close(t.drawn)
		buffer := make([]byte, 4096)
		for {
			n, err := t.line.Read(buffer)
			t.raw = append(t.raw, buffer[:n]...)
			_, _ = t.screen.Write(buffer[:n])
			if err != nil { // the program's end is gone
				return
			}
		}
	}()
	b.Cleanup(func() {
		_ = t.cmd.Process.Kill()
		<-t.drawn
		_ = t.line.Close()
	})
	return t
}

// shows waits until the terminal shows each of the texts at once, and returns all
// that it shows then.
func (t *terminal) shows(texts ...string) string {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		shown, missing := t.screenText(), ""
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				missing = text
			}
		}
		if missing == "" {
			return shown
		}
		if time.Now().After(deadline) {
			t.Fatalf("the terminal does not show %q, but\n%s", missing, shown)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// showsNot waits until the terminal shows the text no more, and returns all that it
// shows then.
func (t *terminal) showsNot(text string) string {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		switch shown := t.screenText(); {
		case !strings.Contains(shown, text):
			return shown
		case time.Now().After(deadline):
			t.Fatalf("the terminal still shows %q in\n%s", text, shown)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// types sends keys.
func (t *terminal) types(keys string) {
	t.Helper()
	if _, err := t.line.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end, and returns the exit code and what is on the terminal then.
func (t *terminal) ends() (code int, shown string) {
	t.Helper()
	_ = t.cmd.Wait()
	<-t.drawn
	return t.cmd.ProcessState.ExitCode(), t.screenText()
}

func (t *terminal) screenText() string {
	lines := strings.Split(t.screen.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

const ctrlC, ctrlZ = "\x03", "\x1a"

// variable is what differs from one run to the next, and how it is written in a
// recorded session. A line that a terminal breaks in two is one before.
var variable = []struct {
	pattern *regexp.Regexp
	as      string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z| UTC)?`), "TIME"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`), "TIME"},
	{regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?(ms|s)\b`), "TIME"},
	{regexp.MustCompile(`\b[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\b`), "REQUEST"},
	{regexp.MustCompile(`\b\d{8}TTIME-\w+|\b\d{8}T\d{6}Z-\w+`), "RUN"},
	{regexp.MustCompile(`, [\d.]+ jobs/s`), ""},
	{regexp.MustCompile(`(?m) +for TIME$`), ""},
	{regexp.MustCompile(`about TIME left, `), ""},
	{regexp.MustCompile(`up to [\d.]+ calls/s`), "up to N calls/s"},
	{regexp.MustCompile(`pid \d+ on \S+ by \S+`), "pid N on HOST by USER"},
}

// unbroken joins what a terminal of this width broke in two.
func unbroken(shown string, width int) string {
	lines := strings.Split(shown, "\n")
	joined := lines[:1]
	for i, line := range lines[1:] {
		last := &joined[len(joined)-1]
		switch before := len([]rune(lines[i])); {
		case before == width:
			*last += line
		case before == width-1 && !strings.HasPrefix(lines[i], "[") && !strings.HasSuffix(lines[i], "~"):
			*last += " " + line
		default:
			joined = append(joined, line)
		}
	}
	return strings.Join(joined, "\n")
}

// recorded is a session as it is kept in testdata/terminal.
type recorded struct {
	text  strings.Builder
	width int
}

func (r *recorded) add(title, shown string) {
	shown = unbroken(shown, r.width)
	for _, v := range variable {
		shown = v.pattern.ReplaceAllString(shown, v.as)
	}
	fmt.Fprintf(&r.text, "=== %s\n%s", title, shown)
}

func (r *recorded) end(t *terminal) int {
	code, shown := t.ends()
	r.add(fmt.Sprintf("in the end, exit code %d", code), shown)
	return code
}

// TestSessionsOnATerminal are whole sessions as people see them: the real program on
// a terminal, against an emulator. -update writes testdata/terminal anew.
func TestSessionsOnATerminal(t *testing.T) {
	sessions := map[string]struct {
		width, height int
		play          func(b *bench, r *recorded, size func(args ...string) *terminal)
	}{
		"fresh":        {80, 24, playFresh},
		"fresh-narrow": {40, 10, playFresh},
		"fresh-wide":   {120, 40, playFresh},
		"throttled":    {80, 24, playThrottled},
		"failures":     {80, 24, playFailures},
		"interrupted":  {80, 24, playInterrupted},
		"locked":       {80, 24, playLocked},
		"unknown":      {80, 24, playUnknown},
	}
	for name, session := range sessions {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r := &recorded{width: session.width}
			session.play(b, r, func(args ...string) *terminal {
				b.Helper()
				return b.terminal(session.width, session.height, args...)
			})
			golden(t, "terminal/"+name+".txt", r.text.String())
		})
	}
}

func playFresh(b *bench, r *recorded, terminal func(...string) *terminal) {
	b.emulator()
	t := terminal("apply", "--parallel", "1", b.sessionPlan(6, "orders-03"))
	r.add("the question", t.shows("Only yes does:"))
	t.types("yes\r")
	r.add("on its way", t.shows("3/6", "create  orders-03"))
	b.write("orders-03", "")
	r.end(t)
}

func playThrottled(b *bench, r *recorded, terminal func(...string) *terminal) {
	cloud := b.emulator()
	cloud.setFaults(`[{operation: CreateAPSJob, kind: throttle, hint: retry-after, wait: 5m, skip: 2}]`)
	t := terminal("apply", "--yes", "--parallel", "1", b.sessionPlan(6, ""))
	r.add("on its way", t.shows("2/6", "throttled: creates go on in 4m", "1 waiting to retry", "Throttling", "create  orders-03"))
	t.types(ctrlC)
	r.end(t)
}

func playFailures(b *bench, r *recorded, terminal func(...string) *terminal) {
	b.emulator().setFaults(`[{operation: CreateAPSJob, kind: status, status: 400, code: InvalidDBClusterId.NotFound, skip: 1, count: 2}]`)
	t := terminal("apply", "--yes", "--parallel", "1", b.sessionPlan(6, "orders-04"))
	r.add("on its way", t.shows("4/6", "2 failed", "create  orders-04"))
	b.write("orders-04", "")
	r.end(t)
}

func playInterrupted(b *bench, r *recorded, terminal func(...string) *terminal) {
	cloud := b.emulator()
	cloud.setFaults(`[{operation: CreateAPSJob, kind: hang, when: after, hold: 1h, skip: 3}]`)
	t := terminal("apply", "--yes", "--parallel", "1", b.sessionPlan(6, ""))
	t.shows("3/6", "create  orders-03")
	t.types(ctrlC)
	r.add("after the first Ctrl-C", t.shows("stopping: interrupted", "apsctl: interrupted"))
	t.types(ctrlC)
	r.end(t)
}

func playLocked(b *bench, r *recorded, terminal func(...string) *terminal) {
	b.emulator()
	file := b.sessionPlan(2, "orders-00")
	other := terminal("apply", "--yes", file)
	other.shows("orders-00")
	r.end(terminal("apply", "--yes", file))
}

func playUnknown(b *bench, r *recorded, terminal func(...string) *terminal) {
	cloud := b.emulator()
	cloud.setFaults(`[{operation: CreateAPSJob, kind: drop, skip: 2, count: 1}]`)
	t := terminal("apply", "--yes", "--parallel", "1", b.sessionPlan(6, "orders-03"))
	r.add("on its way", t.shows("1 unknown", "next look in", "create  orders-03"))
	b.write("orders-03", "")
	r.end(t)
}

func TestKilledRunLeavesTheTerminalAsItWas(t *testing.T) {
	b := newBench(t)
	b.emulator()
	term := b.terminal(80, 24, "apply", "--yes", b.sessionPlan(4, "orders-00"))
	term.shows("3/4", "orders-00")
	_ = term.cmd.Process.Signal(syscall.SIGKILL)
	term.ends()
	cursor := term.screen.Cursor()
	if cursor.X != 0 || !term.screen.CursorVisible() || term.screen.Mode()&vt10x.ModeWrap == 0 || cursor.Attr.FG != vt10x.DefaultFG {
		t.Errorf("the cursor is at %d, it is visible: %v, the mode is %v", cursor.X, term.screen.CursorVisible(), term.screen.Mode())
	}
	if rows := strings.Split(term.screenText(), "\n"); cursor.Y != len(rows)-1 {
		t.Errorf("the cursor is in line %d of\n%s", cursor.Y, term.screenText())
	}
}

func TestStatusWatchOnATerminalEndsWithCtrlC(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--initializing", "1ms")
	b.want(0, "apply", "--yes", b.sessionPlan(30, ""))
	term := b.terminal(80, 24, "status", "--watch", "--interval", "1s")
	term.shows("30 jobs: 30 created", "on the service: 30 Running", "orders-14", "and 13 more jobs")
	cloud.setFaults(`[{operation: "Describe*", kind: status, status: 400, code: InvalidParameter}]`)
	term.shows("nothing was seen this time", "30 Running") // the table stays
	cloud.setFaults("")
	term.showsNot("nothing was seen")
	term.types(ctrlC)
	code, shown := term.ends()
	if code != exitDone || !strings.Contains(shown, "30 jobs: 30 created") || strings.Contains(shown, "^C") || term.screen.Cursor().X != 0 {
		t.Errorf("exit %d, the cursor is at %d, and it shows\n%s", code, term.screen.Cursor().X, shown)
	}
}

func TestWaitOnATerminalShowsABar(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--needs-start")
	b.want(0, "apply", "--yes", b.sessionPlan(3, ""))
	term := b.terminal(80, 24, "wait", "*", "--for", "running")
	term.shows("0/3", "waiting for running", "3 jobs not there yet", "orders-02")
	cloud.want(0, "start", "--yes", "*")
	code, shown := term.ends()
	if code != exitDone || strings.Contains(shown, "not there yet") || !strings.HasPrefix(shown, "3 jobs running, after ") {
		t.Errorf("exit %d after\n%s", code, shown)
	}
}

func TestViewFollowsTheSizeOfItsWindow(t *testing.T) {
	b := newBench(t)
	b.setenv("XTERM_VERSION", "XTerm(390)") // like the emulator, it breaks no line in two
	b.emulator()
	term := b.terminal(100, 30, "apply", "--yes", b.sessionPlan(4, "orders-00"))
	before := term.shows("3/4", "orders-00", "up to")
	term.resize(30, 12)
	narrow := term.showsNot("up to")
	term.resize(100, 30)
	after := term.shows("3/4", "orders-00", "up to")
	for name, shown := range map[string]string{"before": before, "narrow": narrow, "after": after} {
		if strings.Count(shown, "3/4") != 1 || strings.Count(shown, "at work") != 1 {
			t.Errorf("%s, the view is there more than once:\n%s", name, shown)
		}
	}
}

// TestSessionsLeaveNoCommandBehind: apsctl is killed at the end of the one above,
// while it waits for the command of a password.
func TestSessionsLeaveNoCommandBehind(t *testing.T) {
	var folder string
	t.Run("session", func(t *testing.T) { // over when the parallel one in it is
		t.Run("killed", func(t *testing.T) {
			b := newBench(t)
			folder = b.dir
			b.emulator()
			b.terminal(80, 24, "apply", "--yes", b.sessionPlan(2, "orders-00")).shows("1/2", "orders-00")
			if !strings.Contains(processes(t), filepath.Join(folder, "orders-00")) {
				t.Fatal("no command waits")
			}
		})
	})
	b := &bench{T: t}
	b.eventually("the end of the command", func() bool { return !strings.Contains(processes(t), folder) })
}

// processes are the command lines of all that run.
func processes(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-ww", "-o", "args").Output()
	if err != nil {
		t.Skip("this ps is another one: ", err)
	}
	return string(out)
}

func (t *terminal) resize(width, height int) {
	t.Helper()
	t.screen.Resize(width, height)
	if err := pty.Setsize(t.line, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		t.Fatal(err)
	}
}

// TestCtrlZWithoutAShellStopsNothing: there is nobody who could have it go on.
func TestCtrlZWithoutAShellStopsNothing(t *testing.T) {
	b := newBench(t)
	b.emulator()
	term := b.terminal(80, 24, "apply", "--yes", b.sessionPlan(4, "orders-00"))
	term.shows("3/4", "create  orders-00")
	term.types(ctrlZ)
	b.write("orders-00", "")
	if code, shown := term.ends(); code != exitDone || strings.Contains(shown, "at work") {
		t.Errorf("exit %d with\n%s", code, shown)
	}
}

func TestDumbTerminalIsNotPaintedOn(t *testing.T) {
	b := newBench(t)
	b.setenv("TERM", "dumb")
	b.emulator()
	term := b.terminal(80, 24, "apply", "--yes", b.sessionPlan(4, "orders-00"))
	term.shows("3/4 done, 3 created")
	b.write("orders-00", "")
	if code, _ := term.ends(); code != exitDone || strings.Contains(term.sent(), "\x1b") {
		t.Errorf("exit %d after %q", code, term.sent())
	}
}

// TestTerminalOfAnySize: one that says no width, and one that is far too wide.
func TestTerminalOfAnySize(t *testing.T) {
	for _, width := range []int{0, 1, 10_000} {
		t.Run(strconv.Itoa(width), func(t *testing.T) {
			b := newBench(t)
			b.emulator()
			term := b.terminal(width, 24, "apply", "--yes", b.sessionPlan(4, "orders-00"))
			b.write("orders-00", "")
			code, _ := term.ends()
			if code != exitDone || !strings.Contains(term.sent(), "4 created of 4 jobs") {
				t.Errorf("exit %d after %q", code, term.sent())
			}
		})
	}
}

func TestNoColorPaintsWithoutColour(t *testing.T) {
	colour := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	for _, value := range []string{"", "1"} {
		t.Run(value, func(t *testing.T) {
			b := newBench(t)
			b.setenv("NO_COLOR", value)
			b.emulator()
			term := b.terminal(80, 24, "apply", "--yes", b.sessionPlan(4, "orders-00"))
			term.shows("3/4", "orders-00")
			b.write("orders-00", "")
			term.ends()
			if got := colour.MatchString(term.sent()); got == (value != "") {
				t.Errorf("with NO_COLOR=%q there are colours: %v", value, got)
			}
		})
	}
}
