package plan

import "time"

// The keys of a plan file, one table per kind of mapping. docs/plan.md describes
// each of them; a test compares the two.

var planSection = section[planDraft]{
	fields: []field[planDraft]{
		{"version", true, func(d *decoder, n *node, path string, p *planDraft) { d.version(n, path) }},
		{"name", true, func(d *decoder, n *node, path string, p *planDraft) { p.name, _ = d.planName(n, path) }},
		{"region", false, func(d *decoder, n *node, path string, p *planDraft) { p.region.set(d, n, path, (*decoder).region) }},
		{"defaults", false, func(d *decoder, n *node, path string, p *planDraft) { p.defaults = n }},
		{"jobs", true, func(d *decoder, n *node, path string, p *planDraft) { p.jobs = n }},
		{"run", false, func(d *decoder, n *node, path string, p *planDraft) { runSection.read(d, n, path, &p.run) }},
		{"limits", false, func(d *decoder, n *node, path string, p *planDraft) { limitsSection.read(d, n, path, &p.limits) }},
	},
	notes: map[string]string{
		"job":      "jobs go into the list jobs",
		"endpoint": "an endpoint is not part of a plan; it is a flag of the command",
	},
}

var jobSection = section[jobDraft]{
	fields: append([]field[jobDraft]{
		{"name", true, func(d *decoder, n *node, path string, j *jobDraft) { j.name.set(d, n, path, (*decoder).jobName) }},
	}, sharedFields...),
}

// defaultsSection is a job without a name.
var defaultsSection = section[jobDraft]{
	fields: sharedFields,
	notes:  map[string]string{"name": "every job needs a name of its own"},
}

var sharedFields = []field[jobDraft]{
	{"region", true, func(d *decoder, n *node, path string, j *jobDraft) { j.region.set(d, n, path, (*decoder).region) }},
	{"source", true, func(d *decoder, n *node, path string, j *jobDraft) {
		j.source.at = n
		j.source.broken = !sourceSection.read(d, n, path, &j.source)
	}},
	{"destination", true, func(d *decoder, n *node, path string, j *jobDraft) {
		j.destination.at = n
		j.destination.broken = !destinationSection.read(d, n, path, &j.destination)
	}},
	{"db_list", true, func(d *decoder, n *node, path string, j *jobDraft) { j.dbList.set(d, n, path, (*decoder).dbList) }},
	{"partition_list", false, func(d *decoder, n *node, path string, j *jobDraft) {
		j.partitionList.set(d, n, path, (*decoder).partitionList)
	}},
	{"target_table_mode", false, func(d *decoder, n *node, path string, j *jobDraft) {
		j.targetTableMode.set(d, n, path, (*decoder).line)
	}},
	{"labels", false, func(d *decoder, n *node, path string, j *jobDraft) { j.labels = d.labels(n, path) }},
}

var sourceSection = section[sourceDraft]{
	fields: []field[sourceDraft]{
		{"instance", true, func(d *decoder, n *node, path string, s *sourceDraft) {
			s.instance.set(d, n, path, (*decoder).instance)
		}},
		{"region", false, func(d *decoder, n *node, path string, s *sourceDraft) { s.region.set(d, n, path, (*decoder).region) }},
		{"user", false, func(d *decoder, n *node, path string, s *sourceDraft) { s.user.set(d, n, path, (*decoder).line) }},
		{"password", false, func(d *decoder, n *node, path string, s *sourceDraft) {
			s.password.set(d, n, path, (*decoder).password)
		}},
	},
}

var destinationSection = section[destinationDraft]{
	fields: []field[destinationDraft]{
		{"instance", true, func(d *decoder, n *node, path string, s *destinationDraft) {
			s.instance.set(d, n, path, (*decoder).instance)
		}},
		{"user", false, func(d *decoder, n *node, path string, s *destinationDraft) { s.user.set(d, n, path, (*decoder).line) }},
		{"password", false, func(d *decoder, n *node, path string, s *destinationDraft) {
			s.password.set(d, n, path, (*decoder).password)
		}},
	},
	notes: map[string]string{"region": "source and destination are in the region of the job; only the source can name one of its own"},
}

var passwordSection = section[passwordDraft]{
	fields: []field[passwordDraft]{
		{"env", false, func(d *decoder, n *node, path string, p *passwordDraft) { p.env.set(d, n, path, (*decoder).envName) }},
		{"file", false, func(d *decoder, n *node, path string, p *passwordDraft) { p.file.set(d, n, path, (*decoder).line) }},
		{"command", false, func(d *decoder, n *node, path string, p *passwordDraft) {
			p.command.set(d, n, path, (*decoder).command)
		}},
	},
	secret: true,
}

var runSection = section[RunSettings]{
	fields: []field[RunSettings]{
		{"parallel", false, func(d *decoder, n *node, path string, r *RunSettings) { r.Parallel = d.whole(n, path, 1, 256) }},
		{"rate", false, func(d *decoder, n *node, path string, r *RunSettings) { r.Rate = d.number(n, path, 0, rateMax) }},
		{"settle", false, func(d *decoder, n *node, path string, r *RunSettings) {
			r.Settle = d.duration(n, path, time.Millisecond, 7*24*time.Hour)
		}},
		{"max_attempts", false, func(d *decoder, n *node, path string, r *RunSettings) { r.MaxAttempts = d.whole(n, path, 1, 1000) }},
		{"max_elapsed", false, func(d *decoder, n *node, path string, r *RunSettings) {
			r.MaxElapsed = d.duration(n, path, time.Millisecond, 30*24*time.Hour)
		}},
		{"on_unknown", false, func(d *decoder, n *node, path string, r *RunSettings) { r.OnUnknown = d.onUnknown(n, path) }},
	},
}

var limitsSection = section[Limits]{
	fields: []field[Limits]{
		{"max_create", false, func(d *decoder, n *node, path string, l *Limits) { l.MaxCreate = d.whole(n, path, 0, limitMax) }},
		{"max_failures", false, func(d *decoder, n *node, path string, l *Limits) { l.MaxFailures = d.whole(n, path, 0, limitMax) }},
	},
}

// rateMax is the most calls per second that run.rate, like --rate, can say.
const rateMax = 1_000_000

// limitMax is the most that a limit can say; beyond it, leave the key out.
const limitMax = 1_000_000

// keyTable is one section as the documentation test and the hints see it.
type keyTable struct {
	path  string // as in docs/plan.md; "" for the top level
	names []string
}

// keyTables lists every section in the order of the documentation.
func keyTables() []keyTable {
	return []keyTable{
		{"", planSection.names()},
		{"jobs[]", jobSection.names()},
		{"defaults", defaultsSection.names()},
		{"source", sourceSection.names()},
		{"destination", destinationSection.names()},
		{"password", passwordSection.names()},
		{"run", runSection.names()},
		{"limits", limitsSection.names()},
	}
}
