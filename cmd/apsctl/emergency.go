package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/runner"
)

// emergencyLine is one line of the emergency file.
type emergencyLine struct {
	runner.Emergency
	Adopt   string `json:"adopt"`   // the command that records this job
	Rebuild string `json:"rebuild"` // the command that does so where the ledger is gone
}

// emergency returns what the runner calls when a job was created and the
// ledger could not record it: one line to a file beside the ledger, which may be
// on a disk that is full, and the same to stderr.
func (a *app) emergency(ledgerPath string, resolve resolveLine) func(runner.Emergency) {
	return func(e runner.Emergency) {
		path := ledgerPath + emergencySuffix
		adopt := resolve.look(e.Plan) + " --reason 'created, not recorded' --adopt " + printable.ShellWord(e.Name+"="+e.JobID)
		rebuild := "apsctl apply --adopt" + resolve.files + resolve.flags
		line, err := json.Marshal(emergencyLine{e, adopt, rebuild})
		if err == nil {
			err = appendDurably(path, append(line, '\n'))
		}
		where := "It is noted in " + path + "."
		if err != nil {
			where = "It could not be noted in a file either (" + err.Error() + "): keep this message."
		}
		fmt.Fprintf(a.stderr, "apsctl: job %s was created as %s (region %s, request %s) and the ledger could not record it. %s\n"+
			"  Mend that, then run apply again: it finds the job in the listing and creates nothing twice.\n"+
			"  This records it at once:  %s\n  and where the ledger is gone:  %s\n",
			printable.Line(e.Name), printable.Line(e.JobID), printable.Line(e.Region), printable.Line(e.RequestID), printable.Line(where),
			printable.Line(adopt), printable.Line(rebuild))
	}
}

// appendDurably adds a line to a private file and has it on disk when it
// returns nil. It follows no link, waits for no reader of a pipe, and takes only an
// ordinary file.
func appendDurably(path string, line []byte) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return notOrdinary(path)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY|openNoFollow|openNoWait, 0o600)
	if err != nil {
		return err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, file.Close(), notOrdinary(path))
	}
	_ = file.Chmod(0o600) // it may have been there before, open to all
	n, err := file.Write(line)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if info, statErr := os.Lstat(path); n == 0 && statErr == nil && info.Size() == 0 {
		_ = os.Remove(path) // an empty one would only raise questions
	}
	return err
}
