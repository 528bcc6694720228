package tests

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func throughCases() []Case {
	return []Case{
		{"through/load", testThroughLoad},
		{"through/filters over links", testThroughFilters},
		{"through/orders over links", testThroughOrders},
		{"through/write", testThroughWrite},
		{"through/links", testThroughLinks},
		{"through/self", testThroughSelf},
	}
}

type (
	linkPerson struct {
		ID          int64
		Name        string                                 `kin:",size=20"`
		Clubs       kin.Through[linkClub, linkMembership]  `kin:"via=Person"`
		Memberships kin.Reverse[linkMembership]            `kin:"via=Person"`
		Mentors     kin.Through[linkPerson, linkMentoring] `kin:"via=Pupil+Mentor"`
		Pupils      kin.Through[linkPerson, linkMentoring] `kin:"via=Mentor+Pupil"`
	}
	linkClub struct {
		ID      int64
		Name    string                                  `kin:",size=20"`
		Members kin.Through[linkPerson, linkMembership] `kin:"via=Club+Person"`
	}
	linkMembership struct {
		ID      int64
		Person  kin.ForeignKey[linkPerson] `kin:",related_name=memberships,on_delete=cascade"`
		Club    kin.ForeignKey[linkClub]   `kin:",related_name=memberships,on_delete=cascade"`
		Role    string                     `kin:",size=20"`
		Since   int
		Sponsor kin.ForeignKey[linkPerson] `kin:",null,related_name=sponsored"`
	}
	linkMentoring struct {
		Mentor kin.ForeignKey[linkPerson] `kin:",pk,related_name=mentorings"`
		Pupil  kin.ForeignKey[linkPerson] `kin:",pk,related_name=pupilages"`
		Topic  string
	}
)

func (linkMembership) KinTable() kin.Table {
	return kin.Table{Unique: [][]string{{"person", "club"}}}
}

func throughSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	return s.tablesOf(t, kin.Register[linkPerson], kin.Register[linkClub], kin.Register[linkMembership], kin.Register[linkMentoring])
}

// A membership as the tests know it.
type member struct {
	person, club int64
	role         string
	since        int
}

// newClubs fills the tables with four people and three clubs. The keys of
// memberships are in another order than those of clubs.
func newClubs(t *testing.T, s *Suite) (*Suite, []member) {
	t.Helper()
	s = throughSuite(t, s)
	for id, name := range []string{"ann", "bob", "cid", "dot"} {
		s.Exec(t, s.bind("INSERT INTO link_people (id, name) VALUES (?, ?)"), id+1, name)
	}
	for id, name := range []string{"chess", "go", "bridge"} {
		s.Exec(t, s.bind("INSERT INTO link_clubs (id, name) VALUES (?, ?)"), id+1, name)
	}
	members := []member{
		{1, 3, "owner", 2003}, {2, 1, "guest", 2001}, {1, 1, "guest", 2010}, {3, 2, "owner", 1999}, {3, 1, "owner", 2005}, {1, 2, "guest", 1990},
	}
	for i, m := range members {
		s.Exec(t, s.bind("INSERT INTO link_memberships (id, person_id, club_id, role, since) VALUES (?, ?, ?, ?, ?)"), i+1, m.person, m.club, m.role, m.since)
	}
	if s.Name == "postgres" {
		for _, table := range []string{"link_people", "link_clubs", "link_memberships"} {
			s.Exec(t, "SELECT setval('"+table+"_id_seq', 100)")
		}
	}
	s.Wire.Reset()
	return s, members
}

// clubsOf returns the memberships of a person, by club.
func clubsOf(members []member, person int64) (list []member) {
	for _, m := range members {
		if m.person == person {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b member) int { return cmpInt(a.club, b.club) })
	return list
}

// held returns what the field has.
func held(p *linkPerson) (list []member) {
	for club, m := range p.Clubs.Links() {
		list = append(list, member{p.ID, club.ID, m.Role, m.Since})
	}
	return list
}

