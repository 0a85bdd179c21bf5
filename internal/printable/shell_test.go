package printable_test

import (
	"os/exec"
	"testing"

	"github.com/apsctl/apsctl/internal/printable"
)

func TestShellWord(t *testing.T) {
	for _, text := range []string{"orders", "aufträge-07", "./a/b.yaml", "k=v", "", "the plan.yaml", "it's", "$HOME", "a;b", "`x`", "*", "a\nb"} {
		word := printable.ShellWord(text)
		got, err := exec.Command("sh", "-c", "printf %s "+word).Output()
		if err != nil || string(got) != text {
			t.Errorf("a shell takes %s for %q: %v", word, got, err)
		}
	}
	for _, text := range []string{"orders", "aufträge-07", "./a/b.yaml", "k=v"} {
		if word := printable.ShellWord(text); word != text {
			t.Errorf("%s is quoted: %s", text, word)
		}
	}
}
