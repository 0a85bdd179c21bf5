package plan

import (
	"bytes"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/apsctl/apsctl/internal/printable"
)

func TestSchemaIsThatOfTheKeys(t *testing.T) {
	want := makeSchema()
	if *update {
		if err := os.WriteFile("schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return // what is embedded is still the old one
	}
	if !bytes.Equal(Schema, want) {
		t.Error("schema.json is not what the tables of keys say; run the tests with -update")
	}
	if !bytes.Equal(want, makeSchema()) {
		t.Error("the schema is another one each time")
	}
}

// check returns a function that tells why the schema refuses a value, nil if it
// does not. It reads the tables, so that -update needs one run only.
func check(t *testing.T) func(any) error {
	t.Helper()
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(makeSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(SchemaID, text); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate
}

// asEditorsSee returns the JSON value that an editor's YAML support makes of a
// file, and false when it cannot, as it is no YAML. plain reads a plain scalar.
func asEditorsSee(t *testing.T, file string, data []byte, plain func(string) any) (any, bool) {
	t.Helper()
	l := newLoader(Options{})
	defer l.close()
	s := l.parse(newFolder(file), file, string(data))
	if s.body == nil || l.problems(func(f *findings) []finding { return f.list }, ProblemsMax) != nil {
		return nil, false
	}
	return valueOf(s.body, plain), true
}

func valueOf(n *node, plain func(string) any) any {
	switch n.kind {
	case nodeText:
		return n.text
	case nodePlain:
		return plain(n.text)
	case nodeMapping:
		all := map[string]any{}
		for _, e := range n.entries {
			all[e.key.text] = valueOf(e.value, plain)
		}
		return all
	case nodeList:
		all := make([]any, len(n.items))
		for i, item := range n.items {
			all[i] = valueOf(item, plain)
		}
		return all
	}
	return nil
}

// yaml12 and yaml11 read a plain scalar as the two versions of YAML do; editors
// use the first one unless told otherwise.
func yaml12(text string) any {
	base, digits := 10, text
	switch {
	case slices.Contains([]string{"true", "True", "TRUE"}, text):
		return true
	case slices.Contains([]string{"false", "False", "FALSE"}, text):
		return false
	case regexp.MustCompile(`^[-+]?\.(inf|Inf|INF)$`).MatchString(text):
		return math.MaxFloat64 // JSON has none
	case strings.HasPrefix(text, "0x"):
		base, digits = 16, text[2:]
	case strings.HasPrefix(text, "0o"):
		base, digits = 8, text[2:]
	case regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`).MatchString(text):
		if number, err := strconv.ParseFloat(text, 64); err == nil {
			return number
		}
		return math.MaxFloat64
	default:
		return text
	}
	if number, err := strconv.ParseInt(digits, base, 64); err == nil {
		return float64(number)
	}
	return text
}

func yaml11(text string) any {
	switch strings.ToLower(text) {
	case "y", "yes", "on":
		return true
	case "n", "no", "off":
		return false
	}
	switch {
	case regexp.MustCompile(`^[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+$`).MatchString(text):
		return 750.0 // base 60
	case regexp.MustCompile(`^[-+]?[0-9][0-9_]*$`).MatchString(text):
		text = strings.ReplaceAll(text, "_", "")
	}
	return yaml12(text)
}

// notPlans are files under examples that are something else.
var notPlans = map[string]bool{
	"../examples/environments/staging.yaml": true, "../examples/environments/production.yaml": true, // of variables
	"../examples/secrets/kms.yaml": true, // of the emulator
}

func TestSchemaTakesWhatTheLoaderTakes(t *testing.T) {
	files := append(goodPlans(t), "../cmd/apsctl/init.yaml")
	err := filepath.WalkDir("../examples", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == "ops" { // files of other programs
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".yaml" && !notPlans[filepath.ToSlash(path)] {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(data)
	}
	page, _ := readDocs(t)
	for i, block := range strings.Split(page, "```yaml\n")[1:] {
		if text, _, _ := strings.Cut(block, "```"); strings.HasPrefix(text, "version: 1") {
			texts["docs/plan.md block "+strconv.Itoa(i+1)] = text
		}
	}
	for name, text := range alsoGood {
		texts[name] = text
	}
	check := check(t)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		t.Run(name, func(t *testing.T) {
			for version, plain := range map[string]func(string) any{"1.2": yaml12, "1.1": yaml11} {
				value, ok := asEditorsSee(t, name, []byte(texts[name]), plain)
				if !ok {
					t.Fatal("it is no YAML")
				}
				if err := check(value); err != nil {
					t.Errorf("as YAML %s: %v", version, err)
				}
			}
		})
	}
}

// alsoGood are files that the schema must take although they are no plans that
// load by themselves, and corners of those that do.
var alsoGood = map[string]string{
	"an included file": `
region: cn-hangzhou
defaults: {destination: {instance: amv-1}}
jobs: [{name: a}]`,
	"an included file with limits": `
limits: {max_create: 3}
profiles: {a: {instance: pc-1, password: {file: x}}}`,
	"references everywhere": `
version: 1
name: ${var.name}
region: ${var.region}
vars: {name: p, region: {type: text, description: where}, n: {type: whole, default: 5}, empty: "", lines: "a\nb", later: {default: ""}}
jobs:
  - name: ${var.name}-1
    source: {profile: "${var.p}", instance: "pc-${var.n}", password: {command: ["${var.x}", 1, true]}}
    destination: {password: {env: "PW_${var.x}"}}
    db_list: ${var.objects}
    adopt: ${var.adopt}
    state: ${var.state}
    protect: ${var.protect}
    ignore: ["${var.field}", db_list]
run: {parallel: "${var.n}", rate: "${var.n}", settle: "${var.n}m", on_unknown: "${var.u}"}
limits: {max_create: "${var.n}"}`,
	"texts longer than their values": `
version: 1
name: p
jobs: [{name: "${var.` + strings.Repeat("x", 200) + `}", source: {instance: "${var.` + strings.Repeat("x", 200) + `}"}}]`,
	"generation": `
version: 1
name: p
include: [more/*.yaml, 2020-01-01.yaml]
moved: {a: b, 1: c, 订单: 注文}
generate:
  - {job: {name: "a-${matrix.x}"}, matrix: {x: [1, no, c], y: [a], exclude: [{x: 1}], include: [{x: 9, y: b}]}}
  - {job: {name: "b-${item}"}, list: [1, b, 2020-01-01, ""]}
  - {job: {name: "c-${item.a}"}, list: [{a: 1, b: x}]}
  - {job: {name: "d-${item}"}, range: {from: -1, to: "${var.n}", step: 2, width: 3}}
  - {job: {name: "e-${row.a}"}, csv: rows.csv}
  - {job: {name: "f-${row.a}"}, csv: {file: rows.csv, where: {a: x*, b: [1, no, ""], c: [], d: ""}}}`,
	"objects": `
version: 1
name: p
jobs:
  - {name: a, db_list: "\n { \t\"a\": {} }", partition_list: {}}
  - {name: b, db_list: "${var.x}", partition_list: " {\n}"}
  - {name: c, source: {password: {command: [a, "", "b\nc"]}}, destination: {user: "${\n var.x }", password: {env: TRUE}}}`,
	"durations": `
version: 1
name: p
jobs: []
run: {settle: +1h1.5m.5s, max_elapsed: 1500µs}`,
	"what a tool made that does not resolve merge keys": `
version: 1
name: p
jobs: [{"<<": {region: cn-hangzhou}, name: a, labels: {"<<": {b: c}}, source: {"<<": [{}, {}], password: {"<<": {}}}}]`,
	"a plan that includes another": `{version: "1", name: p, include: x.yaml, vars: {"<<": {}}}`,
	"lengths and letters of names": `
version: 1
name: ` + strings.Repeat("a", 64) + `
jobs:
  - {name: ` + strings.Repeat("订", 128) + `}
  - {name: a.b.c.}
  - {name: "a:b-c_d.e"}
  - {name: "7"}
  - {name: 7}
  - {name: "e\u0301", source: {instance: ` + strings.Repeat("x", 128) + `}}`,
}

// unseen are the bad plans that are YAML and that the schema takes, and why.
var unseen = map[string]string{
	"db-list-deep":          "a schema does not count how deep JSON text goes",
	"db-list-json-twice":    "JSON text is a text",
	"db-list-number":        "editors read it as some number",
	"db-list-surrogate":     "JSON text is a text",
	"db-list-true":          "editors read True as true",
	"names-twice":           "a schema does not compare the values of items",
	"password-in-json-text": "JSON text is a text",
	"scalar-version-float":  "to a schema 1.0 is 1",
}

func TestSchemaRefusesWhatItCan(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	check := check(t)
	refused := 0
	taken := map[string]bool{}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		value, ok := asEditorsSee(t, path, data, yaml12)
		if !ok {
			continue // an editor shows that it is no YAML, or a YAML that we do not read
		}
		if check(value) != nil {
			refused++
			continue
		}
		if taken[name] = true; unseen[name] == "" {
			t.Errorf("the schema takes %s: make it refuse it, or say in unseen why it cannot", path)
		}
	}
	for name := range unseen {
		if !taken[name] {
			t.Errorf("%s is said to be unseen, but the schema refuses it, or it is no YAML", name)
		}
	}
	if refused < 30 {
		t.Errorf("only %d bad plans are refused", refused)
	}
}

// TestSchemaRefusesEachMistakeAlone has one mistake each, so that none hides
// behind another one of its file.
func TestSchemaRefusesEachMistakeAlone(t *testing.T) {
	check := check(t)
	job := func(keys string) string { return "version: 1\nname: p\njobs: [{name: a, " + keys + "}]" }
	run := func(keys string) string { return "version: 1\nname: p\njobs: []\nrun: {" + keys + "}" }
	generate := func(keys string) string { return "version: 1\nname: p\ngenerate: [{job: {name: a}, " + keys + "}]" }
	for _, text := range []string{
		"[]", "x", "version: 2", "version: true", "jobs: {}", "jobs:", "job: []", "name: p/q", "name: Upper", "name: ''", "name: -1", "region: 5", "region: cn",
		"run: {}", "vars: {}", "moved: {}", "version: 1\nvars: {a: b}", "name: p\nrun: {rate: 1}",
		"jobs: [{}]", "jobs: [x]", "jobs: [~]", "jobs: [{region: cn-a}]", "jobs: [{name: }]", "jobs: [{name: [a]}]",
		"jobs: [{name: a b}]", "jobs: [{name: a/b}]", "jobs: [{name: a..b}]", "jobs: [{name: .a}]", "jobs: [{name: -a}]", "jobs: [{name: a}, {name: a😀→}]",
		"jobs: [{name: '" + strings.Repeat("x", 129) + "'}]", `jobs: [{name: "a\nb"}]`, `jobs: [{name: "a\u202eb"}]`,
		job("soruce: {}"), job("password: {env: X}"), job("source: pc-1"), job("source: "), job("source: {port: 1}"),
		job("source: {instance: pc 1}"), job("source: {instance: " + strings.Repeat("x", 129) + "}"), job("source: {user: [a]}"),
		job("destination: {region: cn-hangzhou}"), "defaults: {name: a}", "profiles: {a: {profile: b}}", "profiles: {a b: {}}",
		job("source: {password: hunter2}"), job("source: {password: 12345}"), job("source: {password: }"), job("source: {password: [a]}"),
		job("source: {password: {}}"), job("source: {password: {env: A, file: b}}"), job("source: {password: {hunter2: }}"),
		job("source: {password: {vault: x}}"), job("source: {password: {command: ls}}"), job("source: {password: {command: []}}"),
		job("source: {password: '${var.x}'}"), "profiles: {a: {password: hunter2}}", "defaults: {destination: {password: hunter2}}",
		job("db_list: all"), job("db_list: []"), job("db_list: 1"), job("db_list: '[1]'"), job("db_list: 'all ${var.x}'"), job("db_list: "),
		job("db_list: {}"), job("db_list: ' { }'"), "defaults: {db_list: {}}",
		job("labels: [a]"), job("labels: {a b: c}"), job("labels: {a: [b]}"), job("labels: {a: }"),
		job("adopt: [a]"), job("adopt: a b"), job("state: stopped"), job("on_remove: drop"), job("protect: 1"), job("protect: yes"), job("protect: 'true'"),
		job("ignore: db_list"), job("ignore: [source.instance]"), job("target_table_mode: {}"),
		"region: ''", job("db_list: '{a: b}'"), job("db_list: ''"), job("partition_list: '{1}'"),
		job("source: {user: ''}"), job(`source: {user: "a\nb"}`), job("target_table_mode: ''"), job("labels: {a: ''}"), "include: ''",
		job("source: {password: {env: ''}}"), job("source: {password: {file: ''}}"), job("source: {password: {command: ['', a]}}"),
		job("source: {password: {env: A B}}"), job("source: {password: {env: 1A}}"), job("source: {password: {env: 5}}"), job("source: {password: {env: A-B}}"),
		"version: 1\nname: p\nvars: {a: {description: ''}}", "version: 1\nname: p\nvars: {a: {type: '${var.b}'}, b: text}",
		run("paralel: 1"), run("parallel: 0"), run("parallel: 257"), run("parallel: '4'"), run("parallel: 1.5"), run("rate: -1"), run("rate: 1000001"),
		run("settle: 31"), run("settle: 31d"), run("settle: -1m"), run("max_elapsed: soon"), run("on_unknown: recreat"), run("max_attempts: 1001"),
		"limits: {max_create: -1}", "limits: {max_job: 1}", "limits: {max_failures: 1000001}", "include: {a: b}", "include: [[a]]",
		"version: 1\nname: p\nmoved: {a: b c}", "version: 1\nname: p\nmoved: {a b: c}", "version: 1\nname: p\nmoved: [a]",
		"version: 1\nname: p\nvars: {a b: c}", "version: 1\nname: p\nvars: {a: }", "version: 1\nname: p\nvars: {a: {typ: text}}", "version: 1\nname: p\nvars: {a: {type: int}}", "version: 1\nname: p\nvars: {a: [b]}",
		"generate: [{job: {name: a}}]", "generate: [{csv: a.csv}]", "generate: {}", generate("csv: a.csv, list: [a]"), generate("csv: {where: {}}"), generate("csv: [a]"),
		generate("range: {from: 1}"), generate("range: {from: 1, to: 2, step: 0}"), generate("range: {from: a, to: 2}"), generate("range: 3"),
		generate("matrix: {a: []}"), generate("matrix: {a: b}"), generate("matrix: {a: [[b]]}"), generate("matrix: {a: [b], exclude: {a: b}}"),
		generate("list: a"), generate("list: [[a]]"), generate("list: [{a: [b]}]"), generate("list: [~]"),
		"generate: [{job: {name: a, soruce: {}}, list: [a]}]", "generate: [{job: {source: {}}, list: [a]}]",
	} {
		value, ok := asEditorsSee(t, "plan.yaml", []byte(text), yaml12)
		if !ok {
			t.Errorf("this is no YAML:\n%s", text)
		} else if check(value) == nil {
			t.Errorf("the schema takes\n%s", text)
		} else if _, err := Parse("plan.yaml", []byte(text), Options{}); err == nil {
			t.Errorf("the loader takes\n%s", text)
		}
	}
}

func TestSchemaRefusesNoTextThatTheLoaderTakes(t *testing.T) {
	rule, line := regexp.MustCompile(nameRule), regexp.MustCompile(lineRule)
	for r := range rune(0x3100) { // past the last that the rules name
		if text := "a" + string(r); !line.MatchString(text) && printable.Line(text) == text {
			t.Errorf("the schema refuses the text %q", text)
		}
		for _, name := range []string{string(r), string(r) + "a", "a" + string(r), "a" + string(r) + "b"} {
			if !rule.MatchString(name) && badName(name) == "" {
				t.Errorf("the schema refuses the name %q", name)
			}
		}
	}
}

// TestSchemaOfANestedPassword holds for a kind of password that has keys of its
// own, some of which have to be there.
func TestSchemaOfANestedPassword(t *testing.T) {
	type draft struct{}
	inner := section[draft]{fields: []field[draft]{{"secret", true, isText, "", nil}, {"region", false, isRegion, "", nil}}}
	outer := section[draft]{fields: []field[draft]{{"env", false, isText, "", nil}, {"kms", false, inner.shape, "", nil}}, secret: true}
	all := outer.shape(&definitions{all: schema{}})
	kms := all["properties"].(schema)["kms"].(schema)
	if got := kms["required"]; !slices.Equal(got.([]string), []string{"secret"}) || all["required"] != nil || all["maxProperties"] != 1 {
		t.Errorf("got %v", all)
	}
}
