package query

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// A thing has a column of each kind to calculate with.
type thing struct {
	ID    int64
	Text  string
	Other *string
	N     int64
	M     *int64
	X     float64
	At    time.Time
}

func things(t *testing.T, s *harness.Suite) (*harness.Suite, []*thing) {
	t.Helper()
	var r kin.Registry
	kin.Register[thing](&r)
	s = s.With(kin.WithRegistry(&r))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	texts := []string{"", "abc", "ABC", "  a b  ", "Äöß", "ΣΊΣΥΦΟΣ", "straße", "жЖ", "a'b\"c", "%_\\", "日本語", "ﬁx", "é😀z"}
	times := []time.Time{
		time.Date(2026, 3, 29, 0, 59, 59, 999999000, time.UTC), time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC),
		time.Date(2024, 12, 30, 23, 15, 7, 123456000, time.UTC), time.Date(2021, 1, 3, 12, 0, 0, 0, time.UTC),
		time.Date(1999, 7, 15, 4, 5, 6, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	var rows []*thing
	for i := range 60 {
		x := &thing{
			Text: texts[i%len(texts)], N: random.Int64N(2001) - 1000, X: float64(random.Int64N(2_000_001)-1_000_000) / 1000,
			At: times[i%len(times)],
		}
		if i%3 > 0 {
			o, m := texts[random.IntN(len(texts))], random.Int64N(7)-3
			x.Other, x.M = &o, &m
		}
		rows = append(rows, x)
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	return s, rows
}

// values reads an expression of every row, in their order.
func values[V any](t *testing.T, s *harness.Suite, e kin.Expr) []V {
	t.Helper()
	type row struct {
		ID int64
		V  V
	}
	rows, err := kin.Select[row](kin.Query[thing]().Annotate("v", e)).All(t.Context(), s.DB)
	require.NoError(t, err)
	list := make([]V, len(rows))
	for i, r := range rows {
		list[i] = r.V
	}
	return list
}

func check[V any](t *testing.T, s *harness.Suite, rows []*thing, why string, e kin.Expr, want func(*thing) V) {
	t.Helper()
	got := values[V](t, s, e)
	require.Len(t, got, len(rows))
	for i, x := range rows {
		require.Equal(t, want(x), got[i], "%s of %+v", why, *x)
	}
}

func TestTextFunctions(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, rows := things(t, s)
		text := kin.F("text")
		check(t, s, rows, "lower", kin.Lower(text), func(x *thing) string { return strings.ToLower(x.Text) })
		check(t, s, rows, "upper", kin.Upper(text), func(x *thing) string { return strings.ToUpper(x.Text) })
		check(t, s, rows, "length", kin.Length(text), func(x *thing) int { return utf8.RuneCountInString(x.Text) })
		check(t, s, rows, "trim", kin.Trim(text), func(x *thing) string { return strings.Trim(x.Text, " ") })
		check(t, s, rows, "replace", kin.Replace(text, "a", "'"), func(x *thing) string { return strings.ReplaceAll(x.Text, "a", "'") })
		check(t, s, rows, "replace by what may be NULL", kin.Replace(text, kin.Coalesce(kin.F("other"), "?"), kin.F("other")), func(x *thing) *string {
			if x.Other == nil {
				return nil
			}
			return &x.Text
		})
		check(t, s, rows, "replace of nothing by NULL", kin.Replace(text, "", kin.F("other")), func(x *thing) *string {
			if x.Other == nil {
				return nil
			}
			return &x.Text
		})
		check(t, s, rows, "substr", kin.Substr(text, 2, 2), func(x *thing) string {
			runes := []rune(x.Text)
			return string(runes[min(1, len(runes)):min(3, len(runes))])
		})
		check(t, s, rows, "concat", kin.Concat(text, "-", kin.F("other")), func(x *thing) *string {
			if x.Other == nil {
				return nil
			}
			v := x.Text + "-" + *x.Other
			return &v
		})
		check(t, s, rows, "coalesce", kin.Coalesce(kin.F("other"), text, "x"), func(x *thing) string {
			if x.Other == nil {
				return x.Text
			}
			return *x.Other
		})
		check(t, s, rows, "nullif", kin.NullIf(text, "abc"), func(x *thing) *string {
			if x.Text == "abc" {
				return nil
			}
			return &x.Text
		})
		check(t, s, rows, "the least by code points", kin.Least(kin.Lower(text), "B"), func(x *thing) string { return min(strings.ToLower(x.Text), "B") })
		check(t, s, rows, "the greatest by code points", kin.Greatest(kin.Upper(text), "a"), func(x *thing) string { return max(strings.ToUpper(x.Text), "a") })
		for _, c := range []struct {
			cond *kin.Condition
			want func(x *thing) bool
		}{
			{kin.Lower(text).Gt(kin.F("other")), func(x *thing) bool { return x.Other != nil && strings.ToLower(x.Text) > *x.Other }},
			{kin.F("other").Lte(kin.Upper(text)), func(x *thing) bool { return x.Other != nil && *x.Other <= strings.ToUpper(x.Text) }},
			{kin.Upper(text).Lt(kin.Lower(text)), func(x *thing) bool { return strings.ToUpper(x.Text) < strings.ToLower(x.Text) }},
			{kin.Lower(text).Gt("B"), func(x *thing) bool { return strings.ToLower(x.Text) > "B" }},
		} {
			want := 0
			for _, x := range rows {
				if c.want(x) {
					want++
				}
			}
			n, err := kin.Query[thing]().Where(c.cond).Count(t.Context(), s.DB)
			require.NoError(t, err)
			assert.EqualValues(t, want, n)
		}
		n, err := kin.Query[thing]().Where(kin.Lower(text).Eq("abc")).Count(t.Context(), s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 10, n)
		n, err = kin.Query[thing]().Where(text.Eq(kin.Upper("abc"))).Count(t.Context(), s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 5, n)
	})
}

