// Package stmts keeps statements prepared on the connections of a driver, which
// closes them with the connection.
package stmts

import (
	"context"
	"database/sql/driver"
	"hash/maphash"
	"slices"
	"sync/atomic"
)

const (
	// keptStatements is the most statements that a connection keeps.
	keptStatements = 100
	// longText is how many bytes a text has at the least that is long, such as an
	// INSERT of many rows: of those, a connection keeps no more than keptLong.
	// Prepared, they take many times the memory of their text.
	longText = 8 << 10
	keptLong = 4
)

// A Seen knows which texts have come before: those that come twice are worth
// keeping, others, such as those with a list of their own length, are not. It is
// safe for concurrent use, and has no lock. Its zero value is not of use: see
// [NewSeen].
type Seen struct {
	seed maphash.Seed
	// texts has hashes of texts, each at its place or none: what another text has
	// overwritten has to come once more.
	texts [512]atomic.Uint64
}

// NewSeen returns a Seen that has seen nothing.
func NewSeen() *Seen { return &Seen{seed: maphash.MakeSeed()} }

// Again reports whether a text has come before, and notes that it has now.
func (s *Seen) Again(query string) bool {
	hash := maphash.String(s.seed, query)
	return s.texts[hash%uint64(len(s.texts))].Swap(hash) == hash
}

// A Stmt is a prepared statement, which is used by one at a time.
type Stmt struct {
	statement

	conn    *Conn
	query   string
	columns int                 // of the query, if its rows are pushed
	args    []driver.NamedValue // memory for those of a run
	busy    bool
	used    bool // since it was last looked at for who has to go
}

// A statement is what drivers prepare.
type statement interface {
	driver.Stmt
	driver.StmtQueryContext
	driver.StmtExecContext
}

// Take returns the statement with a text, for its caller to leave, or nil if it
// is not kept: it has come for the first time, is in use, or cannot be prepared,
// which whoever runs it will be told.
func (c *Conn) Take(ctx context.Context, query string) *Stmt {
	st := c.kept[query]
	if st == nil {
		if !c.seen.Again(query) {
			return nil
		}
		if st = c.prepare(ctx, query); st == nil {
			return nil
		}
		c.keep(st)
	}
	return st.take()
}

// take returns the statement if it is not in use, else nil.
func (s *Stmt) take() *Stmt {
	if s.busy {
		return nil
	}
	s.busy, s.used = true, true
	return s
}

// Args returns room for so many arguments, until Leave is called.
func (s *Stmt) Args(n int) []driver.NamedValue {
	if cap(s.args) < n {
		s.args = make([]driver.NamedValue, n, n+1) // one more to push rows
	}
	return s.args[:n]
}

// Leave is called when a statement has run and its rows are closed. One that has
// failed is closed: it may be that it fits its tables no more.
func (s *Stmt) Leave(failed bool) {
	s.busy = false
	clear(s.args)
	if s.Pushes() {
		s.conn.push.End()
	}
	if failed {
		s.conn.drop(s)
	}
}

func (c *Conn) prepare(ctx context.Context, query string) *Stmt {
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	stmt, ok := prepared.(statement)
	if !ok {
		_ = prepared.Close()
		return nil
	}
	return &Stmt{statement: stmt, conn: c, query: query}
}

// keep keeps a statement, for which others may have to go.
func (c *Conn) keep(st *Stmt) {
	if st.long() {
		c.makeRoom(keptLong, (*Stmt).long)
	}
	c.makeRoom(keptStatements, func(*Stmt) bool { return true })
	c.order = append(c.order, st)
	all := c.like(st)
	if *all == nil {
		*all = map[string]*Stmt{}
	}
	(*all)[st.query] = st
}

// like returns the statements of a kind.
func (c *Conn) like(st *Stmt) *map[string]*Stmt {
	if st.Pushes() {
		return &c.pushed
	}
	return &c.kept
}

func (s *Stmt) long() bool { return len(s.query) >= longText }

// makeRoom sees to it that there are fewer than most statements of some kind: it
// closes the oldest that has not been used since this looked at it last, by the
// algorithm that is known as second chance.
func (c *Conn) makeRoom(most int, is func(*Stmt) bool) {
	n := 0
	for _, st := range c.order {
		if is(st) {
			n++
		}
	}
	for range 2 * len(c.order) {
		if n < most {
			return
		}
		st := c.order[0]
		if is(st) && !st.busy && !st.used {
			c.drop(st)
			return
		}
		if is(st) {
			st.used = false
		}
		c.order = append(c.order[1:], st)
	}
}

func (c *Conn) drop(st *Stmt) {
	all := *c.like(st)
	if all[st.query] != st {
		return
	}
	delete(all, st.query)
	c.order = slices.DeleteFunc(c.order, func(other *Stmt) bool { return other == st })
	_ = st.Close() // which gives memory back; nothing depends on it
}

// Close closes the connection and what is kept on it.
func (c *Conn) Close() error {
	for _, st := range c.order {
		_ = st.Close()
	}
	c.kept, c.pushed, c.order = nil, nil, nil
	if c.push != nil {
		c.push.sink.Close()
	}
	return c.driverConn.Close()
}
