package plan

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/apsctl/apsctl/internal/printable"
)

// Found is a job that the service lists, held against the ledger.
type Found struct {
	Region string
	Job    RemoteJob
	// Entry is the ledger's row that has the job, of whatever plan. nil means that
	// no plan of the ledger knows it.
	Entry *Entry
	// Why says why it cannot be imported, "" when nothing is in the way, and
	// WayOut what a person can do about that.
	Why, WayOut string
}

func (f *Found) refuse(wayOut, why string, args ...any) {
	if f.Why == "" {
		f.Why, f.WayOut = fmt.Sprintf(why, args...), wayOut
	}
}

// FindJobs holds every listed job against the entries of all plans. It returns
// one Found per job, in the order of the listings, and says of those that no plan
// knows whether they could be imported.
func FindJobs(listings []Listing, entries []Entry, commands Commands) []Found {
	owners, open := map[string]*Entry{}, map[[2]string]*Entry{}
	for i := range entries {
		e := &entries[i]
		if e.JobID != "" {
			owners[e.JobID] = e
		}
		if e.State.Unresolved() || e.State.NeedsPerson() {
			open[[2]string{e.Region, e.Spec.Name}] = e
		}
	}
	var all []Found
	for _, listing := range listings {
		named := indexByName(listing)
		for _, job := range listing.Jobs {
			f := Found{Region: listing.Region, Job: job, Entry: owners[job.ID]}
			if f.Entry == nil {
				f.checkName(named[job.Name])
				f.checkOpen(open[[2]string{listing.Region, job.Name}], commands)
			}
			all = append(all, f)
		}
	}
	return all
}

// checkName refuses names that cannot stand in a plan, and those of which a plan
// could not tell the jobs apart.
func (f *Found) checkName(namesakes []RemoteJob) {
	const rename = "rename it in the console if that is possible there; or leave it out of plans"
	switch why := badName(f.Job.Name); {
	case f.Job.Name == "":
		f.refuse(rename, "it has no name, and a plan knows jobs by their names")
	case why != "":
		f.refuse(rename, "its name %s", why)
	case len(namesakes) > 1:
		f.refuse("delete the surplus ones, or rename them in the console; then import the one that is left",
			"%d jobs in %s have this name (%s)", len(namesakes), f.Region, remoteIDs(namesakes))
	}
}

// checkOpen refuses a job that a create of ours may have made: taken over by
// another plan, it would be missing where it is looked for, and be made again.
func (f *Found) checkOpen(e *Entry, commands Commands) {
	if e == nil {
		return
	}
	f.refuse(commands.Resolve(e.Plan)+" settles that one first",
		"plan %s has a job of this name as %s, and this may be it", e.Plan, e.State)
}

// ForPlan says of found jobs that are to be in one plan which cannot be, given
// the ledger's entries of that plan: its names must differ, and so must they
// from those that its entries have.
func ForPlan(found []Found, planName string, entries map[string]Entry, commands Commands) {
	keys := map[string][]int{}
	for i := range found {
		f := &found[i]
		switch {
		case f.Entry != nil && f.Entry.Plan != planName:
			continue
		case f.Entry != nil && f.Entry.State != StateCreated:
			f.refuse(commands.Resolve(planName)+" looks for it", "the ledger has it as %s", f.Entry.State)
		case f.Entry == nil:
			if e, taken := entries[f.Job.Name]; taken {
				f.refuseTaken(e, commands)
			}
		}
		if f.Why == "" {
			keys[nameKey(f.Name())] = append(keys[nameKey(f.Name())], i)
		}
	}
	for _, alike := range keys {
		refuseAlike(found, alike)
	}
}

func (f *Found) refuseTaken(e Entry, commands Commands) {
	if e.State == StateCreated {
		f.refuse("import it into another plan: --plan-name", "plan %s has another job (%s) under this name", e.Plan, e.JobID)
		return
	}
	f.refuse(fmt.Sprintf("if it is the one: %s --reason WHY --adopt %s", commands.Resolve(e.Plan), printable.ShellWord(e.Name+"="+f.Job.ID)),
		"plan %s has a job of this name as %s", e.Plan, e.State)
}

// refuseAlike refuses new jobs whose names are like those of others.
func refuseAlike(found []Found, alike []int) {
	if len(alike) < 2 {
		return
	}
	names := make([]string, len(alike))
	for i, at := range alike {
		names[i] = fmt.Sprintf("%s, %s in %s", quoteName(found[at].Name()), found[at].Job.ID, found[at].Region)
	}
	for _, at := range alike {
		if f := &found[at]; f.Entry == nil {
			f.refuse("import them one by one into plans of their own: --ids or --region, with --plan-name",
				"names that a person can take for one another cannot be in one plan (%s)", strings.Join(names, "; "))
		}
	}
}

// Name is what the job is called in its plan, or on the service if it has none.
func (f *Found) Name() string {
	if f.Entry != nil {
		return f.Entry.Name
	}
	return f.Job.Name
}

// ImportedSpec is what an existing job is, as far as the service tells: it never
// tells users. The error says why no plan can say the same.
//
// A mode of 0 is taken for "not said": the detail of a job that was created
// without one shows it too (API reference, section 4).
func ImportedSpec(f Found, detail RemoteDetail) (Spec, error) {
	spec := Spec{
		Name: f.Job.Name, Region: f.Region,
		Source:      SourceEndpoint{Instance: f.Job.SourceInstance},
		Destination: DestinationEndpoint{Instance: f.Job.DestinationInstance},
	}
	if detail.SourceRegion != f.Region {
		spec.Source.Region = detail.SourceRegion
	}
	if detail.TargetTableMode != "0" {
		spec.TargetTableMode = detail.TargetTableMode
	}
	if detail.DBList == "" {
		return spec, errors.New("the service does not tell what it synchronises (its db_list)")
	}
	var err error
	if spec.DBList, err = CanonicalJSON(detail.DBList); err != nil {
		return spec, fmt.Errorf("its db_list cannot be used: %w", err)
	}
	if !SameJSON("", detail.PartitionList) {
		if spec.PartitionList, err = CanonicalJSON(detail.PartitionList); err != nil {
			return spec, fmt.Errorf("its partition_list cannot be used: %w", err)
		}
	}
	if differs := DisagreeDetail(spec, detail); len(differs) > 0 {
		return spec, fmt.Errorf("its details are not as it is listed: %s", strings.Join(differs, ", "))
	}
	return spec, sayable(spec)
}

// sayable reports what keeps a plan from saying a spec, by letting one say it.
func sayable(spec Spec) error {
	_, err := Imported("imported", []Spec{spec})
	if problems := (Problems)(nil); errors.As(err, &problems) {
		return fmt.Errorf("no plan can say it: %s", strings.ReplaceAll(problems[0].Message, "jobs[0].", "its "))
	}
	return err
}

// CheckPlanName reports what is wrong with a plan's name.
func CheckPlanName(name string) error { return checkText(name, planNameRule, 64, planNameHint) }

// CheckRegion reports what is wrong with a region's id.
func CheckRegion(region string) error { return checkText(region, regionRule, 64, regionHint) }

func checkText(text string, rule *regexp.Regexp, most int, hint string) error {
	if len(text) <= most && rule.MatchString(text) {
		return nil
	}
	return fmt.Errorf("it cannot be %s: %s", quoteName(text), hint)
}
