package main

import (
	"io"
	"os"
	"strings"
	"sync"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/apsctl/apsctl/internal/printable"
)

// Terminals cut what is painted at their edge rather than wrap it, should they
// take a character for wider than it was counted.
const (
	wrapOff, wrapOn = "\x1b[?7l", "\x1b[?7h"
	eraseBelow      = "\x1b[J"
)

// screen is stderr on a terminal: what is written to it stands above a view that
// is painted over again and again. Between two writes the cursor is at the start of
// the line below the view, nothing is hidden and no mode is set: whatever happens
// to the process, what comes next on the terminal starts on a line of its own. It
// is safe for concurrent use.
type screen struct {
	out      io.Writer
	size     func() (width, height int)
	coloured bool
	reflows  bool // lines that a smaller window cuts are broken in two

	mu     sync.Mutex
	view   []string // painted; nil for nothing
	widths []int    // of these
	within bool     // a line was begun and not ended
}

// newScreen returns the screen of a terminal, or nil for one that cannot be
// painted on.
func newScreen(stderr io.Writer) *screen {
	file, ok := stderr.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return nil
	}
	return &screen{
		out: stderr, coloured: os.Getenv("NO_COLOR") == "",
		reflows: os.Getenv("XTERM_VERSION") == "" && os.Getenv("TERM") != "linux",
		size: func() (int, int) {
			// Asked each time: that costs less than to wait for a signal that says when.
			if width, height, err := term.GetSize(int(file.Fd())); err == nil && width > 1 && height > 1 {
				return width, height
			}
			return 80, 24
		},
	}
}

// Write writes text above the view.
func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.view == nil {
		s.within = len(text) > 0 && text[len(text)-1] != '\n'
		return s.out.Write(text)
	}
	view := s.view
	var b strings.Builder
	b.WriteString(s.overView())
	b.WriteString(eraseBelow)
	b.Write(text)
	if s.view, s.within = nil, len(text) > 0 && text[len(text)-1] != '\n'; !s.within {
		s.put(&b, view)
	}
	if _, err := io.WriteString(s.out, b.String()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// begin says that the cursor is at the start of a line, as it is when a person has
// answered a question.
func (s *screen) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view, s.within = nil, false
}

// layout is a view for a terminal of so many cells and lines.
type layout func(width, height int) []viewLine

// keepPainting paints what next gives, again and again, until the function that it
// returns is called; nil is not painted. The last view stays.
func (s *screen) keepPainting(next func() layout) (stop func()) {
	s.begin()
	stopPainting := every(paintEvery, func() {
		if lines := next(); lines != nil {
			s.paint(lines)
		}
	})
	stopListening := onSuspend(s.away)
	return func() {
		stopListening()
		stopPainting()
	}
}

// away takes the view away while the process is stopped: the terminal is the shell's.
func (s *screen) away(suspend func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eraseView()
	suspend()
}

// leave has the view stay where it is. What a terminal echoes of Ctrl-C goes.
func (s *screen) leave() {
	_, _ = io.WriteString(s.out, "\r"+text.EraseLine.Sprint())
	s.begin()
}

// paint puts a view in place of the last one.
func (s *screen) paint(lines layout) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.within {
		return
	}
	width, height := s.size()
	var view []string
	for _, line := range lines(width-1, height-1) {
		view = append(view, line.render(width-1, s.coloured))
	}
	var b strings.Builder
	b.WriteString(s.overView())
	s.put(&b, view)
	_, _ = io.WriteString(s.out, b.String()) // nobody is there to be told
}

// put adds a view to what is written, over an old one.
func (s *screen) put(b *strings.Builder, view []string) {
	b.WriteString(wrapOff)
	s.widths = s.widths[:0]
	for _, line := range view {
		b.WriteString(line + text.EraseLine.Sprint() + "\r\n")
		s.widths = append(s.widths, printable.Width(text.StripEscape(line)))
	}
	b.WriteString(eraseBelow + wrapOn)
	s.view = view
}

// erase takes the view away.
func (s *screen) erase() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eraseView()
}

func (s *screen) eraseView() {
	if s.view != nil {
		_, _ = io.WriteString(s.out, s.overView()+eraseBelow)
	}
	s.view = nil
}

// overView moves the cursor to the start of the view. Where the window has become
// smaller, the view may take more lines than it was painted in.
func (s *screen) overView() string {
	if len(s.view) == 0 {
		return "\r"
	}
	width, height := s.size()
	up := 0
	for _, cells := range s.widths {
		up++
		if s.reflows {
			up += max(0, cells-1) / width
		}
	}
	return "\r" + text.CursorUp.Sprintn(min(up, height-1))
}
