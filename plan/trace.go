package plan

import (
	"fmt"
	"slices"
)

// JobOrigins tells of one job where each of its values came from.
type JobOrigins struct {
	Job *Job // in Plan.Jobs
	// Fields are the values that the plan says, in the order of the plan
	// reference. Key is the path in the job, for example "source.instance" or, of a
	// label, "labels.team". db_list and partition_list are followed by their
	// databases, such as "db_list.shop", where not all stand in one mapping.
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

// String says it in one line.
func (f FieldOrigin) String() string {
	if f.Note == "" {
		return f.Pos.String()
	}
	return f.Pos.String() + ", " + f.Note
}

// tracedJob is a job whose origins are wanted, by its place in Plan.Jobs.
type tracedJob struct {
	job    int
	fields []FieldOrigin
}

// traceFields lists where the values of a draft came from. It is called while a
// CSV file still stands at the job's row. layers are the defaults that the draft
// was joined with.
func traceFields(j *jobDraft, layers []jobDraft) []FieldOrigin {
	var fields []FieldOrigin
	add := func(key string, at *node) {
		fields = append(fields, FieldOrigin{key, at.position(), at.note()})
	}
	for _, f := range jobFields {
		at := f.at(j)
		switch {
		case f.key == "labels":
			traceLabels(j, layers, add)
		case at == nil:
		default:
			add(f.key, at)
			if f.objects {
				traceObjects(f.key, at, add)
			}
		}
	}
	return fields
}

// traceLabels tells of each label where it came from: its own mapping, or the
// innermost defaults that have it.
func traceLabels(j *jobDraft, layers []jobDraft, add func(string, *node)) {
	for _, key := range sortedKeys(j.labels) {
		at := labelAt(j.labelsAt, key)
		for i := 0; at == nil && i < len(layers); i++ {
			at = labelAt(layers[i].labelsAt, key)
		}
		if at != nil {
			add(join("labels", key), at)
		}
	}
}

func labelAt(labels *node, key string) *node {
	if labels == nil {
		return nil
	}
	return labels.child(key)
}

// traceObjects tells of each database where it came from, if a merge key or a
// reference brought in any.
func traceObjects(path string, n *node, add func(string, *node)) {
	if !slices.ContainsFunc(n.entries, func(e entry) bool { return e.key.before(n) || e.brought() != nil }) {
		return
	}
	for _, e := range n.entries {
		at := *e.key
		at.via = e.brought()
		add(join(path, e.key.text), &at)
	}
}

// before reports whether n stands before other in their file: what a merge key
// brings in does.
func (n *node) before(other *node) bool {
	return n.line < other.line || n.line == other.line && n.column < other.column
}

// brought is what references brought into an entry, nil for none.
func (e entry) brought() *origin { return e.key.brought().and(e.value.brought()) }

// brought is what references brought in to n and below it, nil for none.
func (n *node) brought() *origin {
	all := n.via
	for _, e := range n.entries {
		all = all.and(e.brought())
	}
	for _, item := range n.items {
		all = all.and(item.brought())
	}
	return all
}

// note says which references brought n's text in, and where it is used.
func (n *node) note() string {
	switch {
	case n.via == nil:
		if below := n.brought(); below != nil {
			return "with " + names(below.all())
		}
		return ""
	case n.via.table == nil:
		return names(n.via.all())
	}
	return fmt.Sprintf("used at %s%s", n.in.text.position(n.in.text.spanOf(n)), n.via.others())
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
	i := slices.IndexFunc(o.Fields, func(f FieldOrigin) bool { return f.Key == key })
	if i < 0 {
		return FieldOrigin{}, false
	}
	return o.Fields[i], true
}
