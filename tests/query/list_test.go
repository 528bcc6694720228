package query

import (
	"cmp"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type (
	box struct {
		ID    int64
		Items kin.Reverse[item]
	}

	item struct {
		ID    int64
		Box   kin.ForeignKey[box] `kin:",related_name=items"`
		Text  string
		Other *string
		N     int64
		M     *int
		X     float64
		Ok    bool
		At    time.Time
	}
)

func boxes(t *testing.T, s *harness.Suite, random *rand.Rand) (*harness.Suite, []*box, map[int64][]*item) {
	t.Helper()
	var r kin.Registry
	kin.Register[box](&r)
	kin.Register[item](&r)
	s = s.With(kin.WithRegistry(&r))
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	var all []*box
	for range 12 {
		all = append(all, &box{})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, all...))
	items := map[int64][]*item{}
	for i, b := range all {
		for j := range i {
			x := &item{
				Box: kin.To(b), Text: anyText(random, random.IntN(4)), N: random.Int64() - math.MaxInt64/2, X: (random.Float64() - 0.5) * math.Pow(10, float64(random.IntN(40)-20)),
				Ok: random.IntN(2) == 0, At: time.Date(2026, 1, 1, 0, 0, 0, 1000*random.IntN(1e6), time.UTC).AddDate(0, 0, random.IntN(3000)),
			}
			if j%2 == 0 {
				x.Other, x.M = new(anyText(random, 1)), new(random.IntN(4))
			}
			items[b.ID] = append(items[b.ID], x)
		}
		require.NoError(t, kin.Insert(ctx, s.DB, items[b.ID]...))
	}
	return s, all, items
}

// listOf makes in memory what ArrayAgg makes, NULLs first.
func listOf[V any](items []*item, of func(*item) V, compare func(a, b V) int) []V {
	var list []V
	for _, x := range items {
		list = append(list, of(x))
	}
	slices.SortStableFunc(list, compare)
	return list
}

func pointers[V cmp.Ordered](a, b *V) int {
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

// TestArrayAgg compares lists of values of all types, NULLs among them.
func TestArrayAgg(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		t.Logf("seed %d", seed)
		ctx := t.Context()
		s, all, items := boxes(t, s, rand.New(rand.NewPCG(seed, 9)))
		type row struct {
			ID     int64
			Texts  []string        `kin:"array(items__text)"`
			Others []*string       `kin:"array(items__other)"`
			N      []int64         `kin:"array(items__n)"`
			M      []*int          `kin:"array(items__m)"`
			X      []float64       `kin:"array(items__x)"`
			Ok     []bool          `kin:"array(items__ok)"`
			At     []time.Time     `kin:"array(items__at)"`
			Kinds  []*int          `kin:"array(distinct items__m)"`
			JSON   json.RawMessage `kin:"array(items__n),zero"`
			Some   []int64
			Order  []string
			Joined *string
			Count  int64 `kin:"count(items)"`
		}
		q := kin.Query[box]().
			Annotate("some", kin.ArrayAgg("items__n").Where(kin.Q("ok", true, "m__isnull", true))).
			Annotate("order", kin.ArrayAgg("items__text").OrderBy("ok", "-m", "other")).
			Annotate("joined", kin.StringAgg("items__text", "|").OrderBy("-pk"))
		rows, err := kin.Select[row](q).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, rows, len(all))
		values := 0
		for _, r := range rows {
			list := items[r.ID]
			want := row{
				ID:     r.ID,
				Texts:  listOf(list, func(x *item) string { return x.Text }, cmp.Compare),
				Others: listOf(list, func(x *item) *string { return x.Other }, pointers),
				N:      listOf(list, func(x *item) int64 { return x.N }, cmp.Compare),
				M:      listOf(list, func(x *item) *int { return x.M }, pointers),
				X:      listOf(list, func(x *item) float64 { return x.X }, cmp.Compare),
				Ok:     listOf(list, func(x *item) bool { return x.Ok }, func(a, b bool) int { return cmp.Compare(strconv.FormatBool(a), strconv.FormatBool(b)) }),
				At:     listOf(list, func(x *item) time.Time { return x.At }, time.Time.Compare),
				Count:  int64(len(list)), JSON: r.JSON,
			}
			for _, x := range want.M {
				if len(want.Kinds) == 0 || pointers(want.Kinds[len(want.Kinds)-1], x) != 0 {
					want.Kinds = append(want.Kinds, x)
				}
			}
			some := slices.DeleteFunc(slices.Clone(list), func(x *item) bool { return !x.Ok || x.M != nil })
			want.Some = listOf(some, func(x *item) int64 { return x.N }, cmp.Compare)
			sorted := slices.Clone(list)
			slices.SortStableFunc(sorted, func(a, b *item) int {
				return cmp.Or(cmp.Compare(strconv.FormatBool(a.Ok), strconv.FormatBool(b.Ok)), -pointers(a.M, b.M), pointers(a.Other, b.Other))
			})
			for i, x := range sorted {
				want.Order = append(want.Order, x.Text)
				if i == 0 {
					want.Joined = new("")
				} else {
					*want.Joined += "|"
				}
				*want.Joined += list[len(list)-1-i].Text
			}
			require.Equal(t, want, r)
			if len(list) > 0 {
				text, err := json.Marshal(want.N)
				require.NoError(t, err)
				assert.JSONEq(t, string(text), string(r.JSON))
			}
			values += len(list)
		}
		assert.Positive(t, values)
	})
}

