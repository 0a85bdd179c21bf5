package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

var (
	// jobsMax is how many jobs one plan may have.
	jobsMax = 250_000
	// objectsSumMax is how many bytes all their objects may have together.
	objectsSumMax = 512 << 20
)

// jobs reads the jobs of one file, those written out first.
func (l *loader) jobs(file *planDraft) {
	d := file.source.decoder()
	switch {
	case file.jobs == nil || !d.wants(file.jobs, nodeList, "jobs"):
	case file.source.pieces != nil:
		l.jobsInPieces(file, d)
	default:
		l.expect(len(file.jobs.items))
		for i, item := range file.jobs.items {
			if l.full || item.in.full() {
				return
			}
			l.job(d, item, fmt.Sprintf("jobs[%d]", i), file.layers)
		}
	}
	if file.generate != nil && d.wants(file.generate, nodeList, "generate") {
		for i, item := range file.generate.items {
			l.generate(file, d, item, fmt.Sprintf("generate[%d]", i))
		}
	}
}

// jobsInPieces reads the jobs of a large file as their pieces are parsed.
func (l *loader) jobsInPieces(file *planDraft, d *decoder) {
	p := file.source.pieces
	total := 0
	for _, c := range p.cuts {
		if total += c.items; l.tooMany(total) {
			file.jobs.in.add(span{c.last + 1, 1, 1}, tooManyJobs(), tooLargeHint)
			return
		}
	}
	l.expect(total)
	p.keep = l.o.Trace != ""
	values := filler{scope: scope{"var": l.vars}, reuse: true, room: l.text}
	i := 0
	if !p.items(func(item *node) bool {
		values.reset()
		l.job(d, values.expand(item, inPlan), fmt.Sprintf("jobs[%d]", i), file.layers)
		i++
		return !l.full && !item.in.full() && values.room.left >= 0
	}) {
		l.whole[file.source.path], l.again = true, true
	}
}

// job reads one job that is written out and joins it with the defaults in layers.
func (l *loader) job(d *decoder, item *node, path string, layers []jobDraft) {
	if l.draft = (jobDraft{}); jobSection.read(d, item, path, &l.draft) {
		l.finishJob(&l.draft, item, path, layers, nil)
	}
}

// finishJob joins a job as written with the defaults, and adds it to the plan.
// from is the row that a template made it of, else nil.
func (l *loader) finishJob(draft *jobDraft, item *node, path string, layers []jobDraft, from *origin) {
	l.seen.name(draft.name)
	for i := range layers {
		draft.fill(&layers[i])
	}
	l.fillEndpoint(&draft.source, layers, sourceEnd)
	l.fillEndpoint(&draft.destination, layers, destinationEnd)
	if !complete(draft, item, path) || !l.hasRoom(draft, item) || !l.hasRoomForLabels(len(draft.labels), item) {
		return
	}
	l.plan.Jobs = append(l.plan.Jobs, l.finished(draft))
	job := &l.plan.Jobs[len(l.plan.Jobs)-1]
	if job.Pos = item.position(); from != nil {
		job.Pos = from.place().position()
	}
	l.work(draft.name.at, job)
	l.trace(job, draft, layers)
}

// tooLargeHint is what to do about a plan that is too large.
const tooLargeHint = "split it into several plans with names of their own"

func tooManyJobs() string { return fmt.Sprintf("the plan has more than %d jobs", jobsMax) }

// tooMany reports whether more jobs would be more than a plan may have, and notes
// that it is full then: that is known before any of them is read.
func (l *loader) tooMany(more int) bool {
	l.full = l.full || len(l.plan.Jobs)+more > jobsMax
	return l.full
}

// hasRoom refuses jobs that the plan is too large for: a small file can ask for
// very much.
func (l *loader) hasRoom(j *jobDraft, item *node) bool {
	l.objects += len(j.dbList.value) + len(j.partitionList.value)
	switch {
	case len(l.plan.Jobs) >= jobsMax:
		item.wrong(tooLargeHint, "%s", tooManyJobs())
	case l.objects > objectsSumMax:
		item.wrong(tooLargeHint, "db_list and partition_list of all jobs have more than %d MiB", objectsSumMax>>20)
	default:
		return true
	}
	l.full = true
	return false
}

// complete reports what a job lacks, and returns whether all of it can be used.
func complete(j *jobDraft, item *node, path string) bool {
	const inDefaults = "set it in the job, in its profile or in defaults"
	complete := true
	for _, need := range [...]struct {
		key    string
		value  *said[string]
		in     *node // the mapping it is missing in; nil means the job
		broken bool  // that mapping is, which was reported
		hint   string
	}{
		{"name", &j.name, nil, false, "the name is how apsctl knows the job again"},
		{"region", &j.region, nil, false, "set it in the job, in defaults or for the plan"},
		{"source.instance", &j.source.instance, j.source.at, j.source.broken, inDefaults},
		{"destination.instance", &j.destination.instance, j.destination.at, j.destination.broken, inDefaults},
		{"db_list", &j.dbList, nil, false, "for everything, write db_list: {EntireInstance: true}"},
	} {
		complete = complete && need.value.ok
		if need.value.at == nil && !need.broken {
			cmp.Or(need.in, item).wrong(need.hint, "%s has no %s", path, need.key)
		}
	}
	return complete
}

