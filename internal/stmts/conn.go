package stmts

import (
	"context"
	"database/sql/driver"
	"io"
)

// Connector returns a connector whose connections are [*Conn]s of those of
// another, if these have all that is in driverConn; others stay as they are.
func Connector(c driver.Connector) driver.Connector {
	return made(connector{Connector: c, seen: NewSeen()})
}

func made(c connector) driver.Connector {
	if closer, ok := c.Connector.(io.Closer); ok {
		return closing{c, closer}
	}
	return c
}

type connector struct {
	driver.Connector

	seen   *Seen
	pusher Pusher // may be nil
	from   int64
}

// closing is a connector that is told when its pool is closed.
type closing struct {
	connector
	io.Closer
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	dc, ok := conn.(driverConn)
	if !ok {
		return conn, nil
	}
	kept := &Conn{driverConn: dc, seen: c.seen}
	if c.pusher == nil {
		return kept, nil
	}
	if sink := c.pusher.Sink(); sink != nil {
		kept.push = &pushing{Pusher: c.pusher, sink: sink, from: c.from}
	}
	return kept, nil
}

// driverConn is what the connections of today's drivers have.
type driverConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

var (
	_ driverConn               = (*Conn)(nil)
	_ driver.NamedValueChecker = (*Conn)(nil)
)

// A Conn is a connection of a driver that keeps statements. Like that, it is used
// by one goroutine at a time.
type Conn struct {
	driverConn

	seen   *Seen
	kept   map[string]*Stmt
	pushed map[string]*Stmt // by the queries whose rows they push
	order  []*Stmt          // of both, oldest first
	push   *pushing         // nil if rows are not pushed
}

// Checker returns what checks parameters for the driver, or nil.
func (c *Conn) Checker() driver.NamedValueChecker {
	checker, _ := c.driverConn.(driver.NamedValueChecker)
	return checker
}

// CheckNamedValue implements [driver.NamedValueChecker], as the driver has it.
func (c *Conn) CheckNamedValue(v *driver.NamedValue) error {
	if checker := c.Checker(); checker != nil {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// Raw returns the driver's own connection, for what only that can do.
func (c *Conn) Raw() driver.Conn { return c.driverConn }
