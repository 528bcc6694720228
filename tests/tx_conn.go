package tests

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func testTxOnConn(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	conn, err := s.Pool().Conn(ctx)
	require.NoError(t, err)
	db := kin.New(conn, s.Dialect())
	var called []string
	require.NoError(t, db.Tx(ctx, func(tx *kin.Tx) error {
		tx.OnCommit(func() { called = append(called, "a") })
		insertNamed(ctx, t, tx, "a")
		require.ErrorIs(t, tx.Tx(ctx, func(tx *kin.Tx) error {
			insertNamed(ctx, t, tx, "b")
			return errNo
		}), errNo)
		return nil
	}))
	assert.Equal(t, []string{"a"}, called)
	require.ErrorIs(t, db.Tx(ctx, func(tx *kin.Tx) error {
		insertNamed(ctx, t, tx, "c")
		return errNo
	}), errNo)
	assert.Panics(t, func() {
		_ = db.Tx(ctx, func(tx *kin.Tx) error { insertNamed(ctx, t, tx, "d"); panic("no") })
	})
	tx, err := db.Begin(ctx)
	require.NoError(t, err)
	insertNamed(ctx, t, tx, "e")
	require.NoError(t, tx.Commit(ctx))
	require.NoError(t, kin.Insert(ctx, db, &Category{Name: "f"}, &Category{Name: "g"}))
	assert.Equal(t, 1, s.Pool().Stats().InUse, "the caller's connection is the caller's to give back")
	require.NoError(t, conn.Close())
	require.ErrorIs(t, kin.Insert(ctx, db, &Category{Name: "h"}), sql.ErrConnDone)
	require.ErrorIs(t, db.Tx(ctx, func(*kin.Tx) error { return nil }), sql.ErrConnDone)
	assert.Equal(t, []string{"a", "e", "f", "g"}, s.names(t))
	assert.Zero(t, s.Pool().Stats().InUse)

	// A COMMIT that fails leaves the connection in nobody knows what: it is
	// not used again, though it is the caller's.
	faulty := &Faulty{}
	pool := sql.OpenDB(s.Keeping(faulty.Connector(s.Wire.Base)))
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	conn, err = pool.Conn(ctx)
	require.NoError(t, err)
	db = kin.New(conn, s.Dialect())
	err = db.Tx(ctx, func(tx *kin.Tx) error {
		insertNamed(ctx, t, tx, "uncommitted")
		faulty.arm(faultError, 1, nil)
		return nil
	})
	require.ErrorIs(t, err, errInjected)
	faulty.disarm()
	require.ErrorIs(t, kin.Insert(ctx, db, &Category{Name: "in the old transaction"}), sql.ErrConnDone)
	require.ErrorIs(t, conn.Close(), sql.ErrConnDone)
	assert.Equal(t, []string{"a", "e", "f", "g"}, s.names(t))
	assert.Zero(t, pool.Stats().OpenConnections)
}

func testTxWithinCallers(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	raw, err := s.Pool().BeginTx(ctx, nil)
	require.NoError(t, err)
	db := kin.New(raw, s.Dialect())
	nothing := func(*kin.Tx) error { return nil }
	require.ErrorContains(t, db.Tx(ctx, nothing, kin.TxOptions{ReadOnly: true}), "takes no options")
	_, err = db.Begin(ctx, kin.TxOptions{})
	require.ErrorContains(t, err, "takes no options")
	require.NoError(t, db.Tx(ctx, func(tx *kin.Tx) error {
		tx.OnCommit(func() { assert.Fail(t, "kin does not know") })
		insertNamed(ctx, t, tx, "a")
		return nil
	}))
	assert.Panics(t, func() {
		_ = db.Tx(ctx, func(tx *kin.Tx) error { insertNamed(ctx, t, tx, "b"); panic("no") })
	})
	insertNamed(ctx, t, db, "b")
	for range kin.Query[Category]().Iter(ctx, db) {
		_, err := kin.Query[Category]().Count(ctx, db)
		require.ErrorIs(t, err, kin.ErrTxBusy, "while rows are read")
		break // the last row comes when all are read
	}
	point, err := db.Begin(ctx)
	require.NoError(t, err)
	insertNamed(ctx, t, point, "c")
	require.NoError(t, point.Commit(ctx))
	require.NoError(t, raw.Commit())
	assert.Equal(t, []string{"a", "b", "c"}, s.names(t))
	require.ErrorIs(t, kin.Insert(ctx, db, &Category{Name: "late"}), sql.ErrTxDone)
	require.ErrorIs(t, db.Tx(ctx, nothing), sql.ErrTxDone)
	assert.Zero(t, s.Pool().Stats().InUse)
}

// testIsolation has another write while a transaction reads.
func testIsolation(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	if s.Dialect().Traits().SerialOnly {
		return // no other can write meanwhile
	}
	for level, want := range map[sql.IsolationLevel]int64{
		sql.LevelReadCommitted: 1, sql.LevelRepeatableRead: 0,
	} {
		s.Exec(t, "DELETE FROM categories")
		require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
			n, err := kin.Query[Category]().Count(ctx, tx)
			require.NoError(t, err)
			assert.Zero(t, n, level)
			insertNamed(ctx, t, s.DB, "by another")
			n, err = kin.Query[Category]().Count(ctx, tx)
			require.NoError(t, err)
			assert.Equal(t, want, n, level)
			return nil
		}, kin.TxOptions{Isolation: level, ReadOnly: true}))
	}
	require.Error(t, s.DB.Tx(ctx, func(*kin.Tx) error { return nil }, kin.TxOptions{Isolation: sql.LevelLinearizable}), "it has no such level")
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testRetryCount(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	for _, retries := range []int{-1, 0, 1, 3} {
		for _, cause := range []error{kin.ErrConflict, kin.ErrDeadlock, kin.ErrLockTimeout} {
			runs := 0
			err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
				runs++
				insertNamed(ctx, t, tx, "x")
				return fmt.Errorf("wrapped: %w", cause)
			}, kin.TxOptions{Retries: retries})
			require.ErrorIs(t, err, cause)
			assert.Equal(t, max(retries, 0)+1, runs)
		}
	}
	for _, cause := range []error{errNo, kin.ErrDisconnected, kin.ErrCommitUnknown, kin.ErrCanceled, kin.ErrNotFound, &kin.UniqueError{}} {
		runs := 0
		err := s.DB.Tx(ctx, func(*kin.Tx) error { runs++; return cause }, kin.TxOptions{Retries: 3})
		require.ErrorIs(t, err, cause)
		assert.Equal(t, 1, runs, cause)
	}
	// It succeeds when it does, and what earlier runs did is undone.
	runs := 0
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		runs++
		insertNamed(ctx, t, tx, fmt.Sprint("run ", runs))
		if runs < 3 {
			return kin.ErrConflict
		}
		return nil
	}, kin.TxOptions{Retries: 5}))
	assert.Equal(t, 3, runs)
	assert.Equal(t, []string{"run 3"}, s.names(t))

	// A context that ends between two runs ends it.
	short, cancel := context.WithCancel(ctx)
	runs = 0
	err := s.DB.Tx(short, func(*kin.Tx) error { runs++; cancel(); return kin.ErrConflict }, kin.TxOptions{Retries: 5})
	require.ErrorIs(t, err, kin.ErrConflict)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, runs)
	assert.Zero(t, s.Pool().Stats().InUse)
}
