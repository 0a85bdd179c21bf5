package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/runner"
)

const (
	paintEvery = 200 * time.Millisecond // on a terminal
	lineEvery  = 5 * time.Second        // elsewhere
)

// display shows a run's progress on stderr: one line that is painted over on
// a terminal, and one plain line every few seconds elsewhere.
type display struct {
	out      io.Writer
	terminal bool
	quiet    bool         // only warnings
	plain    bool         // lines, also on a terminal
	stream   *eventStream // takes the place of lines; nil for none
	clean    func(string) string

	mu      sync.Mutex
	last    runner.Progress
	painted bool
	done    chan struct{}
	ended   sync.WaitGroup
}

func newDisplay(a *app) *display {
	return &display{out: a.stderr, terminal: a.stderrTerminal && os.Getenv("TERM") != "dumb", clean: a.redactor.Clean}
}

// observe takes a new picture; it is drawn at the next turn.
func (d *display) observe(p runner.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = p
}

// warn prints one line above the progress.
func (d *display) warn(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.erase()
	fmt.Fprintf(d.out, "apsctl: %s\n", printable.Line(d.clean(line)))
}

// start draws until stop.
func (d *display) start() {
	every := lineEvery
	if d.plain || d.stream != nil {
		d.terminal = false
	}
	if d.terminal {
		every = paintEvery
	}
	d.done = make(chan struct{})
	d.ended.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-d.done:
				return
			case <-ticker.C:
				d.draw()
			}
		}
	})
}

func (d *display) stop() {
	close(d.done)
	d.ended.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.erase()
}

func (d *display) erase() {
	if d.painted {
		fmt.Fprint(d.out, "\r\x1b[K")
		d.painted = false
	}
}

func (d *display) draw() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last.Total == 0 || d.quiet {
		return
	}
	if d.stream != nil {
		d.stream.progress(d.last)
		return
	}
	line := progressLine(d.last)
	if !d.terminal {
		fmt.Fprintln(d.out, line)
		return
	}
	fmt.Fprintf(d.out, "\r\x1b[K%s", text.Trim(line, d.width()-1))
	d.painted = true
}

func (d *display) width() int {
	if file, ok := d.out.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 1 {
			return width
		}
	}
	return 80
}

// progressLine says in one line how far a run is.
func progressLine(p runner.Progress) string {
	parts := []string{fmt.Sprintf("%d/%d done", p.Done, p.Total)}
	add := func(n int, word string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	if p.Waves > 1 && p.Wave > 0 {
		parts = append(parts, fmt.Sprintf("wave %d of %d", p.Wave, p.Waves))
	}
	add(p.Created, "created")
	add(p.Failed, "failed")
	add(p.Unknown, "unknown, being looked for")
	add(p.InFlight, "in flight")
	add(p.Starting, "not running yet")
	if p.Waiting > 0 {
		waiting := fmt.Sprintf("%d waiting to retry", p.Waiting)
		if p.Cause != "" {
			waiting += " (" + printable.Clip(p.Cause, 60) + ")"
		}
		parts = append(parts, waiting)
	}
	if p.Rate > 0 {
		parts = append(parts, fmt.Sprintf("up to %.3g/s", p.Rate))
	}
	if left := timeLeft(p); left > 0 {
		parts = append(parts, "about "+left.String()+" left")
	}
	return strings.Join(parts, ", ")
}

// timeLeft extrapolates from what was done so far; 0 means too early to tell.
func timeLeft(p runner.Progress) time.Duration {
	if p.Done < 3 || p.Elapsed < 2*time.Second {
		return 0
	}
	each := p.Elapsed / time.Duration(p.Done)
	return (each * time.Duration(p.Total-p.Done)).Round(time.Second)
}
