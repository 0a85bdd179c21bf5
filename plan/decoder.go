package plan

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/internal/secret"
)

const (
	lineMax     = 1024 // characters of a one-line text
	instanceMax = 128
)

var (
	planNameRule = regexp.MustCompile(`^[a-z0-9][A-Za-z0-9._-]{0,63}$`)
	regionRule   = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)
	instanceRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	envNameRule  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	labelKeyRule = regexp.MustCompile(`^[A-Za-z0-9._/-]{1,63}$`)
)

// decoder gives nodes their meaning. Each of its methods reads one kind of value
// and reports what is wrong with it; ok is false when it did.
type decoder struct {
	dir string // of the plan file, where relative paths to secrets start
	// shared are the references to environment variables and files, by what they
	// name: very many jobs have the same one.
	shared map[string]*secret.Ref
}

// wants reports n unless it is of the given kind. What was reported before is
// passed over.
func (d *decoder) wants(n *node, kind nodeKind, path string) bool {
	switch n.kind {
	case kind:
		return true
	case nodeBad:
	case nodeNull:
		n.wrong("write a value, or remove it", "%s has no value; %s is due", nameOf(path), kind)
	default:
		n.wrong(exampleOf(path), "%s is %s; %s is due", nameOf(path), n.kind, kind)
	}
	return false
}

// examples show the form of keys that are easily written in another one.
var examples = map[string]string{
	"source": "write source: {instance: ID}", "destination": "write destination: {instance: ID}",
	"db_list": "for everything, write db_list: {EntireInstance: true}", "kms": "write kms: {secret: NAME}",
	"command": "write command: [PROGRAM, ARGUMENT]", "labels": "write labels: {KEY: VALUE}", "ignore": "write ignore: [FIELD]",
	"jobs": "write one item for each job, - name: NAME", "generate": "write one item for each template, - csv: FILE",
	"moved": "write moved: {OLD: NEW}", "profiles": "write profiles: {NAME: {user: NAME}}", "vars": "write vars: {NAME: DEFAULT}",
}

// exampleOf returns the example for the last key of path, or "".
func exampleOf(path string) string { return examples[path[strings.LastIndexByte(path, '.')+1:]] }

// nameOf is a path as messages call it.
func nameOf(path string) string {
	if path == "" {
		return "the plan"
	}
	return path
}

// scalar returns the text of n as written.
func (d *decoder) scalar(n *node, path string) (string, bool) {
	if n.kind == nodePlain || n.kind == nodeText {
		return n.text, true
	}
	d.wants(n, nodeText, path)
	return "", false
}

// line is a text of one line that is not empty.
func (d *decoder) line(n *node, path string) (string, bool) {
	text, ok := d.scalar(n, path)
	switch {
	case !ok:
		return "", false
	case text == "":
		n.wrong("write a value, or remove it", "%s is empty", path)
	case utf8.RuneCountInString(text) > lineMax:
		n.wrong("", "%s is longer than %d characters", path, lineMax)
	case printable.Line(text) != text:
		n.wrong("", "%s has a line break or a character that does not show", path)
	default:
		return text, true
	}
	return "", false
}

// matching is a line that keeps to a rule, which want puts in words.
func (d *decoder) matching(n *node, path string, rule *regexp.Regexp, most int, want string) (string, bool) {
	text, ok := d.line(n, path)
	if !ok {
		return "", false
	}
	if len(text) > most || !rule.MatchString(text) {
		n.wrong(want, "%s cannot be %s", path, n.quoted())
		return "", false
	}
	return text, true
}

func (d *decoder) planName(n *node, path string) (string, bool) {
	return d.matching(n, path, planNameRule, 64, planNameHint)
}

func (d *decoder) region(n *node, path string) (string, bool) {
	return d.matching(n, path, regionRule, 64, regionHint)
}

func (d *decoder) instance(n *node, path string) (string, bool) {
	return d.matching(n, path, instanceRule, instanceMax, "an instance is an id such as pc-bp1abc or amv-bp1abc, of at most 128 characters")
}

func (d *decoder) envName(n *node, path string) (string, bool) {
	return d.matching(n, path, envNameRule, lineMax, "the name of an environment variable has letters, digits and underscores")
}

// version accepts the one version there is.
func (d *decoder) version(n *node, path string) {
	text, ok := d.scalar(n, path)
	if ok && text != "1" {
		n.wrong("this apsctl reads version 1", "version %s is not known", n.quoted())
	}
}

