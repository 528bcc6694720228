package tests

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func testVersionSets(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, clock := versionSuite(t, s)
	pages := newPages(t, s, 3)
	n, err := kin.Query[page]().Filter("number__lt", 2).Update(ctx, s.DB, kin.Set("body", "set"))
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	s.Wire.Want(t, 1, 0)
	for _, p := range pages[:2] {
		p.Body, p.Rev, p.Changed = "set", 2, clock.last()
	}
	assert.Equal(t, inMemory(pages), s.pages(t))
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err = kin.Query[page]().OrderBy("-number").Limit(1).Update(ctx, s.DB, kin.Set("changed", at))
	require.NoError(t, err)
	pages[2].Changed, pages[2].Rev = at, 2
	assert.Equal(t, inMemory(pages), s.pages(t), "the time that the caller sets")
	_, err = kin.Query[page]().Everything().Update(ctx, s.DB, kin.Set("rev", 9))
	require.EqualError(t, err, "kin: update of page: page.Rev is the version, which kin raises by itself")

	// Upsert: one row is there already, one is not.
	s.Wire.Reset()
	again := []*page{
		{Wiki: "w", Number: 7, Title: "page 0", Body: "upserted"},
		{Wiki: "w", Number: 8, Title: "page 8", Body: "inserted"},
	}
	require.NoError(t, kin.Upsert(ctx, s.DB, again, kin.OnConflict("title").Update("body")))
	s.Wire.Want(t, 2, 2)
	assert.EqualValues(t, 3, again[0].Rev)
	assert.EqualValues(t, 1, again[1].Rev)
	assert.Equal(t, pages[0].Made, again[0].Made, "it was made before")
	assert.Equal(t, clock.last(), again[0].Changed)
	assert.Equal(t, clock.last(), again[1].Made)
	pages[0].Body, pages[0].Rev, pages[0].Changed = "upserted", 3, clock.last()
	pages = append(pages, again[1])
	assert.Equal(t, inMemory(pages), s.pages(t))

	require.NoError(t, kin.Upsert(ctx, s.DB, []*page{{Wiki: "w", Number: 1, Title: "page 1", Body: "all"}}, kin.OnConflict("wiki", "number")))
	pages[1].Body, pages[1].Rev, pages[1].Changed = "all", 3, clock.last()
	assert.Equal(t, inMemory(pages), s.pages(t), "all columns, but when it was made")

	ignored := &page{Wiki: "w", Number: 1, Title: "page 1", Body: "ignored"}
	require.NoError(t, kin.Upsert(ctx, s.DB, []*page{ignored}, kin.OnConflict("title").DoNothing()))
	assert.Equal(t, inMemory(pages), s.pages(t))
	assert.EqualValues(t, 3, ignored.Rev)
	assert.Equal(t, pages[1].Changed, ignored.Changed)
	require.ErrorContains(t, kin.Upsert(ctx, s.DB, again, kin.OnConflict("title").Update("rev")), "page.Rev is the version")

	// Finders.
	found, created, err := kin.GetOrCreate(ctx, s.DB, &page{Wiki: "w", Number: 20, Title: "page 20"}, "title")
	require.NoError(t, err)
	require.True(t, created)
	pages = append(pages, found)
	mine := &page{Wiki: "w", Number: 20, Title: "page 20", Body: "updated or created"}
	created, err = kin.UpdateOrCreate(ctx, s.DB, mine, "title")
	require.NoError(t, err)
	require.False(t, created)
	assert.Equal(t, found.Made, mine.Made)
	assert.EqualValues(t, 2, mine.Rev)
	pages[len(pages)-1] = mine
	assert.Equal(t, inMemory(pages), s.pages(t))
	before := *found
	_, err = kin.UpdateOrCreate(ctx, s.DB, found, "title")
	require.ErrorIs(t, err, kin.ErrStale, "a row that has been read")
	assert.Equal(t, before, *found)
	assert.Equal(t, inMemory(pages), s.pages(t))
}

func testVersionCollections(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, _ = versionSuite(t, s)
	pages := newPages(t, s, 6)
	one, two := &folder{Name: "one"}, &folder{Name: "two"}
	require.NoError(t, kin.Insert(ctx, s.DB, one, two))
	_, err := one.Pages.Load(ctx, s.DB)
	require.NoError(t, err)
	check := func(what string) {
		t.Helper()
		assert.Equal(t, inMemory(pages), s.pages(t), what)
		for _, p := range pages { // none has become stale
			require.NoError(t, kin.Update(ctx, s.DB, p), what)
		}
		assert.Equal(t, inMemory(pages), s.pages(t), what)
		s.Wire.Reset()
	}
	s.Wire.Reset()
	require.NoError(t, one.Pages.Add(ctx, s.DB, pages[:4]...))
	s.Wire.Want(t, 1, 0)
	assert.Len(t, one.Pages.All(), 4)
	check("add")
	fresh := &page{Wiki: "w", Number: 6, Title: "page 6"}
	require.NoError(t, one.Pages.Create(ctx, s.DB, fresh))
	pages = append(pages, fresh)
	check("create")
	require.NoError(t, one.Pages.Remove(ctx, s.DB, pages[0], pages[1]))
	s.Wire.Want(t, 1, 0)
	check("remove")
	require.NoError(t, one.Pages.Set(ctx, s.DB, pages[0], pages[2]))
	check("set")
	assert.Equal(t, []*page{pages[0], pages[2]}, one.Pages.All())
	n, err := one.Pages.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	s.Wire.Want(t, 4, 2) // which rows there are, and the change, behind a savepoint
	check("clear")
	require.NoError(t, two.Pages.Add(ctx, s.DB, pages...))
	check("add all")

	// Somebody else has changed one of them.
	_, err = kin.Query[page]().Filter("number", 3).Update(ctx, s.DB, kin.Set("body", "x"))
	require.NoError(t, err)
	table, memory := s.pages(t), inMemory(pages)
	for what, write := range map[string]func() error{
		"add":    func() error { return one.Pages.Add(ctx, s.DB, pages...) },
		"set":    func() error { return one.Pages.Set(ctx, s.DB, pages...) },
		"remove": func() error { return two.Pages.Remove(ctx, s.DB, pages...) },
		"delete": func() error { return two.Pages.Delete(ctx, s.DB, pages...) },
	} {
		var stale *kin.StaleError
		require.ErrorAs(t, write(), &stale, what)
		assert.Equal(t, `"w", 3`, stale.Key, what)
		assert.Equal(t, table, s.pages(t), what)
		assert.Equal(t, memory, inMemory(pages), what)
		assert.Same(t, two, pages[3].Folder.Get(), what)
	}
	err = one.Pages.Remove(ctx, s.DB, pages[0])
	require.ErrorIs(t, err, kin.ErrNotFound, "no child")
	require.NotErrorIs(t, err, kin.ErrStale)
	require.NoError(t, two.Pages.Delete(ctx, s.DB, pages[:3]...))
	assert.Equal(t, table[3:], s.pages(t))
}
