package tests

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// testGraphLinks saves rows that are linked, in a link table and by rows of a
// link model.
func testGraphLinks(t *testing.T, s *Suite) {
	ctx := t.Context()
	posts := linkSuite(t, s)
	const linked = "SELECT CONCAT(p.title, ' ', t.name) FROM link_posts_tags l JOIN link_posts p ON p.id = l.link_post_id JOIN link_tags t ON t.id = l.link_tag_id ORDER BY p.title, t.name"
	red, blue := &linkTag{Name: "red"}, &linkTag{Name: "blue"}
	one := &linkPost{Title: "one", Tags: kin.Linked(red, blue, red)}
	two := &linkPost{Title: "two", Tags: kin.Linked(blue)}
	blue.Posts = kin.Linked(two) // the same link, from its other side
	s.Wire.Reset()
	saved, err := kin.SaveGraph(ctx, posts.DB, one, two)
	require.NoError(t, err)
	s.Wire.Want(t, 2*several+1, s.Wire.Rows())
	assert.Equal(t, []kin.Saved{{Model: "linkPost", Inserted: 2}, {Model: "linkTag", Inserted: 2}}, saved)
	assert.Equal(t, []string{"one blue", "one red", "two blue"}, s.column(t, linked))

	// Links that are there stay, and so do those that are taken out.
	two.Tags = kin.Linked(red, &linkTag{Name: "green"})
	_, err = kin.SaveGraph(ctx, posts.DB, two)
	require.NoError(t, err)
	assert.Equal(t, []string{"one blue", "one red", "two blue", "two green", "two red"}, s.column(t, linked))
	n, err := two.Tags.Query().Count(ctx, posts.DB)
	require.NoError(t, err, "the rows are bound")
	assert.EqualValues(t, 3, n)

	ann, bob := &linkUser{Name: "ann"}, &linkUser{Name: "bob"}
	ann.Follows, ann.Followers = kin.Linked(bob, ann), kin.Linked(bob)
	_, err = kin.SaveGraph(ctx, posts.DB, ann)
	require.NoError(t, err)
	assert.Equal(t, []string{"ann-ann", "ann-bob", "bob-ann"}, s.column(t, "SELECT CONCAT(a.name, '-', b.name) FROM user_follows f "+
		"JOIN link_users a ON a.id = f.fromlink_user_id JOIN link_users b ON b.id = f.tolink_user_id ORDER BY a.name, b.name"))

	people := throughSuite(t, s)
	person := &linkPerson{Name: "eve", Memberships: kin.From(
		&linkMembership{Club: kin.To(&linkClub{Name: "go"}), Role: "guest"},
		&linkMembership{Club: kin.To(&linkClub{Name: "chess"}), Role: "owner"},
	)}
	s.Wire.Reset()
	saved, err = kin.SaveGraph(ctx, people.DB, person)
	require.NoError(t, err)
	s.Wire.Want(t, 1+2*several, s.Wire.Rows())
	assert.Equal(t, kin.Saved{Model: "linkMembership", Inserted: 2}, saved[1])

	clubs, err := person.Clubs.Load(ctx, people.DB)
	require.NoError(t, err)
	person.Memberships = kin.Reverse[linkMembership]{}
	person.Clubs.Link(clubs[0]).Role, clubs[1].Name = "founder", "bridge"
	s.Wire.Reset()
	saved, err = kin.SaveGraph(ctx, people.DB, person)
	require.NoError(t, err)
	s.Wire.Want(t, 3, 0)
	assert.Equal(t, []kin.Saved{{Model: "linkClub", Updated: 2}, {Model: "linkMembership", Updated: 2}, {Model: "linkPerson", Updated: 1}}, saved)
	assert.Equal(t, []string{"bridge owner", "go founder"},
		s.column(t, "SELECT CONCAT(c.name, ' ', m.role) FROM link_memberships m JOIN link_clubs c ON c.id = m.club_id ORDER BY c.name"))
}
