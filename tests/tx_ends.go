package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

func testTxTwice(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	begin := func() *kin.Tx {
		tx, err := s.DB.Begin(ctx)
		require.NoError(t, err)
		return tx
	}
	called := 0
	tx := begin()
	tx.OnCommit(func() { called++ })
	insertNamed(ctx, t, tx, "a")
	require.NoError(t, tx.Commit(ctx))
	require.ErrorIs(t, tx.Commit(ctx), sql.ErrTxDone)
	require.NoError(t, tx.Rollback(), "may be deferred")
	require.ErrorIs(t, tx.Commit(ctx), sql.ErrTxDone)
	assert.Equal(t, 1, called)

	tx = begin()
	insertNamed(ctx, t, tx, "b")
	require.NoError(t, tx.Rollback())
	require.NoError(t, tx.Rollback())
	require.ErrorIs(t, tx.Commit(ctx), sql.ErrTxDone)

	tx = begin()
	point, err := tx.Begin(ctx)
	require.NoError(t, err)
	insertNamed(ctx, t, point, "c")
	require.NoError(t, point.Commit(ctx))
	require.ErrorIs(t, point.Commit(ctx), sql.ErrTxDone)
	require.NoError(t, point.Rollback())
	left, err := tx.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(ctx))
	require.ErrorIs(t, left.Commit(ctx), sql.ErrTxDone, "of a transaction that has ended")
	require.NoError(t, left.Rollback())
	assert.Equal(t, []string{"a", "c"}, s.names(t))

	// f may not end what Tx ends.
	err = s.DB.Tx(ctx, func(tx *kin.Tx) error {
		insertNamed(ctx, t, tx, "d")
		return tx.Commit(ctx)
	})
	require.ErrorIs(t, err, sql.ErrTxDone)
	require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error { return tx.Rollback() }), sql.ErrTxDone)
	assert.Zero(t, s.Pool().Stats().InUse)
}

// txCalls are all calls that take an Executor, those that write first.
func txCalls(ctx context.Context, class *SchoolClass, student *Student) (writes, reads map[string]func(db kin.Executor) error) {
	classes := kin.Query[SchoolClass]().Filter("id", class.ID)
	second := func(_ any, err error) error { return err }
	third := func(_ any, _ bool, err error) error { return err }
	writes = map[string]func(db kin.Executor) error{
		"CreateTables":    func(db kin.Executor) error { return kin.CreateTables(ctx, db) },
		"DropTables":      func(db kin.Executor) error { return kin.DropTables(ctx, db) },
		"Insert":          func(db kin.Executor) error { return kin.Insert(ctx, db, &SchoolClass{}) },
		"Insert of many":  func(db kin.Executor) error { return kin.Insert(ctx, db, &SchoolClass{}, &SchoolClass{}) },
		"Update":          func(db kin.Executor) error { return kin.Update(ctx, db, class) },
		"UpdateAll":       func(db kin.Executor) error { return kin.UpdateAll(ctx, db, []*SchoolClass{class, {ID: 2}}) },
		"Save":            func(db kin.Executor) error { return kin.Save(ctx, db, class, &SchoolClass{}) },
		"Delete":          func(db kin.Executor) error { return kin.Delete(ctx, db, class) },
		"DeleteAll":       func(db kin.Executor) error { return kin.DeleteAll(ctx, db, []*SchoolClass{class, {ID: 2}}) },
		"Upsert":          func(db kin.Executor) error { return kin.Upsert(ctx, db, []*SchoolClass{class}, kin.OnConflict("id")) },
		"GetOrCreate":     func(db kin.Executor) error { return third(kin.GetOrCreate(ctx, db, &SchoolClass{}, "name")) },
		"UpdateOrCreate":  func(db kin.Executor) error { return second(kin.UpdateOrCreate(ctx, db, &SchoolClass{}, "name")) },
		"QuerySet.Update": func(db kin.Executor) error { return second(classes.Update(ctx, db, kin.Set("name", "x"))) },
		"QuerySet.Delete": func(db kin.Executor) error { return second(classes.Delete(ctx, db)) },
		"Reverse.Add":     func(db kin.Executor) error { return class.Students.Add(ctx, db, student) },
		"Reverse.Add new": func(db kin.Executor) error { return class.Students.Add(ctx, db, &Student{}) },
		"Reverse.Create":  func(db kin.Executor) error { return class.Students.Create(ctx, db, &Student{}) },
		"Reverse.Delete":  func(db kin.Executor) error { return class.Students.Delete(ctx, db, student) },
		"Reverse.Set": func(db kin.Executor) error {
			return class.Students.Set(ctx, db, append(class.Students.All(), &Student{})...)
		},
		"category.Add": func(db kin.Executor) error { return kin.Insert(ctx, db, &Category{}) },
		"Tx of a savepoint": func(db kin.Executor) error {
			tx, ok := db.(*kin.Tx)
			if !ok {
				return sql.ErrTxDone
			}
			return tx.Tx(ctx, func(tx *kin.Tx) error { return kin.Insert(ctx, tx, &Category{}) })
		},
	}
	reads = map[string]func(db kin.Executor) error{
		"All":          func(db kin.Executor) error { return second(classes.All(ctx, db)) },
		"First":        func(db kin.Executor) error { return second(classes.First(ctx, db)) },
		"Last":         func(db kin.Executor) error { return second(classes.Last(ctx, db)) },
		"Get":          func(db kin.Executor) error { return second(classes.Get(ctx, db)) },
		"Count":        func(db kin.Executor) error { return second(classes.Count(ctx, db)) },
		"Exists":       func(db kin.Executor) error { return second(classes.Exists(ctx, db)) },
		"Reload":       func(db kin.Executor) error { return kin.Reload(ctx, db, class) },
		"Reverse.Load": func(db kin.Executor) error { return second(class.Students.Load(ctx, db)) },
		"Iter": func(db kin.Executor) (err error) {
			for _, e := range classes.Iter(ctx, db) {
				err = e
			}
			return err
		},
		"ForeignKey.Load": func(db kin.Executor) error { return second(student.Class.Load(ctx, db)) },
	}
	return writes, reads
}

