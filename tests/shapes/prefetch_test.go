package shapes

import (
	"context"
	"strings"
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
			require.ErrorContains(t, errOf(q.Prefetch("comments", sub).All(ctx, db)), want)
			require.ErrorContains(t, errOf(q.Prefetch("comments__article__comments", sub).First(ctx, db)), `Prefetch("comments__article__comments") is to `)
		}
		assert.Empty(t, s.Wire.Statements())
		rows, err := q.Strict().Prefetch("comments", sub.Strict()).All(ctx, db)
		require.NoError(t, err, "what the query is, too")
		assert.ErrorIs(t, errOf(rows[3].Comments.All()[0].Article.Get().Labels.Load(ctx, db)), kin.ErrNotLoaded)
	})
}

// TestPrefetchPages: pages by cursor and batches have what is prefetched, and
// cursors are those of rows that several statements read.
func TestPrefetchPages(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = teams(t, s)
		ctx, db, plain := t.Context(), s.DB, kin.Query[member]().OrderBy("-name")
		q := plain.SelectRelated("hosts").Prefetch("chief__team").Prefetch("team__members", kin.Query[member]().OrderBy("-name").Limit(1))
		check := func(rows []*member) {
			t.Helper()
			for _, m := range rows {
				last := map[string]string{"a": "Bob", "b": "Cem"}[m.Team.Get().Name]
				require.Equal(t, 1, m.Team.Get().Members.Len())
				assert.Equal(t, last, m.Team.Get().Members.All()[0].Name)
				require.True(t, m.Hosts.Loaded())
				if m.Name != "Ann" {
					assert.Equal(t, "a", m.Chief.Get().Team.Get().Name)
				}
			}
		}
		for _, q := range []kin.QuerySet[member]{q, q.Concurrent(), q.Snapshot(), q.FetchPeers()} {
			var got strings.Builder
			var cursors []string
			for cursor := ""; ; {
				page, err := q.PageFrom(ctx, db, cursor, 1)
				require.NoError(t, err)
				check(page.Rows)
				got.WriteString(page.Rows[0].Name)
				cursors = append(cursors, page.Previous)
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			assert.Equal(t, "CemBobAnn", got.String())
			page, err := q.PageFrom(ctx, db, cursors[2], 2)
			require.NoError(t, err)
			require.Len(t, page.Rows, 2)
			assert.Equal(t, "Cem", page.Rows[0].Name)
			check(page.Rows)
			n := 0
			for rows, err := range q.Batches(ctx, db, 2) {
				require.NoError(t, err)
				check(rows)
				n += len(rows)
			}
			assert.Equal(t, 3, n)
		}
		s.Wire.Reset()
		require.NoError(t, errOf(plain.Prefetch("team").PageFrom(ctx, db, "", 2)))
		s.Wire.Want(t, 2, 3+2)
		if s.Name != "sqlite" {
			assert.ErrorIs(t, errOf(plain.ForUpdate().Prefetch("team").PageFrom(ctx, db, "", 2)), kin.ErrNoTx)
		}
	})
}

// TestPrefetchOnReplicas: all statements of a query are read from one replica,
// and none of them is a write to follow.
func TestPrefetchOnReplicas(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		behind := printed(t, harness.New(t, s.Target))
		other := printed(t, harness.New(t, s.Target))
		ctx := kin.ReadYourWrites(t.Context())
		s = s.With(kin.WithRegistry(press()), kin.WithReplicas(behind.DB, other.DB))
		db, q := s.DB, kin.Query[article]().Prefetch("comments").Prefetch("author__home")
		peers, err := kin.Query[article]().FetchPeers().All(ctx, db)
		require.NoError(t, err)
		for what, read := range map[string]func(context.Context) error{
			"all":        func(ctx context.Context) error { return errOf(q.All(ctx, db)) },
			"concurrent": func(ctx context.Context) error { return errOf(q.Concurrent().All(ctx, db)) },
			"snapshot":   func(ctx context.Context) error { return errOf(q.Snapshot().All(ctx, db)) },
			"page":       func(ctx context.Context) error { return errOf(q.Page(ctx, db, 1, 9)) },
			"iter": func(ctx context.Context) (failed error) {
				for _, err := range q.Iter(ctx, db) {
					failed = err
				}
				return failed
			},
			"snapshot iter": func(ctx context.Context) (failed error) {
				for _, err := range q.Snapshot().Iter(ctx, db) {
					failed = err
				}
				return failed
			},
		} {
			behind.Wire.Reset()
			other.Wire.Reset()
			require.NoError(t, read(ctx), what)
			assert.Equal(t, 4, max(len(behind.Wire.Statements()), len(other.Wire.Statements())), what)
			assert.Zero(t, min(len(behind.Wire.Statements()), len(other.Wire.Statements())), what)
			s.Wire.Want(t, 0, 0)
			require.NoError(t, read(kin.OnPrimary(ctx)), what)
			s.Wire.Want(t, 4, 4+6+2+2)
		}
		require.NoError(t, errOf(peers[3].Comments.Load(ctx, db)))
		s.Wire.Want(t, 0, 0)
		require.NoError(t, kin.Insert(ctx, db, &town{Name: "Essen"}))
		s.Wire.Reset()
		require.NoError(t, errOf(q.All(ctx, db)))
		s.Wire.Want(t, 4, 4+6+2+2)
	})
}
