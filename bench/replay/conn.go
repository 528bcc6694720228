package replay

import (
	"context"
	"database/sql/driver"
)

// A realConn is a connection that can be recorded.
type realConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.QueryerContext
	driver.ExecerContext
}

var (
	_ realConn                  = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
	_ driver.StmtQueryContext   = stmt{}
	_ driver.StmtExecContext    = stmt{}
)

// A conn is a connection to a tape.
type conn struct {
	tape *Tape
	real realConn // nil if the tape was sealed when it was opened
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.tape.text(query).rows(ctx, c, args)
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.tape.text(query).exec(ctx, c, args)
}

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext looks the text up once for all runs of the statement, as a
// real driver compiles it once.
func (c *conn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	return stmt{c, c.tape.text(query)}, nil
}

func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx begins a real transaction only while the tape is recording.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.tape.sealed.Load() {
		return tx{}, nil
	}
	return c.real.BeginTx(ctx, opts)
}

func (c *conn) Ping(context.Context) error         { return nil }
func (c *conn) ResetSession(context.Context) error { return nil }
func (c *conn) IsValid() bool                      { return true }

func (c *conn) Close() error {
	if c.real == nil {
		return nil
	}
	return c.real.Close()
}

// A tx is a transaction in which nothing happens.
type tx struct{}

func (tx) Commit() error   { return nil }
func (tx) Rollback() error { return nil }

// A stmt is a prepared statement.
type stmt struct {
	conn *conn
	text *text
}

func (s stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.text.rows(ctx, s.conn, args)
}

func (s stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.text.exec(ctx, s.conn, args)
}

func (s stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}

func (s stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

func (stmt) NumInput() int { return -1 } // which database/sql does not check
func (stmt) Close() error  { return nil }

func named(args []driver.Value) []driver.NamedValue {
	list := make([]driver.NamedValue, len(args))
	for i, v := range args {
		list[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return list
}
