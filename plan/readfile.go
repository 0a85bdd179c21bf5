package plan

// ReadFile reads one plan file, which is a regular file of at most 64 MiB. What
// keeps it from being read is returned as Problems.
func ReadFile(path string) ([]byte, error) {
	l := newLoader(Options{})
	data, ok := l.readAll(named(path))
	if !ok {
		return nil, l.problems(func(f *findings) []finding { return f.list })
	}
	return data, nil
}
