package shapes

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type (
	shop struct {
		ID    int64
		Name  string
		City  *string
		Sales kin.Reverse[sale]
	}

	sale struct {
		ID   int64
		Item *string
		Day  int
		Pin  int `kin:",secret"`
		Paid *float64
		Shop kin.ForeignKey[shop] `kin:",null,related_name=sales"`
		Tags kin.ManyToMany[tag]
	}

	tag struct{ ID int64 }
)

// market makes random sales, with many that agree.
func market(t *testing.T, s *harness.Suite, r *rand.Rand) (*harness.Suite, []*sale, []*shop) {
	t.Helper()
	ctx := t.Context()
	var models kin.Registry
	kin.Register[shop](&models)
	kin.Register[sale](&models)
	kin.Register[tag](&models)
	ring, err := kin.NewKeyring(make([]byte, 32))
	require.NoError(t, err)
	s = s.With(kin.WithRegistry(&models), kin.WithCursorKeys(ring))
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	text := func() *string {
		if r.IntN(5) == 0 {
			return nil
		}
		return new([]string{"a", "A", "é", "e", "a ", ""}[r.IntN(6)])
	}
	var shops []*shop
	for i := range 5 {
		shops = append(shops, &shop{Name: fmt.Sprint("shop ", i), City: text()})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, shops...))
	var sales []*sale
	for range 80 {
		x := &sale{Item: text(), Day: r.IntN(4)}
		if r.IntN(4) > 0 {
			x.Shop.Set(shops[r.IntN(len(shops))])
		}
		if r.IntN(4) > 0 {
			x.Paid = new(float64(r.IntN(4)) / 2)
		}
		sales = append(sales, x)
	}
	require.NoError(t, kin.Insert(ctx, s.DB, sales...))
	s.Wire.Reset()
	return s, sales, shops
}

// byNull compares, NULL before all values.
func byNull[V cmp.Ordered](a, b *V) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Compare(*a, *b)
}

func cityOf(x *sale) *string {
	if x.Shop.Get() == nil {
		return nil
	}
	return x.Shop.Get().City
}

var saleFields = map[string]func(a, b *sale) int{
	"item": func(a, b *sale) int { return byNull(a.Item, b.Item) },
	"day":  func(a, b *sale) int { return cmp.Compare(a.Day, b.Day) },
	"paid": func(a, b *sale) int { return byNull(a.Paid, b.Paid) },
	"shop": func(a, b *sale) int {
		key := func(x *sale) *int64 {
			if x.Shop.IsNull() {
				return nil
			}
			return new(x.Shop.Ref().ID)
		}
		return byNull(key(a), key(b))
	},
	"shop__city": func(a, b *sale) int { return byNull(cityOf(a), cityOf(b)) },
	"twice":      func(a, b *sale) int { return cmp.Compare(a.Day/2, b.Day/2) },
}

// firsts is DistinctOn, in memory.
func firsts(rows []*sale, order, on []string) []*sale {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b *sale) int {
		for _, o := range order {
			name := strings.TrimPrefix(o, "-")
			if c := saleFields[name](a, b); c != 0 {
				if name != o {
					return -c
				}
				return c
			}
		}
		return cmp.Compare(a.ID, b.ID)
	})
	var found []*sale
	for _, x := range rows {
		if !slices.ContainsFunc(found, func(y *sale) bool {
			return !slices.ContainsFunc(on, func(name string) bool { return saleFields[name](x, y) != 0 })
		}) {
			found = append(found, x)
		}
	}
	return found
}

func ids(rows []*sale) []int64 {
	list := make([]int64, len(rows))
	for i, x := range rows {
		list[i] = x.ID
	}
	return list
}

