package tests

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func prefetchCases() []Case {
	return slices.Concat([]Case{
		{"prefetch/one statement for each level", testPrefetchLevels},
		{"prefetch/limit of each parent", testPrefetchLimit},
		{"prefetch/below and beside joins", testPrefetchMixed},
		{"prefetch/many-to-many", testPrefetchLinks},
		{"prefetch/through", testPrefetchThrough},
		{"prefetch/composite keys", testPrefetchComposite},
		{"prefetch/chunks of keys", testPrefetchChunks},
		{"prefetch/all rows", testPrefetchWhole},
		{"prefetch/all rows below all rows", testPrefetchWholeBelow},
		{"prefetch/identity", testPrefetchIdentity},
		{"prefetch/nothing to load", testPrefetchNothing},
		{"prefetch/mistakes", testPrefetchMistakes},
	})
}

func testPrefetchLevels(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 5, 6, 3)
	ctx := t.Context()
	q := kin.Query[SchoolClass]().Prefetch("students__category").Prefetch("teachers").Prefetch("teachers__category")
	for range 2 { // the second time from what the query remembers
		classes, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Want(t, 5, 5+30+3+15+3)
		school.checkClasses(t, classes)
	}
	class, err := q.Filter("name", "class 002").Get(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 5, 1+6+3+3+2)
	assert.Equal(t, 6, class.Students.Len())
	last, err := q.OrderBy("-name").Last(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, school.Classes[0].ID, last.ID)
	assert.Equal(t, 3, last.Teachers.Len())
	n, err := q.Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 5, n)

	// From a row that many share, to one, and back.
	s.Wire.Reset()
	students, err := kin.Query[Student]().Prefetch("class__teachers__category").Prefetch("category").Filter("name", "student 01").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, students, 5)
	s.Wire.Want(t, 5, 5+5+15+3+len(distinctIDs(students, func(x *Student) *Category { return x.Category.Ref() })))
	for _, x := range students {
		require.True(t, x.Class.Loaded())
		assert.Equal(t, 3, x.Class.Get().Teachers.Len())
		assert.True(t, x.Category.Loaded() || x.Category.IsNull())
	}
}

// distinctIDs returns the distinct rows that are not nil.
func distinctIDs(students []*Student, of func(*Student) *Category) map[int64]bool {
	ids := map[int64]bool{}
	for _, x := range students {
		if c := of(x); c != nil {
			ids[c.ID] = true
		}
	}
	return ids
}

func testPrefetchLimit(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 7, 10, 2)
	ctx := t.Context()
	type want struct {
		sub  kin.QuerySet[Student]
		keep func(x *Student) bool
		desc bool
		from int
		to   int
	}
	students := kin.Query[Student]()
	music := func(x *Student) bool { c := x.Category.Get(); return c != nil && c.Name == "Music" }
	for i, w := range []want{
		{students.OrderBy("name").Limit(3), nil, false, 0, 3},
		{students.OrderBy("-name").Limit(3).Offset(2), nil, true, 2, 5},
		{students.OrderBy("-name").Offset(8), nil, true, 8, 10},
		{students.OrderBy("name").Filter("category__name", "Music").Limit(2), music, false, 0, 2},
		{students.OrderBy("name").Filter("category__name", "Music").Offset(1), music, false, 1, 10},
		{students.OrderBy("name").Limit(0), nil, false, 0, 0},
		{students.OrderBy("name").Limit(1 << 40).Offset(3), nil, false, 3, 10},
		{students.OrderBy("name").SelectRelated("category", "class__teachers__category").Limit(3), nil, false, 0, 3},
		{students.OrderBy("name").Filter("category__name", "Music").SelectRelated("class__teachers", "class__students").Limit(2), music, false, 0, 2},
		{students.OrderBy("category__name", "name").Limit(10), nil, false, 0, -1},
	} {
		classes, err := kin.Query[SchoolClass]().Prefetch("students", w.sub).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, classes, 7)
		read := 7
		for _, class := range classes {
			var names []string
			for _, x := range school.Students {
				if x.Class.Ref().ID == class.ID && (w.keep == nil || w.keep(x)) {
					names = append(names, x.Name)
				}
			}
			slices.Sort(names)
			if w.desc {
				slices.Reverse(names)
			}
			var got []string
			for x := range class.Students.Values() {
				got = append(got, x.Name)
				assert.Equal(t, class.ID, x.Class.Get().ID)
			}
			read += len(got)
			require.True(t, class.Students.Loaded())
			if w.to < 0 {
				assert.ElementsMatch(t, names, got)
				continue
			}
			names = names[min(w.from, len(names)):min(w.to, len(names))]
			assert.Equal(t, append([]string{}, names...), append([]string{}, got...), "%d", i)
		}
		if i < 6 {
			s.Wire.Want(t, 2-i/5, read)
		}
	}
}

