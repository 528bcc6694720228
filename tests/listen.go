package tests

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func listenCases() []Case {
	return []Case{
		{"listen/writes", testListen},
		{"listen/relations", testListenRelation},
		{"listen/by many goroutines", testListenRace},
	}
}

type wrongStamps struct {
	ID int64
	A  int64          `kin:",autocreate"`
	B  time.Time      `kin:",autocreate,autoupdate"`
	C  sql.Null[int8] `kin:",version"`
	D  int64          `kin:",version"`
	E  int64          `kin:",version"`
}

// Listeners are the process's: each of the suite's databases has its own key
// in the context, and what is heard of others is left out.
type listenKey struct{}

func listenTo(ctx context.Context, s *Suite) context.Context {
	return context.WithValue(ctx, listenKey{}, s)
}

func heardBy(ctx context.Context, s *Suite) bool { return ctx.Value(listenKey{}) == s }

func names[T any](rows []*T) string {
	text := ""
	for _, row := range rows {
		switch row := any(row).(type) {
		case *shelf:
			text += fmt.Sprint(" ", row.ID)
		case *book:
			text += " " + row.Title
		}
	}
	return text
}

func testListen(t *testing.T, s *Suite) {
	s, one, two := newShelves(t, s)
	ctx := listenTo(t.Context(), s)
	var log []string
	failAt := 0
	listen := func(what string) func(ctx context.Context, tx *kin.Tx, rows []*book) error {
		return func(ctx context.Context, tx *kin.Tx, rows []*book) error {
			if !heardBy(ctx, s) {
				return nil
			}
			log = append(log, what+names(rows))
			if len(log) == failAt {
				return errHook
			}
			n, err := kin.Query[book]().Count(ctx, tx) // it is in the transaction
			log[len(log)-1] += fmt.Sprint(", ", n)
			return err
		}
	}
	stop := kin.Listen(kin.Listener[book]{
		BeforeInsert: listen("before insert"), AfterInsert: listen("after insert"),
		BeforeUpdate: listen("before update"), AfterUpdate: listen("after update"),
		BeforeDelete: listen("before delete"), AfterDelete: listen("after delete"),
	})
	defer stop()
	stopSecond := kin.Listen(kin.Listener[book]{AfterInsert: listen("second")})
	d, e := &book{Title: "d"}, &book{Title: "e"}
	require.NoError(t, kin.Insert(ctx, s.DB, d, e))
	assert.Equal(t, []string{"before insert d e, 3", "after insert d e, 5", "second d e, 5"}, log)
	stopSecond()
	stopSecond() // again does nothing
	log = nil
	require.NoError(t, kin.Update(ctx, s.DB, d))
	require.NoError(t, two.Books.Add(ctx, s.DB, d))
	require.NoError(t, kin.Insert(ctx, s.DB, &shelf{}), "nobody listens to shelves")
	require.NoError(t, kin.Delete(ctx, s.DB, e))
	assert.Equal(t, []string{
		"before update d, 5", "after update d, 5", "before update d, 5", "after update d, 5", "before delete e, 5", "after delete e, 4",
	}, log)

	for failAt = range 3 {
		log = nil
		x := &book{Title: "x"}
		err := kin.Insert(ctx, s.DB, x)
		if failAt == 0 {
			require.NoError(t, err)
			require.NoError(t, kin.Delete(ctx, s.DB, x))
			continue
		}
		require.ErrorIs(t, err, errHook)
		require.ErrorContains(t, err, "kin: insert of book: a listener to ")
		assert.Equal(t, book{Title: "x"}, *x)
		s.checkBooks(t, one, "a", "b", "c")
		s.checkBooks(t, two, "d")
		n, err := kin.Query[book]().Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 4, n)
	}
	stop()
	log = nil
	s.Wire.Reset()
	require.NoError(t, kin.Update(ctx, s.DB, d))
	s.Wire.Want(t, 1, 0)
	assert.Empty(t, log)
}

func testListenRelation(t *testing.T, s *Suite) {
	s, one, two := newShelves(t, s)
	ctx := listenTo(t.Context(), s)
	var log []string
	fail := false
	stop := kin.ListenRelation(func(ctx context.Context, tx *kin.Tx, c kin.RelationChange[shelf, book]) error {
		if !heardBy(ctx, s) {
			return nil
		}
		n, err := c.Row.Books.Query().Count(ctx, tx)
		if err != nil {
			return err
		}
		log = append(log, fmt.Sprint(c.Relation, c.Row.ID-one.ID, " +", names(c.Added), " -", names(c.Removed), " =", n))
		if fail {
			return errHook
		}
		return nil
	})
	defer stop()
	a, b := one.Books.All()[0], one.Books.All()[1]
	d := &book{Title: "d"}
	require.NoError(t, one.Books.Add(ctx, s.DB, d))
	require.NoError(t, one.Books.Create(ctx, s.DB, &book{Title: "e"}))
	require.NoError(t, one.Books.Remove(ctx, s.DB, a))
	require.NoError(t, one.Books.Delete(ctx, s.DB, b))
	require.NoError(t, one.Books.Set(ctx, s.DB, a, d))
	_, err := one.Books.Clear(ctx, s.DB)
	require.NoError(t, err)
	_, err = one.Books.Clear(ctx, s.DB)
	require.NoError(t, err, "nothing changes, and nothing is heard")
	assert.Equal(t, []string{
		"books0 + d - =4", "books0 + e - =5", "books0 + - a =4", "books0 + - b =3", "books0 + a - c e =2", "books0 + - a d =0",
	}, log)
	s.checkBooks(t, one)
	assert.True(t, a.Shelf.IsNull())

	require.NoError(t, one.Books.Set(ctx, s.DB, a, d))
	fail = true
	for what, write := range map[string]func() error{
		"add":    func() error { return two.Books.Add(ctx, s.DB, a, &book{Title: "new"}) },
		"create": func() error { return one.Books.Create(ctx, s.DB, &book{Title: "new"}) },
		"remove": func() error { return one.Books.Remove(ctx, s.DB, a) },
		"delete": func() error { return one.Books.Delete(ctx, s.DB, a) },
		"set":    func() error { return one.Books.Set(ctx, s.DB, &book{Title: "new"}) },
		"clear":  func() error { _, err := one.Books.Clear(ctx, s.DB); return err },
	} {
		err := write()
		require.ErrorIs(t, err, errHook, what)
		require.ErrorContains(t, err, "kin: a listener to shelf.Books: ", what)
		s.checkBooks(t, one, "a", "d")
		s.checkBooks(t, two)
		assert.Empty(t, s.column(t, "SELECT title FROM books WHERE title = 'new'"), what)
	}
}

// testListenRace has listeners come and go while rows are written.
func testListenRace(t *testing.T, s *Suite) {
	s, one, _ := newShelves(t, s)
	ctx := listenTo(t.Context(), s)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 5 {
				stop := kin.Listen(kin.Listener[book]{AfterUpdate: func(context.Context, *kin.Tx, []*book) error { return nil }})
				row := &book{ID: one.Books.All()[0].ID, Title: "a"}
				assert.NoError(t, kin.Update(ctx, s.DB, row, "title"), "%d %d", i, j)
				stop()
			}
		})
	}
	wg.Wait()
}
