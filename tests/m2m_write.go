package tests

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func linkWriteCases() []Case {
	return []Case{
		{"m2m/add and create", testLinkedAdd},
		{"m2m/remove and clear", testLinkedRemove},
		{"m2m/set", testLinkedSet},
		{"m2m/mistakes", testLinkedMistakes},
		{"m2m/tiny", testLinkedTiny},
		{"m2m/composite keys", testLinkedComposite},
	}
}

// newPostTags inserts two posts and four tags; the first post has the tags 0
// and 1. All of it is loaded, from both sides.
func newPostTags(t *testing.T, s *Suite) (*Suite, []*linkPost, []*linkTag) {
	t.Helper()
	s = linkSuite(t, s)
	for id, title := range []string{"p0", "p1"} {
		s.Exec(t, s.bind("INSERT INTO link_posts (id, title) VALUES (?, ?)"), id+1, title)
	}
	for id, name := range []string{"t0", "t1", "t2", "t3"} {
		s.Exec(t, s.bind("INSERT INTO link_tags (id, name) VALUES (?, ?)"), id+1, name)
	}
	if s.Name == "postgres" { // whose sequence does not know of keys that were given
		s.Exec(t, "SELECT setval('link_posts_id_seq', 100), setval('link_tags_id_seq', 100)")
	}
	s.Exec(t, "INSERT INTO link_posts_tags (link_post_id, link_tag_id) VALUES (1, 1), (1, 2)")
	posts, err := kin.Query[linkPost]().SelectRelated("tags__posts").All(t.Context(), s.DB)
	require.NoError(t, err)
	tags, err := kin.Query[linkTag]().SelectRelated("posts").All(t.Context(), s.DB)
	require.NoError(t, err)
	copy(tags, posts[0].Tags.All()) // the values that the posts have
	s.Wire.Reset()
	return s, posts, tags
}

// storedLinks returns the names of the tags of posts, by plain SQL.
func (s *Suite) storedLinks(t *testing.T, post *linkPost) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), s.bind(`SELECT g.name FROM link_posts_tags l
		JOIN link_tags g ON g.id = l.link_tag_id WHERE l.link_post_id = ? ORDER BY g.name`), post.ID)
	require.NoError(t, err)
	defer rows.Close()
	names := []string{}
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

// checkTags compares a post's tags, in memory from both sides and in the
// database.
func (s *Suite) checkTags(t *testing.T, post *linkPost, tags []*linkTag, names ...string) {
	t.Helper()
	inMemory := []string{}
	for _, g := range post.Tags.All() {
		inMemory = append(inMemory, g.Name)
	}
	assert.ElementsMatch(t, names, inMemory, "in memory")
	assert.ElementsMatch(t, names, s.storedLinks(t, post), "in the database")
	for _, g := range tags {
		if g.Posts.Loaded() {
			assert.Equal(t, slices.Contains(names, g.Name), slices.Contains(g.Posts.All(), post), "the far side of %s", g.Name)
		}
	}
	s.Wire.Reset()
}

func testLinkedAdd(t *testing.T, s *Suite) {
	s, posts, tags := newPostTags(t, s)
	ctx := t.Context()
	post := posts[0]
	s.checkTags(t, post, tags, "t0", "t1")

	require.NoError(t, post.Tags.Add(ctx, s.DB, tags[2]))
	assert.Len(t, writes(s.Wire.Statements()), 1)
	s.checkTags(t, post, tags, "t0", "t1", "t2")

	fresh := &linkTag{Name: "new"}
	require.NoError(t, post.Tags.Add(ctx, s.DB, tags[2], fresh, tags[0], tags[3], tags[3]))
	assert.Len(t, writes(s.Wire.Statements()), 2, "one for the tag, one for the links")
	assert.Positive(t, fresh.ID)
	s.checkTags(t, post, append(tags, fresh), "t0", "t1", "t2", "t3", "new")

	// A tag as another value is the same tag.
	again := &linkTag{ID: tags[1].ID, Name: "t1"}
	require.NoError(t, post.Tags.Add(ctx, s.DB, again))
	s.checkTags(t, post, tags, "t0", "t1", "t2", "t3", "new")

	one, two := &linkTag{Name: "one"}, &linkTag{Name: "two"}
	require.NoError(t, posts[1].Tags.Create(ctx, s.DB, one, two))
	s.checkTags(t, posts[1], []*linkTag{one, two}, "one", "two")

	// From the far side.
	require.NoError(t, tags[2].Posts.Add(ctx, s.DB, posts[1]))
	s.checkTags(t, posts[1], tags, "one", "two", "t2")
	require.NoError(t, post.Tags.Add(ctx, s.DB))
	assert.Empty(t, s.Wire.Statements())
}

