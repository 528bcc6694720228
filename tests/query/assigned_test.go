package query

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestAssignedTypes sets columns to expressions of another type, which each
// database would convert in its own way.
func TestAssignedTypes(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, _ = things(t, s)
		ctx := t.Context()
		q := kin.Query[thing]().Filter("id", 1)
		s.Wire.Reset()
		for _, set := range []*kin.Assignment{
			kin.Set("n", kin.F("x")), kin.Set("n", kin.F("n").Mul(kin.F("x"))), kin.Set("n", kin.Round(kin.F("x"), 1)),
			kin.Set("n", kin.F("text")), kin.Set("text", kin.F("at")), kin.Set("at", kin.F("text")), kin.Set("text", kin.F("x")),
		} {
			_, err := q.Update(ctx, s.DB, set)
			require.ErrorContains(t, err, "is set to a")
		}
		s.Wire.Want(t, 0, 0)
		_, err := q.Update(ctx, s.DB, kin.Set("x", 2.5))
		require.NoError(t, err)
		_, err = q.Update(ctx, s.DB, kin.Set("n", kin.Round(kin.F("x"), 0)), kin.Set("m", kin.Cast[int64](kin.F("x"))), kin.Set("x", kin.F("id")), kin.Set("text", kin.F("id")))
		require.NoError(t, err)
		row, err := q.Get(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 3, row.N)
		assert.EqualValues(t, 2, *row.M)
		assert.InDelta(t, 1, row.X, 0)
		assert.Equal(t, "1", row.Text)
	})
}
