package tests

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func manyToManyCases() []Case {
	return []Case{
		{"m2m/load", testLinkedLoad},
		{"m2m/load beside and below", testLinkedBranches},
		{"m2m/orders and limits", testLinkedOrders},
		{"m2m/filters", testLinkedFilters},
		{"m2m/iter", testLinkedIter},
		{"m2m/self", testLinkedSelf},
		{"m2m/tables", testLinkTables},
	}
}

func testLinkedLoad(t *testing.T, s *Suite) {
	w := newLinks(t, s)
	require.True(t, slices.ContainsFunc(w.posts, func(p *linkPost) bool { return w.tagsOf(p.ID) == nil }), "a post without tags")
	posts, err := kin.Query[linkPost]().SelectRelated("tags").All(t.Context(), w.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, len(w.linked)+len(w.posts))
	require.Len(t, posts, len(w.posts))
	seen := map[int64]*linkTag{}
	for i, p := range posts {
		assert.Equal(t, w.posts[i].ID, p.ID)
		assert.True(t, p.Tags.Loaded())
		assert.Equal(t, w.tagsOf(p.ID), ids(p.Tags.All(), tagID), p.ID)
		for g := range p.Tags.Values() {
			assert.Equal(t, w.tags[g.ID-1].Name, g.Name)
			if seen[g.ID] != nil {
				assert.Same(t, seen[g.ID], g)
			}
			seen[g.ID] = g
			assert.False(t, g.Posts.Loaded())
		}
	}

	tags, err := kin.Query[linkTag]().SelectRelated("posts").All(t.Context(), w.DB)
	require.NoError(t, err)
	require.Len(t, tags, len(w.tags))
	for _, g := range tags {
		assert.Equal(t, w.postsOf(g.ID), ids(g.Posts.All(), postID), g.ID)
	}

	p := posts[slices.IndexFunc(posts, func(p *linkPost) bool { return p.Tags.Len() > 1 })]
	s.Wire.Reset()
	loaded, err := p.Tags.Load(t.Context(), w.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, p.Tags.Len())
	assert.Equal(t, w.tagsOf(p.ID), ids(loaded, tagID))
	n, err := p.Tags.Query().Filter("name", loaded[0].Name).Count(t.Context(), w.DB)
	require.NoError(t, err)
	want := int64(0)
	for _, g := range loaded {
		if g.Name == loaded[0].Name {
			want++
		}
	}
	assert.Equal(t, want, n)
}

// check compares a whole graph with the memory.
func (w *links) check(t *testing.T, posts []*linkPost, tags map[int64]*linkTag) {
	t.Helper()
	for _, p := range posts {
		if !p.Tags.Loaded() {
			continue
		}
		assert.Equal(t, w.tagsOf(p.ID), ids(p.Tags.All(), tagID), p.ID)
		for _, g := range p.Tags.All() {
			if tags[g.ID] == nil {
				tags[g.ID] = g
				if g.Notes.Loaded() {
					w.checkNotes(t, g)
				}
				if g.Posts.Loaded() {
					assert.Equal(t, w.postsOf(g.ID), ids(g.Posts.All(), postID), g.ID)
					w.check(t, g.Posts.All(), tags)
				}
			}
			assert.Same(t, tags[g.ID], g)
		}
		if p.Remarks.Loaded() {
			var want []int64
			for _, r := range w.remarks {
				if r.Post.Get().ID == p.ID {
					want = append(want, r.ID)
				}
			}
			assert.Equal(t, want, ids(p.Remarks.All(), remarkID), p.ID)
		}
	}
}

func (w *links) checkNotes(t *testing.T, g *linkTag) {
	t.Helper()
	var want []int64
	for _, n := range w.notes {
		if n.Tag.Get().ID == g.ID {
			want = append(want, n.ID)
		}
	}
	assert.Equal(t, want, ids(g.Notes.All(), noteID), g.ID)
}

