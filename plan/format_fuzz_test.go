package plan

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzFormat formats arbitrary files. What comes out is formatted, and says the
// same to the loader.
func FuzzFormat(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml", "testdata/format/*.yaml", "../examples/*.yaml"} {
		for _, path := range globbed(f, pattern) {
			f.Add(mustRead(f, path))
		}
	}
	for _, text := range oddPlans {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) <= 16<<10 {
			checkFormat(t, filepath.Join("dir", "plan.yaml"), data)
		}
	})
}

// checkFormat checks what holds for every file. It returns the formatted file, or
// nil when data is none that can be formatted.
func checkFormat(t *testing.T, file string, data []byte) []byte {
	t.Helper()
	formatted, err := Format(file, data)
	if err != nil {
		if formatted != nil {
			t.Errorf("there is an error, %v, and a result", err)
		}
		return nil
	}
	again, err := Format(file, formatted)
	if err != nil || string(again) != string(formatted) {
		t.Errorf("formatted once:\n%s\nand again: %v\n%s", formatted, err, again)
	}
	before, errBefore := Parse(file, data, Options{})
	after, errAfter := Parse(file, formatted, Options{})
	var problems, left Problems
	switch {
	case errors.As(errBefore, &problems) != errors.As(errAfter, &left), len(problems) != len(left):
		t.Errorf("problems before:\n%v\nand after:\n%v", errBefore, errAfter)
	case errBefore == nil && before.Digest != after.Digest:
		t.Errorf("the jobs of\n%s\nare not those of\n%s", formatted, data)
	}
	return formatted
}

func globbed(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: got %d files, %v", pattern, len(files), err)
	}
	return files
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
