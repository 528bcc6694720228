package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func versionCases() []Case {
	return []Case{
		{"version/insert, update and delete", testVersionRows},
		{"version/many rows, or none", testVersionMany},
		{"version/tiny limits", testVersionTiny},
		{"version/sets, upserts and finders", testVersionSets},
		{"version/collections", testVersionCollections},
		{"version/in a transaction", testVersionTx},
		{"version/the end of the numbers", testVersionEnd},
		{"version/many goroutines lose no update", testVersionRace},
		{"version/memory when calls go wrong", testVersionFaulty},
		{"times/each write", testTimestamps},
		{"times/each form of a field", testTimeForms},
		{"times/a failed write", testTimesFailed},
	}
}

// page has a version and both times, and a key of two columns.
type (
	page struct {
		Wiki    string `kin:",pk,size=20"`
		Number  int32  `kin:",pk"`
		Title   string `kin:",size=50,unique"`
		Body    string
		Rev     uint16                 `kin:"revision,version"`
		Made    time.Time              `kin:",autocreate"`
		Changed time.Time              `kin:",autoupdate"`
		Folder  kin.ForeignKey[folder] `kin:",null,related_name=pages"`
	}
	folder struct {
		ID    int64
		Name  string
		Pages kin.Reverse[page]
	}
)

// A ticking clock is another second each time that it is asked.
type ticking struct{ now time.Time }

func (c *ticking) Now() time.Time {
	c.now = c.now.Add(time.Second)
	return c.now
}

// stopped returns the last time that the clock has told, as kin keeps it.
func (c *ticking) last() time.Time { return c.now.UTC().Truncate(time.Microsecond) }

func versionSuite(t *testing.T, s *Suite) (*Suite, *ticking) {
	t.Helper()
	var r kin.Registry
	kin.Register[page](&r)
	kin.Register[folder](&r)
	kin.Register[counter](&r)
	clock := &ticking{time.Date(2026, 5, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600))}
	s = s.With(kin.WithRegistry(&r), kin.WithClock(clock.Now))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	return s, clock
}

func newPages(t *testing.T, s *Suite, n int) []*page {
	t.Helper()
	pages := make([]*page, n)
	for i := range pages {
		pages[i] = &page{Wiki: "w", Number: int32(i), Title: fmt.Sprint("page ", i)}
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, pages...))
	s.Wire.Reset()
	return pages
}

// pages returns the table as text, read by hand.
func (s *Suite) pages(t *testing.T) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT number, title, body, revision, made, changed, folder_id FROM pages ORDER BY number")
	require.NoError(t, err)
	defer rows.Close()
	table := []string{}
	for rows.Next() {
		var number, rev int64
		var title, body string
		var folder *int64
		var made, changed any
		require.NoError(t, rows.Scan(&number, &title, &body, &rev, &made, &changed, &folder))
		table = append(table, fmt.Sprint(number, " ", title, " ", body, " ", rev, " ", asTime(t, made), " ", asTime(t, changed), " ", deref(folder)))
	}
	require.NoError(t, rows.Err())
	return table
}

// asTime reads a time as the three drivers give it.
func asTime(t *testing.T, v any) string {
	t.Helper()
	text := ""
	switch v := v.(type) {
	case nil:
		return "NULL"
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.999999")
	case string:
		text = v
	case []byte:
		text = string(v)
	}
	at, err := time.Parse("2006-01-02 15:04:05.999999", text)
	require.NoError(t, err)
	return at.Format("2006-01-02 15:04:05.999999")
}

func deref(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}

// inMemory returns pages as the table would have them.
func inMemory(pages []*page) []string {
	list := []string{}
	for _, p := range pages {
		id := int64(0)
		if f := p.Folder.Ref(); f != nil {
			id = f.ID
		}
		list = append(list, fmt.Sprint(p.Number, " ", p.Title, " ", p.Body, " ", p.Rev, " ",
			p.Made.Format("2006-01-02 15:04:05.999999"), " ", p.Changed.Format("2006-01-02 15:04:05.999999"), " ", id))
	}
	return list
}

