package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/runner"
)

const (
	paintEvery = 200 * time.Millisecond // on a terminal
	lineEvery  = 5 * time.Second        // elsewhere
)

// display shows a run's progress on stderr: a view that is painted over on a
// terminal, and one plain line every few seconds elsewhere.
type display struct {
	out    io.Writer
	screen *screen      // nil for plain lines
	quiet  bool         // only warnings
	plain  bool         // lines, also on a terminal
	stream *eventStream // takes the place of lines; nil for none
	clean  func(string) string

	ended func() // of the drawing

	mu    sync.Mutex
	last  runner.Progress
	scans map[string]aps.Scan // by region, those that are under way
}

func newDisplay(a *app) *display {
	return &display{out: a.stderr, screen: a.screen, clean: a.redactor.Clean}
}

// observe takes a new picture; it is drawn at the next turn.
func (d *display) observe(p runner.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = p
}

// warn prints one line above the progress.
func (d *display) warn(line string) {
	fmt.Fprintf(d.out, "apsctl: %s\n", printable.Line(d.clean(line)))
}

// start draws until stop. ask gives the picture of a run, for a view with its jobs;
// nil does with what observe was told.
func (d *display) start(ask func() (runner.Picture, bool)) {
	d.mu.Lock()
	d.last = runner.Progress{} // of what was drawn before
	d.mu.Unlock()
	if d.plain || d.stream != nil || d.quiet {
		d.screen = nil
	}
	if d.screen == nil {
		d.ended = every(lineEvery, d.draw)
		return
	}
	var pace pace
	stop := d.screen.keepPainting(func() layout {
		p := d.picture(ask)
		if p.Total == 0 {
			return d.listing()
		}
		return runView{Picture: p, pace: pace.note(p.At, p.Done)}.lines
	})
	d.ended = func() {
		stop()
		d.screen.erase()
	}
}

// stop ends the drawing, and takes the view away.
func (d *display) stop() { d.ended() }

// picture is how the run stands.
func (d *display) picture(ask func() (runner.Picture, bool)) runner.Picture {
	if ask != nil {
		p, _ := ask()
		return p
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return runner.Picture{At: time.Now(), Progress: d.last}
}

// draw tells in a line how the run stands.
func (d *display) draw() {
	switch p := d.picture(nil).Progress; {
	case d.quiet:
	case p.Total == 0:
		d.drawScans()
	case d.stream != nil:
		d.stream.progress(p)
	default:
		fmt.Fprintln(d.out, progressLine(p))
	}
}

// every calls do at intervals, until the function that it returns is called.
func every(interval time.Duration, do func()) (stop func()) {
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				do()
			}
		}
	})
	return func() {
		close(done)
		ended.Wait()
	}
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

const (
	paceOver   = 30 * time.Second // what counts as of late
	paceNeeds  = 2 * time.Second
	paceSample = 500 * time.Millisecond
)

// pace is how fast jobs were done of late.
type pace struct{ samples []paceAt }

type paceAt struct {
	at   time.Time
	done int
}

// note takes in how many are done by now, and returns how many that is a second;
// 0 means too early to tell.
func (p *pace) note(now time.Time, done int) float64 {
	if last := len(p.samples) - 1; last < 0 || now.Sub(p.samples[last].at) >= paceSample {
		p.samples = append(p.samples, paceAt{now, done})
	}
	for now.Sub(p.samples[0].at) > paceOver {
		p.samples = p.samples[1:]
	}
	first := p.samples[0]
	if passed := now.Sub(first.at); passed >= paceNeeds {
		return float64(done-first.done) / passed.Seconds()
	}
	return 0
}
