// Package sqlx is sqlx: prepared statements that are kept, structs filled by the
// names of columns, and named parameters.
package sqlx

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders/plain"
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/db"
)

// Contender returns sqlx.
func Contender() bench.Contender {
	return bench.Contender{Name: "sqlx", Title: "sqlx", Modules: []string{"github.com/jmoiron/sqlx"}, Open: open}
}

type session struct {
	*db.Instance
	db    *sqlx.DB
	stmts map[string]*sqlx.Stmt
}

func open(_ context.Context, in *db.Instance) (*bench.Session, error) {
	// The names by which sqlx knows how parameters are written.
	driver := map[string]string{"sqlite": "sqlite3", "postgres": "pgx", "mysql": "mysql"}[in.Dialect]
	s := &session{in, sqlx.NewDb(in.Pool(), driver), map[string]*sqlx.Stmt{}}
	ops := s.reads()
	maps.Copy(ops, s.relations())
	maps.Copy(ops, s.writes())
	return &bench.Session{Ops: ops, Close: s.close}, nil
}

func (s *session) close() (err error) {
	for _, st := range s.stmts {
		err = errors.Join(err, st.Close())
	}
	return errors.Join(err, s.db.Close())
}

// stmt returns the statement of a text with question marks, which is prepared
// once.
func (s *session) stmt(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if st := s.stmts[query]; st != nil {
		return st, nil
	}
	st, err := s.db.PreparexContext(ctx, s.db.Rebind(query))
	if err != nil {
		return nil, err
	}
	s.stmts[query] = st
	return st, nil
}

// all returns all rows of a statement.
func all[T any](ctx context.Context, s *session, query string, args ...any) (list []*T, err error) {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	err = st.SelectContext(ctx, &list, args...)
	return list, err
}

// one returns the one row of a statement.
func one[T any](ctx context.Context, s *session, query string, args ...any) (row *T, err error) {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	row = new(T)
	return row, st.GetContext(ctx, row, args...)
}

func (s *session) reads() map[string]bench.Op {
	columns := strings.Join(data.Columns(), ", ")
	return map[string]bench.Op{
		"read-one": bench.NewOp(func(ctx context.Context, run int) (*data.Wide, error) {
			return one[data.Wide](ctx, s, "SELECT "+columns+" FROM wides WHERE id = ?", run%data.Cycle+1)
		}, plain.Wide),
		"wide-100": bench.NewOp(func(ctx context.Context, run int) ([]*data.Wide, error) {
			return all[data.Wide](ctx, s, "SELECT "+columns+" FROM wides WHERE id > ? ORDER BY id LIMIT 100", run%data.Cycle*100)
		}, plain.Wides),
		"wide-10000": bench.NewOp(func(ctx context.Context, _ int) ([]*data.Wide, error) {
			return all[data.Wide](ctx, s, "SELECT "+columns+" FROM wides ORDER BY id")
		}, plain.Wides),
		"filter-count": bench.NewOp(func(ctx context.Context, run int) (int64, error) {
			n, err := one[int64](ctx, s, "SELECT count(*) FROM students s JOIN categories k ON k.id = s.category_id WHERE k.name = ?",
				data.CategoryName(run%data.Cycle+1))
			return *n, err
		}, bench.Same),
		"filter-list": bench.NewOp(func(ctx context.Context, run int) ([]*plain.Student, error) {
			return all[plain.Student](ctx, s, `SELECT s.id, s.name, s.class_id, s.category_id FROM students s
				JOIN school_classes c ON c.id = s.class_id WHERE c.name = ? ORDER BY s.id`, data.ClassName(run%data.Cycle+1))
		}, plain.Bare),
		"stream": bench.NewOp(func(ctx context.Context, _ int) (sum data.Sum, err error) {
			st, err := s.stmt(ctx, "SELECT id, name FROM ticks ORDER BY id")
			if err != nil {
				return sum, err
			}
			rows, err := st.QueryxContext(ctx)
			if err != nil {
				return sum, err
			}
			defer rows.Close()
			for rows.Next() {
				var tick plain.Category // which has the same columns
				if err := rows.StructScan(&tick); err != nil {
					return sum, err
				}
				sum.Add(tick.ID, tick.Name)
			}
			return sum, rows.Err()
		}, bench.Same),
	}
}
