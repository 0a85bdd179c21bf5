package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

const benchHead = "version: 1\nname: bulk\nregion: cn-hangzhou\n"

// manyJobs is a plan as a generator would write it.
func manyJobs(n int) string {
	var b strings.Builder
	b.WriteString(benchHead + "defaults:\n  source: {user: reader, password: {env: SOURCE_PASSWORD}}\n" +
		"  destination: {instance: amv-1, user: loader, password: {env: WAREHOUSE_PASSWORD}}\njobs:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: orders-%05d\n    source: {instance: pc-%05d}\n", i, i)
		fmt.Fprintf(&b, "    db_list:\n      shop_%05d: {name: shop, all: true}\n    labels: {team: orders, shard: \"%05d\"}\n", i, i)
	}
	return b.String()
}

func BenchmarkLoad10k(b *testing.B) {
	const n = 10_000
	path := filepath.Join(b.TempDir(), "plan.yaml")
	if err := os.WriteFile(path, []byte(manyJobs(n)), 0o600); err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		if p, err := Load([]string{path}, Options{}); err != nil || len(p.Jobs) != n {
			b.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	jobs := float64(b.N) * n
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/jobs, "ns/job")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/jobs, "B/job")
}

// BenchmarkTwiceTheSize reads plans of one shape in two sizes and reports how
// many times as long the larger one takes: about 2 where the cost is linear. The
// shapes are those whose cost could grow faster.
func BenchmarkTwiceTheSize(b *testing.B) {
	repeat := func(head, each, end string) func(int) string {
		return func(n int) string {
			var b strings.Builder
			b.WriteString(head)
			for i := range n {
				b.WriteString(strings.ReplaceAll(each, "%", fmt.Sprint(i)))
			}
			b.WriteString(end)
			return b.String()
		}
	}
	head := benchHead + "defaults: {destination: {instance: amv-1}, db_list: {EntireInstance: true}}\n"
	shapes := map[string]struct {
		text func(int) string
		n    int
	}{
		"jobs":               {manyJobs, 10_000},
		"jobs on one line":   {repeat(head+"jobs: [", "{name: j%, source: {instance: pc-%}},", "]\n"), 10_000},
		"jobs as JSON":       {repeat(`{"version":1,"name":"p","region":"cn-a","defaults":{"destination":{"instance":"a"},"db_list":{"a":1}},"jobs":[`, `{"name":"j%","source":{"instance":"p%"}},`, "]}\n"), 10_000},
		"aliases":            {repeat(head+"jobs:\n- name: a\n  source: &s {instance: pc-1, user: u}\n", "- {name: j%, <<: {region: cn-a%}, source: {<<: *s, instance: pc-%}}\n", ""), 5_000},
		"unknown keys":       {repeat(head+"jobs:\n", "- {name: j%, soruce: {instance: pc-%}, x: 1}\n", ""), 5_000},
		"mistakes on a line": {repeat(head+"jobs: [", "{nam: 1, password: x},", "]\n"), 5_000},
		"passwords":          {repeat(head+"jobs: [x]\n", "password: a: b: c\n", ""), 500},
		"long name":          {repeat(head+"jobs:\n- name: ", "xxxxxxxxxx", "\n"), 50_000},
		"long list":          {repeat(head+"jobs:\n- name: a\n  source: {instance: b}\n  db_list: {a: [", "x, ", "]}\n"), 10_000},
		"db_list as text":    {repeat(head+"jobs:\n- name: a\n  source: {instance: b}\n  db_list: |\n    {", "\"a%\": 1,\n    ", "\"z\": 1}\n"), 10_000},
		"quoted lines":       {repeat(head+"jobs:\n- name: \"a\n", "  b\n", "  c\"\n"), 10_000},
		"plain lines":        {repeat(head+"jobs:\n- name: a\n", "    b\n", ""), 10_000},
		"comments":           {repeat(head, "# password: x\n", "jobs: []\n"), 10_000},
		"broken at the end":  {repeat(head+"jobs:\n", "- {name: j%, source: {password: x}}\n", "]"), 5_000},
	}
	for name, shape := range shapes {
		b.Run(name, func(b *testing.B) {
			one, two := shape.text(shape.n), shape.text(2*shape.n)
			var short, long time.Duration
			for b.Loop() {
				short += timeOf(one)
				long += timeOf(two)
			}
			b.ReportMetric(float64(long)/float64(short), "times")
		})
	}
}

func timeOf(text string) time.Duration {
	data := []byte(text)
	runtime.GC()
	start := time.Now()
	_, _ = Parse("plan.yaml", data, Options{})
	return time.Since(start)
}
