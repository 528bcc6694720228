package tests

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

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