func testVersionRows(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, clock := versionSuite(t, s)
	one := newPages(t, s, 1)[0]
	assert.EqualValues(t, 1, one.Rev)
	assert.Equal(t, clock.last(), one.Made)
	assert.Equal(t, inMemory([]*page{one}), s.pages(t))
	other, err := kin.Query[page]().Get(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Reset()

	one.Body = "mine"
	require.NoError(t, kin.Update(ctx, s.DB, one))
	s.Wire.Want(t, 1, 0)
	assert.EqualValues(t, 2, one.Rev)
	one.Body = "mine again"
	require.NoError(t, kin.Update(ctx, s.DB, one, "body"))
	require.NoError(t, kin.Save(ctx, s.DB, one))
	s.Wire.Want(t, 2, 0)
	assert.EqualValues(t, 4, one.Rev)
	table := s.pages(t)
	assert.Equal(t, inMemory([]*page{one}), table)

	other.Body = "theirs"
	before := *other
	for what, write := range map[string]func() error{
		"update": func() error { return kin.Update(ctx, s.DB, other) },
		"named":  func() error { return kin.Update(ctx, s.DB, other, "body") },
		"save":   func() error { return kin.Save(ctx, s.DB, other) },
		"delete": func() error { return kin.Delete(ctx, s.DB, other) },
	} {
		s.Wire.Reset()
		err := write()
		require.ErrorIs(t, err, kin.ErrStale, what)
		require.NotErrorIs(t, err, kin.ErrNotFound, what)
		var stale *kin.StaleError
		require.ErrorAs(t, err, &stale, what)
		assert.Equal(t, kin.StaleError{Model: "page", Key: `"w", 0`, Version: 1, Stored: 4}, *stale)
		s.Wire.Want(t, 2, 1) // the write, and a look at why it failed
		assert.Equal(t, before, *other, what)
		assert.Equal(t, table, s.pages(t), what)
	}
	require.EqualError(t, kin.Update(ctx, s.DB, other), `kin: update of page: page("w", 0) is stale: it has version 1, and the database 4`)
	require.ErrorContains(t, kin.Update(ctx, s.DB, one, "rev"), "page.Rev is the version, which kin raises by itself")

	require.NoError(t, kin.Reload(ctx, s.DB, other))
	require.NoError(t, kin.Delete(ctx, s.DB, other))
	err = kin.Update(ctx, s.DB, one)
	require.ErrorIs(t, err, kin.ErrNotFound)
	require.NotErrorIs(t, err, kin.ErrStale)
	require.ErrorIs(t, kin.Delete(ctx, s.DB, one), kin.ErrNotFound)
	assert.EqualValues(t, 4, one.Rev)

	given := &page{Wiki: "w", Number: 9, Title: "given", Rev: 7}
	require.NoError(t, kin.Insert(ctx, s.DB, given))
	assert.Equal(t, inMemory([]*page{given}), s.pages(t), "a version that is set is kept")
}

func testVersionMany(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, _ = versionSuite(t, s)
	pages := newPages(t, s, 40)
	for i, p := range pages {
		p.Body = fmt.Sprint("body ", i)
	}
	require.NoError(t, kin.UpdateAll(ctx, s.DB, pages))
	s.Wire.Want(t, 1, 0)
	assert.Equal(t, inMemory(pages), s.pages(t))

	// Somebody else changes the rows 17 and 30, the latter by a set.
	theirs, err := kin.Query[page]().Filter("number", 17).Get(ctx, s.DB)
	require.NoError(t, err)
	require.NoError(t, kin.Update(ctx, s.DB, theirs))
	n, err := kin.Query[page]().Filter("number", 30).Update(ctx, s.DB, kin.Set("body", "set"))
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	table, memory := s.pages(t), inMemory(pages)
	for what, write := range map[string]func() error{
		"update": func() error { return kin.UpdateAll(ctx, s.DB, pages) },
		"delete": func() error { return kin.DeleteAll(ctx, s.DB, pages) },
		"save":   func() error { return kin.Save(ctx, s.DB, pages...) },
		"nested": func() error {
			return s.DB.Tx(ctx, func(tx *kin.Tx) error {
				err := kin.UpdateAll(ctx, tx, pages)
				assert.Equal(t, memory, inMemory(pages), "before the transaction ends")
				return err
			})
		},
	} {
		err := write()
		var stale *kin.StaleError
		require.ErrorAs(t, err, &stale, what)
		assert.Equal(t, kin.StaleError{Model: "page", Key: `"w", 17`, Version: 2, Stored: 3}, *stale, "the first")
		assert.Equal(t, table, s.pages(t), what)
		assert.Equal(t, memory, inMemory(pages), what)
	}
	require.NoError(t, kin.Reload(ctx, s.DB, pages...))
	s.Wire.Reset()
	require.NoError(t, kin.DeleteAll(ctx, s.DB, pages[:30]))
	s.Wire.Want(t, 1, 0)
	assert.Equal(t, inMemory(pages[30:]), s.pages(t))
	require.ErrorIs(t, kin.UpdateAll(ctx, s.DB, pages), kin.ErrNotFound)
	assert.Equal(t, inMemory(pages[30:]), s.pages(t))
}

func testVersionTiny(t *testing.T, s *Suite) {
	for _, rows := range []int{1, 2, 3, 7} {
		t.Run(strconv.Itoa(rows), func(t *testing.T) {
			ctx := t.Context()
			var r kin.Registry
			kin.Register[page](&r)
			kin.Register[folder](&r)
			s := s.Tiny(11*rows, kin.WithRegistry(&r))
			require.NoError(t, kin.CreateTables(ctx, s.DB))
			defer func() { require.NoError(t, kin.DropTables(ctx, s.DB)) }()
			pages := newPages(t, s, 17)
			require.NoError(t, kin.UpdateAll(ctx, s.DB, pages))
			require.NoError(t, kin.Upsert(ctx, s.DB, pages, kin.OnConflict("title").Update("body")))
			assert.Equal(t, inMemory(pages), s.pages(t))
			f := &folder{Name: "f"}
			require.NoError(t, kin.Insert(ctx, s.DB, f))
			require.NoError(t, f.Pages.Add(ctx, s.DB, pages...))
			assert.Equal(t, inMemory(pages), s.pages(t))
			assert.EqualValues(t, 4, pages[16].Rev)
			_, err := kin.Query[page]().Filter("number", 14).Update(ctx, s.DB, kin.Set("body", "x"))
			require.NoError(t, err)
			table, memory := s.pages(t), inMemory(pages)
			for _, write := range []func() error{
				func() error { return kin.UpdateAll(ctx, s.DB, pages) },
				func() error { return kin.DeleteAll(ctx, s.DB, pages) },
				func() error { return f.Pages.Remove(ctx, s.DB, pages...) },
			} {
				var stale *kin.StaleError
				require.ErrorAs(t, write(), &stale)
				assert.Equal(t, `"w", 14`, stale.Key)
				assert.Equal(t, table, s.pages(t))
				assert.Equal(t, memory, inMemory(pages))
			}
			require.NoError(t, kin.Reload(ctx, s.DB, pages...))
			require.NoError(t, kin.DeleteAll(ctx, s.DB, pages))
			assert.Empty(t, s.pages(t))
		})
	}
}

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

// testVersionTx has a row change between the reading and the writing within a
// transaction, which on MariaDB would still see the old one.
func testVersionTx(t *testing.T, s *Suite) {
	if s.Name == "sqlite" {
		return // one writes at a time
	}
	ctx := t.Context()
	s, _ = versionSuite(t, s)
	newPages(t, s, 3)
	err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
		mine, err := kin.Query[page]().All(ctx, tx)
		require.NoError(t, err)
		_, err = kin.Query[page]().Filter("number", 1).Update(ctx, s.DB, kin.Set("body", "theirs"))
		require.NoError(t, err)
		_, err = kin.Query[page]().Filter("number", 2).Delete(ctx, s.DB)
		require.NoError(t, err)
		var stale *kin.StaleError
		require.ErrorAs(t, kin.UpdateAll(ctx, tx, mine), &stale)
		assert.Equal(t, kin.StaleError{Model: "page", Key: `"w", 1`, Version: 1, Stored: 2}, *stale)
		require.ErrorAs(t, kin.Update(ctx, tx, mine[1]), &stale)
		assert.EqualValues(t, 2, stale.Stored)
		require.ErrorIs(t, kin.Update(ctx, tx, mine[2]), kin.ErrNotFound)
		require.NoError(t, kin.Update(ctx, tx, mine[0]))
		return nil
	})
	require.NoError(t, err)
	assert.Len(t, s.pages(t), 2)
}

