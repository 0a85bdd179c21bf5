package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

func init() {
	roles["fill"] = func(args []string) error {
		events, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		entries := jobsOf(args[2])
		if n, err := strconv.Atoi(args[2]); err == nil {
			entries = anyJobs(n)
		}
		return fill(context.Background(), args[0], events, entries)
	}
}

// fill makes a ledger that has the jobs of a plan file, or so many, as created, each
// with its attempt and so many events. It does so in a process of its own: what this
// one needs would count as the memory of those that it starts.
func (b *bench) fill(name string, events int, jobs string) string {
	b.Helper()
	b.self("fill", b.path(name), strconv.Itoa(events), jobs)
	return b.path(name)
}

// fill writes rows as runs leave them, and far faster.
func fill(ctx context.Context, path string, events int, entries func(context.Context, *sql.DB) error) error {
	ledger, err := store.Open(ctx, path, store.Options{Create: true})
	if err == nil {
		err = ledger.Close()
	}
	if err != nil {
		return err
	}
	return fillRows(ctx, path, events, entries)
}

func fillRows(ctx context.Context, path string, events int, entries func(context.Context, *sql.DB) error) error {
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=rw&_synchronous=OFF&_cache_size=-200000")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := entries(ctx, db); err != nil {
		return err
	}
	for _, query := range []string{
		`INSERT INTO attempts (entry_id, attempt, nonce, signed_at_ms, server_offset_ms, endpoint, region, digest, baseline, run_id,
			outcome, request_id, created_at_ms, updated_at_ms)
		SELECT id, 1, printf('%026d', id), signed_at_ms, 0, 'loopback', region, digest, 'null',
			'20260101T000000Z-FILLED00', 'created', request_id, signed_at_ms, updated_at_ms FROM entries`,
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO events (serial, at_ms, run_id, plan, name, attempt, from_state, to_state, aps_job_id, request_id, code, reason, evidence)
		SELECT e.id, signed_at_ms, '20260101T000000Z-FILLED00', plan, name, 1, 'intent', 'created', aps_job_id, request_id, '', '', ''
		FROM n CROSS JOIN entries e`, events),
		`UPDATE meta SET serial = (SELECT max(serial) FROM events), account = 'emulator', service = 'loopback'`,
	} {
		if _, err := db.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

const insertEntry = `INSERT INTO entries (plan, name, state, attempt, region, digest, spec, labels, aps_job_id, candidates, code, reason,
	signed_at_ms, baseline, request_id, updated_at_ms, life)`

// anyJobs are n jobs of no plan in particular.
func anyJobs(n int) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) `+insertEntry+`
		SELECT 'bench', printf('orders-%07d', i), 'created', 1, 'cn-hangzhou', 'sha256:' || printf('%064x', i * 7919),
			printf('{"name":"orders-%07d","region":"cn-hangzhou","source":{"instance":"pc-bp1orders%07d","user":"sync"},' ||
				'"destination":{"instance":"amv-bp1analytics","user":"loader"},"db_list":"{\"orders_%07d\":{\"all\":true,\"name\":\"orders\"}}"}', i, i / 3, i),
			printf('{"team":"orders","wave":"w%d"}', i % 10), printf('aps-bp1%012d', i), 'null', '', '',
			1750000000000 + i, 'null', printf('%032x', i), 1750000000000 + i, '{}' FROM n`, n)
		return err
	}
}

// jobsOf are those of a plan file, as it wants them.
func jobsOf(file string) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		wanted, err := plan.Load([]string{file}, plan.Options{})
		if err != nil {
			return err
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		stmt, err := tx.PrepareContext(ctx, insertEntry+` VALUES (?1, ?2, 'created', 1, ?3, ?4, ?5, ?6, printf('aps-bp1%012d', ?7), 'null', '', '',
			1750000000000 + ?7, 'null', printf('%032x', ?7), 1750000000000 + ?7, ?8)`)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for i := range wanted.Jobs {
			job := &wanted.Jobs[i]
			labels, err := json.Marshal(job.Labels)
			if err != nil {
				return err
			}
			if _, err := stmt.ExecContext(ctx, wanted.Name, job.Name, job.Region, job.Digest, job.Spec.JSON(), string(labels), i, job.Life.Kept()); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
}

// BenchmarkNoOpPlan: the plan again once all its jobs exist, against hashing the
// file and scanning the ledger. The first time it is read, and then no more.
func BenchmarkNoOpPlan(b *testing.B) {
	bench := newBench(b)
	file := bench.longPlan("plan.yaml", 100_000)
	ledger := bench.fill("ledger.db", 2, file)
	first := bench.apsctl("plan", "--ledger", ledger, file)
	var ours, least cost
	for b.Loop() {
		ours.least(bench.apsctl("plan", "--ledger", ledger, file))
		least.least(bench.self("floor", file, ledger))
	}
	b.ReportMetric(first.wall.Seconds(), "s/first")
	b.ReportMetric(ours.wall.Seconds(), "s/plan")
	b.ReportMetric(ours.cpu.Seconds(), "cpu-s/plan")
	b.ReportMetric(least.wall.Seconds(), "s/floor")
	b.ReportMetric(ours.wall.Seconds()/least.wall.Seconds(), "of-floor")
	b.ReportMetric(ours.mebibytes(), "peak-MiB")
}

// BenchmarkStatusOf1M: the summary of a ledger of 1,000,000 entries and 10,000,000
// events, and the same of a small one.
func BenchmarkStatusOf1M(b *testing.B) {
	bench := newBench(b)
	small, large := bench.fill("small.db", 10, "1000"), bench.fill("large.db", 10, "1000000")
	var ofSmall, ofLarge cost
	for b.Loop() {
		ofSmall.least(bench.apsctl("status", "--ledger", small))
		ofLarge.least(bench.apsctl("status", "--ledger", large))
	}
	b.ReportMetric(ofSmall.wall.Seconds()*1000, "ms/1k")
	b.ReportMetric(ofLarge.wall.Seconds()*1000, "ms/1M")
	b.ReportMetric(ofSmall.cpu.Seconds()*1000, "cpu-ms/1k")
	b.ReportMetric(ofLarge.cpu.Seconds()*1000, "cpu-ms/1M")
	b.ReportMetric(ofLarge.mebibytes(), "peak-MiB")
}
