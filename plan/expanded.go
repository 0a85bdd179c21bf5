package plan

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/internal/secret"
)

// WriteExpanded writes jobs of p as a plan file that says everything by itself:
// no defaults, references, templates or profiles. Loaded from the folder of p, it
// gives the same jobs with the same digests. Behind each value stands where it
// came from, as far as the origins tell.
//
// A command for a password runs in the folder of the file that says it; where
// that is not p's, the new file cannot say so, and a comment does.
func WriteExpanded(w io.Writer, p *Plan, jobs []JobOrigins) error {
	e := &expander{dir: filepath.Clean(p.dir)}
	e.line(0, "version: 1", "")
	e.line(0, "name: "+yamlText(p.Name), "")
	if len(jobs) == 0 {
		e.line(0, "jobs: []", "")
	} else {
		e.line(0, "jobs:", "")
	}
	for _, job := range jobs {
		e.job(job)
	}
	_, err := io.WriteString(w, e.text.String())
	return err
}

// expander writes one line after the other.
type expander struct {
	text strings.Builder
	dir  string // where relative paths of the new file start
	of   JobOrigins
	dash bool // the next line begins an item of the list
}

func (e *expander) line(indent int, text, comment string) {
	if e.dash {
		indent, text, e.dash = indent-2, "- "+text, false
	}
	e.text.WriteString(strings.Repeat(" ", indent) + text)
	if comment != "" {
		e.text.WriteString("  # " + printable.Line(comment))
	}
	e.text.WriteByte('\n')
}

// value writes one key that is said; path is where it is in the job.
func (e *expander) value(indent int, path, key, value string) {
	e.line(indent, key+": "+value, e.origin(path))
}

// origin says where the value of path came from, "" if that is not known.
func (e *expander) origin(path string) string {
	f, ok := e.of.Origin(path)
	if !ok {
		return ""
	}
	return f.String()
}

func (e *expander) job(o JobOrigins) {
	e.of, e.dash = o, true
	section := ""
	for _, f := range jobFields {
		in, key, nested := strings.Cut(f.key, ".")
		if nested && in != section {
			section = in
			e.line(4, in+":", "")
		}
		text := ""
		if f.yaml != nil {
			text = f.yaml(e, o.Job)
		}
		switch {
		case f.key == "labels":
			e.labels(o.Job.Labels)
		case text == "":
		case nested:
			e.value(6, f.key, key, text)
		default:
			e.value(4, f.key, in, text)
			e.parts(f.key)
		}
	}
}

// parts tells where the parts of a value came from, below it.
func (e *expander) parts(path string) {
	for _, f := range e.of.Fields {
		if part, ok := strings.CutPrefix(f.Key, path+"."); ok {
			e.line(6, "# "+printable.Line(part+": "+f.String()), "")
		}
	}
}

func (e *expander) labels(labels map[string]string) {
	if len(labels) > 0 {
		e.line(4, "labels:", "")
	}
	for _, key := range sortedKeys(labels) {
		e.value(6, join("labels", key), yamlText(key), yamlText(labels[key]))
	}
}

// password is the reference to a password, after a comment where that does not
// say all.
func (e *expander) password(ref *secret.Ref) string {
	switch {
	case ref == nil:
		return ""
	case ref.Env != "":
		return "{env: " + yamlText(ref.Env) + "}"
	case ref.File != "":
		return "{file: " + yamlText(e.fromHere(ref)) + "}"
	case ref.KMS != nil:
		return yamlKMS(ref.KMS)
	}
	words := make([]string, len(ref.Command))
	for i, word := range ref.Command {
		words[i] = yamlText(word)
	}
	if filepath.Clean(ref.Dir) != e.dir {
		e.line(6, "# the command runs in "+printable.Line(ref.Dir), "")
	}
	return "{command: [" + strings.Join(words, ", ") + "]}"
}

// fromHere is the path of a secret's file as the new file has to say it.
func (e *expander) fromHere(ref *secret.Ref) string {
	if filepath.IsAbs(ref.File) || filepath.Clean(ref.Dir) == e.dir {
		return ref.File
	}
	path := filepath.Join(ref.Dir, ref.File)
	if rel, err := filepath.Rel(e.dir, path); err == nil {
		return filepath.ToSlash(rel)
	}
	return path
}

func yamlKMS(k *secret.KMS) string {
	text := "{kms: {secret: " + yamlText(k.Secret)
	for _, one := range []struct{ key, value string }{{"region", k.Region}, {"version_stage", k.VersionStage}, {"field", k.Field}} {
		if one.value != "" {
			text += ", " + one.key + ": " + yamlText(one.value)
		}
	}
	return text + "}}"
}

// plainYAML matches texts that read as themselves without quotes, also inside
// brackets.
var plainYAML = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`)

// yamlText writes a text so that it is read as that text: without quotes where
// these change nothing, and with ${ escaped.
func yamlText(text string) string {
	if plainYAML.MatchString(text) && !slices.Contains([]string{"true", "false", "null"}, strings.ToLower(text)) {
		return text
	}
	text = strings.ReplaceAll(text, "${", "$${")
	if strings.Contains(text, `"`) && !strings.ContainsFunc(text, func(r rune) bool { return r == '\'' || !printable.Safe(r) }) {
		return "'" + text + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case printable.Safe(r) && r != '\t':
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
