package tests_test

import (
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests"
)

// TestIterMemory reads many rows one by one, and in batches, and looks at what
// is in use near the beginning and near the end. There are 40,000 rows, or as
// many as KIN_ROWS says: kin's own runs have been made with 1,000,000.
//
//nolint:paralleltest // it must run alone, as TestInsertMemory
func TestIterMemory(t *testing.T) {
	n := 40_000
	if text := os.Getenv("KIN_ROWS"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	for _, target := range []tests.Target{tests.SQLite(), tests.Postgres(), tests.MySQL()} {
		t.Run(target.Name, func(t *testing.T) {
			target.Need(t)
			registry := new(kin.Registry)
			kin.Register[memoryRow](registry)
			s := tests.New(t, target).With(kin.WithRegistry(registry))
			ctx := t.Context()
			require.NoError(t, kin.CreateTables(ctx, s.DB))
			s.Exec(t, "INSERT INTO memory_rows (name, note) VALUES ('a name', 'a note')")
			for have := 1; have < n; have *= 2 {
				s.Exec(t, "INSERT INTO memory_rows (name, note) SELECT name, note FROM memory_rows LIMIT "+strconv.Itoa(n-have))
			}
			var early, late int64
			seen := 0
			look := func(rows int) {
				before := seen
				seen += rows
				if at := n / 20; before < at && seen >= at {
					early = heapInUse()
				}
				if at := n - n/20; before < at && seen >= at {
					late = heapInUse()
				}
			}
			check := func(how string) {
				require.Equal(t, n, seen, how)
				t.Logf("%s: %d bytes in use after 5 %% of the rows, %+d after 95 %%", how, early, late-early)
				assert.Less(t, late-early, int64(256<<10), how)
				seen = 0
			}
			q := kin.Query[memoryRow]()
			for row, err := range q.Iter(ctx, s.DB) {
				require.NoError(t, err)
				require.Equal(t, "a name", row.Name)
				look(1)
			}
			check("Iter")
			for rows, err := range q.Batches(ctx, s.DB, 1000) {
				require.NoError(t, err)
				look(len(rows))
			}
			check("Batches")
		})
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
