package plan

// ReadFile reads one plan file, which is a regular file of at most 64 MiB. What
// keeps it from being read is returned as Problems.
func ReadFile(path string) ([]byte, error) {
	l := newLoader(Options{})
	data, ok := l.readAll(named(path))
	if !ok {
		return nil, l.refused()
	}
	return data, nil
}

// Files returns the files that Load reads for paths, without those that they
// include. Paths that stand for no file are returned as Problems, beside the
// files that the others stand for.
func Files(paths []string) ([]string, error) {
	l := newLoader(Options{})
	files := l.findAll(paths)
	return files, l.refused()
}

// refused returns what was reported, as an error that is nil for nothing.
func (l *loader) refused() error {
	if problems := l.problems(func(f *findings) []finding { return f.list }); problems != nil {
		return problems
	}
	return nil
}
