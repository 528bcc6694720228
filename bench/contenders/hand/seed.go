package hand

import (
	"context"
	"database/sql"
	"strings"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders/plain"
)

func (s *session) seedOps() map[string]bench.Op {
	split := func(ctx context.Context, _ int) ([]*plain.Class, error) { return s.seedSplit(ctx) }
	return map[string]bench.Op{
		"classes-prefetched": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.prefetched(ctx)
		}, plain.Schools),
		"seed-cartesian": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.seedCartesian(ctx)
		}, plain.Schools),
		"seed-split":      bench.NewOp(split, plain.Schools),
		"seed-prefetched": bench.NewOp(split, plain.Schools),
	}
}

func (s *session) seedCartesian(ctx context.Context) (list []*plain.Class, err error) {
	var (
		categories = plain.Categories{}
		current    *plain.Class
		c          plain.Class
		st, te     plain.Member
	)
	err = s.each(ctx, plain.Cartesian, func(rows *sql.Rows) error {
		if err := rows.Scan(&c.ID, &c.Name, &st.ID, &st.Name, &st.CategoryID, &st.Category,
			&te.ID, &te.Name, &te.CategoryID, &te.Category); err != nil {
			return err
		}
		if current == nil || current.ID != c.ID {
			current = &plain.Class{ID: c.ID, Name: c.Name}
			list = append(list, current)
		}
		current.Students = st.Add(current.Students, current, categories)
		current.Teachers = te.Add(current.Teachers, current, categories)
		return nil
	})
	return list, err
}

// seedSplit reads each table once.
func (s *session) seedSplit(ctx context.Context) ([]*plain.Class, error) {
	list, byID, err := s.classes(ctx)
	if err != nil {
		return nil, err
	}
	categories := plain.Categories{}
	if err := s.each(ctx, "SELECT id, name FROM categories", scanCategory(categories)); err != nil {
		return nil, err
	}
	member := func(add func(c *plain.Class, x *plain.Student)) func(rows *sql.Rows) error {
		return func(rows *sql.Rows) error {
			x := &plain.Student{}
			err := rows.Scan(&x.ID, &x.Name, &x.ClassID, &x.CategoryID)
			x.Class, x.Category = byID[x.ClassID], categories[x.CategoryID.Int64]
			add(x.Class, x)
			return err
		}
	}
	if err := s.each(ctx, "SELECT id, name, class_id, category_id FROM students ORDER BY id",
		member(func(c *plain.Class, x *plain.Student) { c.Students = append(c.Students, x) })); err != nil {
		return nil, err
	}
	return list, s.each(ctx, "SELECT id, name, class_id, category_id FROM teachers ORDER BY id",
		member(func(c *plain.Class, x *plain.Student) { c.Teachers = append(c.Teachers, x) }))
}

func (s *session) classes(ctx context.Context) (list []*plain.Class, byID map[int64]*plain.Class, err error) {
	byID = map[int64]*plain.Class{}
	err = s.each(ctx, "SELECT id, name FROM school_classes ORDER BY id", func(rows *sql.Rows) error {
		c := &plain.Class{}
		err := rows.Scan(&c.ID, &c.Name)
		list, byID[c.ID] = append(list, c), c
		return err
	})
	return list, byID, err
}

func scanCategory(to plain.Categories) func(rows *sql.Rows) error {
	return func(rows *sql.Rows) error {
		k := &plain.Category{}
		err := rows.Scan(&k.ID, &k.Name)
		to[k.ID] = k
		return err
	}
}

// prefetched asks for the rows that belong to those before, by their keys.
func (s *session) prefetched(ctx context.Context) ([]*plain.Class, error) {
	list, byID, err := s.classes(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]int64, len(list))
	for i, c := range list {
		keys[i] = c.ID
	}
	var students []*plain.Student
	seen := map[int64]bool{}
	var categoryKeys []int64
	in, args := s.in(keys)
	if err := s.each(ctx, "SELECT id, name, class_id, category_id FROM students WHERE class_id "+in+" ORDER BY id", func(rows *sql.Rows) error {
		x := &plain.Student{}
		err := rows.Scan(&x.ID, &x.Name, &x.ClassID, &x.CategoryID)
		x.Class = byID[x.ClassID]
		x.Class.Students = append(x.Class.Students, x)
		if x.CategoryID.Valid && !seen[x.CategoryID.Int64] {
			seen[x.CategoryID.Int64] = true
			categoryKeys = append(categoryKeys, x.CategoryID.Int64)
		}
		students = append(students, x)
		return err
	}, args...); err != nil {
		return nil, err
	}
	categories := plain.Categories{}
	in, args = s.in(categoryKeys)
	if err := s.each(ctx, "SELECT id, name FROM categories WHERE id "+in, scanCategory(categories), args...); err != nil {
		return nil, err
	}
	for _, x := range students {
		x.Category = categories[x.CategoryID.Int64]
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