// writes returns the statements that change rows.
func writes(statements []string) (list []string) {
	for _, text := range statements {
		if len(text) > 6 && slices.Contains([]string{"INSERT", "UPDATE", "DELETE"}, text[:6]) {
			list = append(list, text)
		}
	}
	return list
}

func testLinkedRemove(t *testing.T, s *Suite) {
	s, posts, tags := newPostTags(t, s)
	ctx := t.Context()
	post := posts[0]
	err := post.Tags.Remove(ctx, s.DB, tags[0], tags[2])
	require.ErrorIs(t, err, kin.ErrNotFound)
	require.ErrorContains(t, err, "kin: remove from linkPost.Tags: ")
	s.checkTags(t, post, tags, "t0", "t1")

	require.NoError(t, post.Tags.Remove(ctx, s.DB, tags[0]))
	assert.Len(t, writes(s.Wire.Statements()), 1)
	s.checkTags(t, post, tags, "t1")

	require.NoError(t, posts[1].Tags.Add(ctx, s.DB, tags[1]))
	n, err := post.Tags.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
	s.checkTags(t, post, tags)
	s.checkTags(t, posts[1], tags, "t1")

	n, err = tags[1].Posts.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
	s.checkTags(t, posts[1], tags)
	count, err := kin.Query[linkTag]().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 4, count, "the tags stay")
}

func testLinkedSet(t *testing.T, s *Suite) {
	s, posts, tags := newPostTags(t, s)
	ctx := t.Context()
	post := posts[0]
	fresh := &linkTag{Name: "new"}
	require.NoError(t, post.Tags.Set(ctx, s.DB, tags[3], tags[1], fresh))
	assert.Len(t, writes(s.Wire.Statements()), 3, "insert the tag, remove one link, add two")
	s.checkTags(t, post, append(tags, fresh), "t3", "t1", "new")
	assert.Equal(t, []*linkTag{tags[3], tags[1], fresh}, post.Tags.All(), "in the order given")

	require.NoError(t, post.Tags.Set(ctx, s.DB, fresh, tags[1], tags[3]))
	assert.Empty(t, writes(s.Wire.Statements()), "nothing to do")
	require.NoError(t, posts[1].Tags.Set(ctx, s.DB))
	s.checkTags(t, posts[1], tags)
	require.NoError(t, post.Tags.Set(ctx, s.DB))
	s.checkTags(t, post, append(tags, fresh))

	// A collection that is not loaded is loaded afterwards.
	other, err := kin.Query[linkPost]().Filter("id", 2).Get(ctx, s.DB)
	require.NoError(t, err)
	require.False(t, other.Tags.Loaded())
	require.NoError(t, other.Tags.Set(ctx, s.DB, tags[0]))
	s.checkTags(t, other, nil, "t0")
}

func testLinkedMistakes(t *testing.T, s *Suite) {
	s, posts, tags := newPostTags(t, s)
	ctx := t.Context()
	post := posts[0]

	loose := &linkPost{}
	require.ErrorIs(t, loose.Tags.Add(ctx, s.DB, tags[0]), kin.ErrUnbound)
	_, err := loose.Tags.Load(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrUnbound)
	require.EqualError(t, post.Tags.Add(ctx, s.DB, tags[2], nil), "kin: add to linkPost.Tags: row 2 of 2 is nil")

	// A tag that is not there, together with one that is inserted first.
	fresh := &linkTag{Name: "new"}
	err = post.Tags.Add(ctx, s.DB, fresh, &linkTag{ID: 77})
	_, refused := errors.AsType[*kin.ForeignKeyError](err)
	require.True(t, refused, "%v", err)
	require.ErrorIs(t, err, kin.ErrNotFound)
	assert.Zero(t, fresh.ID, "its insertion was undone")
	s.checkTags(t, post, tags, "t0", "t1")
	count, err := kin.Query[linkTag]().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 4, count)

	err = post.Tags.Create(ctx, s.DB, tags[2])
	require.ErrorContains(t, err, "is saved already")
	err = post.Tags.Set(ctx, s.DB, tags[2], &linkTag{ID: 77})
	require.Error(t, err)
	s.checkTags(t, post, tags, "t0", "t1")
	err = post.Tags.Remove(ctx, s.DB, tags[0], tags[0])
	require.ErrorContains(t, err, "is there twice")
	err = s.DB.Tx(ctx, func(tx *kin.Tx) error { return post.Tags.Remove(ctx, tx, tags[0]) }, kin.TxOptions{ReadOnly: true})
	require.ErrorIs(t, err, kin.ErrReadOnly)
	err = s.DB.Tx(ctx, func(tx *kin.Tx) error { return post.Tags.Add(ctx, tx, tags[2]) }, kin.TxOptions{ReadOnly: true})
	require.ErrorIs(t, err, kin.ErrReadOnly)
	s.checkTags(t, post, tags, "t0", "t1")
}