// counter has a version of few numbers.
type counter struct {
	ID int64
	V  int8 `kin:",version"`
}

func testVersionEnd(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, _ = versionSuite(t, s)
	c := &counter{V: 126}
	require.NoError(t, kin.Insert(ctx, s.DB, c))
	require.NoError(t, kin.Update(ctx, s.DB, c), "nothing but the version")
	assert.EqualValues(t, 127, c.V)
	s.Wire.Reset()
	require.EqualError(t, kin.Update(ctx, s.DB, c), "kin: update of counter: counter.V is 127, and cannot be raised")
	s.Wire.Want(t, 0, 0)
	assert.EqualValues(t, 127, c.V)
}

func testTimestamps(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, clock := versionSuite(t, s)
	pages := newPages(t, s, 3)
	made := clock.last()
	for _, p := range pages { // all of one write have one time
		assert.Equal(t, made, p.Made)
		assert.Equal(t, made, p.Changed)
	}
	require.NoError(t, kin.UpdateAll(ctx, s.DB, pages[:2]))
	assert.Equal(t, clock.last(), pages[0].Changed)
	assert.NotEqual(t, made, pages[0].Changed)
	assert.Equal(t, made, pages[0].Made)
	require.NoError(t, kin.Update(ctx, s.DB, pages[2], "body"))
	assert.Equal(t, clock.last(), pages[2].Changed, "though it is not named")
	assert.Equal(t, inMemory(pages), s.pages(t))

	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	pages[0].Made, pages[0].Changed = at, at
	require.NoError(t, kin.Update(ctx, s.DB, pages[0]))
	assert.Equal(t, clock.last(), pages[0].Changed)
	pages[0].Made = made // which is for the insert alone
	assert.Equal(t, inMemory(pages), s.pages(t))
	pages[0].Made, pages[0].Changed = at, at
	require.NoError(t, kin.Update(ctx, s.DB, pages[0], "made", "changed"))
	assert.Equal(t, at, pages[0].Changed)
	assert.Equal(t, inMemory(pages), s.pages(t), "what is named is written as it is")

	old := &page{Wiki: "w", Number: 9, Title: "imported", Made: at, Changed: at.Add(time.Hour)}
	require.NoError(t, kin.Insert(ctx, s.DB, old))
	assert.Equal(t, at, old.Made)
	assert.Equal(t, at.Add(time.Hour), old.Changed)
	assert.Equal(t, inMemory(append(pages, old)), s.pages(t))
}

