package plan

import (
	"fmt"
	"strings"
)

// generateDraft is one entry of generate: a template and the one source of the
// values that it is filled in with.
type generateDraft struct {
	job, matrix, list, span, csv *node
}

// generate makes jobs from one entry of generate.
func (l *loader) generate(file *planDraft, d *decoder, n *node, path string) {
	var g generateDraft
	if !generateSection.read(d, n, path, &g) {
		return
	}
	const hint = "write one of matrix, list, range and csv beside job"
	var given []string
	for _, one := range []struct {
		key string
		at  *node
	}{{"matrix", g.matrix}, {"list", g.list}, {"range", g.span}, {"csv", g.csv}} {
		if one.at != nil {
			given = append(given, one.key)
		}
	}
	switch {
	case len(given) == 0:
		n.wrong(hint, "%s has nothing to take values from", path)
		return
	case len(given) > 1:
		n.wrong(hint, "%s has %s; one is due", path, strings.Join(given, " and "))
		return
	case g.job == nil:
		n.wrong("write job: with the keys of a job, and ${…} where the values go", "%s has no job", path)
		return
	case !d.wants(g.job, nodeMapping, path+".job"):
		return
	}
	t := newTemplate(l, d, g.job, path+".job", file.layers)
	switch given[0] {
	case "matrix":
		l.matrix(t, d, l.filled(g.matrix), path+".matrix")
	case "list":
		l.list(t, d, l.filled(g.list), path+".list")
	case "range":
		l.span(t, d, l.filled(g.span), path+".range")
	case "csv":
		l.csv(file.source, t, d, l.filled(g.csv), path+".csv")
	}
}

// template makes jobs. What its parts say without references is read once and
// shared by all of them.
type template struct {
	l       *loader
	d       *decoder
	job     *node
	varying *node    // the keys whose values have references
	fixed   jobDraft // what the others say
	weight  int      // keys and values that differ from job to job
	filler  filler
	broken  bool
	made    bool // a job already
	path    string
	layers  []jobDraft
}

func newTemplate(l *loader, d *decoder, job *node, path string, layers []jobDraft) *template {
	t := &template{l: l, d: d, job: job, path: path, layers: layers, filler: filler{scope: scope{"var": l.vars}, reuse: true, room: l.text}}
	fixed, varying := *job, *job
	fixed.entries, varying.entries = nil, nil
	for _, e := range job.entries {
		if e.value.refs || e.key.refs {
			varying.entries = append(varying.entries, e)
			t.weight += 1 + e.value.weight
		} else {
			fixed.entries = append(fixed.entries, e)
		}
	}
	t.varying = &varying
	jobSection.read(d, &fixed, path, &t.fixed)
	return t
}

// knows holds the template's references against what its values will be, so that
// a slip is reported once and also where there are no values.
func (t *template) knows(prefix string, values namespace) {
	s := scope{"var": t.l.vars, prefix: values}
	references(t.job, func(at *node, p, name string) {
		if t.broken = s.lookup(at, dotted(p, name)).broken || t.broken; p == "" {
			t.broken = true
		}
	})
}

// make makes one job with one set of values.
func (t *template) make(prefix string, values namespace, from *origin) bool {
	if t.broken {
		return false
	}
	if t.fixed.name.ok && t.made {
		t.fixed.name.at.wrong("put a reference into it, such as ${row.COLUMN}", "all jobs of this template would be called %s", t.fixed.name.at.quoted())
		t.broken = true
		return false
	}
	t.made = true
	if t.l.full || t.job.in.full() || t.filler.room.left < 0 || !t.l.hasRoomForValues(t.weight, t.job) {
		return false
	}
	t.l.draft = t.fixed
	t.filler.reset()
	t.filler.scope[prefix] = values
	jobSection.read(t.d, t.filler.expand(t.varying, inPlan), t.path, &t.l.draft)
	t.l.finishJob(&t.l.draft, t.job, t.path, t.layers, from)
	return true
}

// row is one set of named values.
type row struct {
	keys   []string
	values map[string]binding
}

func (r row) bind(name string) (binding, bool) { b, ok := r.values[name]; return b, ok }
func (r row) names() []string                  { return r.keys }

func bound(n *node, note string) binding {
	via := &origin{note: fmt.Sprintf("%s %s", note, n.quoted())}
	return binding{text: n.text, quoted: n.kind == nodeText, secret: n.secret, broken: n.kind == nodeBad, via: via.and(n.via)}
}

// list makes one job per item: ${item} for texts, ${item.key} for mappings.
func (l *loader) list(t *template, d *decoder, n *node, path string) {
	if !d.wants(n, nodeList, path) {
		return
	}
	checked := false
	for i, item := range n.items {
		values, ok := listItem(d, item, fmt.Sprintf("%s[%d]", path, i))
		if !ok {
			continue
		}
		if !checked {
			t.knows("item", values)
			checked = true
		}
		if !t.make("item", values, nil) {
			return
		}
	}
}

func listItem(d *decoder, item *node, path string) (row, bool) {
	if item.kind != nodeMapping {
		_, ok := d.scalar(item, path)
		return row{[]string{""}, map[string]binding{"": bound(item, "${item},")}}, ok
	}
	r := row{values: map[string]binding{}}
	ok := true
	for _, e := range item.entries {
		if _, one := d.scalar(e.value, join(path, e.key.text)); !one {
			ok = false
			continue
		}
		r.keys = append(r.keys, e.key.text)
		r.values[e.key.text] = bound(e.value, "${item."+e.key.text+"},")
	}
	return r, ok
}

// spanDraft is a range of whole numbers, both ends included.
type spanDraft struct{ from, to, step, width *int }

// span makes one job per number, ${item}.
func (l *loader) span(t *template, d *decoder, n *node, path string) {
	var s spanDraft
	if !rangeSection.read(d, n, path, &s) {
		return
	}
	if s.from == nil || s.to == nil {
		if n.child("from") == nil || n.child("to") == nil {
			n.wrong("write range: {from: 1, to: 64}", "%s needs from and to", path)
		}
		return
	}
	step, width := 1, 0
	from(&step, s.step)
	from(&width, s.width)
	if *s.to < *s.from {
		n.wrong("both ends are included; the first is the smaller one", "%s goes from %d down to %d", path, *s.from, *s.to)
		return
	}
	if l.tooMany((*s.to-*s.from)/step + 1) {
		n.wrong(tooLargeHint, "%s", tooManyJobs())
		return
	}
	for i := *s.from; i <= *s.to; i += step {
		text := fmt.Sprintf("%0*d", width, i)
		values := row{[]string{""}, map[string]binding{"": {text: text, via: &origin{note: "${item}, " + text}}}}
		if i == *s.from {
			t.knows("item", values)
		}
		if !t.make("item", values, nil) {
			return
		}
	}
}

func from[T any](value, given *T) {
	if given != nil {
		*value = *given
	}
}