// labels are for people: any short text under a plain key.
func (d *decoder) labels(n *node, path string) map[string]string {
	if !d.wants(n, nodeMapping, path) {
		return nil
	}
	labels := make(map[string]string, len(n.entries))
	for _, e := range n.entries {
		if !labelKeyRule.MatchString(e.key.text) {
			e.key.wrong("a label's key has 1 to 63 letters, digits and . _ - /", "%s has a key that cannot be one", path)
			continue
		}
		value, ok := d.line(e.value, join(path, e.key.text))
		if ok && utf8.RuneCountInString(value) > 256 {
			e.value.wrong("", "label %s is longer than 256 characters", quoteName(e.key.text))
			continue
		}
		labels[e.key.text] = value
	}
	return labels
}

// passwordHint shows how a password is said.
const passwordHint = "write password: {env: NAME}, {file: PATH}, {command: [PROGRAM, ARGUMENT]} or {kms: {secret: NAME}}"

// password reads a reference to a password. A password itself is refused, and
// no message shows it.
func (d *decoder) password(n *node, path string) (*secret.Ref, bool) {
	switch n.kind {
	case nodeBad:
		return nil, false
	case nodePlain, nodeText:
		n.wrong(passwordHint, "%s is written into the plan; a plan holds references only", path)
		return nil, false
	case nodeNull, nodeList:
		n.wrong(passwordHint, "%s is %s; a mapping is due", path, n.kind)
		return nil, false
	}
	var draft passwordDraft
	passwordSection.read(d, n, path, &draft)
	given := 0
	for _, at := range []*node{draft.env.at, draft.file.at, draft.command.at, draft.kms.at} {
		if at != nil {
			given++
		}
	}
	if given > 1 || len(n.entries) == 0 {
		n.wrong(passwordHint, "%s needs exactly one of env, file, command and kms", path)
		return nil, false
	}
	ok := draft.env.ok || draft.file.ok || draft.command.ok || draft.kms.ok
	ref := &secret.Ref{Env: draft.env.value, File: draft.file.value, Command: draft.command.value, KMS: draft.kms.value, Dir: d.dir}
	return d.share(ref), ok
}

// share returns the one reference that stands for all like ref.
func (d *decoder) share(ref *secret.Ref) *secret.Ref {
	key := "env " + ref.Env
	switch {
	case ref.File != "":
		key = "file " + ref.File
	case ref.Env == "":
		return ref
	}
	if first := d.shared[key]; first != nil {
		return first
	}
	ref.Env, ref.File = strings.Clone(ref.Env), strings.Clone(ref.File) // not out of the file's text
	if d.shared == nil {
		d.shared = map[string]*secret.Ref{}
	}
	d.shared[key] = ref
	return ref
}

// secretFile is the path of a file with a password.
func (d *decoder) secretFile(n *node, path string) (string, bool) {
	text, ok := d.line(n, path)
	if ok && strings.HasPrefix(text, "~") {
		n.wrong("write the whole path, or one that starts at the folder of this file", "~ stands for nothing in a path here")
		return "", false
	}
	return text, ok
}

// kms is where the Key Management Service keeps a secret.
func (d *decoder) kms(n *node, path string) (*secret.KMS, bool) {
	var draft kmsDraft
	if !kmsSection.read(d, n, path, &draft) {
		return nil, false
	}
	if draft.secret.at == nil {
		n.wrong("write kms: {secret: NAME}", "%s names no secret", path)
		return nil, false
	}
	ok := draft.secret.ok
	for _, one := range []said[string]{draft.region, draft.versionStage, draft.field} {
		ok = ok && (one.at == nil || one.ok)
	}
	return &secret.KMS{
		Secret: draft.secret.value, Region: draft.region.value, VersionStage: draft.versionStage.value, Field: draft.field.value,
	}, ok
}

// command is a program and its arguments.
func (d *decoder) command(n *node, path string) ([]string, bool) {
	if !d.wants(n, nodeList, path) {
		return nil, false
	}
	if len(n.items) == 0 {
		n.wrong("write command: [PROGRAM, ARGUMENT]", "%s names no program", path)
		return nil, false
	}
	words, ok := make([]string, len(n.items)), true
	for i, item := range n.items {
		item, path := item, fmt.Sprintf("%s[%d]", path, i)
		if i == 0 {
			words[i], ok = d.line(item, path)
			continue
		}
		word, isText := d.scalar(item, path)
		if strings.ContainsRune(word, 0) {
			item.wrong("", "%s has a NUL character", path)
			isText = false
		}
		words[i], ok = word, ok && isText
	}
	return words, ok
}

