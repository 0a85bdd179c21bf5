package plan

import "io"

const (
	// StdinPath stands for standard input where a path is due, if there is one in
	// Options.Stdin.
	StdinPath = "-"
	// StdinName is what it is called in messages and positions.
	StdinName = "<stdin>"
)

// ReadFile reads one plan file, which is a regular file or stdin and has at most
// 64 MiB. What keeps it from being read is returned as Problems.
func ReadFile(path string, stdin io.Reader) ([]byte, error) {
	l := newLoader(Options{Stdin: stdin})
	data, ok := l.readAll(l.commanded(path))
	if !ok {
		return nil, l.refused()
	}
	return []byte(data), nil
}

// Files returns the files that Load reads for paths, without those that they
// include; StdinPath stays as it is. Paths that stand for no file are returned as
// Problems, beside the files that the others stand for.
func Files(paths []string, stdin io.Reader) ([]string, error) {
	l := newLoader(Options{Stdin: stdin})
	files := l.findAll(paths)
	return files, l.refused()
}

// refused returns what was reported, as an error that is nil for nothing.
func (l *loader) refused() error {
	if problems := l.problems(func(f *findings) []finding { return f.list }, ProblemsMax); problems != nil {
		return problems
	}
	return nil
}

// commanded is a file that the command named, or standard input.
func (l *loader) commanded(path string) opening {
	if path == StdinPath && l.o.Stdin != nil {
		return opening{shown: StdinName, stdin: l.o.Stdin}
	}
	return named(path)
}
