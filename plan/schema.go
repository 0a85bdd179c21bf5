package plan

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
)

// Schema is the JSON Schema of plan files, for editors. It is made from the
// tables of keys and kept beside them; a test compares the two.
//
// It refuses no plan that the loader takes, whatever the file is part of: what a
// value may be once its references are replaced, and what a file may leave out
// because defaults, a profile or the file that includes it say it, is left open.
// It is draft 7, the latest that every editor's YAML support knows.
//
//go:embed schema.json
var Schema []byte

// SchemaID names the schema. Plan files refer to it in their first line.
const SchemaID = "https://github.com/apsctl/apsctl/raw/main/plan/schema.json"

// schema is a piece of a JSON Schema.
type schema map[string]any

// shape makes the piece for one key. It is a function, because sections refer to
// one another.
type shape func(*definitions) schema

// definitions are the pieces that stand in the schema once and are referred to.
type definitions struct {
	names map[any]string // of sections, by their address
	all   schema
}

// refer returns a reference to the piece called name, which make makes when it
// is the first one. Draft 7 lets only annotations stand beside it.
func (d *definitions) refer(name string, make func() schema) schema {
	if _, ok := d.all[name]; !ok {
		d.all[name] = nil // it may refer to itself
		d.all[name] = make()
	}
	return schema{"$ref": "#/definitions/" + name}
}

// shape is what a mapping of this kind looks like.
func (s *section[T]) shape(d *definitions) schema {
	if name := d.names[s]; name != "" {
		return d.refer(name, func() schema { return s.object(d) })
	}
	return s.object(d)
}

func (s *section[T]) object(d *definitions) schema {
	properties, required := withMerge(), []string{}
	for _, f := range s.fields {
		one := f.is(d)
		one["description"] = f.doc
		properties[f.name] = one
		if f.required && !elsewhere(s, f.name) {
			required = append(required, f.name)
		}
	}
	all := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		all["required"] = required
	}
	if s.extensible {
		all["patternProperties"] = schema{"^x-": true}
	}
	if s.secret { // a password comes from exactly one place
		all["minProperties"], all["maxProperties"] = 1, 1
	}
	return all
}

// elsewhere reports whether a key that has to be said may be said somewhere else
// than in the mapping itself, which is one of section s.
func elsewhere(s any, key string) bool {
	switch s.(type) {
	case *section[planDraft]: // what includes the file; see makeSchema
		return true
	case *section[jobDraft]: // defaults, the plan
		return key != "name"
	case *section[endpointDraft]: // defaults, profiles
		return true
	}
	return false
}

// withMerge are the properties of any mapping. Most tools resolve merge keys and
// never show them to the schema; a bare true is not offered by editors.
func withMerge() schema { return schema{"<<": true} }

// mapOf is a mapping whose keys match rule, with values like value.
func mapOf(rule string, value schema) schema {
	return schema{"type": "object", "properties": withMerge(), "patternProperties": schema{rule: value}, "additionalProperties": false}
}

// anyKeys is a mapping of values like value.
func anyKeys(value schema) schema {
	return schema{"type": "object", "properties": withMerge(), "additionalProperties": value}
}

// reference matches a text that refers to a value, which can be anything.
const reference = `\$\{`

func orReference(d *definitions, s schema) schema {
	return schema{"anyOf": []schema{s, d.refer("reference", func() schema {
		return schema{"type": "string", "pattern": reference}
	})}}
}

// scalars are the types of what the loader takes for a text: 007, no and
// 2020-01-01 are texts as written, and numbers or booleans to others.
var scalars = []string{"string", "number", "boolean"}

// isVersion takes the text 1 as the loader does, in quotes or not.
func isVersion(d *definitions) schema { return orReference(d, schema{"enum": []any{1, "1"}}) }

// isScalar is any text, also one that is empty or has lines.
func isScalar(d *definitions) schema {
	return d.refer("scalar", func() schema { return schema{"type": scalars} })
}

// isText is a line that is not empty. Its length is known once references are
// replaced.
func isText(d *definitions) schema {
	return d.refer("text", func() schema { return schema{"type": scalars, "pattern": lineRule + "|" + reference} })
}