// TestArrayAggOfRows makes lists of the query's own rows, in groups and of all.
func TestArrayAggOfRows(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		ctx := t.Context()
		s, _, items := boxes(t, s, rand.New(rand.NewPCG(11, 9)))
		type group struct {
			Box   int64 `kin:"box"`
			N     []int64
			Sum   int64 `kin:"count(*)"`
			Right []int64
		}
		groups, err := kin.Select[group](kin.Query[item]().Annotate("n", kin.ArrayAgg("n")).
			Annotate("right", kin.ArrayAgg("pk").Where(kin.Q("ok", true)).OrderBy("-pk"))).OrderBy("box").All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, groups, 11)
		for _, g := range groups {
			list := items[g.Box]
			var right []int64
			for _, x := range slices.Backward(list) {
				if x.Ok {
					right = append(right, x.ID)
				}
			}
			assert.Equal(t, group{g.Box, listOf(list, func(x *item) int64 { return x.N }, cmp.Compare), int64(len(list)), right}, g)
		}
		ids, err := kin.Value[[]int64](ctx, s.DB, kin.Query[item]().Filter("pk__lt", 5), kin.ArrayAgg("pk").OrderBy("-pk"))
		require.NoError(t, err)
		assert.Equal(t, []int64{4, 3, 2, 1}, ids)
		none, err := kin.Value[[]int64](ctx, s.DB, kin.Query[item]().Filter("pk", -1), kin.ArrayAgg("pk"))
		require.NoError(t, err)
		assert.Nil(t, none)
		_, err = kin.Value[[]int](ctx, s.DB, kin.Query[item](), kin.ArrayAgg("m"))
		require.ErrorContains(t, err, "is NULL; take a slice of pointers")

		for want, e := range map[string]kin.Expr{
			"a list of values is read, and neither compared": kin.ArrayAgg("items__n"),
			"without values it is a nil slice":               kin.ArrayAgg("items__n").Default(0),
			"OrderBy goes with kin.ArrayAgg":                 kin.Count("items").OrderBy("n"),
			"item has no field or relation \"nothing\"":      kin.ArrayAgg("items__n").OrderBy("nothing"),
			"ends in a relation":                             kin.ArrayAgg("items"),
		} {
			_, err := kin.Query[box]().Where(e.Eq(1)).Count(ctx, s.DB)
			require.ErrorContains(t, err, want)
		}
		_, err = kin.Query[box]().Annotate("n", kin.ArrayAgg("items__n")).OrderBy("n").All(ctx, s.DB)
		require.ErrorContains(t, err, "sorted by")
	})
}

// TestArrayAggIsNotCut reads a list that is longer than MariaDB lets it be.
func TestArrayAggIsNotCut(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, all, _ := boxes(t, s, rand.New(rand.NewPCG(12, 9)))
		long := make([]byte, 200_000)
		for i := range long {
			long[i] = 'a' + byte(i%26)
		}
		for range 8 {
			require.NoError(t, kin.Insert(t.Context(), s.DB, &item{Box: kin.To(all[0]), Text: string(long), At: time.Now()}))
		}
		list, err := kin.Value[[]string](t.Context(), s.DB, kin.Query[box]().Filter("pk", all[0].ID), kin.ArrayAgg("items__text"))
		if s.Name == "mysql" {
			require.ErrorContains(t, err, "the database has cut off a list after")
			return
		}
		require.NoError(t, err)
		require.Len(t, list, 8)
		assert.Equal(t, string(long), list[7])
	})
}

// TestCVE20207471 is the attack of CVE-2020-7471: a separator that is SQL.
func TestCVE20207471(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, all, items := boxes(t, s, rand.New(rand.NewPCG(13, 9)))
		for _, text := range separators {
			joined, err := kin.Value[string](t.Context(), s.DB, kin.Query[box]().Filter("pk", all[3].ID), kin.StringAgg("items__text", text).OrderBy("pk"))
			require.NoError(t, err, text)
			var want []string
			for _, x := range items[all[3].ID] {
				want = append(want, x.Text)
			}
			assert.Equal(t, strings.Join(want, text), joined)
		}
	})
}

var separators = []string{
	"'", "''", `\`, `\'`, "-') AS mydefinedname) FROM items --", "'); DROP TABLE items; --", "%", "?", "$1", "{0}", `"`, "`", "#", "/*", "\n", "é😀", "",
}

// TestCVE202135042 is the attack of CVE-2021-35042 and of CVE-2026-1312: an order
// that is SQL, here within an aggregate. It is resolved.
func TestCVE202135042(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, all, _ := boxes(t, s, rand.New(rand.NewPCG(14, 9)))
		for _, text := range append(slices.Clone(separators), "items.n", `"items"."n"`, "(SELECT 1)") {
			for _, e := range []kin.Expr{kin.StringAgg("items__text", ","), kin.ArrayAgg("items__n")} {
				s.Wire.Reset()
				_, err := kin.Value[json.RawMessage](t.Context(), s.DB, kin.Query[box]().Filter("pk", all[3].ID), e.OrderBy("n"+text+", (SELECT 1)"))
				require.ErrorContains(t, err, "has no field or relation")
				s.Wire.Want(t, 0, 0)
			}
		}
	})
}
