package plan

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// imported writes specs and reads them again.
func imported(t testing.TB, specs []Spec) (string, *Plan) {
	t.Helper()
	text, err := Imported("imported", specs)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return string(text), mustParse(t, string(text))
}

// linesPerJob counts the lines after jobs:.
func linesPerJob(text string, jobs int) float64 {
	_, below, _ := strings.Cut(text, "\njobs:\n")
	return float64(strings.Count(below, "\n")) / float64(jobs)
}

// importableSpec draws what the service may have, with few different values, so
// that some are common to most jobs.
func importableSpec(t *rapid.T, objects *rapid.Generator[string], i int) Spec {
	pick := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
	line := rapid.StringOf(rapid.RuneFrom([]rune("aZ09 ._:-#'\"\\{}[]$&*!|>%@`,?~=<+\u00e9\u8ba2\U0001f600"))).Filter(func(s string) bool { return s != "" && len(s) < 200 })
	spec := Spec{
		Name: fmt.Sprintf("%s-%d", pick("name", "a", "7", "null", "0x1f", "订单", "1.5", "no:"), i), Region: pick("region", "cn-hangzhou", "cn-beijing"),
		Source:          SourceEndpoint{pick("source", "pc-1", "pc-2", "123", "true", "1e3"), pick("source region", "", "cn-x"), pick("user", "", "", "reader", line.Draw(t, "text"))},
		Destination:     DestinationEndpoint{pick("destination", "amv-1", "amv-2"), pick("user", "", "loader")},
		DBList:          `{"EntireInstance":true}`,
		TargetTableMode: pick("mode", "", "", "1", "2", line.Draw(t, "text")),
	}
	if rapid.Bool().Draw(t, "with objects") {
		spec.DBList = objects.Draw(t, "objects")
	}
	if rapid.Bool().Draw(t, "with partitions") {
		spec.PartitionList = objects.Draw(t, "partitions")
	}
	return spec
}

func TestImportedPlanSaysTheSameSpecs(t *testing.T) {
	text := rapid.StringOf(rapid.RuneFrom([]rune("aZ09 ._:-#'\"\\{}[]$&*!|>%@`,?~=<+\t\n\r\x01\u0085\u00e9\u2028\u202e\ufeff\u8ba2\U0001f600")))
	value := rapid.OneOf(text.AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.SampledFrom([]any{nil, []any{}, map[string]any{}, []any{1, "1", nil}, "${var.x}", "007"}))
	objects := rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		b.WriteByte('{')
		for i, key := range rapid.SliceOfNDistinct(text, 1, 4, rapid.ID[string]).Draw(t, "keys") {
			if i > 0 {
				b.WriteByte(',')
			}
			appendJSONString(&b, key)
			fmt.Fprintf(&b, ":%s", asJSON(value.Draw(t, "value")))
		}
		b.WriteByte('}')
		canonical, err := CanonicalJSON(b.String())
		if err != nil {
			t.Fatal(err)
		}
		return canonical
	})
	rapid.Check(t, func(rt *rapid.T) {
		few := rapid.SampledFrom(rapid.SliceOfN(objects, 1, 4).Draw(rt, "values"))
		var specs []Spec
		for i := range rapid.IntRange(0, 8).Draw(rt, "jobs") {
			specs = append(specs, importableSpec(rt, few, i))
		}
		_, p := imported(t, specs)
		for i, spec := range specs {
			if p.Jobs[i].Digest != HashSpec(spec) {
				rt.Errorf("job %d is %+v", i, p.Jobs[i].Spec)
			}
		}
	})
}

