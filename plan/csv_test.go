package plan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apsctl/apsctl/internal/printable"
)

const csvPlan = `version: 1
name: bulk
region: cn-hangzhou
generate:
  - csv: jobs.csv
    job:
      name: ${row.name}
      source: {instance: "${row.instance}", user: sync, password: {env: PW}}
      destination: {instance: "${row.cluster}"}
      db_list:
        ${row.db}: {name: "${row.db}", all: true}
`

// csvFolder is a folder with csvPlan, 12 lines long, and a CSV file of so many
// rows.
func csvFolder(t testing.TB, rows int) string {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("name,instance,cluster,db\n")
	for i := range rows {
		fmt.Fprintf(&b, "orders-%06d,pc-bp1%06d,amv-bp1%03d,shop_%d\n", i, i/3, i%50, i)
	}
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "jobs.csv"), []byte(b.String()), 0o600),
		os.WriteFile(filepath.Join(dir, "plan.yaml"), []byte(csvPlan), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "plan.yaml")
}

func TestManyRowsAreManyJobs(t *testing.T) {
	p, err := Load([]string{csvFolder(t, 20_000)}, Options{})
	if err != nil || len(p.Jobs) != 20_000 {
		t.Fatal(err)
	}
	last := p.Jobs[19_999]
	if last.Name != "orders-019999" || last.DBList != `{"shop_19999":{"all":true,"name":"shop_19999"}}` || last.Pos.Line != 20_001 {
		t.Errorf("the last job is %+v", last)
	}
	if p.Jobs[0].SourcePassword != last.SourcePassword {
		t.Error("the jobs do not share what they have in common")
	}
}

// BenchmarkCSV loads 10,000 rows and ten times as many, and says by how much the
// larger plan costs more, and the memory that stays for one job.
func BenchmarkCSV(b *testing.B) {
	small, large := csvFolder(b, 10_000), csvFolder(b, 100_000)
	load := func(path string) (took time.Duration, perJob float64) {
		runtime.GC()
		start := time.Now()
		p, err := Load([]string{path}, Options{})
		if took = time.Since(start); err != nil {
			b.Fatal(err)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		perJob = float64(m.HeapAlloc) / float64(len(p.Jobs))
		runtime.KeepAlive(p)
		return took, perJob
	}
	var one, ten time.Duration
	perJob := 0.0
	for b.Loop() {
		took, _ := load(small)
		one += took
		took, perJob = load(large)
		ten += took
	}
	b.ReportMetric(float64(ten)/float64(one), "x-time/10x-rows")
	b.ReportMetric(perJob, "B/job")
}

// FuzzCSV reads arbitrary CSV files through one template.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"name,instance,cluster,db\na,pc-1,amv-1,d\n", "\ufeffname,instance,cluster,db\r\n\"a\",pc-1,amv-1,\"x,\"\"y\"\n",
		"name;instance\na;b\n", "name,name\n", "\"", "name,instance,cluster,db\na\"b,c,d,e\n\"a", "", "name,instance,cluster,db\n\xff,\x00,\u202e,${row.name}\n",
		"name,instance,cluster,db,password\na,pc 1,amv-1,d,Zq7vXw9LmK2pRt4s\n", "name,instance,cluster,db\n" + strings.Repeat("a,pc-1,amv-1,d\n", 50),
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plan.yaml"), []byte(csvPlan), 0o600); err != nil {
		f.Fatal(err)
	}
	limitPlans(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<20 {
			return
		}
		folder := t.TempDir()
		if err := errors.Join(
			os.WriteFile(filepath.Join(folder, "jobs.csv"), data, 0o600),
			os.WriteFile(filepath.Join(folder, "plan.yaml"), []byte(csvPlan), 0o600),
		); err != nil {
			t.Fatal(err)
		}
		var p *Plan
		var err error
		bounded(t, func() { p, err = Load([]string{filepath.Join(folder, "plan.yaml")}, Options{}) })
		var problems Problems
		switch {
		case err == nil:
			checkPlan(t, p)
		case !errors.As(err, &problems) || len(problems) == 0 || p != nil:
			t.Fatalf("got %v and %#v", p, err)
		}
		for _, problem := range problems {
			if text := strings.ReplaceAll(problem.String(), "\n", ""); !utf8.ValidString(text) || printable.Line(text) != text {
				t.Errorf("%q is not printable", text)
			}
		}
	})
}

// FuzzObjects holds the two ways to write db_list, as YAML and as JSON text,
// against each other.
func FuzzObjects(f *testing.F) {
	for _, seed := range []string{
		`{"a":1}`, `{"a":{"b":[1,2.50,-0,1e3,true,null,"x"]}}`, `{"a":"\u00e9\ud83d\ude00"}`, `{"é":"<>&"}`, `{"a":1,"a":2}`,
		`{"a":"\ud800"}`, `[1]`, `{}`, `{"a":1e9999}`, strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 64<<10 {
			return
		}
		var canonical string
		var err error
		bounded(t, func() { canonical, err = CanonicalJSON(text) })
		if err != nil {
			return
		}
		again, err := CanonicalJSON(canonical)
		if err != nil || again != canonical {
			t.Fatalf("the canonical form %q becomes %q, %v", canonical, again, err)
		}
		if !SameJSON(text, canonical) {
			t.Errorf("%q is not the same as its canonical form %q", text, canonical)
		}
		if !strings.HasPrefix(canonical, "{") || canonical == "{}" || strings.Contains(canonical, "$") || strings.ContainsRune(canonical, 0x7f) {
			return
		}
		// JSON is YAML, so the same text without quotes around it is a mapping.
		const head = "version: 1\nname: p\nregion: cn-hangzhou\njobs:\n- name: a\n  source: {instance: pc-1}\n  destination: {instance: amv-1}\n  db_list: "
		p, err := Parse("plan.yaml", []byte(head+canonical+"\n"), Options{})
		if err == nil && p.Jobs[0].DBList != canonical {
			t.Errorf("as YAML, %q becomes %q", canonical, p.Jobs[0].DBList)
		}
	})
}