// timed has its times in every form.
type timed struct {
	ID       int64
	Name     string              `kin:",size=20,unique"`
	MadeP    *time.Time          `kin:",autocreate"`
	MadeN    sql.Null[time.Time] `kin:",autocreate"`
	ChangedP *time.Time          `kin:",autoupdate"`
	ChangedN sql.NullTime        `kin:",autoupdate"`
}

func testTimeForms(t *testing.T, s *Suite) {
	ctx := t.Context()
	var r kin.Registry
	kin.Register[timed](&r)
	clock := &ticking{time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	s = s.With(kin.WithRegistry(&r), kin.WithClock(clock.Now))
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	x := &timed{Name: "x", MadeP: new(time.Time)}
	require.NoError(t, kin.Insert(ctx, s.DB, x))
	made := clock.last()
	shared := x.ChangedP
	require.NoError(t, kin.Update(ctx, s.DB, x))
	assert.Equal(t, timed{x.ID, "x", &made, sql.Null[time.Time]{V: made, Valid: true}, new(clock.last()), sql.NullTime{Time: clock.last(), Valid: true}}, *x)
	assert.Equal(t, made, *shared, "what a pointer led to is as it was")
	got, err := kin.Query[timed]().Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, *x, *got)
}

func testTimesFailed(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, _ = versionSuite(t, s)
	pages := newPages(t, s, 3)
	table := s.pages(t)
	var unique *kin.UniqueError
	fresh := []*page{{Wiki: "w", Number: 5, Title: "page 5"}, {Wiki: "w", Number: 6, Title: "page 0"}}
	pages[2].Title = "page 0"
	memory := inMemory(pages)
	for what, write := range map[string]func() error{
		"insert":     func() error { return kin.Insert(ctx, s.DB, fresh...) },
		"insert one": func() error { return kin.Insert(ctx, s.DB, fresh[1]) },
		"update":     func() error { return kin.UpdateAll(ctx, s.DB, pages) },
		"update one": func() error { return kin.Update(ctx, s.DB, pages[2], "title") },
		"save":       func() error { return kin.Save(ctx, s.DB, pages...) },
		"upsert": func() error {
			return kin.Upsert(ctx, s.DB, fresh, kin.OnConflict("wiki", "number").Update("body"))
		},
	} {
		require.ErrorAs(t, write(), &unique, what)
		assert.Equal(t, table, s.pages(t), what)
		assert.Equal(t, memory, inMemory(pages), what)
		assert.Equal(t, page{Wiki: "w", Number: 5, Title: "page 5"}, *fresh[0], what)
		assert.Equal(t, page{Wiki: "w", Number: 6, Title: "page 0"}, *fresh[1], what)
	}
	gone := errors.New("rolled back by the caller")
	pages[2].Title = "page 2"
	require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		require.NoError(t, kin.Update(ctx, tx, pages[1]))
		return gone
	}), gone)
	assert.Equal(t, table, s.pages(t))
	require.NoError(t, kin.Update(ctx, s.DB, pages[1]), "not stale, though its version was raised")
}

