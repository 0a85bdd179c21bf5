package plan

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// csvBytesMax is the largest CSV file that is read.
	csvBytesMax = 1 << 30
	// rowBytesMax is about the largest row: its objects have at most 1 MiB each, and
	// quotes take room.
	rowBytesMax = 4 << 20
	// columnsMax is how many columns it may have.
	columnsMax = 256
)

// csvDraft is a csv source as written.
type csvDraft struct {
	file  said[string]
	where *node
}

// csv makes one job per row of a CSV file (RFC 4180) whose first row names the
// columns: ${row.column}.
func (l *loader) csv(s *source, t *template, d *decoder, n *node, at string) {
	draft := csvDraft{}
	if n.kind == nodePlain || n.kind == nodeText {
		draft.file.set(d, n, at, (*decoder).line)
	} else if !csvSection.read(d, n, at, &draft) {
		return
	} else if draft.file.at == nil {
		n.wrong("write csv: FILE, or csv: {file: FILE, where: {COLUMN: VALUE}}", "%s has no file", at)
	}
	if !draft.file.ok {
		return
	}
	inside, ok := s.pathIn(draft.file.at)
	if !ok {
		return
	}
	shown := s.folder.shown(inside)
	from := s.folder.named(draft.file.at, inside)
	file, ok := l.openFile(from)
	if !ok {
		return
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > csvBytesMax {
		draft.file.at.wrong("split it", "%s is larger than %d MiB", quoteName(shown), csvBytesMax>>20)
		return
	}
	text, done := l.o.Inputs.watched(from, file)
	defer done()
	table := newCSVTable(l.collect(newSourceText(shown, "")), shown, text)
	if !table.header() {
		return
	}
	where, ok := table.conditions(d, draft.where, join(at, "where"))
	if !ok {
		return
	}
	t.knows("row", table)
	used := false
	for rows := 1; table.next(); rows++ {
		if where.match(table.record) {
			if used = true; !t.make("row", table, table.row) {
				return
			}
		}
		if rows == sampleRows && where == nil {
			l.expect(table.remaining(file, rows))
		}
	}
	if where != nil && !used {
		draft.where.warn("it makes no jobs", "no row of %s is like this", table.file)
	}
}

// sampleRows is how many rows are read before the number of the others is
// guessed.
const sampleRows = 256

// remaining guesses how many rows are still to come in file.
func (t *csvTable) remaining(file *os.File, read int) int {
	info, err := file.Stat()
	if err != nil || info.Size() > csvBytesMax {
		return 0
	}
	offset := t.reader.InputOffset()
	return int((info.Size() - offset) * int64(read) / offset)
}

// expect makes room for so many more jobs at once: growing step by step would
// leave several times their size behind.
func (l *loader) expect(more int) {
	more = min(more, jobsMax)
	l.plan.Jobs = slices.Grow(l.plan.Jobs, more)
	l.seen.grow(len(l.plan.Jobs) + more)
}

// csvTable reads a CSV file row by row. As a namespace it is the current row.
type csvTable struct {
	f         *findings
	file      string
	reader    *csv.Reader
	room      *rowRoom
	columns   []string
	hidden    []bool    // by column: its cells go into no message
	passwords []bool    // by column: it is called one
	origins   []*origin // by column
	row       *origin
	record    []string
	line      int
}

func newCSVTable(f *findings, file string, from io.Reader) *csvTable {
	room := &rowRoom{from: io.LimitReader(from, csvBytesMax), left: rowBytesMax}
	buffered := bufio.NewReaderSize(room, 64<<10)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	reader := csv.NewReader(buffered)
	reader.ReuseRecord = true
	t := &csvTable{f: f, file: filepath.Base(file), reader: reader, room: room, line: 1}
	t.row = &origin{table: t, column: wholeRow}
	return t
}

// rowRoom ends a file at a row that is too large, which the reader of rows would
// hold in memory several times. Somebody refills it for each row.
type rowRoom struct {
	from io.Reader
	left int
}

var errRowTooLarge = errors.New("a row is too large")

func (r *rowRoom) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errRowTooLarge
	}
	n, err := r.from.Read(p)
	r.left -= n
	return n, err
}

// header reads the names of the columns.
func (t *csvTable) header() bool {
	if start, err := t.reader.Read(); err == nil {
		t.columns = slices.Clone(start)
	} else if err == io.EOF {
		t.f.add(span{1, 1, 1}, "the file is empty; its first row names the columns", "")
		return false
	} else {
		t.syntax(err)
		return false
	}
	if len(t.columns) > columnsMax {
		t.f.add(span{1, 1, 1}, fmt.Sprintf("the file has more than %d columns", columnsMax), "")
		return false
	}
	if len(t.columns) == 1 && strings.ContainsAny(t.columns[0], ";\t|") {
		t.f.add(span{1, 1, 1}, "the columns of this file are not separated by commas", "save it as CSV with commas (RFC 4180)")
		return false
	}
	if strings.Contains(strings.Join(t.columns, ""), "\r") {
		t.f.add(span{1, 1, 1}, "the lines of this file end in CR only", "save it with LF or CRLF")
		return false
	}
	seen := map[string]bool{}
	for i, name := range t.columns {
		line, column := t.reader.FieldPos(i)
		at := span{line, column, 1}
		switch {
		case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
			t.f.add(at, "the first row is not UTF-8 text", "save the file as UTF-8")
		case strings.TrimSpace(name) == "" || strings.ContainsAny(name, "{}"):
			t.f.add(at, fmt.Sprintf("column %d has no name that ${row.NAME} could use", i+1), "the first row names the columns")
		case name != strings.TrimSpace(name):
			t.f.add(at, fmt.Sprintf("the name of column %s starts or ends with a blank", quoteName(name)), "remove it")
		case seen[name]:
			t.f.add(at, fmt.Sprintf("two columns are called %s", quoteName(name)), "")
		}
		seen[name] = true
		t.hidden = append(t.hidden, sensitiveKey(name))
		t.passwords = append(t.passwords, calledPassword(name))
		t.origins = append(t.origins, &origin{table: t, column: i})
	}
	return !t.f.any()
}

