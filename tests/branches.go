package tests

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// A company with branches at several depths: each has departments, sites and
// vehicles; a department has people and rooms; a person has badges. Vehicles
// are keyed by a text, rooms by two columns.
type (
	branchCompany struct {
		ID          int64
		Name        string
		Departments kin.Reverse[branchDepartment]
		Sites       kin.Reverse[branchSite]
		Vehicles    kin.Reverse[branchVehicle]
	}
	branchDepartment struct {
		ID      int64
		Name    string
		Company kin.ForeignKey[branchCompany] `kin:",related_name=departments"`
		People  kin.Reverse[branchPerson]
		Rooms   kin.Reverse[branchRoom]
	}
	branchSite struct {
		ID      int64
		Name    string
		Company kin.ForeignKey[branchCompany] `kin:",related_name=sites"`
	}
	branchVehicle struct {
		Plate   string                        `kin:",pk,size=20"`
		Company kin.ForeignKey[branchCompany] `kin:",related_name=vehicles"`
		Weight  float64
	}
	branchPerson struct {
		ID         int64
		Name       string
		Department kin.ForeignKey[branchDepartment] `kin:",related_name=people"`
		Boss       kin.ForeignKey[branchPerson]     `kin:",null,related_name=team"`
		Badges     kin.Reverse[branchBadge]
		Team       kin.Reverse[branchPerson]
	}
	branchRoom struct {
		Department kin.ForeignKey[branchDepartment] `kin:",pk,related_name=rooms"`
		Number     int32                            `kin:",pk"`
		Desks      int
		Plants     kin.Reverse[branchPlant]
	}
	branchPlant struct {
		ID   int64
		Kind *string
		Room kin.ForeignKey[branchRoom] `kin:",related_name=plants"`
	}
	branchBadge struct {
		ID     int64
		Code   string
		Person kin.ForeignKey[branchPerson] `kin:",related_name=badges"`
	}
)

func branchRegistry() *kin.Registry {
	var r kin.Registry
	kin.Register[branchCompany](&r)
	kin.Register[branchDepartment](&r)
	kin.Register[branchSite](&r)
	kin.Register[branchVehicle](&r)
	kin.Register[branchPerson](&r)
	kin.Register[branchRoom](&r)
	kin.Register[branchPlant](&r)
	kin.Register[branchBadge](&r)
	return &r
}

// A world is the rows of the companies, as they were inserted.
type world struct {
	companies   []*branchCompany
	departments []*branchDepartment
	sites       []*branchSite
	vehicles    []*branchVehicle
	people      []*branchPerson
	rooms       []*branchRoom
	plants      []*branchPlant
	badges      []*branchBadge
}

// newWorld inserts companies. The last has no departments, each first
// department has no people, and vehicles come in no order.
func newWorld(t *testing.T, s *Suite, companies int) *world {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	w := &world{}
	for i := range companies {
		c := &branchCompany{Name: fmt.Sprintf("company %d", (i*3+1)%companies)}
		w.companies = append(w.companies, c)
		for j := range 4 {
			w.sites = append(w.sites, &branchSite{Name: fmt.Sprintf("site %d", (j*3+i)%4), Company: kin.To(c)})
			w.vehicles = append(w.vehicles, &branchVehicle{Plate: fmt.Sprintf("K %d-%d", (j*3)%4, i), Company: kin.To(c), Weight: float64(j) / 3})
		}
		if i == companies-1 {
			continue
		}
		for j := range 3 {
			d := &branchDepartment{Name: fmt.Sprintf("department %d", 2-j), Company: kin.To(c)}
			w.departments = append(w.departments, d)
			for k := range 2 {
				room := &branchRoom{Department: kin.To(d), Number: int32(10 - k), Desks: j + k}
				w.rooms = append(w.rooms, room)
				kind := fmt.Sprintf("fern %d", k)
				w.plants = append(w.plants, &branchPlant{Kind: &kind, Room: kin.To(room)}, &branchPlant{Room: kin.To(room)})
			}
			for k := range 5 * min(j, 1) {
				p := &branchPerson{Name: fmt.Sprintf("person %d", (k*2)%5), Department: kin.To(d)}
				w.people = append(w.people, p)
				for l := range k {
					w.badges = append(w.badges, &branchBadge{Code: fmt.Sprintf("badge %d", 9-l), Person: kin.To(p)})
				}
			}
		}
	}
	require.NoError(t, kin.Insert(ctx, s.DB, w.companies...))
	require.NoError(t, kin.Insert(ctx, s.DB, w.departments...))
	require.NoError(t, kin.Insert(ctx, s.DB, w.sites...))
	require.NoError(t, kin.Insert(ctx, s.DB, w.vehicles...))
	for _, p := range w.people {
		require.NoError(t, kin.Insert(ctx, s.DB, p)) // one by one: the next may have it for a boss
	}
	require.NoError(t, kin.Insert(ctx, s.DB, w.rooms...))
	require.NoError(t, kin.Insert(ctx, s.DB, w.plants...))
	require.NoError(t, kin.Insert(ctx, s.DB, w.badges...))
	s.Wire.Reset()
	return w
}

