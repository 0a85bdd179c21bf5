//go:build !mutants

package mutant_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/apsctl/apsctl/internal/mutant"
)

func TestNormalBinaryHasNoTrace(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "apsctl")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/apsctl").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, trace := range append([]string{"APSCTL_MUTANT", "mutant.Set", "mutant.active"}, mutant.Names...) {
		if bytes.Contains(content, []byte(trace)) {
			t.Errorf("the binary contains %q", trace)
		}
	}
}
