// Package kintest has helpers for the tests of programs that use kin.
package kintest

import (
	"context"

	"github.com/kin-orm/kin"
)

// A T is a *testing.T, a *testing.B or the like.
type T interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// NoSequentialScan fails the test if the database would run the query by
// reading a whole table that has more than that many rows. Fill the tables
// first as they are filled in earnest, and let the database gather statistics:
// which plan it takes hangs on them.
func NoSequentialScan[M any](t T, db kin.Executor, q kin.QuerySet[M], rows int64) {
	t.Helper()
	plan, err := q.Explain(t.Context(), db)
	if err != nil {
		t.Fatalf("%v", err)
		return
	}
	scans, err := plan.ScansOver(t.Context(), rows)
	if err != nil {
		t.Fatalf("%v", err)
		return
	}
	for _, n := range scans {
		t.Errorf("the query reads all rows of %s, which has more than %d:\n%s", n.Table, rows, plan)
	}
}
