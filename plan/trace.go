package plan

import (
	"fmt"
	"strings"
)

// JobOrigins tells of one job where each of its values came from.
type JobOrigins struct {
	Job *Job // in Plan.Jobs
	// Fields are the values that the plan says, in the order of the plan
	// reference. Key is the path in the job, for example "source.instance".
	Fields []FieldOrigin
}

// FieldOrigin tells where one value came from.
type FieldOrigin struct {
	Key string
	// Pos is where the value stands: in the job, its template, the defaults, a
	// profile, or for a cell of a CSV file there.
	Pos Position
	// Note names the reference that brought the value in, "" if none did.
	Note string
}

// tracedJob is a job whose origins are wanted, by its place in Plan.Jobs.
type tracedJob struct {
	job    int
	fields []FieldOrigin
}

// traceFields lists where the values of a draft came from. It is called while a
// CSV file still stands at the job's row.
func traceFields(j *jobDraft) []FieldOrigin {
	var fields []FieldOrigin
	for _, one := range []struct {
		key string
		at  *node
	}{
		{"name", j.name.at}, {"region", j.region.at},
		{"source.instance", j.source.instance.at}, {"source.region", j.source.region.at}, {"source.user", j.source.user.at},
		{"source.password", j.source.password.at}, {"source.password_version", j.source.passwordVersion.at},
		{"destination.instance", j.destination.instance.at}, {"destination.user", j.destination.user.at},
		{"destination.password", j.destination.password.at}, {"destination.password_version", j.destination.passwordVersion.at},
		{"db_list", j.dbList.at}, {"partition_list", j.partitionList.at}, {"target_table_mode", j.targetTableMode.at},
		{"labels", j.labelsAt}, {"adopt", j.adopt.at}, {"state", j.state.at}, {"on_remove", j.onRemove.at},
		{"protect", j.protect.at}, {"ignore", j.ignore.at},
	} {
		if one.at != nil {
			fields = append(fields, FieldOrigin{one.key, one.at.position(), one.at.note()})
		}
	}
	return fields
}

// note says which reference brought n's text in, and where it is used.
func (n *node) note() string {
	switch {
	case n.via == nil:
		return ""
	case n.via.table == nil:
		return n.via.note
	}
	return fmt.Sprintf("used at %s", n.in.text.position(n.in.text.spanOf(n)))
}

func (l *loader) origins() []JobOrigins {
	var all []JobOrigins
	for _, t := range l.traced {
		all = append(all, JobOrigins{&l.plan.Jobs[t.job], t.fields})
	}
	return all
}

// Origin returns where the value of key came from.
func (o JobOrigins) Origin(key string) (FieldOrigin, bool) {
	for _, f := range o.Fields {
		if f.Key == key || strings.HasPrefix(key, f.Key+".") {
			return f, true
		}
	}
	return FieldOrigin{}, false
}
