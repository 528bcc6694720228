package exec

import (
	"context"
	"database/sql"
	"time"
)

// A Batch runs statements of a transaction one after the other, most of which
// have the same text: that is prepared once, where it would be parsed each time.
// It is closed before the transaction ends. It is not safe for concurrent use.
type Batch struct {
	session Session
	many    bool // whether to prepare a statement before it has come twice
	last    string
	stmt    *sql.Stmt
	text    string // that stmt has
}

// Batch returns a Batch of at least so many statements, of which most are equal.
func (s Session) Batch(statements int) *Batch { return &Batch{session: s, many: statements > 1} }

// Exec runs a statement that has no rows.
func (b *Batch) Exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	s := b.session
	if s.Guard == nil || b.last != query && (!b.many || b.last != "") { // what comes once is not worth it
		b.last = query
		return s.Exec(ctx, query, args)
	}
	b.last = query
	query, err := s.begin(ctx, query)
	if err != nil {
		return nil, err
	}
	defer s.Guard.leave()
	start := time.Now()
	result, err := b.exec(ctx, query, args)
	s.executed(ctx, Event{SQL: query, Params: len(args), Duration: time.Since(start), Err: err}, result)
	return result, err
}

func (b *Batch) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	if b.stmt == nil || b.text != query {
		b.Close()
		stmt, err := b.session.Runner.PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		b.stmt, b.text = stmt, query
	}
	return b.stmt.ExecContext(ctx, args...)
}

// Close lets go of the statement.
func (b *Batch) Close() {
	if b.stmt != nil {
		_ = b.stmt.Close() // which gives memory back; nothing depends on it
		b.stmt = nil
	}
}