func testPrefetchMixed(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 4, 5, 3)
	ctx := t.Context()
	for _, q := range []struct {
		query      kin.QuerySet[SchoolClass]
		statements int
	}{
		{kin.Query[SchoolClass]().SelectRelated("students", "teachers").Prefetch("students__category").Prefetch("teachers__category"), 3},
		{kin.Query[SchoolClass]().SelectRelated("students").Prefetch("students__category").Prefetch("teachers", kin.Query[Teacher]().SelectRelated("category")), 3},
		{kin.Query[SchoolClass]().Prefetch("students", kin.Query[Student]().Prefetch("category")).SelectRelated("teachers__category"), 3},
		{kin.Query[SchoolClass]().Prefetch("students", kin.Query[Student]().Prefetch("class__teachers__category")).Prefetch("students__category"), 6},
		{kin.Query[SchoolClass]().Prefetch("students__class__teachers__category").Prefetch("students", kin.Query[Student]().SelectRelated("category")), 5},
		{kin.Query[SchoolClass]().Prefetch("teachers__category").Prefetch("students__category").Prefetch("students__category"), 5},
	} {
		classes, err := q.query.All(ctx, s.DB)
		require.NoError(t, err)
		assert.Len(t, s.Wire.Statements(), q.statements)
		s.Wire.Reset()
		school.checkClasses(t, classes)
	}
}

func testPrefetchLinks(t *testing.T, s *Suite) {
	w := newLinks(t, s)
	ctx := t.Context()
	posts, err := kin.Query[linkPost]().Prefetch("tags__posts").Prefetch("remarks").Prefetch("tags__notes").All(ctx, w.DB)
	require.NoError(t, err)
	assert.Len(t, w.Wire.Statements(), 5)
	require.Len(t, posts, len(w.posts))
	seen := map[int64]*linkTag{}
	for _, p := range posts {
		require.True(t, p.Tags.Loaded())
		assert.Equal(t, w.tagsOf(p.ID), ids(p.Tags.All(), tagID))
		for tag := range p.Tags.Values() {
			if seen[tag.ID] != nil {
				assert.Same(t, seen[tag.ID], tag)
			}
			seen[tag.ID] = tag
			assert.Equal(t, w.postsOf(tag.ID), ids(tag.Posts.All(), postID))
			for back := range tag.Posts.Values() {
				assert.Same(t, posts[back.ID-1], back)
			}
		}
	}
	w.Wire.Reset()

	byName := func(a, b *linkTag) int { return cmp.Or(-strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) }
	for _, sub := range []kin.QuerySet[linkTag]{
		kin.Query[linkTag]().OrderBy("-name").Filter("name__ne", "tag 2").Limit(2).Offset(1),
		kin.Query[linkTag]().OrderBy("-name").Filter("name__ne", "tag 2").Limit(2).Offset(1).SelectRelated("notes"),
		kin.Query[linkTag]().OrderBy("-name").Filter("name__ne", "tag 2").Limit(2).Offset(1).SelectRelated("notes", "posts"),
		kin.Query[linkTag]().OrderBy("-name").Filter("name__ne", "tag 2").Limit(2).Offset(1).Prefetch("notes"),
	} {
		posts, err = kin.Query[linkPost]().Prefetch("tags", sub).Filter("id__gt", 2).All(ctx, w.DB)
		require.NoError(t, err)
		for _, p := range posts {
			var want []*linkTag
			for _, tag := range w.tags {
				if w.linked[[2]int64{p.ID, tag.ID}] && tag.Name != "tag 2" {
					want = append(want, tag)
				}
			}
			slices.SortFunc(want, byName)
			want = want[min(1, len(want)):min(3, len(want))]
			assert.Equal(t, ids(want, tagID), ids(p.Tags.All(), tagID))
			for tag := range p.Tags.Values() {
				var notes []int64
				for _, n := range w.notes {
					if n.Tag.Ref().ID == tag.ID {
						notes = append(notes, n.ID)
					}
				}
				if tag.Notes.Loaded() {
					assert.Equal(t, notes, ids(tag.Notes.All(), noteID))
				}
			}
		}
	}
}

