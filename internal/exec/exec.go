// Package exec runs statements: on a pool, a connection or a transaction,
// and hands over their rows as the drivers give them.
package exec

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// A Runner runs statements. *sql.DB, *sql.Tx and *sql.Conn are Runners.
type Runner interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// An Event is a statement that has run.
type Event struct {
	// SQL is its text; values are parameters and not in it.
	SQL string
	// Params is the number of parameters.
	Params int
	// Rows is the number of rows read, or changed.
	Rows int64
	// Duration is the time until the last row was read.
	Duration time.Duration
	// Err is what went wrong.
	Err error
}

// ErrBusy says that a transaction was given a statement while another ran.
var ErrBusy = errors.New("kin: the transaction is busy with another statement: " +
	"its rows are still being read, or another goroutine uses it")

// A Guard keeps a transaction to one statement at a time, and to none when it
// has ended: database/sql would wait, or leave it to the driver.
type Guard struct {
	busy  atomic.Bool
	ended atomic.Bool
}

// End makes all later statements fail.
func (g *Guard) End() { g.ended.Store(true) }

// Finish is End, unless a statement is running or the end has come already.
func (g *Guard) Finish() error {
	err := g.take()
	if err == nil {
		g.End()
	}
	return err
}

func (g *Guard) take() error {
	switch {
	case g == nil:
		return nil
	case g.ended.Load():
		return sql.ErrTxDone
	case !g.busy.CompareAndSwap(false, true):
		return ErrBusy
	}
	return nil
}

func (g *Guard) leave() {
	if g != nil {
		g.busy.Store(false)
	}
}

// A Session runs statements and reports them.
type Session struct {
	Runner Runner
	Report func(context.Context, Event) // may be nil
	Guard  *Guard                       // of a transaction, else nil
	// Stale reports whether an error says that a prepared plan does not fit its
	// table any more. Outside a transaction, the statement is then run again,
	// once: it has done nothing.
	Stale func(error) bool
	// Tag, if not nil, returns a comment that is added to a statement.
	Tag func(context.Context) (string, error)
	// Kept, if not nil, keeps statements of the Runner prepared, if that is its
	// pool. Those of a transaction are not: a connection that is given up with
	// them in it would keep its locks.
	Kept *Kept
	// NotDirect is whether rows are not to be read from the driver's connection.
	NotDirect bool
	// Conn is the connection of a transaction, if it is known.
	Conn *sql.Conn
	// Wrote, if not nil, is told of each statement before it runs.
	Wrote func(context.Context)
}

// begin says which text a statement has, and takes the guard.
func (s Session) begin(ctx context.Context, query string) (string, error) {
	if s.Tag != nil {
		tag, err := s.Tag(ctx)
		if err != nil {
			return "", err
		}
		query += tag
	}
	if s.Wrote != nil {
		s.Wrote(ctx)
	}
	return query, s.Guard.take()
}

// again reports whether a statement that failed is to be run again.
func (s Session) again(err error) bool {
	return err != nil && s.Guard == nil && s.Stale != nil && s.Stale(err)
}

// Query runs a statement that has rows. The Rows must be closed.
func (s Session) Query(ctx context.Context, query string, args []driver.Value) (*Rows, error) {
	query, err := s.begin(ctx, query)
	if err != nil {
		return nil, err
	}
	r := &Rows{ctx: ctx, report: s.Report, guard: s.Guard, event: Event{SQL: query, Params: len(args)}}
	if s.Report != nil {
		r.start = time.Now()
	}
	rows, err := s.query(ctx, query, args) //nolint:rowserrcheck // by Rows.Next and Rows.Close
	if s.again(err) {
		rows, err = s.Runner.QueryContext(ctx, query, Anys(args)...) //nolint:rowserrcheck // by Rows.Next
	}
	if err != nil {
		r.done(err)
		return nil, err
	}
	r.rows = rows
	return r, nil
}

// kept returns the prepared statement with a text, for its caller to leave, or
// nil.
func (s Session) kept(ctx context.Context, query string) *kept {
	if s.Guard != nil {
		return nil
	}
	return s.Kept.take(ctx, query)
}

func (s Session) query(ctx context.Context, query string, args []driver.Value) (*sql.Rows, error) {
	if st := s.kept(ctx, query); st != nil {
		defer st.leave()
		return st.QueryContext(ctx, Anys(args)...) //nolint:sqlclosecheck // by Rows.Close
	}
	return s.Runner.QueryContext(ctx, query, Anys(args)...) //nolint:sqlclosecheck // by Rows.Close
}