func testLinkedBranches(t *testing.T, s *Suite) {
	w := newLinks(t, s)
	reached := map[int64]bool{} // tags with a post
	for pair := range w.linked {
		reached[pair[1]] = true
	}
	notes := 0
	for _, n := range w.notes {
		if reached[n.Tag.Get().ID] {
			notes++
		}
	}
	require.Less(t, notes, len(w.notes))
	for _, c := range []struct {
		paths []string
		rows  int
	}{
		{[]string{"tags", "remarks"}, len(w.posts) + len(w.linked) + len(w.remarks)},
		{[]string{"tags__notes"}, len(w.posts) + len(w.linked) + notes},
		{[]string{"tags__posts"}, len(w.posts) + len(w.linked) + len(w.linked)},
		{[]string{"tags__posts__tags"}, -1},
		{[]string{"remarks__post__tags", "tags__notes"}, -1},
		{[]string{"tags__posts__remarks", "tags__notes", "remarks"}, -1},
	} {
		posts, err := kin.Query[linkPost]().SelectRelated(kin.Paths[linkPost](c.paths...)...).All(t.Context(), w.DB)
		require.NoError(t, err, c.paths)
		if c.rows >= 0 {
			s.Wire.Want(t, 1, c.rows)
		} else {
			assert.Len(t, s.Wire.Statements(), 1)
			s.Wire.Reset()
		}
		require.Len(t, posts, len(w.posts))
		tags := map[int64]*linkTag{}
		w.check(t, posts, tags)
		assert.Len(t, tags, len(reached), c.paths)

		i := 0
		for p, err := range kin.Query[linkPost]().SelectRelated(kin.Paths[linkPost](c.paths...)...).Iter(t.Context(), w.DB) {
			require.NoError(t, err)
			assert.Equal(t, w.posts[i].ID, p.ID)
			w.check(t, []*linkPost{p}, map[int64]*linkTag{})
			i++
		}
		assert.Equal(t, len(w.posts), i)
		s.Wire.Reset()
	}
}

func testLinkedOrders(t *testing.T, s *Suite) {
	w := newLinks(t, s)
	byName := func(a, b int64) int {
		return strings.Compare(w.tags[b-1].Name, w.tags[a-1].Name)*2 + cmpInt(a, b)
	}
	for _, paths := range [][]string{{"tags"}, {"tags", "remarks"}} {
		q := kin.Query[linkPost]().SelectRelated(kin.Paths[linkPost](paths...)...).OrderBy("-title", "-tags__name")
		want := slices.Clone(w.posts)
		slices.SortStableFunc(want, func(a, b *linkPost) int { return strings.Compare(b.Title, a.Title) })
		posts, err := q.All(t.Context(), w.DB)
		require.NoError(t, err)
		assert.Equal(t, ids(want, postID), ids(posts, postID))
		for _, p := range posts {
			tags := w.tagsOf(p.ID)
			slices.SortStableFunc(tags, byName)
			assert.Equal(t, tags, ids(p.Tags.All(), tagID), p.ID)
		}
		page, err := q.Limit(4).Offset(3).All(t.Context(), w.DB)
		require.NoError(t, err)
		assert.Equal(t, ids(want[3:7], postID), ids(page, postID))
		for i, p := range page {
			assert.Equal(t, ids(posts[i+3].Tags.All(), tagID), ids(p.Tags.All(), tagID))
		}
		n, err := q.Limit(4).Count(t.Context(), w.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 4, n)
	}
	_, err := kin.Query[linkPost]().OrderBy("tags__name").All(t.Context(), w.DB)
	require.EqualError(t, err, `kin: the order "tags__name" sorts rows that are not loaded; add SelectRelated for "tags"`)
}

func cmpInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func testLinkedFilters(t *testing.T, s *Suite) {
	w := newLinks(t, s)
	has := func(p *linkPost, cond func(*linkTag) bool) bool {
		return slices.ContainsFunc(w.tagsOf(p.ID), func(id int64) bool { return cond(w.tags[id-1]) })
	}
	noted := func(g *linkTag, text string) bool {
		return slices.ContainsFunc(w.notes, func(n *linkNote) bool { return n.Tag.Get().ID == g.ID && strings.Contains(n.Text, text) })
	}
	for _, c := range []struct {
		args []any
		met  func(p *linkPost) bool
	}{
		{[]any{"tags__name", "tag 2"}, func(p *linkPost) bool { return has(p, func(g *linkTag) bool { return g.Name == "tag 2" }) }},
		{[]any{"tags__name__ne", "tag 2"}, func(p *linkPost) bool { return has(p, func(g *linkTag) bool { return g.Name != "tag 2" }) }},
		{[]any{"tags", w.tags[1]}, func(p *linkPost) bool { return has(p, func(g *linkTag) bool { return g.ID == 2 }) }},
		{[]any{"tags", 3}, func(p *linkPost) bool { return has(p, func(g *linkTag) bool { return g.ID == 3 }) }},
		{[]any{"tags__id__gt", 5}, func(p *linkPost) bool { return has(p, func(g *linkTag) bool { return g.ID > 5 }) }},
		{[]any{"tags__in", []int64{1, 4}}, func(p *linkPost) bool { return has(p, func(g *linkTag) bool { return g.ID == 1 || g.ID == 4 }) }},
		{[]any{"tags", nil}, func(p *linkPost) bool { return len(w.tagsOf(p.ID)) == 0 }},
		{[]any{"tags__isnull", false}, func(p *linkPost) bool { return len(w.tagsOf(p.ID)) > 0 }},
		{[]any{"tags__name", "tag 1", "tags__id__gt", 3}, func(p *linkPost) bool {
			return has(p, func(g *linkTag) bool { return g.Name == "tag 1" && g.ID > 3 })
		}},
		{[]any{"tags__notes__text__contains", "1", "tags__id__lt", 5}, func(p *linkPost) bool {
			return has(p, func(g *linkTag) bool { return g.ID < 5 && noted(g, "1") })
		}},
		{[]any{"tags__posts__title", "post 3"}, func(p *linkPost) bool {
			return has(p, func(g *linkTag) bool {
				return slices.ContainsFunc(w.postsOf(g.ID), func(id int64) bool { return w.posts[id-1].Title == "post 3" })
			})
		}},
		{[]any{"remarks__post__tags__id", 4}, func(p *linkPost) bool {
			return slices.ContainsFunc(w.remarks, func(r *linkRemark) bool { return r.Post.Get().ID == p.ID }) &&
				has(p, func(g *linkTag) bool { return g.ID == 4 })
		}},
	} {
		var in, out []int64
		for _, p := range w.posts {
			if c.met(p) {
				in = append(in, p.ID)
			} else {
				out = append(out, p.ID)
			}
		}
		require.NotEmpty(t, out, c.args)
		q := kin.Query[linkPost]()
		got, err := q.Filter(c.args[0].(string), c.args[1], c.args[2:]...).All(t.Context(), w.DB)
		require.NoError(t, err, c.args)
		assert.Equal(t, in, ids(got, postID), "%v", c.args)
		got, err = q.Exclude(c.args[0].(string), c.args[1], c.args[2:]...).SelectRelated("tags").All(t.Context(), w.DB)
		require.NoError(t, err, c.args)
		assert.Equal(t, out, ids(got, postID), "%v", c.args)
		w.check(t, got, map[int64]*linkTag{})
	}
	_, err := kin.Query[linkPost]().Filter("tags", &linkTag{}).All(t.Context(), w.DB)
	require.ErrorIs(t, err, kin.ErrUnsaved)
	_, err = kin.Query[linkPost]().Filter("tags__link__id", 1).All(t.Context(), w.DB)
	require.ErrorContains(t, err, `"link"`)
}