func testPrefetchThrough(t *testing.T, s *Suite) {
	s, members := newClubs(t, s)
	ctx := t.Context()
	for _, q := range []kin.QuerySet[linkPerson]{
		kin.Query[linkPerson]().Prefetch("clubs"),
		kin.Query[linkPerson]().Prefetch("clubs__members__memberships"),
		kin.Query[linkPerson]().Prefetch("clubs", kin.Query[linkClub]().SelectRelated("members")).Prefetch("memberships"),
	} {
		people, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, people, 4)
		for _, p := range people {
			assert.Equal(t, clubsOf(members, p.ID), held(p))
			require.True(t, p.Clubs.Loaded())
			for _, m := range p.Clubs.Links() {
				assert.Same(t, p, m.Person.Get())
			}
			if p.Memberships.Loaded() {
				for _, m := range p.Memberships.All() {
					assert.Same(t, m, p.Clubs.Link(m.Club.Get()), "a link is one value")
				}
			}
		}
	}
	people, err := kin.Query[linkPerson]().Prefetch("clubs", kin.Query[linkClub]().OrderBy("-name").Limit(1)).All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []member{{1, 2, "guest", 1990}}, held(people[0]))
	assert.Equal(t, []member{{2, 1, "guest", 2001}}, held(people[1]))
	assert.Equal(t, []member{{3, 2, "owner", 1999}}, held(people[2]))
	assert.Empty(t, held(people[3]))
	assert.True(t, people[3].Clubs.Loaded())
}

func testPrefetchComposite(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = rowSuite(t, s)
	items, owners := newItems(t, s, 9)
	got, err := kin.Query[rowOwner]().Prefetch("items", kin.Query[rowItem]().OrderBy("-score").Limit(2).Prefetch("owner")).All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 3, 2+4+2)
	require.Len(t, got, 2)
	for i, o := range got {
		assert.Equal(t, owners[i].Title, o.Title)
		require.Equal(t, 2, o.Items.Len())
		assert.Equal(t, items[8-i].ID, o.Items.All()[0].ID)
		assert.Equal(t, items[6-i].ID, o.Items.All()[1].ID)
		assert.Same(t, o, o.Items.All()[0].Owner.Get())
	}
	list, err := kin.Query[rowItem]().Prefetch("owner__items").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 3, 9+2+9)
	for i, x := range list {
		require.True(t, x.Owner.Loaded())
		assert.Contains(t, x.Owner.Get().Items.All(), list[i])
	}
}

