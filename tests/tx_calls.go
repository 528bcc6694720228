package tests

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

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
