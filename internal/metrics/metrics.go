// Package metrics writes what a run comes to, and its plan's jobs in the ledger, as a
// file for node_exporter's textfile collector. docs/operating.md says what each metric
// means; they are added, never renamed.
package metrics

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/prometheus/common/expfmt"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/notice"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// Beginning is how a file of metrics begins, whoever wrote it.
const Beginning = "# "

// Seen is what a run saw of the service.
type Seen struct {
	Calls []aps.CallCount // in any order, nil for none
	// Delays are those of listed jobs by job id, in the service's unit; empty when
	// nothing was listed.
	Delays map[string]int64
}

// Delays are the delays of the jobs in listings, by job id. The keys of listings do
// not matter.
func Delays(listings map[string]plan.Listing) map[string]int64 {
	delays := map[string]int64{}
	for _, listing := range listings {
		for _, job := range listing.Jobs {
			delays[job.ID] = job.Delay
		}
	}
	return delays
}

// Write writes what a run that is over and its ledger come to. The file at path is
// replaced as a whole, or made, and may be read by everybody: the collector is another
// user, and names of plans are all that it tells. What is not known is left out: of
// a run without a report what it did, and all about jobs where the ledger is not there
// or is what ended the run. It is an error if the name of the plan is not known, the
// ledger cannot be read, or the file not be written; then the old one is left.
func Write(ctx context.Context, path string, run *notice.Run, seen Seen) error {
	if run.Record.Plan == "" {
		return errors.New("the plan's name is not known")
	}
	p := &page{plan: run.Record.Plan}
	if err := p.fill(ctx, run, seen); err != nil {
		return err
	}
	var text bytes.Buffer
	for _, family := range p.families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return err
		}
	}
	return replaceForAll(path, text.Bytes())
}

// fill adds all families, in the order of the file.
func (p *page) fill(ctx context.Context, run *notice.Run, seen Seen) error {
	p.gauge("apsctl_build_info", "Always 1; the version of apsctl that wrote this file.").add(1, "version", run.Record.Version)
	p.aboutRun(run, seen.Calls)
	if run.Outcome == notice.OutcomeLedger {
		return nil
	}
	ledger, err := store.OpenReadOnly(ctx, run.Ledger)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer ledger.Close()
	return p.aboutLedger(ctx, ledger, run, seen.Delays)
}

// replaceForAll puts content in place of the file at path, or makes it, with mode
// 0644. The collector takes up names that end in .prom, which the draft's does not.
func replaceForAll(path string, content []byte) error {
	draft, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name()) // it is gone already when all went well
	_, err = draft.Write(content)
	err = cmp.Or(err, draft.Chmod(0o644))
	if err = cmp.Or(err, draft.Close()); err != nil {
		return err
	}
	return os.Rename(draft.Name(), path)
}
