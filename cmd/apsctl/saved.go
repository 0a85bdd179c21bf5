package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// savedBytesMax is the largest saved plan that is read.
const savedBytesMax = 2 << 30

// saving is plan --out.
type saving struct {
	path  string
	force bool
	used  inUse
}

func (s *saving) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.path, "out", "", "save what is shown in this `file`, for apply --saved to do exactly that, once")
	cmd.Flags().BoolVar(&s.force, "force", false, "let --out replace a file that is no saved plan")
}

// check refuses what would be the wrong file to write, before any work.
func (s *saving) check() error {
	if err := ordinaryOrNew(s.path); err != nil {
		return coded(codeExists, fmt.Errorf("the plan is not saved to %s: %w", s.path, err))
	}
	if startsAsSaved(s.path) {
		return nil
	}
	if err := s.used.refuse(s.path); err != nil {
		return coded(codeExists, fmt.Errorf("the plan is not saved to %s: %w", s.path, err))
	}
	if _, err := os.Lstat(s.path); s.force || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return coded(codeExists, fmt.Errorf("%s is no saved plan, and is left as it is: name another one with --out, or add --force", s.path))
}

func startsAsSaved(path string) bool {
	return strings.HasPrefix(string(headOf(path)), plan.SavedPrefix())
}

// write puts the saved plan in its place whole or not at all. Only its owner may
// read it: it names where passwords are.
func (s *saving) write(saved *plan.Saved) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = coded(codeFileWrite, fmt.Errorf("the plan was not saved: %w", err))
		}
	}()
	draft, err := os.CreateTemp(filepath.Dir(s.path), ".apsctl-saved-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name()) // it is gone already when all went well
	b := bufio.NewWriter(draft)
	err = errors.Join(saved.Write(b), b.Flush(), draft.Sync())
	if err = errors.Join(err, draft.Close()); err != nil {
		return err
	}
	if err := os.Rename(draft.Name(), s.path); err != nil {
		return err
	}
	if folder, err := os.Open(filepath.Dir(s.path)); err == nil {
		_ = folder.Sync() // it is in place; this is about when that is on disk
		_ = folder.Close()
	}
	return nil
}

// checkSaving refuses flags that do not go together, and a file that is not to be
// written.
func (c *planCommand) checkSaving(cmd *cobra.Command) error {
	if err := checkAllow(cmd, c.allow); err != nil {
		return err
	}
	switch {
	case c.saving.path == "" && c.saving.force:
		return usagef(cmd, "--force is for --out")
	case c.saving.path == "":
		return nil
	case c.saving.path == plan.StdinPath:
		return usagef(cmd, "--out is the name of a file, not %q: a saved plan is for its owner's eyes only, and -o json writes to stdout what it would do", c.saving.path)
	case c.refresh.Sampled():
		return usagef(cmd, "a sample is of other jobs each time, and so cannot be saved: take --refresh changed or all")
	}
	c.saving.used = inUse{c.target.ledgerPath(), cmd.Flags().Args()}
	return c.saving.check()
}

// mark is where the ledger stands before it is compared.
func (c *planCommand) mark(ctx context.Context) (plan.SavedLedger, error) {
	if c.saving.path == "" {
		return plan.SavedLedger{}, nil
	}
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if errors.Is(err, fs.ErrNotExist) {
		return plan.SavedLedger{Emulator: c.target.emulator}, nil
	}
	if err != nil {
		return plan.SavedLedger{}, err
	}
	defer ledger.Close()
	mark, err := ledger.Mark(ctx)
	mark.Emulator = c.target.emulator
	return mark, err
}

// save writes what was shown, and says how it is applied.
func (c *planCommand) save(cmd *cobra.Command, wanted *plan.Plan, mark plan.SavedLedger, changes []plan.Change) error {
	saved := &plan.Saved{
		ID: rand.Text(), SavedAt: time.Now().UTC(), Version: version(), Ledger: mark, Plan: wanted,
		Options: plan.SavedOptions{
			Allow: c.allow, Adopt: c.adopt, Refresh: c.refresh.String(), Target: c.chosen.target, Exclude: c.chosen.exclude,
		},
		Changes: plan.SaveChanges(changes),
	}
	if err := c.saving.write(saved); err != nil {
		return err
	}
	fmt.Fprintf(c.app.stderr, "apsctl: saved; apsctl apply --saved %s%s does exactly this, once\n", printable.ShellWord(c.saving.path), commandsOf(cmd).Service)
	return nil
}

// heldBySaved are the flags of apply that a saved plan has in it.
var heldBySaved = []string{"var", "var-file", "adopt", "allow", "refresh", "target", "exclude", "target-file"}