// TestDistinctOn compares the first of rows that agree with those that are
// found in memory, over random rows with ties and NULLs, in every form.
func TestDistinctOn(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		seed := rand.Uint64()
		t.Log("seed", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		s, all, _ := market(t, s, r)
		ctx := t.Context()
		names := []string{"item", "day", "paid", "shop", "shop__city", "twice"}
		total := 0
		for range 120 {
			var on, order []string
			for range 1 + r.IntN(2) {
				on = append(on, names[r.IntN(len(names))])
			}
			for range r.IntN(3) {
				order = append(order, []string{"", "-"}[r.IntN(2)]+names[r.IntN(len(names))])
			}
			rows, offset, limit := all, r.IntN(3), 1+r.IntN(9)
			q := kin.Query[sale]().Annotate("twice", kin.F("day").Div(2))
			if r.IntN(2) == 0 {
				q = q.Filter("day__gt", 0)
				rows = slices.DeleteFunc(slices.Clone(rows), func(x *sale) bool { return x.Day == 0 })
			}
			q = q.DistinctOn(kin.Paths[sale](on...)...).OrderBy(kin.Paths[sale](order...)...)
			want := firsts(rows, order, on)
			total += len(want)
			why := fmt.Sprint(on, order)
			got, err := q.All(ctx, s.DB)
			require.NoError(t, err, why)
			require.Equal(t, ids(want), ids(got), why)
			n, err := q.Count(ctx, s.DB)
			require.NoError(t, err)
			require.EqualValues(t, len(want), n, why)
			page := want[min(offset, len(want)):min(offset+limit, len(want))]
			got, err = q.Offset(offset).Limit(limit).SelectRelated("shop").All(ctx, s.DB)
			require.NoError(t, err, why)
			require.Equal(t, ids(page), ids(got), why)
			n, err = q.Offset(offset).Limit(limit).Count(ctx, s.DB)
			require.NoError(t, err)
			require.EqualValues(t, len(page), n, why)
			last, err := q.Last(ctx, s.DB)
			require.NoError(t, err)
			require.Equal(t, want[len(want)-1].ID, last.ID, why)
			selected, err := kin.Pluck(ctx, s.DB, q, kin.Col(func(x *sale) *int64 { return &x.ID }))
			require.NoError(t, err)
			require.Equal(t, ids(want), selected, why)
			if !slices.Contains(order, "twice") && !slices.Contains(order, "-twice") {
				var paged []*sale
				for batch, err := range q.Batches(ctx, s.DB, 3) {
					require.NoError(t, err)
					paged = append(paged, batch...)
				}
				require.Equal(t, ids(want), ids(paged), why)
			}
		}
		assert.Greater(t, total, 400)
	})
}

// TestDistinctOnWithin uses them in other queries, and in changes.
func TestDistinctOnWithin(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		r := rand.New(rand.NewPCG(7, 7))
		s, all, shops := market(t, s, r)
		ctx, db := t.Context(), s.DB
		// The dearest sale of each day, in each shop.
		list, err := kin.Query[shop]().Prefetch("sales", kin.Query[sale]().OrderBy("-paid").DistinctOn("day")).All(ctx, db)
		require.NoError(t, err)
		s.Wire.Want(t, 2, len(list)+func() (n int) {
			for _, x := range list {
				n += len(x.Sales.All())
			}
			return n
		}())
		for _, x := range list {
			own := slices.DeleteFunc(slices.Clone(all), func(y *sale) bool { return y.Shop.IsNull() || y.Shop.Ref().ID != x.ID })
			require.NotEmpty(t, own)
			assert.Equal(t, ids(firsts(own, []string{"-paid"}, []string{"day"})), ids(x.Sales.All()))
		}
		limited, err := kin.Query[shop]().Prefetch("sales", kin.Query[sale]().OrderBy("-paid").DistinctOn("day").Limit(2)).All(ctx, db)
		require.NoError(t, err)
		for i, x := range limited {
			assert.Equal(t, ids(list[i].Sales.All())[:2], ids(x.Sales.All()))
		}
		// Shops of which the first sale of some day, by what was paid, was free.
		free := kin.Query[sale]().OrderBy("paid").DistinctOn("day", "shop")
		found, err := kin.Query[shop]().Where(kin.Exists(free.Where(kin.F("shop").Eq(kin.Outer("id")), kin.F("paid").Eq(0.0)))).Count(ctx, db)
		if s.Name == "mysql" {
			require.EqualError(t, err, "kin: a subquery on sale with a limit or DistinctOn speaks of the row around it by Outer, which is not supported by mysql")
			found, err = kin.Query[shop]().Where(kin.InQuery("id", free.Where(kin.F("paid").Eq(0.0)), kin.F("shop"))).Count(ctx, db)
		}
		require.NoError(t, err)
		seen := map[int64]bool{}
		for _, x := range firsts(slices.DeleteFunc(slices.Clone(all), func(x *sale) bool { return x.Paid == nil || *x.Paid != 0 }), []string{"paid"}, []string{"day", "shop"}) {
			if !x.Shop.IsNull() {
				seen[x.Shop.Ref().ID] = true
			}
		}
		require.NotEmpty(t, seen)
		assert.EqualValues(t, len(seen), found)
		type perDay struct {
			Day int
			N   int64 `kin:"count(*)"`
		}
		groups, err := kin.Select[perDay](kin.Query[sale]().DistinctOn("day", "item")).All(ctx, db)
		require.NoError(t, err)
		var want []perDay
		for day := range 4 {
			n := 0
			for _, x := range firsts(all, nil, []string{"day", "item"}) {
				if x.Day == day {
					n++
				}
			}
			want = append(want, perDay{day, int64(n)})
		}
		assert.Equal(t, want, groups)

		kept := firsts(all, []string{"-day"}, []string{"item"})
		n, err := kin.Query[sale]().OrderBy("-day").DistinctOn("item").Update(ctx, db, kin.Set("day", 99))
		require.NoError(t, err)
		assert.EqualValues(t, len(kept), n)
		changed, err := kin.Query[sale]().Filter("day", 99).All(ctx, db)
		require.NoError(t, err)
		want2 := ids(kept)
		slices.Sort(want2)
		assert.Equal(t, want2, ids(changed))
		n, err = kin.Query[sale]().Filter("day", 99).DistinctOn("shop__city").Delete(ctx, db)
		require.NoError(t, err)
		assert.EqualValues(t, len(firsts(changedWith(changed, shops), nil, []string{"shop__city"})), n)
	})
}