func testThroughLoad(t *testing.T, s *Suite) {
	s, members := newClubs(t, s)
	ctx := t.Context()
	people, err := kin.Query[linkPerson]().SelectRelated("clubs").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, len(members)+4)
	require.Len(t, people, 4)
	for _, p := range people {
		assert.True(t, p.Clubs.Loaded())
		assert.False(t, p.Memberships.Loaded())
		assert.Equal(t, clubsOf(members, p.ID), held(p))
		for club, m := range p.Clubs.Links() {
			assert.Same(t, p, m.Person.Get())
			assert.Same(t, club, m.Club.Get())
			assert.Same(t, m, p.Clubs.Link(club))
		}
	}
	assert.Nil(t, people[3].Clubs.Link(people[0].Clubs.All()[0]))

	// With the links as rows of their own, and on from there.
	people, err = kin.Query[linkPerson]().SelectRelated("clubs__members", "memberships", "memberships__sponsor").All(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, s.Wire.Statements(), 1)
	for _, p := range people {
		assert.Len(t, p.Memberships.All(), p.Clubs.Len())
		for club, m := range p.Clubs.Links() {
			assert.Contains(t, p.Memberships.All(), m)
			assert.Contains(t, club.Members.All(), p)
			assert.Same(t, m, club.Members.Link(p))
			for other, link := range club.Members.Links() {
				assert.Contains(t, clubsOf(members, other.ID), member{other.ID, club.ID, link.Role, link.Since})
			}
		}
	}

	cid, err := kin.Query[linkPerson]().Filter("name", "cid").Get(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Reset()
	clubs, err := cid.Clubs.Load(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 2)
	assert.Equal(t, clubs, cid.Clubs.All())
	assert.Equal(t, clubsOf(members, cid.ID), held(cid))
	n, err := cid.Clubs.Query().Filter("name", "go").Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
}

func testThroughFilters(t *testing.T, s *Suite) {
	s, members := newClubs(t, s)
	ctx := t.Context()
	for _, c := range []struct {
		args []any
		met  func(m member) bool
	}{
		{[]any{"clubs__link__role", "owner"}, func(m member) bool { return m.role == "owner" }},
		{[]any{"clubs__link__role", "owner", "clubs__name", "chess"}, func(m member) bool { return m.role == "owner" && m.club == 1 }},
		{[]any{"clubs__name", "go", "clubs__link__since__lt", 1995}, func(m member) bool { return m.club == 2 && m.since < 1995 }},
		{[]any{"memberships__role", "guest", "clubs__name", "chess"}, func(m member) bool { return m.role == "guest" && m.club == 1 }},
		{[]any{"clubs__link__club__name", "bridge"}, func(m member) bool { return m.club == 3 }},
	} {
		var in, out []int64
		for id := range int64(4) {
			if slices.ContainsFunc(clubsOf(members, id+1), c.met) {
				in = append(in, id+1)
			} else {
				out = append(out, id+1)
			}
		}
		require.NotEmpty(t, in, c.args)
		id := func(p *linkPerson) int64 { return p.ID }
		got, err := kin.Query[linkPerson]().Filter(c.args[0].(string), c.args[1], c.args[2:]...).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, in, ids(got, id), "%v", c.args)
		got, err = kin.Query[linkPerson]().Exclude(c.args[0].(string), c.args[1], c.args[2:]...).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, out, ids(got, id), "%v", c.args)
	}
	// A change over links.
	n, err := kin.Query[linkPerson]().Filter("clubs__link__since__lt", 2000).Update(ctx, s.DB, kin.Set("name", "old"))
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
}

