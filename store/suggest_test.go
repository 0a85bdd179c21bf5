package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/plan"
)

func TestSuggest(t *testing.T) {
	l := openStore(t)
	for _, id := range []string{"run-1", "run-0"} {
		if err := l.BeginRun(t.Context(), plan.RunRecord{ID: id, Command: "apply", Plan: "p", PlanDigest: "d", Host: "h", User: "u", Version: "v", StartedAt: t0}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"b_1", "bx1", "c"} {
		if err := l.Intend(t.Context(), intentOf(name, plan.StateNone, 1)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		field  Field
		prefix string
		near   Near
		limit  int
		want   []string
	}{
		{FieldName, "", Near{}, 9, []string{"b_1", "bx1", "c"}},
		{FieldName, "", Near{}, 2, []string{"b_1", "bx1"}},
		{FieldName, "b_", Near{}, 9, []string{"b_1"}}, // no pattern
		{FieldName, "", Near{Plan: "other"}, 9, nil},
		{FieldPlan, "", Near{}, 9, []string{"p"}},
		{FieldLabel, "", Near{}, 9, []string{"team"}},
		{LabelField("team"), "", Near{}, 9, []string{"a"}},
		{LabelField("size"), "", Near{}, 9, nil},
		{FieldID, "", Near{}, 9, nil},
		{FieldRun, "", Near{}, 9, []string{"run-0", "run-1"}}, // the newest first
		{FieldSource, "", Near{Name: "c"}, 9, []string{specOf("c").Source.Instance}},
	} {
		got, err := l.Suggest(t.Context(), test.field, test.prefix, test.near, test.limit)
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v %s", test, err, diff)
		}
	}
}
