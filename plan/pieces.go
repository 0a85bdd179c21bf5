package plan

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// The YAML parser takes very much memory for a large file, and its time for each
// line grows with the size of the text. So the list of jobs of a large file is
// cut at its items and parsed in pieces, side by side, and each piece is dropped
// as soon as its jobs are read. What is unusual about such a file, and every
// problem that keeps a piece from being parsed, sends the whole file down the one
// way that decides: parsed at once. Beyond a size that can be parsed at once, the
// pieces decide.

var (
	// pieceLines and pieceBytes are what a piece has at least, of one of the two.
	// A file is cut when its list of jobs has more than two pieces.
	pieceLines, pieceBytes = 1024, 64 << 10
	// wholeBytesMax is the largest text that is parsed at once.
	wholeBytesMax = 2 << 20
	// itemBytesMax is the largest job in a list that is read in pieces: its objects
	// have at most 1 MiB each, and the layout of YAML takes room.
	itemBytesMax = 4 << 20
)

// pieces is the list of jobs of a large file.
type pieces struct {
	in      *findings // of the file
	first   int       // line of the first item, counted from 0
	end     int       // line after the last one
	cuts    []cut
	decides bool         // the file is too large to be parsed at once
	keep    bool         // the nodes of the items are looked at later on
	shown   map[int]bool // pieces whose secrets are known, see reveal
}

// cut is the start of one piece.
type cut struct {
	line  int // counted from 0
	items int // that begin in the piece
	last  int // line of the last of them, counted from 0; a large one is the last
	bytes int
}

// findPieces cuts the list of jobs in f's text, or returns nil where that is not
// worth it or not safe: with anchors, aliases, merge keys, tabs, other documents,
// or anything else that lets an item depend on what is around it.
func findPieces(f *findings) *pieces {
	lines := f.text.lines
	key := -1
	for i, line := range lines.all() {
		if rest, ok := strings.CutPrefix(line, "jobs:"); ok && onlyComment(rest) {
			if key >= 0 {
				return nil
			}
			key = i
		}
	}
	if key < 0 {
		return nil
	}
	p := &pieces{in: f, first: key + 1, shown: map[int]bool{}, decides: len(f.text.whole) > wholeBytesMax}
	if !p.scan(lines) || len(p.cuts) < 2 && !p.decides {
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
func (p *pieces) scan(lines lineTable) bool {
	indent := -1 // of the dashes
	for i := p.first; i < lines.count(); i++ {
		line := lines.line(i)
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
			p.add(line)
		case depth > indent:
			p.add(line)
		case depth == 0 && !strings.HasPrefix(text, "---") && !strings.HasPrefix(text, "...") && text[0] != '%':
			p.end = i
			return true
		default:
			return false
		}
	}
	p.end = lines.count()
	return indent >= 0
}

func (p *pieces) add(line string) { p.cuts[len(p.cuts)-1].bytes += len(line) }

// item notes an item that begins on a line, and cuts there when the piece is
// long enough.
func (p *pieces) item(line int) {
	if n := len(p.cuts); n == 0 || line-p.cuts[n-1].line >= pieceLines || p.cuts[n-1].bytes >= pieceBytes {
		start := line
		if n == 0 {
			start = p.first
		}
		p.cuts = append(p.cuts, cut{line: start})
	}
	last := &p.cuts[len(p.cuts)-1]
	last.items++
	last.last = line
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
	return lines.part(0, p.first).joined() + "\n" + lines.part(p.end, lines.count()).joined()
}

// items calls yield for every item of the list, in order, until it returns false.
// It returns false when a piece cannot be parsed by itself, and the whole file is
// to be.
func (p *pieces) items(yield func(*node) bool) bool {
	pending := make(chan chan parsed, 2*runtime.GOMAXPROCS(0))
	stop := make(chan struct{})
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(stop)
	workers.Go(func() {
		defer close(pending)
		for i := range p.cuts {
			one := make(chan parsed, 1)
			select {
			case pending <- one: // bounds how many are parsed ahead
			case <-stop:
				return
			}
			workers.Go(func() { one <- p.parse(i, nil) })
		}
	})
	for one := range pending {
		piece := <-one
		for _, report := range piece.reports {
			report()
		}
		if piece.items == nil {
			if p.decides {
				p.report(piece)
			}
			return p.decides
		}
		for _, item := range piece.items {
			if !yield(item) {
				return true
			}
		}
		piece.release()
	}
	return true
}

// parsed is what came of one piece: its items, or why there are none.
type parsed struct {
	piece int
	items []*node // nil if it cannot stand by itself
	// blocks are what the items are made of, to be used again; see node.scratch.
	blocks []*nodeBlock
	f      *findings
	// reports tells what is wrong with the items, and is not called by the side of
	// others.
	reports []func()
}

// report takes over what is wrong with a piece.
func (p *pieces) report(piece parsed) {
	from := p.cuts[piece.piece].line
	for _, found := range piece.f.list {
		found.at.line += from
		p.in.addShown(found.at, found.message, found.hint, found.shown)
	}
	if !piece.f.any() {
		p.in.add(span{from + 1, 1, 1}, "the jobs from here on cannot be read by themselves", largeHint)
	}
}

// reportAround takes over what is wrong around the list, if nothing else decides.
func (p *pieces) reportAround(f *findings) {
	if !p.decides {
		return
	}
	for _, found := range f.list {
		if found.at.line > p.first {
			found.at.line += p.end - p.first
		}
		p.in.addShown(found.at, found.message, found.hint, found.shown)
	}
}

// largeHint says what a file must be like that is read in pieces only.
var largeHint = fmt.Sprintf("a file of over %d MiB has its jobs in a list of the usual form, one below the other, without anchors, aliases, merge keys and tabs; or move jobs to files that it includes", wholeBytesMax>>20)

// parse parses one piece. What is secret in it is hidden in hides, if that is not
// nil.
func (p *pieces) parse(i int, hides *sourceText) parsed {
	from := p.cuts[i].line
	lines := p.in.text.lines.part(from, p.last(i))
	if len(lines.joined()) > itemBytesMax+pieceBytes {
		f := newFindings(newSourceText("", ""))
		f.add(span{p.cuts[i].last - from + 1, 1, 1}, fmt.Sprintf("this job takes more than %d MiB", itemBytesMax>>20), "")
		return parsed{piece: i, f: f}
	}
	if hides == nil {
		if piece := p.parsePlain(i); piece.items != nil {
			return piece
		}
	}
	text := newSourceText("", lines.joined())
	f := newFindings(text)
	failed := parsed{piece: i, f: f}
	body := parseBounded(f, text.whole, 1)
	if body == nil {
		return failed
	}
	b := newBuilder(f)
	b.in, b.hides, b.removed, b.aside = p.in, hides, from, true
	list := b.build(body, false)
	if f.any() || list.kind != nodeList || len(list.items) != p.cuts[i].items {
		return failed
	}
	return parsed{piece: i, items: list.items, reports: b.reports}
}

// parsePlain reads one piece without the library, or returns no items.
func (p *pieces) parsePlain(i int) parsed {
	from := p.cuts[i].line
	b := builder{in: p.in, removed: from, reuse: !p.keep}
	items := b.plainItems(p.in.text.lines.part(from, p.last(i)), p.cuts[i].items)
	return parsed{piece: i, items: items, blocks: b.blocks}
}

// release gives back what the items of a piece were made of.
func (piece *parsed) release() {
	for _, block := range piece.blocks {
		spareBlocks.Put(block)
	}
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
