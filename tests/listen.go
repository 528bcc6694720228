package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
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
		{"listen/many-to-many relations", testListenLinked},
		{"listen/links with a model", testListenThrough},
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

func titles(books []*book) string {
	list := make([]string, len(books))
	for i, b := range books {
		list[i] = b.Title
	}
	return strings.Join(list, " ")
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
			log = append(log, what+" "+titles(rows))
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
		log = append(log, fmt.Sprint(c.Relation, c.Row.ID-one.ID, " +", titles(c.Added), " -", titles(c.Removed), " =", n))
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
		"books0 +d - =4", "books0 +e - =5", "books0 + -a =4", "books0 + -b =3", "books0 +a -c e =2", "books0 + -a d =0",
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
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			for range 5 {
				stop := kin.Listen(kin.Listener[book]{AfterUpdate: func(context.Context, *kin.Tx, []*book) error { return nil }})
				row := &book{ID: one.Books.All()[0].ID, Title: "a"}
				errs[i] = errors.Join(errs[i], kin.Update(ctx, s.DB, row, "title"))
				stop()
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

func testListenLinked(t *testing.T, s *Suite) {
	s, posts, tags := newPostTags(t, s)
	ctx, post := listenTo(t.Context(), s), posts[0]
	var log []string
	fail := false
	stop := kin.ListenRelation(func(ctx context.Context, tx *kin.Tx, c kin.RelationChange[linkPost, linkTag]) error {
		if !heardBy(ctx, s) {
			return nil
		}
		n, err := c.Row.Tags.Query().Count(ctx, tx)
		if err != nil {
			return err
		}
		log = append(log, fmt.Sprint(c.Relation, c.Row.ID, " +", tagNames(c.Added), " -", tagNames(c.Removed), " =", n))
		if fail {
			return errHook
		}
		return nil
	})
	defer stop()
	require.NoError(t, post.Tags.Add(ctx, s.DB, tags[2]))
	require.NoError(t, post.Tags.Create(ctx, s.DB, &linkTag{Name: "new"}))
	require.NoError(t, post.Tags.Remove(ctx, s.DB, tags[0]))
	require.NoError(t, post.Tags.Set(ctx, s.DB, tags[3], tags[1]))
	_, err := post.Tags.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"tags1 +t2 - =3", "tags1 +new - =4", "tags1 + -t0 =3", "tags1 +t3 -t2 new =2", "tags1 + -t1 t3 =0",
	}, log)
	s.checkTags(t, post, tags)
	require.NoError(t, post.Tags.Set(ctx, s.DB, tags[0], tags[1]))
	fail = true
	for what, write := range map[string]func() error{
		"add":    func() error { return post.Tags.Add(ctx, s.DB, tags[2], &linkTag{Name: "x"}) },
		"create": func() error { return post.Tags.Create(ctx, s.DB, &linkTag{Name: "x"}) },
		"remove": func() error { return post.Tags.Remove(ctx, s.DB, tags[0]) },
		"set":    func() error { return post.Tags.Set(ctx, s.DB, &linkTag{Name: "x"}) },
		"clear":  func() error { _, err := post.Tags.Clear(ctx, s.DB); return err },
	} {
		err := write()
		require.ErrorIs(t, err, errHook, what)
		require.ErrorContains(t, err, "kin: a listener to linkPost.Tags: ", what)
		s.checkTags(t, post, tags, "t0", "t1")
		assert.Empty(t, s.column(t, "SELECT name FROM link_tags WHERE name = 'x'"), what)
	}
}

func tagNames(tags []*linkTag) string {
	list := make([]string, len(tags))
	for i, g := range tags {
		list[i] = g.Name
	}
	return strings.Join(list, " ")
}

func testListenThrough(t *testing.T, s *Suite) {
	s = throughSuite(t, s)
	ctx := listenTo(t.Context(), s)
	person := &linkPerson{Name: "p"}
	clubs := []*linkClub{{Name: "a"}, {Name: "b"}}
	require.NoError(t, kin.Insert(ctx, s.DB, person))
	require.NoError(t, kin.Insert(ctx, s.DB, clubs...))
	var log []string
	fail := false
	stop := kin.ListenRelation(func(ctx context.Context, _ *kin.Tx, c kin.RelationChange[linkPerson, linkClub]) error {
		if !heardBy(ctx, s) {
			return nil
		}
		text := []string{c.Relation}
		for _, x := range c.Added {
			text = append(text, "+"+x.Name)
		}
		for _, x := range c.Removed {
			text = append(text, "-"+x.Name)
		}
		log = append(log, strings.Join(text, " "))
		if fail {
			return errHook
		}
		return nil
	})
	defer stop()
	links := []*linkMembership{{Club: kin.To(clubs[0]), Role: "owner"}, {Club: kin.Key[linkClub](clubs[1].ID), Role: "guest"}}
	fail = true
	require.ErrorIs(t, person.Clubs.AddLinks(ctx, s.DB, links...), errHook)
	assert.Equal(t, linkMembership{Club: kin.To(clubs[0]), Role: "owner"}, *links[0])
	assert.Empty(t, s.column(t, "SELECT role FROM link_memberships"))
	fail, log = false, nil
	require.NoError(t, person.Clubs.AddLinks(ctx, s.DB, links...))
	require.NoError(t, person.Clubs.Remove(ctx, s.DB, clubs[0]))
	require.NoError(t, person.Clubs.Add(ctx, s.DB, clubs[0]))
	_, err := person.Clubs.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{"clubs +a +b", "clubs -a", "clubs +a", "clubs -a -b"}, log)
	assert.Empty(t, s.column(t, "SELECT role FROM link_memberships"))
}
