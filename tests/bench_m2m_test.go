package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests"
)

type (
	benchPost struct {
		ID    int64
		Title string
		Tags  kin.ManyToMany[benchTag]
	}
	benchTag struct {
		ID   int64
		Name string
	}
)

// BenchmarkManyToMany reads 200 posts with five tags each, of 50.
func BenchmarkManyToMany(b *testing.B) {
	var r kin.Registry
	kin.Register[benchPost](&r)
	kin.Register[benchTag](&r)
	q := kin.Query[benchPost]().SelectRelated("tags")
	var db *kin.DB
	race(b, func(s *tests.Suite) {
		db = s.With(kin.WithRegistry(&r)).DB
		newBenchPosts(b, db)
	}, 1000,
		contender{"sql", sqlPosts},
		contender{"kin", func(t testing.TB, _ *tests.Suite) int {
			posts, err := q.All(t.Context(), db)
			require.NoError(t, err)
			n := 0
			for _, p := range posts {
				n += p.Tags.Len()
			}
			return n
		}},
	)
}

func newBenchPosts(t testing.TB, db *kin.DB) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, db))
	tags := make([]*benchTag, 50)
	for i := range tags {
		tags[i] = &benchTag{Name: "tag"}
	}
	posts := make([]*benchPost, 200)
	for i := range posts {
		posts[i] = &benchPost{Title: "post"}
	}
	require.NoError(t, kin.Insert(ctx, db, tags...))
	require.NoError(t, kin.Insert(ctx, db, posts...))
	for i, p := range posts {
		require.NoError(t, p.Tags.Add(ctx, db, tags[i%46:i%46+5]...))
	}
}

// sqlPosts does the same by hand: one join, and a map of the tags.
func sqlPosts(t testing.TB, s *tests.Suite) int {
	type tag struct {
		id   int64
		name string
	}
	type post struct {
		id    int64
		title string
		tags  []*tag
	}
	rows, err := s.Pool().QueryContext(t.Context(), `SELECT p.id, p.title, g.id, g.name FROM bench_posts p
		LEFT JOIN bench_posts_tags l ON l.bench_post_id = p.id LEFT JOIN bench_tags g ON g.id = l.bench_tag_id ORDER BY p.id, g.id`)
	require.NoError(t, err)
	defer rows.Close()
	var posts []*post
	tags := map[int64]*tag{}
	n := 0
	for rows.Next() {
		var p post
		var id *int64
		var name *string
		require.NoError(t, rows.Scan(&p.id, &p.title, &id, &name))
		if len(posts) == 0 || posts[len(posts)-1].id != p.id {
			posts = append(posts, &p)
		}
		if id == nil {
			continue
		}
		if tags[*id] == nil {
			tags[*id] = &tag{*id, *name}
		}
		at := posts[len(posts)-1]
		at.tags = append(at.tags, tags[*id])
		n++
	}
	require.NoError(t, rows.Err())
	return n
}
