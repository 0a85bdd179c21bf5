package plan

import (
	"fmt"

	"github.com/apsctl/apsctl/internal/secret"
)

// addProfiles reads the profiles of one file. They serve the whole plan, so a
// name can be there once.
func (l *loader) addProfiles(draft *planDraft) {
	d := draft.source.decoder()
	if draft.profiles == nil || !d.wants(draft.profiles, nodeMapping, "profiles") {
		return
	}
	for _, e := range draft.profiles.entries {
		name := e.key.text
		first := l.profiles[name]
		switch {
		case !labelKeyRule.MatchString(name):
			e.key.wrong("a profile's name has 1 to 63 letters, digits and . _ - /", "profiles has a key that cannot be a name")
			continue
		case first != nil:
			e.key.wrong(fmt.Sprintf("it is there at %s too; profiles serve all files", first.at.position()), "profile %s is there twice", e.key.quoted())
			continue
		}
		profile := &endpointDraft{at: e.key}
		if !profileSection.read(d, e.value, join("profiles", name), profile) {
			profile.broken = true
		}
		l.profiles[name] = profile
	}
}

// end picks one end of a job.
type end func(*jobDraft) *endpointDraft

func sourceEnd(j *jobDraft) *endpointDraft      { return &j.source }
func destinationEnd(j *jobDraft) *endpointDraft { return &j.destination }

// fillEndpoint joins what is said of one end of a job: by the job itself, then by
// the defaults that hold for it, outwards. Each fills in what those before it
// leave open. Only the first profile named counts, right after the fields beside
// its name. A profile with a user or a password is a login: what lies further out
// fills in neither, since parts of two logins do not fit together.
func (l *loader) fillEndpoint(e *endpointDraft, layers []jobDraft, of end) {
	named := l.fillProfile(e, e.profile, e.noRegion)
	for i := range layers {
		layer := *of(&layers[i])
		if p := l.profiles[e.profile.value]; named && p != nil && (p.user.at != nil || p.password.at != nil) {
			layer.user, layer.password, layer.passwordVersion = said[string]{}, said[*secret.Ref]{}, said[string]{}
		}
		e.fill(&layer)
		named = named || l.fillProfile(e, layer.profile, layer.noRegion)
	}
}

// fillProfile fills in the profile that is named, and reports whether one is.
func (l *loader) fillProfile(e *endpointDraft, name said[string], noRegion bool) bool {
	if name.at == nil {
		return false
	}
	profile := l.profiles[name.value]
	switch {
	case !name.ok:
	case profile == nil:
		hint := ""
		if !name.at.in.many() {
			hint = l.profileHint(name.value)
		}
		name.at.wrong(hint, "there is no profile %s", name.at.quoted())
		e.broken = true
	case noRegion && profile.region.at != nil:
		name.at.wrong("a destination is in the region of its job; use a profile without region", "profile %s has a region, and a destination can have none", name.at.quoted())
	default:
		e.fill(profile)
	}
	return true
}

// profileHint helps with the name of a profile that is not there. Very many jobs
// may name it.
func (l *loader) profileHint(name string) string {
	if hint := l.noProfile[name]; hint != "" {
		return hint
	}
	hint := "write profiles: {NAME: {…}} in the plan"
	if near := nearest(name, sortedKeys(l.profiles)); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(l.profiles) > 0 {
		hint = "known here: " + joinNames(sortedKeys(l.profiles))
	}
	l.noProfile[name] = hint
	return hint
}