func testThroughOrders(t *testing.T, s *Suite) {
	s, members := newClubs(t, s)
	ctx := t.Context()
	for _, paths := range [][]string{{"clubs"}, {"clubs", "pupils"}, {"clubs__members"}} {
		people, err := kin.Query[linkPerson]().SelectRelated(kin.Paths[linkPerson](paths...)...).OrderBy("-name", "-clubs__link__since").All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, people, 4)
		assert.Equal(t, "dot", people[0].Name)
		for _, p := range people {
			want := clubsOf(members, p.ID)
			slices.SortFunc(want, func(a, b member) int { return b.since - a.since })
			assert.Equal(t, want, held(p), "%v", paths)
		}
		people, err = kin.Query[linkPerson]().SelectRelated(kin.Paths[linkPerson](paths...)...).OrderBy("clubs__name").All(ctx, s.DB)
		require.NoError(t, err)
		for _, p := range people {
			names := []string{}
			for c := range p.Clubs.Values() {
				names = append(names, c.Name)
			}
			assert.True(t, slices.IsSortedFunc(names, strings.Compare), names)
			assert.Len(t, names, len(clubsOf(members, p.ID)))
		}
	}
	ann, err := kin.Query[linkPerson]().Filter("id", 1).Get(ctx, s.DB)
	require.NoError(t, err)
	links, err := ann.Clubs.LinkQuery().Filter("role", "guest").OrderBy("-since").SelectRelated("club").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, links, 2)
	assert.Equal(t, "chess", links[0].Club.Get().Name)
	assert.Equal(t, "go", links[1].Club.Get().Name)
}

// memberships returns the whole table, by plain SQL.
func (s *Suite) memberships(t *testing.T) (list []member) {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT person_id, club_id, role, since FROM link_memberships ORDER BY person_id, club_id")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var m member
		require.NoError(t, rows.Scan(&m.person, &m.club, &m.role, &m.since))
		list = append(list, m)
	}
	require.NoError(t, rows.Err())
	s.Wire.Reset()
	return list
}

func testThroughWrite(t *testing.T, s *Suite) {
	s, _ = newClubs(t, s)
	ctx := t.Context()
	people, err := kin.Query[linkPerson]().SelectRelated("clubs__members").All(ctx, s.DB)
	require.NoError(t, err)
	clubs, err := kin.Query[linkClub]().SelectRelated("members").All(ctx, s.DB)
	require.NoError(t, err)
	bob := people[1]
	others := slices.DeleteFunc(s.memberships(t), func(m member) bool { return m.person == 2 })
	check := func(want ...member) {
		t.Helper()
		assert.Equal(t, want, slices.DeleteFunc(s.memberships(t), func(m member) bool { return m.person != 2 }))
		assert.Equal(t, others, slices.DeleteFunc(s.memberships(t), func(m member) bool { return m.person == 2 }))
		got := held(bob)
		slices.SortFunc(got, func(a, b member) int { return cmpInt(a.club, b.club) })
		assert.Equal(t, want, got)
	}

	// Chess is linked already, and its link keeps its role.
	s.Wire.Reset()
	fresh := &linkClub{Name: "poker"}
	require.NoError(t, bob.Clubs.Add(ctx, s.DB, clubs[0], clubs[1], fresh))
	assert.Len(t, writes(s.Wire.Statements()), 2)
	check(member{2, 1, "guest", 2001}, member{2, 2, "", 0}, member{2, fresh.ID, "", 0})
	assert.Contains(t, clubs[1].Members.All(), bob, "the far side")
	require.NotNil(t, clubs[1].Members.Link(bob))

	// The link is a row like others.
	link := bob.Clubs.Link(clubs[1])
	link.Role = "captain"
	require.NoError(t, kin.Update(ctx, s.DB, link, "role"))
	check(member{2, 1, "guest", 2001}, member{2, 2, "captain", 0}, member{2, fresh.ID, "", 0})

	err = bob.Clubs.Remove(ctx, s.DB, clubs[2])
	require.ErrorIs(t, err, kin.ErrNotFound)
	require.NoError(t, bob.Clubs.Remove(ctx, s.DB, fresh))
	check(member{2, 1, "guest", 2001}, member{2, 2, "captain", 0})

	require.NoError(t, bob.Clubs.Set(ctx, s.DB, clubs[2], clubs[1]))
	check(member{2, 2, "captain", 0}, member{2, 3, "", 0})
	assert.Equal(t, []*linkClub{clubs[2], clubs[1]}, bob.Clubs.All())
	assert.NotContains(t, bob.Clubs.All(), clubs[0])

	n, err := bob.Clubs.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	assert.Empty(t, held(bob))
	assert.NotContains(t, clubs[1].Members.All(), bob)
	require.NoError(t, bob.Clubs.Create(ctx, s.DB, &linkClub{Name: "darts"}))
	assert.Equal(t, "darts", bob.Clubs.All()[0].Name)
}

