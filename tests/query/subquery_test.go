package query

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// names runs a query of students and returns their names, without spaces.
func names(t *testing.T, s *harness.Suite, q kin.QuerySet[student]) string {
	t.Helper()
	rows, err := q.All(t.Context(), s.DB)
	require.NoError(t, err)
	var list strings.Builder
	for _, row := range rows {
		list.WriteString(row.Name[:1])
	}
	return list.String()
}

func TestSubqueries(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		q := kin.Query[student]()
		toClass := kin.Rel(func(x *student) *class { return x.Class.Get() })
		toClubs := kin.Rel(func(x *student) *club { return x.Clubs.Any() })
		older := kin.Query[student]().Where(kin.F("class").Eq(kin.Outer("class")), kin.F("age").Gt(kin.Outer("age")))
		for _, c := range []struct {
			why  string
			q    kin.QuerySet[student]
			want string
		}{
			{"exists", q.Where(kin.Exists(older)), "ACD"},
			{"not exists", q.Where(kin.Not(kin.Exists(older))), "B\xc3"},
			{"a row of a query", q.Where(toClass.InQuery(kin.Query[class]().Filter("teachers__pay__gte", 1000))), "CD\xc3"},
			{"not", q.Where(kin.Not(toClass.InQuery(kin.Query[class]().Filter("teachers__pay__gte", 1000)))), "AB"},
			{"of a limited query", q.Where(toClass.InQuery(kin.Query[class]().OrderBy("-name").Offset(1).Limit(1))), "CD\xc3"},
			{"to many", q.Where(toClubs.InQuery(kin.Query[club]().Filter("name", "Judo"))), "AD"},
			{"a value of a query", q.Where(kin.InQuery("age", kin.Query[student]().Filter("class__name", "b"), kin.F("age"))), "CD\xc3"},
			{"values that are NULL", q.Where(kin.Not(kin.InQuery("age", kin.Query[student](), kin.F("category")))), "ABCD\xc3"},
			{"a value", q.Where(kin.F("age").Eq(kin.ValueOf(kin.Query[student](), kin.Max("age")))), "\xc3"},
			{"a value of the row's own", q.Where(kin.F("age").Eq(kin.ValueOf(kin.Query[student]().Where(kin.F("class").Eq(kin.Outer("class"))), kin.Min("age")))), "ACD"},
			{"of the first row", q.Where(kin.F("name").Eq(kin.ValueOf(kin.Query[student]().OrderBy("-age"), kin.F("name")))), "\xc3"},
			{"of an empty query", q.Where(kin.Exists(kin.Query[student]().Filter("id__in", []int{}))), ""},
			{"within another", q.Where(kin.Exists(kin.Query[class]().Where(kin.F("id").Eq(kin.Outer("class")),
				kin.Exists(kin.Query[teacher]().Where(kin.F("class").Eq(kin.Outer("id")), kin.F("pay").Eq(400)))))), "AB"},
		} {
			assert.Equal(t, c.want, names(t, s, c.q), c.why)
		}
		for want, c := range map[string]kin.Cond[student]{
			"there is none":        kin.F("age").Eq(kin.Outer("age")),
			"leads to rows of":     kin.Rel(func(x *student) *category { return x.Category.Get() }).Has(kin.InQuery("id", kin.Query[club]().SelectRelated("x"), kin.F("id"))),
			"is not among values":  kin.InQuery("age", kin.Query[student](), kin.F("name")),
			`no field or relation`: kin.Exists(kin.Query[class]().Filter("nme", 1)),
		} {
			_, err := q.Where(c).All(t.Context(), s.DB)
			if want == "leads to rows of" {
				want = "nobody sees"
			}
			require.ErrorContains(t, err, want)
		}
	})
}

func TestWindows(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		byClass := kin.Window{Partition: []string{"class"}, Order: []string{"-age"}}
		type row struct {
			Name                string
			N, Rank, Dense, Sum int64
			Total               int64
			Before, After       *string
			Mean                float64
		}
		rows, err := kin.Select[row](kin.Query[student]().
			Annotate("n", kin.RowNumber().Over(byClass)).
			Annotate("rank", kin.Rank().Over(byClass)).
			Annotate("dense", kin.DenseRank().Over(kin.Window{Order: []string{"age"}})).
			Annotate("sum", kin.Sum("age").Over(byClass)).
			Annotate("total", kin.Count("*").Over(kin.Window{Partition: []string{"class__name"}})).
			Annotate("before", kin.Lag(kin.F("name"), 1).Over(byClass)).
			Annotate("after", kin.Lead(kin.F("name"), 2).Over(byClass)).
			Annotate("mean", kin.Avg("age").Over(kin.Window{Order: []string{"id"}, Frame: &kin.Frame{Before: 1, After: kin.Unbounded}}))).
			All(ctx, s.DB)
		require.NoError(t, err)
		text := func(p *string) string {
			if p == nil {
				return "-"
			}
			return *p
		}
		var got strings.Builder
		for _, r := range rows {
			_, _ = fmt.Fprintf(&got, "%s %d %d %d %d %d %s %s %.2f\n", r.Name, r.N, r.Rank, r.Dense, r.Sum, r.Total, text(r.Before), text(r.After), r.Mean)
		}
		assert.Equal(t, `Ada 2 2 1 22 2 Bob - 11.80
Bob 1 1 3 12 2 - - 11.80
Cid 2 2 2 26 3 Éva - 12.25
Dan 3 2 2 37 3 Cid - 12.33
Éva 1 1 4 15 3 - Dan 13.00
`, got.String())
		for want, err := range map[string]error{
			"goes into a Select":       second(kin.Query[student]().Where(kin.RowNumber().Over(byClass).Eq(1)).All(ctx, s.DB)),
			"needs an order":           second(kin.Value[int64](ctx, s.DB, kin.Query[student](), kin.Rank().Over(kin.Window{}))),
			"Over goes with":           second(kin.Value[int64](ctx, s.DB, kin.Query[student](), kin.F("age").Over(byClass))),
			"of the query's own rows":  second(kin.Value[int64](ctx, s.DB, kin.Query[class](), kin.Count("students").Over(kin.Window{}))),
			"at least one row":         second(kin.Value[int64](ctx, s.DB, kin.Query[student](), kin.Lag(kin.F("age"), 0).Over(byClass))),
			`no field or relation "x"`: second(kin.Value[int64](ctx, s.DB, kin.Query[student](), kin.Count("*").Over(kin.Window{Partition: []string{"x"}}))),
		} {
			assert.ErrorContains(t, err, want)
		}
	})
}

func second[T any](_ T, err error) error { return err }
