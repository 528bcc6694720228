package tests_test

import (
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests"
)

type memoryRow struct {
	ID   int64
	Name string
	Note string
}

// TestInsertMemory inserts few rows and many, and looks at what is in use in
// the middle of the last chunk. It is no case of the suite, because those run
// side by side, and all of them use memory.
//
//nolint:paralleltest // it must run alone, for the same reason
func TestInsertMemory(t *testing.T) {
	for _, target := range []tests.Target{tests.SQLite(), tests.Postgres(), tests.MySQL()} {
		t.Run(target.Name, func(t *testing.T) {
			target.Need(t)
			registry := new(kin.Registry)
			kin.Register[memoryRow](registry)
			s := tests.New(t, target).With(kin.WithRegistry(registry))
			require.NoError(t, kin.CreateTables(t.Context(), s.DB))
			few, many := insertMemory(t, s, 2_000), insertMemory(t, s, 42_000)
			// The keys are remembered until all rows are there: a value, the number
			// in it, and a place in a list that grows. A row's values and its place
			// in a statement's text would be several hundred bytes.
			perRow := float64(many-few) / 40_000
			t.Logf("%.1f bytes for each row beyond 2,000", perRow)
			assert.Less(t, perRow, 120.0)
		})
	}
}

func insertMemory(t *testing.T, s *tests.Suite, n int) int64 {
	t.Helper()
	rows := make([]*memoryRow, n)
	for i := range rows {
		rows[i] = &memoryRow{Name: strconv.Itoa(i), Note: "note"}
	}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, during := heap(), int64(0)
	batch := kin.Batch{Progress: func(done, all int) {
		if done == all {
			during = heap()
		}
	}}
	require.NoError(t, kin.Insert(t.Context(), batch.On(s.DB), rows...))
	require.NotZero(t, during)
	runtime.KeepAlive(rows)
	return during - before
}
