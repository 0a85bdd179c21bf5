package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/store"
)

// release is set by the linker in a release build.
var release = ""

// version is the release, or what the Go tool recorded, or "dev".
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// commit is what the Go tool recorded of the repository, "" where it did not:
// with go run and go test, or outside of a repository.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var revision, changed string
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			revision = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			changed = " with changes"
		}
	}
	return revision + changed
}

// versionJSON is what version says with -o json.
type versionJSON struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	SQLite  string `json:"sqlite"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func newVersionCommand(a *app) *cobra.Command {
	var output outputFormat
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version, and what it was built from",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := versionJSON{version(), commit(), runtime.Version(), store.SQLiteVersion(), runtime.GOOS, runtime.GOARCH}
			if output.json() {
				return writeJSON(a.stdout, v)
			}
			if v.Commit == "" {
				v.Commit = "not recorded"
			}
			_, err := fmt.Fprintf(a.stdout, "apsctl %s (%s/%s)\ncommit  %s\ngo      %s\nsqlite  %s\n", v.Version, v.OS, v.Arch, v.Commit, v.Go, v.SQLite)
			return err
		},
	}
	output.addFlag(cmd)
	return cmd
}