// finished is the finished job. Fields that could not be read were reported.
func (l *loader) finished(j *jobDraft) Job {
	k := l.keep
	spec := Spec{
		Name: k.text(j.name.value), Region: k.text(j.region.value),
		Source:      SourceEndpoint{k.text(j.source.instance.value), k.text(j.source.region.value), k.text(j.source.user.value)},
		Destination: DestinationEndpoint{k.text(j.destination.instance.value), k.text(j.destination.user.value)},
		DBList:      j.dbList.value, PartitionList: j.partitionList.value, TargetTableMode: k.text(j.targetTableMode.value),
	}
	return Job{
		Spec: spec, SourcePassword: j.source.password.value, DestinationPassword: j.destination.password.value,
		Labels: k.set(j.labels), Life: k.life(j.life()), Digest: l.hash.spec(&spec),
	}
}

// seen finds jobs that are in a plan twice, under one name or under two.
type seen struct {
	names map[string]seenName // by nameKey
	works map[workKey]int32   // the first job of each work, in Plan.Jobs
	room  int                 // how many jobs they were made for
}

// workKey stands for what a job synchronises. It costs less to keep than the
// text, and 128 bits of SHA-256 are not met twice by chance.
type workKey [16]byte

// seenName is a job's name and where it stands, without its node: that of a
// generated job lives no longer than the job is read.
type seenName struct {
	name string
	at   place
}

func newSeen() *seen {
	return &seen{names: map[string]seenName{}, works: map[workKey]int32{}}
}

// grow makes room for n jobs in all, as slices grow: seldom.
func (s *seen) grow(n int) {
	if n <= s.room {
		return
	}
	n = max(n, 2*s.room)
	s.room = n
	names, works := make(map[string]seenName, n), make(map[workKey]int32, n)
	maps.Copy(names, s.names)
	maps.Copy(works, s.works)
	s.names, s.works = names, works
}

// has reports whether a job is called name.
func (s *seen) has(name string) bool {
	first, ok := s.names[nameKey(name)]
	return ok && first.name == name
}

// name refuses a name that was there before, or one that looks like it.
func (s *seen) name(name said[string]) {
	if !name.ok {
		return
	}
	key := nameKey(name.value)
	first, ok := s.names[key]
	if !ok {
		s.names[key] = seenName{name.value, name.at.place()}
		return
	}
	if first.name == name.value {
		name.at.wrong(fmt.Sprintf("the first is at %s; names identify jobs and must differ", first.at.position()), "two jobs are called %s", name.at.quoted())
		return
	}
	name.at.wrong(fmt.Sprintf("the other is at %s; choose names that a person can tell apart", first.at.position()),
		"the names %s and %s differ only in case, width, composition or look-alike letters", quoteName(first.name), name.at.quoted())
}

// work warns of two jobs that would load the same data to the same place.
func (l *loader) work(name *node, job *Job) {
	key := l.hash.work(&job.Spec)
	first, ok := l.seen.works[key]
	if !ok {
		l.seen.works[key] = int32(len(l.plan.Jobs) - 1)
		return
	}
	l.repeated[job.Source.Instance]++
	other := &l.plan.Jobs[first]
	name.warn("two jobs that load the same data are rarely meant", "job %s synchronises the same as job %s, at %s", name.quoted(), quoteName(other.Name), other.Pos)
}

// hashPlan is the digest of the whole desired state, in order of name.
func hashPlan(jobs []Job) string {
	order := make([]*Job, len(jobs))
	for i := range jobs {
		order[i] = &jobs[i]
	}
	slices.SortFunc(order, func(a, b *Job) int { return compareQuoted(a.Name, b.Name) })
	sum := sha256.New()
	io.WriteString(sum, "apsctl plan v1\n")
	var line []byte
	for _, job := range order {
		line = strconv.AppendQuote(line[:0], job.Name)
		line = append(append(append(line, ' '), job.Digest...), '\n')
		sum.Write(line)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// compareQuoted orders names as they are written into the digest. Quotes change
// nothing about the order of those in ASCII.
func compareQuoted(a, b string) int {
	if plainASCII(a) && plainASCII(b) {
		return strings.Compare(a, b)
	}
	return strings.Compare(strconv.Quote(a), strconv.Quote(b))
}

// trace keeps where the values of a job came from, if that was asked for.
func (l *loader) trace(job *Job, draft *jobDraft, layers []jobDraft) {
	if l.o.Trace == "" {
		return
	}
	if ok, err := path.Match(l.o.Trace, job.Name); err == nil && ok {
		l.traced = append(l.traced, tracedJob{len(l.plan.Jobs) - 1, traceFields(draft, layers)})
	}
}
