package plan

import (
	"runtime"
	"strings"
	"sync"
)

// The YAML parser takes very much memory for a large file, and its time for each
// line grows with the size of the text. So the list of jobs of a large file is
// cut at its items and parsed in pieces, side by side, and each piece is dropped
// as soon as its jobs are read. What is unusual about such a file, and every
// problem that keeps a piece from being parsed, sends the whole file down the one
// way that decides: parsed at once.

// pieceLines is how many lines a piece has at least. A file is cut when its list
// of jobs has more than two pieces.
var pieceLines = 1024

// pieces is the list of jobs of a large file.
type pieces struct {
	in    *findings // of the file
	first int       // line of the first item, counted from 0
	end   int       // line after the last one
	cuts  []cut
	shown map[int]bool // pieces whose secrets are known, see reveal
}

// cut is the start of one piece.
type cut struct {
	line  int // counted from 0
	items int // that begin in the piece
}

// findPieces cuts the list of jobs in f's text, or returns nil where that is not
// worth it or not safe: with anchors, aliases, merge keys, tabs, other documents,
// or anything else that lets an item depend on what is around it.
func findPieces(f *findings) *pieces {
	lines := f.text.lines
	key := -1
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "jobs:"); ok && onlyComment(rest) {
			if key >= 0 {
				return nil
			}
			key = i
		}
	}
	if key < 0 || len(lines)-key < 2*pieceLines {
		return nil
	}
	p := &pieces{in: f, first: key + 1, shown: map[int]bool{}}
	if !p.scan(lines) || len(p.cuts) < 2 {
		return nil
	}
	return p
}

// onlyComment reports whether nothing but a comment is left on a line.
func onlyComment(rest string) bool {
	text := strings.TrimLeft(rest, " ")
	return text == "" || text[0] == '#' && len(text) < len(rest)
}

// scan finds the items below the key and cuts the list into pieces. It reports
// whether that is safe.
func (p *pieces) scan(lines []string) bool {
	indent := -1 // of the dashes
	for i := p.first; i < len(lines); i++ {
		line := lines[i]
		text := strings.TrimLeft(line, " ")
		if text == "" || text[0] == '#' {
			continue
		}
		depth := len(line) - len(text)
		item := strings.HasPrefix(text, "- ") && !onlyComment(text[1:])
		if indent < 0 && item {
			indent = depth
		}
		switch {
		case indent < 0 || !standsAlone(line):
			return false
		case depth == indent && item:
			p.item(i)
		case depth > indent:
		case depth == 0 && !strings.HasPrefix(text, "---") && !strings.HasPrefix(text, "...") && text[0] != '%':
			p.end = i
			return true
		default:
			return false
		}
	}
	p.end = len(lines)
	return indent >= 0
}

// item notes an item that begins on a line, and cuts there when the piece is
// long enough.
func (p *pieces) item(line int) {
	if n := len(p.cuts); n == 0 || line-p.cuts[n-1].line >= pieceLines {
		start := line
		if n == 0 {
			start = p.first
		}
		p.cuts = append(p.cuts, cut{line: start})
	}
	p.cuts[len(p.cuts)-1].items++
}

// standsAlone reports whether a line surely has nothing that refers to other items.
func standsAlone(line string) bool {
	if strings.IndexByte(line, '\t') >= 0 || strings.Contains(line, "<<") {
		return false
	}
	for i := 0; i < len(line); i++ {
		if c := line[i]; (c == '&' || c == '*') && (i == 0 || strings.IndexByte(" -:[{,", line[i-1]) >= 0) &&
			i+1 < len(line) && line[i+1] != ' ' {
			return false
		}
	}
	return true
}

// last returns the line after piece i.
func (p *pieces) last(i int) int {
	if i+1 < len(p.cuts) {
		return p.cuts[i+1].line
	}
	return p.end
}

// rest is the file without its list of jobs.
func (p *pieces) rest() string {
	lines := p.in.text.lines
	return strings.Join(lines[:p.first], "\n") + "\n" + strings.Join(lines[p.end:], "\n")
}

// items calls yield for every item of the list, in order, until it returns false.
// It returns false when a piece cannot be parsed by itself.
func (p *pieces) items(yield func(*node) bool) bool {
	parsed := make(chan chan []*node, 2*runtime.GOMAXPROCS(0))
	stop := make(chan struct{})
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(stop)
	workers.Go(func() {
		defer close(parsed)
		for i := range p.cuts {
			one := make(chan []*node, 1)
			select {
			case parsed <- one: // bounds how many are parsed ahead
			case <-stop:
				return
			}
			workers.Go(func() { one <- p.parse(i, nil) })
		}
	})
	for one := range parsed {
		items := <-one
		if items == nil {
			return false
		}
		for _, item := range items {
			if !yield(item) {
				return true
			}
		}
	}
	return true
}

// parse returns the items of one piece, nil if it cannot stand by itself. What is
// secret in it is hidden in hides, if that is not nil.
func (p *pieces) parse(i int, hides *sourceText) []*node {
	from, to := p.cuts[i].line, p.last(i)
	text := newSourceText("", strings.Join(p.in.text.lines[from:to], "\n"))
	f := newFindings(text)
	body := parseYAML(f, text.whole, 1)
	if body == nil {
		return nil
	}
	b := newBuilder(f)
	b.in, b.hides, b.removed = p.in, hides, from
	list := b.build(body, false)
	if f.any() || list.kind != nodeList || len(list.items) != p.cuts[i].items {
		return nil
	}
	return list.items
}

// reveal makes known what is secret around a line, of which an excerpt is to be
// shown. Doing so for all pieces at once would keep most of the file in memory.
func (p *pieces) reveal(line int) {
	for i := range p.cuts {
		if line-1 >= p.cuts[i].line && line-1 < p.last(i) && !p.shown[i] {
			p.shown[i] = true
			p.parse(i, p.in.text)
		}
	}
}
