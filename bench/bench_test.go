package bench_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders"
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/db"
)

// BenchmarkWorkload is each workload by each contender on each database, for
// profiles and benchstat. To compare contenders, cmd/bench runs them interleaved.
func BenchmarkWorkload(b *testing.B) {
	for _, name := range db.Names() {
		b.Run(name, func(b *testing.B) {
			target := openTarget(b, name)
			for _, w := range bench.Workloads() {
				b.Run(w.Name, func(b *testing.B) {
					for _, c := range contenders.All() {
						if c.Databases == nil || slices.Contains(c.Databases, name) {
							b.Run(c.Name, func(b *testing.B) { one(b, target, c, w) })
						}
					}
				})
			}
		})
	}
}

func one(b *testing.B, target *db.Target, c bench.Contender, w bench.Workload) {
	b.Helper()
	ctx := b.Context()
	in := target.Instance()
	s, err := c.Open(ctx, in)
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	op, can := s.Ops[w.Name]
	if !can {
		b.Skip("cannot")
	}
	if w.Kind == bench.Insert || w.Kind == bench.Update {
		require.NoError(b, target.Reset(ctx))
	}
	run := 0
	do := func() {
		require.NoError(b, op.Run(ctx, run))
		run++
	}
	warm := data.Cycle
	if w.Kind != bench.Read {
		warm = 2
	}
	for range warm {
		do()
	}
	in.Seal()
	b.ReportAllocs()
	for b.Loop() {
		do()
	}
}
