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
		{"read-one", 30},
		{"wide-100", 100},
		{"wide-10000", 6720},
		{"students-joined", 38},
		{"classes-joined", 40},
		{"classes-prefetched", 112},
		{"seed-split", 47}, // one statement with two branches
		{"seed-prefetched", 182},
		{"filter-count", 24},
		{"filter-list", 34},
		{"text-kept", 0},
		{"text-fresh", 15},
		{"insert-one", 46},
		{"update-one", 20},
		{"update-1000", 4560},
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
