package gorm

import (
	"context"
	"slices"
	"sync"

	"gorm.io/gorm"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
)

// batch is how many rows an INSERT has.
const batch = 100

func (s *session) classicOps() map[string]bench.Op {
	ops := map[string]bench.Op{
		"read-one": bench.NewOp(func(ctx context.Context, run int) (w wide, err error) {
			err = s.db.WithContext(ctx).Take(&w, run%data.Cycle+1).Error
			return w, err
		}, normalWide),
		"wide-100": bench.NewOp(func(ctx context.Context, run int) (list []wide, err error) {
			err = s.db.WithContext(ctx).Where("id > ?", run%data.Cycle*100).Order("id").Limit(100).Find(&list).Error
			return list, err
		}, normalWides),
		"wide-10000": bench.NewOp(func(ctx context.Context, _ int) (list []wide, err error) {
			err = s.db.WithContext(ctx).Order("id").Find(&list).Error
			return list, err
		}, normalWides),
		"students-joined": bench.NewOp(func(ctx context.Context, _ int) (list []student, err error) {
			err = s.db.WithContext(ctx).Joins("Class").Joins("Category").Order("students.id").Find(&list).Error
			return list, err
		}, normalStudents),
		"filter-count": bench.NewOp(func(ctx context.Context, run int) (n int64, err error) {
			err = s.db.WithContext(ctx).Model(&student{}).Joins("JOIN categories ON categories.id = students.category_id").
				Where("categories.name = ?", data.CategoryName(run%data.Cycle+1)).Count(&n).Error
			return n, err
		}, bench.Same),
		"filter-list": bench.NewOp(func(ctx context.Context, run int) (list []student, err error) {
			err = s.db.WithContext(ctx).Joins("JOIN school_classes ON school_classes.id = students.class_id").
				Where("school_classes.name = ?", data.ClassName(run%data.Cycle+1)).Order("students.id").Find(&list).Error
			return list, err
		}, bare),
		"stream": bench.NewOp(func(ctx context.Context, _ int) (sum data.Sum, err error) {
			db := s.db.WithContext(ctx)
			rows, err := db.Model(&tick{}).Order("id").Rows()
			if err != nil {
				return sum, err
			}
			defer rows.Close()
			for rows.Next() {
				var t tick
				if err := db.ScanRows(rows, &t); err != nil {
					return sum, err
				}
				sum.Add(t.ID, t.Name)
			}
			return sum, rows.Err()
		}, bench.Same),
	}
	s.addClassicClasses(ops)
	s.addClassicTexts(ops)
	s.addClassicWrites(ops)
	return ops
}

func (s *session) addClassicClasses(ops map[string]bench.Op) {
	classes := func(preload ...string) bench.Op {
		return bench.NewOp(func(ctx context.Context, _ int) (list []class, err error) {
			db := s.db.WithContext(ctx)
			for _, path := range preload {
				db = db.Preload(path)
			}
			err = db.Order("id").Find(&list).Error
			return list, err
		}, schools)
	}
	ops["classes-prefetched"] = classes("Students.Category")
	ops["seed-split"] = classes("Students.Category", "Teachers.Category")
	ops["seed-prefetched"] = ops["seed-split"]
}

func (s *session) addClassicTexts(ops map[string]bench.Op) {
	dry := s.db.Session(&gorm.Session{DryRun: true})
	ops["text-kept"] = bench.NewOp(func(context.Context, int) (string, error) {
		var list []student
		db := dry.Joins("Class").Joins("Category").Order("students.id").Find(&list)
		return db.Statement.SQL.String(), db.Error
	}, bench.Same)
	ops["text-fresh"] = bench.NewOp(func(_ context.Context, run int) (string, error) {
		some := s.db.Model(&student{}).Select("1").Joins("JOIN categories ON categories.id = students.category_id").
			Where("students.class_id = school_classes.id").Where("students.name = ?", "Student 0001").Where("categories.name = ?", "category 01")
		var list []class
		db := dry.Where("name = ?", data.ClassName(run%data.Cycle+1)).Where("EXISTS (?)", some).Order("id").Find(&list)
		return db.Statement.SQL.String(), db.Error
	}, bench.Same)
}

// inserted returns rows that are to be inserted, as data.Inserted does.
func inserted(n int) func() []entry {
	return sync.OnceValue(func() []entry {
		list := make([]entry, n)
		for i, w := range data.Inserted(n)() {
			list[i] = entry(w)
		}
		return list
	})
}

func (s *session) addClassicWrites(ops map[string]bench.Op) {
	insert := func(n int) bench.Op {
		rows := inserted(n)
		return bench.NewOp(func(ctx context.Context, _ int) ([]entry, error) {
			list := slices.Clone(rows())
			return list, s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
				return tx.CreateInBatches(list, batch).Error
			})
		}, normalEntries)
	}
	one, first, thousand := inserted(1), data.Edits(7, 1), data.Edits(1, 1000)
	ops["insert-one"] = bench.NewOp(func(ctx context.Context, _ int) ([]entry, error) {
		list := slices.Clone(one())
		return list, s.db.WithContext(ctx).Create(&list[0]).Error
	}, normalEntries)
	ops["insert-1000"] = insert(1000)
	ops["insert-10000"] = insert(10_000)
	ops["update-one"] = bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
		return none, update(s.db.WithContext(ctx), first(run)[0])
	}, bench.Same)
	ops["update-1000"] = bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
		return none, s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			for _, e := range thousand(run) {
				if err := update(tx, e); err != nil {
					return err
				}
			}
			return nil
		})
	}, bench.Same)
}

func update(db *gorm.DB, e data.Edit) error {
	db = db.Model(&entry{ID: e.ID}).Select("name", "quantity").UpdateColumns(&entry{Name: e.Name, Quantity: e.Quantity})
	if db.Error == nil && db.RowsAffected != 1 {
		return gorm.ErrRecordNotFound
	}
	return db.Error
}
