package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/plan"
)

// shortPlan has n jobs without passwords.
func shortPlan(n int) string {
	return fmt.Sprintf("version: 1\nname: bench\nregion: cn-hangzhou\ngenerate:\n  - range: {from: 1, to: %d, width: 6}\n", n) +
		"    job:\n      name: orders-${item}\n      source: {instance: \"pc-${item}\"}\n" +
		"      destination: {instance: amv-1}\n      db_list: {EntireInstance: true}\n"
}

func init() {
	roles["loop"] = func(args []string) error {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		workers, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return loop(args[0], n, workers)
	}
}

// loop creates n jobs with the same client and nothing else: no plan, no ledger,
// no protection.
func loop(address string, n, workers int) error {
	client, err := aps.New(aps.Options{Endpoint: address, Credentials: aps.StaticCredentials("emulator", "emulator", "")})
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	var group errgroup.Group
	for range workers {
		group.Go(func() error {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				spec := plan.Spec{
					Name: fmt.Sprintf("loop-%06d", i), Region: "cn-hangzhou", Source: plan.SourceEndpoint{Instance: fmt.Sprintf("pc-%06d", i)},
					Destination: plan.DestinationEndpoint{Instance: "amv-1"}, DBList: `{"EntireInstance":true}`,
				}
				if o := client.Create(context.Background(), plan.CreateRequest{Spec: spec, Nonce: rand.Text(), SignedAt: time.Now()}); o.Verdict != plan.VerdictCreated {
					return errors.New(o.Why)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// BenchmarkApply: 20,000 creates at an emulator that takes no time, with both
// writes of each job on disk, against the bare loop.
func BenchmarkApply(b *testing.B) {
	const n, workers = 20_000, 64
	bench := newBench(b)
	file := bench.write("plan.yaml", shortPlan(n))
	var ours, bare cost
	round := 0
	for b.Loop() {
		round++
		address := bench.emulator()
		bare.least(bench.self("loop", address, strconv.Itoa(n), strconv.Itoa(workers)))
		bench.emulator()
		ours.least(bench.apsctl("apply", "--yes", "--rate", "0", "--parallel", strconv.Itoa(workers),
			"--ledger", bench.path(fmt.Sprintf("ledger-%d.db", round)), file))
	}
	b.ReportMetric(n/ours.wall.Seconds(), "creates/s")
	b.ReportMetric(n/bare.wall.Seconds(), "bare-creates/s")
	b.ReportMetric(bare.wall.Seconds()/ours.wall.Seconds(), "of-bare-rate")
	b.ReportMetric(ours.cpu.Seconds()/bare.cpu.Seconds(), "cpu-of-bare")
	b.ReportMetric(ours.mebibytes(), "peak-MiB")
}

// BenchmarkApplyWithLatency: 5,000 creates that take 50 ms each, with 64 workers,
// against 5,000 × 50 ms / 64, and against the bare loop, which needs no listing first.
func BenchmarkApplyWithLatency(b *testing.B) {
	const n, workers, latency = 5_000, 64, 50 * time.Millisecond
	bench := newBench(b)
	file := bench.write("plan.yaml", shortPlan(n))
	var ours, bare cost
	round := 0
	for b.Loop() {
		round++
		address := bench.emulator("--latency", latency.String())
		bare.least(bench.self("loop", address, strconv.Itoa(n), strconv.Itoa(workers)))
		bench.emulator("--latency", latency.String())
		ours.least(bench.apsctl("apply", "--yes", "--rate", "0", "--parallel", strconv.Itoa(workers),
			"--ledger", bench.path(fmt.Sprintf("ledger-%d.db", round)), file))
	}
	ideal := latency * n / workers
	b.ReportMetric(ours.wall.Seconds()/ideal.Seconds(), "of-ideal-time")
	b.ReportMetric(bare.wall.Seconds()/ideal.Seconds(), "bare-of-ideal-time")
	b.ReportMetric(ours.cpu.Seconds(), "cpu-s")
}

// BenchmarkApplyOf100k: what the process needs in memory.
func BenchmarkApplyOf100k(b *testing.B) {
	bench := newBench(b)
	file := bench.write("plan.yaml", shortPlan(100_000))
	var ours cost
	round := 0
	for b.Loop() {
		round++
		bench.emulator()
		ours.least(bench.apsctl("apply", "--yes", "--rate", "0", "--parallel", "64",
			"--ledger", bench.path(fmt.Sprintf("ledger-%d.db", round)), file))
	}
	b.ReportMetric(ours.wall.Seconds(), "s/apply")
	b.ReportMetric(ours.mebibytes(), "peak-MiB")
}

// BenchmarkVersion: the least that any command takes.
func BenchmarkVersion(b *testing.B) {
	bench := newBench(b)
	var ours cost
	for b.Loop() {
		ours.least(bench.apsctl("version"))
	}
	b.ReportMetric(float64(ours.wall.Microseconds())/1000, "ms")
}
