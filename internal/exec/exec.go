// Package exec runs statements: on a pool, a connection or a transaction,
// and hands over their rows as the drivers give them.
package exec

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
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

// A Session runs statements and reports them.
type Session struct {
	Runner Runner
	Report func(context.Context, Event) // may be nil
}

// Query runs a statement that has rows. The Rows must be closed.
func (s Session) Query(ctx context.Context, query string, args []any) (*Rows, error) {
	r := &Rows{ctx: ctx, report: s.Report, event: Event{SQL: query, Params: len(args)}}
	if s.Report != nil {
		r.start = time.Now()
	}
	//nolint:rowserrcheck // by Rows.Next and Rows.Close
	rows, err := s.Runner.QueryContext(ctx, query, args...)
	if err != nil {
		r.done(err)
		return nil, err
	}
	r.rows = rows
	return r, nil
}

// Exec runs a statement that has no rows.
func (s Session) Exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	start := time.Now()
	result, err := s.Runner.ExecContext(ctx, query, args...)
	if s.Report != nil {
		event := Event{SQL: query, Params: len(args), Duration: time.Since(start), Err: err}
		if err == nil {
			event.Rows, _ = result.RowsAffected()
		}
		s.Report(ctx, event)
	}
	return result, err
}

// Rows are the rows of a statement.
type Rows struct {
	rows   *sql.Rows
	dest   []any
	sinks  []sink
	ctx    context.Context //nolint:containedctx // for the report, which comes when the rows end
	report func(context.Context, Event)
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
	r.sinks = make([]sink, len(row))
	r.dest = make([]any, len(row))
	for i := range row {
		r.sinks[i].to = &row[i]
		r.dest[i] = &r.sinks[i]
	}
}

// Next reads a row. The error is io.EOF after the last one.
func (r *Rows) Next() error {
	if !r.rows.Next() {
		err := r.rows.Err()
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
	if r.report == nil {
		return
	}
	r.event.Err = err
	r.event.Duration = time.Since(r.start)
	r.report(r.ctx, r.event)
	r.report = nil
}
