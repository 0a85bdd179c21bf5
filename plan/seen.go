package plan

import "time"

// Seen is what the service shows of one job that the ledger has as created.
type Seen struct {
	// Job is how the complete listing shows it; nil: it does not.
	Job *RemoteJob
	// Detail is what its details say; nil: nobody asked, or the service did not tell.
	Detail *RemoteDetail
	// New says that the job is so young that a listing need not show it yet.
	New bool
}

// Party says who stands alone about one field of an existing job. "" means that
// the service was not asked about it.
type Party string

const (
	PartyPlan    Party = "plan"    // the plan wants something else than the other two have
	PartyService Party = "service" // it was changed outside apsctl
	PartyLedger  Party = "ledger"  // it was changed outside apsctl, to what the plan wants
	PartyAll     Party = "all"     // it was changed outside apsctl, and the plan wants a third thing
)

// Outside reports whether the service has something else than the ledger.
func (p Party) Outside() bool { return p == PartyService || p == PartyLedger || p == PartyAll }

// Comparison is that the details of a job were held against its entry.
type Comparison struct {
	JobID string
	// Digest is the entry's: one that changed since was not compared.
	Digest string
	// Differed are the fields, by comma, in which the service has something else.
	Differed string
	At       time.Time
}

// shows is what the service has of a job, as far as it was seen: where it tells
// nothing, it is taken to have what the ledger has.
//
// Regions count only where plan or ledger say one. TargetTableMode never counts:
// no request can change it, and which value the service shows for one that was
// sent, or for none, is not documented (API reference, section 4).
func (s *Seen) shows(ledger, wanted Spec) Spec {
	shown := ledger
	if s == nil {
		return shown
	}
	if s.Job != nil {
		lay(&shown.Source.Instance, s.Job.SourceInstance)
		lay(&shown.Destination.Instance, s.Job.DestinationInstance)
	}
	d := s.Detail
	if d == nil {
		return shown
	}
	lay(&shown.Source.Instance, d.SourceInstance)
	lay(&shown.Destination.Instance, d.DestinationInstance)
	if ledger.Source.Region != "" || wanted.Source.Region != "" {
		lay(&shown.Source.Region, d.SourceRegion)
	}
	lay(&shown.DBList, canonicalOr(d.DBList))
	shown.PartitionList = canonicalOr(d.PartitionList)
	return shown
}

func lay(over *string, told string) {
	if told != "" {
		*over = told
	}
}

// canonicalOr is the canonical form of JSON, or a text that is none as it came.
func canonicalOr(text string) string {
	if SameJSON(text, "") {
		return ""
	}
	if canonical, err := CanonicalJSON(text); err == nil {
		return canonical
	}
	return text
}

// tells reports whether the service was asked about a field. Users and the mode
// are never told.
func (s *Seen) tells(field string) bool {
	switch field {
	case "source.instance", "destination.instance":
		return s != nil && (s.Job != nil || s.Detail != nil)
	case "source.region", "db_list", "partition_list":
		return s != nil && s.Detail != nil
	}
	return false
}

// party says who stands alone, given whether the pairs agree.
func party(ledgerIsWanted, shownIsWanted, shownIsLedger bool) Party {
	switch {
	case shownIsLedger:
		return PartyPlan
	case ledgerIsWanted:
		return PartyService
	case shownIsWanted:
		return PartyLedger
	}
	return PartyAll
}

// diffFields lists what differs between the ledger, the plan and, as far as it was
// seen, the service, in the order of the plan reference.
func diffFields(ledger, wanted Spec, seen *Seen) []FieldChange {
	shown := seen.shows(ledger, wanted)
	var fields []FieldChange
	add := func(field, had, wants, has string, effect Effect, same func(a, b string) bool) {
		f := FieldChange{Field: field, Old: has, New: wants, Ledger: had, Effect: effect}
		isWanted, isLedger := same(has, wants), same(has, had)
		if isWanted && isLedger {
			return
		}
		if seen.tells(field) {
			f.Differs = party(same(had, wants), isWanted, isLedger)
		}
		if f.Differs == PartyLedger {
			f.Old, f.Effect = had, EffectRecord
		}
		fields = append(fields, f)
	}
	equal := func(a, b string) bool { return a == b }
	add("region", ledger.Region, wanted.Region, shown.Region, EffectReplace, equal)
	add("source.instance", ledger.Source.Instance, wanted.Source.Instance, shown.Source.Instance, EffectReplace, equal)
	add("source.region", ledger.Source.Region, wanted.Source.Region, shown.Source.Region, EffectReplace, equal)
	add("source.user", ledger.Source.User, wanted.Source.User, shown.Source.User, EffectBlind, equal)
	add("destination.instance", ledger.Destination.Instance, wanted.Destination.Instance, shown.Destination.Instance, EffectReplace, equal)
	add("destination.user", ledger.Destination.User, wanted.Destination.User, shown.Destination.User, EffectBlind, equal)
	add("db_list", ledger.DBList, wanted.DBList, shown.DBList, EffectInPlace, SameJSON)
	add("partition_list", ledger.PartitionList, wanted.PartitionList, shown.PartitionList, EffectInPlace, SameJSON)
	add("target_table_mode", ledger.TargetTableMode, wanted.TargetTableMode, shown.TargetTableMode, EffectReplace, equal)
	return fields
}

// outside are the fields in which the service has something else than the ledger,
// but for those that the plan ignores.
func (c Change) outside() []FieldChange {
	var fields []FieldChange
	for _, f := range c.Fields {
		if f.Differs.Outside() {
			fields = append(fields, f)
		}
	}
	return fields
}

// Compared is what a comparison of a job's details came to.
func (c Change) Compared(at time.Time) Comparison {
	return Comparison{JobID: c.Entry.JobID, Digest: c.Entry.Digest, Differed: fieldNamesBy(c.outside(), ","), At: at}
}