// lineRule is what decoder.line says of a text, its length apart.
const lineRule = "^[^\x00-\x1f\x7f-\u009f\u2028-\u202e]+$"

// isMatching is a text of at most that many characters that keeps to a rule.
// Numbers and booleans are taken where the rule could match them as written.
func isMatching(name, rule string, most int) shape {
	return func(d *definitions) schema {
		return d.refer(name, func() schema {
			types, compiled := []string{"string"}, regexp.MustCompile(rule)
			one := schema{"pattern": rule, "maxLength": most}
			if compiled.MatchString("7") {
				types, one["minimum"] = append(types, "number"), 0 // none starts with a dash
			}
			if compiled.MatchString("true") {
				types = append(types, "boolean")
			}
			one["type"] = types
			return orReference(d, one)
		})
	}
}

var (
	isPlanName = isMatching("planName", planNameRule.String(), 64)
	isRegion   = isMatching("region", regionRule.String(), 64)
	isInstance = isMatching("instance", instanceRule.String(), instanceMax)
	isJobName  = isMatching("jobName", nameRule, nameMax)
	isEnvName  = isMatching("envName", envNameRule.String(), lineMax)
)

// neverInNames are the characters that badName refuses, as far as a pattern can
// say that all editors understand: those know no classes of letters.
const neverInNames = "\x00-,/;-@\\[-^`{-\u00a0\u2000-\u206f\u2190-\u2bff\u3000"

// nameRule is what badName says of names without those. Some symbols stay in.
const nameRule = "^[^" + neverInNames + "._:-](\\.?[^" + neverInNames + ".])*\\.?$"

func isBoolean(d *definitions) schema {
	return d.refer("boolean", func() schema { return orReference(d, schema{"type": "boolean"}) })
}

func isNumber(least, most float64) shape {
	return func(d *definitions) schema {
		return orReference(d, schema{"type": "number", "minimum": least, "maximum": most})
	}
}

func isWhole(least, most int) shape {
	return func(d *definitions) schema {
		return orReference(d, schema{"type": "integer", "minimum": least, "maximum": most})
	}
}

// isLimit is a number of jobs or a share of them.
func isLimit(d *definitions) schema {
	return d.refer("limit", func() schema {
		return schema{"anyOf": []schema{
			{"type": "integer", "minimum": 0, "maximum": limitMax},
			{"type": "string", "pattern": `^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%$|` + reference},
		}}
	})
}

// isNumberOrNone is a number of jobs, or the word for no limit.
func isNumberOrNone(d *definitions) schema {
	return d.refer("number_or_none", func() schema {
		return schema{"anyOf": []schema{
			{"type": "integer", "minimum": 0, "maximum": limitMax},
			{"type": "string", "pattern": "^" + limitNone + "$|" + reference},
		}}
	})
}

// isDuration is what time.ParseDuration takes and is not negative.
func isDuration(d *definitions) schema {
	return d.refer("duration", func() schema {
		return schema{"type": "string", "pattern": `^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$|` + reference}
	})
}

func isOneOf(values ...string) shape {
	return func(d *definitions) schema { return orReference(d, schema{"enum": values}) }
}

// isWord is one of values, where no reference can stand.
func isWord(values ...string) shape {
	return func(*definitions) schema { return schema{"enum": values} }
}

func isListOf(values ...string) shape {
	return func(d *definitions) schema { return listOf(isOneOf(values...)(d)) }
}

func listOf(item schema) schema { return schema{"type": "array", "items": item} }

// someOf is a list that is not empty.
func someOf(item schema) schema {
	all := listOf(item)
	all["minItems"] = 1
	return all
}

// isTexts is a program and its arguments, which can be any text.
func isTexts(d *definitions) schema {
	all := someOf(isScalar(d))
	all["items"] = []schema{isText(d)}
	all["additionalItems"] = isScalar(d)
	return all
}

