package tests

import (
	"runtime"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func testPrefetchPeers(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 5, 6, 2)
	ctx := t.Context()
	classes, err := kin.Query[SchoolClass]().FetchPeers().All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Reset()
	seen := map[int64]*Category{}
	n := 0
	for _, c := range classes {
		students, err := c.Students.Load(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, students, 6)
		assert.Equal(t, students, c.Students.All())
		for i, x := range students {
			assert.Equal(t, school.Students[n].ID, x.ID)
			n++
			assert.Same(t, c, x.Class.Get())
			_ = i
		}
	}
	s.Wire.Want(t, 1, 30)
	again, err := classes[0].Students.Load(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, again, 6)
	s.Wire.Want(t, 1, 6)

	students, err := kin.Query[Student]().FetchPeers().OrderBy("-id").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Reset()
	for i, x := range students {
		want := school.Students[len(students)-1-i]
		c, err := x.Category.Load(ctx, s.DB)
		require.NoError(t, err)
		checkCategory(t, seen, want.Category, x.Category)
		assert.Same(t, c, x.Category.Get())
		class := x.Class // a copy
		loaded, err := class.Load(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, want.Class.Ref().ID, loaded.ID)
	}
	s.Wire.Want(t, 2, 3+5)

	// Who leads elsewhere since, asks for itself.
	students, err = kin.Query[Student]().FetchPeers().Limit(3).All(ctx, s.DB)
	require.NoError(t, err)
	require.NoError(t, students[0].Class.SetKey(5))
	s.Wire.Reset()
	_, err = students[1].Class.Load(ctx, s.DB)
	require.NoError(t, err)
	class, err := students[0].Class.Load(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 5, class.ID)
	s.Wire.Want(t, 2, 2)
}

func testPrefetchPeersOfAll(t *testing.T, s *Suite) {
	ctx := t.Context()
	w := newLinks(t, s)
	posts, err := kin.Query[linkPost]().FetchPeers().All(ctx, w.DB)
	require.NoError(t, err)
	w.Wire.Reset()
	for _, p := range posts {
		tags, err := p.Tags.Load(ctx, w.DB)
		require.NoError(t, err)
		assert.Equal(t, w.tagsOf(p.ID), ids(tags, tagID))
		remarks, err := p.Remarks.Load(ctx, w.DB)
		require.NoError(t, err)
		for _, m := range remarks {
			assert.Same(t, p, m.Post.Get())
		}
	}
	assert.Len(t, w.Wire.Statements(), 2)

	c, members := newClubs(t, s)
	people, err := kin.Query[linkPerson]().FetchPeers().All(ctx, c.DB)
	require.NoError(t, err)
	c.Wire.Reset()
	for _, p := range people {
		_, err := p.Clubs.Load(ctx, c.DB)
		require.NoError(t, err)
		assert.Equal(t, clubsOf(members, p.ID), held(p))
		for _, m := range p.Clubs.Links() {
			assert.Same(t, p, m.Person.Get())
		}
	}
	c.Wire.Want(t, 1, len(members))

	r := rowSuite(t, s)
	items, _ := newItems(t, r, 9)
	list, err := kin.Query[rowItem]().FetchPeers().All(ctx, r.DB)
	require.NoError(t, err)
	r.Wire.Reset()
	for i, x := range list {
		o, err := x.Owner.Load(ctx, r.DB)
		require.NoError(t, err)
		assert.Equal(t, items[i].Owner.Get().Title, o.Title)
	}
	r.Wire.Want(t, 1, 2)
}

func testPrefetchPeersRace(t *testing.T, s *Suite) {
	s.NewSchool(t, 20, 5, 2)
	ctx := t.Context()
	classes, err := kin.Query[SchoolClass]().FetchPeers().Prefetch("teachers").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Reset()
	var wg sync.WaitGroup
	for _, c := range classes {
		wg.Go(func() {
			students, err := c.Students.Load(ctx, s.DB)
			if err != nil {
				t.Error(err)
			}
			assert.Len(t, students, 5)
			for _, x := range students {
				assert.Same(t, c, x.Class.Get())
			}
			for _, x := range c.Teachers.All() {
				if _, err := x.Category.Load(ctx, s.DB); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s.Wire.Want(t, 2, 100+3)
}

func testPrefetchPeersWeak(t *testing.T, s *Suite) {
	s.NewSchool(t, 3000, 1, 0)
	ctx := t.Context()
	classes, err := kin.Query[SchoolClass]().FetchPeers().All(ctx, s.DB)
	require.NoError(t, err)
	first, gone := classes[0], weak.Make(classes[2999])
	clear(classes)
	for range 10 {
		runtime.GC()
		if gone.Value() == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	assert.Nil(t, gone.Value(), "a row that nobody has is not kept by its peers")
	s.Wire.Reset()
	students, err := first.Students.Load(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, students, 1)
	assert.Less(t, s.Wire.Rows(), 1000, "and is not loaded for")
}

// testPrefetchHooks has AfterLoad called once for each row, when what it looks
// at is there.
func testPrefetchHooks(t *testing.T, s *Suite) {
	s = hookSuite(t, s)
	stores := []*store{{Name: "A"}, {Name: "B"}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, stores...))
	for i, name := range []string{"k", "l", "m"} {
		require.NoError(t, kin.Insert(t.Context(), s.DB, &good{Name: name, Store: kin.To(stores[i/2])}))
	}
	q := kin.Query[store]().Prefetch("goods")
	ctx, log := s.hooked(t.Context(), 0)
	found, err := q.All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{"load k", "load l", "load m", "load A", "load B"}, log.calls)
	assert.Equal(t, "A with 2", found[0].loaded)
	assert.Equal(t, "l of A", found[0].Goods.All()[1].label)
	ctx, _ = s.hooked(t.Context(), 2)
	found, err = q.All(ctx, s.DB)
	require.ErrorIs(t, err, errHook)
	assert.Nil(t, found)

	ctx, log = s.hooked(t.Context(), 0)
	_, err = kin.Query[good]().Prefetch("store__goods").All(ctx, s.DB)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"load k", "load l", "load m", "load A", "load B"}, log.calls, "one row is one value")

	found, err = kin.Query[store]().FetchPeers().All(t.Context(), s.DB)
	require.NoError(t, err)
	ctx, log = s.hooked(t.Context(), 0)
	for _, x := range found {
		_, err := x.Goods.Load(ctx, s.DB)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"load k", "load l", "load m"}, log.calls)
	assert.Equal(t, "l of A", found[0].Goods.All()[1].label)
	found, err = kin.Query[store]().FetchPeers().All(t.Context(), s.DB)
	require.NoError(t, err)
	ctx, _ = s.hooked(t.Context(), 1)
	_, err = found[0].Goods.Load(ctx, s.DB)
	require.ErrorIs(t, err, errHook)
	assert.False(t, found[0].Goods.Loaded())
}
