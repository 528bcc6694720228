package query

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// A leaf is a row of a tree, or of what is tied to circles.
type leaf struct {
	ID    int64
	Name  string
	Up    kin.ForeignKey[leaf] `kin:",null,related_name=down"`
	Downs kin.Reverse[leaf]    `kin:"via=Up"`
}

func TestTrees(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		ctx := t.Context()
		var r kin.Registry
		kin.Register[leaf](&r)
		s = s.With(kin.WithRegistry(&r))
		require.NoError(t, kin.CreateTables(ctx, s.DB))
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 1))
		const n = 60
		up := map[int64]int64{}
		for id := int64(1); id <= n; id++ {
			x := &leaf{ID: id, Name: string(rune('a' + id%5))}
			if id > 3 {
				up[id] = 1 + random.Int64N(id-1)
				x.Up = kin.Key[leaf](up[id])
			}
			require.NoError(t, kin.Insert(ctx, s.DB, x))
		}
		// A circle of three.
		up[1], up[2], up[3] = 2, 3, 1
		for id := int64(1); id <= 3; id++ {
			_, err := kin.Query[leaf]().Filter("id", id).Update(ctx, s.DB, kin.Set("up", up[id]))
			require.NoError(t, err)
		}
		next := func(ids map[int64]bool, upwards bool) map[int64]bool {
			found := map[int64]bool{}
			for grew := true; grew; {
				grew = false
				for from, to := range up {
					if upwards && (ids[from] || found[from]) && !found[to] {
						found[to], grew = true, true
					}
					if !upwards && (ids[to] || found[to]) && !found[from] {
						found[from], grew = true, true
					}
				}
			}
			return found
		}
		for _, start := range []int64{1, 4, 7, 20, 60} {
			q := kin.Query[leaf]().Filter("id", start)
			for upwards, reached := range map[bool]kin.QuerySet[leaf]{false: q.Descendants("up"), true: q.Ancestors("up")} {
				want := next(map[int64]bool{start: true}, upwards)
				s.Wire.Reset()
				rows, err := reached.SelectRelated("up").All(ctx, s.DB)
				require.NoError(t, err)
				s.Wire.Want(t, 1, len(want))
				for _, row := range rows {
					assert.True(t, want[row.ID], "%d from %d", row.ID, start)
				}
				named := 0
				for id := range want {
					if id%5 == 1 {
						named++
					}
				}
				count, err := reached.Filter("name", "b").Count(ctx, s.DB)
				require.NoError(t, err)
				assert.EqualValues(t, named, count)
			}
			same, err := q.Ancestors("downs").Count(ctx, s.DB)
			require.NoError(t, err)
			below, err := q.Descendants("up").Count(ctx, s.DB)
			require.NoError(t, err)
			assert.Equal(t, below, same, "by the name of the other side")
		}
		first, err := kin.Query[leaf]().OrderBy("id").Limit(3).Descendants("up").Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, n, first)
		_, err = kin.Query[leaf]().Descendants("name").All(ctx, s.DB)
		require.ErrorContains(t, err, `no relation "name"`)
		_, err = kin.Query[leaf]().Descendants("up__up").All(ctx, s.DB)
		require.ErrorContains(t, err, "itself, by one foreign key")
		deleted, err := kin.Query[leaf]().Filter("id", 60).Ancestors("up").Filter("id__gt", 100).Delete(ctx, s.DB)
		require.NoError(t, err)
		assert.Zero(t, deleted)
	})
}
