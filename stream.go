package kin

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/hydrate"
)

// streamChunk is how many rows of a query that prefetches are read at once.
const streamChunk = 500

// A streaming reads the rows of a query one by one, or, if it prefetches,
// chunk by chunk.
type streaming struct {
	session *session
	query   *compiled
	model   reflect.Type
	yield   func(hydrate.Pointer) bool
	each    rowWatch // or nil

	rows    rowSource
	row     []driver.Value
	reader  *hydrate.Reader
	graph   *graphRows // of a query that prefetches, else nil
	roots   int        // that were begun in this chunk
	stopped bool
}

// A rowSource gives rows, and io.EOF after the last one.
type rowSource interface {
	Next() error
	Close() error
}

// stream calls yield for each row, as long as it returns true.
func (s *session) stream(ctx context.Context, db Executor, c *compiled, model reflect.Type, each rowWatch, yield func(hydrate.Pointer) bool) error {
	if c.first != nil { // what is prefetched is read where the rows are
		reader, err := s.reader(ctx, db, c.locks)
		if err != nil {
			return s.queryError(ctx, model, err)
		}
		s, db = reader, nil
	}
	if c.first != nil && c.fetch.snapshot && s.begin != nil {
		return s.snapshot(ctx, func(s *session) error { return s.streamIn(ctx, nil, c, model, each, yield) })
	}
	return s.streamIn(ctx, db, c, model, each, yield)
}

func (s *session) streamIn(ctx context.Context, db Executor, c *compiled, model reflect.Type, each rowWatch, yield func(hydrate.Pointer) bool) error {
	if c.first == nil && s.Guard == nil {
		return s.streamDirect(ctx, db, c, model, each, yield)
	}
	rows, err := s.ask(ctx, db, c, c.args)
	if err != nil {
		return s.queryError(ctx, model, err)
	}
	return s.streamRows(ctx, rows, c, model, each, yield)
}

// streamDirect reads the rows where they come from. The connection is not to be
// had meanwhile, by which the caller of yield might be waited for: it must be the
// pool's, and not a transaction's.
func (s *session) streamDirect(ctx context.Context, db Executor, c *compiled, model reflect.Type, each rowWatch, yield func(hydrate.Pointer) bool) error {
	reader, err := s.reader(ctx, db, c.locks)
	if err != nil {
		return s.queryError(ctx, model, err)
	}
	st := &streaming{session: s, query: c, model: model, yield: yield, each: each, reader: hydrate.NewReader(c.Shape, 1)}
	var failed error // which says what the query is about
	_, err = reader.Stream(ctx, c.sql, c.args, c.Shape.Width, func(row []driver.Value) error {
		st.row = row
		if failed = st.take(ctx, 1); failed == nil && st.stopped {
			return exec.ErrStop
		}
		return failed
	})
	switch {
	case failed != nil:
		return failed
	case st.stopped:
		return nil
	case err != nil:
		return s.queryError(ctx, model, err)
	}
	return st.flush(ctx)
}

// streamRows reads the rows of a statement that has begun, and closes them.
func (s *session) streamRows(ctx context.Context, rows *exec.Rows, c *compiled, model reflect.Type, each rowWatch, yield func(hydrate.Pointer) bool) (err error) {
	st := &streaming{session: s, query: c, model: model, yield: yield, each: each, rows: rows, row: make([]driver.Value, c.Shape.Width)}
	rows.Bind(st.row)
	defer func() {
		if closed := st.rows.Close(); closed != nil && err == nil && !st.stopped {
			err = s.queryError(ctx, model, closed)
		}
	}()
	if c.first == nil {
		st.reader = hydrate.NewReader(c.Shape, 1)
		return st.run(ctx, 1)
	}
	if !s.severalConns() {
		if st.rows, err = heldRows(rows, st.row); err != nil {
			return s.queryError(ctx, model, err)
		}
	}
	st.graph = newGraphRows(s, c, streamChunk)
	st.reader = st.graph.first.Reader
	return st.run(ctx, streamChunk)
}

// severalConns reports whether statements may run while rows are being read.
func (s *session) severalConns() bool {
	pool, ok := s.Runner.(*sql.DB)
	return ok && pool.Stats().MaxOpenConnections != 1
}

// run reads all rows, so many roots in a chunk.
func (st *streaming) run(ctx context.Context, chunk int) error {
	for !st.stopped {
		next := st.rows.Next()
		if next != nil && !errors.Is(next, io.EOF) {
			return st.session.queryError(ctx, st.model, next)
		}
		if next != nil {
			return st.flush(ctx)
		}
		if err := st.take(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// take takes a row, and hands on the chunk before it if it begins the next.
func (st *streaming) take(ctx context.Context, chunk int) error {
	starts, err := st.reader.Starts(st.row)
	if err != nil {
		return st.session.queryError(ctx, st.model, err)
	}
	if starts {
		if st.roots == chunk {
			if err := st.flush(ctx); err != nil || st.stopped {
				return err
			}
			if err := ctx.Err(); err != nil { // as the caller may have had it end
				return st.session.queryError(ctx, st.model, err)
			}
			st.roots = 0
		}
		st.roots++
	}
	err = st.reader.Row(st.row)
	if err == nil && st.each != nil {
		err = st.each(st.reader, st.row)
	}
	if err != nil {
		return st.session.queryError(ctx, st.model, err)
	}
	return nil
}

// flush hands on the rows of a chunk.
func (st *streaming) flush(ctx context.Context) (err error) {
	var found []hydrate.Pointer
	var hooked []any
	if st.graph != nil {
		if err = st.graph.load(ctx); err != nil {
			return st.session.queryError(ctx, st.model, err)
		}
		found, hooked = st.graph.roots, st.graph.hooked()
	} else {
		found, err = st.reader.Finish()
		if err == nil && (st.query.fetch.strict || st.query.fetch.peers) {
			st.query.fetch.marked([]*hydrate.Reader{st.reader})
		}
		hooked = st.reader.Hooked()
	}
	if err == nil && len(found) > 0 {
		err = afterLoad(ctx, hooked)
	}
	for _, p := range found {
		if err == nil && !st.stopped {
			st.stopped = !st.yield(p)
		}
	}
	st.reader.Reset()
	return err
}

// heldRows reads rows into memory and closes them. They are given by way of
// row, in which they come.
func heldRows(rows *exec.Rows, row []driver.Value) (_ rowSource, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	held := &heldSource{row: row}
	for {
		err := rows.Next()
		if errors.Is(err, io.EOF) {
			return held, nil
		}
		if err != nil {
			return held, err
		}
		kept := slices.Clone(row)
		for i, v := range kept {
			if b, ok := v.([]byte); ok {
				kept[i] = bytes.Clone(b)
			}
		}
		held.rows = append(held.rows, kept)
	}
}

// A heldSource gives rows that are in memory.
type heldSource struct {
	rows [][]driver.Value
	row  []driver.Value
}

func (h *heldSource) Next() error {
	if len(h.rows) == 0 {
		return io.EOF
	}
	copy(h.row, h.rows[0])
	h.rows[0] = nil
	h.rows = h.rows[1:]
	return nil
}

func (*heldSource) Close() error { return nil }
