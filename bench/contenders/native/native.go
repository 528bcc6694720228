// Package native is PostgreSQL by pgx's own interface: a pool that prepares and
// keeps statements by itself, batches that take one round trip, and COPY.
package native

import (
	"context"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders/plain"
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/db"
)

// Contender returns native pgx.
func Contender() bench.Contender {
	return bench.Contender{
		Name: "pgx", Title: "pgx without database/sql, written by hand",
		Modules: []string{"github.com/jackc/pgx/v5"}, Databases: []string{"postgres"}, Open: open,
	}
}

type session struct{ pool *pgxpool.Pool }

func open(ctx context.Context, in *db.Instance) (*bench.Session, error) {
	pool, err := pgxpool.New(ctx, in.DSN)
	if err != nil {
		return nil, err
	}
	s := session{pool}
	ops := s.reads()
	maps.Copy(ops, s.relations())
	maps.Copy(ops, s.writes())
	return &bench.Session{Ops: ops, Close: func() error { pool.Close(); return nil }}, nil
}

const columns = "id, quantity, level, name, code, note, active, hidden, price, ratio, created, updated"

func fields(w *data.Wide) []any {
	return []any{
		&w.ID, &w.Quantity, &w.Level, &w.Name, &w.Code, &w.Note,
		&w.Active, &w.Hidden, &w.Price, &w.Ratio, &w.Created, &w.Updated,
	}
}

func (s session) reads() map[string]bench.Op {
	wides := func(ctx context.Context, query string, args ...any) ([]*data.Wide, error) {
		rows, err := s.pool.Query(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*data.Wide, error) {
			w := &data.Wide{}
			return w, row.Scan(&w.ID, &w.Quantity, &w.Level, &w.Name, &w.Code, &w.Note,
				&w.Active, &w.Hidden, &w.Price, &w.Ratio, &w.Created, &w.Updated)
		})
	}
	return map[string]bench.Op{
		"read-one": bench.NewOp(func(ctx context.Context, run int) (*data.Wide, error) {
			w := &data.Wide{}
			return w, s.pool.QueryRow(ctx, "SELECT "+columns+" FROM wides WHERE id = $1", run%data.Cycle+1).Scan(fields(w)...)
		}, plain.Wide),
		"wide-100": bench.NewOp(func(ctx context.Context, run int) ([]*data.Wide, error) {
			return wides(ctx, "SELECT "+columns+" FROM wides WHERE id > $1 ORDER BY id LIMIT 100", run%data.Cycle*100)
		}, plain.Wides),
		"wide-10000": bench.NewOp(func(ctx context.Context, _ int) ([]*data.Wide, error) {
			return wides(ctx, "SELECT "+columns+" FROM wides ORDER BY id")
		}, plain.Wides),
		"filter-count": bench.NewOp(func(ctx context.Context, run int) (n int64, err error) {
			err = s.pool.QueryRow(ctx, "SELECT count(*) FROM students s JOIN categories k ON k.id = s.category_id WHERE k.name = $1",
				data.CategoryName(run%data.Cycle+1)).Scan(&n)
			return n, err
		}, bench.Same),
		"filter-list": bench.NewOp(func(ctx context.Context, run int) ([]*plain.Student, error) {
			rows, err := s.pool.Query(ctx, `SELECT s.id, s.name, s.class_id, s.category_id FROM students s
				JOIN school_classes c ON c.id = s.class_id WHERE c.name = $1 ORDER BY s.id`, data.ClassName(run%data.Cycle+1))
			if err != nil {
				return nil, err
			}
			return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*plain.Student, error) {
				x := &plain.Student{}
				return x, row.Scan(&x.ID, &x.Name, &x.ClassID, &x.CategoryID)
			})
		}, plain.Bare),
		"stream": bench.NewOp(func(ctx context.Context, _ int) (sum data.Sum, err error) {
			rows, err := s.pool.Query(ctx, "SELECT id, name FROM ticks ORDER BY id")
			if err != nil {
				return sum, err
			}
			var id int64
			var name string
			_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
				sum.Add(id, name)
				return nil
			})
			return sum, err
		}, bench.Same),
	}
}
