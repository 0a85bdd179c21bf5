package plan

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Subject is what selectors look at in a job. Class is "" where the service was
// not asked.
type Subject struct {
	Plan, Name, Region, JobID string
	Source, Destination       string // instances
	Labels                    map[string]string
	State                     State
	Class                     Class
}

// Subject is the job as the plan wants it, or for a left-over as the ledger has it.
func (c Change) Subject() Subject {
	var s Subject
	if c.Entry != nil {
		s = c.Entry.Subject()
	}
	for _, remote := range c.Remote {
		if c.Entry != nil && remote.ID == c.Entry.JobID {
			s.Class = ClassOf(remote.Status)
		}
	}
	if c.Seen != nil && c.Seen.Job != nil {
		s.Class = ClassOf(c.Seen.Job.Status)
	}
	s.Name, s.Region = c.Name, c.Region()
	s.Source, s.Destination = c.Spec().Source.Instance, c.Spec().Destination.Instance
	if c.Job != nil {
		s.Labels = c.Job.Labels
	}
	return s
}

// Subject is the job as the ledger has it.
func (e Entry) Subject() Subject {
	return Subject{
		Plan: e.Plan, Name: e.Name, Region: e.Region, JobID: e.JobID, Labels: e.Labels, State: e.State,
		Source: e.Spec.Source.Instance, Destination: e.Spec.Destination.Instance,
	}
}

// stateNew is the state of a job that the ledger does not know, for selectors.
const stateNew = "new"

// selectorFields are the words before = that do not mean a label.
var selectorFields = map[string]func(Subject) []string{
	"plan":        func(s Subject) []string { return []string{s.Plan} },
	"name":        func(s Subject) []string { return []string{s.Name} },
	"region":      func(s Subject) []string { return []string{s.Region} },
	"source":      func(s Subject) []string { return []string{s.Source} },
	"destination": func(s Subject) []string { return []string{s.Destination} },
	"id":          func(s Subject) []string { return []string{s.JobID} },
	selectorState: func(s Subject) []string {
		if s.State == StateNone {
			return []string{stateNew}
		}
		return []string{string(s.State), string(s.Class)}
	},
}

const (
	selectorState = "state"
	// labelPrefix makes any word a label's key, also one of selectorFields.
	labelPrefix = "label."
)

// selector is one text: all of its terms have to fit.
type selector struct {
	text  string
	terms []term
}

// term is name, KEY=GLOB or KEY!=GLOB.
type term struct {
	values func(Subject) []string
	glob   string
	not    bool
}

// Selectors choose jobs: those that any of the texts fits. A text is a name, a
// pattern of names (* ? and [a-z]), or KEY=PATTERN or KEY!=PATTERN, where KEY is
// state, source, destination, region, plan, name, id or a label's key (label.KEY
// for a label that is called like one of those); or several of these, joined by
// commas, that must all fit. state is that of the ledger, new for a job that it
// does not know, or what the status at the service means: running, suspended,
// failed or pending.
//
// The zero Selectors fit nothing.
type Selectors struct {
	names   map[string]bool // texts that are plain names
	others  []selector
	service bool
}

// ParseSelectors reads texts in any order. The error says which is none, and why.
func ParseSelectors(texts []string) (Selectors, error) {
	s := Selectors{names: map[string]bool{}}
	for _, text := range texts {
		if !strings.ContainsAny(text, `*?[\=,!`) && text != "" {
			s.names[text] = true
			continue
		}
		one := selector{text: text}
		for part := range strings.SplitSeq(text, ",") {
			t, err := s.term(part)
			if err != nil {
				return Selectors{}, fmt.Errorf("%q chooses no jobs: %w", text, err)
			}
			one.terms = append(one.terms, t)
		}
		s.others = append(s.others, one)
	}
	return s, nil
}

