package query

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/chinook"
	"github.com/kin-orm/kin/tests/harness"
)

// TestChinook compares aggregates over a real database with SQL that is written
// by hand, and with what is known of it.
func TestChinook(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		ctx := t.Context()
		chinook.Load(t, s.Pool(), s.Name)
		s = s.With(kin.WithRegistry(chinook.Registry()), kin.WithNaming(chinook.Naming(s.Name)))
		type artist struct {
			Name   string
			Albums int64 `kin:"count(albums)"`
			Tracks int64 `kin:"count(albums__tracks)"`
			Length int64 `kin:"sum(albums__tracks__milliseconds),zero"`
		}
		rows, err := kin.Select[artist](kin.Query[chinook.Artist]()).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, rows, 275)
		var albums, tracks, length int64
		for _, r := range rows {
			albums, tracks, length = albums+r.Albums, tracks+r.Tracks, length+r.Length
		}
		assert.EqualValues(t, 347, albums, "not multiplied by their tracks")
		assert.EqualValues(t, 3503, tracks)
		total, err := kin.Value[int64](ctx, s.DB, kin.Query[chinook.Track](), kin.Sum("milliseconds"))
		require.NoError(t, err)
		assert.Equal(t, total, length)

		n, err := kin.Query[chinook.Artist]().Where(kin.Count("albums").Gte(10)).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 5, n, "Iron Maiden, Led Zeppelin, Deep Purple, Metallica, U2")
		type genre struct {
			Name  string `kin:"genre__name"`
			Count int64  `kin:"count(*)"`
		}
		genres, err := kin.Select[genre](kin.Query[chinook.Track]()).Having(kin.Count("*").Gt(300)).OrderBy("-count").All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, []genre{{"Rock", 1297}, {"Latin", 579}, {"Metal", 374}, {"Alternative & Punk", 332}}, genres)
	})
}
