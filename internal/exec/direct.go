package exec

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"sync"
	"time"
)

// Each runs a statement and calls each with every row, of which there is one
// slice: values in it hold until each returns. If direct is set, rows are read
// from the driver itself where that can be done, which is faster for many rows:
// database/sql locks, and looks at the type of every value, once for each row.
// n is how many rows there were.
func (s Session) Each(ctx context.Context, query string, args []any, width int, direct bool, each func(row []driver.Value) error) (n int64, err error) {
	if direct && !s.NotDirect {
		if done, n, err := s.direct(ctx, query, args, width, each); done {
			return n, err
		}
	}
	rows, err := s.Query(ctx, query, args)
	if err != nil {
		return 0, err
	}
	err = rows.Each(width, each)
	return rows.event.Rows, err
}

// errNotDirect says that a driver's connection cannot be asked directly, before
// it has been asked anything.
var errNotDirect = errors.New("kin: not direct")

// rowsBetween is after how many rows it is looked whether the context has ended.
// The drivers look themselves when they wait for the server.
const rowsBetween = 64

// connection returns one to be asked, and whether it is to be given back.
func (s Session) connection(ctx context.Context) (conn *sql.Conn, pooled bool, err error) {
	if s.Guard != nil {
		return s.Conn, false, nil
	}
	if pool, ok := s.Runner.(*sql.DB); ok {
		conn, err = pool.Conn(ctx)
		return conn, true, err
	}
	return nil, false, nil
}

// direct is Each by the driver's connection. It has done nothing if done is
// false: where a connection is gone, database/sql finds another.
func (s Session) direct(ctx context.Context, query string, args []any, width int, each func(row []driver.Value) error) (done bool, n int64, err error) {
	conn, pooled, err := s.connection(ctx)
	if err != nil || conn == nil {
		return false, 0, nil // and Query will say so
	}
	text, err := s.begin(ctx, query)
	if err != nil {
		return true, 0, errors.Join(err, giveBack(conn, pooled))
	}
	defer s.Guard.leave()
	start := time.Time{}
	if s.Report != nil {
		start = time.Now()
	}
	r := reading{ctx: ctx, each: each}
	err = onDriver(conn, pooled, func(dc any) error { return r.read(dc, text, args, width) })
	if r.rows == nil && (errors.Is(err, errNotDirect) || pooled && errors.Is(err, driver.ErrBadConn) || s.again(err)) {
		_ = giveBack(conn, pooled)
		return false, 0, nil
	}
	err = errors.Join(err, giveBack(conn, pooled))
	if s.Report != nil {
		s.Report(ctx, Event{SQL: text, Params: len(args), Rows: r.count, Duration: time.Since(start), Err: err})
	}
	return true, r.count, err
}

// onDriver calls f with the driver's connection. One of the pool's is closed if
// it proves bad. A transaction holds its own: to close that, database/sql would
// wait for the transaction's end, so that it is not told, not even by a panic of
// a user's Scan, which goes on when the connection is free.
func onDriver(conn *sql.Conn, pooled bool, f func(dc any) error) (err error) {
	if pooled {
		return conn.Raw(f)
	}
	var panicked any
	gone := conn.Raw(func(dc any) error {
		defer func() { panicked = recover() }()
		err = f(dc)
		return nil
	})
	if panicked != nil {
		panic(panicked)
	}
	if gone != nil {
		return gone
	}
	return err
}

// giveBack closes a connection that is the pool's. One that has proved bad is
// closed already.
func giveBack(conn *sql.Conn, pooled bool) error {
	if !pooled {
		return nil
	}
	if err := conn.Close(); !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	return nil
}

// A reading is a statement whose rows are read directly.
type reading struct {
	ctx   context.Context //nolint:containedctx // of one call
	each  func(row []driver.Value) error
	rows  driver.Rows
	count int64
}

func (r *reading) read(dc any, query string, args []any, width int) (err error) {
	queryer, ok := dc.(driver.QueryerContext)
	if !ok {
		return errNotDirect
	}
	named, err := namedValues(dc, args)
	if err != nil {
		return err
	}
	r.rows, err = queryer.QueryContext(r.ctx, query, named)
	if errors.Is(err, driver.ErrSkip) {
		return errNotDirect
	}
	if err != nil {
		r.rows = nil
		return err
	}
	defer func() { err = errors.Join(err, r.rows.Close()) }() // after a panic, too
	return r.all(width)
}

func (r *reading) all(width int) error {
	buffer, _ := buffers.Get().(*buffer)
	row := buffer.of(width)
	defer buffer.giveBack()
	for {
		switch err := r.rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		r.count++
		if err := r.each(row); err != nil {
			return err
		}
		if r.count%rowsBetween == 0 {
			if err := r.ctx.Err(); err != nil {
				return err
			}
		}
	}
}

// namedValues returns args as the connection takes them, by the rules of
// database/sql.
func namedValues(dc any, args []any) ([]driver.NamedValue, error) {
	checker, checks := dc.(driver.NamedValueChecker)
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		n := &named[i]
		n.Ordinal, n.Value = i+1, arg
		err := driver.ErrSkip
		if checks {
			err = checker.CheckNamedValue(n)
		}
		if errors.Is(err, driver.ErrSkip) {
			n.Value, err = driver.DefaultParameterConverter.ConvertValue(arg)
		}
		if err != nil {
			return nil, errNotDirect // database/sql has the words for it
		}
	}
	return named, nil
}

// A buffer is memory for one row, and for what database/sql needs to fill it.
type buffer struct {
	row   []driver.Value
	sinks []sink
	dest  []any
}

//nolint:gochecknoglobals // memory for later
var buffers = sync.Pool{New: func() any { return new(buffer) }}

// of returns the buffer's row, of a width.
func (b *buffer) of(width int) []driver.Value {
	if cap(b.row) < width {
		b.row = make([]driver.Value, width)
		b.sinks, b.dest = nil, nil
	}
	return b.row[:width]
}

// scanned returns pointers by which database/sql fills the row of a width.
func (b *buffer) scanned(width int) []any {
	b.of(width)
	if len(b.dest) < width {
		all := b.row[:cap(b.row)]
		b.sinks, b.dest = make([]sink, len(all)), make([]any, len(all))
		for i := range all {
			b.sinks[i].to = &all[i]
			b.dest[i] = &b.sinks[i]
		}
	}
	return b.dest[:width]
}

// giveBack forgets the values.
func (b *buffer) giveBack() {
	clear(b.row[:cap(b.row)])
	buffers.Put(b)
}
