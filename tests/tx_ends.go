package tests

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// txEndCases are about how transactions end, and what can be done then.
func txEndCases() []Case {
	return []Case{
		{"tx/left by Goexit", testTxGoexit},
		{"tx/cancelled between statements", testTxCancelled},
		{"tx/OnCommit", testOnCommit},
		{"tx/ended twice", testTxTwice},
		{"tx/every method after its end", testTxAfterEnd},
		{"tx/every write when read-only", testTxReadOnly},
		{"tx/savepoints side by side", testSavepointsSideBySide},
		{"tx/commit while rows are read", testCommitWhileReading},
		{"tx/on one connection", testTxOnConn},
		{"tx/within the caller's own", testTxWithinCallers},
		{"tx/what isolation shows", testIsolation},
		{"tx/how often it is run", testRetryCount},
	}
}

func insertNamed(ctx context.Context, t *testing.T, db kin.Executor, name string) {
	t.Helper()
	require.NoError(t, kin.Insert(ctx, db, &Category{Name: name}))
}

// testTxGoexit leaves transactions as a test does that fails.
func testTxGoexit(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	add := func(tx *kin.Tx, name string) {
		if err := kin.Insert(ctx, tx, &Category{Name: name}); err != nil {
			t.Error(err)
		}
	}
	leave := func(f func()) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
			assert.Fail(t, "goes on")
		}()
		<-done
		assert.Empty(t, s.names(t))
		assert.Zero(t, s.Pool().Stats().InUse)
	}
	leave(func() {
		_ = s.DB.Tx(ctx, func(tx *kin.Tx) error {
			add(tx, "a")
			runtime.Goexit()
			return nil
		})
	})
	var kept *kin.Tx
	leave(func() {
		_ = s.DB.Tx(ctx, func(tx *kin.Tx) error {
			kept = tx
			add(tx, "a")
			return tx.Tx(ctx, func(tx *kin.Tx) error {
				add(tx, "b")
				runtime.Goexit()
				return nil
			})
		})
	})
	require.ErrorIs(t, kin.Insert(ctx, kept, &Category{Name: "c"}), sql.ErrTxDone)
	leave(func() {
		for range kin.Query[Category]().Iter(ctx, s.DB) {
			assert.Fail(t, "there are none")
		}
		_ = s.DB.Tx(ctx, func(tx *kin.Tx) error {
			add(tx, "a")
			for range kin.Query[Category]().Iter(ctx, tx) {
				runtime.Goexit() // while rows are being read
			}
			return nil
		})
	})
}

func testTxCancelled(t *testing.T, s *Suite) {
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	why := errors.New("enough")
	for _, heed := range []bool{true, false} {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
			insertNamed(ctx, t, tx, "a")
			cancel(why)
			for _, err := range []error{
				kin.Insert(ctx, tx, &Category{Name: "b"}),
				tx.Tx(ctx, func(*kin.Tx) error { assert.Fail(t, "there is no savepoint"); return nil }),
			} {
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, kin.ErrCanceled)
				require.ErrorIs(t, err, why)
				if heed {
					return err
				}
			}
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, kin.ErrCanceled)
		require.ErrorIs(t, err, why)
		assert.Empty(t, s.names(t))
		assert.Zero(t, s.Pool().Stats().InUse)

		err = s.DB.Tx(ctx, func(*kin.Tx) error { assert.Fail(t, "it has not begun"); return nil })
		require.ErrorIs(t, err, kin.ErrCanceled)
		require.ErrorIs(t, err, why)
	}
	// A savepoint whose context has ended is undone; the transaction goes on.
	require.NoError(t, s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
		insertNamed(t.Context(), t, tx, "outer")
		ctx, cancel := context.WithCancel(t.Context())
		require.ErrorIs(t, tx.Tx(ctx, func(tx *kin.Tx) error {
			insertNamed(ctx, t, tx, "inner")
			cancel()
			return nil
		}), context.Canceled)
		insertNamed(t.Context(), t, tx, "later")
		return nil
	}))
	assert.Equal(t, []string{"outer", "later"}, s.names(t))
}