func TestNumberFunctions(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, rows := things(t, s)
		n, m, x := kin.F("n"), kin.F("m"), kin.F("x")
		check(t, s, rows, "abs", kin.Abs(n), func(x *thing) int64 { return max(x.N, -x.N) })
		check(t, s, rows, "abs of a float", kin.Abs(x), func(x *thing) float64 { return math.Abs(x.X) })
		for digits := range 4 {
			power := math.Pow(10, float64(digits))
			check(t, s, rows, "round", kin.Round(x, digits), func(x *thing) float64 {
				return math.Copysign(math.Floor(math.Abs(x.X)*power+0.5)/power, x.X) + 0
			})
		}
		check(t, s, rows, "floor", kin.Floor(x), func(x *thing) float64 { return math.Floor(x.X) })
		check(t, s, rows, "ceil", kin.Ceil(x), func(x *thing) float64 { return math.Ceil(x.X) + 0 })
		check(t, s, rows, "integer", kin.Cast[int64](x), func(x *thing) int64 { return int64(x.X) })
		check(t, s, rows, "float", kin.Cast[float64](n), func(x *thing) float64 { return float64(x.N) })
		check(t, s, rows, "text", kin.Cast[string](n), func(x *thing) string { return strconv.FormatInt(x.N, 10) })
		check(t, s, rows, "a quotient of floats", kin.Cast[float64](n).Div(8), func(x *thing) float64 { return float64(x.N) / 8 })
		check(t, s, rows, "greatest", kin.Greatest(n, m, 0), func(x *thing) *int64 {
			if x.M == nil {
				return nil
			}
			v := max(x.N, *x.M, 0)
			return &v
		})
		check(t, s, rows, "least", kin.Least(n, m), func(x *thing) *int64 {
			if x.M == nil {
				return nil
			}
			v := min(x.N, *x.M)
			return &v
		})
		check(t, s, rows, "mod", kin.Mod(n, m), func(x *thing) *int64 {
			if x.M == nil || *x.M == 0 {
				return nil
			}
			v := x.N % *x.M
			return &v
		})
		check(t, s, rows, "a case", kin.Case().WhenCond("big", n.Gt(500)).When("small", "n__lt", -500).Else(kin.Cast[string](n)), func(x *thing) string {
			switch {
			case x.N > 500:
				return "big"
			case x.N < -500:
				return "small"
			}
			return strconv.FormatInt(x.N, 10)
		})
		seen := map[float64]bool{}
		for _, r := range values[float64](t, s, kin.Random()) {
			assert.True(t, r >= 0 && r < 1)
			seen[r] = true
		}
		assert.Greater(t, len(seen), 50, "another for each row")
	})
}

