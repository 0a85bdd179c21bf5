package plan

import (
	"fmt"
	"slices"
	"strings"
)

// diffCreated decides about a job that exists by the ledger.
func diffCreated(c *Change, o DiffOptions) {
	pending := c.Entry.Pending.modifies()
	versions := diffVersions(c.Entry.Life, c.Job.Life)
	if c.Entry.Digest == c.Job.Digest && !pending && len(versions) == 0 && c.Seen == nil {
		c.Kind = KindKeep
		diffState(c)
		return
	}
	c.Fields = slices.DeleteFunc(append(diffFields(c.Entry.Spec, c.Job.Spec, c.Seen), versions...), func(f FieldChange) bool { return c.Job.Ignore.Has(f.Field) })
	c.Kind, c.Cause = KindUpdate, "differs in "+fieldNames(c.Fields)
	for _, f := range c.Fields {
		if f.Effect != EffectInPlace && f.Effect != EffectRecord {
			c.Kind = KindReplace
		}
	}
	switch {
	case c.Seen.unlisted():
		diffUnlisted(c, o.Commands)
	case c.Kind == KindReplace && c.Job.Region != c.Entry.Region && len(c.Remote) > 0:
		c.Kind, c.Cause = KindBlocked, "a job of the name exists in the other region"
		c.Reason = fmt.Sprintf("it is to be made anew in %s, where a job of this name exists already (%s): rename one of the two", c.Job.Region, remoteIDs(c.Remote))
	case c.Kind == KindReplace && len(c.strangers(o)) > 0:
		c.Kind, c.Cause = KindBlocked, causeStranger
		c.Reason = fmt.Sprintf("it is to be deleted and made anew, and another job of this name exists (%s), which the ledger does not know: rename or delete one of the two", remoteIDs(c.strangers(o)))
	case c.Kind == KindReplace && !c.Job.Protect && !c.Entry.Life.Protect:
		c.Reason = fmt.Sprintf("it differs in %s, which only deleting and creating it again changes: a full re-sync; apply --allow replace does that", fieldNames(c.Fields))
	case pending && c.Kind == KindUpdate:
		// It may be as it was, as that change would have it, or neither.
		c.Reason = "a change of its objects was sent and is not confirmed"
		c.Cause = "a change that is not confirmed"
	case c.Kind == KindReplace && (c.Job.Protect || c.Entry.Life.Protect):
		c.Kind, c.Cause = KindBlocked, "protected, and "+c.Cause
		c.Reason = fmt.Sprintf("it differs in %s, which only deleting and creating it again changes, and it is protected", fieldNames(c.Fields))
	case len(c.Fields) > 0:
		if c.Reason = outsideReason(c.Fields); c.Reason != "" {
			c.Cause = c.Reason // it names fields only
		}
	default:
		// Only ignored fields differ, or none: the canonical form changed between
		// two versions of apsctl. The job is as the plan wants it.
		c.Kind, c.Cause = KindKeep, ""
		diffState(c)
	}
}

// strangers are the other listed jobs of the name that no entry has, and that were not
// there before: a copy of the create that made this one, or somebody else's.
func (c *Change) strangers(o DiffOptions) []RemoteJob {
	return slices.DeleteFunc(slices.Clone(c.Remote), func(job RemoteJob) bool {
		_, owned := o.Owners[job.ID]
		return owned || job.ID == c.Entry.JobID || slices.Contains(c.Entry.Baseline, job.ID)
	})
}

// diffUnlisted decides about a created job that a complete listing does not show,
// without a proof that it is gone.
func diffUnlisted(c *Change, commands Commands) {
	if c.Seen.New {
		c.Kind, c.Reason, c.Cause = KindKeep, "it is new, and not listed yet", ""
		return
	}
	c.Kind, c.Cause = KindBlocked, "a complete listing does not show it"
	c.Reason = fmt.Sprintf("a complete listing does not show job %s, and nothing proves that it is gone: check what these credentials may see; "+
		"if it was deleted, %s", c.Entry.JobID, commands.Forget(*c.Entry))
}

func (s *Seen) unlisted() bool { return s != nil && s.Job == nil }

// outsideReason says of an update what was changed outside apsctl, "" for nothing.
func outsideReason(fields []FieldChange) string {
	var back, same []FieldChange
	for _, f := range fields {
		switch {
		case f.Differs == PartyLedger:
			same = append(same, f)
		case f.Differs.Outside():
			back = append(back, f)
		}
	}
	switch {
	case len(back) > 0:
		return "changed outside apsctl: " + fieldNames(back)
	case len(same) == len(fields):
		return "changed outside apsctl to what the plan wants: only the ledger is brought up to date"
	}
	return ""
}

// fieldNames lists fields for a reason.
func fieldNames(fields []FieldChange) string { return fieldNamesBy(fields, ", ") }

func fieldNamesBy(fields []FieldChange, separator string) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Field
	}
	return strings.Join(names, separator)
}

// diffVersions lists the passwords that are another version by now. One whose
// version nobody said before is no change.
func diffVersions(old, new Life) []FieldChange {
	var fields []FieldChange
	for _, v := range []struct{ field, was, is string }{
		{"source.password_version", old.SourcePasswordVersion, new.SourcePasswordVersion},
		{"destination.password_version", old.DestinationPasswordVersion, new.DestinationPasswordVersion},
	} {
		if v.was != "" && v.is != "" && v.was != v.is {
			fields = append(fields, FieldChange{Field: v.field, Old: v.was, New: v.is, Effect: EffectBlind, Ledger: v.was})
		}
	}
	return fields
}
