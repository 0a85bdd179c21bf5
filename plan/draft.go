package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/apsctl/apsctl/internal/secret"
)

// said is one value as a mapping may have it: not at all, in a form that was
// reported already, or readable.
type said[T any] struct {
	value T
	at    *node // nil when the key is not there
	ok    bool  // value can be used
}

// set reads n into s.
func (s *said[T]) set(d *decoder, n *node, path string, read func(*decoder, *node, string) (T, bool)) {
	s.at = n
	s.value, s.ok = read(d, n, path)
}

// or returns s where its key is there, and else other: how a job's field and its
// default combine.
func (s said[T]) or(other said[T]) said[T] {
	if s.at != nil {
		return s
	}
	return other
}

// planDraft is one file's top level before jobs and defaults are joined.
type planDraft struct {
	source                             *source
	name, region                       said[string]
	profiles, defaults, jobs, generate *node
	include                            *node
	included                           []*node // the patterns of include
	run, limits, moved                 *node
	layers                             []jobDraft // the defaults that hold in this file, its own first
}

// jobDraft is a job, or the defaults, as written.
type jobDraft struct {
	name, region          said[string]
	source, destination   endpointDraft
	dbList, partitionList said[string]
	targetTableMode       said[string]
	labels                map[string]string
	labelsAt              *node
	adopt                 said[Adopt]
	state                 said[DesiredState]
	onRemove              said[OnRemove]
	protect               said[bool]
	ignore                said[FieldSet]
}

// endpointDraft is one end of a job, or a profile.
type endpointDraft struct {
	profile, instance, region, user said[string]
	password                        said[*secret.Ref]
	passwordVersion                 said[string]
	noRegion                        bool  // it is a destination
	at                              *node // a profile's key, or the end itself; nil when the job does not have it
	broken                          bool  // it is no mapping, which was reported
}

type passwordDraft struct {
	env, file said[string]
	command   said[[]string]
	kms       said[*secret.KMS]
}

type kmsDraft struct{ secret, region, versionStage, field said[string] }

// fill fills in what is open from defaults, key by key; its two ends are filled
// in by loader.fillEndpoint. db_list and partition_list are values of their own
// and replace the default's whole.
func (j *jobDraft) fill(defaults *jobDraft) {
	j.region = j.region.or(defaults.region)
	j.dbList = j.dbList.or(defaults.dbList)
	j.partitionList = j.partitionList.or(defaults.partitionList)
	j.targetTableMode = j.targetTableMode.or(defaults.targetTableMode)
	j.labels = labelsOver(j.labels, defaults.labels)
	if j.labelsAt == nil {
		j.labelsAt = defaults.labelsAt
	}
	j.adopt = j.adopt.or(defaults.adopt)
	j.state = j.state.or(defaults.state)
	j.onRemove = j.onRemove.or(defaults.onRemove)
	j.protect = j.protect.or(defaults.protect)
	j.ignore = j.ignore.or(defaults.ignore)
}

func (e *endpointDraft) fill(defaults *endpointDraft) {
	e.profile = e.profile.or(defaults.profile)
	e.instance = e.instance.or(defaults.instance)
	e.region = e.region.or(defaults.region)
	e.user = e.user.or(defaults.user)
	e.password = e.password.or(defaults.password)
	e.passwordVersion = e.passwordVersion.or(defaults.passwordVersion)
	e.broken = e.broken || defaults.broken
}

// labelsOver joins two sets of labels, sharing one of them where it can: many
// jobs often have the same.
func labelsOver(own, defaults map[string]string) map[string]string {
	switch {
	case len(own) == 0:
		return defaults
	case len(defaults) == 0:
		return own
	}
	all := maps.Clone(defaults)
	maps.Copy(all, own)
	return all
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func joinNames(names []string) string {
	if len(names) > listedMax {
		names = append(names[:listedMax:listedMax], "…")
	}
	return strings.Join(names, ", ")
}
