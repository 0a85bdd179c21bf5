package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// The pages about the commands are made by the tests, so that what makes them is
// in no binary.

var manFolder = flag.String("man", "", "leave the man pages in this folder; .ci/release does")

// documented is the commands with their texts as they stand: these are laid out
// for a terminal, and their patterns and columns are no Markdown.
func documented() *cobra.Command {
	root := newRoot(newApp(strings.NewReader(""), io.Discard, io.Discard))
	root.DisableAutoGenTag = true // it has the day of the build
	fenceTexts(root)
	return root
}

func fenceTexts(cmd *cobra.Command) {
	if cmd.Long != "" {
		cmd.Long = "```text\n" + strings.TrimSpace(cmd.Long) + "\n```"
	}
	for _, child := range cmd.Commands() {
		fenceTexts(child)
	}
}

// folderContent reads the files of a folder by name.
func folderContent(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	content := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		content[filepath.Base(file)] = string(text)
	}
	return content
}

// TestCommandPages: docs/cli is what the commands say of themselves.
func TestCommandPages(t *testing.T) {
	const folder = "../../docs/cli"
	made := t.TempDir()
	if err := doc.GenMarkdownTree(documented(), made); err != nil {
		t.Fatal(err)
	}
	want := folderContent(t, made)
	for name, page := range want {
		want[name] = commandPage(page)
	}
	if *update {
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, page := range want {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(folderContent(t, folder), want); diff != "" {
		t.Errorf("docs/cli is not current; go test ./cmd/apsctl -run TestCommandPages -update writes it:\n%s", diff)
	}
}

// commandPage gives a page the headings of a page of its own.
func commandPage(page string) string {
	page = strings.ReplaceAll("\n"+page, "\n## ", "\n# ")
	for from, to := range map[string]string{
		"\n### Synopsis\n": "", "\n### Examples\n": "\n## Examples\n", "\n### Options\n": "\n## Flags\n",
		"\n### Options inherited from parent commands\n": "\n## Flags of all of them\n", "\n### SEE ALSO\n": "\n## See also\n", "\t - ": ": ",
	} {
		page = strings.ReplaceAll(page, from, to)
	}
	first, rest, _ := strings.Cut(strings.TrimSpace(page), "\n")
	return first + "\n\n<!-- made by: go test ./cmd/apsctl -run TestCommandPages -update -->\n" + rest + "\n"
}

// manPages writes the man pages of all commands into a folder, and returns them.
func manPages(t *testing.T, folder string) map[string]string {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := doc.GenManTree(documented(), &doc.GenManHeader{Section: "1", Source: "apsctl", Manual: "apsctl"}, folder); err != nil {
		t.Fatal(err)
	}
	pages := folderContent(t, folder)
	for name, page := range pages {
		pages[name] = strings.ReplaceAll(page, `\fP[=false]`, `\fP`) // a switch is given or not
		if err := os.WriteFile(filepath.Join(folder, name), []byte(pages[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return pages
}

// TestManPages: each command has one, with its flags, and they are the same
// whenever they are made of the same sources.
func TestManPages(t *testing.T) {
	folder := *manFolder
	if folder == "" {
		folder = t.TempDir()
	}
	if os.Getenv("SOURCE_DATE_EPOCH") == "" {
		t.Setenv("SOURCE_DATE_EPOCH", "0") // cobra would take today
	}
	pages := manPages(t, folder)
	if diff := cmp.Diff(manPages(t, t.TempDir()), pages); diff != "" {
		t.Error(diff)
	}
	eachCommand(documented(), func(cmd *cobra.Command) {
		page := pages[strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"]
		if !strings.Contains(page, ".SH NAME") {
			t.Errorf("%s has no page", cmd.CommandPath())
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(page, `\fB--`+f.Name+`\fP`) {
				t.Errorf("the page of %s lacks --%s", cmd.CommandPath(), f.Name)
			}
		})
	})
}

// eachCommand calls do for a command and all below it that people see.
func eachCommand(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() && !child.IsAdditionalHelpTopicCommand() {
			eachCommand(child, do)
		}
	}
}