// childrenOf returns the rows whose key, as of gives it, is id, sorted.
func childrenOf[T any, K comparable](rows []*T, of func(*T) K, id K, compare func(a, b *T) int) []*T {
	var found []*T
	for _, r := range rows {
		if of(r) == id {
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, compare)
	return found
}

// A branchOrder says how the rows of a test are sorted; nil is by key.
type branchOrder struct {
	site   func(a, b *branchSite) int
	person func(a, b *branchPerson) int
	room   func(a, b *branchRoom) int
	plant  func(a, b *branchPlant) int
}

// check compares loaded companies with the rows that were inserted. loaded
// names the branches that must be there.
func (w *world) check(t *testing.T, got, want []*branchCompany, o branchOrder, loaded ...string) {
	t.Helper()
	has := func(name string) bool { return slices.Contains(loaded, name) }
	require.Len(t, got, len(want))
	for i, c := range got {
		require.Equal(t, want[i].ID, c.ID)
		assert.Equal(t, want[i].Name, c.Name)
		require.Equal(t, has("sites"), c.Sites.Loaded())
		if has("sites") {
			equalRows(t, childrenOf(w.sites, func(x *branchSite) int64 { return x.Company.Ref().ID }, c.ID, o.site), c.Sites.All(),
				func(x *branchSite) string { return fmt.Sprint(x.ID, x.Name, x.Company.Ref().ID) })
		}
		require.Equal(t, has("vehicles"), c.Vehicles.Loaded())
		if has("vehicles") {
			byPlate := func(a, b *branchVehicle) int { return cmp.Compare(a.Plate, b.Plate) }
			equalRows(t, childrenOf(w.vehicles, func(x *branchVehicle) int64 { return x.Company.Ref().ID }, c.ID, byPlate), c.Vehicles.All(),
				func(x *branchVehicle) string { return fmt.Sprint(x.Plate, x.Weight, x.Company.Ref().ID) })
		}
		require.Equal(t, has("departments"), c.Departments.Loaded())
		if !has("departments") {
			continue
		}
		byID := func(a, b *branchDepartment) int { return cmp.Compare(a.ID, b.ID) }
		equalRows(t, childrenOf(w.departments, func(x *branchDepartment) int64 { return x.Company.Ref().ID }, c.ID, byID), c.Departments.All(),
			func(x *branchDepartment) string { return fmt.Sprint(x.ID, x.Name) })
		for _, d := range c.Departments.All() {
			assert.Same(t, c, d.Company.Get())
			w.checkDepartment(t, d, o, has)
		}
	}
}

func (w *world) checkDepartment(t *testing.T, d *branchDepartment, o branchOrder, has func(string) bool) {
	t.Helper()
	require.Equal(t, has("people"), d.People.Loaded())
	if has("people") {
		equalRows(t, childrenOf(w.people, func(x *branchPerson) int64 { return x.Department.Ref().ID }, d.ID, o.person), d.People.All(),
			func(x *branchPerson) string { return fmt.Sprint(x.ID, x.Name) })
	}
	for _, p := range d.People.All() {
		assert.Same(t, d, p.Department.Get())
		require.Equal(t, has("badges"), p.Badges.Loaded())
		if has("badges") {
			byID := func(a, b *branchBadge) int { return cmp.Compare(a.ID, b.ID) }
			equalRows(t, childrenOf(w.badges, func(x *branchBadge) int64 { return x.Person.Ref().ID }, p.ID, byID), p.Badges.All(),
				func(x *branchBadge) string { return fmt.Sprint(x.ID, x.Code) })
		}
	}
	require.Equal(t, has("rooms"), d.Rooms.Loaded())
	if has("rooms") {
		equalRows(t, childrenOf(w.rooms, func(x *branchRoom) int64 { return x.Department.Ref().ID }, d.ID, o.room), d.Rooms.All(),
			func(x *branchRoom) string { return fmt.Sprint(x.Number, x.Desks, x.Department.Ref().ID) })
	}
	for _, room := range d.Rooms.All() {
		require.Equal(t, has("plants"), room.Plants.Loaded())
		if has("plants") {
			at := func(r *branchRoom) [2]int64 { return [2]int64{r.Department.Ref().ID, int64(r.Number)} }
			equalRows(t, childrenOf(w.plants, func(x *branchPlant) [2]int64 { return at(x.Room.Ref()) }, at(room), o.plant), room.Plants.All(),
				func(x *branchPlant) string { return fmt.Sprint(x.ID, text(x.Kind)) })
		}
	}
}

func text(s *string) string {
	if s == nil {
		return "NULL"
	}
	return *s
}

func equalRows[T any](t *testing.T, want, got []*T, show func(*T) string) {
	t.Helper()
	all := func(rows []*T) []string {
		shown := []string{}
		for _, r := range rows {
			shown = append(shown, show(r))
		}
		return shown
	}
	assert.Equal(t, all(want), all(got))
}

// keyOrder sorts everything by key.
func keyOrder() branchOrder {
	return branchOrder{
		site:   func(a, b *branchSite) int { return cmp.Compare(a.ID, b.ID) },
		person: func(a, b *branchPerson) int { return cmp.Compare(a.ID, b.ID) },
		room: func(a, b *branchRoom) int {
			return cmp.Or(cmp.Compare(a.Department.Ref().ID, b.Department.Ref().ID), cmp.Compare(a.Number, b.Number))
		},
		plant: func(a, b *branchPlant) int { return cmp.Compare(a.ID, b.ID) },
	}
}
