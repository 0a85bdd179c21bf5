//go:build unix

package logfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOpen(t *testing.T) {
	for name, test := range map[string]struct {
		before  string
		mode    fs.FileMode // of what is there; 0 for nothing
		want    string
		wantFor fs.FileMode
	}{
		"a new file":          {want: "b\n", wantFor: 0o600},
		"an empty one":        {mode: 0o600, want: "b\n", wantFor: 0o600},
		"goes on":             {before: "a\n", mode: 0o600, want: "a\nb\n", wantFor: 0o600},
		"a line cut short":    {before: "a\n{", mode: 0o600, want: "a\n{\nb\n", wantFor: 0o600},
		"everybody may write": {before: "a\n", mode: 0o666, want: "a\nb\n", wantFor: 0o640},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			if test.mode != 0 {
				if err := os.WriteFile(path, []byte(test.before), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(path, test.mode); err != nil {
					t.Fatal(err)
				}
			}
			file, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if _, err := file.WriteString("b\n"); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil || string(text) != test.want {
				t.Errorf("it holds %q, %v; want %q", text, err, test.want)
			}
			if info, err := file.Stat(); err != nil || info.Mode() != test.wantFor {
				t.Errorf("its mode is %v, %v; want %v", info.Mode(), err, test.wantFor)
			}
		})
	}
}

func TestOpenRefusesWhatIsNoOrdinaryFileOfThisUser(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	for _, err := range []error{
		os.Mkdir(at("folder"), 0o755), syscall.Mkfifo(at("pipe"), 0o600), os.Symlink("/dev/null", at("device")), os.Symlink("none/x", at("broken")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	names := []string{"folder", "pipe", "device", "broken"}
	if os.Geteuid() == 0 {
		for _, err := range []error{
			os.WriteFile(at("theirs"), nil, 0o600), os.Lchown(at("theirs"), 65534, 65534),
			os.WriteFile(at("mine"), nil, 0o600), os.Symlink("mine", at("link")), os.Lchown(at("link"), 65534, 65534),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		names = append(names, "theirs", "link")
	}
	for _, name := range names {
		if file, err := Open(at(name)); err == nil {
			_ = file.Close()
			t.Errorf("%s was opened", name)
		}
	}
}