// One key a line where three lines are enough, and one line a job where not.
func TestImportedPlanIsShort(t *testing.T) {
	long := fmt.Sprintf(`{"shop":{"name":"shop","tables":%q}}`, strings.Repeat("orders,", 20))
	var simple, mixed []Spec
	for i := range 60 {
		spec := Spec{
			Name: fmt.Sprintf("job-%d", i), Region: "cn-hangzhou", DBList: `{"EntireInstance":true}`,
			Source: SourceEndpoint{Instance: fmt.Sprintf("pc-%d", i/3)}, Destination: DestinationEndpoint{Instance: "amv-1"},
		}
		simple = append(simple, spec)
		spec.Destination.Instance = fmt.Sprintf("amv-%d", i%3)
		if spec.DBList = long; i%2 == 0 {
			spec.Region, spec.DBList = "cn-beijing", strings.ReplaceAll(long, "orders", "users")
		}
		mixed = append(mixed, spec)
	}
	text, _ := imported(t, simple)
	if n := linesPerJob(text, len(simple)); n != 2 || !strings.Contains(text, "\n  - name: job-7\n    source: {instance: pc-2}\n") {
		t.Errorf("%g lines a job:\n%s", n, text)
	}
	text, _ = imported(t, mixed)
	if n := linesPerJob(text, len(mixed)); n != 1 || strings.Count(text, "orders,") != 20 || strings.Count(text, "users,") != 20 {
		t.Errorf("%g lines a job, or objects that are there more than once:\n%s", n, text)
	}
}

func TestImportedPlanIsAsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	var specs []Spec
	for i := range 3 {
		specs = append(specs, Spec{
			Name: fmt.Sprintf("orders-%d", i), Region: "cn-hangzhou", DBList: `{"EntireInstance":true}`,
			Source: SourceEndpoint{Instance: fmt.Sprintf("pc-bp1orders%d", i)}, Destination: DestinationEndpoint{Instance: "amv-bp1warehouse"},
		})
	}
	specs[2].DBList = `{"shop":{"all":true,"name":"shop"}}`
	if text, err := Imported("orders", specs); err != nil || !strings.Contains(string(page), "```yaml\n"+string(text)+"```\n") {
		t.Errorf("docs/import.md does not have this, %v:\n%s", err, text)
	}
}

// A large file is read in pieces, which knows less of YAML.
func TestImportedPlanMayBeLarge(t *testing.T) {
	notIfShort(t)
	long := fmt.Sprintf(`{"shop":%q}`, strings.Repeat("orders,", 50))
	specs := make([]Spec, 30_000)
	for i := range specs {
		specs[i] = Spec{
			Name: fmt.Sprintf("migration-of-the-orders-of-shard-%05d", i), Region: []string{"cn-hangzhou", "cn-beijing"}[i%2], DBList: long,
			Source: SourceEndpoint{Instance: fmt.Sprintf("pc-%d", i/3)}, Destination: DestinationEndpoint{Instance: fmt.Sprintf("amv-%d", i%3)},
		}
		if i%3 > 0 {
			specs[i].DBList = strings.ReplaceAll(long, "orders", fmt.Sprintf("t%d", i%3))
		}
	}
	if text, _ := imported(t, specs); len(text) < 2<<20 || linesPerJob(text, len(specs)) > 3 {
		t.Errorf("%d bytes, %g lines a job", len(text), linesPerJob(text, len(specs)))
	}
}

// To fill in the user that the service does not tell is no change.
func TestImportedPlanTakesAUserLater(t *testing.T) {
	spec := Spec{
		Name: "a", Region: "cn-hangzhou", DBList: `{"EntireInstance":true}`,
		Source: SourceEndpoint{Instance: "pc-1"}, Destination: DestinationEndpoint{Instance: "amv-1"},
	}
	text, _ := imported(t, []Spec{spec})
	p := mustParse(t, strings.Replace(text, "{instance: pc-1}", "{instance: pc-1, user: reader, password: {env: P}}", 1))
	if p.Jobs[0].Source.User != "reader" {
		t.Fatal(text)
	}
	entry := Entry{Name: "a", State: StateCreated, JobID: "aps-1", Spec: spec, Digest: HashSpec(spec)}
	changes := Diff(p, Snapshot{Entries: map[string]Entry{"a": entry}}, nil, DiffOptions{})
	if len(changes) != 1 || changes[0].Kind != KindKeep {
		t.Errorf("got %+v", changes)
	}
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
