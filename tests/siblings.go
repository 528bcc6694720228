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

func siblingCases() []Case {
	return []Case{
		{"siblings/two branches cost their sum", testTwoBranches},
		{"siblings/three branches and one below", testThreeBranches},
		{"siblings/orders inside branches", testBranchOrders},
		{"siblings/limit on the roots", testBranchLimit},
		{"siblings/empty branches", testEmptyBranches},
		{"siblings/below a foreign key", testSharedBranches},
		{"siblings/one model at several places", testOneModelTwice},
		{"siblings/row by row", testBranchIter},
		{"siblings/a chain is joined", testChain},
		{"siblings/whole tables like joined ones", testWholeLikeJoined},
		{"siblings/whole tables and keys that lead nowhere", testWholeDangling},
		{"siblings/whole tables backwards", testWholeBackwards},
	}
}

func testTwoBranches(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 50, 20, 3)
	classes, err := kin.Query[SchoolClass]().
		SelectRelated("students__category", "teachers__category").All(t.Context(), s.DB)
	require.NoError(t, err)
	// A row for each class, student and teacher, and for each category of either;
	// the product would be 3,000.
	s.Wire.Want(t, 1, 50+50*20+50*3+2*len(school.Categories))
	school.checkClasses(t, classes)
}

// allBranches are the paths of a whole company.
func allBranches() []string {
	return []string{"departments__people__badges", "departments__rooms__plants", "sites", "vehicles"}
}

func (w *world) size() int {
	return len(w.companies) + len(w.departments) + len(w.sites) + len(w.vehicles) +
		len(w.people) + len(w.rooms) + len(w.plants) + len(w.badges)
}

func testThreeBranches(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(branchRegistry()))
	w := newWorld(t, s, 6)
	got, err := kin.Query[branchCompany]().SelectRelated(kin.Paths[branchCompany](allBranches()...)...).All(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, w.size())
	w.check(t, got, w.companies, keyOrder(), "departments", "sites", "vehicles", "people", "badges", "rooms", "plants")
}

func testBranchOrders(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(branchRegistry()))
	w := newWorld(t, s, 6)
	got, err := kin.Query[branchCompany]().SelectRelated(kin.Paths[branchCompany](allBranches()...)...).
		OrderBy("-name", "-sites__name", "departments__people__name", "-departments__rooms__desks",
			"departments__rooms__plants__kind").
		All(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, w.size())

	want := slices.Clone(w.companies)
	slices.SortStableFunc(want, func(a, b *branchCompany) int { return strings.Compare(b.Name, a.Name) })
	byKey := keyOrder()
	w.check(t, got, want, branchOrder{
		site:   func(a, b *branchSite) int { return cmp.Or(cmp.Compare(b.Name, a.Name), byKey.site(a, b)) },
		person: func(a, b *branchPerson) int { return cmp.Or(cmp.Compare(a.Name, b.Name), byKey.person(a, b)) },
		room:   func(a, b *branchRoom) int { return cmp.Or(cmp.Compare(b.Desks, a.Desks), byKey.room(a, b)) },
		plant: func(a, b *branchPlant) int { // NULL before all values
			switch {
			case a.Kind == nil && b.Kind != nil:
				return -1
			case a.Kind != nil && b.Kind == nil:
				return 1
			case a.Kind != nil && *a.Kind != *b.Kind:
				return cmp.Compare(*a.Kind, *b.Kind)
			}
			return byKey.plant(a, b)
		},
	}, "departments", "sites", "vehicles", "people", "badges", "rooms", "plants")
}

func testBranchLimit(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(branchRegistry()))
	w := newWorld(t, s, 6)
	q := kin.Query[branchCompany]().SelectRelated("departments__people", "departments__rooms", "sites").
		Filter("sites__name", "site 1").OrderBy("name")
	want := slices.Clone(w.companies)
	slices.SortStableFunc(want, func(a, b *branchCompany) int { return strings.Compare(a.Name, b.Name) })
	var pages []*branchCompany
	for i := range 4 {
		page, err := q.Limit(2).Offset(2*i).All(t.Context(), s.DB)
		require.NoError(t, err)
		assert.Len(t, s.Wire.Statements(), 1)
		rows := 0
		for _, c := range page {
			rows += 1 + c.Sites.Len() + c.Departments.Len()
			for _, d := range c.Departments.All() {
				rows += d.People.Len() + d.Rooms.Len()
			}
		}
		s.Wire.Want(t, 1, rows)
		pages = append(pages, page...)
	}
	w.check(t, pages, want, keyOrder(), "departments", "sites", "people", "rooms")
}