// testVersionRace has goroutines add to one number, each to what it has read:
// whoever is late reads again, and nothing is lost.
func testVersionRace(t *testing.T, s *Suite) {
	ctx := t.Context()
	s, _ = versionSuite(t, s)
	s = s.With(kin.WithRegistry(pageRegistry()))
	newPages(t, s, 1)
	const workers, times = 8, 5
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for i := range workers {
		wg.Go(func() {
			for range times {
				errs[i] = errors.Join(errs[i], s.append(ctx))
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	x, err := kin.Query[page]().Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, x.Body, workers*times)
	assert.EqualValues(t, 1+workers*times, x.Rev)
}

// append adds a letter to the one page, however often it takes.
func (s *Suite) append(ctx context.Context) error {
	for {
		x, err := kin.Query[page]().Get(ctx, s.DB)
		if err != nil {
			return err
		}
		x.Body += "x"
		err = kin.Update(ctx, s.DB, x)
		if !errors.Is(err, kin.ErrStale) && !errors.Is(err, kin.ErrDeadlock) && !errors.Is(err, kin.ErrConflict) {
			return err
		}
	}
}

func pageRegistry() *kin.Registry {
	var r kin.Registry
	kin.Register[page](&r)
	kin.Register[folder](&r)
	return &r
}

// testVersionFaulty lets each call of a write go wrong: rows in memory are as
// they were, and fit the table.
func testVersionFaulty(t *testing.T, s *Suite) {
	s, _ = versionSuite(t, s)
	faulty := &Faulty{}
	pool := sql.OpenDB(faulty.Connector(s.Wire.Base))
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	db := kin.New(pool, s.Dialect(), kin.WithRegistry(pageRegistry()))
	for what, write := range map[string]func(ctx context.Context, pages, fresh []*page, f *folder) error{
		"insert": func(ctx context.Context, _, fresh []*page, _ *folder) error { return kin.Insert(ctx, db, fresh...) },
		"update": func(ctx context.Context, pages, _ []*page, _ *folder) error { return kin.UpdateAll(ctx, db, pages) },
		"update one": func(ctx context.Context, pages, _ []*page, _ *folder) error {
			return kin.Update(ctx, db, pages[0])
		},
		"upsert": func(ctx context.Context, pages, fresh []*page, _ *folder) error {
			return kin.Upsert(ctx, db, append(pages[:1:1], fresh...), kin.OnConflict("title").Update("body"))
		},
		"add": func(ctx context.Context, pages, _ []*page, f *folder) error {
			return f.Pages.Add(ctx, db, pages[1:2]...)
		},
		"create": func(ctx context.Context, _, fresh []*page, f *folder) error {
			return f.Pages.Create(ctx, db, fresh...)
		},
		"set": func(ctx context.Context, pages, _ []*page, f *folder) error {
			return f.Pages.Set(ctx, db, pages[:2]...)
		},
		"clear": func(ctx context.Context, _, _ []*page, f *folder) error {
			_, err := f.Pages.Clear(ctx, db)
			return err
		},
		"transaction": func(ctx context.Context, pages, _ []*page, _ *folder) error {
			return db.Tx(ctx, func(tx *kin.Tx) error {
				if err := kin.Update(ctx, tx, pages[0]); err != nil {
					return err
				}
				return kin.UpdateAll(ctx, tx, pages[:2])
			})
		},
	} {
		for n := 1; ; n++ {
			require.Less(t, n, 100)
			what := fmt.Sprint(what, ", call ", n)
			s.Exec(t, "DELETE FROM pages")
			pages := newPages(t, s, 3)
			fresh := []*page{{Wiki: "w", Number: 7, Title: "page 7"}, {Wiki: "w", Number: 8, Title: "page 8"}}
			f := &folder{Name: "f"}
			require.NoError(t, kin.Insert(t.Context(), s.DB, f))
			_, err := f.Pages.Load(t.Context(), s.DB)
			require.NoError(t, err)
			require.NoError(t, f.Pages.Add(t.Context(), s.DB, pages[0], pages[2]))
			before, memory := s.pages(t), versions(pages)
			faulty.arm(faultError, n, func() {})
			err = write(t.Context(), pages, fresh, f)
			hit := faulty.disarm()
			if err != nil {
				require.ErrorIs(t, err, errInjected, what)
				assert.Equal(t, before, s.pages(t), what)
				assert.Equal(t, memory, versions(pages), what)
				assert.Equal(t, []int{0, 0}, versions(fresh), what)
				assert.Equal(t, []*page{pages[0], pages[2]}, f.Pages.All(), what)
			}
			if !hit.fired {
				break
			}
		}
	}
}

func versions(pages []*page) []int {
	list := make([]int, len(pages))
	for i, p := range pages {
		list[i] = int(p.Rev)
	}
	return list
}
