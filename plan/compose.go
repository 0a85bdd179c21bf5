package plan

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

const (
	// includeDepthMax is how deep files may include one another.
	includeDepthMax = 8
	// filesMax is how many files one plan may consist of.
	filesMax = 10_000
)

// include reads what a file includes, and what that includes.
func (l *loader) include(from *planDraft, depth int) []*planDraft {
	var drafts []*planDraft
	for _, pattern := range from.included {
		for _, inside := range l.resolveInclude(from.source, pattern) {
			if depth > includeDepthMax {
				pattern.wrong("", "files include one another more than %d deep", includeDepthMax)
				return drafts
			}
			drafts = append(drafts, l.includeFile(from, pattern, inside, depth)...)
		}
	}
	return drafts
}

// resolveInclude returns the files that one pattern means, as paths inside the
// plan's folder.
func (l *loader) resolveInclude(s *source, pattern *node) []string {
	inside, ok := s.pathIn(pattern)
	if !ok {
		return nil
	}
	if !hasMeta(inside) {
		return []string{inside}
	}
	files, err := s.folder.glob(inside)
	l.o.Inputs.glob(s.folder.dir, inside, files)
	switch {
	case err != nil:
		pattern.wrong("a [ needs its ]", "%s is no valid pattern", pattern.quoted())
	case len(files) == 0:
		pattern.wrong("paths start at the folder of this file", "no file matches %s", pattern.quoted())
	}
	return files
}

// pathIn returns the path that n names in the file s as a path inside the
// plan's folder, and reports one that leads out of it.
func (s *source) pathIn(n *node) (string, bool) {
	name := filepath.ToSlash(n.text)
	inside := path.Join(path.Dir(s.inside), name)
	if path.IsAbs(name) || !filepath.IsLocal(filepath.FromSlash(inside)) {
		n.wrong("paths are relative to the file that names them, and stay in the plan's folder", "%s leads out of the plan's folder", n.quoted())
		return "", false
	}
	return inside, true
}

// shown is a path inside the plan's folder as users are told.
func (f *folder) shown(inside string) string {
	return filepath.Join(f.dir, filepath.FromSlash(inside))
}

func (l *loader) includeFile(from *planDraft, pattern *node, inside string, depth int) []*planDraft {
	folder := from.source.folder
	shown := folder.shown(inside)
	key := identity(shown)
	if first, again := l.included[key]; again || l.isRoot(key) {
		where := "the command names it"
		if again {
			where = fmt.Sprintf("it is included at %s", first)
		}
		pattern.wrong(where+"; keep included files in a folder of their own", "%s would be read twice", quoteName(shown))
		return nil
	}
	if l.included[key] = pattern.position(); len(l.included) > filesMax {
		pattern.wrong("", "the plan has more than %d files", filesMax)
		return nil
	}
	s := l.open(folder, folder.named(pattern, inside))
	if s == nil || s.body == nil {
		return nil
	}
	s.inside = inside
	draft := &planDraft{source: s}
	body := l.expandTop(s.body)
	if !includedSection.read(s.decoder(), body, "", draft) {
		return nil
	}
	l.sameName(draft)
	l.tightening = append(l.tightening, draft)
	l.addProfiles(draft)
	draft.layers = l.layers(draft, from.layers)
	return append([]*planDraft{draft}, l.include(draft, depth+1)...)
}

func (l *loader) isRoot(key string) bool {
	for _, root := range l.roots {
		if identity(root.path) == key {
			return true
		}
	}
	return false
}

// addSettings takes over what a file says for the whole plan. A setting may be
// said in one file only, so that the order of files does not matter.
func (l *loader) addSettings(draft *planDraft) {
	d := draft.source.decoder()
	l.settings(d, "run", draft.run, func(n *node) { runSection.read(d, n, "run", &l.plan.Run) })
	l.settings(d, "limits", draft.limits, func(n *node) { limitsSection.read(d, n, "limits", &l.plan.Limits) })
	l.settings(d, "moved", draft.moved, func(n *node) { l.readMoved(d, n) })
}

