package query

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestNullsInExpressions gives NULL as a value of Go wherever an expression may
// have one: its type is that of the others.
func TestNullsInExpressions(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, rows := things(t, s)
		n := kin.F("n")
		positive := func(x *thing) *int64 {
			if x.N > 0 {
				return &x.N
			}
			return nil
		}
		check(t, s, rows, "else", kin.Case().When(n, "n__gt", 0).Else(nil), positive)
		check(t, s, rows, "then", kin.Case().When(nil, "n__lte", 0).Else(n), positive)
		check(t, s, rows, "a text", kin.Case().When(nil, "n__lte", 0).Else("x"), func(x *thing) *string {
			if x.N <= 0 {
				return nil
			}
			return new("x")
		})
		check(t, s, rows, "first", kin.Coalesce(nil, kin.F("m"), n), func(x *thing) int64 {
			if x.M != nil {
				return *x.M
			}
			return x.N
		})
		check(t, s, rows, "the greatest", kin.Greatest(nil, n), func(*thing) *int64 { return nil })
		_, err := kin.Query[thing]().Where(kin.Case().When(nil, "n", 1).Eq(1)).Count(t.Context(), s.DB)
		require.ErrorContains(t, err, "says nothing to the database")
	})
}
