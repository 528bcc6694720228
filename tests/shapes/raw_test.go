package shapes

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestRawPrefetch loads relations of rows that SQL of one's own has found.
func TestRawPrefetch(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx, db := t.Context(), s.DB
		q := kin.Raw[article]("SELECT * FROM articles WHERE id > ? ORDER BY id DESC", 1)
		loaded := q.Prefetch("author__home").Prefetch("comments", kin.Query[comment]().Filter("stars__gt", 0).OrderBy("-stars"))
		rows, err := loaded.All(ctx, db)
		require.NoError(t, err)
		s.Wire.Want(t, 4, 3+2+2+3)
		check := func(rows []*article) {
			t.Helper()
			require.Len(t, rows, 3)
			for i, a := range rows {
				n := 3 - i
				assert.Equal(t, fmt.Sprintf("Title %d", n), a.Title)
				assert.Equal(t, []string{"Ulm", "Bonn"}[n%2], a.Author.Get().Home.Get().Name)
				require.Len(t, a.Comments.All(), n-1)
				for j, c := range a.Comments.All() {
					assert.Equal(t, n-1-j, c.Stars)
				}
				assert.False(t, a.Labels.Loaded())
			}
		}
		check(rows)
		assert.Same(t, rows[0].Author.Get(), rows[2].Author.Get())
		plain, err := q.All(ctx, db)
		require.NoError(t, err)
		assert.False(t, plain[0].Author.Loaded(), "q is as it was")
		rows = nil
		s.Wire.Reset()
		for a, err := range loaded.Iter(ctx, db) {
			require.NoError(t, err)
			rows = append(rows, a)
		}
		check(rows)
		assert.Len(t, s.Wire.Statements(), 4)
		require.NoError(t, db.Tx(ctx, func(tx *kin.Tx) error {
			rows = nil
			for a, err := range loaded.Iter(ctx, tx) {
				require.NoError(t, err)
				rows = append(rows, a)
			}
			check(rows)
			return nil
		}))
		one, err := kin.Raw[article]("SELECT * FROM articles WHERE id = 2").Prefetch("labels").Get(ctx, db)
		require.NoError(t, err)
		assert.Len(t, one.Labels.All(), 1)
		none, err := kin.Raw[article]("SELECT * FROM articles WHERE id = 99").Prefetch("labels").All(ctx, db)
		require.NoError(t, err)
		assert.Empty(t, none)
		s.Wire.Reset()
		require.ErrorContains(t, errOf(q.Prefetch("autho").All(ctx, db)), `did you mean "author"?`)
		require.ErrorContains(t, errOf(kin.Raw[int]("SELECT 1").Prefetch("author").All(ctx, db)), "is no registered model")
	})
}

// TestRawIter reads rows one by one.
func TestRawIter(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx, db := t.Context(), s.DB
		type pair struct {
			Title string
			N     int64
		}
		var titles []string
		for a, err := range kin.Raw[article]("SELECT * FROM articles ORDER BY id").Iter(ctx, db) {
			require.NoError(t, err)
			if titles = append(titles, a.Title); len(titles) == 3 {
				break
			}
		}
		assert.Equal(t, []string{"Title 0", "Title 1", "Title 2"}, titles)
		var pairs []pair
		for p, err := range kin.Raw[pair]("SELECT title, id AS n FROM articles WHERE id < ? ORDER BY id", 3).Iter(ctx, db) {
			require.NoError(t, err)
			pairs = append(pairs, *p)
		}
		assert.Equal(t, []pair{{"Title 0", 1}, {"Title 1", 2}}, pairs)
		for n, err := range kin.Raw[int]("SELECT COUNT(*) FROM articles").Iter(ctx, db) {
			require.NoError(t, err)
			assert.Equal(t, 4, *n)
		}
		for _, bad := range []string{"SELECT 1 AS x", "SELECT nothing FROM nowhere"} {
			var failed error
			for p, err := range kin.Raw[pair](bad).Iter(ctx, db) {
				assert.Nil(t, p)
				failed = err
			}
			require.ErrorContains(t, failed, "kin: raw query for shapes.pair")
		}
		s.Wire.Reset()
	})
}

