package exec

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/kin-orm/kin/internal/stmts"
)

// A Batch runs statements of a transaction one after the other, of which all that
// have the text of the first are prepared once, where they would be parsed each
// time. It is closed before the transaction ends. It is not safe for concurrent
// use.
type Batch struct {
	session Session
	several bool   // whether there are several: else nothing is prepared
	first   string // the text of the first one
	text    string // that is prepared: first, and its tag
	own     *stmts.Stmt
	stmt    *sql.Stmt // where the connection keeps no statements
}

// Batch returns a Batch of at least so many statements that have the first one's
// text.
func (s Session) Batch(statements int) *Batch { return &Batch{session: s, several: statements > 1} }

// Exec runs a statement that has no rows.
func (b *Batch) Exec(ctx context.Context, query string, args []driver.Value) (sql.Result, error) {
	if b.first == "" {
		b.first = query
	}
	s := b.session
	if s.Guard == nil || !b.several || query != b.first {
		return s.Exec(ctx, query, args)
	}
	if s.mayDirect(false) {
		c := &batched{changing{ctx: ctx}, b}
		if done, err := s.direct(ctx, query, args, false, c); done {
			return c.result, err
		}
	}
	return s.execBy(ctx, query, args, b.exec)
}

// batched is a statement of a Batch.
type batched struct {
	changing

	batch *Batch
}

func (c *batched) take(ctx context.Context, conn *stmts.Conn, query string) *stmts.Stmt {
	b := c.batch
	if b.own == nil || b.text != query {
		b.closeOwn()
		b.own, b.text = conn.Own(ctx, query), query
	}
	return b.own
}

func (b *Batch) exec(ctx context.Context, query string, args []driver.Value) (sql.Result, error) {
	if b.stmt == nil || b.text != query {
		b.closeStmt()
		stmt, err := b.session.Runner.PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		b.stmt, b.text = stmt, query
	}
	return b.stmt.ExecContext(ctx, Anys(args)...)
}

// Close lets go of the statement.
func (b *Batch) Close() {
	if b.own != nil {
		_ = onDriver(b.session.Conn, false, func(any) error { b.closeOwn(); return nil })
	}
	b.closeStmt()
}

// That a statement is closed gives memory back; nothing depends on it.

func (b *Batch) closeOwn() {
	if b.own != nil {
		_ = b.own.Close()
		b.own = nil
	}
}

func (b *Batch) closeStmt() {
	if b.stmt != nil {
		_ = b.stmt.Close()
		b.stmt = nil
	}
}