func (s Session) exec(ctx context.Context, query string, args []driver.Value) (sql.Result, error) {
	if st := s.kept(ctx, query); st != nil {
		defer st.leave()
		return st.ExecContext(ctx, Anys(args)...)
	}
	return s.Runner.ExecContext(ctx, query, Anys(args)...)
}

// Exec runs a statement that has no rows.
func (s Session) Exec(ctx context.Context, query string, args []driver.Value) (sql.Result, error) {
	if s.mayDirect(false) {
		c := &changing{ctx: ctx}
		if done, err := s.direct(ctx, query, args, false, c); done {
			return c.result, err
		}
	}
	query, err := s.begin(ctx, query)
	if err != nil {
		return nil, err
	}
	defer s.Guard.leave()
	start := time.Now()
	result, err := s.exec(ctx, query, args)
	if s.again(err) {
		result, err = s.Runner.ExecContext(ctx, query, Anys(args)...)
	}
	if s.Report != nil {
		event := Event{SQL: query, Params: len(args), Duration: time.Since(start), Err: err}
		if err == nil {
			event.Rows, _ = result.RowsAffected()
		}
		s.Report(ctx, event)
	}
	return result, err
}

// Anys returns values as database/sql takes them.
func Anys(values []driver.Value) []any {
	if len(values) == 0 {
		return nil
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}

// Do runs what is no statement by its text, but counts as one.
func (s Session) Do(ctx context.Context, text string, run func() (rows int64, err error)) error {
	if s.Wrote != nil {
		s.Wrote(ctx)
	}
	if err := s.Guard.take(); err != nil {
		return err
	}
	defer s.Guard.leave()
	start := time.Now()
	rows, err := run()
	if s.Report != nil {
		s.Report(ctx, Event{SQL: text, Rows: rows, Duration: time.Since(start), Err: err})
	}
	return err
}

// Rows are the rows of a statement.
type Rows struct {
	rows   *sql.Rows
	dest   []any
	buffer *buffer
	ctx    context.Context //nolint:containedctx // for the report, which comes when the rows end
	report func(context.Context, Event)
	guard  *Guard
	ended  bool
	start  time.Time
	event  Event
}

// A sink takes a driver's value as it is.
type sink struct{ to *driver.Value }

// Scan implements [sql.Scanner].
func (s *sink) Scan(v any) error {
	*s.to = v
	return nil
}

// Bind sets where the values of each row are put. Bytes in them belong to the
// driver and hold until the next row.
func (r *Rows) Bind(row []driver.Value) {
	sinks := make([]sink, len(row))
	r.dest = make([]any, len(row))
	for i := range row {
		sinks[i].to = &row[i]
		r.dest[i] = &sinks[i]
	}
}

// bindNew is Bind with memory that is used again when the rows are closed.
func (r *Rows) bindNew(width int) []driver.Value {
	r.buffer, _ = buffers.Get().(*buffer)
	r.dest = r.buffer.scanned(width)
	return r.buffer.row[:width]
}

// Each calls f with every row, of which there is one slice, and closes the rows:
// values in it hold until f returns.
func (r *Rows) Each(width int, f func(row []driver.Value) error) (err error) {
	defer func() { err = errors.Join(err, r.Close()) }() // after a panic, too
	row := r.bindNew(width)
	for {
		switch err := r.Next(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := f(row); err != nil {
			return unlessStop(err)
		}
	}
}

// Columns returns the names of the columns.
func (r *Rows) Columns() ([]string, error) { return r.rows.Columns() }

// Next reads a row. The error is io.EOF after the last one.
func (r *Rows) Next() error {
	if !r.rows.Next() {
		err := r.rows.Err()
		if err == nil {
			err = r.rows.Close() // which the driver may only now find out about
		}
		r.done(err)
		if err == nil {
			err = io.EOF
		}
		return err
	}
	r.event.Rows++
	return r.rows.Scan(r.dest...)
}

// Close gives the connection back. It may be called more than once.
func (r *Rows) Close() error {
	err := r.rows.Close()
	r.done(err)
	return err
}

func (r *Rows) done(err error) {
	if r.ended {
		return
	}
	r.ended = true
	r.guard.leave()
	if r.buffer != nil {
		r.dest = nil
		r.buffer.giveBack()
	}
	if r.report == nil {
		return
	}
	r.event.Err = err
	r.event.Duration = time.Since(r.start)
	r.report(r.ctx, r.event)
}
