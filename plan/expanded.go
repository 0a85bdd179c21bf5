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
		e.text.WriteString("  # " + comment)
	}
	e.text.WriteByte('\n')
}

// value writes one key that is said; path is its key in the job.
func (e *expander) value(path, value string) {
	key, indent := path, 4
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		key, indent = path[i+1:], 6
	}
	comment := ""
	if f, ok := e.of.Origin(path); ok {
		comment = f.Pos.String()
		if f.Note != "" {
			comment += ", " + f.Note
		}
	}
	e.line(indent, key+": "+value, printable.Line(comment))
}

// textValue writes a key with a text, unless it is empty.
func (e *expander) textValue(path, text string) {
	if text != "" {
		e.value(path, yamlText(text))
	}
}

func (e *expander) job(o JobOrigins) {
	j := o.Job
	e.of, e.dash = o, true
	e.textValue("name", j.Name)
	e.textValue("region", j.Region)
	e.line(4, "source:", "")
	e.textValue("source.instance", j.Source.Instance)
	e.textValue("source.region", j.Source.Region)
	e.textValue("source.user", j.Source.User)
	e.password("source.password", j.SourcePassword)
	e.textValue("source.password_version", j.SourcePasswordVersion)
	e.line(4, "destination:", "")
	e.textValue("destination.instance", j.Destination.Instance)
	e.textValue("destination.user", j.Destination.User)
	e.password("destination.password", j.DestinationPassword)
	e.textValue("destination.password_version", j.DestinationPasswordVersion)
	e.textValue("db_list", j.DBList)
	e.textValue("partition_list", j.PartitionList)
	e.textValue("target_table_mode", j.TargetTableMode)
	e.labels(j.Labels)
	e.life(j.Life)
}

func (e *expander) labels(labels map[string]string) {
	if len(labels) == 0 {
		return
	}
	pairs := make([]string, 0, len(labels))
	for _, key := range sortedKeys(labels) {
		pairs = append(pairs, yamlText(key)+": "+yamlText(labels[key]))
	}
	e.value("labels", "{"+strings.Join(pairs, ", ")+"}")
}

func (e *expander) life(l Life) {
	switch {
	case l.Adopt.Any:
		e.value("adopt", "true")
	case l.Adopt.Never:
		e.value("adopt", "false")
	case l.Adopt.ID != "":
		e.textValue("adopt", l.Adopt.ID)
	}
	e.textValue("state", string(l.State))
	e.textValue("on_remove", string(l.OnRemove))
	if l.Protect {
		e.value("protect", "true")
	}
	if l.Ignore != 0 {
		e.value("ignore", "["+strings.Join(l.Ignore.Names(), ", ")+"]")
	}
}

func (e *expander) password(path string, ref *secret.Ref) {
	switch {
	case ref == nil:
	case ref.Env != "":
		e.value(path, "{env: "+yamlText(ref.Env)+"}")
	case ref.File != "":
		e.value(path, "{file: "+yamlText(e.fromHere(ref))+"}")
	case ref.KMS != nil:
		e.value(path, yamlKMS(ref.KMS))
	default:
		words := make([]string, len(ref.Command))
		for i, word := range ref.Command {
			words[i] = yamlText(word)
		}
		if filepath.Clean(ref.Dir) != e.dir {
			e.line(6, "# the command runs in "+printable.Line(ref.Dir), "")
		}
		e.value(path, "{command: ["+strings.Join(words, ", ")+"]}")
	}
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
