package bench

import (
	"bufio"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	_ "github.com/mattn/go-sqlite3"
	yaml3 "gopkg.in/yaml.v3"
)

// longPlan has n jobs of 11 lines each, as a generator writes them that knows no
// defaults: about 30 MB for 100,000.
func longPlan(n int) string {
	var b strings.Builder
	b.WriteString("version: 1\nname: bench\nregion: cn-hangzhou\njobs:\n")
	for i := range n {
		fmt.Fprintf(&b, `  - name: orders-%06d
    source:
      instance: pc-bp1orders%05d
      user: sync
      password: {env: SRC_PASSWORD}
    destination:
      instance: amv-bp1analytics
      user: loader
      password: {env: DST_PASSWORD}
    db_list: {"orders_%06d": {"name": "orders", "all": true}}
    labels: {team: orders, wave: w%d}
`, i, i/3, i, i%10)
	}
	return b.String()
}

func init() {
	roles["plan"] = func(args []string) error {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return os.WriteFile(args[0], []byte(longPlan(n)), 0o600)
	}
	roles["yaml.v3"] = func(args []string) error {
		text, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		var p yaml3Plan
		if err := yaml3.Unmarshal(text, &p); err != nil || len(p.Jobs) == 0 {
			return errors.Join(err, errors.New("no jobs"))
		}
		return nil
	}
	roles["goccy"] = func(args []string) error {
		text, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		var p yaml3Plan
		if err := yaml.Unmarshal(text, &p); err != nil || len(p.Jobs) == 0 {
			return errors.Join(err, errors.New("no jobs"))
		}
		return nil
	}
	roles["floor"] = func(args []string) error { return floor(args[0], args[1]) }
}

// yaml3Plan is what a program would decode a plan into that checks nothing.
type yaml3Plan struct {
	Version      int
	Name, Region string
	Jobs         []struct {
		Name                string
		Source, Destination struct {
			Instance, User string
			Password       map[string]string
		}
		DBList map[string]any `yaml:"db_list"`
		Labels map[string]string
	}
}

// floor does what a run over an unchanged plan cannot do without: it hashes the
// file and reads, in one scan, what the ledger has of each job.
func floor(file, ledger string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, bufio.NewReaderSize(f, 1<<20)); err != nil {
		return err
	}
	db, err := sql.Open("sqlite3", "file:"+ledger+"?mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.Query("SELECT name, state, digest FROM entries WHERE plan = 'bench'")
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var name, state, digest string
		if err := rows.Scan(&name, &state, &digest); err != nil {
			return err
		}
	}
	if n == 0 {
		return errors.New("the ledger is empty")
	}
	return rows.Err()
}

// longPlan writes a plan of n jobs, in a process of its own as fill does.
func (b *bench) longPlan(name string, n int) string {
	b.Helper()
	b.self("plan", b.path(name), strconv.Itoa(n))
	return b.path(name)
}

// BenchmarkFirstPlan: a plan of 100,000 jobs and no ledger, against decoding the
// same file into structs.
func BenchmarkFirstPlan(b *testing.B) {
	bench := newBench(b)
	file := bench.longPlan("plan.yaml", 100_000)
	var ours, yaml3 cost
	for b.Loop() {
		ours.least(bench.apsctl("plan", file))
		yaml3.least(bench.self("yaml.v3", file))
	}
	b.ReportMetric(ours.wall.Seconds(), "s/plan")
	b.ReportMetric(ours.cpu.Seconds(), "cpu-s/plan")
	b.ReportMetric(yaml3.wall.Seconds(), "s/yaml.v3")
	b.ReportMetric(ours.wall.Seconds()/yaml3.wall.Seconds(), "of-yaml.v3")
	b.ReportMetric(ours.cpu.Seconds()/yaml3.cpu.Seconds(), "cpu-of-yaml.v3")
	b.ReportMetric(ours.mebibytes(), "peak-MiB")
}

// BenchmarkFirstPlanOf10k is the same with 10,000 jobs, which goccy's decoder can
// take as well.
func BenchmarkFirstPlanOf10k(b *testing.B) {
	bench := newBench(b)
	file := bench.longPlan("plan.yaml", 10_000)
	var ours, yaml3, goccy cost
	for b.Loop() {
		ours.least(bench.apsctl("plan", file))
		yaml3.least(bench.self("yaml.v3", file))
		goccy.least(bench.self("goccy", file))
	}
	b.ReportMetric(ours.wall.Seconds()/yaml3.wall.Seconds(), "of-yaml.v3")
	b.ReportMetric(ours.wall.Seconds()/goccy.wall.Seconds(), "of-goccy")
	b.ReportMetric(ours.mebibytes(), "peak-MiB")
}

// BenchmarkGrowth: how many times as much processor time ten times the jobs take.
func BenchmarkGrowth(b *testing.B) {
	bench := newBench(b)
	var costs [3]cost
	sizes := [3]int{1_000, 10_000, 100_000}
	for i, n := range sizes {
		bench.longPlan(fmt.Sprintf("plan-%d.yaml", i), n)
	}
	for b.Loop() {
		for i := range sizes {
			costs[i].least(bench.apsctl("plan", fmt.Sprintf("plan-%d.yaml", i)))
		}
	}
	b.ReportMetric(costs[1].cpu.Seconds()/costs[0].cpu.Seconds(), "10k-of-1k")
	b.ReportMetric(costs[2].cpu.Seconds()/costs[1].cpu.Seconds(), "100k-of-10k")
}
