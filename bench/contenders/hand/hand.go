// Package hand is the reference: database/sql as a careful person writes it,
// with bound parameters, prepared statements that are kept, and typed Scans.
package hand

import (
	"context"
	"database/sql"
	"errors"
	"maps"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/db"
)

// Contender returns the reference.
func Contender() bench.Contender {
	return bench.Contender{
		Name: bench.Reference, Title: "database/sql, written by hand",
		Modules: []string{"modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/go-sql-driver/mysql"},
		Open:    open,
	}
}

// A session has a pool and the statements that are kept.
type session struct {
	*db.Instance
	pool  *sql.DB
	stmts map[string]*sql.Stmt
}

func open(_ context.Context, in *db.Instance) (*bench.Session, error) {
	s := &session{Instance: in, pool: in.Pool(), stmts: map[string]*sql.Stmt{}}
	ops := map[string]bench.Op{}
	maps.Copy(ops, s.wideOps())
	maps.Copy(ops, s.schoolOps())
	maps.Copy(ops, s.seedOps())
	maps.Copy(ops, s.writeOps())
	return &bench.Session{Ops: ops, Close: s.close}, nil
}

func (s *session) close() (err error) {
	for _, st := range s.stmts {
		err = errors.Join(err, st.Close())
	}
	return errors.Join(err, s.pool.Close())
}

// stmt returns the statement of a text with question marks, which is prepared
// once.
func (s *session) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if st := s.stmts[query]; st != nil {
		return st, nil
	}
	st, err := s.pool.PrepareContext(ctx, s.Rebind(query))
	if err != nil {
		return nil, err
	}
	s.stmts[query] = st
	return st, nil
}

// each calls scan for each row of a statement.
func (s *session) each(ctx context.Context, query string, scan func(*sql.Rows) error, args ...any) error {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
