package query

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestNestedFunctions has functions in functions which are written with an
// argument in them several times: many are an error, and soon.
func TestNestedFunctions(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, rows := things(t, s)
		nest := func(times int, f func(kin.Expr) kin.Expr) kin.Expr {
			e := kin.F("n")
			for range times {
				e = f(e)
			}
			return e
		}
		greatest := func(e kin.Expr) kin.Expr { return kin.Greatest(e, 0) }
		nullIf := func(e kin.Expr) kin.Expr { return kin.NullIf(e, -2000) }
		check(t, s, rows, "some", nest(6, greatest), func(x *thing) int64 { return max(x.N, 0) })
		check(t, s, rows, "some", nest(6, nullIf), func(x *thing) int64 { return x.N })
		for _, f := range []func(kin.Expr) kin.Expr{nullIf, func(e kin.Expr) kin.Expr { return kin.Round(e, 1) }} {
			_, err := kin.Query[thing]().Where(nest(100, f).Gt(0)).Count(t.Context(), s.DB)
			require.Error(t, err)
		}
		_, err := kin.Query[thing]().Where(nest(100, greatest).Gt(2000)).Count(t.Context(), s.DB)
		if s.Name == "postgres" {
			require.ErrorContains(t, err, "over and over")
			return
		}
		require.NoError(t, err)
	})
}
