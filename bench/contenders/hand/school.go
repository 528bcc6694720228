package hand

import (
	"context"
	"database/sql"
	"strings"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders/plain"
	"github.com/kin-orm/kin/bench/data"
)

const (
	studentsJoined = `SELECT s.id, s.name, s.class_id, s.category_id, c.name, k.name FROM students s
		JOIN school_classes c ON c.id = s.class_id LEFT JOIN categories k ON k.id = s.category_id ORDER BY s.id`
	classesJoined = `SELECT c.id, c.name, s.id, s.name, s.category_id, k.name FROM school_classes c
		LEFT JOIN students s ON s.class_id = c.id LEFT JOIN categories k ON k.id = s.category_id ORDER BY c.id, s.id`
	filterCount = `SELECT count(*) FROM students s JOIN categories k ON k.id = s.category_id WHERE k.name = ?`
	filterList  = `SELECT s.id, s.name, s.class_id, s.category_id FROM students s
		JOIN school_classes c ON c.id = s.class_id WHERE c.name = ? ORDER BY s.id`
)

func (s *session) schoolOps() map[string]bench.Op {
	return map[string]bench.Op{
		"students-joined": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Student, error) {
			return s.studentsJoined(ctx)
		}, plain.Students),
		"classes-joined": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.classesJoined(ctx)
		}, plain.Schools),
		"filter-count": bench.NewOp(func(ctx context.Context, run int) (n int64, err error) {
			st, err := s.stmt(ctx, filterCount)
			if err != nil {
				return 0, err
			}
			err = st.QueryRowContext(ctx, data.CategoryName(run%data.Cycle+1)).Scan(&n)
			return n, err
		}, bench.Same),
		"filter-list": bench.NewOp(func(ctx context.Context, run int) (list []*plain.Student, err error) {
			err = s.each(ctx, filterList, func(rows *sql.Rows) error {
				x := &plain.Student{}
				list = append(list, x)
				return rows.Scan(&x.ID, &x.Name, &x.ClassID, &x.CategoryID)
			}, data.ClassName(run%data.Cycle+1))
			return list, err
		}, plain.Bare),
		"text-kept": bench.NewOp(func(context.Context, int) (string, error) {
			return studentsJoined, nil
		}, bench.Same),
		"text-fresh": bench.NewOp(func(_ context.Context, run int) (string, error) {
			return fresh(run), nil
		}, bench.Same),
	}
}

func (s *session) studentsJoined(ctx context.Context) (list []*plain.Student, err error) {
	classes, categories := map[int64]*plain.Class{}, plain.Categories{}
	var className, categoryName sql.NullString
	err = s.each(ctx, studentsJoined, func(rows *sql.Rows) error {
		x := &plain.Student{}
		list = append(list, x)
		if err := rows.Scan(&x.ID, &x.Name, &x.ClassID, &x.CategoryID, &className, &categoryName); err != nil {
			return err
		}
		if x.Class = classes[x.ClassID]; x.Class == nil {
			x.Class = &plain.Class{ID: x.ClassID, Name: className.String}
			classes[x.ClassID] = x.Class
		}
		x.Category = categories.Of(x.CategoryID, categoryName)
		return nil
	})
	return list, err
}

func (s *session) classesJoined(ctx context.Context) (list []*plain.Class, err error) {
	var (
		categories = plain.Categories{}
		current    *plain.Class
		c          plain.Class
		id         sql.NullInt64
		name       sql.NullString
		categoryID sql.NullInt64
		kName      sql.NullString
	)
	err = s.each(ctx, classesJoined, func(rows *sql.Rows) error {
		if err := rows.Scan(&c.ID, &c.Name, &id, &name, &categoryID, &kName); err != nil {
			return err
		}
		if current == nil || current.ID != c.ID {
			current = &plain.Class{ID: c.ID, Name: c.Name}
			list = append(list, current)
		}
		if id.Valid {
			current.Students = append(current.Students, &plain.Student{
				ID: id.Int64, Name: name.String, ClassID: c.ID, CategoryID: categoryID,
				Class: current, Category: categories.Of(categoryID, kName),
			})
		}
		return nil
	})
	return list, err
}

// fresh builds the text of a query with three conditions, as one does whose
// conditions depend on what a user has asked for.
func fresh(run int) string {
	var b strings.Builder
	b.WriteString("SELECT c.id, c.name FROM school_classes c WHERE ")
	if run >= 0 {
		b.WriteString("c.name = ?")
	}
	if run >= 0 {
		b.WriteString(" AND EXISTS (SELECT 1 FROM students s LEFT JOIN categories k ON k.id = s.category_id WHERE s.class_id = c.id")
		b.WriteString(" AND s.name = ?")
		b.WriteString(" AND k.name = ?)")
	}
	b.WriteString(" ORDER BY c.id")
	return b.String()
}
