package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/value"
)

// All runs the query and returns its rows, in order. There may be none.
func (qs QuerySet[T]) All(ctx context.Context, db Executor) ([]*T, error) {
	return qs.rows(ctx, db, allRows, 0)
}

// First returns the first row of the query. If there is none, the error is
// [ErrNotFound].
func (qs QuerySet[T]) First(ctx context.Context, db Executor) (*T, error) {
	return qs.single(ctx, db, firstRow)
}

// Last returns the last row of the query, in its order. If there is none, the
// error is [ErrNotFound].
func (qs QuerySet[T]) Last(ctx context.Context, db Executor) (*T, error) {
	if qs.q == nil || qs.q.limit == nil && qs.q.offset == 0 {
		return qs.single(ctx, db, lastRow)
	}
	// The last row of a page is known only when the page is.
	rows, err := qs.All(ctx, db)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, notFoundIn[T]()
	}
	return rows[len(rows)-1], nil
}

// Get returns the row of a query that has exactly one. If there is none, the
// error is [ErrNotFound], and if there are several, [ErrMultipleFound].
func (qs QuerySet[T]) Get(ctx context.Context, db Executor) (*T, error) {
	return qs.single(ctx, db, oneRow)
}

func (qs QuerySet[T]) single(ctx context.Context, db Executor, f form) (*T, error) {
	rows, err := qs.rows(ctx, db, f, 1)
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, notFoundIn[T]()
	case len(rows) > 1:
		return nil, fmt.Errorf("%w: %s", ErrMultipleFound, reflect.TypeFor[T]().Name())
	}
	return rows[0], nil
}

func notFoundIn[T any]() error {
	return fmt.Errorf("%w: %s", ErrNotFound, reflect.TypeFor[T]().Name())
}

func (qs QuerySet[T]) rows(ctx context.Context, db Executor, f form, hint int) ([]*T, error) {
	rows, hooked, err := qs.read(ctx, db, f, hint)
	if err == nil {
		err = afterLoad(ctx, hooked)
	}
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// read returns the rows, and those that have an AfterLoad hook, which is still
// to be called.
func (qs QuerySet[T]) read(ctx context.Context, db Executor, f form, hint int) (rows []*T, hooked []any, err error) {
	s := db.session()
	c, err := qs.compile(ctx, s, f)
	if err != nil || c.Empty {
		return nil, nil, err
	}
	if c.first != nil {
		if err := s.mayRead(c); err != nil {
			return nil, nil, err
		}
		g, err := s.readGraph(ctx, c, hint)
		if err != nil {
			return nil, nil, queryError[T](ctx, s, err)
		}
		if most := qs.q.reads.maxRows; most > 0 && int64(len(g.roots)) > most {
			return nil, nil, queryError[T](ctx, s, tooMany(most))
		}
		return hydrate.Slice[T](g.roots), g.hooked(), nil
	}
	result, err := s.ask(ctx, db, c, c.args)
	if err != nil {
		return nil, nil, queryError[T](ctx, s, err)
	}
	found, hooked, err := readAll(result, c, hint, qs.q.budget())
	if err != nil {
		return nil, nil, queryError[T](ctx, s, err)
	}
	return hydrate.Slice[T](found), hooked, nil
}

// readAll reads all rows, and closes them. each, if not nil, is called after
// each row.
func readAll(rows *exec.Rows, c *compiled, hint int, each rowWatch) (found []hydrate.Pointer, hooked []any, err error) {
	reader := hydrate.NewReader(c.Shape, hint)
	if err := readInto(rows, reader, c.Shape.Width, each); err != nil {
		return nil, nil, err
	}
	if found, err = reader.Finish(); err != nil {
		return nil, nil, err
	}
	if c.fetch.strict || c.fetch.peers {
		c.fetch.marked([]*hydrate.Reader{reader})
	}
	return found, reader.Hooked(), nil
}

// queryError says what the query was about.
func queryError[T any](ctx context.Context, s *session, err error) error {
	return s.queryError(ctx, reflect.TypeFor[T](), err)
}

func (s *session) queryError(ctx context.Context, model reflect.Type, err error) error {
	return fmt.Errorf("kin: query on %s: %w", model.Name(), s.fault(ctx, nil, err))
}

// Count returns the number of rows of T that the query has.
func (qs QuerySet[T]) Count(ctx context.Context, db Executor) (int64, error) {
	return qs.scalar(ctx, db, count)
}

// Exists reports whether the query has rows.
func (qs QuerySet[T]) Exists(ctx context.Context, db Executor) (bool, error) {
	n, err := qs.scalar(ctx, db, exists)
	return n != 0, err
}

func (qs QuerySet[T]) scalar(ctx context.Context, db Executor, f form) (n int64, err error) {
	s := db.session()
	c, err := qs.compile(ctx, s, f)
	if err != nil || c.Empty {
		return 0, err
	}
	rows, err := s.ask(ctx, db, c, c.args)
	if err != nil {
		return 0, queryError[T](ctx, s, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, 1)
	rows.Bind(row)
	if err := rows.Next(); err != nil {
		return 0, queryError[T](ctx, s, err)
	}
	if yes, ok := row[0].(bool); ok {
		if yes {
			return 1, nil
		}
		return 0, nil
	}
	return value.Int(row[0])
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
		if err := qs.stream(ctx, db, yield); err != nil {
			yield(nil, err)
		}
	}
}

// stream calls yield for each row, as long as it returns true.
func (qs QuerySet[T]) stream(ctx context.Context, db Executor, yield func(*T, error) bool) error {
	s := db.session()
	c, err := qs.compile(ctx, s, stream)
	if err != nil || c.Empty {
		return err
	}
	return s.stream(ctx, db, c, reflect.TypeFor[T](), qs.q.budget(), func(p hydrate.Pointer) bool { return yield(hydrate.Row[T](p), nil) })
}

// endOf closes rows and returns err, unless it only says that they ended.
func endOf(err error, rows *exec.Rows) error {
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, rows.Close())
}

// column runs a query with one column and returns its values.
func (s *session) column(ctx context.Context, query string, args ...any) (values []driver.Value, err error) {
	rows, err := s.Query(ctx, query, args)
	if err != nil {
		return nil, err
	}
	row := make([]driver.Value, 1)
	rows.Bind(row)
	for err = rows.Next(); err == nil; err = rows.Next() {
		values = append(values, row[0])
	}
	return values, endOf(err, rows)
}
