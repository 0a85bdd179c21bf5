package plan

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options are what Load and Parse need besides the files. The zero Options is
// ready for use.
type Options struct {
	// Vars sets variables of the plan by name; it wins over everything else.
	Vars map[string]string
	// VarFiles are YAML files with a mapping of variables. A later one wins.
	VarFiles []string
	// LookupEnv reads the environment, for variables: APSCTL_VAR_name sets name.
	// nil means os.LookupEnv.
	LookupEnv func(name string) (string, bool)
	// Stdin is what the path "-" of Load stands for. nil makes it the name of a file.
	Stdin io.Reader
	// Inputs, if it is not nil, takes down what Load reads.
	Inputs *Inputs
	// Trace names the jobs, by a glob, of which Plan.Origins tells where each
	// value came from. "" traces none.
	Trace string
	// AllWarnings keeps every warning, and not only the first ones.
	AllWarnings bool
}

// Load reads one plan from the files, folders and globs in paths, and whatever
// these include. A folder stands for the .yaml and .yml files directly in it.
// Each file is a regular one of at most 64 MiB, and all of them say the same
// plan name; their order does not matter. What is wrong is returned as Problems,
// all at once, in order of file and place; the Plan is nil then.
func Load(paths []string, o Options) (*Plan, error) {
	return inPieces(o, func(l *loader) { l.readRoots(paths) })
}

// readRoots reads the files that paths stand for.
func (l *loader) readRoots(paths []string) {
	if len(paths) == 0 {
		l.refuse(named("the plan"), "no file is named", "name a plan file")
	}
	files := l.findAll(paths)
	l.o.Inputs.roots(paths, files)
	for _, path := range files {
		if s := l.open(newFolder(path), l.commanded(path)); s != nil {
			l.roots = append(l.roots, s)
		}
	}
}

// Parse reads a plan from data, as Load does from a file. file is its name in
// positions, and where relative paths start.
func Parse(file string, data []byte, o Options) (*Plan, error) {
	return inPieces(o, func(l *loader) { l.roots = append(l.roots, l.parse(newFolder(file), file, string(data))) })
}

// inPieces loads what read reads. Where a large file cannot be read in pieces
// after all, it starts anew with that file as a whole, and with what was read.
func inPieces(o Options, read func(*loader)) (*Plan, error) {
	whole, data := map[string]bool{}, map[string]string{}
	for {
		l := newLoader(o)
		l.whole, l.data = whole, data
		read(l)
		p, err := l.load()
		l.close()
		if !l.again {
			l.finishInputs()
			return p, err
		}
	}
}

// loader makes one plan of its files.
type loader struct {
	o          Options
	found      []*findings // of every text that was read, in order
	roots      []*source
	whole      map[string]bool     // files that are parsed at once, by path
	data       map[string]string   // YAML files that were read, by path
	again      bool                // a file has joined whole: start anew
	included   map[string]Position // files that an include named, by path and plan folder
	vars       variables
	profiles   map[string]*endpointDraft
	nameAt     *node            // where the plan's name was said first
	settingsAt map[string]*node // keys of settings of the whole plan, by path: run.parallel
	moves      map[string]entry // renames, by old name
	seen       *seen
	repeated   map[string]int // by source, the jobs that do what another one does
	tightening []*planDraft   // included files, whose limits are read last
	plan       *Plan
	traced     []tracedJob
	draft      jobDraft          // the job being read
	objects    int               // bytes of all jobs' objects
	values     int               // keys and values that templates made
	labels     int               // of all jobs
	text       *textRoom         // for references in jobs that are read one by one
	keptText   *textRoom         // for all others
	bytes      int               // of all YAML files
	full       bool              // the plan is too large, which was reported
	noProfile  map[string]string // hints for profiles that are not there
	hash       hasher
	keep       *keeper
}

func newLoader(o Options) *loader {
	return &loader{
		o: o, included: map[string]Position{}, vars: variables{}, profiles: map[string]*endpointDraft{},
		settingsAt: map[string]*node{}, moves: map[string]entry{}, seen: newSeen(), repeated: map[string]int{}, plan: &Plan{},
		text: newTextRoom(textMax), keptText: newTextRoom(keptTextMax), noProfile: map[string]string{}, keep: newKeeper(),
	}
}

func (l *loader) lookupEnv(name string) (string, bool) {
	if l.o.LookupEnv != nil {
		return l.o.LookupEnv(name)
	}
	return os.LookupEnv(name)
}

// collect returns where problems with text are collected.
func (l *loader) collect(text *sourceText) *findings {
	f := newFindings(text)
	f.warningsMax = l.warningsMax()
	l.found = append(l.found, f)
	return f
}

