package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// A run over a plan that nobody touched, as cron starts it, need not read the plan:
// whether there is something to do follows from what was read and from what the
// ledger has. So a comparison that found nothing to do is noted beside the ledger,
// with digests of both. As long as both are the same, so is the answer.
//
// A note can be deleted at any time. One that is cut, changed, of another program
// or of another ledger counts for nothing.

// notedJobsMin is how many jobs a plan has at least for its note to be worth a file.
var notedJobsMin = 1000

// notedBytesMax is more than a note of any plan has.
const notedBytesMax = 64 << 20

// unchanged is a comparison that found nothing to do.
type unchanged struct {
	Program string       `json:"program"`
	Lineage string       `json:"lineage"` // of the ledger
	Entries string       `json:"entries"` // their fingerprint
	Inputs  *plan.Inputs `json:"inputs"`
	Plan    unchangedOf  `json:"plan"`
}

// unchangedOf is what is needed of a plan when nothing is to be done for its jobs.
type unchangedOf struct {
	Name     string           `json:"name"`
	File     string           `json:"file"`
	Digest   string           `json:"digest"`
	Jobs     int              `json:"jobs"`
	Run      plan.RunSettings `json:"run"`
	Limits   plan.Limits      `json:"limits"`
	Warnings plan.Problems    `json:"warnings"`
	Warned   int              `json:"warned"`
	Repeated []plan.Tally     `json:"repeated"`
}

// withoutJobs is the plan but for its jobs, and what says how entries get there.
func (u *unchanged) withoutJobs() *plan.Plan {
	p := u.Plan
	return &plan.Plan{Name: p.Name, File: p.File, Digest: p.Digest, Run: p.Run, Limits: p.Limits, Warnings: p.Warnings, Warned: p.Warned, Repeated: p.Repeated}
}

// still reports whether the ledger has what it had.
func (u *unchanged) still(ctx context.Context, ledger *store.Ledger) bool {
	meta, err := ledger.Meta(ctx)
	if err != nil || meta.Lineage != u.Lineage {
		return false
	}
	entries, err := ledger.Fingerprint(ctx, u.Plan.Name)
	return err == nil && entries == u.Entries
}

// notable reports whether it can be noted that there is nothing to do for a plan, and
// is worth it.
func notable(wanted *plan.Plan, inputs *plan.Inputs) bool {
	return inputs != nil && inputs.Repeatable() && len(wanted.Jobs) >= notedJobsMin
}

// note writes down that a comparison found nothing to do with the entries of that
// fingerprint. That this fails costs the next run its time and nothing else.
func note(ledger string, wanted *plan.Plan, inputs *plan.Inputs, lineage, entries string) {
	program, err := programID()
	if err != nil {
		return
	}
	u := &unchanged{
		Program: program, Lineage: lineage, Entries: entries, Inputs: inputs,
		Plan: unchangedOf{
			wanted.Name, wanted.File, wanted.Digest, len(wanted.Jobs), wanted.Run, wanted.Limits, wanted.Warnings, wanted.Warned, wanted.Repeated,
		},
	}
	_ = u.write(ledger)
}

// recall returns what was noted of the plan that args name, nil if there is no note
// or Load would not read what it read then. Meanwhile also does what does not depend
// on that, and can be stopped.
func (p *planFiles) recall(cmd *cobra.Command, args []string, ledger string, also func(context.Context, *unchanged) bool) *unchanged {
	o, err := p.options(cmd)
	u := readUnchanged(ledger, planPaths(args))
	if err != nil || u == nil || !slices.Equal(u.Inputs.Paths, planPaths(args)) {
		return nil
	}
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	agrees := make(chan bool, 1)
	go func() { agrees <- also(ctx, u) }()
	same := u.Inputs.Same(o)
	if !same {
		stop()
	}
	if !<-agrees || !same {
		return nil
	}
	return u
}

// programID differs between programs that may compare otherwise, also between two
// that were built without a version.
func programID() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s %s/%s %d %d", version(), commit(), runtime.GOOS, runtime.GOARCH, info.Size(), info.ModTime().UnixNano()), nil
}

// notePath is where what paths stand for is noted: each way to name a plan has a
// file of its own.
func notePath(ledger string, paths []string) string {
	sum := sha256.Sum256([]byte(strings.Join(paths, "\x00")))
	return ledger + ".unchanged-" + hex.EncodeToString(sum[:6])
}

// noteHead starts every note; the digest of the rest follows.
const noteHead = "apsctl unchanged plan 1 sha256:"

// write puts the note in its place. The draft has one name, so that a process that is
// killed leaves one at most, which the next one replaces. Of two at once, one may put
// the draft of the other in place before all of it is written; until it is, its digest
// does not fit, and it counts for nothing.
func (u *unchanged) write(ledger string) error {
	content, err := json.Marshal(u)
	if err != nil {
		return err
	}
	path := notePath(ledger, u.Inputs.Paths)
	draft, err := newDraft(path + ".new")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	_, err = fmt.Fprintf(draft, "%s%s\n%s\n", noteHead, hex.EncodeToString(sum[:]), content)
	if err = errors.Join(err, draft.Close()); err != nil {
		_ = os.Remove(draft.Name())
		return err
	}
	return os.Rename(draft.Name(), path)
}

// newDraft makes a file in place of what is there: it writes through no link, and
// into no pipe.
func newDraft(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// readUnchanged returns the note on these paths, nil if there is none that counts.
// Whether anything is still as it says is another question.
func readUnchanged(ledger string, paths []string) *unchanged {
	path := notePath(ledger, paths)
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > notedBytesMax {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, notedBytesMax))
	if err != nil {
		return nil
	}
	head, content, _ := bytes.Cut(text, []byte("\n"))
	content = bytes.TrimSuffix(content, []byte("\n"))
	if sum := sha256.Sum256(content); string(head) != noteHead+hex.EncodeToString(sum[:]) {
		return nil
	}
	var u unchanged
	program, err := programID()
	if err != nil || json.Unmarshal(content, &u) != nil || u.Program != program || u.Inputs == nil {
		return nil
	}
	return &u
}