func testOnCommit(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	var called []string
	call := func(tx *kin.Tx, name string) { tx.OnCommit(func() { called = append(called, name) }) }
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		call(tx, "1")
		require.ErrorIs(t, tx.Tx(ctx, func(tx *kin.Tx) error {
			call(tx, "of what is rolled back")
			// What is committed goes with what is around it.
			require.NoError(t, tx.Tx(ctx, func(tx *kin.Tx) error { call(tx, "of what is within that"); return nil }))
			return errNo
		}), errNo)
		assert.Panics(t, func() {
			_ = tx.Tx(ctx, func(tx *kin.Tx) error { call(tx, "of what panics"); panic("inner") })
		})
		require.NoError(t, tx.Tx(ctx, func(tx *kin.Tx) error {
			call(tx, "2")
			require.NoError(t, tx.Tx(ctx, func(tx *kin.Tx) error { call(tx, "3"); return nil }))
			call(tx, "4")
			return nil
		}))
		call(tx, "5")
		assert.Empty(t, called, "before the commit")
		return nil
	}))
	assert.Equal(t, []string{"1", "2", "3", "4", "5"}, called)

	// One that panics: all is committed, and the connection given back.
	called = nil
	assert.PanicsWithValue(t, "callback", func() {
		_ = s.DB.Tx(ctx, func(tx *kin.Tx) error {
			insertNamed(ctx, t, tx, "kept")
			call(tx, "before")
			tx.OnCommit(func() { panic("callback") })
			call(tx, "after")
			return nil
		})
	})
	assert.Equal(t, []string{"before"}, called)
	assert.Equal(t, []string{"kept"}, s.names(t))
	assert.Zero(t, s.Pool().Stats().InUse)

	// It can write: the transaction has ended, and its connection is back.
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		tx.OnCommit(func() { insertNamed(ctx, t, s.DB, "by the callback") })
		insertNamed(ctx, t, tx, "by the transaction")
		return nil
	}))
	assert.Equal(t, []string{"kept", "by the transaction", "by the callback"}, s.names(t))
}

// testSavepointsSideBySide has two savepoints open of which neither is in the
// other: each has a name of its own.
func testSavepointsSideBySide(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		first, err := tx.Begin(ctx)
		require.NoError(t, err)
		insertNamed(ctx, t, first, "of the first")
		second, err := tx.Begin(ctx)
		require.NoError(t, err)
		insertNamed(ctx, t, second, "of the second")
		require.NoError(t, second.Rollback())
		insertNamed(ctx, t, first, "of the first, later")
		require.NoError(t, first.Commit(ctx))
		return nil
	}))
	assert.Equal(t, []string{"of the first", "of the first, later"}, s.names(t))

	// The first takes the second with it. What the second does not know of, it
	// cannot undo, so nothing can be kept.
	err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
		first, err := tx.Begin(ctx)
		require.NoError(t, err)
		second, err := tx.Begin(ctx)
		require.NoError(t, err)
		insertNamed(ctx, t, second, "of the second")
		require.NoError(t, first.Rollback())
		require.Error(t, second.Commit(ctx), "it is gone")
		return nil
	})
	require.ErrorContains(t, err, "kin: commit: what was done cannot be kept: kin: rollback to savepoint: ")
	assert.Equal(t, []string{"of the first", "of the first, later"}, s.names(t))
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testCommitWhileReading(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	insertNamed(ctx, t, s.DB, "a")
	insertNamed(ctx, t, s.DB, "b")
	tx, err := s.DB.Begin(ctx)
	require.NoError(t, err)
	insertNamed(ctx, t, tx, "c")
	n := 0
	for _, err := range kin.Query[Category]().Iter(ctx, tx) {
		require.NoError(t, err)
		if n++; n == 1 {
			require.ErrorIs(t, tx.Commit(ctx), kin.ErrTxBusy)
			_, err := tx.Begin(ctx)
			require.ErrorIs(t, err, kin.ErrTxBusy)
		}
	}
	assert.Equal(t, 3, n, "it goes on")
	require.NoError(t, tx.Commit(ctx))
	assert.Equal(t, []string{"a", "b", "c"}, s.names(t))

	// A rollback ends the rows: no hang, and no half of them for all.
	tx, err = s.DB.Begin(ctx)
	require.NoError(t, err)
	insertNamed(ctx, t, tx, "d")
	var last error
	for _, err := range kin.Query[Category]().Iter(ctx, tx) {
		if last = err; err != nil {
			break
		}
		require.NoError(t, tx.Rollback())
	}
	require.Error(t, last)
	assert.Equal(t, []string{"a", "b", "c"}, s.names(t))
	assert.Zero(t, s.Pool().Stats().InUse)
}
