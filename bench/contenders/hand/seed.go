package hand

import (
	"context"
	"database/sql"
	"strings"

	"github.com/kin-orm/kin/bench"
)

// seedCartesian multiplies students by teachers, as a join of two branches does.
const seedCartesian = `SELECT c.id, c.name, s.id, s.name, s.category_id, sk.name, t.id, t.name, t.category_id, tk.name
	FROM school_classes c
	LEFT JOIN students s ON s.class_id = c.id LEFT JOIN categories sk ON sk.id = s.category_id
	LEFT JOIN teachers t ON t.class_id = c.id LEFT JOIN categories tk ON tk.id = t.category_id
	ORDER BY c.id, s.id, t.id`

func (s *session) seedOps() map[string]bench.Op {
	split := func(ctx context.Context, _ int) ([]*class, error) { return s.seedSplit(ctx) }
	return map[string]bench.Op{
		"classes-prefetched": bench.NewOp(func(ctx context.Context, _ int) ([]*class, error) {
			return s.prefetched(ctx)
		}, schools),
		"seed-cartesian": bench.NewOp(func(ctx context.Context, _ int) ([]*class, error) {
			return s.seedCartesian(ctx)
		}, schools),
		"seed-split":      bench.NewOp(split, schools),
		"seed-prefetched": bench.NewOp(split, schools),
	}
}

// A person is what a row says of a student or a teacher.
type person struct {
	id         sql.NullInt64
	name       sql.NullString
	categoryID sql.NullInt64
	category   sql.NullString
}

func (s *session) seedCartesian(ctx context.Context) (list []*class, err error) {
	var (
		categories = map[int64]*category{}
		current    *class
		c          class
		st, te     person
	)
	// Rows are sorted by class, student and teacher: a student is new if it is not
	// the last one, a teacher if it is beyond the last one.
	add := func(to []*student, p *person) []*student {
		if !p.id.Valid || len(to) > 0 && p.id.Int64 <= to[len(to)-1].id {
			return to
		}
		return append(to, &student{
			id: p.id.Int64, name: p.name.String, classID: current.id, categoryID: p.categoryID,
			class: current, category: categoryOf(categories, p.categoryID, p.category),
		})
	}
	err = s.each(ctx, seedCartesian, func(rows *sql.Rows) error {
		if err := rows.Scan(&c.id, &c.name, &st.id, &st.name, &st.categoryID, &st.category,
			&te.id, &te.name, &te.categoryID, &te.category); err != nil {
			return err
		}
		if current == nil || current.id != c.id {
			current = &class{id: c.id, name: c.name}
			list = append(list, current)
		}
		current.students = add(current.students, &st)
		current.teachers = add(current.teachers, &te)
		return nil
	})
	return list, err
}

// seedSplit reads each table once.
func (s *session) seedSplit(ctx context.Context) ([]*class, error) {
	list, byID, err := s.classes(ctx)
	if err != nil {
		return nil, err
	}
	categories := map[int64]*category{}
	if err := s.each(ctx, "SELECT id, name FROM categories", scanCategory(categories)); err != nil {
		return nil, err
	}
	member := func(add func(c *class, x *student)) func(rows *sql.Rows) error {
		return func(rows *sql.Rows) error {
			x := &student{}
			err := rows.Scan(&x.id, &x.name, &x.classID, &x.categoryID)
			x.class, x.category = byID[x.classID], categories[x.categoryID.Int64]
			add(x.class, x)
			return err
		}
	}
	if err := s.each(ctx, "SELECT id, name, class_id, category_id FROM students ORDER BY id",
		member(func(c *class, x *student) { c.students = append(c.students, x) })); err != nil {
		return nil, err
	}
	return list, s.each(ctx, "SELECT id, name, class_id, category_id FROM teachers ORDER BY id",
		member(func(c *class, x *student) { c.teachers = append(c.teachers, x) }))
}

func (s *session) classes(ctx context.Context) (list []*class, byID map[int64]*class, err error) {
	byID = map[int64]*class{}
	err = s.each(ctx, "SELECT id, name FROM school_classes ORDER BY id", func(rows *sql.Rows) error {
		c := &class{}
		err := rows.Scan(&c.id, &c.name)
		list, byID[c.id] = append(list, c), c
		return err
	})
	return list, byID, err
}

func scanCategory(to map[int64]*category) func(rows *sql.Rows) error {
	return func(rows *sql.Rows) error {
		k := &category{}
		err := rows.Scan(&k.id, &k.name)
		to[k.id] = k
		return err
	}
}

// prefetched asks for the rows that belong to those before, by their keys.
func (s *session) prefetched(ctx context.Context) ([]*class, error) {
	list, byID, err := s.classes(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]int64, len(list))
	for i, c := range list {
		keys[i] = c.id
	}
	var students []*student
	seen := map[int64]bool{}
	var categoryKeys []int64
	in, args := s.in(keys)
	if err := s.each(ctx, "SELECT id, name, class_id, category_id FROM students WHERE class_id "+in+" ORDER BY id", func(rows *sql.Rows) error {
		x := &student{}
		err := rows.Scan(&x.id, &x.name, &x.classID, &x.categoryID)
		x.class = byID[x.classID]
		x.class.students = append(x.class.students, x)
		if x.categoryID.Valid && !seen[x.categoryID.Int64] {
			seen[x.categoryID.Int64] = true
			categoryKeys = append(categoryKeys, x.categoryID.Int64)
		}
		students = append(students, x)
		return err
	}, args...); err != nil {
		return nil, err
	}
	categories := map[int64]*category{}
	in, args = s.in(categoryKeys)
	if err := s.each(ctx, "SELECT id, name FROM categories WHERE id "+in, scanCategory(categories), args...); err != nil {
		return nil, err
	}
	for _, x := range students {
		x.category = categories[x.categoryID.Int64]
	}
	return list, nil
}

// in returns the condition that something is one of the keys.
func (s *session) in(keys []int64) (string, []any) {
	if s.Dialect == "postgres" {
		return "= ANY (?)", []any{keys}
	}
	args := make([]any, len(keys))
	for i, key := range keys {
		args[i] = key
	}
	return "IN (" + strings.Repeat("?, ", len(keys)-1) + "?)", args
}
