package exec

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/kin-orm/kin/internal/stmts"
)

// Each runs a statement and calls each with every row, of which there is one
// slice: values in it hold until each returns. values is how many are expected in
// all rows, 0 if it is not known. n is how many rows there were.
//
// Rows are read from the driver itself where that can be done, which is faster:
// database/sql locks, and looks at the type of every value, once for each row.
// Where it is database/sql that keeps statements, it is only faster for many.
func (s Session) Each(ctx context.Context, query string, args []driver.Value, width int, values int64, each func(row []driver.Value) error) (n int64, err error) {
	return s.read(ctx, query, args, values >= manyValues, &reading{ctx: ctx, width: width, values: values, each: each})
}

// Stream is Each for what takes its time with a row, or does not come back from
// it: no row is read before it is wanted.
func (s Session) Stream(ctx context.Context, query string, args []driver.Value, width int, each func(row []driver.Value) error) (n int64, err error) {
	return s.read(ctx, query, args, true, &reading{ctx: ctx, width: width, values: notPushed, each: each})
}

// notPushed is fewer values than any number from which on they are pushed.
const notPushed = -1

// Few is how many values are expected of a statement that is known to have few.
const Few = 1

func (s Session) read(ctx context.Context, query string, args []driver.Value, many bool, r *reading) (n int64, err error) {
	if s.mayDirect(many) {
		if done, err := s.direct(ctx, query, args, many, r); done {
			return r.count, err
		}
	}
	rows, err := s.Query(ctx, query, args)
	if err != nil {
		return 0, err
	}
	err = rows.Each(r.width, r.each)
	return rows.event.Rows, err
}

// ErrStop is what a function that is given rows returns to have no more: the
// statement ends well.
var ErrStop = errors.New("kin: stop")

func unlessStop(err error) error {
	if errors.Is(err, ErrStop) {
		return nil
	}
	return err
}

// errNotDirect says that a driver's connection cannot be asked directly, before
// it has been asked anything.
var errNotDirect = errors.New("kin: not direct")

// rowsBetween is after how many rows it is looked whether the context has ended.
// The drivers look themselves when they wait for the server.
const rowsBetween = 64

// manyValues is from how many values on a statement is worth preparing anew for
// reading its rows directly, where it is database/sql that keeps statements:
// measured on SQLite.
const manyValues = 2000

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

// mayDirect reports whether a statement may be run by the driver's connection.
func (s Session) mayDirect(many bool) bool {
	switch {
	case s.Kept == nil:
		return !s.NotDirect
	case s.Kept.plain.Load():
		return many && !s.NotDirect
	}
	return true
}

// A use is what is done with a statement on a driver's connection.
type use interface {
	// take returns the prepared statement of a connection, or nil.
	take(conn *stmts.Conn, query string) *stmts.Stmt
	// prepared runs a prepared statement.
	prepared(st *stmts.Stmt, args []driver.NamedValue) error
	// unprepared runs a statement by its text, or returns errNotDirect.
	unprepared(dc any, query string, args []driver.NamedValue) error
	// begun reports whether the statement has done something.
	begun() bool
	// rows returns how many rows were read, or changed.
	rows() int64
}

// direct runs a statement by the driver's connection. It has done nothing if done
// is false: where a connection is gone, database/sql finds another.
func (s Session) direct(ctx context.Context, query string, args []driver.Value, many bool, u use) (done bool, err error) {
	conn, pooled, err := s.connection(ctx)
	if err != nil || conn == nil {
		return false, nil // and Query will say so
	}
	text, err := s.begin(ctx, query)
	if err != nil {
		return true, errors.Join(err, giveBack(conn, pooled))
	}
	defer s.Guard.leave()
	start := time.Time{}
	if s.Report != nil {
		start = time.Now()
	}
	returned := false
	report := func(err error) {
		if s.Report != nil {
			s.Report(ctx, Event{SQL: text, Params: len(args), Rows: u.rows(), Duration: time.Since(start), Err: err})
		}
	}
	defer func() {
		if !returned { // but panicked, in a function of the caller's
			report(nil)
		}
	}()
	err = onDriver(conn, pooled, func(dc any) error { return s.use(dc, text, args, many, u) })
	returned = true
	if !u.begun() && (errors.Is(err, errNotDirect) || pooled && errors.Is(err, driver.ErrBadConn) || s.again(err)) {
		_ = giveBack(conn, pooled)
		return false, nil
	}
	if gone := giveBack(conn, pooled); gone != nil {
		err = errors.Join(err, gone)
	}
	report(err)
	return true, err
}