func testTxAfterEnd(t *testing.T, s *Suite) {
	ctx := t.Context()
	school := s.NewSchool(t, 2, 2, 1)
	class, student := loadedClass(t, s, school)
	before := s.dump(t, "SELECT * FROM students ORDER BY id")
	var ended, left, point *kin.Tx
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) (err error) {
		ended = tx
		if left, err = tx.Begin(ctx); err != nil {
			return err
		}
		return tx.Tx(ctx, func(tx *kin.Tx) error { point = tx; return nil })
	}))
	writes, reads := txCalls(ctx, class, student)
	s.Wire.Reset()
	check := func(tx *kin.Tx, what string) {
		for _, calls := range []map[string]func(kin.Executor) error{writes, reads} {
			for name, call := range calls {
				err := call(tx)
				if s.Dialect().Traits().CommitsTables && (name == "CreateTables" || name == "DropTables") {
					require.ErrorContains(t, err, "within a transaction", what)
					continue
				}
				require.ErrorIs(t, err, sql.ErrTxDone, "%s, %s", name, what)
			}
		}
		require.ErrorIs(t, tx.Tx(ctx, func(*kin.Tx) error { assert.Fail(t, "it has ended"); return nil }), sql.ErrTxDone, what)
		_, err := tx.Begin(ctx)
		require.ErrorIs(t, err, sql.ErrTxDone, what)
		require.ErrorIs(t, tx.Commit(ctx), sql.ErrTxDone, what)
		require.NoError(t, tx.Rollback(), what)
		tx.OnCommit(func() { assert.Fail(t, "it has been committed long ago") })
	}
	check(ended, "a transaction")
	check(left, "a savepoint that was left to its transaction")
	check(point, "a savepoint")
	s.Wire.Want(t, 0, 0)
	// While the transaction around it goes on, too.
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		require.NoError(t, tx.Tx(ctx, func(tx *kin.Tx) error { point = tx; return nil }))
		s.Wire.Reset()
		check(point, "a savepoint within")
		s.Wire.Want(t, 0, 0)
		return call(reads["Count"], tx)
	}))
	assert.Equal(t, before, s.dump(t, "SELECT * FROM students ORDER BY id"))
	assert.Zero(t, s.Pool().Stats().InUse)
}

// loadedClass returns a class with its students, and one of them whose class is
// not loaded.
func loadedClass(t *testing.T, s *Suite, school *School) (*SchoolClass, *Student) {
	t.Helper()
	class, err := kin.Query[SchoolClass]().SelectRelated("students").Filter("id", school.Classes[0].ID).Get(t.Context(), s.DB)
	require.NoError(t, err)
	require.NotZero(t, class.Students.Len())
	student, err := kin.Query[Student]().Filter("id", class.Students.All()[0].ID).Get(t.Context(), s.DB)
	require.NoError(t, err)
	return class, student
}

func call(f func(kin.Executor) error, db kin.Executor) error { return f(db) }

func testTxReadOnly(t *testing.T, s *Suite) {
	ctx := t.Context()
	school := s.NewSchool(t, 2, 2, 1)
	before := s.dump(t, "SELECT * FROM students ORDER BY id")
	class, student := loadedClass(t, s, school)
	writes, reads := txCalls(ctx, class, student)
	delete(writes, "Tx of a savepoint")
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		for name, write := range writes {
			s.Wire.Reset()
			require.ErrorIs(t, write(tx), kin.ErrReadOnly, name)
			for _, text := range s.Wire.Statements() { // savepoints, and the look that Set takes
				assert.NotRegexp(t, "^(INSERT|UPDATE|DELETE|CREATE|DROP)", text, name)
			}
		}
		for name, read := range reads {
			require.NoError(t, read(tx), name)
		}
		return tx.Tx(ctx, func(tx *kin.Tx) error {
			require.ErrorIs(t, kin.Insert(ctx, tx, &Category{}), kin.ErrReadOnly, "a savepoint is read-only too")
			return nil
		})
	}, kin.TxOptions{ReadOnly: true}))
	assert.Equal(t, before, s.dump(t, "SELECT * FROM students ORDER BY id"))
	assert.Zero(t, s.Pool().Stats().InUse)
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
	pool := sql.OpenDB(faulty.Connector(s.Wire.Base))
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
