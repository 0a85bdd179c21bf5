package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"

	"github.com/spf13/cobra"
)

// profiler writes profiles of one command for `go tool pprof`. They tell where
// time and memory go, and hold no data of plans.
type profiler struct {
	dir string
	cpu *os.File
}

// addFlag adds --profile-dir to every command below root.
func (p *profiler) addFlag(root *cobra.Command) {
	root.PersistentFlags().StringVar(&p.dir, "profile-dir", "", "write cpu.pprof, heap.pprof and block.pprof into this `folder`, for go tool pprof")
	_ = root.PersistentFlags().MarkHidden("profile-dir")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := p.start(); err != nil {
			return usagef(cmd, "--profile-dir: %w", err)
		}
		return nil
	}
}

func (p *profiler) start() error {
	if p.dir == "" {
		return nil
	}
	err := os.MkdirAll(p.dir, 0o700)
	if err == nil {
		p.cpu, err = os.Create(filepath.Join(p.dir, "cpu.pprof"))
	}
	if err != nil {
		return err
	}
	runtime.SetBlockProfileRate(10_000) // one sample for each 10 µs of waiting
	return pprof.StartCPUProfile(p.cpu)
}

// stop writes what was measured. A profile that cannot be written is no reason
// for a command to fail.
func (p *profiler) stop() {
	if p.cpu == nil {
		return
	}
	pprof.StopCPUProfile()
	if err := p.cpu.Close(); err != nil {
		fmt.Fprintf(os.Stderr, "apsctl: write the profile: %v\n", err)
	}
	for _, name := range []string{"heap", "block"} {
		file, err := os.Create(filepath.Join(p.dir, name+".pprof"))
		if err == nil {
			err = pprof.Lookup(name).WriteTo(file, 0)
			_ = file.Close()
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "apsctl: write the %s profile: %v\n", name, err)
		}
	}
}
