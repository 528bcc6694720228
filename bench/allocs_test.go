//go:build !kin_safe

package bench_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/bench/contenders/kin"
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/db"
)

// TestAllocs holds how often kin allocates above the driver: on replay, which
// allocates next to nothing itself. The bounds are what was measured; they are
// to come down, and must not go up.
func TestAllocs(t *testing.T) { //nolint:paralleltest // others would be counted
	target, err := db.Open(t.Context(), "replay")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, target.Close()) })
	for _, test := range []struct {
		workload string
		most     float64
	}{
		{"read-one", 16},
		{"wide-100", 90},
		{"wide-10000", 6720},
		{"students-joined", 20},
		{"classes-joined", 22},
		{"classes-prefetched", 50},
		{"seed-split", 25}, // one statement with two branches
		{"seed-prefetched", 80},
		{"filter-count", 16},
		{"filter-list", 20},
		{"text-kept", 0},
		{"text-fresh", 15},
		{"insert-one", 25},
		{"insert-1000", 1120}, // 1,000 of them are the rows, which the workload makes
		{"update-one", 13},
		{"update-1000", 1790},
	} {
		t.Run(test.workload, func(t *testing.T) {
			in := target.Instance()
			s, err := kin.Contender().Open(t.Context(), in)
			require.NoError(t, err)
			defer func() { require.NoError(t, s.Close()) }()
			op, run, ctx := s.Ops[test.workload], 0, t.Context()
			do := func() {
				if err := op.Run(ctx, run); err != nil {
					t.Fatal(err)
				}
				run++
			}
			for range data.Cycle {
				do()
			}
			in.Seal()
			got := testing.AllocsPerRun(2*data.Cycle, do)
			t.Log(got)
			require.LessOrEqual(t, got, test.most)
		})
	}
}