func testThroughLinks(t *testing.T, s *Suite) {
	s, _ = newClubs(t, s)
	ctx := t.Context()
	clubs, err := kin.Query[linkClub]().SelectRelated("members").All(ctx, s.DB)
	require.NoError(t, err)
	dot, err := kin.Query[linkPerson]().SelectRelated("clubs").Filter("name", "dot").Get(ctx, s.DB)
	require.NoError(t, err)
	require.NoError(t, dot.Clubs.AddLinks(ctx, s.DB,
		&linkMembership{Club: kin.To(clubs[1]), Role: "owner", Since: 2020},
		&linkMembership{Club: kin.To(clubs[0]), Role: "guest", Since: 2021},
	))
	want := []member{{4, 1, "guest", 2021}, {4, 2, "owner", 2020}}
	assert.Equal(t, want, slices.DeleteFunc(s.memberships(t), func(m member) bool { return m.person != 4 }))
	assert.ElementsMatch(t, want, held(dot))
	assert.Equal(t, "owner", clubs[1].Members.Link(dot).Role)

	before := s.memberships(t)
	twice := &linkMembership{Club: kin.To(clubs[1]), Role: "again"}
	err = dot.Clubs.AddLinks(ctx, s.DB, &linkMembership{Club: kin.To(clubs[2])}, twice)
	violation, isUnique := errors.AsType[*kin.UniqueError](err)
	require.True(t, isUnique, "%v", err)
	assert.Equal(t, []string{"Person", "Club"}, violation.Fields)
	assert.True(t, twice.Person.IsNull(), "as it was")
	assert.Equal(t, before, s.memberships(t))
	assert.ElementsMatch(t, want, held(dot))

	err = dot.Clubs.AddLinks(ctx, s.DB, &linkMembership{Club: kin.To(&linkClub{Name: "unsaved"})})
	require.ErrorIs(t, err, kin.ErrUnsaved)
	require.NoError(t, dot.Clubs.AddLinks(ctx, s.DB, &linkMembership{Club: kin.Key[linkClub](3)}))
	assert.False(t, dot.Clubs.Loaded(), "there is a row that is not at hand")
}

func testThroughSelf(t *testing.T, s *Suite) {
	s, _ = newClubs(t, s)
	ctx := t.Context()
	people, err := kin.Query[linkPerson]().All(ctx, s.DB)
	require.NoError(t, err)
	require.NoError(t, people[0].Pupils.AddLinks(ctx, s.DB, &linkMentoring{Pupil: kin.To(people[1]), Topic: "go"}))
	require.NoError(t, people[1].Mentors.Add(ctx, s.DB, people[2]))
	got, err := kin.Query[linkPerson]().SelectRelated("mentors", "pupils").All(ctx, s.DB)
	require.NoError(t, err)
	name := func(p *linkPerson) int64 { return p.ID }
	assert.Equal(t, []int64{1, 3}, ids(got[1].Mentors.All(), name))
	assert.Equal(t, []int64{2}, ids(got[0].Pupils.All(), name))
	assert.Equal(t, []int64{2}, ids(got[2].Pupils.All(), name))
	assert.Equal(t, "go", got[1].Mentors.Link(got[0]).Topic)
	assert.Same(t, got[1].Mentors.Link(got[0]), got[0].Pupils.Link(got[1]))
	found, err := kin.Query[linkPerson]().Filter("mentors__link__topic", "go", "mentors__name", "ann").All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []int64{2}, ids(found, name))
}
