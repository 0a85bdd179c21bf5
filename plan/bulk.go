package plan

// A small file can ask for very much: a template of a thousand values for each of
// a hundred thousand rows, a reference to a long text in every one of them, labels
// that all jobs share. What is made is counted, and refused where it is more than
// any honest plan has.

var (
	// valuesMax is how many keys and values templates may make, labelsMax how many
	// labels jobs may have, all together.
	valuesMax, labelsMax = 8_000_000, 3_000_000
	// textMax and keptTextMax are how many bytes of text references may make: where
	// each job is dropped as soon as it is read, and where all stays in memory.
	textMax, keptTextMax = 1 << 30, 64 << 20
)

// textRoom is how many bytes of text references may still make.
type textRoom struct {
	left int
	max  int
}

func newTextRoom(max int) *textRoom { return &textRoom{max, max} }

// take counts text that was made for n, and refuses what there is no room for.
func (r *textRoom) take(made int, n *node) {
	if r.left -= made; r.left >= 0 {
		return
	}
	n.wrong(tooLargeHint, "references make more than %d MiB of text of this plan", r.max>>20)
	n.kind = nodeBad
}

// hasRoomForValues counts what a template makes, and refuses what is too much.
func (l *loader) hasRoomForValues(made int, n *node) bool {
	l.values += made
	return l.within(l.values, valuesMax, n, "the templates of the plan make more than %d keys and values")
}

// hasRoomForLabels counts the labels of a job, and refuses what is too much.
func (l *loader) hasRoomForLabels(made int, n *node) bool {
	l.labels += made
	return l.within(l.labels, labelsMax, n, "the jobs of the plan have more than %d labels together")
}

func (l *loader) within(count, most int, n *node, message string) bool {
	if count <= most {
		return true
	}
	l.full = true
	n.wrong(tooLargeHint, message, most)
	return false
}

// filled replaces the references to variables in what is kept.
func (l *loader) filled(n *node) *node {
	return (&filler{scope: scope{"var": l.vars}, room: l.keptText}).expand(n, inPlan)
}
