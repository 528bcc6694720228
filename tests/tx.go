package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func txCases() []Case {
	return []Case{
		{"tx/commit and rollback at two levels", testTxMatrix},
		{"tx/panic", testTxPanic},
		{"tx/after its end and by two goroutines", testTxMisuse},
		{"tx/by hand", testTxManual},
		{"tx/read only and isolation", testTxOptions},
		{"tx/retries", testTxRetries},
		{"tx/on the caller's own", testTxBorrowed},
		{"tx/ended context", testTxContext},
	}
}

// names returns the names of the categories, read on the pool.
func (s *Suite) names(t *testing.T) []string {
	t.Helper()
	rows, err := kin.Query[Category]().OrderBy("id").All(t.Context(), s.DB)
	require.NoError(t, err)
	names := []string{}
	for _, c := range rows {
		names = append(names, c.Name)
	}
	return names
}

var errNo = errors.New("no")

// testTxMatrix goes through the ways in which a transaction and two
// savepoints, one after the other, may end.
func testTxMatrix(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	end := map[bool]error{true: nil, false: errNo}
	for _, outer := range []bool{true, false} {
		for _, first := range []bool{true, false} {
			for _, second := range []bool{true, false} {
				t.Run(fmt.Sprint(outer, first, second), func(t *testing.T) {
					s.Exec(t, "DELETE FROM categories")
					var called []string
					want := []string{}
					err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
						tx.OnCommit(func() { called = append(called, "a") })
						require.NoError(t, kin.Insert(ctx, tx, &Category{Name: "a"}))
						want = append(want, "a")
						for name, keep := range map[string]bool{"b": first} {
							require.ErrorIs(t, tx.Tx(ctx, func(inner *kin.Tx) error {
								inner.OnCommit(func() { called = append(called, name) })
								require.NoError(t, kin.Insert(ctx, inner, &Category{Name: name}))
								return end[keep]
							}), end[keep])
						}
						if first {
							want = append(want, "b")
						}
						require.ErrorIs(t, tx.Tx(ctx, func(inner *kin.Tx) error {
							require.NoError(t, kin.Insert(ctx, inner, &Category{Name: "c"}))
							// A failed statement in a savepoint of its own harms nothing.
							require.Error(t, inner.Tx(ctx, func(deep *kin.Tx) error {
								return kin.Insert(ctx, deep, &Student{Class: kin.Key[SchoolClass](99)})
							}))
							inner.OnCommit(func() { called = append(called, "c") })
							return end[second]
						}), end[second])
						if second {
							want = append(want, "c")
						}
						require.NoError(t, kin.Insert(ctx, tx, &Category{Name: "d"}))
						want = append(want, "d")
						return end[outer]
					})
					require.ErrorIs(t, err, end[outer])
					if !outer {
						want = []string{}
					}
					assert.Equal(t, want, s.names(t))
					if outer {
						assert.Equal(t, want[:len(want)-1], called, "OnCommit, in order")
					} else {
						assert.Empty(t, called)
					}
				})
			}
		}
	}
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testTxPanic(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	assert.PanicsWithValue(t, "outer", func() {
		_ = s.DB.Tx(ctx, func(tx *kin.Tx) error {
			require.NoError(t, kin.Insert(ctx, tx, &Category{Name: "a"}))
			assert.PanicsWithValue(t, "inner", func() {
				_ = tx.Tx(ctx, func(inner *kin.Tx) error {
					require.NoError(t, kin.Insert(ctx, inner, &Category{Name: "b"}))
					panic("inner")
				})
			})
			n, err := kin.Query[Category]().Count(ctx, tx)
			require.NoError(t, err, "the transaction goes on")
			assert.EqualValues(t, 1, n)
			panic("outer")
		})
	})
	assert.Empty(t, s.names(t))
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testTxMisuse(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 3, 2, 1)
	var kept, inner *kin.Tx
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		kept = tx
		require.NoError(t, tx.Tx(ctx, func(x *kin.Tx) error { inner = x; return nil }))
		_, err := kin.Query[Category]().Count(ctx, inner)
		require.ErrorIs(t, err, sql.ErrTxDone, "an ended savepoint")
		for range kin.Query[SchoolClass]().Iter(ctx, tx) {
			_, err := kin.Query[Category]().Count(ctx, tx)
			require.ErrorIs(t, err, kin.ErrTxBusy, "while rows are read")
			require.ErrorIs(t, kin.Insert(ctx, tx, &Category{Name: "x"}), kin.ErrTxBusy)
			break // the last row comes when all are read
		}
		_, err = kin.Query[Category]().Count(ctx, tx)
		return err
	}))
	_, err := kin.Query[Category]().Count(ctx, kept)
	require.ErrorIs(t, err, sql.ErrTxDone)
	require.ErrorIs(t, kin.Insert(ctx, kept, &Category{Name: "x"}), sql.ErrTxDone)
	require.ErrorIs(t, kept.Commit(ctx), sql.ErrTxDone)
	require.NoError(t, kept.Rollback(), "may be deferred")

	// Two goroutines: each call works or says that the transaction is busy.
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		var wg sync.WaitGroup
		var other atomic.Value
		for range 4 {
			wg.Go(func() {
				for range 20 {
					_, err := kin.Query[SchoolClass]().SelectRelated("students").All(ctx, tx)
					if err != nil && !errors.Is(err, kin.ErrTxBusy) {
						other.Store(err)
					}
				}
			})
		}
		wg.Wait()
		assert.Nil(t, other.Load())
		return nil
	}))
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testTxManual(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	tx, err := s.DB.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, kin.Insert(ctx, tx, &Category{Name: "a"}))
	point, err := tx.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, kin.Insert(ctx, point, &Category{Name: "b"}))
	require.NoError(t, point.Rollback())
	require.NoError(t, point.Rollback())
	require.NoError(t, tx.Commit(ctx))
	require.NoError(t, tx.Rollback())
	assert.Equal(t, []string{"a"}, s.names(t))

	tx, err = s.DB.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, kin.Insert(ctx, tx, &Category{Name: "c"}))
	require.NoError(t, tx.Rollback())
	assert.Equal(t, []string{"a"}, s.names(t))
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testTxOptions(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		_, err := kin.Query[Category]().Count(ctx, tx)
		require.NoError(t, err)
		return kin.Insert(ctx, tx, &Category{Name: "x"})
	}, kin.TxOptions{ReadOnly: true}), kin.ErrReadOnly)
	assert.Empty(t, s.names(t))
	for _, level := range []sql.IsolationLevel{sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable} {
		require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
			return kin.Insert(ctx, tx, &Category{Name: level.String()})
		}, kin.TxOptions{Isolation: level}), level)
	}
	assert.Len(t, s.names(t), 3)
}