func (l *loader) settings(d *decoder, path string, n *node, read func(*node)) {
	if n == nil || !d.wants(n, nodeMapping, path) {
		return
	}
	kept := *n
	kept.entries = nil
	for _, e := range n.entries {
		key := join(path, e.key.text)
		if first := l.settingsAt[key]; first != nil {
			e.key.wrong(fmt.Sprintf("it is set at %s too", first.position()), "%s is set in two files", key)
			continue
		}
		l.settingsAt[key] = e.key
		kept.entries = append(kept.entries, e)
	}
	read(&kept)
}

// tighten takes over the limits of included files, once those of the plan's own
// files are known: none may be looser than the plan's own, and of several the
// lowest holds.
func (l *loader) tighten() {
	plan := l.plan.Limits
	for _, draft := range l.tightening {
		var own Limits
		if draft.limits == nil || !limitsSection.read(draft.source.decoder(), draft.limits, "limits", &own) {
			continue
		}
		for i, key := range limitsSection.names() {
			tighten(draft, key, *own.all()[i], *plan.all()[i], l.plan.Limits.all()[i])
		}
	}
}

func tighten(draft *planDraft, key string, own, plan *Limit, limit **Limit) {
	switch {
	case own == nil:
	case plan != nil && own.looser(*plan):
		cmp.Or(draft.limits.child(key), draft.limits).wrong("an included file can lower a limit, not raise it", "limits.%s is %s here and %s in the plan", key, *own, *plan)
	case *limit == nil || (*limit).looser(*own):
		*limit = own
	}
}

// readMoved reads the renames: old name to new name.
func (l *loader) readMoved(d *decoder, n *node) {
	if l.plan.Moved == nil {
		l.plan.Moved = map[string]string{}
	}
	for _, e := range n.entries {
		old, oldOK := d.jobName(e.key, "a name in moved")
		now, nowOK := d.jobName(e.value, join("moved", e.key.text))
		switch {
		case !oldOK || !nowOK:
		case old == now:
			e.value.wrong("", "moved leads %s to itself", e.key.quoted())
		default:
			l.plan.Moved[strings.Clone(old)] = strings.Clone(now)
			l.moves[old] = e
		}
	}
}

// finishMoved checks the renames against the jobs, all of which are known now.
func (l *loader) finishMoved() {
	to := map[string]string{}
	for _, old := range sortedKeys(l.plan.Moved) {
		now := l.plan.Moved[old]
		from, at := l.moves[old].key, l.moves[old].value
		switch other := to[now]; {
		case l.seen.has(old):
			from.wrong("remove it from moved, or from the jobs", "job %s is in the plan and in moved", quoteName(old))
		case !l.seen.has(now):
			at.wrong("moved leads from a job's old name to its new one", "the plan has no job %s", at.quoted())
		case other != "":
			at.wrong("", "jobs %s and %s are both moved to %s", quoteName(other), quoteName(old), at.quoted())
		}
		to[now] = old
	}
}

// includes reads the files and patterns of an include key.
func (d *decoder) includes(n *node, at string) []*node {
	items := []*node{n}
	if n.kind == nodeList {
		items = n.items
	}
	var patterns []*node
	for _, item := range items {
		text, ok := d.line(item, at)
		switch {
		case !ok:
		case strings.Contains(text, "**"):
			item.wrong("name each folder: include: [a/*.yaml, b/*.yaml]", "** is not known here")
		case !hasMeta(text) && !fs.ValidPath(path.Clean(filepath.ToSlash(text))) && !strings.HasPrefix(text, ".") && !path.IsAbs(text):
			item.wrong("", "%s is no path", item.quoted())
		default:
			patterns = append(patterns, item)
		}
	}
	return patterns
}