func (l *loader) warningsMax() int {
	if l.o.AllWarnings {
		return math.MaxInt
	}
	return ProblemsMax
}

// load reads all that the roots say. Variables come first, since everything else
// may refer to them; profiles next, since jobs in any file may.
func (l *loader) load() (*Plan, error) {
	for _, s := range l.roots {
		if declared := s.child("vars"); declared != nil {
			l.vars.declare(s.decoder(), declared)
		}
	}
	l.resolve(l.vars)
	files := make([]*planDraft, 0, len(l.roots))
	for _, s := range l.roots {
		files = append(files, l.readRoot(s)...)
	}
	l.tighten()
	for _, file := range files {
		if l.jobs(file); l.again {
			return nil, nil
		}
	}
	l.finishMoved()
	if err := l.refused(); err != nil {
		return nil, err
	}
	p := l.plan
	p.File, p.dir = fileNames(l.roots), filepath.Dir(l.roots[0].path)
	p.Warnings = l.problems(func(f *findings) []finding { return f.warnings }, l.warningsMax())
	for _, f := range l.found {
		p.Warned += f.warned
	}
	p.Repeated = mostFirst(l.repeated)
	p.Digest = hashPlan(p.Jobs)
	p.Origins = l.origins()
	return p, nil
}

// problems returns the first of what was found in all files, nil for nothing.
func (l *loader) problems(of func(*findings) []finding, most int) Problems {
	var all Problems
	for _, f := range l.found {
		if list := of(f); len(list) > 0 {
			all = append(all, f.finish(list, most)...)
		}
	}
	return all[:min(len(all), most)]
}

// readRoot reads the top level of a file that the command named, and of all that
// it includes.
func (l *loader) readRoot(s *source) []*planDraft {
	draft := &planDraft{source: s}
	body := l.expandTop(s.body)
	if body == nil || !planSection.read(s.decoder(), body, "", draft) {
		return nil
	}
	hints := map[string]string{
		"version": "write version: 1", "name": "write name: NAME; with a job's name it identifies the job for ever",
	}
	if !planSection.meant(body, "version") && !planSection.meant(body, "name") {
		hints["version"] += "; a file that another one includes has none: name that other file"
	}
	planSection.missing(s.decoder(), body, hints)
	if draft.jobs == nil && draft.generate == nil && draft.include == nil && !planSection.meant(body, "jobs") {
		body.wrong("write jobs: and a list, or jobs: [] for none", "the plan has no jobs")
	}
	l.sameName(draft)
	l.addSettings(draft)
	l.addProfiles(draft)
	draft.layers = l.layers(draft, nil)
	return append([]*planDraft{draft}, l.include(draft, 1)...)
}

// expandTop replaces the references in a file's top level. What declares
// variables has none, and templates are filled in job by job.
func (l *loader) expandTop(body *node) *node {
	if body == nil || body.kind != nodeMapping || !body.refs {
		return body
	}
	copied := *body
	copied.entries = slices.Clone(body.entries)
	for i, e := range copied.entries {
		switch planSection.meaning(body, e.key) {
		case "vars", "generate", "":
		default:
			copied.entries[i].value = l.filled(e.value)
		}
	}
	return &copied
}

// sameName holds all files to one plan name.
func (l *loader) sameName(draft *planDraft) {
	switch {
	case !draft.name.ok:
	case l.nameAt == nil:
		l.nameAt, l.plan.Name = draft.name.at, strings.Clone(draft.name.value)
	case l.plan.Name != draft.name.value:
		draft.name.at.wrong("plans of different names are planned and applied one by one", "this is plan %s, and %s is plan %s",
			draft.name.at.quoted(), l.nameAt.in.text.shownFile(), l.nameAt.quoted())
	}
}

// layers are the defaults that hold in a file, its own first.
func (l *loader) layers(draft *planDraft, outer []jobDraft) []jobDraft {
	var own jobDraft
	if draft.defaults != nil {
		defaultsSection.read(draft.source.decoder(), draft.defaults, "defaults", &own)
	}
	own.region = own.region.or(draft.region)
	return append([]jobDraft{own}, outer...)
}

// fileNames names a plan by the files that the command named.
func fileNames(roots []*source) string {
	names := make([]string, len(roots))
	for i, s := range roots {
		names[i] = s.path
	}
	return strings.Join(names, ", ")
}

// decoder reads what the file says: relative paths to secrets start at it.
func (s *source) decoder() *decoder { return &decoder{dir: filepath.Dir(s.path)} }
