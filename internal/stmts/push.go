package stmts

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

// A Pusher is how a driver can hand over the rows of a statement while it runs,
// where that is faster than to be asked for the next.
type Pusher interface {
	// Text returns the text of a statement that hands over the rows of a query on
	// the driver's connection, which has so many columns, and takes one parameter
	// after the query's; or an empty text, if that cannot be done.
	Text(conn driver.Conn, query string, columns int) string
	// Begin reports whether a statement may push its rows now, and End is called
	// when it has.
	Begin() bool
	End()
	// Sink returns a new sink, for one connection, or nil if there can be no more.
	Sink() Sink
}

// A Sink is what rows are handed to.
type Sink interface {
	// Arg is the parameter of the statement.
	Arg() driver.Value
	// Run has row called with each of the rows while run runs the statement. Bytes
	// in a row hold until row returns.
	Run(row func([]driver.Value) error, run func() error) error
	// Close is for when the connection is closed.
	Close()
}

// Pushing is [Connector] for a driver that has a Pusher, of use for statements of
// which at least so many values are expected.
func Pushing(c driver.Connector, p Pusher, from int64) driver.Connector {
	return made(connector{c, NewSeen(), p, from})
}

// A pushing is what a connection needs to push rows.
type pushing struct {
	Pusher

	sink Sink
	from int64
	not  map[string]bool // the queries whose text cannot be prepared
}

// mostNot is how many of those are known.
const mostNot = 100

// TakeReading is Take for a query of so many columns, of which so many values are
// expected, or 0 if that is not known. The rows of the statement may be pushed.
func (c *Conn) TakeReading(ctx context.Context, query string, columns int, values int64) *Stmt {
	if !c.mayPush(query, columns, values) {
		return c.Take(ctx, query)
	}
	st := c.pushed[query]
	if st == nil {
		if c.push.from > 0 && c.kept[query] == nil && !c.seen.Again(query) {
			return nil
		}
		if st = c.preparePushing(ctx, query, columns); st == nil {
			return c.Take(ctx, query)
		}
	}
	if st.columns != columns || st.busy || !c.push.Begin() {
		return c.Take(ctx, query)
	}
	return st.take()
}

// mayPush reports whether the rows of a query are worth pushing.
func (c *Conn) mayPush(query string, columns int, values int64) bool {
	return c.push != nil && (values >= c.push.from || values == 0 && columns > 1) && !c.push.not[query]
}

// preparePushing prepares what pushes the rows of a query. It returns nil if that
// cannot be done.
func (c *Conn) preparePushing(ctx context.Context, query string, columns int) *Stmt {
	var st *Stmt
	if text := c.push.Text(c.driverConn, query, columns); text != "" {
		st = c.prepare(ctx, text)
	}
	if st == nil {
		c.push.refuse(query)
		return nil
	}
	st.query, st.columns = query, columns
	c.keep(st)
	return st
}

// refuse notes that a query cannot be pushed. Whoever runs it will be told if it
// is wrong.
func (p *pushing) refuse(query string) {
	if p.not == nil || len(p.not) >= mostNot {
		p.not = map[string]bool{}
	}
	p.not[query] = true
}

// Pushes reports whether the rows of the statement are pushed: it is run by Push.
func (s *Stmt) Pushes() bool { return s.columns > 0 }

// Push runs a statement that TakeReading has returned, and calls row with each of
// its rows.
func (s *Stmt) Push(ctx context.Context, args []driver.NamedValue, row func([]driver.Value) error) error {
	sink := s.conn.push.sink
	args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: sink.Arg()})
	return sink.Run(row, func() error {
		rows, err := s.QueryContext(ctx, args)
		if err != nil {
			return err
		}
		return errors.Join(drain(rows), rows.Close())
	})
}

// drain reads the one row that there is.
func drain(rows driver.Rows) error {
	var count [1]driver.Value
	for {
		if err := rows.Next(count[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
