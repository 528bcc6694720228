package gorm

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
)

func (s *session) genericOps() map[string]bench.Op {
	join := clause.LeftJoin.Association
	ops := map[string]bench.Op{
		"read-one": bench.NewOp(func(ctx context.Context, run int) (wide, error) {
			return gorm.G[wide](s.db).Where("id = ?", run%data.Cycle+1).Take(ctx)
		}, normalWide),
		"wide-100": bench.NewOp(func(ctx context.Context, run int) ([]wide, error) {
			return gorm.G[wide](s.db).Where("id > ?", run%data.Cycle*100).Order("id").Limit(100).Find(ctx)
		}, normalWides),
		"wide-10000": bench.NewOp(func(ctx context.Context, _ int) ([]wide, error) {
			return gorm.G[wide](s.db).Order("id").Find(ctx)
		}, normalWides),
		"students-joined": bench.NewOp(func(ctx context.Context, _ int) ([]student, error) {
			return gorm.G[student](s.db).Joins(join("Class"), nil).Joins(join("Category"), nil).Order("students.id").Find(ctx)
		}, normalStudents),
		"filter-count": bench.NewOp(func(ctx context.Context, run int) (int64, error) {
			return gorm.G[student](s.db).Joins(join("Category"), nil).
				Where(clause.Eq{Column: clause.Column{Table: "Category", Name: "name"}, Value: data.CategoryName(run%data.Cycle + 1)}).
				Count(ctx, "*")
		}, bench.Same),
		"stream": bench.NewOp(func(ctx context.Context, _ int) (sum data.Sum, err error) {
			rows, err := gorm.G[tick](s.db).Order("id").Rows(ctx)
			if err != nil {
				return sum, err
			}
			defer rows.Close()
			for rows.Next() {
				var t tick
				if err := s.db.ScanRows(rows, &t); err != nil {
					return sum, err
				}
				sum.Add(t.ID, t.Name)
			}
			return sum, rows.Err()
		}, bench.Same),
	}
	// A join of gorm.G would read the class, too.
	ops["filter-list"] = bench.NewOp(func(ctx context.Context, run int) ([]student, error) {
		return gorm.G[student](s.db).
			Where("class_id IN (?)", s.db.Model(&class{}).Select("id").Where("name = ?", data.ClassName(run%data.Cycle+1))).
			Order("id").Find(ctx)
	}, bare)
	classes := func(preload ...string) bench.Op {
		return bench.NewOp(func(ctx context.Context, _ int) ([]class, error) {
			q := gorm.G[class](s.db).Order("id")
			for _, path := range preload {
				q = q.Preload(path, nil)
			}
			return q.Find(ctx)
		}, schools)
	}
	ops["classes-prefetched"] = classes("Students.Category")
	ops["seed-split"] = classes("Students.Category", "Teachers.Category")
	ops["seed-prefetched"] = ops["seed-split"]
	s.addGenericWrites(ops)
	return ops
}

func (s *session) addGenericWrites(ops map[string]bench.Op) {
	insert := func(n int) bench.Op {
		rows := inserted(n)
		return bench.NewOp(func(ctx context.Context, _ int) ([]entry, error) {
			list := slices.Clone(rows())
			return list, s.db.Transaction(func(tx *gorm.DB) error {
				return gorm.G[entry](tx).CreateInBatches(ctx, &list, batch)
			})
		}, normalEntries)
	}
	one, first, thousand := inserted(1), data.Edits(7, 1), data.Edits(1, 1000)
	ops["insert-one"] = bench.NewOp(func(ctx context.Context, _ int) ([]entry, error) {
		list := slices.Clone(one())
		return list, gorm.G[entry](s.db).Create(ctx, &list[0])
	}, normalEntries)
	ops["insert-1000"] = insert(1000)
	ops["insert-10000"] = insert(10_000)
	ops["update-one"] = bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
		return none, updateG(ctx, s.db, first(run)[0])
	}, bench.Same)
	ops["update-1000"] = bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
		return none, s.db.Transaction(func(tx *gorm.DB) error {
			for _, e := range thousand(run) {
				if err := updateG(ctx, tx, e); err != nil {
					return err
				}
			}
			return nil
		})
	}, bench.Same)
}

func updateG(ctx context.Context, db *gorm.DB, e data.Edit) error {
	n, err := gorm.G[entry](db).Where("id = ?", e.ID).Select("name", "quantity").Updates(ctx, entry{Name: e.Name, Quantity: e.Quantity})
	if err == nil && n != 1 {
		return gorm.ErrRecordNotFound
	}
	return err
}
