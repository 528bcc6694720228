package exec

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// A Batch runs statements of a transaction one after the other, of which all that
// have the text of the first are prepared once, where they would be parsed each
// time. It is closed before the transaction ends. It is not safe for concurrent
// use.
type Batch struct {
	session Session
	several bool   // whether there are several: else nothing is prepared
	first   string // the text of the first one
	stmt    *sql.Stmt
	text    string // that stmt has: first, and its tag
}

// Batch returns a Batch of at least so many statements that have the first one's
// text.
func (s Session) Batch(statements int) *Batch { return &Batch{session: s, several: statements > 1} }

// Exec runs a statement that has no rows.
func (b *Batch) Exec(ctx context.Context, query string, args []driver.Value) (sql.Result, error) {
	if b.first == "" {
		b.first = query
	}
	if b.session.Guard == nil || !b.several || query != b.first {
		return b.session.Exec(ctx, query, args)
	}
	return b.session.execBy(ctx, query, args, b.exec)
}

func (b *Batch) exec(ctx context.Context, query string, args []driver.Value) (sql.Result, error) {
	if b.stmt == nil || b.text != query {
		b.Close()
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
	if b.stmt != nil {
		_ = b.stmt.Close() // which gives memory back; nothing depends on it
		b.stmt = nil
	}
}