func testEmptyBranches(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(branchRegistry()))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	empty := &branchCompany{Name: "empty"}
	require.NoError(t, kin.Insert(t.Context(), s.DB, empty))
	s.Wire.Reset()
	got, err := kin.Query[branchCompany]().SelectRelated(kin.Paths[branchCompany](allBranches()...)...).All(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 1)
	require.Len(t, got, 1)
	assert.True(t, got[0].Sites.Loaded())
	assert.Empty(t, got[0].Sites.All())
	assert.True(t, got[0].Departments.Loaded())
	assert.Empty(t, got[0].Departments.All())
}

// testSharedBranches loads what hangs on rows that several roots refer to:
// it is read once, not once for each root.
func testSharedBranches(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 5, 20, 3)
	students, err := kin.Query[Student]().SelectRelated("class__teachers__category", "class__students").All(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 5*20+5+5*3+5*20+len(school.Categories))
	require.Len(t, students, len(school.Students))
	classes := map[int64]*SchoolClass{}
	for i, x := range students {
		require.Equal(t, school.Students[i].ID, x.ID)
		class := x.Class.Get()
		require.NotNil(t, class)
		if before := classes[class.ID]; before != nil {
			assert.Same(t, before, class)
		}
		classes[class.ID] = class
		assert.Contains(t, class.Students.All(), x, "the same value by both paths")
	}
	require.Len(t, classes, 5)
	for _, class := range classes {
		assert.Equal(t, 3, class.Teachers.Len())
		assert.Equal(t, 20, class.Students.Len())
	}
}

// testOneModelTwice follows a self reference in both directions: the people
// that are found by several paths are one value each.
func testOneModelTwice(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(branchRegistry()))
	w := newWorld(t, s, 2)
	for i, p := range w.people[1:] {
		s.Exec(t, s.bind("UPDATE branch_people SET boss_id = ? WHERE id = ?"), w.people[i/2].ID, p.ID)
	}
	s.Wire.Reset()
	people, err := kin.Query[branchPerson]().SelectRelated("team__badges", "team__team", "boss__boss").All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Len(t, s.Wire.Statements(), 1)
	require.Len(t, people, len(w.people))
	byID := map[int64]*branchPerson{}
	for _, p := range people {
		byID[p.ID] = p
	}
	for i, p := range people {
		var team []*branchPerson
		for j, x := range w.people[1:] {
			if j/2 == i {
				team = append(team, byID[x.ID])
			}
		}
		require.True(t, p.Team.Loaded())
		require.Len(t, p.Team.All(), len(team))
		for k, x := range p.Team.All() {
			assert.Same(t, team[k], x)
			assert.Same(t, p, x.Boss.Get())
			assert.True(t, x.Badges.Loaded())
		}
		if i > 0 {
			assert.Same(t, people[(i-1)/2], p.Boss.Get())
		}
	}
}

func testBranchIter(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(branchRegistry()))
	w := newWorld(t, s, 6)
	q := kin.Query[branchCompany]().SelectRelated(kin.Paths[branchCompany](allBranches()...)...).OrderBy("-name")
	want := slices.Clone(w.companies)
	slices.SortStableFunc(want, func(a, b *branchCompany) int { return strings.Compare(b.Name, a.Name) })
	var got []*branchCompany
	for c, err := range q.Iter(t.Context(), s.DB) {
		require.NoError(t, err)
		got = append(got, c)
	}
	s.Wire.Want(t, 1, w.size())
	w.check(t, got, want, keyOrder(), "departments", "sites", "vehicles", "people", "badges", "rooms", "plants")
	for range q.Iter(t.Context(), s.DB) {
		break
	}
	assert.Zero(t, s.Pool().Stats().InUse)
}

// testChain loads one chain of to-many relations: of all rows each table on its
// own, else a single join, in which each row of the last relation comes once.
func testChain(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(branchRegistry()))
	w := newWorld(t, s, 6)
	q := kin.Query[branchCompany]().SelectRelated("departments__rooms__plants").OrderBy("-departments__rooms__number")
	order := keyOrder()
	order.room = func(a, b *branchRoom) int { return cmp.Compare(b.Number, a.Number) }
	got, err := q.All(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, len(w.companies)+len(w.departments)+len(w.rooms)+len(w.plants))
	w.check(t, got, w.companies, order, "departments", "rooms", "plants")

	got, err = q.Filter("id__gt", 0).All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.NotContains(t, s.Wire.Statements()[0], "UNION")
	s.Wire.Want(t, 1, len(w.plants)+1) // and the company without departments
	w.check(t, got, w.companies, order, "departments", "rooms", "plants")
}
