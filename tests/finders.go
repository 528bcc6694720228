package tests

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// finderCases have others write while a row is looked for and created.
func finderCases() []Case {
	return []Case{
		{"finders/with deletes in between", testFindersDeletes},
		{"finders/within transactions", testFindersInTx},
		{"finders/a row that cannot be seen", testFindersUnseen},
		{"finders/another unique column", testFindersOther},
	}
}

const finders = 32

// together runs f in so many goroutines at once.
func together(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, n)
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// testFindersDeletes has each goroutine delete the row when it has created it.
func testFindersDeletes(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = upsertSuite(t, s)
	var made, deleted atomic.Int64
	remove := func() error {
		made.Add(1)
		return s.DB.Tx(ctx, func(tx *kin.Tx) error {
			n, err := kin.Query[upsertUser]().Filter("email", "same").Delete(ctx, tx)
			if err == nil {
				tx.OnCommit(func() { deleted.Add(n) })
			}
			return err
		}, kin.TxOptions{Retries: 100}) // of deadlocks, which MariaDB finds here
	}
	together(t, finders, func(i int) error {
		for range 5 {
			row, created, err := kin.GetOrCreate(ctx, s.DB, &upsertUser{Email: "same", Place: "p", Number: 1, Visits: i}, "email")
			if err != nil {
				return err
			}
			assert.Equal(t, "same", row.Email)
			if created {
				if err := remove(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	assert.Positive(t, made.Load())
	assert.Equal(t, made.Load(), deleted.Load(), "each row was created once and deleted once")
	assert.Empty(t, s.users(t))

	made.Store(0)
	deleted.Store(0)
	together(t, finders, func(i int) error {
		for range 5 {
			created, err := kin.UpdateOrCreate(ctx, s.DB, &upsertUser{Email: "same", Place: "p", Number: 1, Visits: i}, "email")
			if err != nil {
				return err
			}
			if created {
				if err := remove(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	assert.Positive(t, made.Load())
	assert.Equal(t, made.Load(), deleted.Load())
	assert.Empty(t, s.users(t))
}

// testFindersInTx has each goroutine look within a transaction around it.
func testFindersInTx(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = upsertSuite(t, s)
	for _, level := range []sql.IsolationLevel{sql.LevelReadCommitted, sql.LevelRepeatableRead} {
		s.Exec(t, "DELETE FROM upsert_users")
		var made atomic.Int64
		together(t, finders, func(i int) error {
			created := false
			err := s.DB.Tx(ctx, func(tx *kin.Tx) (err error) {
				var row *upsertUser
				row, created, err = kin.GetOrCreate(ctx, tx, &upsertUser{Email: "same", Place: "p", Number: 1, Visits: i}, "email")
				if err != nil {
					return err
				}
				// The transaction can go on, whoever was first.
				_, err = kin.Query[upsertUser]().Filter("id", row.ID).Update(ctx, tx, kin.Set("visits", kin.F("visits").Add(100)))
				return err
			}, kin.TxOptions{Isolation: level, Retries: 100})
			if created {
				made.Add(1)
			}
			return err
		})
		assert.EqualValues(t, 1, made.Load(), level)
		users := s.users(t)
		require.Len(t, users, 1)
		var visits int64
		require.NoError(t, s.Pool().QueryRowContext(ctx, "SELECT visits FROM upsert_users").Scan(&visits))
		assert.EqualValues(t, finders, visits/100, "each has counted: %d", visits)
	}
	assert.Zero(t, s.Pool().Stats().InUse)
}

// testFindersUnseen looks for a row that another has created after the
// transaction's view of the database was made.
func testFindersUnseen(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = upsertSuite(t, s)
	if s.Dialect().Traits().SerialOnly {
		return // no other can write meanwhile
	}
	user := func(name string) *upsertUser { return &upsertUser{Email: "same", Place: "p", Number: 1, Name: name} }
	look := func(find func(tx *kin.Tx) error, o kin.TxOptions) (runs int, err error) {
		s.Exec(t, "DELETE FROM upsert_users")
		err = s.DB.Tx(ctx, func(tx *kin.Tx) error {
			runs++
			_, err := kin.Query[upsertUser]().Count(ctx, tx)
			require.NoError(t, err)
			if runs == 1 {
				require.NoError(t, kin.Insert(ctx, s.DB, user("other")))
			}
			return find(tx)
		}, o)
		return runs, err
	}
	get := func(tx *kin.Tx) error {
		mine := user("mine")
		row, created, err := kin.GetOrCreate(ctx, tx, mine, "email")
		assert.False(t, created)
		assert.Zero(t, mine.ID)
		if err == nil {
			assert.Equal(t, "other", row.Name)
		}
		// What failed has left the transaction as it was.
		_, countErr := kin.Query[upsertUser]().Count(ctx, tx)
		require.NoError(t, countErr)
		return err
	}
	update := func(tx *kin.Tx) error {
		mine := user("mine")
		created, err := kin.UpdateOrCreate(ctx, tx, mine, "email")
		assert.False(t, created)
		assert.Equal(t, err != nil, mine.ID == 0)
		return err
	}
	for name, find := range map[string]func(*kin.Tx) error{"get": get, "update": update} {
		runs, err := look(find, kin.TxOptions{Isolation: sql.LevelRepeatableRead})
		require.ErrorIs(t, err, kin.ErrConflict, name)
		var unique *kin.UniqueError
		require.ErrorAs(t, err, &unique, name)
		assert.Equal(t, 1, runs)
		runs, err = look(find, kin.TxOptions{Isolation: sql.LevelRepeatableRead, Retries: 1})
		require.NoError(t, err, name)
		assert.Equal(t, 2, runs)
		runs, err = look(find, kin.TxOptions{Isolation: sql.LevelReadCommitted})
		require.NoError(t, err, name)
		assert.Equal(t, 1, runs)
		assert.Len(t, s.users(t), 1)
	}
	assert.Zero(t, s.Pool().Stats().InUse)
}

// testFindersOther has another row hold a value that must be unique too: that
// is for the caller to know, and no race.
func testFindersOther(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = upsertSuite(t, s)
	require.NoError(t, kin.Insert(ctx, s.DB, &upsertUser{Email: "a", Place: "p", Number: 1}))
	before := s.users(t)
	mine := func() *upsertUser { return &upsertUser{Email: "b", Place: "p", Number: 1} }
	check := func(db kin.Executor) {
		t.Helper()
		for _, columns := range [][]string{{"email"}, {"email", "name"}, {"email", "place", "number"}} {
			row := mine()
			s.Wire.Reset()
			_, created, err := kin.GetOrCreate(ctx, db, row, kin.Paths[upsertUser](columns...)...)
			var unique *kin.UniqueError
			require.ErrorAs(t, err, &unique)
			require.NotErrorIs(t, err, kin.ErrConflict)
			assert.Equal(t, []string{"Place", "Number"}, unique.Fields)
			assert.False(t, created)
			assert.Equal(t, *mine(), *row)
			// Two looks, and what a savepoint takes.
			assert.LessOrEqual(t, len(s.Wire.Statements()), 6)
			_, err = kin.UpdateOrCreate(ctx, db, row, kin.Paths[upsertUser](columns...)...)
			require.ErrorAs(t, err, &unique)
			assert.Equal(t, *mine(), *row)
		}
	}
	check(s.DB)
	require.NoError(t, s.DB.Tx(context.WithoutCancel(ctx), func(tx *kin.Tx) error {
		check(tx)
		return nil
	}))
	assert.Equal(t, before, s.users(t))
}