func changedWith(rows []*sale, shops []*shop) []*sale {
	for _, x := range rows {
		if !x.Shop.IsNull() {
			x.Shop.Set(shops[x.Shop.Ref().ID-1])
		}
	}
	return rows
}

// TestDistinctOnMistakes are errors that say what is wrong.
func TestDistinctOnMistakes(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, _, _ = market(t, s, rand.New(rand.NewPCG(1, 1)))
		q := kin.Query[sale]()
		pin := kin.Col(func(x *sale) *int { return &x.Pin })
		for want, q := range map[string]kin.QuerySet[sale]{
			"DistinctOn names nothing":                                 q.DistinctOn(),
			`sale has no field or relation "dya"; did you mean "day"?`: q.DistinctOn("dya"),
			"leads to many rows":                                       q.DistinctOn("tags"),
			`"pin" of sale is secret`:                                  q.DistinctOn("pin"),
			"allowed are":                                              q.Allow("item").DistinctOn("day"),
			`has no field or relation "-day"`:                          q.DistinctOn("-day"),
		} {
			require.ErrorContains(t, errOf(q.All(t.Context(), s.DB)), want)
			require.ErrorContains(t, errOf(q.Count(t.Context(), s.DB)), want)
		}
		s.Wire.Want(t, 0, 0)
		n, err := q.DistinctOn(pin.Path()).Allow("day").DistinctOn("day").Count(t.Context(), s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 4, n)
		n, err = q.DistinctOn(pin.Path()).Count(t.Context(), s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
	})
}

// TestManyOrder reads related rows flat: those of each row come in the order of
// their primary key, on every database, and a limit keeps the first of these.
func TestManyOrder(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		seed := rand.Uint64()
		t.Log("seed", seed)
		s, sales, shops := market(t, s, rand.New(rand.NewPCG(seed, 0)))
		ctx := t.Context()
		tags := []*tag{{}, {}, {}}
		require.NoError(t, kin.Insert(ctx, s.DB, tags...))
		type row struct {
			Shop int64  `kin:"id"`
			Sale *int64 `kin:"sales__id"`
			Tag  *int64 `kin:"sales__tags__id"`
		}
		var want []row
		for _, shop := range slices.Backward(shops) {
			before := len(want)
			for i, x := range sales {
				if x.Shop.IsNull() || x.Shop.Ref().ID != shop.ID {
					continue
				}
				if i%3 == 0 {
					want = append(want, row{shop.ID, &x.ID, nil})
					continue
				}
				require.NoError(t, x.Tags.Add(ctx, s.DB, tags[2], tags[i%2]))
				want = append(want, row{shop.ID, &x.ID, &tags[i%2].ID}, row{shop.ID, &x.ID, &tags[2].ID})
			}
			if len(want) == before {
				want = append(want, row{Shop: shop.ID})
			}
		}
		q := kin.Query[shop]().OrderBy("-id")
		got, err := kin.Select[row](q).All(ctx, s.DB)
		require.NoError(t, err)
		require.Equal(t, want, got)
		got, err = kin.Select[row](q.Limit(3)).Limit(7).Offset(4).All(ctx, s.DB)
		require.NoError(t, err)
		require.Equal(t, want[4:11], got)
		limited := kin.Select[row](q).Limit(9)
		got, err = limited.Except(kin.Select[row](q.Filter("id", 0))).All(ctx, s.DB)
		require.NoError(t, err)
		require.ElementsMatch(t, want[:9], got)
	})
}
