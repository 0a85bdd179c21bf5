package plan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// source is one YAML file that was read.
type source struct {
	path   string  // as users are told
	folder *folder // of the plan that it belongs to
	inside string  // its path in folder, with slashes
	body   *node   // nil when it could not be read, which was reported
	pieces *pieces // the items of body's jobs, where these are read in pieces
}

// child is the value of one key at the top level, or nil.
func (s *source) child(key string) *node {
	if s.body == nil {
		return nil
	}
	return s.body.child(key)
}

// folder is where the files that a plan names by itself must be: the folder of
// the file that the command named.
type folder struct {
	dir  string
	root *os.Root // opened when it is first needed
}

func newFolder(file string) *folder { return &folder{dir: filepath.Dir(file)} }

// open opens the file or folder at a path inside, which no link leads out of.
func (f *folder) open(inside string) (*os.File, error) {
	root, err := f.opened()
	if err != nil {
		return nil, err
	}
	return root.OpenFile(filepath.FromSlash(inside), openFlags, 0)
}

func (f *folder) opened() (*os.Root, error) {
	if f.root == nil {
		root, err := os.OpenRoot(f.dir)
		if err != nil {
			return nil, err
		}
		f.root = root
	}
	return f.root, nil
}

// glob lists the files inside that match, in order of name.
func (f *folder) glob(pattern string) ([]string, error) {
	root, err := f.opened()
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(root.FS(), pattern)
	return withoutHidden(files, pattern), err
}

// withoutHidden drops the hidden ones of the files that match a pattern, unless
// it is meant for them.
func withoutHidden(files []string, pattern string) []string {
	meant := hiddenParts(pattern)
	return slices.DeleteFunc(files, func(file string) bool { return hiddenParts(file) > meant })
}

// hiddenParts counts the parts of a path that start with a dot.
func hiddenParts(path string) int {
	return strings.Count("/"+filepath.ToSlash(filepath.Clean(path)), "/.")
}

func (l *loader) close() {
	for _, s := range l.roots {
		s.folder.close()
	}
}

func (f *folder) close() {
	if f != nil && f.root != nil {
		_ = f.root.Close()
	}
}

// filesBytesMax is how large all YAML files of a plan may be together.
const filesBytesMax = 128 << 20

// openFlags keep a named pipe from holding us up.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK

// openPlain opens a file that the command named, wherever it is.
func openPlain(path string) (*os.File, error) { return os.OpenFile(path, openFlags, 0) }

// opening is a file to be opened.
type opening struct {
	shown string // as users are told
	at    *node  // what names it in a plan; nil when the command does
	open  func() (*os.File, error)
	stdin io.Reader // is read instead, if it is not nil
	// path is what is opened: inside folder, or where that is "" as the command said.
	folder, path string
}

// named is a file that the command named.
func named(path string) opening {
	return opening{shown: path, path: path, open: func() (*os.File, error) { return openPlain(path) }}
}

// named is a file that n names, by its path inside the plan's folder.
func (f *folder) named(n *node, inside string) opening {
	return opening{shown: f.shown(inside), at: n, folder: f.dir, path: inside, open: func() (*os.File, error) { return f.open(inside) }}
}

// refuse reports that a file cannot be used at all, where it is named.
func (l *loader) refuse(o opening, message, hint string) {
	if o.at != nil {
		o.at.wrong(hint, "%s: %s", quoteName(o.shown), message)
		return
	}
	l.collect(newSourceText(o.shown, "")).add(span{}, message, hint)
}

// open reads and parses one YAML file. It returns nil after reporting that the
// file cannot be read, and a source without a body when its content cannot.
func (l *loader) open(in *folder, from opening) *source {
	shown := from.shown
	data, ok := l.data[shown]
	if !ok {
		if data, ok = l.readAll(from); !ok {
			return nil
		}
		l.data[shown] = data
	}
	if l.bytes += len(data); l.bytes > filesBytesMax {
		l.refuse(from, fmt.Sprintf("the files of the plan have more than %d MiB together", filesBytesMax>>20), tooLargeHint)
		return nil
	}
	return l.parse(in, shown, data)
}

func (l *loader) parse(in *folder, shown, data string) *source {
	s := &source{path: shown, folder: in, inside: filepath.Base(shown)}
	text, refused := decodeText(shown, data)
	if refused != nil {
		l.found = append(l.found, refused)
		return s
	}
	f := l.collect(text)
	if !l.whole[shown] {
		if s.pieces = findPieces(f); s.pieces != nil && s.parseAround() {
			if s.pieces.decides && shown != StdinName {
				delete(l.data, shown) // it is a file, and will hardly be read again
			}
			return s
		}
		s.pieces = nil
	}
	if len(text.whole) > wholeBytesMax {
		if !f.any() {
			f.add(span{}, fmt.Sprintf("the file is larger than %d MiB and cannot be read in pieces", wholeBytesMax>>20), largeHint)
		}
		return s
	}
	if body := parseBounded(f, text.whole, 0); body != nil {
		s.body = newBuilder(f).build(body, false)
	}
	return s
}