// testTxRetries counts up from several goroutines in serializable
// transactions that read and then write: without retries some would fail.
func testTxRetries(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	const workers, rounds = 4, 5
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for i := range workers {
		wg.Go(func() {
			for range rounds {
				err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
					n, err := kin.Query[Category]().Count(ctx, tx)
					if err != nil {
						return err
					}
					return kin.Insert(ctx, tx, &Category{Name: strconv.FormatInt(n, 10)})
				}, kin.TxOptions{Isolation: sql.LevelSerializable, Retries: 50})
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	seen := map[string]bool{}
	for _, name := range s.names(t) {
		assert.False(t, seen[name], "two transactions saw the same count %s", name)
		seen[name] = true
	}
	assert.Len(t, seen, workers*rounds)

	// The number of runs is bounded, and other errors are not retried.
	runs := 0
	err := s.DB.Tx(ctx, func(*kin.Tx) error { runs++; return kin.ErrDeadlock }, kin.TxOptions{Retries: 2})
	require.ErrorIs(t, err, kin.ErrDeadlock)
	assert.Equal(t, 3, runs)
	runs = 0
	require.ErrorIs(t, s.DB.Tx(ctx, func(*kin.Tx) error { runs++; return errNo }, kin.TxOptions{Retries: 2}), errNo)
	assert.Equal(t, 1, runs)
}

func testTxBorrowed(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	raw, err := s.Pool().BeginTx(ctx, nil)
	require.NoError(t, err)
	db := kin.New(raw, s.Dialect())
	require.NoError(t, kin.Insert(ctx, db, &Category{Name: "a"}, &Category{Name: "b"}))
	require.ErrorIs(t, db.Tx(ctx, func(tx *kin.Tx) error {
		require.NoError(t, kin.Insert(ctx, tx, &Category{Name: "c"}))
		return errNo
	}), errNo)
	require.NoError(t, raw.Commit())
	assert.Equal(t, []string{"a", "b"}, s.names(t))

	conn, err := s.Pool().Conn(ctx)
	require.NoError(t, err)
	db = kin.New(conn, s.Dialect())
	require.NoError(t, db.Tx(ctx, func(tx *kin.Tx) error { return kin.Insert(ctx, tx, &Category{Name: "d"}) }))
	require.NoError(t, conn.Close())
	assert.Equal(t, []string{"a", "b", "d"}, s.names(t))
}

func testTxContext(t *testing.T, s *Suite) {
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	ctx, cancel := context.WithCancel(t.Context())
	err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
		require.NoError(t, kin.Insert(ctx, tx, &Category{Name: "a"}))
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, s.names(t))
	require.ErrorIs(t, s.DB.Tx(ctx, func(*kin.Tx) error { return nil }), context.Canceled)
	assert.Zero(t, s.Pool().Stats().InUse)
}
