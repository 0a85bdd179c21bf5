package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// jobChoice says which jobs of the ledger a command is about: its arguments are
// selectors.
type jobChoice struct {
	plan    string
	exclude []string

	// living passes over entries that have no job, deleted ones for instance, unless
	// they are chosen by their names.
	living bool

	choice plan.Choice // after read
	texts  []string
}

func (c *jobChoice) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.plan, "plan", "", "only jobs of the plan of this `name`, not its file")
	flags.StringArrayVar(&c.exclude, "exclude", nil, "not the jobs that this `selector` fits; may be repeated")
}

// read takes in the arguments.
func (c *jobChoice) read(cmd *cobra.Command, args []string) error {
	c.texts = args
	var err error
	if c.choice.Target, err = plan.ParseSelectors(args); err != nil {
		return usage(cmd, err)
	}
	if c.choice.Exclude, err = plan.ParseSelectors(c.exclude); err != nil {
		return usagef(cmd, "--exclude: %w", err)
	}
	return nil
}

// mustSay refuses a command that chooses nothing, for all is rarely meant.
func mustSay(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef(cmd, "%s needs to know which jobs: their names or other selectors; '*' is all", cmd.Name())
	}
	return nil
}

// lister takes the complete listing of a region.
type lister func(ctx context.Context, region string) (plan.Listing, error)

// entries returns all entries of the plan that was named, or of all plans, and the
// places of those that are chosen. list is used where a selector asks for the
// status at the service; nil cannot be asked.
func (c *jobChoice) entries(ctx context.Context, ledger *store.Ledger, list lister) (all []plan.Entry, chosen []int, err error) {
	if err := checkPlan(ctx, ledger, c.plan); err != nil {
		return nil, nil, err
	}
	if all, err = ledger.Entries(ctx, store.Filter{Plan: c.plan}); err != nil {
		return nil, nil, err
	}
	subjects := make([]plan.Subject, len(all))
	for i, entry := range all {
		subjects[i] = entry.Subject()
	}
	if c.choice.AsksService() {
		if err := addClasses(ctx, subjects, list); err != nil {
			return nil, nil, err
		}
	}
	chosen, err = c.choice.Places(subjects)
	if c.living {
		chosen = slices.DeleteFunc(chosen, func(i int) bool {
			return !all[i].MayHaveJob() && !c.choice.Target.Names(all[i].Name)
		})
	}
	return all, chosen, c.explain(ctx, ledger, err)
}

// explain helps those who name a plan where a job is due.
func (c *jobChoice) explain(ctx context.Context, ledger *store.Ledger, err error) error {
	var missing *plan.SelectorError
	if !errors.As(err, &missing) {
		return err
	}
	plans, failed := ledger.Plans(ctx)
	if failed == nil && slices.Contains(plans, missing.Missing[0]) {
		return fmt.Errorf("%w; that is a plan: --plan %[2]s, or plan=%[2]s, chooses its jobs", err, missing.Missing[0])
	}
	return err
}

// addClasses adds what the status of each job means, by one listing a region.
func addClasses(ctx context.Context, subjects []plan.Subject, list lister) error {
	listed := map[string]map[string]plan.Class{} // by region and job id
	for i := range subjects {
		s := &subjects[i]
		if s.JobID == "" {
			continue
		}
		if listed[s.Region] == nil {
			listing, err := list(ctx, s.Region)
			if err != nil {
				return err
			}
			listed[s.Region] = map[string]plan.Class{}
			for _, job := range listing.Jobs {
				listed[s.Region][job.ID] = plan.ClassOf(job.Status)
			}
		}
		s.Class = listed[s.Region][s.JobID]
	}
	return nil
}

// pick returns the entries at places.
func pick(all []plan.Entry, places []int) []plan.Entry {
	entries := make([]plan.Entry, len(places))
	for i, place := range places {
		entries[i] = all[place]
	}
	return entries
}

// said are the selectors as they were given.
func (c *jobChoice) said() string { return strings.Join(c.texts, " ") }