func testPrefetchChunks(t *testing.T, s *Suite) {
	ctx := t.Context()
	const n = 2500
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	classes := make([]*SchoolClass, n)
	for i := range classes {
		classes[i] = &SchoolClass{Name: "c"}
	}
	require.NoError(t, kin.Insert(ctx, s.DB, classes...))
	students := make([]*Student, 0, 2*n)
	for _, c := range classes {
		students = append(students, &Student{Name: "b", Class: kin.To(c)}, &Student{Name: "a", Class: kin.To(c)})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, students...))
	for _, size := range []int{1, 2, 3, 1000, 1001, n} {
		s.Wire.Reset()
		got, err := kin.Query[SchoolClass]().Limit(size).Prefetch("students", kin.Query[Student]().OrderBy("name")).All(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Want(t, 2, 3*size)
		for i, c := range got {
			require.Equal(t, 2, c.Students.Len())
			require.Equal(t, students[2*i+1].ID, c.Students.All()[0].ID)
		}
	}
	// Where each key is a parameter, as many as the database takes.
	db := s.Tiny(50).DB
	got, err := kin.Query[SchoolClass]().Limit(120).Prefetch("students", kin.Query[Student]().OrderBy("name").Filter("name__ne", "x")).All(ctx, db)
	require.NoError(t, err)
	for i, c := range got {
		require.Equal(t, 2, c.Students.Len())
		require.Equal(t, students[2*i+1].ID, c.Students.All()[0].ID)
	}
}

func testPrefetchIdentity(t *testing.T, s *Suite) {
	s.NewSchool(t, 4, 6, 2)
	ctx := t.Context()
	students, err := kin.Query[Student]().Prefetch("class__students").SelectRelated("category").Prefetch("class__teachers__category").All(ctx, s.DB)
	require.NoError(t, err)
	classes, categories := map[int64]*SchoolClass{}, map[int64]*Category{}
	for _, x := range students {
		class := x.Class.Get()
		assert.Contains(t, class.Students.All(), x, "the roots are the rows of the level below")
		if before := classes[class.ID]; before != nil {
			assert.Same(t, before, class)
		}
		classes[class.ID] = class
		for _, c := range []*Category{x.Category.Get(), class.Teachers.All()[0].Category.Get()} {
			if c == nil {
				continue
			}
			if before := categories[c.ID]; before != nil {
				assert.Same(t, before, c)
			}
			categories[c.ID] = c
		}
	}

	// Two paths load the same relation in two ways: each has values of its own.
	s.Wire.Reset()
	few := kin.Query[Student]().OrderBy("name").Limit(2).Prefetch("class", kin.Query[SchoolClass]().Prefetch("students", kin.Query[Student]().OrderBy("-name").Limit(3)))
	list, err := kin.Query[SchoolClass]().Prefetch("students", few).All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 4, 4+8+4+12)
	for _, class := range list {
		require.Equal(t, 2, class.Students.Len())
		other := class.Students.All()[0].Class.Get()
		require.Equal(t, 3, other.Students.Len())
		assert.NotSame(t, class, other)
		assert.Equal(t, class.ID, other.ID)
		assert.Equal(t, "student 05", other.Students.All()[0].Name)
		assert.Same(t, other, other.Students.All()[0].Class.Get())
	}
}

func testPrefetchNothing(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 3, 0, 2)
	ctx := t.Context()
	classes, err := kin.Query[SchoolClass]().Prefetch("students__category").Prefetch("teachers", kin.Query[Teacher]().Filter("name", "none")).All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 3, 3) // none for the categories of no students
	for _, c := range classes {
		assert.True(t, c.Students.Loaded())
		assert.True(t, c.Teachers.Loaded())
		assert.Zero(t, c.Students.Len()+c.Teachers.Len())
	}
	none, err := kin.Query[SchoolClass]().Filter("name", "none").Prefetch("students__category").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 0)
	assert.Empty(t, none)

	s.Exec(t, "UPDATE teachers SET category_id = NULL")
	teachers, err := kin.Query[Teacher]().Prefetch("category").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 2, 6)
	assert.Len(t, teachers, 2*len(school.Classes))
	for _, x := range teachers {
		assert.True(t, x.Category.IsNull())
	}
	_, err = kin.Query[Teacher]().Prefetch("class", kin.Query[SchoolClass]().Filter("id__in", []int{})).All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 6) // for what no row can meet
}
