package query

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestMixedNumbers calculates with what is made of integers and floats: it is a
// float, whichever of them comes first.
func TestMixedNumbers(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, rows := things(t, s)
		n, m, x := kin.F("n"), kin.F("m"), kin.F("x")
		check(t, s, rows, "half of a sum", n.Add(x).Div(2), func(x *thing) float64 { return (float64(x.N) + x.X) / 2 })
		check(t, s, rows, "half of the greatest", kin.Greatest(n, x).Div(2), func(x *thing) float64 { return max(float64(x.N), x.X) / 2 })
		check(t, s, rows, "half of the first", kin.Coalesce(m, x).Div(2), func(x *thing) float64 {
			if x.M == nil {
				return x.X / 2
			}
			return float64(*x.M) / 2
		})
		check(t, s, rows, "half of a case", kin.Case().When(n, "n__gt", 0).Else(x).Div(2), func(x *thing) float64 {
			if x.N > 0 {
				return float64(x.N) / 2
			}
			return x.X / 2
		})
		c, err := kin.Query[thing]().Where(n.Sub(x).Gt(0.5)).Count(t.Context(), s.DB)
		require.NoError(t, err)
		want := 0
		for _, row := range rows {
			if float64(row.N)-row.X > 0.5 {
				want++
			}
		}
		assert.EqualValues(t, want, c, "compared with a float")
		for text, e := range map[string]kin.Expr{
			"a case has values of one type": kin.Case().When("a", "n", 1).Else(n),
			"mod does not take":             kin.Mod(kin.Coalesce(m, x), 2),
		} {
			_, err := kin.Query[thing]().Where(e.Eq(1)).Count(t.Context(), s.DB)
			require.ErrorContains(t, err, text)
		}
	})
}

// A tiny has small integers, whose sums and products are none.
type tiny struct {
	ID int64
	A  int16
	B  int32
}

func TestSmallIntegers(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		var r kin.Registry
		kin.Register[tiny](&r)
		s = s.With(kin.WithRegistry(&r))
		ctx := t.Context()
		require.NoError(t, kin.CreateTables(ctx, s.DB))
		require.NoError(t, kin.Insert(ctx, s.DB, &tiny{A: math.MaxInt16, B: math.MaxInt32}, &tiny{A: -3, B: 7}))
		a, b := kin.F("a"), kin.F("b")
		n, err := kin.Query[tiny]().Where(a.Mul(a).Add(1).Gt(b.Sub(math.MaxInt32)), b.Mul(b).Add(b).Gt(0), a.Add(a).Add(a).Ne(a)).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)
		list := []int64{}
		for _, e := range []kin.Expr{a.Mul(a), b.Add(b), a.Sub(b), b.Div(2), a.Mul(2)} {
			v, err := kin.Value[int64](ctx, s.DB, kin.Query[tiny]().OrderBy("id").Limit(1), e)
			require.NoError(t, err)
			list = append(list, v)
		}
		const least, most = math.MaxInt16, math.MaxInt32
		assert.Equal(t, []int64{least * least, 2 * most, least - most, most / 2, 2 * least}, list)
		_, err = kin.Query[tiny]().Filter("a", -3).Update(ctx, s.DB, kin.Set("a", a.Mul(2)), kin.Set("b", b.Add(1)))
		require.NoError(t, err)
		row, err := kin.Query[tiny]().Filter("a", -6, "b", 8).Get(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 2, row.ID)
	})
}

// TestQuotientsOfSums divides sums, which are whole numbers.
func TestQuotientsOfSums(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		pay := kin.Sum("teachers__pay")
		rows, err := kin.Query[class]().Where(kin.Or(pay.Div(3).Eq(233), pay.Div(7).Eq(142))).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		type row struct {
			Name  string
			Third *int64
			Rest  *int64
		}
		list, err := kin.Select[row](kin.Query[class]().Annotate("third", pay.Default(0).Div(3)).Annotate("rest", kin.Mod(pay, 3))).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, []row{{"a", new(int64(233)), new(int64(1))}, {"b", new(int64(333)), new(int64(1))}, {"c", new(int64(0)), nil}}, list)
		n, err := kin.Value[int64](ctx, s.DB, kin.Query[student](), kin.Sum("age").Sub(119).Div(7))
		require.NoError(t, err)
		assert.EqualValues(t, -8, n, "(59-119)/7, towards zero")
		require.NoError(t, kin.Insert(ctx, s.DB, &teacher{Name: "X", Pay: math.MaxInt64 - 1000, Class: kin.Key[class](int64(2))}))
		n, err = kin.Value[int64](ctx, s.DB, kin.Query[class]().Filter("name", "b"), pay.Div(3))
		require.NoError(t, err)
		assert.EqualValues(t, math.MaxInt64/3, n)
	})
}
