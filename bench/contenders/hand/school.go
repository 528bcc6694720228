package hand

import (
	"context"
	"database/sql"
	"strings"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
)

// The models of the school. A row of the database is one value in a result.
type (
	class struct {
		id       int64
		name     string
		students []*student
		teachers []*student
	}
	category struct {
		id   int64
		name string
	}
	student struct {
		id         int64
		name       string
		classID    int64
		categoryID sql.NullInt64
		class      *class
		category   *category
	}
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
		"students-joined": bench.NewOp(func(ctx context.Context, _ int) ([]*student, error) {
			return s.studentsJoined(ctx)
		}, func(list []*student) any { return people(list) }),
		"classes-joined": bench.NewOp(func(ctx context.Context, _ int) ([]*class, error) {
			return s.classesJoined(ctx)
		}, schools),
		"filter-count": bench.NewOp(func(ctx context.Context, run int) (n int64, err error) {
			st, err := s.stmt(ctx, filterCount)
			if err != nil {
				return 0, err
			}
			err = st.QueryRowContext(ctx, data.CategoryName(run%data.Cycle+1)).Scan(&n)
			return n, err
		}, bench.Same),
		"filter-list": bench.NewOp(func(ctx context.Context, run int) (list []*student, err error) {
			err = s.each(ctx, filterList, func(rows *sql.Rows) error {
				x := &student{}
				list = append(list, x)
				return rows.Scan(&x.id, &x.name, &x.classID, &x.categoryID)
			}, data.ClassName(run%data.Cycle+1))
			return list, err
		}, func(list []*student) any { return bare(list) }),
		"text-kept": bench.NewOp(func(context.Context, int) (string, error) {
			return studentsJoined, nil
		}, bench.Same),
		"text-fresh": bench.NewOp(func(_ context.Context, run int) (string, error) {
			return fresh(run), nil
		}, bench.Same),
	}
}

func (s *session) studentsJoined(ctx context.Context) (list []*student, err error) {
	classes, categories := map[int64]*class{}, map[int64]*category{}
	var className, categoryName sql.NullString
	err = s.each(ctx, studentsJoined, func(rows *sql.Rows) error {
		x := &student{}
		list = append(list, x)
		if err := rows.Scan(&x.id, &x.name, &x.classID, &x.categoryID, &className, &categoryName); err != nil {
			return err
		}
		if x.class = classes[x.classID]; x.class == nil {
			x.class = &class{id: x.classID, name: className.String}
			classes[x.classID] = x.class
		}
		x.category = categoryOf(categories, x.categoryID, categoryName)
		return nil
	})
	return list, err
}

// categoryOf returns the one value of a category that may be NULL.
func categoryOf(known map[int64]*category, id sql.NullInt64, name sql.NullString) *category {
	if !id.Valid {
		return nil
	}
	k := known[id.Int64]
	if k == nil {
		k = &category{id.Int64, name.String}
		known[id.Int64] = k
	}
	return k
}

func (s *session) classesJoined(ctx context.Context) (list []*class, err error) {
	var (
		categories = map[int64]*category{}
		current    *class
		c          class
		id         sql.NullInt64
		name       sql.NullString
		categoryID sql.NullInt64
		kName      sql.NullString
	)
	err = s.each(ctx, classesJoined, func(rows *sql.Rows) error {
		if err := rows.Scan(&c.id, &c.name, &id, &name, &categoryID, &kName); err != nil {
			return err
		}
		if current == nil || current.id != c.id {
			current = &class{id: c.id, name: c.name}
			list = append(list, current)
		}
		if id.Valid {
			current.students = append(current.students, &student{
				id: id.Int64, name: name.String, classID: c.id, categoryID: categoryID,
				class: current, category: categoryOf(categories, categoryID, kName),
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
