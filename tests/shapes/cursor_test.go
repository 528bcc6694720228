package shapes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestCursorQuery: a cursor is that of a query whose rows and order are the same,
// whatever is loaded with them and said in comments.
func TestCursorQuery(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = teams(t, s)
		ctx, db, q := t.Context(), s.DB, kin.Query[member]()
		first, err := q.PageFrom(ctx, db, "", 1)
		require.NoError(t, err)
		for what, q := range map[string]kin.QuerySet[member]{
			"loaded": q.SelectRelated("team"), "prefetched": q.Prefetch("team__members"), "tagged": q.Tag("n", "1"), "budgeted": q.MaxRows(9),
		} {
			page, err := q.PageFrom(ctx, db, first.Next, 1)
			require.NoError(t, err, what)
			assert.Equal(t, "Bob", page.Rows[0].Name, what)
		}
		for _, cursor := range []string{first.Next + "\n", "\r" + first.Next} {
			require.ErrorIs(t, errOf(q.PageFrom(ctx, db, cursor, 1)), kin.ErrCursor)
		}
		middle := []byte(first.Next)
		middle[len(middle)/2] ^= 1
		err = errOf(q.PageFrom(ctx, db, string(middle), 1))
		require.ErrorIs(t, err, kin.ErrCursor)
		assert.NotContains(t, err.Error(), "column")
	})
}

// TestCursorBudget: a budget of rows holds for pages by cursor and for batches, of
// which each is a statement. The row that shows whether there are more is not one
// of them.
func TestCursorBudget(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = teams(t, s)
		ctx, db, q := t.Context(), s.DB, kin.Query[team]()
		batch := func(q kin.QuerySet[team], size int) (failed error) {
			for _, err := range q.Batches(ctx, db, size) {
				failed = err
			}
			return failed
		}
		two := q.MaxRows(2)
		require.NoError(t, batch(two, 2))
		require.NoError(t, errOf(two.PageFrom(ctx, db, "", 2)))
		require.NoError(t, batch(q.MaxRows(1), 1))
		require.NoError(t, errOf(q.MaxRows(1).PageFrom(ctx, db, "", 1)))
		for _, err := range []error{
			batch(q.MaxRows(1), 2), errOf(q.MaxRows(1).PageFrom(ctx, db, "", 2)), errOf(q.MaxRows(1).Prefetch("members").PageFrom(ctx, db, "", 9)),
			batch(q.MaxRows(1).SelectRelated("members"), 9), errOf(q.MaxRows(1).SelectRelated("members").PageFrom(ctx, db, "", 9)),
		} {
			require.ErrorIs(t, err, kin.ErrMaxRows)
		}
	})
}
