package shapes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// TestPrefetchWholes: what holds for a result as a whole is not left out in
// silence if a subquery says it.
func TestPrefetchWholes(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx, db := t.Context(), s.DB
		q, sub := kin.Query[article](), kin.Query[comment]()
		for want, sub := range map[string]kin.QuerySet[comment]{
			"lock with ForUpdate": sub.ForUpdate(), "or ForShare": sub.ForShare(kin.SkipLocked), "count with MaxRows": sub.MaxRows(1),
			"be Strict": sub.Strict(), "be read with FetchPeers": sub.FetchPeers(), "be Concurrent": sub.Concurrent(), "in a Snapshot": sub.Snapshot(),
		} {
			assert.ErrorContains(t, errOf(q.Prefetch("comments", sub).All(ctx, db)), want)
			assert.ErrorContains(t, errOf(q.Prefetch("comments__article__comments", sub).First(ctx, db)), `Prefetch("comments__article__comments") is to `)
		}
		assert.Empty(t, s.Wire.Statements())
		rows, err := q.Strict().Prefetch("comments", sub.Strict()).All(ctx, db)
		require.NoError(t, err, "what the query is, too")
		assert.ErrorIs(t, errOf(rows[3].Comments.All()[0].Article.Get().Labels.Load(ctx, db)), kin.ErrNotLoaded)
	})
}
