package plan

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Schema is the JSON Schema (draft 2020-12) of plan files, for editors. It is
// made from the tables of keys and kept beside them; a test compares the two.
//
//go:embed schema.json
var Schema []byte

// SchemaID names the schema. Plan files refer to it in their first line.
const SchemaID = "https://github.com/apsctl/apsctl/raw/main/plan/schema.json"

// schema is a piece of a JSON Schema.
type schema map[string]any

// shape makes the piece for one key. It is a function, because sections refer to
// one another.
type shape func() schema

// shape is what a mapping of this kind looks like.
func (s *section[T]) shape() schema {
	properties, required := schema{}, []string{}
	for _, f := range s.fields {
		one := f.is()
		one["description"] = f.doc
		properties[f.name] = one
		if f.required {
			required = append(required, f.name)
		}
	}
	all := schema{"type": "object", "properties": properties, "additionalProperties": false, "patternProperties": schema{"^<<$": schema{}}}
	_ = required // what is required may come from defaults, a profile or a merge key
	return all
}

// reference matches a text that refers to a value, which can be anything.
const reference = `\$\{`

func orReference(s schema) schema {
	return schema{"anyOf": []schema{s, {"type": "string", "pattern": reference}}}
}

func isVersion() schema { return schema{"const": 1} }

// isText is any scalar: the loader takes 007 and no for the texts they are.
func isText() schema { return schema{"type": []string{"string", "number", "boolean"}} }

func isPattern(pattern string, most int) shape {
	return func() schema {
		return orReference(schema{"type": []string{"string", "number", "boolean"}, "pattern": pattern, "minLength": 1, "maxLength": most})
	}
}

var (
	isPlanName = isPattern(planNameRule.String(), 64)
	isRegion   = isPattern(regionRule.String(), 64)
	isInstance = isPattern(instanceRule.String(), instanceMax)
	isJobName  = isPattern(`^[^\s/.:_\-](?:(?!\.\.)[^\s/])*$`, nameMax)
)

func isBoolean() schema { return orReference(schema{"type": "boolean"}) }

func isNumber(least, most float64) shape {
	return func() schema { return orReference(schema{"type": "number", "minimum": least, "maximum": most}) }
}

func isWhole(least, most int) shape {
	return func() schema { return orReference(schema{"type": "integer", "minimum": least, "maximum": most}) }
}

func isDuration() schema {
	return orReference(schema{"type": "string", "pattern": `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`})
}

func isOneOf(values ...string) shape {
	return func() schema { return orReference(schema{"enum": values}) }
}

func isListOf(values ...string) shape {
	return func() schema { return schema{"type": "array", "items": isOneOf(values...)()} }
}

func isTexts() schema {
	return schema{"type": "array", "items": isText(), "minItems": 1}
}

func isPaths() schema {
	return schema{"anyOf": []schema{isText(), isTexts()}}
}

func isAdopt() schema {
	return schema{"anyOf": []schema{{"type": "boolean"}, isInstance()}}
}

func isObjects() schema {
	return schema{"anyOf": []schema{{"type": "object"}, {"type": "string", "pattern": `^\s*\{|` + reference}}}
}

func isLabels() schema {
	return schema{"type": "object", "propertyNames": schema{"pattern": labelKeyRule.String()}, "additionalProperties": isText()}
}

func isMoved() schema {
	return schema{"type": "object", "additionalProperties": isText()}
}

func isVars() schema {
	return schema{"type": "object", "propertyNames": schema{"pattern": varNameRule.String()},
		"additionalProperties": schema{"anyOf": []schema{isText(), varSection.shape()}}}
}

func isProfiles() schema {
	return schema{"type": "object", "propertyNames": schema{"pattern": labelKeyRule.String()}, "additionalProperties": profileSection.shape()}
}

func isJobs() schema { return schema{"type": "array", "items": jobSection.shape()} }

func isGenerate() schema {
	one := generateSection.shape()
	one["required"] = []string{"job"}
	one["oneOf"] = []schema{{"required": []string{"matrix"}}, {"required": []string{"list"}}, {"required": []string{"range"}}, {"required": []string{"csv"}}}
	return schema{"type": "array", "items": one}
}

func isMatrix() schema {
	values := schema{"type": "array", "items": isText(), "minItems": 1}
	some := schema{"type": "array", "items": schema{"type": "object", "additionalProperties": isText()}}
	return schema{"type": "object", "properties": schema{"exclude": some, "include": some}, "additionalProperties": values}
}

func isItems() schema {
	return schema{"type": "array", "items": schema{"anyOf": []schema{isText(), {"type": "object", "additionalProperties": isText()}}}}
}

func isWhere() schema {
	return schema{"type": "object", "additionalProperties": schema{"anyOf": []schema{isText(), isTexts()}}}
}

func isCSV() schema {
	return schema{"anyOf": []schema{{"type": "string"}, csvSection.shape()}}
}

// makeSchema makes Schema from the tables of keys. A file that another one
// includes needs no version and no name, so neither is required.
func makeSchema() []byte {
	root := planSection.shape()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = SchemaID
	root["title"] = "apsctl plan"
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("plan: a schema is plain JSON: %v", err))
	}
	return append(text, '\n')
}
