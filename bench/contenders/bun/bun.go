// Package bun is bun with the settings that it recommends for production. It
// writes values into the texts of its statements and prepares none, so that it
// recommends the simple protocol with pgx.
package bun

import (
	"context"
	"database/sql"
	"runtime"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/db"
)

// Contender returns bun.
func Contender() bench.Contender {
	return bench.Contender{Name: "bun", Title: "bun", Modules: []string{"github.com/uptrace/bun"}, Open: open}
}

type session struct {
	*db.Instance
	db *bun.DB
}

func open(_ context.Context, in *db.Instance) (*bench.Session, error) {
	var (
		pool    = in.Pool()
		dialect schema.Dialect
		err     error
	)
	switch in.Dialect {
	case "sqlite":
		dialect = sqlitedialect.New()
	case "mysql":
		dialect = mysqldialect.New()
	case "postgres":
		dialect = pgdialect.New()
		if err := pool.Close(); err != nil {
			return nil, err
		}
		if pool, err = sql.Open("pgx", in.DSN+"&default_query_exec_mode=simple_protocol"); err != nil {
			return nil, err
		}
	}
	pool.SetMaxOpenConns(4 * runtime.GOMAXPROCS(0))
	pool.SetMaxIdleConns(4 * runtime.GOMAXPROCS(0))
	s := &session{in, bun.NewDB(pool, dialect, bun.WithDiscardUnknownColumns())}
	ops := s.reads()
	s.addRelations(ops)
	s.addWrites(ops)
	return &bench.Session{Ops: ops, Close: s.db.Close}, nil
}

func (s *session) reads() map[string]bench.Op {
	return map[string]bench.Op{
		"read-one": bench.NewOp(func(ctx context.Context, run int) (*wide, error) {
			w := &wide{}
			err := s.db.NewSelect().Model(w).Where("id = ?", run%data.Cycle+1).Scan(ctx)
			return w, err
		}, normalWide),
		"wide-100": bench.NewOp(func(ctx context.Context, run int) (list []*wide, err error) {
			err = s.db.NewSelect().Model(&list).Where("id > ?", run%data.Cycle*100).Order("id").Limit(100).Scan(ctx)
			return list, err
		}, normalWides),
		"wide-10000": bench.NewOp(func(ctx context.Context, _ int) (list []*wide, err error) {
			err = s.db.NewSelect().Model(&list).Order("id").Scan(ctx)
			return list, err
		}, normalWides),
		"stream": bench.NewOp(func(ctx context.Context, _ int) (sum data.Sum, err error) {
			rows, err := s.db.NewSelect().Model((*tick)(nil)).Order("id").Rows(ctx)
			if err != nil {
				return sum, err
			}
			defer rows.Close()
			for rows.Next() {
				var t tick
				if err := s.db.ScanRow(ctx, rows, &t); err != nil {
					return sum, err
				}
				sum.Add(t.ID, t.Name)
			}
			return sum, rows.Err()
		}, bench.Same),
	}
}

func (s *session) addRelations(ops map[string]bench.Op) {
	ops["students-joined"] = bench.NewOp(func(ctx context.Context, _ int) (list []*student, err error) {
		err = s.db.NewSelect().Model(&list).Relation("Class").Relation("Category").Order("s.id").Scan(ctx)
		return list, err
	}, normalStudents)
	// Relations to many have a statement each, those to one are joined to it.
	classes := func(relations ...string) bench.Op {
		return bench.NewOp(func(ctx context.Context, _ int) (list []*class, err error) {
			q := s.db.NewSelect().Model(&list).Order("c.id")
			for _, name := range relations {
				q = q.Relation(name)
			}
			err = q.Scan(ctx)
			return list, err
		}, schools)
	}
	ops["classes-prefetched"] = classes("Students.Category")
	ops["seed-split"] = classes("Students.Category", "Teachers.Category")
	ops["seed-prefetched"] = ops["seed-split"]
	ops["filter-count"] = bench.NewOp(func(ctx context.Context, run int) (int64, error) {
		return s.db.NewSelect().Model((*student)(nil)).Relation("Category").
			Where("category.name = ?", data.CategoryName(run%data.Cycle+1)).Count(ctx)
	}, bench.Same)
	ops["filter-list"] = bench.NewOp(func(ctx context.Context, run int) (list []*student, err error) {
		err = s.db.NewSelect().Model(&list).Join("JOIN school_classes AS c ON c.id = s.class_id").
			Where("c.name = ?", data.ClassName(run%data.Cycle+1)).Order("s.id").Scan(ctx)
		return list, err
	}, bare)
	kept := s.db.NewSelect().Model((*student)(nil)).Relation("Class").Relation("Category").Order("s.id")
	ops["text-kept"] = bench.NewOp(func(context.Context, int) (string, error) { return kept.String(), nil }, bench.Same)
	ops["text-fresh"] = bench.NewOp(func(_ context.Context, run int) (string, error) {
		some := s.db.NewSelect().Model((*student)(nil)).ColumnExpr("1").
			Join("JOIN categories AS k ON k.id = s.category_id").Where("s.class_id = c.id").
			Where("s.name = ?", "Student 0001").Where("k.name = ?", "category 01")
		return s.db.NewSelect().Model((*class)(nil)).Where("c.name = ?", data.ClassName(run%data.Cycle+1)).
			Where("EXISTS (?)", some).Order("c.id").String(), nil
	}, bench.Same)
}