// parseAround parses what is around the list of jobs, which is left to its
// pieces, and reports whether that can be.
func (s *source) parseAround() bool {
	p := s.pieces
	text := newSourceText(s.path, p.rest())
	f := newFindings(text)
	if len(text.whole) > wholeBytesMax {
		return false
	}
	body := parseBounded(f, text.whole, 0)
	if body == nil {
		p.reportAround(f)
		return false
	}
	b := newBuilder(f)
	b.in, b.hides, b.cut, b.removed = p.in, p.in.text, p.first, p.end-p.first
	s.body = b.build(body, false)
	jobs := s.child("jobs")
	if f.any() || jobs == nil || jobs.kind != nodeNull || jobs.line != p.first {
		s.body = nil
		clear(p.in.text.hidden)
		p.reportAround(f)
		return false
	}
	*jobs = node{kind: nodeList, in: p.in, line: jobs.line, column: jobs.column, head: jobs.head, weight: 1}
	p.in.text.reveal = p.reveal
	return true
}

// readAll reads a whole file, at most one byte more than a plan may have. The
// checks are made on the opened file, so that it cannot be swapped in between.
func (l *loader) readAll(from opening) (string, bool) {
	if from.stdin != nil {
		return l.readToEnd(from, from.stdin, 0, "check the command that writes it")
	}
	file, ok := l.openFile(from)
	if !ok {
		return "", false
	}
	defer file.Close()
	size := int64(0) // of a file that may be written to meanwhile
	if info, err := file.Stat(); err == nil {
		size = info.Size()
	}
	return l.readToEnd(from, file, size, "check the disk")
}

// readToEnd reads r, which has about size bytes.
func (l *loader) readToEnd(from opening, r io.Reader, size int64, hint string) (string, bool) {
	if size > fileBytesMax {
		l.refuse(from, fmt.Sprintf("the file is larger than %d MiB", fileBytesMax>>20), tooLargeHint)
		return "", false
	}
	var text strings.Builder
	text.Grow(int(size) + 1)
	if _, err := io.Copy(&text, io.LimitReader(r, fileBytesMax+1)); err != nil {
		l.refuse(from, "the file could not be read to its end", hint)
		return "", false
	}
	l.o.Inputs.readText(from, text.String())
	return text.String(), true
}

// openFile opens a regular file, or reports why it cannot be used.
func (l *loader) openFile(from opening) (*os.File, bool) {
	file, err := from.open()
	if err != nil {
		message, hint := explainOpen(err)
		l.refuse(from, message, hint)
		return nil, false
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		l.refuse(from, "the file cannot be read", "check its permissions")
	case info.IsDir():
		l.refuse(from, "this is a folder; a file is due", "name the file in it")
	case !info.Mode().IsRegular():
		l.refuse(from, "this is no regular file", "write it to a file first")
	default:
		return file, true
	}
	_ = file.Close()
	return nil, false
}

// explainOpen says in our words why a file could not be opened.
func explainOpen(err error) (message, hint string) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the file does not exist", "check the name and the folder that it starts at"
	case errors.Is(err, fs.ErrPermission):
		return "the file cannot be read", "check its permissions and those of its folder"
	case isEscape(err):
		return "this leads out of the plan's folder", "a plan reads files of its own folder only: move the file there"
	}
	return "the file cannot be read", "check that it is a file"
}

// isEscape reports whether os.Root refused a path. It has no error to compare
// with, and all that the kernel refuses has a number.
func isEscape(err error) bool {
	var number syscall.Errno
	return !errors.As(err, &number)
}

// findAll replaces folders and globs in paths by the files that they stand for.
// A file that is named twice is read once.
func (l *loader) findAll(paths []string) []string {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case path == StdinPath && l.o.Stdin != nil:
			files = append(files, path)
		case err == nil && info.IsDir():
			files = append(files, l.filesIn(path)...)
		case err != nil && hasMeta(path):
			files = append(files, l.matching(path)...)
		default:
			files = append(files, path)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(files, func(file string) bool {
		key := identity(file)
		again := seen[key]
		seen[key] = true
		return again
	})
}

// identity is equal for paths of one file, whatever links lead to it.
func identity(file string) string {
	path, err := filepath.EvalSymlinks(file)
	if err != nil {
		path = file
	}
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// filesIn lists the plan files directly in a folder.
func (l *loader) filesIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.refuse(named(dir), "the folder cannot be read", "check its permissions")
		return nil
	}
	var files []string
	for _, e := range entries {
		if ext := path.Ext(e.Name()); (ext == ".yaml" || ext == ".yml") && !e.IsDir() && e.Name()[0] != '.' {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		l.refuse(named(dir), "the folder has no plan in it", "a plan file ends in .yaml or .yml")
	}
	return files
}

func (l *loader) matching(pattern string) []string {
	files, err := filepath.Glob(pattern)
	files = withoutHidden(files, pattern)
	switch {
	case err != nil:
		l.refuse(named(pattern), "this is no valid pattern", "a [ needs its ]")
	case len(files) == 0:
		l.refuse(named(pattern), "no file matches", "check the pattern and the current folder")
	}
	return files
}

func hasMeta(path string) bool { return strings.ContainsAny(path, "*?[") }
