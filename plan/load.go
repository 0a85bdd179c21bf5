package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads the plan file at path, which is a regular file of at most 64 MiB.
// What is wrong with its content is returned as Problems, all at once.
func Load(path string) (*Plan, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refuseFile(path, "the file does not exist", "name a plan file")
	case err != nil:
		return nil, refuseFile(path, "the file cannot be read", "check its permissions and those of its folder")
	case info.IsDir():
		return nil, refuseFile(path, "this is a folder; a plan is a file", "name the file in it")
	case !info.Mode().IsRegular():
		return nil, refuseFile(path, "this is no regular file", "write the plan to a file first")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, refuseFile(path, "the file cannot be read", "check its permissions")
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, fileBytesMax+1))
	if err != nil {
		return nil, refuseFile(path, "the file could not be read to its end", "check the disk")
	}
	return Parse(path, data)
}

func refuseFile(path, message, hint string) error {
	f := newFindings(newSourceText(path, ""))
	f.add(span{}, message, hint)
	return f.problems()
}

// Parse reads a plan from data. file is its name in positions, and where
// relative paths start. What is wrong is returned as Problems, all at once and
// in source order; the Plan is nil then.
func Parse(file string, data []byte) (*Plan, error) {
	text, problems := decodeText(file, data)
	if problems != nil {
		return nil, problems
	}
	f := newFindings(text)
	body := parseYAML(f, strings.Join(text.lines, "\n"))
	if body == nil {
		return nil, f.problems()
	}
	root := newBuilder(f).build(body, false)
	d := &decoder{f: f, dir: filepath.Dir(file)}
	p := d.plan(root)
	if f.any() {
		return nil, f.problems()
	}
	p.File, p.Warnings = file, f.finish(f.warnings)
	p.Digest = hashPlan(p.Jobs)
	return p, nil
}

// plan reads the top level and joins jobs with defaults.
func (d *decoder) plan(root *node) *Plan {
	var draft planDraft
	if !planSection.read(d, root, "", &draft) {
		return nil
	}
	planSection.missing(d, root, map[string]string{
		"version": "write version: 1", "name": "write name: NAME; with a job's name it identifies the job for ever",
		"jobs": "write jobs: and a list, or jobs: [] for none",
	})
	var defaults jobDraft
	if draft.defaults != nil {
		defaultsSection.read(d, draft.defaults, "defaults", &defaults)
	}
	defaults.region = defaults.region.or(draft.region)
	return &Plan{Name: draft.name, Jobs: d.jobs(draft.jobs, defaults), Run: draft.run, Limits: draft.limits}
}

// jobs reads the list of jobs.
func (d *decoder) jobs(list *node, defaults jobDraft) []Job {
	if list == nil || !d.wants(list, nodeList, "jobs") {
		return nil
	}
	jobs := make([]Job, 0, len(list.items))
	seen := newSeen(d, len(list.items))
	for i, item := range list.items {
		path := fmt.Sprintf("jobs[%d]", i)
		var own jobDraft
		if !jobSection.read(d, item, path, &own) {
			continue
		}
		seen.name(own.name)
		draft := own.over(defaults)
		if d.complete(draft, item, path) {
			job := draft.job(d.f.text.position(d.f.text.spanOf(item)))
			seen.work(own.name, job)
			jobs = append(jobs, job)
		}
	}
	return jobs
}

// complete reports what a job lacks, and returns whether all of it can be used.
func (d *decoder) complete(j jobDraft, item *node, path string) bool {
	const inDefaults = "set it in the job or in defaults"
	complete := true
	for _, need := range []struct {
		key    string
		value  said[string]
		in     *node // the mapping it is missing in; nil means the job
		broken bool  // that mapping is, which was reported
		hint   string
	}{
		{"name", j.name, nil, false, "the name is how apsctl knows the job again"},
		{"region", j.region, nil, false, "set it in the job, in defaults or for the plan"},
		{"source.instance", j.source.instance, j.source.at, j.source.broken, inDefaults},
		{"destination.instance", j.destination.instance, j.destination.at, j.destination.broken, inDefaults},
		{"db_list", j.dbList, nil, false, "for everything, write db_list: {EntireInstance: true}"},
	} {
		complete = complete && need.value.ok
		if need.value.at == nil && !need.broken {
			d.wrong(cmp.Or(need.in, item), need.hint, "%s has no %s", path, need.key)
		}
	}
	return complete
}

// job is the finished job. Fields that could not be read were reported.
func (j jobDraft) job(at Position) Job {
	spec := Spec{
		Name: j.name.value, Region: j.region.value,
		Source:      SourceEndpoint{j.source.instance.value, j.source.region.value, j.source.user.value},
		Destination: DestinationEndpoint{j.destination.instance.value, j.destination.user.value},
		DBList:      j.dbList.value, PartitionList: j.partitionList.value, TargetTableMode: j.targetTableMode.value,
	}
	return Job{
		Spec: spec, SourcePassword: j.source.password.value, DestinationPassword: j.destination.password.value,
		Labels: j.labels, Digest: HashSpec(spec), Pos: at,
	}
}

// seen finds jobs that are in a plan twice, under one name or under two.
type seen struct {
	d     *decoder
	names map[string]*node // by nameKey
	works map[string]*node // by what is synchronised
}

func newSeen(d *decoder, n int) *seen {
	return &seen{d, make(map[string]*node, n), make(map[string]*node, n)}
}

// name refuses a name that was there before, or one that looks like it.
func (s *seen) name(name said[string]) {
	if !name.ok {
		return
	}
	key := nameKey(name.value)
	first, ok := s.names[key]
	if !ok {
		s.names[key] = name.at
		return
	}
	where := s.d.f.text.position(s.d.f.text.spanOf(first))
	if first.text == name.value {
		s.d.wrong(name.at, fmt.Sprintf("the first is at %s; names identify jobs and must differ", where), "two jobs are called %s", name.at.quoted())
		return
	}
	s.d.wrong(name.at, fmt.Sprintf("the other is at %s; choose names that a person can tell apart", where),
		"the names %s and %s differ only in case, width, composition or look-alike letters", first.quoted(), name.at.quoted())
}

// work warns of two jobs that would load the same data to the same place.
func (s *seen) work(name said[string], job Job) {
	key := job.work()
	first, ok := s.works[key]
	if !ok {
		s.works[key] = name.at
		return
	}
	at := s.d.f.text.spanOf(name.at)
	s.d.f.warn(at, fmt.Sprintf("job %s synchronises the same as job %s", name.at.quoted(), first.quoted()),
		"two jobs that load the same data are rarely meant")
}

// hashPlan is the digest of the whole desired state, in order of name.
func hashPlan(jobs []Job) string {
	lines := make([]string, len(jobs))
	for i, job := range jobs {
		lines[i] = fmt.Sprintf("%q %s\n", job.Name, job.Digest)
	}
	slices.Sort(lines)
	sum := sha256.New()
	io.WriteString(sum, "apsctl plan v1\n")
	for _, line := range lines {
		io.WriteString(sum, line)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}
