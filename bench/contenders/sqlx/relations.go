package sqlx

import (
	"context"
	"database/sql"

	"github.com/jmoiron/sqlx"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders/plain"
)

func (s *session) relations() map[string]bench.Op {
	split := bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) { return s.split(ctx) }, plain.Schools)
	return map[string]bench.Op{
		"students-joined": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Student, error) {
			return s.students(ctx)
		}, plain.Students),
		"classes-joined": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.joined(ctx)
		}, plain.Schools),
		"seed-cartesian": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.cartesian(ctx)
		}, plain.Schools),
		"classes-prefetched": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.prefetched(ctx)
		}, plain.Schools),
		"seed-split":      split,
		"seed-prefetched": split,
	}
}

// A joined row of students has the names of what it is joined with.
type studentRow struct {
	plain.Student
	ClassName    string         `db:"class_name"`
	CategoryName sql.NullString `db:"category_name"`
}

func (s *session) students(ctx context.Context) ([]*plain.Student, error) {
	rows, err := all[studentRow](ctx, s, `SELECT s.id, s.name, s.class_id, s.category_id, c.name AS class_name, k.name AS category_name
		FROM students s JOIN school_classes c ON c.id = s.class_id LEFT JOIN categories k ON k.id = s.category_id ORDER BY s.id`)
	list := make([]*plain.Student, len(rows))
	classes, categories := map[int64]*plain.Class{}, plain.Categories{}
	for i, row := range rows {
		x := &row.Student
		if x.Class = classes[x.ClassID]; x.Class == nil {
			x.Class = &plain.Class{ID: x.ClassID, Name: row.ClassName}
			classes[x.ClassID] = x.Class
		}
		x.Category = categories.Of(x.CategoryID, row.CategoryName)
		list[i] = x
	}
	return list, err
}

type classRow struct {
	ClassID      int64          `db:"class_id"`
	ClassName    string         `db:"class_name"`
	ID           sql.NullInt64  `db:"id"`
	Name         sql.NullString `db:"name"`
	CategoryID   sql.NullInt64  `db:"category_id"`
	CategoryName sql.NullString `db:"category_name"`
}

func (s *session) joined(ctx context.Context) (list []*plain.Class, err error) {
	rows, err := all[classRow](ctx, s, `SELECT c.id AS class_id, c.name AS class_name, s.id, s.name, s.category_id, k.name AS category_name
		FROM school_classes c LEFT JOIN students s ON s.class_id = c.id LEFT JOIN categories k ON k.id = s.category_id ORDER BY c.id, s.id`)
	categories := plain.Categories{}
	var current *plain.Class
	for _, row := range rows {
		if current == nil || current.ID != row.ClassID {
			current = &plain.Class{ID: row.ClassID, Name: row.ClassName}
			list = append(list, current)
		}
		if row.ID.Valid {
			current.Students = append(current.Students, &plain.Student{
				ID: row.ID.Int64, Name: row.Name.String, ClassID: row.ClassID, CategoryID: row.CategoryID,
				Class: current, Category: categories.Of(row.CategoryID, row.CategoryName),
			})
		}
	}
	return list, err
}

// cartesian scans rows by place: a struct would need ten names for them.
func (s *session) cartesian(ctx context.Context) (list []*plain.Class, err error) {
	st, err := s.stmt(ctx, plain.Cartesian)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryxContext(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var (
		categories       = plain.Categories{}
		current          *plain.Class
		c                plain.Class
		student, teacher plain.Member
	)
	for rows.Next() {
		if err := rows.Scan(&c.ID, &c.Name, &student.ID, &student.Name, &student.CategoryID, &student.Category,
			&teacher.ID, &teacher.Name, &teacher.CategoryID, &teacher.Category); err != nil {
			return nil, err
		}
		if current == nil || current.ID != c.ID {
			current = &plain.Class{ID: c.ID, Name: c.Name}
			list = append(list, current)
		}
		current.Students = student.Add(current.Students, current, categories)
		current.Teachers = teacher.Add(current.Teachers, current, categories)
	}
	return list, rows.Err()
}

// split reads each table once.
func (s *session) split(ctx context.Context) ([]*plain.Class, error) {
	classes, err := all[plain.Class](ctx, s, "SELECT id, name FROM school_classes ORDER BY id")
	if err != nil {
		return nil, err
	}
	categories, err := all[plain.Category](ctx, s, "SELECT id, name FROM categories")
	if err != nil {
		return nil, err
	}
	students, err := all[plain.Student](ctx, s, "SELECT id, name, class_id, category_id FROM students ORDER BY id")
	if err != nil {
		return nil, err
	}
	teachers, err := all[plain.Student](ctx, s, "SELECT id, name, class_id, category_id FROM teachers ORDER BY id")
	if err != nil {
		return nil, err
	}
	link(classes, categories, students, teachers)
	return classes, nil
}

// prefetched asks for the rows that belong to those before, by their keys.
func (s *session) prefetched(ctx context.Context) ([]*plain.Class, error) {
	classes, err := all[plain.Class](ctx, s, "SELECT id, name FROM school_classes ORDER BY id")
	if err != nil {
		return nil, err
	}
	keys := make([]int64, len(classes))
	for i, c := range classes {
		keys[i] = c.ID
	}
	students, err := in[plain.Student](ctx, s, "SELECT id, name, class_id, category_id FROM students WHERE class_id IN (?) ORDER BY id", keys)
	if err != nil {
		return nil, err
	}
	keys = nil
	seen := map[int64]bool{}
	for _, x := range students {
		if k := x.CategoryID; k.Valid && !seen[k.Int64] {
			seen[k.Int64] = true
			keys = append(keys, k.Int64)
		}
	}
	categories, err := in[plain.Category](ctx, s, "SELECT id, name FROM categories WHERE id IN (?)", keys)
	if err != nil {
		return nil, err
	}
	link(classes, categories, students, nil)
	return classes, nil
}

// in returns all rows of a statement with a list.
func in[T any](ctx context.Context, s *session, query string, keys []int64) ([]*T, error) {
	query, args, err := sqlx.In(query, keys)
	if err != nil {
		return nil, err
	}
	return all[T](ctx, s, query, args...)
}

// link connects rows by their keys.
func link(classes []*plain.Class, categories []*plain.Category, students, teachers []*plain.Student) {
	classByID, categoryByID := map[int64]*plain.Class{}, map[int64]*plain.Category{}
	for _, c := range classes {
		classByID[c.ID] = c
	}
	for _, k := range categories {
		categoryByID[k.ID] = k
	}
	for _, x := range students {
		x.Class, x.Category = classByID[x.ClassID], categoryByID[x.CategoryID.Int64]
		x.Class.Students = append(x.Class.Students, x)
	}
	for _, x := range teachers {
		x.Class, x.Category = classByID[x.ClassID], categoryByID[x.CategoryID.Int64]
		x.Class.Teachers = append(x.Class.Teachers, x)
	}
}