// next reads the next row that can be used, and reports those that cannot.
func (t *csvTable) next() bool {
	for !t.f.full() {
		t.room.left = rowBytesMax
		record, err := t.reader.Read()
		switch {
		case err == io.EOF:
			return false
		case err != nil:
			if !t.syntax(err) {
				return false
			}
			continue
		}
		t.line, _ = t.reader.FieldPos(0)
		t.record = record
		if t.isText() {
			return true
		}
	}
	return false
}

// isText reports cells that are no text.
func (t *csvTable) isText() bool {
	for i, cell := range t.record {
		if utf8.ValidString(cell) && strings.IndexByte(cell, 0) < 0 {
			continue
		}
		line, column := t.reader.FieldPos(i)
		t.f.add(span{line, column, 1}, fmt.Sprintf("the cell of column %s is not UTF-8 text", quoteName(t.columns[i])), "save the file as UTF-8")
		return false
	}
	return true
}

// syntax reports why a row cannot be read, and whether the next one can.
func (t *csvTable) syntax(err error) bool {
	if errors.Is(err, errRowTooLarge) {
		which := "the row after this one"
		if t.columns == nil {
			which = "the first row"
		}
		t.f.add(span{t.line, 1, 1}, fmt.Sprintf("%s has more than %d MiB", which, rowBytesMax>>20), "a double quote may lack its other one")
		return false
	}
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		t.f.add(span{}, "the file could not be read to its end", "check the disk")
		return false
	}
	at := span{parse.Line, parse.Column, 1}
	if errors.Is(err, csv.ErrQuote) && parse.StartLine < parse.Line {
		t.f.add(span{parse.StartLine, 1, 1}, "a double quote opens in this row and does not end", `inside double quotes, " is written ""`)
		return false
	}
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		at.column = 1
		t.f.add(at, fmt.Sprintf("this row does not have the %d cells of the first row", len(t.columns)), "text with a comma in it needs double quotes")
		return true
	case errors.Is(err, csv.ErrBareQuote):
		t.f.add(at, `a double quote inside a cell that has none around it`, `write "a ""b"" c" for a "b" c`)
	default:
		t.f.add(at, "the double quotes of this cell do not end as they should", `inside double quotes, " is written ""`)
	}
	return false
}

func (t *csvTable) bind(name string) (binding, bool) {
	i := slices.Index(t.columns, name)
	if i < 0 {
		return binding{}, false
	}
	if t.record == nil { // before the first row, only names are asked for
		return binding{}, true
	}
	return binding{text: t.record[i], secret: t.hidden[i], password: t.passwords[i], via: t.origins[i]}, true
}

func (t *csvTable) names() []string { return t.columns }

// conditions are what a row must be like to be used, by column.
type conditions []condition

// condition is what one cell must be: one of some values, or like a glob.
type condition struct {
	column int
	values map[string]bool
	globs  []string // see noSlash
}

// globsMax is how many globs one column may have: each is held against each row.
const globsMax = 100

func (t *csvTable) conditions(d *decoder, n *node, at string) (conditions, bool) {
	if n == nil {
		return nil, true
	}
	if !d.wants(n, nodeMapping, at) {
		return nil, false
	}
	var all conditions
	ok := true
	for _, e := range n.entries {
		column := slices.Index(t.columns, e.key.text)
		if column < 0 {
			hint := "columns: " + joinNames(t.columns)
			if near := nearest(e.key.text, t.columns); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			e.key.wrong(hint, "%s has no column %s", t.file, e.key.quoted())
			ok = false
			continue
		}
		one, good := wanted(d, e.value, join(at, e.key.text))
		one.column = column
		all = append(all, one)
		ok = ok && good
	}
	return all, ok
}

// wanted reads one value or glob, or a list of them.
func wanted(d *decoder, n *node, at string) (condition, bool) {
	items := []*node{n}
	if n.kind == nodeList {
		items = n.items
	}
	c := condition{values: map[string]bool{}}
	for _, item := range items {
		text, ok := d.scalar(item, at)
		if !ok {
			return c, false
		}
		if !strings.ContainsAny(text, `*?[\`) {
			c.values[text] = true
			continue
		}
		if _, err := path.Match(text, ""); err != nil {
			item.wrong("a [ needs its ]; * ? and [ can be escaped with \\", "%s is no valid pattern", item.quoted())
			return c, false
		}
		if len(c.globs) == globsMax {
			item.wrong("values without * and ? may be many more", "%s has more than %d patterns", at, globsMax)
			return c, false
		}
		c.globs = append(c.globs, noSlash(text))
	}
	return c, true
}

// matches is path.Match for a text in which a slash is a character like others.
func matches(pattern, text string) bool {
	ok, _ := path.Match(noSlash(pattern), noSlash(text))
	return ok
}

// noSlash makes of a slash a character like others, which it is in a cell and not
// for path.Match.
func noSlash(text string) string { return strings.ReplaceAll(text, "/", "\x01") }

func (c conditions) match(record []string) bool {
	for _, one := range c {
		if cell := record[one.column]; !one.values[cell] && !one.like(cell) {
			return false
		}
	}
	return true
}

func (c condition) like(cell string) bool {
	if len(c.globs) == 0 {
		return false
	}
	cell = noSlash(cell)
	return slices.ContainsFunc(c.globs, func(glob string) bool {
		ok, _ := path.Match(glob, cell)
		return ok
	})
}
