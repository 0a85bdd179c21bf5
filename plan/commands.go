package plan

import "github.com/apsctl/apsctl/internal/printable"

// Commands writes the commands that reasons name, so that they work as they are printed:
// on the ledger and the service of the command at hand. The zero value is for one that
// was told of neither.
type Commands struct {
	// Ledger are the flags that say which ledger, for commands that ask no service, and
	// Service those with the flags that say which service. Each flag has a space before
	// it.
	Ledger, Service string
}

// Forget is the command that removes an entry from the ledger.
func (c Commands) Forget(e Entry) string {
	return "apsctl ledger forget " + printable.ShellWord(e.Name) + " --plan " + printable.ShellWord(e.Plan) + c.Ledger + " --reason WHY"
}

// List is the command that shows what the ledger has.
func (c Commands) List() string { return "apsctl ledger list" + c.Ledger }

// Resolve is the command that settles what a plan has open, whatever plan file is in
// the current folder.
func (c Commands) Resolve(planName string) string {
	return "apsctl resolve --plan " + printable.ShellWord(planName) + c.Service
}

// Import is the command that takes one listed job into the ledger as one of another plan
// than that of planName.
func (c Commands) Import(job RemoteJob, region, planName string) string {
	order := "apsctl import --region " + printable.ShellWord(region) + " --name " + printable.ShellWord(job.Name)
	if planName == "imported" { // which is where it puts jobs
		order += " --plan-name imported-2"
	}
	return order + c.Service
}

// Delete is the command that deletes a job that the ledger has.
func (c Commands) Delete(id string) string {
	return "apsctl delete " + printable.ShellWord("id="+id) + c.Service
}
