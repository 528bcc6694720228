package native

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders/plain"
)

func (s session) relations() map[string]bench.Op {
	return map[string]bench.Op{
		"students-joined": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Student, error) {
			return s.students(ctx)
		}, plain.Students),
		"classes-joined": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.joined(ctx)
		}, plain.Schools),
		"classes-prefetched": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.split(ctx, false)
		}, plain.Schools),
		"seed-cartesian": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.cartesian(ctx)
		}, plain.Schools),
		"seed-split": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.split(ctx, true)
		}, plain.Schools),
		"seed-prefetched": bench.NewOp(func(ctx context.Context, _ int) ([]*plain.Class, error) {
			return s.split(ctx, true)
		}, plain.Schools),
	}
}

func (s session) students(ctx context.Context) (list []*plain.Student, err error) {
	rows, err := s.pool.Query(ctx, `SELECT s.id, s.name, s.class_id, s.category_id, c.name, k.name FROM students s
		JOIN school_classes c ON c.id = s.class_id LEFT JOIN categories k ON k.id = s.category_id ORDER BY s.id`)
	if err != nil {
		return nil, err
	}
	classes, categories := map[int64]*plain.Class{}, plain.Categories{}
	var (
		x        plain.Student
		class    string
		category sql.NullString
	)
	_, err = pgx.ForEachRow(rows, []any{&x.ID, &x.Name, &x.ClassID, &x.CategoryID, &class, &category}, func() error {
		kept := x
		if kept.Class = classes[x.ClassID]; kept.Class == nil {
			kept.Class = &plain.Class{ID: x.ClassID, Name: class}
			classes[x.ClassID] = kept.Class
		}
		kept.Category = categories.Of(x.CategoryID, category)
		list = append(list, &kept)
		return nil
	})
	return list, err
}

func (s session) joined(ctx context.Context) (list []*plain.Class, err error) {
	rows, err := s.pool.Query(ctx, `SELECT c.id, c.name, s.id, s.name, s.category_id, k.name FROM school_classes c
		LEFT JOIN students s ON s.class_id = c.id LEFT JOIN categories k ON k.id = s.category_id ORDER BY c.id, s.id`)
	if err != nil {
		return nil, err
	}
	var (
		categories     = plain.Categories{}
		current        *plain.Class
		classID        int64
		class          string
		id, categoryID sql.NullInt64
		name, category sql.NullString
	)
	_, err = pgx.ForEachRow(rows, []any{&classID, &class, &id, &name, &categoryID, &category}, func() error {
		if current == nil || current.ID != classID {
			current = &plain.Class{ID: classID, Name: class}
			list = append(list, current)
		}
		if id.Valid {
			current.Students = append(current.Students, &plain.Student{
				ID: id.Int64, Name: name.String, ClassID: classID, CategoryID: categoryID,
				Class: current, Category: categories.Of(categoryID, category),
			})
		}
		return nil
	})
	return list, err
}

func (s session) cartesian(ctx context.Context) (list []*plain.Class, err error) {
	rows, err := s.pool.Query(ctx, plain.Cartesian)
	if err != nil {
		return nil, err
	}
	var (
		categories = plain.Categories{}
		current    *plain.Class
		id         int64
		name       string
		st, te     plain.Member
	)
	_, err = pgx.ForEachRow(rows, []any{
		&id, &name, &st.ID, &st.Name, &st.CategoryID, &st.Category,
		&te.ID, &te.Name, &te.CategoryID, &te.Category,
	}, func() error {
		if current == nil || current.ID != id {
			current = &plain.Class{ID: id, Name: name}
			list = append(list, current)
		}
		current.Students = st.Add(current.Students, current, categories)
		current.Teachers = te.Add(current.Teachers, current, categories)
		return nil
	})
	return list, err
}

// split reads each table once, all in one round trip.
func (s session) split(ctx context.Context, teachers bool) (list []*plain.Class, err error) {
	batch := &pgx.Batch{}
	batch.Queue("SELECT id, name FROM school_classes ORDER BY id")
	batch.Queue("SELECT id, name FROM categories")
	batch.Queue("SELECT id, name, class_id, category_id FROM students ORDER BY id")
	if teachers {
		batch.Queue("SELECT id, name, class_id, category_id FROM teachers ORDER BY id")
	}
	results := s.pool.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	each := func(dest []any, do func()) error {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, dest, func() error { do(); return nil })
		return err
	}
	classes, categories := map[int64]*plain.Class{}, plain.Categories{}
	var c plain.Class
	if err := each([]any{&c.ID, &c.Name}, func() {
		kept := c
		classes[c.ID] = &kept
		list = append(list, &kept)
	}); err != nil {
		return nil, err
	}
	var k plain.Category
	if err := each([]any{&k.ID, &k.Name}, func() {
		kept := k
		categories[k.ID] = &kept
	}); err != nil {
		return nil, err
	}
	var x plain.Student
	member := func(add func(c *plain.Class, x *plain.Student)) error {
		return each([]any{&x.ID, &x.Name, &x.ClassID, &x.CategoryID}, func() {
			kept := x
			kept.Class, kept.Category = classes[x.ClassID], categories[x.CategoryID.Int64]
			add(kept.Class, &kept)
		})
	}
	if err := member(func(c *plain.Class, x *plain.Student) { c.Students = append(c.Students, x) }); err != nil || !teachers {
		return list, err
	}
	return list, member(func(c *plain.Class, x *plain.Student) { c.Teachers = append(c.Teachers, x) })
}