func testLinkedTiny(t *testing.T, s *Suite) {
	s = linkSuite(t, s)
	ctx := t.Context()
	for _, n := range []int{2, 4, 6, 14, 1000} { // links of two columns
		var r kin.Registry
		kin.Register[linkPost](&r)
		kin.Register[linkTag](&r)
		kin.Register[linkNote](&r)
		kin.Register[linkRemark](&r)
		small := s.Tiny(n, kin.WithRegistry(&r))
		post := &linkPost{Title: "p"}
		require.NoError(t, kin.Insert(ctx, s.DB, post))
		require.NoError(t, kin.Bind(small.DB, post))
		var tags []*linkTag
		var names []string
		for i := range 9 {
			tags = append(tags, &linkTag{Name: string(rune('a' + i))})
			names = append(names, tags[i].Name)
		}
		_, err := post.Tags.Load(ctx, small.DB)
		require.NoError(t, err)
		require.NoError(t, post.Tags.Add(ctx, small.DB, tags...), n)
		s.checkTags(t, post, tags, names...)
		require.NoError(t, post.Tags.Remove(ctx, small.DB, tags[2:5]...), n)
		s.checkTags(t, post, tags, append(slices.Clone(names[:2]), names[5:]...)...)
		require.NoError(t, post.Tags.Set(ctx, small.DB, tags[4:]...), n)
		s.checkTags(t, post, tags, names[4:]...)
	}
}

// Keys of two columns on one side, and of a text on the other.
type (
	linkRoom struct {
		House  string                    `kin:",pk,size=10"`
		Number int                       `kin:",pk"`
		Guests kin.ManyToMany[linkGuest] `kin:",related_name=rooms"`
	}
	linkGuest struct {
		Name  string                   `kin:",pk,size=10"`
		Rooms kin.ManyToMany[linkRoom] `kin:"via=Guests"`
	}
)

func testLinkedComposite(t *testing.T, s *Suite) {
	ctx := t.Context()
	var r kin.Registry
	kin.Register[linkRoom](&r)
	kin.Register[linkGuest](&r)
	for _, n := range []int{3, 6, 9, 21, 1000} { // links of three columns
		small := s.Tiny(n, kin.WithRegistry(&r))
		s := s.With(kin.WithRegistry(&r))
		require.NoError(t, kin.CreateTables(ctx, s.DB))
		rooms := []*linkRoom{{House: "a", Number: 1}, {House: "a", Number: 2}, {House: "b", Number: 1}}
		require.NoError(t, kin.Insert(ctx, s.DB, rooms...))
		guests := []*linkGuest{{Name: "x"}, {Name: "y"}}
		require.NoError(t, kin.Insert(ctx, s.DB, guests...))
		require.NoError(t, guests[0].Rooms.Set(ctx, small.DB, rooms...))
		require.NoError(t, rooms[2].Guests.Add(ctx, small.DB, guests...))
		require.NoError(t, guests[0].Rooms.Remove(ctx, small.DB, rooms[0], rooms[1]))
		got, err := kin.Query[linkRoom]().SelectRelated("guests__rooms").All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, got, 3)
		assert.Zero(t, got[0].Guests.Len())
		require.Equal(t, 2, got[2].Guests.Len())
		assert.Equal(t, "x", got[2].Guests.All()[0].Name)
		assert.Equal(t, []*linkRoom{got[2]}, got[2].Guests.All()[0].Rooms.All())
		found, err := kin.Query[linkGuest]().Filter("rooms", rooms[2]).Exclude("rooms__number", 2).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Len(t, found, 2)
		require.NoError(t, kin.DropTables(ctx, s.DB))
	}
}