// openSaved reads the saved plan, and takes from it what else plan files and flags
// say.
func (c *applyCommand) openSaved(cmd *cobra.Command, args []string) (*plan.Plan, error) {
	if len(args) > 0 {
		return nil, usagef(cmd, "--saved holds the plan: leave %s out", args[0])
	}
	for _, name := range heldBySaved {
		if cmd.Flags().Changed(name) {
			return nil, usagef(cmd, "--saved holds what --%s would say: leave it out, or make another saved plan with it", name)
		}
	}
	saved, err := readSaved(c.savedPath)
	if err != nil {
		return nil, err
	}
	switch {
	case saved.Version != version():
		return nil, coded(codeSavedFile, fmt.Errorf("%s was saved by apsctl %s, and this is %s, which may compare otherwise: make a new one", c.savedPath, saved.Version, version()))
	case saved.Ledger.Emulator && !c.target.emulator:
		return nil, coded(codeSavedFile, fmt.Errorf("%s is for the emulated service: add --emulator", c.savedPath))
	case !saved.Ledger.Emulator && c.target.emulator:
		return nil, coded(codeSavedFile, fmt.Errorf("%s is not for the emulated service: leave --emulator out", c.savedPath))
	}
	c.saved = saved
	c.adopt, c.settings.allow = saved.Options.Adopt, saved.Options.Allow
	c.chosen = selection{target: saved.Options.Target, exclude: saved.Options.Exclude}
	if err := c.refresh.Set(saved.Options.Refresh); err != nil {
		return nil, coded(codeSavedFile, fmt.Errorf("%s: %w", c.savedPath, err))
	}
	return saved.Plan, nil
}

func readSaved(path string) (*plan.Saved, error) {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > savedBytesMax) {
		err = coded(codeSavedFile, fmt.Errorf("%s is no file of at most %d GiB", path, savedBytesMax>>30))
	}
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	saved, err := plan.ReadSaved(file)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be applied: %w", path, err)
	}
	return saved, nil
}

// savedCommand is what the ledger has as the command of a run of this saved plan.
func savedCommand(saved *plan.Saved) string { return "apply --saved " + saved.ID }

// checkSaved refuses a saved plan that was applied, or that is not about the ledger
// as it is. What an earlier try of it recorded without sending anything is no
// reason.
func (c *applyCommand) checkSaved(ctx context.Context, ledger *store.Ledger) error {
	if err := ledger.Spent(ctx, c.saved.ID); err != nil {
		return fmt.Errorf("%s is spent: %w; apply with the plan files takes up what it left", c.savedPath, err)
	}
	mark := c.saved.Ledger
	meta, err := ledger.Meta(ctx)
	if err != nil {
		return err
	}
	if mark.Lineage != "" && mark.Lineage != meta.Lineage {
		return c.stale("it is about another ledger, with the lineage %s, and this one has %s", mark.Lineage, meta.Lineage)
	}
	since, err := ledger.Since(ctx, mark, c.saved.Plan.Name, savedCommand(c.saved))
	switch {
	case err != nil:
		return err
	case since.Older:
		return c.stale("the ledger is older than it, so a backup was put back")
	case since.Steps > 0:
		return c.stale("since it was saved the ledger changed (%s, of %s)%s", plan.Count(since.Steps, "step"), changedJobs(since), lastApply("; ", since))
	case since.Run != "":
		return c.stale("%s", lastApply("since it was saved ", since))
	}
	return nil
}

// stale refuses a saved plan that does not fit any more.
func (c *applyCommand) stale(format string, args ...any) error {
	return coded(codeSavedStale, fmt.Errorf("%s is stale: %s; nothing was sent: look at a new one, made by plan --out %s", c.savedPath, fmt.Sprintf(format, args...), printable.ShellWord(c.savedPath)))
}

func changedJobs(since store.Since) string {
	if len(since.Jobs) == 0 {
		return "jobs whose history was pruned"
	}
	names := strings.Join(since.Jobs, ", ")
	if since.More {
		return names + " and others"
	}
	return names
}

func lastApply(before string, since store.Since) string {
	if since.Run == "" {
		return ""
	}
	return fmt.Sprintf("%sthe plan was applied at %s, by run %s", before, since.RunAt.UTC().Format(time.RFC3339), since.Run)
}

// differsNamed is how many jobs a refusal names.
const differsNamed = 5

// sameAsSaved refuses changes that are not those that were saved.
func (c *applyCommand) sameAsSaved(changes []plan.Change) error {
	differs := c.saved.Differs(changes)
	if len(differs) == 0 {
		return nil
	}
	named := slices.Clone(differs[:min(len(differs), differsNamed)])
	if more := len(differs) - len(named); more > 0 {
		named = append(named, plan.Count(more, "more job"))
	}
	if slices.ContainsFunc(changes, runner.Waits) {
		return coded(codeSavedStale, fmt.Errorf("%s does not fit now: %s not as it says (%s); nothing was sent: apply the same file again after that, or go on without it, by apply with the plan files",
			c.savedPath, isOrAre(len(differs)), strings.Join(named, "; ")))
	}
	return c.stale("%s not as it says any more (%s)", isOrAre(len(differs)), strings.Join(named, "; "))
}

func isOrAre(jobs int) string {
	if jobs == 1 {
		return "1 job is"
	}
	return fmt.Sprintf("%d jobs are", jobs)
}