// whole is a whole number from least to most; nil when n is none.
func (d *decoder) whole(n *node, path string, least, most int) *int {
	text, ok := d.scalar(n, path)
	if !ok {
		return nil
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < least || value > most || n.kind != nodePlain || !isJSONNumber(text) {
		n.wrong(fmt.Sprintf("a whole number from %d to %d is due%s", least, most, n.unquote()), "%s cannot be %s", path, n.quoted())
		return nil
	}
	return &value
}

// limit is a number of jobs or a share of them; nil when n is neither.
func (d *decoder) limit(n *node, path string) *Limit {
	text, ok := d.scalar(n, path)
	if !ok {
		return nil
	}
	limit, err := ParseLimit(text)
	if err != nil || !limit.isShare && (n.kind != nodePlain || !isJSONNumber(text)) {
		n.wrong(fmt.Sprintf("a whole number from 0 to %d or a share such as 30%% is due%s", limitMax, n.unquote()), "%s cannot be %s", path, n.quoted())
		return nil
	}
	return &limit
}

// numberOrNone is a number of jobs, or none for no limit; nil when n is neither.
func (d *decoder) numberOrNone(n *node, path string) *Limit {
	text, ok := d.scalar(n, path)
	if !ok {
		return nil
	}
	if limit := NoLimit(); text == limitNone {
		return &limit
	}
	limit, err := ParseLimit(text)
	if err != nil || limit.isShare || n.kind != nodePlain || !isJSONNumber(text) {
		n.wrong(fmt.Sprintf("a whole number from 0 to %d or none is due%s", limitMax, n.unquote()), "%s cannot be %s", path, n.quoted())
		return nil
	}
	return &limit
}

// number is a number from least to most; nil when n is none.
func (d *decoder) number(n *node, path string, least, most float64) *float64 {
	text, ok := d.scalar(n, path)
	if !ok {
		return nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !isJSONNumber(text) || !(value >= least && value <= most) || n.kind != nodePlain {
		n.wrong(fmt.Sprintf("a number from %v to %v is due%s", plainNumber(least), plainNumber(most), n.unquote()), "%s cannot be %s", path, n.quoted())
		return nil
	}
	return &value
}

// plainNumber writes x without an exponent.
func plainNumber(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// duration is a time such as 31m or 1h30m; nil when n is none.
func (d *decoder) duration(n *node, path string, least, most time.Duration) *time.Duration {
	text, ok := d.scalar(n, path)
	if !ok {
		return nil
	}
	value, err := time.ParseDuration(text)
	if err != nil || value < least || value > most {
		n.wrong(fmt.Sprintf("a time from %s to %gh is due, such as 500ms, 90s, 31m or 1h30m", least, most.Hours()), "%s cannot be %s", path, n.quoted())
		return nil
	}
	return &value
}

// oneOf is one of a few words.
func oneOf[T ~string](d *decoder, n *node, path string, values ...T) (T, bool) {
	text, ok := d.scalar(n, path)
	if !ok {
		return "", false
	}
	names := make([]string, len(values))
	for i, value := range values {
		if names[i] = string(value); T(text) == value {
			return value, true
		}
	}
	hint := strings.Join(names, ", ")
	if i := strings.LastIndex(hint, ", "); i >= 0 {
		hint = hint[:i] + " or " + hint[i+2:]
	}
	hint += " is due"
	if near := nearest(text, names); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	n.wrong(hint, "%s cannot be %s", path, n.quoted())
	return "", false
}

// enum is oneOf as a method of decoder would be.
func enum[T ~string](values ...T) func(*decoder, *node, string) (T, bool) {
	return func(d *decoder, n *node, path string) (T, bool) { return oneOf(d, n, path, values...) }
}

// boolean is true or false without quotes.
func (d *decoder) boolean(n *node, path string) (bool, bool) {
	text, ok := d.scalar(n, path)
	if !ok {
		return false, false
	}
	if n.kind != nodePlain || text != "true" && text != "false" {
		n.wrong("true or false is due"+n.unquote(), "%s cannot be %s", path, n.quoted())
		return false, false
	}
	return text == "true", true
}
