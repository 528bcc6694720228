package kin

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"reflect"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/value"
)

// All runs the query and returns its rows, in order. There may be none.
func (qs QuerySet[T]) All(ctx context.Context, db Executor) ([]*T, error) {
	return queryRows[T](qs.q.rows(ctx, db, reflect.TypeFor[T](), allRows, 0))
}

// First returns the first row of the query. If there is none, the error is
// [ErrNotFound].
func (qs QuerySet[T]) First(ctx context.Context, db Executor) (*T, error) {
	return queryRow[T](qs.q.single(ctx, db, reflect.TypeFor[T](), firstRow))
}

// Last returns the last row of the query, in its order. If there is none, the
// error is [ErrNotFound].
func (qs QuerySet[T]) Last(ctx context.Context, db Executor) (*T, error) {
	return queryRow[T](qs.q.last(ctx, db, reflect.TypeFor[T]()))
}

// Get returns the row of a query that has exactly one. If there is none, the
// error is [ErrNotFound], and if there are several, [ErrMultipleFound].
func (qs QuerySet[T]) Get(ctx context.Context, db Executor) (*T, error) {
	return queryRow[T](qs.q.single(ctx, db, reflect.TypeFor[T](), oneRow))
}

// What follows is without the type T, so that it is compiled once and not for
// each model. q may be nil, for all rows.

func queryRows[T any](rows []hydrate.Pointer, err error) ([]*T, error) {
	if err != nil || rows == nil {
		return nil, err
	}
	return hydrate.Slice[T](rows), nil
}

func queryRow[T any](row hydrate.Pointer, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return hydrate.Row[T](row), nil
}

func (q *query) last(ctx context.Context, db Executor, t reflect.Type) (row hydrate.Pointer, err error) {
	if q == nil || q.limit == nil && q.offset == 0 {
		return q.single(ctx, db, t, lastRow)
	}
	// The last row of a page is known only when the page is.
	rows, err := q.rows(ctx, db, t, allRows, 0)
	switch {
	case err != nil:
		return row, err
	case len(rows) == 0:
		return row, notFoundIn(t)
	}
	return rows[len(rows)-1], nil
}

func (q *query) single(ctx context.Context, db Executor, t reflect.Type, f form) (row hydrate.Pointer, err error) {
	rows, err := q.rows(ctx, db, t, f, 1)
	switch {
	case err != nil:
		return row, err
	case len(rows) == 0:
		return row, notFoundIn(t)
	case len(rows) > 1:
		return row, fmt.Errorf("%w: %s", ErrMultipleFound, t.Name())
	}
	return rows[0], nil
}

func notFoundIn(t reflect.Type) error { return fmt.Errorf("%w: %s", ErrNotFound, t.Name()) }

