package tests

import (
	"fmt"
	"strconv"
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
