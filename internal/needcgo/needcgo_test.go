package needcgo

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestBuild_without_cgo_says_what_is_missing(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command")
	}
	for cgo, want := range map[string]string{
		"0": "apsctl needs cgo for SQLite: install a C compiler",
		"1": "",
	} {
		cmd := exec.Command(tool, "build", ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
		out, err := cmd.CombinedOutput()
		if (err != nil) != (want != "") {
			t.Errorf("CGO_ENABLED=%s: got error %v", cgo, err)
		}
		if !strings.Contains(string(out), want) {
			t.Errorf("CGO_ENABLED=%s: got %s, want %q in it", cgo, out, want)
		}
		if lines := strings.Count(string(out), "needcgo/nocgo.go"); lines > 1 {
			t.Errorf("CGO_ENABLED=%s: got %d errors, want one:\n%s", cgo, lines, out)
		}
	}
}