func (q *query) rows(ctx context.Context, db Executor, t reflect.Type, f form, hint int) ([]hydrate.Pointer, error) {
	rows, hooked, err := q.read(ctx, db, t, f, hint)
	if err == nil {
		err = afterLoad(ctx, hooked)
	}
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// readRows reads the rows of a query, and those that have an AfterLoad hook,
// which is still to be called.
func readRows[T any](ctx context.Context, db Executor, qs QuerySet[T]) (rows []*T, hooked []any, err error) {
	found, hooked, err := qs.q.read(ctx, db, reflect.TypeFor[T](), allRows, 0)
	rows, err = queryRows[T](found, err)
	return rows, hooked, err
}

// read returns the rows, and those that have an AfterLoad hook, which is still
// to be called.
func (q *query) read(ctx context.Context, db Executor, t reflect.Type, f form, hint int) (rows []hydrate.Pointer, hooked []any, err error) {
	s := db.session()
	c, err := q.compile(ctx, s, t, variant{form: f})
	if err != nil || c.Empty {
		return nil, nil, err
	}
	watch := s.budget(q)
	if c.first != nil { // each of whose statements has the database's budget, and the roots have the query's
		if watch = nil; !c.budgeted {
			watch = counting(s.maxRows)
		}
	}
	rows, hooked, err = s.readAll(ctx, db, c, c.args, hint, watch)
	if err == nil && c.first != nil && q.reads.maxRows > 0 && int64(len(rows)) > q.reads.maxRows {
		err = tooMany(q.reads.maxRows)
	}
	if err != nil {
		return nil, nil, s.queryError(ctx, t, err)
	}
	return rows, hooked, nil
}

// readAll reads all rows, and what is prefetched for them. each, if not nil, is
// called after each row of the query's own statement.
func (s *session) readAll(ctx context.Context, db Executor, c *compiled, args []driver.Value, hint int, each rowWatch) (found []hydrate.Pointer, hooked []any, err error) {
	if c.first != nil {
		g, err := s.readGraph(ctx, db, c, args, hint, each)
		if err != nil {
			return nil, nil, err
		}
		found, hooked = g.roots, g.hooked()
		g.release()
		return found, hooked, nil
	}
	reader := hydrate.NewReader(c.Shape, hint)
	if err := s.each(ctx, db, c, args, c.Shape.Width, rowReader(reader, each)); err != nil {
		return nil, nil, err
	}
	return finish(reader, c)
}

// finish returns the rows that were read.
func finish(reader *hydrate.Reader, c *compiled) (found []hydrate.Pointer, hooked []any, err error) {
	if found, err = reader.Finish(); err != nil {
		return nil, nil, err
	}
	hooked = reader.Hooked()
	if c.fetch.strict || c.fetch.peers {
		c.fetch.marked([]*hydrate.Reader{reader})
	} else {
		reader.Release()
	}
	return found, hooked, nil
}

// queryError says what the query was about.
func (s *session) queryError(ctx context.Context, model reflect.Type, err error) error {
	return fmt.Errorf("kin: query on %s: %w", model.Name(), s.fault(ctx, nil, err))
}

// Count returns the number of rows of T that the query has.
func (qs QuerySet[T]) Count(ctx context.Context, db Executor) (int64, error) {
	return qs.q.scalar(ctx, db, reflect.TypeFor[T](), count)
}

// Exists reports whether the query has rows.
func (qs QuerySet[T]) Exists(ctx context.Context, db Executor) (bool, error) {
	return qs.q.exists(ctx, db, reflect.TypeFor[T]())
}

func (q *query) exists(ctx context.Context, db Executor, t reflect.Type) (bool, error) {
	n, err := q.scalar(ctx, db, t, exists)
	return n != 0, err
}

func (q *query) scalar(ctx context.Context, db Executor, t reflect.Type, f form) (n int64, err error) {
	s := db.session()
	c, err := q.compile(ctx, s, t, variant{form: f})
	if err != nil || c.Empty {
		return 0, err
	}
	err = s.each(ctx, db, c, c.args, 1, func(row []driver.Value) (err error) {
		if yes, ok := row[0].(bool); ok {
			if yes {
				n = 1
			}
			return nil
		}
		n, err = value.Int(row[0])
		return err
	})
	if err != nil {
		return 0, s.queryError(ctx, t, err)
	}
	return n, nil
}

// Iter returns an iterator over the rows of the query, which is run when the
// iteration begins. Rows are read as they are asked for, each with all that
// SelectRelated loads, and none is kept: memory does not grow with their
// number. A row of the database that several rows of the query refer to is
// one value within each of them. The last element has an error if something
// went wrong. The connection is given back when the loop ends, however it
// does; until then it is in use. Ending the loop early may cost the time in
// which the server sends the rest, and several to-many branches are sorted by
// the database before the first row comes.
//
// With [QuerySet.Prefetch], rows come in chunks of a few hundred, each with what
// is prefetched for it, in which a row of the database is one value. The
// statements of a chunk take a second connection of the pool. Where there is
// none, in a transaction or in a pool of one, the query's own rows are all read
// before the first chunk, and memory grows with them.
//
//	for student, err := range q.Iter(ctx, db) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(student.Name)
//	}
func (qs QuerySet[T]) Iter(ctx context.Context, db Executor) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		err := qs.q.stream(ctx, db, reflect.TypeFor[T](), func(p hydrate.Pointer) bool { return yield(hydrate.Row[T](p), nil) })
		if err != nil {
			yield(nil, err)
		}
	}
}

// stream calls yield for each row, as long as it returns true.
func (q *query) stream(ctx context.Context, db Executor, t reflect.Type, yield func(hydrate.Pointer) bool) error {
	s := db.session()
	c, err := q.compile(ctx, s, t, variant{form: stream})
	if err != nil || c.Empty {
		return err
	}
	return s.stream(ctx, db, c, t, s.budget(q), yield)
}

// column runs a query with one column and returns its values.
func (s *session) column(ctx context.Context, query string, args ...driver.Value) (values []driver.Value, err error) {
	_, err = s.Each(ctx, query, args, 1, exec.Few, func(row []driver.Value) error {
		values = append(values, row[0])
		return nil
	})
	return values, err
}