// TestDatabaseMaxRows is a budget for all that reads, but for what kin reads to
// write.
func TestDatabaseMaxRows(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx := t.Context()
		s = s.With(kin.WithRegistry(press()), kin.WithMaxRows(3))
		db := s.DB
		q := kin.Query[article]()
		iter := func(seq func(func(*article, error) bool)) (failed error) {
			for _, err := range seq {
				failed = err
			}
			return failed
		}
		type row struct{ ID int64 }
		type nest struct{ Comments []row }
		for what, err := range map[string]error{
			"all":              errOf(q.All(ctx, db)),
			"iter":             iter(q.Iter(ctx, db)),
			"joined":           errOf(q.Limit(3).SelectRelated("comments").OrderBy("-id").All(ctx, db)),
			"prefetch":         errOf(q.Limit(3).Offset(1).Prefetch("comments").All(ctx, db)),
			"prefetched roots": errOf(q.Prefetch("author").All(ctx, db)),
			"at once":          errOf(q.Limit(3).Offset(1).Prefetch("comments").Concurrent().All(ctx, db)),
			"selection":        errOf(kin.Select[row](q).All(ctx, db)),
			"slices":           errOf(kin.Select[nest](q.Limit(2).Offset(2)).All(ctx, db)),
			"raw":              errOf(kin.Raw[article]("SELECT * FROM articles").All(ctx, db)),
			"raw iter":         iter(kin.Raw[article]("SELECT * FROM articles").Iter(ctx, db)),
			"raw values":       errOf(kin.Raw[row]("SELECT id FROM articles").All(ctx, db)),
			"in a transaction": db.Tx(ctx, func(tx *kin.Tx) error { return errOf(q.All(ctx, tx)) }),
		} {
			require.ErrorIs(t, err, kin.ErrMaxRows, what)
		}
		rows, err := q.Limit(3).All(ctx, db)
		require.NoError(t, err)
		assert.Len(t, rows, 3)
		rows, err = q.MaxRows(4).All(ctx, db)
		require.NoError(t, err, "a budget of its own")
		assert.Len(t, rows, 4)
		require.NoError(t, kin.Reload(ctx, db, rows...))
		n, err := q.Count(ctx, db)
		require.NoError(t, err)
		assert.EqualValues(t, 4, n)
		var many []*town
		for i := range 20 {
			many = append(many, &town{Name: strconv.Itoa(i)})
		}
		require.NoError(t, kin.Insert(ctx, db, many...))
	})
}

// TestRawOwnTable: SQL names columns by the table's name wherever the rows are,
// also where a query around it is on the same table.
func TestRawOwnTable(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = teams(t, s)
		ctx, db := t.Context(), s.DB
		q, old := kin.Query[member](), kin.RawExpr("members.age").Gt(25)
		names := func(q kin.QuerySet[member]) string {
			rows, err := q.All(ctx, db)
			require.NoError(t, err)
			var all strings.Builder
			for _, m := range rows {
				all.WriteString(m.Name + " ")
			}
			return all.String()
		}
		for what, pair := range map[string][2]kin.QuerySet[member]{
			"exists": {
				q.Where(kin.Exists(q.FilterRaw("members.age > ?", 25).Where(kin.F("team").Eq(kin.Outer("team"))))),
				q.Where(kin.Exists(q.Filter("age__gt", 25).Where(kin.F("team").Eq(kin.Outer("team"))))),
			},
			"exists not": {
				q.Where(kin.Exists(q.ExcludeRaw("members.age > ?", 25).Where(kin.F("team").Eq(kin.Outer("team"))))),
				q.Where(kin.Exists(q.Exclude("age__gt", 25).Where(kin.F("team").Eq(kin.Outer("team"))))),
			},
			"in":          {q.Where(kin.InQuery("team", q.FilterRaw("members.age > 35"), kin.F("team"))), q.Filter("team__name", "b")},
			"descendants": {q.FilterRaw("members.age = 30").Descendants("chief"), q.Filter("age", 30).Descendants("chief")},
			"value":       {q.Where(kin.ValueOf(q.Filter("name", "Bob"), kin.RawExpr("members.age")).Eq(kin.F("age"))), q.Filter("name", "Bob")},
			"ordered":     {q.Where(kin.ValueOf(q.Annotate("x", kin.RawExpr("-members.age")).OrderBy("x"), kin.F("age")).Eq(kin.F("age"))), q.Filter("name", "Cem")},
			"has":         {q.Where(kin.Has("chief", old)), q.Filter("chief__age__gt", 25)},
			"has none":    {q.Where(kin.HasNo("staff", old)), q.Exclude("staff__age__gt", 25)},
			"counted":     {q.Where(kin.Count("staff").Where(old).Eq(1)), q.Where(kin.Count("staff").Where(kin.Q("age__gt", 25)).Eq(1))},
		} {
			assert.Equal(t, names(pair[1]), names(pair[0]), what)
		}
		rows, err := q.Filter("name", "Ann").Prefetch("hosts", kin.Query[team]().FilterRaw("teams.name = ?", "b").Limit(1)).All(ctx, db)
		require.NoError(t, err)
		assert.Equal(t, 1, rows[0].Hosts.Len())
		n, err := q.Where(kin.Exists(q.FilterRaw("members.age > 35").Where(kin.F("team").Eq(kin.Outer("team"))))).Update(ctx, db, kin.Set("age", 41))
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
	})
}
