package query

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestWindowsInSubqueries looks for values among those that windows give, and
// asks whether limited subqueries have rows.
func TestWindowsInSubqueries(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		q := kin.Query[student]()
		byAge := kin.Window{Order: []string{"age"}}
		assert.Equal(t, "AB", names(t, s, q.Where(kin.InQuery("id", q.Filter("class__name", "a"), kin.RowNumber().Over(byAge)))))
		assert.Equal(t, "CD\xc3", names(t, s, q.Where(kin.Not(kin.InQuery("id", q.Filter("class__name", "a"), kin.RowNumber().Over(byAge))))))
		_, err := q.Where(kin.InQuery("age", q, kin.Lag(kin.F("age"), 1).Over(byAge))).All(t.Context(), s.DB)
		require.ErrorContains(t, err, "looked for in a selection")
		older := q.Where(kin.F("class").Eq(kin.Outer("class")), kin.F("age").Gt(kin.Outer("age"))).OrderBy("-age")
		assert.Equal(t, "ACD", names(t, s, q.Where(kin.Exists(older.Limit(1)))))
		assert.Empty(t, names(t, s, q.Where(kin.Exists(older.Limit(0)))))
		for _, w := range []kin.Window{
			{Frame: &kin.Frame{Before: 1}}, {Order: []string{"age"}, Frame: &kin.Frame{Before: -2}},
		} {
			_, err := kin.Value[int64](t.Context(), s.DB, q, kin.Sum("age").Over(w))
			require.ErrorContains(t, err, "rame")
		}
	})
}
