package plan

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// VarVariablePrefix and a variable's name make the name of the environment
// variable that sets it.
const VarVariablePrefix = "APSCTL_VAR_"

var varNameRule = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// varDraft is what a plan declares of one variable.
type varDraft struct {
	kind, description said[string]
	fallback          *node
}

// variable is one declared variable and its value.
type variable struct {
	name  string
	at    *node // its declaration
	kind  string
	value binding
	set   bool
}

// varKinds are the types that a variable can say; without one, any text will do.
var varKinds = []string{"text", "number", "whole", "boolean"}

// variables is the namespace "var".
type variables map[string]*variable

func (v variables) bind(name string) (binding, bool) {
	one, ok := v[name]
	if !ok {
		return binding{}, false
	}
	return one.value, true
}

func (v variables) names() []string { return slices.Sorted(maps.Keys(v)) }

// declare reads one file's vars section.
func (v variables) declare(d *decoder, n *node) {
	if !d.wants(n, nodeMapping, "vars") {
		return
	}
	for _, e := range n.entries {
		name := e.key.text
		switch first := v[name]; {
		case !varNameRule.MatchString(name):
			e.key.wrong("a variable's name has up to 63 letters, digits and underscores", "vars has a key that cannot be a name")
		case first != nil:
			e.key.wrong(fmt.Sprintf("it is declared at %s too; one declaration serves all files", first.at.position()), "variable %s is declared twice", e.key.quoted())
		default:
			v[name] = declared(d, e)
		}
	}
}

func declared(d *decoder, e entry) *variable {
	path := join("vars", e.key.text)
	one := &variable{name: e.key.text, at: e.key}
	switch e.value.kind {
	case nodePlain, nodeText:
		one.assign(e.value, "its default")
	case nodeNull:
		e.value.wrong("write {type: text} for a variable without a default", "%s has no value", path)
		one.value.broken, one.set = true, true
	case nodeList:
		e.value.wrong("write "+e.key.text+": DEFAULT, or {type: …, default: …}", "%s is a list; a default or a mapping is due", path)
		one.value.broken, one.set = true, true
	default:
		var draft varDraft
		if !varSection.read(d, e.value, path, &draft) {
			one.value.broken, one.set = true, true
			break
		}
		one.kind = draft.kind.value
		if draft.fallback != nil {
			one.assign(draft.fallback, "its default")
		}
	}
	return one
}

// assign gives the variable a value; from says in words where it is from.
func (v *variable) assign(n *node, from string) {
	v.set = true
	v.value = binding{
		text: unescape(n.text), secret: n.secret || sensitiveKey(v.name), password: calledPassword(v.name),
		typed: v.kind != "" && v.kind != "text", quoted: v.kind == "text" || v.kind == "" && n.kind == nodeText,
		via: &origin{note: "${var." + v.name + "}, " + from},
	}
	want := ""
	_, notWhole := strconv.Atoi(n.text)
	switch {
	case n.kind == nodeBad:
		v.value.broken = true
		return
	case !utf8.ValidString(n.text):
		n.wrong("", "variable %s is not UTF-8 text", quoteName(v.name))
		v.value.broken = true
		return
	case n.kind != nodePlain && n.kind != nodeText:
		want = "one text, number or boolean"
	case refers(n):
		n.wrong("values are not looked at again; write $${ for a literal ${", "variable %s cannot refer to others", quoteName(v.name))
		v.value.broken = true
		return
	case v.kind == "number" && !isJSONNumber(n.text):
		want = "a number"
	case v.kind == "whole" && (notWhole != nil || !isJSONNumber(n.text)):
		want = "a whole number"
	case v.kind == "boolean" && n.text != "true" && n.text != "false":
		want = "true or false"
	}
	if want != "" {
		n.wrong(want+" is due", "variable %s cannot be %s", quoteName(v.name), n.quoted())
		v.value.broken = true
	}
}

// resolve gives the variables their values: --var over --var-file, a later file
// over an earlier one, files over the environment, and that over the default.
func (l *loader) resolve(v variables) {
	for _, one := range v {
		l.o.Inputs.env(VarVariablePrefix + one.name)
		if text, ok := l.lookupEnv(VarVariablePrefix + one.name); ok {
			one.assign(l.given(VarVariablePrefix+one.name, text), VarVariablePrefix+one.name+" in the environment")
		}
	}
	for _, path := range l.o.VarFiles {
		l.varFile(v, path)
	}
	for _, name := range slices.Sorted(maps.Keys(l.o.Vars)) {
		at := l.given("--var "+name, l.o.Vars[name])
		if one := v[name]; one != nil {
			one.assign(at, "--var")
			continue
		}
		at.wrong(v.nearHint(name), "the plan declares no variable %s", quoteName(name))
	}
	for _, name := range v.names() {
		if one := v[name]; !one.set {
			one.value.broken = true
			one.at.wrong(fmt.Sprintf("set it with --var %s=VALUE, a --var-file or %s%s, or give it a default", name, VarVariablePrefix, name), "variable %s has no value", one.at.quoted())
		}
	}
}

func (v variables) nearHint(name string) string {
	if near := nearest(name, v.names()); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(v) == 0 {
		return "write vars: {NAME: DEFAULT} in the plan"
	}
	return "declared: " + listed("var", v.names())
}

// given is a text from outside of any file, with where to report what is wrong
// with it.
func (l *loader) given(from, text string) *node {
	f := l.collect(newSourceText(from, ""))
	return &node{kind: nodePlain, in: f, text: strings.ReplaceAll(text, "${", "$${"), weight: 1} // taken as it is
}

// varFile reads a mapping of variables from a YAML file.
func (l *loader) varFile(v variables, path string) {
	before := len(l.found)
	s := l.open(nil, named(path))
	if s == nil || s.body == nil {
		for _, f := range l.found[before:] {
			f.replaceHint(emptyHint, "write NAME: VALUE for each variable, or leave the file out")
		}
		return
	}
	d := &decoder{dir: filepath.Dir(path)}
	if !d.wants(s.body, nodeMapping, "the file of variables") {
		return
	}
	for _, e := range s.body.entries {
		one := v[e.key.text]
		if one == nil {
			e.key.wrong(v.nearHint(e.key.text), "the plan declares no variable %s", e.key.quoted())
			continue
		}
		one.assign(e.value, path)
	}
}
