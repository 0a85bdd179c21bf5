package plan

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/internal/secret"
)

// fill sets every field of v to something else than its zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Limit]() {
			v.Set(reflect.ValueOf(Limit{percent: 2.5, isShare: true}))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf("value"))
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(5)
	case reflect.Float64:
		v.SetFloat(1.5)
	}
}

// filledSaved has something in every field that a plan has when it is applied.
func filledSaved(t *testing.T) *Saved {
	t.Helper()
	p := &Plan{Name: "p", File: "p.yaml", Moved: map[string]string{"a": "b"}}
	fill(reflect.ValueOf(&p.Run).Elem())
	fill(reflect.ValueOf(&p.Limits).Elem())
	p.Limits.MaxDelete, p.Limits.MaxCreate, p.Limits.MaxUpdate = new(NoLimit()), nil, new(LimitTo(0))
	var job Job
	fill(reflect.ValueOf(&job.Spec).Elem())
	fill(reflect.ValueOf(&job.Life).Elem())
	job.Labels = map[string]string{"team": "a"}
	job.SourcePassword = &secret.Ref{Command: []string{"./pw", "a"}, Dir: "/somewhere"}
	job.DestinationPassword = &secret.Ref{KMS: &secret.KMS{Secret: "s", Region: "r", VersionStage: "v", Field: "f"}}
	other := wantedJob("other")
	other.SourcePassword = &secret.Ref{File: "pw", Dir: "/else"}
	p.Jobs = []Job{job, other, wantedJob("third")}
	for i := range p.Jobs {
		p.Jobs[i].Digest = HashSpec(p.Jobs[i].Spec)
	}
	p.Digest = hashPlan(p.Jobs)
	s := &Saved{ID: "id", SavedAt: time.UnixMilli(1).UTC(), Version: "v1", Plan: p, Changes: []SavedChange{{KindReplace, "text", "aps-1", "d", []FieldChange{{"f", "1", "2", EffectReplace, PartyAll, "3"}}}}}
	fill(reflect.ValueOf(&s.Ledger).Elem())
	fill(reflect.ValueOf(&s.Options).Elem())
	return s
}

func written(t *testing.T, s *Saved) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSavedPlanComesBackWhole: a setting that got lost on the way would be applied
// as its default.
func TestSavedPlanComesBackWhole(t *testing.T) {
	s := filledSaved(t)
	back, err := ReadSaved(strings.NewReader(written(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, back, cmp.AllowUnexported(Limit{}), cmp.FilterPath(func(p cmp.Path) bool {
		name := p.Last().String()
		return name == ".dir" || name == ".Pos"
	}, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
	s.Plan.Run.Wave = []int{} // one wave of all, where nil is none
	if back, err = ReadSaved(strings.NewReader(written(t, s))); err != nil || back.Plan.Run.Wave == nil {
		t.Errorf("one wave of all became none (%v)", err)
	}
}

func TestSavedPlanReadsPasswordsFromAnyFolder(t *testing.T) {
	s := filledSaved(t)
	s.Plan.Jobs[1].SourcePassword = &secret.Ref{File: "pw", Dir: "sub"}
	back, err := ReadSaved(strings.NewReader(written(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := filepath.Abs("sub"); back.Plan.Jobs[1].SourcePassword.Dir != want {
		t.Errorf("it is read from %q, want %q", back.Plan.Jobs[1].SourcePassword.Dir, want)
	}
	if s.Plan.Jobs[1].SourcePassword.Dir != "sub" {
		t.Error("the plan itself was changed")
	}
}

// TestSavedPlanIsRefusedUnlessItIsWhole cuts it everywhere, flips each byte and
// adds a blank at each place.
func TestSavedPlanIsRefusedUnlessItIsWhole(t *testing.T) {
	text := written(t, filledSaved(t))
	refused := func(what, text string) {
		t.Helper()
		var bad *SavedError
		if _, err := ReadSaved(strings.NewReader(text)); !errors.As(err, &bad) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range text {
		refused("cut at "+text[max(0, i-10):i], text[:i])
		refused("a blank behind "+text[max(0, i-10):i+1], text[:i+1]+" "+text[i+1:])
		flipped := []byte(text)
		flipped[i] ^= 1
		refused("a flipped byte in "+text[max(0, i-10):min(len(text), i+10)], string(flipped))
	}
	refused("something behind it", text+"{}")
	refused("a line break behind it", text+"\n")
	refused("line ends of another system", strings.ReplaceAll(text, "\n", "\r\n"))
	refused("a later version", strings.Replace(text, `"version":1`, `"version":2`, 1))
	refused("a plan file", "version: 1\n")
	refused("nothing", "")
}

func TestSavedDiffers(t *testing.T) {
	p, ledger := renderedPlan()
	changes := Diff(p, ledger, nil, DiffOptions{})
	s := &Saved{Changes: SaveChanges(changes)}
	if got := s.Differs(changes); got != nil {
		t.Errorf("equal changes differ: %v", got)
	}
	for name, c := range map[string]struct {
		change func(*Plan, Snapshot)
		want   string
	}{
		"a create is done":          {func(p *Plan, l Snapshot) { l.Entries["orders-00"] = entryFor(p.Jobs[0], StateCreated) }, "orders-00: create then, keep now"},
		"a kept job is gone":        {func(p *Plan, l Snapshot) { delete(l.Entries, "orders-01") }, "orders-01: keep then, create now"},
		"a kept job needs a person": {func(p *Plan, l Snapshot) { l.Entries["orders-01"] = entryFor(p.Jobs[1], StateLost) }, "orders-01: keep then, blocked now (job aps-orders-01 was"},
		"an update has another start": {func(p *Plan, l Snapshot) {
			e := l.Entries["orders-02"]
			e.Spec.DBList = `{"x":{}}`
			l.Entries["orders-02"] = e
		}, "orders-02: update as well, but not to the same"},
		"another job": {func(p *Plan, l Snapshot) { e := l.Entries["orders-02"]; e.JobID = "aps-9"; l.Entries["orders-02"] = e }, "orders-02: job aps-orders-02 then, job aps-9 now"},
		"a wanted job reads otherwise": {func(p *Plan, l Snapshot) {
			p.Jobs[4].Source.Instance = "pc-9"
			p.Jobs[4].Digest = HashSpec(p.Jobs[4].Spec)
		}, "orders-04: create as well, but not to the same"},
		"a left-over is gone":     {func(p *Plan, l Snapshot) { delete(l.Entries, "old") }, "old: left-over then, nothing now"},
		"what was open is found":  {func(p *Plan, l Snapshot) { l.Entries["orders-03"] = entryFor(p.Jobs[3], StateCreated) }, ""},
		"what was open is absent": {func(p *Plan, l Snapshot) { l.Entries["orders-03"] = entryFor(p.Jobs[3], StateAbsent) }, "orders-03: resolve then, create now"},
	} {
		p, ledger := renderedPlan()
		c.change(p, ledger)
		got := strings.Join(s.Differs(Diff(p, ledger, nil, DiffOptions{})), "\n")
		if (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
