package query

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestListsDoNotCompare selects lists beside what is sorted, and with what would
// compare them.
func TestListsDoNotCompare(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		ctx := t.Context()
		type row struct {
			Name     string
			Students []string `kin:"array(students__name)"`
		}
		q := kin.Select[row](kin.Query[class]())
		rows, err := q.OrderBy("-name").Limit(2).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, []row{{"c", nil}, {"b", []string{"Cid", "Dan", "Éva"}}}, rows)
		rows, err = q.UnionAll(q).OrderBy("-name").Limit(3).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Len(t, rows, 3)
		for why, sel := range map[string]kin.Selection[row]{
			"an order": q.OrderBy("students"), "distinct": q.Distinct(), "a union": q.Union(q), "a difference": q.Except(q),
			"the order of a union": q.UnionAll(q).OrderBy("students"),
		} {
			_, err := sel.All(ctx, s.DB)
			require.ErrorContains(t, err, "a list of values is read", why)
		}
	})
}
