package tests

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// The cases about statements that connections keep prepared. PostgreSQL's driver
// does that by itself, and is not told to.
func keptCases() []Case {
	return []Case{
		{"kept/what comes again", testKeptAgain},
		{"kept/in transactions", testKeptInTx},
		{"kept/what fails", testKeptFailing},
		{"kept/no more than so many", testKeptBounds},
		{"kept/at the same time", testKeptTogether},
		{"kept/a pool without", testKeptNot},
	}
}

// keptSuite has one connection and three categories.
func keptSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	if s.Pushed { // where the first time is as the others
		s = New(t, SQLite())
	}
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	s.Pool().SetMaxOpenConns(1)
	require.NoError(t, kin.Insert(t.Context(), s.DB, &Category{Name: "a"}, &Category{Name: "b"}, &Category{Name: "c"}))
	return s
}

// preparing checks how many statements f has prepared, where kin does.
func preparing(t *testing.T, s *Suite, want int, f func()) {
	t.Helper()
	before, _ := s.Wire.Prepared()
	f()
	after, _ := s.Wire.Prepared()
	if s.Name == "postgres" {
		want = 0
	}
	assert.Equal(t, want, after-before, "statements prepared")
}

func testKeptAgain(t *testing.T, s *Suite) {
	s, ctx := keptSuite(t, s), t.Context()
	byName := func(name string) {
		c, err := kin.Query[Category]().Filter("name", name).Get(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, name, c.Name)
	}
	byName("a")
	preparing(t, s, 1, func() {
		for _, name := range []string{"b", "c", "a", "a", "b"} {
			byName(name)
		}
	})
	s.Wire.Reset()
	byName("c")
	s.Wire.Want(t, 1, 1)
	// database/sql prepares what MariaDB is to run with parameters, each time.
	if s.Name == "mysql" {
		return
	}
	preparing(t, s, 0, func() {
		for n := range 20 { // of another length each time
			keys := make([]int64, n+2)
			for i := range keys {
				keys[i] = int64(i + 1)
			}
			rows, err := kin.Query[Category]().Filter("id__in", keys).All(ctx, s.DB)
			require.NoError(t, err)
			assert.Len(t, rows, min(n+2, 3))
		}
	})
}

func testKeptInTx(t *testing.T, s *Suite) {
	s, ctx := keptSuite(t, s), t.Context()
	rename := func(name string) {
		require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
			for id := range int64(3) {
				if err := kin.UpdateAll(ctx, tx, []*Category{{ID: id + 1, Name: name}}, "name"); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	rename("x")
	preparing(t, s, 0, func() { rename("y") })
	n, err := kin.Query[Category]().Filter("name", "y").Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	// Nothing is left open by a transaction that is rolled back.
	require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		if err := kin.UpdateAll(ctx, tx, []*Category{{ID: 1, Name: "z"}}, "name"); err != nil {
			return err
		}
		return errInjected
	}), errInjected)
	n, err = kin.Query[Category]().Filter("name", "y").Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	_, open := s.Wire.Prepared()
	require.NoError(t, s.DB.Close())
	_, after := s.Wire.Prepared()
	if s.Name != "postgres" {
		assert.Positive(t, open)
	}
	assert.Zero(t, after, "the connection closes what it keeps")
}

// testKeptFailing: a statement that fails is prepared anew, and one whose context
// ends is of use again.
func testKeptFailing(t *testing.T, s *Suite) {
	s, ctx := keptSuite(t, s), t.Context()
	insert := func(id int64) error { return kin.Insert(ctx, s.DB, &SchoolClass{ID: id, Name: "s"}) }
	require.NoError(t, insert(10))
	require.NoError(t, insert(11))
	for range 3 {
		var unique *kin.UniqueError
		require.ErrorAs(t, insert(10), &unique)
	}
	require.NoError(t, insert(12))
	ended, cancel := context.WithCancel(ctx)
	cancel()
	q := kin.Query[SchoolClass]().Filter("id__gte", 10)
	for range 3 {
		_, err := q.All(ended, s.DB)
		require.ErrorIs(t, err, context.Canceled)
		rows, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		assert.Len(t, rows, 3)
	}
	_, open := s.Wire.Prepared()
	assert.Less(t, open, 10)
}

// testKeptBounds asks 150 questions, each twice.
func testKeptBounds(t *testing.T, s *Suite) {
	s, ctx := keptSuite(t, s), t.Context()
	for n := range 150 {
		keys := make([]int64, n+2)
		for i := range keys {
			keys[i] = int64(i + 1)
		}
		for range 2 {
			rows, err := kin.Query[Category]().Filter("id__in", keys).OrderBy("-id").All(ctx, s.DB)
			require.NoError(t, err)
			require.Len(t, rows, min(n+2, 3))
			assert.EqualValues(t, min(n+2, 3), rows[0].ID)
		}
	}
	_, open := s.Wire.Prepared()
	assert.LessOrEqual(t, open, 100)
	if s.Name != "postgres" {
		assert.Greater(t, open, 90)
	}
}

// testKeptTogether: eight goroutines ask the same, on four connections.
func testKeptTogether(t *testing.T, s *Suite) {
	s = keptSuite(t, s)
	s.Pool().SetMaxOpenConns(4)
	q := kin.Query[Category]().Filter("id__gt", 0)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 50 {
				rows, err := q.All(t.Context(), s.DB)
				if assert.NoError(t, err) {
					assert.Len(t, rows, 3)
				}
				c, err := kin.Query[Category]().Filter("id", (worker+i)%3+1).Get(t.Context(), s.DB)
				if assert.NoError(t, err) {
					assert.EqualValues(t, (worker+i)%3+1, c.ID)
				}
			}
		})
	}
	all.Wait()
}

// testKeptNot: a pool whose connections keep nothing gives the same answers.
func testKeptNot(t *testing.T, s *Suite) {
	s, ctx := keptSuite(t, s), t.Context()
	pool := sql.OpenDB((&Faulty{}).Connector(s.Wire.Base))
	defer pool.Close()
	plain := kin.New(pool, s.Dialect())
	for i := range 5 {
		name := fmt.Sprint("plain ", i)
		c := &Category{Name: name}
		require.NoError(t, kin.Insert(ctx, plain, c))
		got, err := kin.Query[Category]().Filter("name", name).Get(ctx, plain)
		require.NoError(t, err)
		assert.Equal(t, c.ID, got.ID)
		c.Name += "!"
		require.NoError(t, plain.Tx(ctx, func(tx *kin.Tx) error { return kin.Update(ctx, tx, c) }))
		n, err := kin.Query[Category]().Filter("name", c.Name).Count(ctx, plain)
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
	}
}
