package plan

import (
	"fmt"
	"strings"
)

const (
	// jobLinesMax is how many lines a job of a written plan has.
	jobLinesMax = 3
	// sharedFrom is from which length on objects of several jobs are said once.
	sharedFrom = 60
)

// Imported returns the text of a plan file with jobs of these specs, in their
// order. Read again, it gives the same specs; that is made sure of. What most
// jobs have in common is said once, so that a job has at most three lines.
// The error is a Problems where no plan can say them.
func Imported(planName string, specs []Spec) ([]byte, error) {
	w := newImportWriter(specs)
	w.head(planName)
	w.jobs()
	text := []byte(w.text.String())
	return text, sameSpecs(text, specs)
}

// sameSpecs reads a written plan and compares.
func sameSpecs(text []byte, specs []Spec) error {
	none := func(string) (string, bool) { return "", false }
	p, err := Parse("", text, Options{LookupEnv: none})
	if err != nil {
		return err
	}
	for i, spec := range specs {
		if len(p.Jobs) != len(specs) || p.Jobs[i].Spec != spec {
			return fmt.Errorf("job %s cannot be written into a plan", quoteName(spec.Name))
		}
	}
	return nil
}

// importFields are the fields that many jobs can have in common.
var importFields = []struct {
	key string // in a plan; region apart, which is said for the whole plan
	of  func(*Spec) *string
}{
	{"region", func(s *Spec) *string { return &s.Region }},
	{"source.instance", func(s *Spec) *string { return &s.Source.Instance }},
	{"source.region", func(s *Spec) *string { return &s.Source.Region }},
	{"source.user", func(s *Spec) *string { return &s.Source.User }},
	{"destination.instance", func(s *Spec) *string { return &s.Destination.Instance }},
	{"destination.user", func(s *Spec) *string { return &s.Destination.User }},
	{"db_list", func(s *Spec) *string { return &s.DBList }},
	{"partition_list", func(s *Spec) *string { return &s.PartitionList }},
	{"target_table_mode", func(s *Spec) *string { return &s.TargetTableMode }},
}

// importWriter writes a plan of given specs.
type importWriter struct {
	text    strings.Builder
	specs   []Spec
	common  Spec              // what defaults say
	objects map[string]string // objects that several jobs have → variable
	order   []string          // those objects, as they come up
}

func newImportWriter(specs []Spec) *importWriter {
	w := &importWriter{specs: specs, objects: map[string]string{}}
	for _, f := range importFields {
		counts := map[string]int{}
		for i := range specs {
			counts[*f.of(&specs[i])]++
		}
		for value, n := range counts {
			// No job can take a default back, so all of them must have a value.
			if n > 1 && 2*n > len(specs) && counts[""] == 0 {
				*f.of(&w.common) = value
			}
		}
	}
	w.shareObjects()
	return w
}

// shareObjects makes variables of long objects that several jobs say. Anchors
// would read as well, but not in large files.
func (w *importWriter) shareObjects() {
	counts := map[string]int{}
	for i := range w.specs {
		for _, text := range []string{w.specs[i].DBList, w.specs[i].PartitionList} {
			if len(text) < sharedFrom || text == w.common.DBList || text == w.common.PartitionList {
				continue
			}
			if counts[text]++; counts[text] == 2 {
				w.order = append(w.order, text)
				w.objects[text] = fmt.Sprintf("objects_%d", len(w.order))
			}
		}
	}
}

const importedHead = `# yaml-language-server: $schema=` + SchemaID + `
# Jobs that existed, as the service describes them. It returns neither users nor
# passwords, and these jobs need none here as long as they exist. Add them, in
# defaults, a profile or the jobs, before one has to be created again.
version: 1
`

func (w *importWriter) line(format string, args ...any) { fmt.Fprintf(&w.text, format+"\n", args...) }

func (w *importWriter) head(planName string) {
	w.text.WriteString(importedHead)
	w.line("name: %s", yamlText(planName))
	if w.common.Region != "" {
		w.line("region: %s", yamlText(w.common.Region))
	}
	if len(w.order) > 0 {
		w.line("vars:")
	}
	for i, text := range w.order {
		w.line("  objects_%d: %s", i+1, yamlText(text))
	}
	defaults := w.parts(&w.common, &Spec{Region: w.common.Region})
	if ignore := w.unknownUsers(); ignore != "" {
		defaults = append(defaults, ignore)
	}
	if len(defaults) > 0 {
		w.line("defaults:")
	}
	for _, part := range defaults {
		w.line("  %s", part)
	}
}

// unknownUsers ignores users that no job says: to fill in what the service does
// not tell is no change of a job.
func (w *importWriter) unknownUsers() string {
	source, destination := len(w.specs) > 0, len(w.specs) > 0
	for i := range w.specs {
		source = source && w.specs[i].Source.User == ""
		destination = destination && w.specs[i].Destination.User == ""
	}
	switch {
	case source && destination:
		return "ignore: [source.user, destination.user]"
	case source:
		return "ignore: [source.user]"
	case destination:
		return "ignore: [destination.user]"
	}
	return ""
}

// parts are the keys that say s, where base is said already.
func (w *importWriter) parts(s, base *Spec) []string {
	values := map[string]string{}
	for _, f := range importFields {
		if value := *f.of(s); value != *f.of(base) {
			values[f.key] = yamlText(value)
		}
	}
	for key, text := range map[string]string{"db_list": s.DBList, "partition_list": s.PartitionList} {
		if values[key] != "" {
			values[key] = w.objectsText(text)
		}
	}
	var parts []string
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+": "+value)
		}
	}
	endpoint := func(name string) string {
		var inside []string
		for _, key := range []string{"instance", "region", "user"} {
			if value := values[name+"."+key]; value != "" {
				inside = append(inside, key+": "+value)
			}
		}
		if inside == nil {
			return ""
		}
		return "{" + strings.Join(inside, ", ") + "}"
	}
	add("region", values["region"])
	add("source", endpoint("source"))
	add("destination", endpoint("destination"))
	for _, key := range []string{"db_list", "partition_list", "target_table_mode"} {
		add(key, values[key])
	}
	return parts
}

// objectsText writes objects: as JSON text, but for the one form that nearly all
// jobs have.
func (w *importWriter) objectsText(text string) string {
	if name := w.objects[text]; name != "" {
		return `"${var.` + name + `}"`
	}
	if text == `{"EntireInstance":true}` {
		return "{EntireInstance: true}"
	}
	return yamlText(text)
}

// jobs writes one key a line, unless a job would get too long: then each job is
// one line, so that the file looks alike from top to bottom.
func (w *importWriter) jobs() {
	if len(w.specs) == 0 {
		w.line("jobs: []")
		return
	}
	w.line("jobs:")
	all, most := make([][]string, len(w.specs)), 0
	for i := range w.specs {
		all[i] = append([]string{"name: " + yamlText(w.specs[i].Name)}, w.parts(&w.specs[i], &w.common)...)
		most = max(most, len(all[i]))
	}
	for _, parts := range all {
		if most > jobLinesMax {
			w.line("  - {%s}", strings.Join(parts, ", "))
		} else {
			w.line("  - %s", strings.Join(parts, "\n    "))
		}
	}
}