// use runs a statement that the connection keeps, or, where that is as good as
// database/sql, one that it does not.
func (s Session) use(dc any, query string, args []driver.Value, many bool, u use) (err error) {
	conn, keeps := dc.(*stmts.Conn)
	if !keeps && s.Kept != nil {
		s.Kept.plain.Store(true) // as are all connections of the pool
		if s.NotDirect || !many {
			return errNotDirect
		}
	}
	if keeps {
		if st := u.take(conn, query); st != nil {
			failed := true // by a panic, too
			defer func() { st.Leave(failed) }()
			named := st.Args(len(args))
			if err := setNamed(named, conn.Checker(), args); err != nil {
				return err
			}
			err := u.prepared(st, named)
			failed = err != nil
			return err
		}
	}
	if s.NotDirect {
		return errNotDirect
	}
	named := make([]driver.NamedValue, len(args))
	checker, _ := dc.(driver.NamedValueChecker)
	if err := setNamed(named, checker, args); err != nil {
		return err
	}
	return u.unprepared(dc, query, named)
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
	ctx    context.Context //nolint:containedctx // of one call
	width  int
	values int64
	each   func(row []driver.Value) error
	from   driver.Rows
	count  int64
}

func (r *reading) begun() bool { return r.from != nil || r.count > 0 }
func (r *reading) rows() int64 { return r.count }

func (r *reading) take(conn *stmts.Conn, query string) *stmts.Stmt {
	return conn.TakeReading(r.ctx, query, r.width, r.values)
}

func (r *reading) prepared(st *stmts.Stmt, args []driver.NamedValue) error {
	if st.Pushes() {
		return unlessStop(st.Push(r.ctx, args, r.row))
	}
	rows, err := st.QueryContext(r.ctx, args)
	if err != nil {
		return err
	}
	return r.all(rows)
}

func (r *reading) unprepared(dc any, query string, args []driver.NamedValue) error {
	queryer, ok := dc.(driver.QueryerContext)
	if !ok {
		return errNotDirect
	}
	rows, err := queryer.QueryContext(r.ctx, query, args)
	if errors.Is(err, driver.ErrSkip) {
		return errNotDirect
	}
	if err != nil {
		return err
	}
	return r.all(rows)
}

// all reads the rows and closes them.
func (r *reading) all(rows driver.Rows) (err error) {
	r.from = rows
	buffer, _ := buffers.Get().(*buffer)
	row := buffer.of(r.width)
	defer func() { // after a panic, too
		buffer.giveBack()
		if closed := rows.Close(); closed != nil {
			err = errors.Join(err, closed)
		}
	}()
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := r.row(row); err != nil {
			return unlessStop(err)
		}
	}
}

// row takes a row.
func (r *reading) row(row []driver.Value) error {
	r.count++
	if err := r.each(row); err != nil {
		return err
	}
	if r.count%rowsBetween == 0 {
		return r.ctx.Err()
	}
	return nil
}

// A changing is a statement without rows.
type changing struct {
	ctx    context.Context //nolint:containedctx // of one call
	result driver.Result
}

func (c *changing) take(conn *stmts.Conn, query string) *stmts.Stmt { return conn.Take(c.ctx, query) }

func (c *changing) begun() bool { return c.result != nil }

func (c *changing) rows() (n int64) {
	if c.result != nil {
		n, _ = c.result.RowsAffected()
	}
	return n
}

func (c *changing) prepared(st *stmts.Stmt, args []driver.NamedValue) (err error) {
	c.result, err = st.ExecContext(c.ctx, args)
	return err
}

func (c *changing) unprepared(dc any, query string, args []driver.NamedValue) (err error) {
	execer, ok := dc.(driver.ExecerContext)
	if !ok {
		return errNotDirect
	}
	if c.result, err = execer.ExecContext(c.ctx, query, args); errors.Is(err, driver.ErrSkip) {
		return errNotDirect
	}
	return err
}

// setNamed sets args as the connection takes them, by the rules of database/sql.
// checker may be nil.
func setNamed(named []driver.NamedValue, checker driver.NamedValueChecker, args []driver.Value) error {
	for i, arg := range args {
		n := &named[i]
		n.Ordinal, n.Value = i+1, arg
		if checker != nil {
			err := checker.CheckNamedValue(n)
			if err == nil {
				continue
			}
			if !errors.Is(err, driver.ErrSkip) {
				return errNotDirect // database/sql has the words for it
			}
		}
		if driver.IsValue(arg) {
			continue
		}
		var err error
		if n.Value, err = driver.DefaultParameterConverter.ConvertValue(arg); err != nil {
			return errNotDirect
		}
	}
	return nil
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
