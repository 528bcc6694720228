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

// TestAggregatesOfNoRows asks for aggregates of a query that is known to have no
// rows without asking the database: they are as those of any without rows.
func TestAggregatesOfNoRows(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		type all struct {
			N    int64    `kin:"count(*)"`
			Ages *int64   `kin:"sum(age)"`
			Mean *float64 `kin:"avg(age)"`
		}
		type one struct{ Name string }
		type group struct {
			Age int
			N   int64 `kin:"count(*)"`
		}
		names := kin.Select[one](kin.Query[student]().Filter("id__in", []int{}))
		for why, q := range map[string]kin.QuerySet[student]{
			"an empty list": kin.Query[student]().Filter("id__in", []int{}),
			"a limit":       kin.Query[student]().OrderBy("-id").Limit(0),
			"a condition":   kin.Query[student]().Filter("id", -1),
		} {
			row, err := kin.Select[all](q).Get(ctx, s.DB)
			require.NoError(t, err, why)
			assert.Equal(t, all{}, row, why)
			n, err := kin.Value[int64](ctx, s.DB, q, kin.Sum("age").Default(7))
			require.NoError(t, err, why)
			assert.EqualValues(t, 7, n, why)
			groups, err := kin.Select[group](q).All(ctx, s.DB)
			require.NoError(t, err, why)
			assert.Empty(t, groups, why)
			rows, err := kin.Select[all](q).Having(kin.Count("*").Gt(0)).All(ctx, s.DB)
			require.NoError(t, err, why)
			assert.Empty(t, rows, why)
		}
		n, err := kin.Value[int64](ctx, s.DB, names.Query(), kin.Count("*"))
		require.NoError(t, err)
		assert.Zero(t, n, "of the rows of a selection")
		n, err = kin.Value[int64](ctx, s.DB, kin.Query[student](), kin.ValueOf(kin.Query[student]().OrderBy("-age").Limit(2), kin.Sum("age")))
		require.ErrorIs(t, err, kin.ErrMultipleFound)
		assert.Zero(t, n)
		n, err = kin.Query[student]().Where(kin.F("age").Mul(2).Add(3).Eq(kin.ValueOf(kin.Query[student]().OrderBy("-age").Limit(2), kin.Sum("age")))).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 1, n, "of the rows of a limited query: 12·2+3 = 15+12")
	})
}