func testLinkedIter(t *testing.T, s *Suite) {
	w := newLinks(t, s)
	var got []int64
	for p, err := range kin.Query[linkPost]().SelectRelated("tags").OrderBy("-id").Iter(t.Context(), w.DB) {
		require.NoError(t, err)
		got = append(got, p.ID)
		w.check(t, []*linkPost{p}, map[int64]*linkTag{})
	}
	want := ids(w.posts, postID)
	slices.Reverse(want)
	assert.Equal(t, want, got)
	p, err := kin.Query[linkPost]().SelectRelated("tags__posts").Filter("id", 3).Get(t.Context(), w.DB)
	require.NoError(t, err)
	w.check(t, []*linkPost{p}, map[int64]*linkTag{})
}

func testLinkedSelf(t *testing.T, s *Suite) {
	s = linkSuite(t, s)
	ctx := t.Context()
	users := []*linkUser{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	require.NoError(t, kin.Insert(ctx, s.DB, users...))
	a, b, c := users[0], users[1], users[2]
	require.NoError(t, a.Follows.Add(ctx, s.DB, b, c))
	require.NoError(t, b.Follows.Add(ctx, s.DB, a, b))
	got, err := kin.Query[linkUser]().SelectRelated("follows", "followers").All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []int64{b.ID, c.ID}, ids(got[0].Follows.All(), linkUserID))
	assert.Equal(t, []int64{b.ID}, ids(got[0].Followers.All(), linkUserID))
	assert.Equal(t, []int64{a.ID, b.ID}, ids(got[1].Follows.All(), linkUserID))
	assert.Equal(t, []int64{a.ID, b.ID}, ids(got[1].Followers.All(), linkUserID))
	assert.Equal(t, []int64{}, append([]int64{}, ids(got[2].Follows.All(), linkUserID)...))
	assert.Equal(t, []int64{a.ID}, ids(got[2].Followers.All(), linkUserID))
	assert.Same(t, got[1], got[0].Follows.All()[0])

	// b follows itself: both ends of one link.
	require.NoError(t, got[1].Follows.Remove(ctx, s.DB, got[1]))
	assert.Equal(t, []int64{a.ID}, ids(got[1].Follows.All(), linkUserID))
	assert.Equal(t, []int64{a.ID}, ids(got[1].Followers.All(), linkUserID))
	found, err := kin.Query[linkUser]().Filter("followers__name", "a").All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []int64{b.ID, c.ID}, ids(found, linkUserID))
}

func testLinkTables(t *testing.T, s *Suite) {
	w := newLinks(t, s)
	ctx := t.Context()
	var pair [2]int64
	for p := range w.linked {
		pair = p
	}
	_, err := s.Pool().ExecContext(ctx, s.bind("INSERT INTO link_posts_tags (link_post_id, link_tag_id) VALUES (?, ?)"), pair[0], pair[1])
	require.Error(t, err, "a pair is unique")
	_, err = s.Pool().ExecContext(ctx, s.bind("INSERT INTO link_posts_tags (link_post_id, link_tag_id) VALUES (?, ?)"), 999, 1)
	require.Error(t, err, "a link leads to a row")
	count := func(where string, args ...any) (n int) {
		require.NoError(t, s.Pool().QueryRowContext(ctx, s.bind("SELECT COUNT(*) FROM link_posts_tags WHERE "+where), args...).Scan(&n))
		return n
	}
	require.Positive(t, count("link_tag_id = ?", pair[1]))
	s.Exec(t, s.bind("DELETE FROM link_notes WHERE tag_id = ?"), pair[1])
	require.NoError(t, kin.Delete(ctx, w.DB, w.tags[pair[1]-1]))
	assert.Zero(t, count("link_tag_id = ?", pair[1]), "links go with a row")
	require.NoError(t, kin.DropTables(ctx, w.DB))
	require.NoError(t, kin.CreateTables(ctx, w.DB))
	assert.Zero(t, count("1 = 1"))
}