func (s *Selectors) term(part string) (term, error) {
	key, glob, is := strings.Cut(part, "=")
	t := term{values: selectorFields["name"], glob: part}
	if is {
		key, t.not = strings.CutSuffix(key, "!")
		t.glob = glob
		if field, ok := selectorFields[key]; ok {
			t.values = field
		} else if label := strings.TrimPrefix(key, labelPrefix); labelKeyRule.MatchString(label) {
			t.values = func(s Subject) []string { return []string{s.Labels[label]} }
		} else {
			return t, fmt.Errorf("before = stands state, source, destination, region, plan, name, id or a label's key, not %q", key)
		}
	}
	if t.glob == "" && !is {
		return t, fmt.Errorf("it has a part that is empty")
	}
	if _, err := path.Match(t.glob, ""); err != nil {
		return t, fmt.Errorf(`a [ needs its ]; * ? and [ can be escaped with \`)
	}
	if key == selectorState && is {
		return t, s.state(t.glob)
	}
	return t, nil
}

// SelectorKeys are the words before = that do not mean a label, sorted.
func SelectorKeys() []string { return slices.Sorted(maps.Keys(selectorFields)) }

// SelectorStates are the words that state= takes.
func SelectorStates() []string {
	words := []string{stateNew}
	for _, class := range selectorClasses {
		words = append(words, string(class))
	}
	for _, state := range States {
		words = append(words, string(state))
	}
	return words
}

// selectorClasses are the words that state= takes of what the service says.
var selectorClasses = []Class{ClassRunning, ClassSuspended, ClassFailed, ClassPending}

// state checks a state: a slip would choose nothing, or with != everything.
func (s *Selectors) state(glob string) error {
	words := SelectorStates()
	fits := func(word string) bool { return matches(glob, word) }
	s.service = s.service || slices.ContainsFunc(selectorClasses, func(class Class) bool { return fits(string(class)) })
	if !slices.ContainsFunc(words, fits) {
		return fmt.Errorf("state is one of %s, not %q", strings.Join(words, ", "), glob)
	}
	return nil
}

// IsZero reports whether s fits nothing since nothing was said.
func (s Selectors) IsZero() bool { return len(s.names) == 0 && len(s.others) == 0 }

// AsksService reports whether s asks for the status at the service.
func (s Selectors) AsksService() bool { return s.service }

// Fits reports whether s chooses the job.
func (s Selectors) Fits(job Subject) bool {
	return s.names[job.Name] || slices.ContainsFunc(s.others, func(one selector) bool { return one.fits(job) })
}

func (s selector) fits(job Subject) bool {
	return !slices.ContainsFunc(s.terms, func(t term) bool { return t.fits(job) == t.not })
}

// fits leaves not aside.
func (t term) fits(job Subject) bool {
	return slices.ContainsFunc(t.values(job), func(value string) bool { return matches(t.glob, value) })
}

// Names reports whether a job is chosen by its very name.
func (s Selectors) Names(name string) bool { return s.names[name] }

// Choose returns the places of the subjects that s fits, in order. The error is a
// *SelectorError when a plain name is none of theirs: a slip must not go unseen. A
// pattern that fits nothing is no error.
func (s Selectors) Choose(subjects []Subject) ([]int, error) {
	chosen, seen := []int{}, make(map[string]bool, len(s.names))
	for i, subject := range subjects {
		if s.names[subject.Name] {
			seen[subject.Name] = true
		}
		if s.Fits(subject) {
			chosen = append(chosen, i)
		}
	}
	for name := range s.names {
		if !seen[name] {
			return nil, s.missing(seen, subjects)
		}
	}
	return chosen, nil
}

func (s Selectors) missing(seen map[string]bool, subjects []Subject) *SelectorError {
	names := make([]string, len(subjects))
	for i, subject := range subjects {
		names[i] = subject.Name
	}
	e := &SelectorError{}
	for name := range s.names {
		if !seen[name] {
			e.Missing = append(e.Missing, name)
		}
	}
	slices.Sort(e.Missing)
	e.Near = nearestFew(e.Missing[0], names, 3)
	return e
}

// SelectorError says that jobs were chosen by names that there are not. Near are
// names that the first of them may have been meant to be.
type SelectorError struct {
	Missing []string // sorted
	Near    []string
}

// selectorNamesShown is how many names an error lists.
const selectorNamesShown = 3

func (e *SelectorError) Error() string {
	text := fmt.Sprintf("no job is called %s", strings.Join(e.Missing[:min(len(e.Missing), selectorNamesShown)], ", "))
	if more := len(e.Missing) - selectorNamesShown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if len(e.Near) > 0 {
		text += "; did you mean " + strings.Join(e.Near, ", ") + "?"
	}
	return text
}

// Choice narrows what is done to some jobs. The zero Choice means all.
type Choice struct {
	// Target are the jobs that are meant; when it is zero, all. Exclude are those that
	// are not meant all the same.
	Target, Exclude Selectors
}

// IsZero reports whether c means all jobs.
func (c Choice) IsZero() bool { return c.Target.IsZero() && c.Exclude.IsZero() }

// AsksService reports whether c depends on the status at the service.
func (c Choice) AsksService() bool { return c.Target.AsksService() || c.Exclude.AsksService() }

// Of returns the changes of the jobs that are meant, in order. The error is a
// *SelectorError.
func (c Choice) Of(changes []Change) ([]Change, error) {
	if c.IsZero() {
		return changes, nil
	}
	subjects := make([]Subject, len(changes))
	for i, change := range changes {
		subjects[i] = change.Subject()
	}
	places, err := c.Places(subjects)
	if err != nil {
		return nil, err
	}
	chosen := make([]Change, len(places))
	for i, place := range places {
		chosen[i] = changes[place]
	}
	return chosen, nil
}

// Places returns the places of the subjects that are meant, in order. The error is
// a *SelectorError.
func (c Choice) Places(subjects []Subject) ([]int, error) {
	target := make([]int, len(subjects))
	for i := range target {
		target[i] = i
	}
	if !c.Target.IsZero() {
		var err error
		if target, err = c.Target.Choose(subjects); err != nil {
			return nil, err
		}
	}
	excluded, err := c.Exclude.Choose(subjects)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(target, func(i int) bool {
		_, is := slices.BinarySearch(excluded, i)
		return is
	}), nil
}
