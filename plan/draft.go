package plan

import "github.com/apsctl/apsctl/internal/secret"

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

// planDraft is a plan file's top level before jobs and defaults are joined.
type planDraft struct {
	name           string
	region         said[string]
	defaults, jobs *node
	run            RunSettings
	limits         Limits
}

// jobDraft is a job, or the defaults, as written.
type jobDraft struct {
	name, region          said[string]
	source                sourceDraft
	destination           destinationDraft
	dbList, partitionList said[string]
	targetTableMode       said[string]
	labels                map[string]string
}

type sourceDraft struct {
	instance, region, user said[string]
	password               said[*secret.Ref]
	at                     *node // nil when the job itself does not have it
	broken                 bool  // it is no mapping, which was reported
}

type destinationDraft struct {
	instance, user said[string]
	password       said[*secret.Ref]
	at             *node
	broken         bool
}

type passwordDraft struct {
	env, file said[string]
	command   said[[]string]
}

// over returns j with the defaults filled in, mapping by mapping and key by key.
// db_list and partition_list are values of their own and replace the default's
// whole.
func (j jobDraft) over(defaults jobDraft) jobDraft {
	j.region = j.region.or(defaults.region)
	j.source = j.source.over(defaults.source)
	j.destination = j.destination.over(defaults.destination)
	j.dbList = j.dbList.or(defaults.dbList)
	j.partitionList = j.partitionList.or(defaults.partitionList)
	j.targetTableMode = j.targetTableMode.or(defaults.targetTableMode)
	j.labels = labelsOver(j.labels, defaults.labels)
	return j
}

func (s sourceDraft) over(defaults sourceDraft) sourceDraft {
	s.instance = s.instance.or(defaults.instance)
	s.region = s.region.or(defaults.region)
	s.user = s.user.or(defaults.user)
	s.password = s.password.or(defaults.password)
	s.broken = s.broken || defaults.broken
	return s
}

func (s destinationDraft) over(defaults destinationDraft) destinationDraft {
	s.instance = s.instance.or(defaults.instance)
	s.user = s.user.or(defaults.user)
	s.password = s.password.or(defaults.password)
	s.broken = s.broken || defaults.broken
	return s
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
	all := make(map[string]string, len(own)+len(defaults))
	for key, value := range defaults {
		all[key] = value
	}
	for key, value := range own {
		all[key] = value
	}
	return all
}
