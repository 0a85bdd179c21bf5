package main

import (
	"cmp"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
)

// firstPlan is what init writes.
//
//go:embed init.yaml
var firstPlan []byte

type initCommand struct {
	app *app
}

func newInitCommand(a *app) *cobra.Command {
	c := &initCommand{app: a}
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a commented plan to start from",
		Long: `init writes a short plan with comments, ` + planDefault + ` unless FILE says otherwise. It
can be tried on an emulated service as it stands. A file that exists is never
replaced.`,
		Example: "  apsctl init\n  apsctl apply --emulator --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := planDefault
			if len(args) > 0 {
				file = args[0]
			}
			if _, name := filepath.Split(file); name == "" {
				return usagef(cmd, "%q is no name of a file", file)
			}
			return c.run(file)
		},
	}
}

func (c *initCommand) run(file string) error {
	if err := planFileError(file, createDurably(file, firstPlan)); err != nil {
		return err
	}
	argument := ""
	if file != planDefault {
		argument = " " + file
	}
	_, err := fmt.Fprint(c.app.stderr, printable.Line(file), " is written. Try it, and make it yours:\n",
		"  apsctl validate", printable.Line(argument), "\n",
		"  apsctl plan --emulator", printable.Line(argument), "\n",
		"  apsctl apply --emulator --yes", printable.Line(argument), "\n")
	return err
}

// planFileError says what keeps a new plan from being written to file.
func planFileError(file string, err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return coded(codeExists, fmt.Errorf("%s exists and is left as it is: name another file, or move it away", file))
	case errors.Is(err, fs.ErrNotExist):
		return coded(codeNoFolder, fmt.Errorf("there is no folder %s to write %s to: make it first", filepath.Dir(file), filepath.Base(file)))
	case err != nil:
		return coded(codeFileWrite, fmt.Errorf("write the plan %s: %w", file, err))
	}
	return nil
}

// createDurably makes a new file that is on disk and whole when it gets its
// name. The error is fs.ErrExist when that is taken, by whatever it is.
func createDurably(path string, data []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	folder, name := filepath.Split(path)
	draft := filepath.Join(folder, "."+name+"."+rand.Text())
	if err := writeDurably(draft, data); err != nil {
		return errors.Join(err, ignoreNotExist(os.Remove(draft)))
	}
	// A link, unlike a rename, replaces nothing.
	err := os.Link(draft, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// Some file systems have no links.
		if _, there := os.Lstat(path); errors.Is(there, fs.ErrNotExist) {
			err = os.Rename(draft, path)
		}
	}
	return errors.Join(err, ignoreNotExist(os.Remove(draft)), syncFolder(cmp.Or(folder, ".")))
}

// writeDurably makes a new file and has its content on disk.
func writeDurably(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

// syncFolder has the names in a folder on disk.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