// isWaves are sizes and, at the end, the word for the rest, which a schema of this
// draft cannot ask for.
func isWaves(d *definitions) schema {
	all := someOf(schema{"anyOf": []schema{isWhole(1, waveMax)(d), isOneOf(restOfJobs)(d)}})
	all["maxItems"] = wavesMax
	return all
}

func isPaths(d *definitions) schema {
	return schema{"anyOf": []schema{isText(d), listOf(isText(d))}}
}

func isAdopt(d *definitions) schema {
	return d.refer("adopt", func() schema { return schema{"anyOf": []schema{{"type": "boolean"}, isInstance(d)}} })
}

// isObjects is a mapping, JSON text, or one reference and nothing else.
func isObjects(d *definitions) schema {
	return d.refer("objects", func() schema { return objects(`["}]`) })
}

// isSomeObjects is isObjects that is not empty.
func isSomeObjects(d *definitions) schema {
	return d.refer("someObjects", func() schema {
		some := objects(`"`)
		some["minProperties"] = 1
		return some
	})
}

// objects are written as a mapping or as JSON text, in which begins stands behind
// the brace.
func objects(begins string) schema {
	const blank = "[ \t\r\n]*"
	return schema{"type": []string{"object", "string"}, "pattern": "^" + blank + `\{` + blank + begins + "|^" + reference + `[^}]*\}$`}
}

func isLabels(d *definitions) schema {
	return d.refer("labels", func() schema { return mapOf(labelKeyRule.String(), isText(d)) })
}

func isMoved(d *definitions) schema { return mapOf(nameRule, isJobName(d)) }

func isVars(d *definitions) schema {
	whole := varSection.shape(d)
	// A default is any text, as it is without the mapping.
	maps.Copy(whole["properties"].(schema)["default"].(schema), isScalar(d))
	return mapOf(varNameRule.String(), schema{"anyOf": []schema{isScalar(d), whole}})
}

func isProfiles(d *definitions) schema { return mapOf(labelKeyRule.String(), profileSection.shape(d)) }

func isJobs(d *definitions) schema { return listOf(jobSection.shape(d)) }

func isGenerate(d *definitions) schema {
	one := generateSection.shape(d)
	one["oneOf"] = []schema{{"required": []string{"matrix"}}, {"required": []string{"list"}}, {"required": []string{"range"}}, {"required": []string{"csv"}}}
	return listOf(one)
}

func isMatrix(d *definitions) schema {
	some := listOf(anyKeys(isScalar(d)))
	all := anyKeys(someOf(isScalar(d)))
	properties := all["properties"].(schema)
	properties["exclude"], properties["include"] = some, some
	return all
}

func isItems(d *definitions) schema {
	return listOf(schema{"anyOf": []schema{isScalar(d), anyKeys(isScalar(d))}})
}

func isWhere(d *definitions) schema {
	return anyKeys(schema{"anyOf": []schema{isScalar(d), listOf(isScalar(d))}})
}

func isCSV(d *definitions) schema {
	return schema{"anyOf": []schema{isText(d), csvSection.shape(d)}}
}

// makeSchema makes Schema from the tables of keys.
func makeSchema() []byte {
	d := &definitions{all: schema{}, names: map[any]string{
		&jobSection: "job", &defaultsSection: "defaults", &profileSection: "profile",
		&sourceSection: "source", &destinationSection: "destination", &passwordSection: "password",
	}}
	root := planSection.shape(d)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["$id"] = SchemaID
	root["title"] = "apsctl plan"
	root["definitions"] = d.all
	// A file that another one includes needs neither version nor name, and looks
	// like a plan's own file otherwise, except that it cannot have these.
	var own []schema
	for _, f := range planSection.fields {
		if !f.required && includedSection.field(f.name) == nil {
			own = append(own, schema{"required": []string{f.name}})
		}
	}
	root["if"] = schema{"anyOf": own}
	root["then"] = schema{"required": []string{"version", "name"}}

	var text bytes.Buffer
	encoder := json.NewEncoder(&text) // sorts the keys
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		panic(fmt.Sprintf("plan: a schema is plain JSON: %v", err))
	}
	return text.Bytes()
}
