package query

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestAggregateWhere gives conditions to aggregates whose paths follow foreign
// keys: they are about the rows at the end, as those over to-many relations are.
func TestAggregateWhere(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		value := func(e kin.Expr) int64 {
			t.Helper()
			n, err := kin.Value[int64](ctx, s.DB, kin.Query[student](), e)
			require.NoError(t, err)
			return n
		}
		assert.EqualValues(t, 2, value(kin.Count("category").Where(kin.Q("name", "Music"))))
		assert.EqualValues(t, 1, value(kin.CountDistinct("category__name").Where(kin.Not(kin.Q("name", "Music")))))
		assert.EqualValues(t, 2, value(kin.Max("class__id").Where(kin.Has("teachers", kin.Q("pay__gt", 500)))))
		assert.EqualValues(t, 5, value(kin.Count("class").Where(kin.Count("students").Gt(1))))
		_, err := kin.Value[int64](ctx, s.DB, kin.Query[student](), kin.Count("category").Where(kin.Q("age", 1)))
		require.ErrorContains(t, err, `category has no field or relation "age"`)
	})
}
