package shapes

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type perAuthor struct {
	Author int64    `kin:"author"`
	Name   string   `kin:"author__name"`
	N      int64    `kin:"count(*)"`
	Price  *float64 `kin:"sum(price)"`
	Stars  int64    `kin:"sum(comments__stars),zero"`
}

// TestSelectionAsSource filters, groups, orders and counts the rows of a grouped
// selection, in one statement.
func TestSelectionAsSource(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx, db := t.Context(), s.DB
		groups := kin.Select[perAuthor](kin.Query[article]())
		all, err := groups.All(ctx, db)
		require.NoError(t, err)
		require.Equal(t, []perAuthor{{1, "Ann", 2, new(2.0), 1}, {2, "Bea", 2, nil, 3}}, all)
		q := groups.Query()
		s.Wire.Reset()

		type top struct {
			Name  string
			Stars int64
		}
		rows, err := kin.Select[top](q.Filter("stars__gt", 1)).All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, []top{{"Bea", 3}}, rows)
		rows, err = kin.Select[top](q.OrderBy("-stars")).All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, []top{{"Bea", 3}, {"Ann", 1}}, rows)
		rows, err = kin.Select[top](q.Exclude("price", nil).Where(kin.F("n").Add(kin.F("stars")).Eq(3))).OrderBy("name").All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, []top{{"Ann", 1}}, rows)
		type sum struct {
			N     int64
			Times int64   `kin:"count(*)"`
			Stars int64   `kin:"sum(stars)"`
			Most  string  `kin:"max(name)"`
			Mean  float64 `kin:"avg(stars)"`
		}
		sums, err := kin.Select[sum](q).All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, []sum{{2, 2, 4, "Bea", 2}}, sums)
		limited, err := kin.Select[sum](groups.OrderBy("-stars").Limit(1).Query()).All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, []sum{{2, 1, 3, "Bea", 3}}, limited)
		n, err := q.Filter("name__startswith", "A").Count(ctx, db)
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
		yes, err := q.Filter("stars__gt", 99).Exists(ctx, db)
		require.NoError(t, err)
		assert.False(t, yes)
		for _, text := range s.Wire.Statements() {
			assert.True(t, strings.HasPrefix(text, "WITH "), text)
		}
		assert.Len(t, s.Wire.Statements(), 7)

		// A source of a source, and of a set.
		again, err := kin.Select[top](kin.Select[top](q.Filter("n", 2)).Query().Filter("stars", 1)).All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, []top{{"Ann", 1}}, again)
		type name struct{ Name string }
		names := kin.Select[name](kin.Query[author]()).Union(kin.Select[name](kin.Query[label]()))
		n, err = names.Query().Filter("name__contains", "e").Count(ctx, db)
		require.NoError(t, err)
		assert.EqualValues(t, 3, n, "Bea, Cem, news")
		// Within other queries: by its keys, by a value of the row around, twice, and
		// written once.
		s.Wire.Reset()
		best, err := kin.Query[author]().
			Where(kin.InQuery("id", q.Filter("stars__gte", 1), kin.F("author"))).
			Where(kin.Exists(q.Where(kin.F("author").Eq(kin.Outer("id")), kin.F("stars").Gt(kin.ValueOf(q, kin.Min("stars")))))).All(ctx, db)
		require.NoError(t, err)
		require.Len(t, best, 1)
		assert.Equal(t, "Bea", best[0].Name)
		texts := s.Wire.Statements()
		require.Len(t, texts, 1)
		assert.Equal(t, 1, strings.Count(texts[0], "SUM("+string(s.Dialect().AppendIdent(nil, "articles"))), texts[0])
		type both struct {
			Name  string
			Stars *int64
			Mean  *float64
		}
		joined, err := kin.Select[both](kin.Query[author]().
			Annotate("stars", kin.ValueOf(q.Where(kin.F("author").Eq(kin.Outer("id"))), kin.F("stars"))).
			Annotate("mean", kin.ValueOf(q, kin.Avg("stars")))).All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, []both{{"Ann", new(int64(1)), new(2.0)}, {"Bea", new(int64(3)), new(2.0)}, {"Cem", nil, new(2.0)}}, joined)
		// Nothing in it.
		none := kin.Select[perAuthor](kin.Query[article]().Filter("pk__in", []int64{})).Query()
		n, err = none.Count(ctx, db)
		require.NoError(t, err)
		assert.Zero(t, n)
		n, err = kin.Query[author]().Where(kin.Not(kin.Exists(none))).Count(ctx, db)
		require.NoError(t, err)
		assert.EqualValues(t, 3, n)
		s.Wire.Reset()
		for want, err := range map[string]error{
			"read them by kin.Select":                 errOf(q.All(ctx, db)),
			`perAuthor has no field or relation "nn"`: errOf(q.Filter("nn", 1).Count(ctx, db)),
			"without a key, and have no DistinctOn":   errOf(kin.Select[top](q.DistinctOn("n")).All(ctx, db)),
			"is not registered":                       errOf(q.Filter("n", 1).Delete(ctx, db)),
			"asks for the rows of a selection":        errOf(kin.Query[author]().Where(kin.Exists(q)).Delete(ctx, db)),
		} {
			require.ErrorContains(t, err, want)
		}
		s.Wire.Want(t, 0, 0)
	})
}
