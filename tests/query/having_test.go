package query

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestGroupsOfRelated groups rows with aggregates over to-many relations, by
// themselves and within expressions: all are put together for each group.
func TestGroupsOfRelated(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		clubs := kin.Count("clubs")
		q := kin.Query[student]().Annotate("twice", clubs.Mul(2)).Annotate("all", clubs.Add(kin.Count("*"))).
			Annotate("last", kin.Max("clubs__id").Default(0))
		type row struct {
			Class  string `kin:"class__name"`
			Twice  int64
			All    int64
			Last   int64
			Number int64 `kin:"count(*)"`
		}
		sel := kin.Select[row](q)
		a, b := row{"a", 6, 5, 2, 2}, row{"b", 2, 4, 2, 3}
		for why, c := range map[string]struct {
			sel  kin.Selection[row]
			want []row
		}{
			"all":                      {sel, []row{a, b}},
			"over a relation":          {sel.Having(clubs.Gt(1)), []row{a}},
			"within an expression":     {sel.Having(clubs.Mul(2).Lt(6)), []row{b}},
			"with one of the rows":     {sel.Having(clubs.Add(kin.Count("*")).In(4, 7)), []row{b}},
			"by a name":                {sel.Having(kin.Q("twice", 6)), []row{a}},
			"with a condition":         {sel.Having(kin.Count("*").Where(kin.Q("age__gt", 11)).Eq(kin.Count("*").Where(kin.Q("category", nil)))), []row{a}},
			"with one over a relation": {sel.Having(kin.Count("*").Where(kin.Has("clubs")).Eq(2)), []row{a}},
			"a complement":             {sel.Having(kin.Not(kin.Sum("score").Gt(2))), []row{a}},
		} {
			rows, err := c.sel.All(ctx, s.DB)
			require.NoError(t, err, why)
			assert.Equal(t, c.want, rows, why)
		}
		type one struct{ Age int }
		for why, cond := range map[string]*kin.Condition{
			"a field": kin.Q("class__name", "a"), "an expression": kin.F("age").Gt(1), "a related row": kin.Has("clubs"),
			"a subquery":    kin.Exists(kin.Query[class]().Where(kin.F("id").Eq(kin.Outer("class")))),
			"a subquery in": kin.InQuery("class", kin.Query[class](), kin.F("id")),
		} {
			_, err := sel.Having(cond).All(ctx, s.DB)
			require.ErrorContains(t, err, "Having asks groups of rows of student", why)
			_, err = kin.Select[one](kin.Query[student]()).Having(kin.Count("*").Gt(0), cond).All(ctx, s.DB)
			require.ErrorContains(t, err, "Having asks groups of rows of student", why)
			_, err = kin.Select[one](kin.Query[student]()).Having(cond).All(ctx, s.DB)
			require.NoError(t, err, "without groups it is about rows: %s", why)
		}
	})
}