func TestTimeFunctions(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	require.NoError(t, err)
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, rows := things(t, s)
		for _, zone := range []*time.Location{time.UTC, berlin, kolkata, time.FixedZone("x", -5*3600)} {
			at := kin.InZone(kin.F("at"), zone)
			if zone == time.UTC {
				at = kin.F("at")
			}
			wall := func(x *thing) time.Time {
				y := x.At.In(zone)
				return time.Date(y.Year(), y.Month(), y.Day(), y.Hour(), y.Minute(), y.Second(), y.Nanosecond(), time.UTC)
			}
			check(t, s, rows, "in "+zone.String(), at, wall)
			for part, of := range map[kin.DatePart]func(time.Time) int{
				kin.Year: time.Time.Year, kin.Quarter: func(x time.Time) int { return (int(x.Month()) + 2) / 3 },
				kin.Month: func(x time.Time) int { return int(x.Month()) }, kin.Day: time.Time.Day, kin.Hour: time.Time.Hour,
				kin.Minute: time.Time.Minute, kin.Second: time.Time.Second,
				kin.Week:    func(x time.Time) int { _, week := x.ISOWeek(); return week },
				kin.Weekday: func(x time.Time) int { return (int(x.Weekday())+6)%7 + 1 },
			} {
				check(t, s, rows, string(part), kin.Extract(part, at), func(x *thing) int { return of(wall(x)) })
			}
			for part, of := range map[kin.DatePart]func(x time.Time) time.Time{
				kin.Year:    func(x time.Time) time.Time { return time.Date(x.Year(), 1, 1, 0, 0, 0, 0, time.UTC) },
				kin.Quarter: func(x time.Time) time.Time { return time.Date(x.Year(), (x.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC) },
				kin.Month:   func(x time.Time) time.Time { return time.Date(x.Year(), x.Month(), 1, 0, 0, 0, 0, time.UTC) },
				kin.Week: func(x time.Time) time.Time {
					return time.Date(x.Year(), x.Month(), x.Day()-(int(x.Weekday())+6)%7, 0, 0, 0, 0, time.UTC)
				},
				kin.Day:    func(x time.Time) time.Time { return time.Date(x.Year(), x.Month(), x.Day(), 0, 0, 0, 0, time.UTC) },
				kin.Hour:   func(x time.Time) time.Time { return x.Truncate(time.Hour) },
				kin.Minute: func(x time.Time) time.Time { return x.Truncate(time.Minute) },
				kin.Second: func(x time.Time) time.Time { return x.Truncate(time.Second) },
			} {
				check(t, s, rows, "trunc "+string(part), kin.Trunc(part, at), func(x *thing) time.Time { return of(wall(x)) })
			}
		}
		quarter := kin.Extract(kin.Quarter, kin.F("at"))
		check(t, s, rows, "calculated with", kin.F("n").Mul(quarter), func(x *thing) int64 { return x.N * int64((x.At.Month()+2)/3) })
		check(t, s, rows, "calculated with", kin.Mod(kin.F("n"), quarter), func(x *thing) int64 { return x.N % int64((x.At.Month()+2)/3) })
		n, err := kin.Query[thing]().Where(kin.Extract(kin.Year, kin.F("at")).Eq(2026)).Count(t.Context(), s.DB)
		require.NoError(t, err)
		want := 0
		for _, x := range rows {
			if x.At.Year() == 2026 {
				want++
			}
		}
		assert.EqualValues(t, want, n)
	})
}

func TestOwnFunctions(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, rows := things(t, s)
		twice := kin.NewFunc[int64](map[string]string{"sqlite": "({0} + {0})", "postgres": "({0} + {0})", "mysql": "({0} + {0})"})
		check(t, s, rows, "twice", twice(kin.F("n")), func(x *thing) int64 { return 2 * x.N })
		check(t, s, rows, "a bound argument", kin.NewFunc[string](map[string]string{
			"sqlite": "replace({*})", "postgres": "replace({*})", "mysql": "REPLACE({*})",
		})(kin.F("text"), "a", "'); DROP TABLE things; --"), func(x *thing) string { return strings.ReplaceAll(x.Text, "a", "'); DROP TABLE things; --") })
		for want, e := range map[string]kin.Expr{
			"is not supported by":    kin.NewFunc[int64](nil)(kin.F("n")),
			"called with 1":          kin.NewFunc[int64](map[string]string{s.Dialect().Name(): "f({0}, {1})"})(kin.F("n")),
			"without a }":            kin.NewFunc[int64](map[string]string{s.Dialect().Name(): "f({0"})(kin.F("n")),
			"does not take thing.N":  kin.Lower(kin.F("n")),
			"does not take thing.At": kin.Abs(kin.F("at")),
			"values of one type":     kin.Greatest(kin.F("n"), kin.F("text")),
			"no part":                kin.Trunc(kin.Weekday, kin.F("at")),
			"begins at 1":            kin.Substr(kin.F("text"), 0, 1),
			"Cast makes":             kin.Cast[bool](kin.F("n")),
		} {
			s.Wire.Reset()
			_, err := kin.Query[thing]().Where(e.Eq(kin.F("id"))).Count(t.Context(), s.DB)
			require.ErrorContains(t, err, want)
			s.Wire.Want(t, 0, 0)
		}
	})
}
