package tests

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"sync"
)

// A faultMode is a way in which a call to the database goes wrong.
type faultMode string

const (
	faultError   faultMode = "error"            // it is refused
	faultBadConn faultMode = "bad connection"   // the connection is found to be gone before it
	faultCancel  faultMode = "cancelled"        // its context ends just before
	faultLost    faultMode = "lost acknowledge" // it is done, and the connection lost before the answer
)

var errInjected = errors.New("injected")

// A Faulty lets the n-th call to the database go wrong.
type Faulty struct {
	mu     sync.Mutex
	mode   faultMode
	at     int
	calls  int
	fired  bool
	commit bool // whether the call was a COMMIT
	cancel context.CancelFunc
}

// arm makes the at-th call from now on go wrong.
func (f *Faulty) arm(mode faultMode, at int, cancel context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode, f.at, f.cancel = mode, at, cancel
	f.calls, f.fired, f.commit = 0, false, false
}

// disarm returns whether a call went wrong, and whether it was a COMMIT.
func (f *Faulty) disarm() (fired, commit bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = 0
	return f.fired, f.commit
}

// call runs a call on a connection, or lets it go wrong.
func (f *Faulty) call(c *faultyConn, commit bool, run func() error) error {
	f.mu.Lock()
	f.calls++
	hit := f.at > 0 && f.calls == f.at
	mode := f.mode
	if hit {
		f.fired, f.commit = true, commit
	}
	cancel := f.cancel
	f.mu.Unlock()
	if !hit {
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
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyConn{wireConn: wireConn{conn, &Wire{}}, faulty: c.faulty}, nil
}

// A faultyConn has no prepared statements: kin's calls all come here.
type faultyConn struct {
	wireConn
	faulty *Faulty
	broken bool
}

func (c *faultyConn) IsValid() bool { return !c.broken && c.wireConn.IsValid() }

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	err = c.faulty.call(c, false, func() error {
		rows, err = c.wireConn.QueryContext(ctx, query, args)
		return err
	})
	if err != nil && rows != nil {
		_ = rows.Close()
		rows = nil
	}
	return rows, err
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	err = c.faulty.call(c, false, func() error {
		result, err = c.wireConn.ExecContext(ctx, query, args)
		return err
	})
	return result, err
}

func (c *faultyConn) BeginTx(ctx context.Context, o driver.TxOptions) (tx driver.Tx, err error) {
	err = c.faulty.call(c, false, func() error {
		tx, err = c.wireConn.BeginTx(ctx, o)
		return err
	})
	if err != nil {
		if tx != nil {
			_ = tx.Rollback()
		}
		return nil, err
	}
	return &faultyTx{tx, c}, nil
}

type faultyTx struct {
	driver.Tx
	conn *faultyConn
}

func (t *faultyTx) Commit() error { return t.conn.faulty.call(t.conn, true, t.Tx.Commit) }
