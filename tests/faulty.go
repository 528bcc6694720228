package tests

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/kin-orm/kin/tests/harness"
)

// A faultMode is a way in which a call to the database goes wrong.
type faultMode string

const (
	faultError       faultMode = "error"            // it is refused
	faultBadConn     faultMode = "bad connection"   // the connection is found to be gone before it
	faultCancel      faultMode = "cancelled before" // its context ends just before it
	faultCancelAfter faultMode = "cancelled after"  // its context ends just after it
	faultAfter       faultMode = "error after"      // it is done, and an error the answer
	faultLost        faultMode = "lost acknowledge" // it is done, and the connection lost before the answer
)

// faultModes are the ways in which a call can go wrong. What is embedded has
// no connection to lose.
func faultModes(target Target) []faultMode {
	modes := []faultMode{faultError, faultBadConn, faultCancel, faultCancelAfter, faultAfter, faultLost}
	if target.Name == "sqlite" {
		modes = modes[:len(modes)-1]
	}
	return modes
}

var errInjected = errors.New("injected")

// A callKind is what is asked of a driver.
type callKind int

const (
	connectCall callKind = iota
	beginCall
	statementCall
	nextCall
	commitCall
	rollbackCall
)

// A Faulty lets the n-th call to the database go wrong.
type Faulty struct {
	mu     sync.Mutex
	mode   faultMode
	at     int
	calls  int
	hit    hit
	cancel context.CancelFunc
}

// A hit is the call that went wrong.
type hit struct {
	fired bool
	kind  callKind
	inTx  bool // whether it was within a transaction, COMMIT included
}

// arm makes the at-th call from now on go wrong.
func (f *Faulty) arm(mode faultMode, at int, cancel context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode, f.at, f.cancel = mode, at, cancel
	f.calls, f.hit = 0, hit{}
}

// disarm lets no more calls go wrong, and returns the one that did.
func (f *Faulty) disarm() hit {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = 0
	return f.hit
}

// call runs a call on a connection, or lets it go wrong.
func (f *Faulty) call(c *faultyConn, kind callKind, run func() error) error {
	f.mu.Lock()
	f.calls++
	wrong := f.at > 0 && f.calls == f.at
	mode, cancel := f.mode, f.cancel
	if wrong {
		f.hit = hit{true, kind, c.inTx}
	}
	f.mu.Unlock()
	if !wrong {
		return run()
	}
	switch mode {
	case faultError:
		return errInjected
	case faultBadConn:
		c.broken = true
		return driver.ErrBadConn
	case faultCancel:
		cancel()
		return run()
	case faultCancelAfter:
		err := run()
		cancel()
		return err
	case faultAfter:
		return errors.Join(errInjected, run())
	case faultLost:
		err := run()
		c.broken = true
		return errors.Join(io.ErrUnexpectedEOF, err)
	}
	return run()
}

// Connector returns a connector whose connections can go wrong.
func (f *Faulty) Connector(c driver.Connector) driver.Connector { return &faultyConnector{c, f} }

type faultyConnector struct {
	driver.Connector
	faulty *Faulty
}

func (c *faultyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn := &faultyConn{faulty: c.faulty}
	err := c.faulty.call(conn, connectCall, func() error {
		inner, err := c.Connector.Connect(ctx)
		conn.WireConn = harness.WireConn{Conn: inner, Wire: &Wire{}}
		return err
	})
	if err != nil {
		if conn.Conn != nil {
			_ = conn.Close()
		}
		return nil, err
	}
	return conn, nil
}

// A faultyConn is a connection of which every call may go wrong.
type faultyConn struct {
	harness.WireConn
	faulty *Faulty
	broken bool
	inTx   bool
}

func (c *faultyConn) IsValid() bool { return !c.broken && c.WireConn.IsValid() }

// PrepareContext goes well: what goes wrong is running the statement.
func (c *faultyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.WireConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &faultyStmt{stmt, c}, nil
}

type faultyStmt struct {
	driver.Stmt
	conn *faultyConn
}

func (s *faultyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.query(func() (driver.Rows, error) { return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args) })
}

func (s *faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.exec(func() (driver.Result, error) { return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args) })
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.query(func() (driver.Rows, error) { return c.WireConn.QueryContext(ctx, query, args) })
}

// query runs a statement that has rows.
func (c *faultyConn) query(run func() (driver.Rows, error)) (rows driver.Rows, err error) {
	err = c.faulty.call(c, statementCall, func() error {
		rows, err = run()
		return err
	})
	if err != nil {
		if rows != nil {
			_ = rows.Close()
		}
		return nil, err
	}
	return &faultyRows{rows, c}, nil
}

type faultyRows struct {
	driver.Rows
	conn *faultyConn
}

func (r *faultyRows) Next(dest []driver.Value) error {
	return r.conn.faulty.call(r.conn, nextCall, func() error { return r.Rows.Next(dest) })
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.exec(func() (driver.Result, error) { return c.WireConn.ExecContext(ctx, query, args) })
}

// exec runs a statement that has none.
func (c *faultyConn) exec(run func() (driver.Result, error)) (result driver.Result, err error) {
	err = c.faulty.call(c, statementCall, func() error {
		result, err = run()
		return err
	})
	return result, err
}

func (c *faultyConn) BeginTx(ctx context.Context, o driver.TxOptions) (tx driver.Tx, err error) {
	began := false
	err = c.faulty.call(c, beginCall, func() error {
		tx, err = c.WireConn.BeginTx(ctx, o)
		began = err == nil // a driver may give a tx that is none
		return err
	})
	if err != nil {
		if began && tx != nil {
			_ = tx.Rollback()
		}
		return nil, err
	}
	c.inTx = true
	return &faultyTx{tx, c}, nil
}

type faultyTx struct {
	driver.Tx
	conn *faultyConn
}

func (t *faultyTx) Commit() error { return t.end(commitCall, t.Tx.Commit) }

func (t *faultyTx) Rollback() error { return t.end(rollbackCall, t.Tx.Rollback) }

func (t *faultyTx) end(kind callKind, run func() error) error {
	defer func() { t.conn.inTx = false }()
	return t.conn.faulty.call(t.conn, kind, run)
}

func (c *faultyConn) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (n int64, err error) {
	err = c.faulty.call(c, statementCall, func() error {
		n, err = c.WireConn.CopyFrom(ctx, table, columns, rows)
		return err
	})
	return n, err
}
