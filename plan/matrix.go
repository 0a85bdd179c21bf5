package plan

import (
	"slices"
)

const (
	// combinationsMax is how many combinations a matrix may have.
	combinationsMax = 1_000_000
	// excludeWorkMax bounds its combinations times the items of exclude, each of
	// which is held against each.
	excludeWorkMax = 20_000_000
	// axesMax is how many axes it may have.
	axesMax = 20
)

// axis is one named list of values.
type axis struct {
	name   string
	values []*node
}

// matrix makes one job per combination of the axes' values, ${matrix.axis}, the
// last axis changing fastest: without those that an item of exclude describes in
// part or whole, and with those of include, which name every axis.
func (l *loader) matrix(t *template, d *decoder, n *node, path string) {
	if !d.wants(n, nodeMapping, path) {
		return
	}
	var axes []axis
	ok := true
	for _, e := range n.entries {
		if e.key.text == "exclude" || e.key.text == "include" {
			continue
		}
		if len(axes) == axesMax {
			e.key.wrong("", "%s has more than %d axes", path, axesMax)
			return
		}
		a, one := readAxis(d, e, join(path, e.key.text))
		axes = append(axes, a)
		ok = ok && one
	}
	if len(axes) == 0 && ok {
		n.wrong("write matrix: {NAME: [VALUE, VALUE]}", "%s has no axis", path)
		return
	}
	exclude, excludeOK := combinations(d, n.child("exclude"), join(path, "exclude"), axes, false)
	include, includeOK := combinations(d, n.child("include"), join(path, "include"), axes, true)
	if !ok || !excludeOK || !includeOK {
		return
	}
	count := 1
	for _, a := range axes {
		if count *= len(a.values); count > combinationsMax {
			n.wrong("", "%s has more than %d combinations", path, combinationsMax)
			return
		}
	}
	if count*len(exclude) > excludeWorkMax {
		n.child("exclude").wrong("split the matrix, or leave values out of it", "%s has too many items for %d combinations", join(path, "exclude"), count)
		return
	}
	if len(exclude) == 0 && l.tooMany(count+len(include)) {
		n.wrong(tooLargeHint, "%s", tooManyJobs())
		return
	}
	m := matrixWalk{t: t, axes: axes, exclude: exclude, hits: make([]int, len(exclude))}
	first := make([]*node, len(axes))
	for i, a := range axes {
		first[i] = a.values[0]
	}
	t.knows("matrix", m.row(first))
	if !m.walk(nil) {
		return
	}
	for i, hits := range m.hits {
		if hits == 0 {
			n.child("exclude").items[i].wrong("each value must be one of its axis", "this excludes nothing")
		}
	}
	for _, one := range include {
		if !t.make("matrix", m.row(one), nil) {
			return
		}
	}
}

func readAxis(d *decoder, e entry, path string) (axis, bool) {
	a := axis{name: e.key.text}
	if !varNameRule.MatchString(a.name) {
		e.key.wrong("an axis has a name of up to 63 letters, digits and underscores", "matrix has a key that cannot be an axis")
		return a, false
	}
	if !d.wants(e.value, nodeList, path) {
		return a, false
	}
	if len(e.value.items) == 0 {
		e.value.wrong("an axis without values makes no jobs at all", "%s is empty", path)
		return a, false
	}
	ok := true
	for _, item := range e.value.items {
		if _, one := d.scalar(item, path); !one {
			ok = false
			continue
		}
		a.values = append(a.values, item)
	}
	return a, ok
}

// combinations reads exclude or include: one value per axis, in the order of
// axes, nil where an item leaves the axis out.
func combinations(d *decoder, n *node, path string, axes []axis, whole bool) ([][]*node, bool) {
	if n == nil {
		return nil, true
	}
	if !d.wants(n, nodeList, path) {
		return nil, false
	}
	names := make([]string, len(axes))
	for i, a := range axes {
		names[i] = a.name
	}
	var all [][]*node
	ok := true
	for _, item := range n.items {
		if !d.wants(item, nodeMapping, path) {
			ok = false
			continue
		}
		one := make([]*node, len(axes))
		for _, e := range item.entries {
			i := slices.Index(names, e.key.text)
			if i < 0 {
				e.key.wrong("axes: "+joinNames(names), "the matrix has no axis %s", e.key.quoted())
				ok = false
			} else if _, isText := d.scalar(e.value, join(path, e.key.text)); isText {
				one[i] = e.value
			} else {
				ok = false
			}
		}
		if whole && ok && slices.Contains(one, nil) {
			item.wrong("axes: "+joinNames(names), "a combination to include names every axis")
			ok = false
		}
		all = append(all, one)
	}
	return all, ok
}

// matrixWalk goes through the combinations of its axes.
type matrixWalk struct {
	t       *template
	axes    []axis
	exclude [][]*node
	hits    []int // how often each of exclude applied
}

func (m *matrixWalk) walk(chosen []*node) bool {
	if len(chosen) == len(m.axes) {
		return m.excluded(chosen) || m.t.make("matrix", m.row(chosen), nil)
	}
	for _, value := range m.axes[len(chosen)].values {
		if !m.walk(append(chosen[:len(chosen):len(chosen)], value)) {
			return false
		}
	}
	return true
}

func (m *matrixWalk) excluded(chosen []*node) bool {
	found := false
	for i, pattern := range m.exclude {
		matches := true
		for j, want := range pattern {
			matches = matches && (want == nil || want.text == chosen[j].text)
		}
		if matches {
			m.hits[i]++
			found = true
		}
	}
	return found
}

func (m *matrixWalk) row(chosen []*node) row {
	r := row{values: make(map[string]binding, len(chosen))}
	for i, a := range m.axes {
		r.keys = append(r.keys, a.name)
		r.values[a.name] = bound(chosen[i], "${matrix."+a.name+"},")
	}
	return r
}
