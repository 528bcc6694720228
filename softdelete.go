package kin

import (
	"context"
	"reflect"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// WithDeleted lets rows in that are softly deleted: those of the query and
// those of everything that it joins, loads and asks for in its conditions.
//
// A field with the tag option softdelete, a *time.Time, a sql.Null[time.Time]
// or a bool, says whether a row is deleted. [Delete], [DeleteAll],
// [QuerySet.Delete] and [Reverse.Delete] set it and leave the row where it is;
// [Purge] and [QuerySet.Purge] really delete. A deleted row is as if it were
// not there: for queries, conditions, counts, collections and what
// SelectRelated loads, and for the updates of a query. A foreign key to one is
// not loaded, and keeps its key; a condition on the foreign key's own column,
// such as Filter("class", 5), does not look at the row behind it.
//
// What is written by the key of a row in memory finds it, deleted or not:
// [Update], [Save] and [Reload]. So a row is restored by setting its field to
// nil and updating it, and many are by
//
//	q.WithDeleted().Update(ctx, db, kin.Set("deleted_at", nil))
//
// A collection of many to many has the rows that are there, by links that are
// there too, if the links are rows of a model with such a field
// ([Through]). WithDeleted on its query lets in both. Add of a row that is
// deleted is [ErrNotFound], and so is Remove; Clear and Set leave links to rows
// that are not there alone, and a row that is restored has its links again.
//
// The database knows nothing of it: a deleted row still holds its unique
// values, and what refers to it stays as it is. A unique [Index] over the rows
// Where "deleted_at IS NULL" lets a value be used again; on MariaDB, which has
// none, and wherever else, a unique field does so that is tagged
// generated=CASE WHEN deleted_at IS NULL THEN email END. [Upsert] finds deleted rows
// by what is unique, and restores them if it sets that column, as it does
// unless it is told the columns.
func (qs QuerySet[T]) WithDeleted() QuerySet[T] {
	return QuerySet[T]{qs.q.withDeleted()}
}

func (q *query) withDeleted() *query {
	q = q.derived()
	q.deleted = true
	return q
}

// Purge really deletes rows of a model with soft deletion, deleted or not, all
// of them or none. For other models it is [DeleteAll].
func Purge[T any](ctx context.Context, db Executor, rows ...*T) error {
	return deleteRows(ctx, db, rows, true)
}

// Purge really deletes all rows of the query, of a model with soft deletion,
// and returns how many there were. Rows that are deleted are in the query only
// by [QuerySet.WithDeleted]. For other models it is [QuerySet.Delete].
func (qs QuerySet[T]) Purge(ctx context.Context, db Executor) (int64, error) {
	return qs.q.change(ctx, db, reflect.TypeFor[T](), "purge", func(*plan.Query) []plan.Setting { return nil })
}

// deleteAt deletes the rows of the query, or marks them as deleted at a time.
func (q *query) deleteAt(ctx context.Context, db Executor, t reflect.Type, at time.Time) (int64, error) {
	return q.change(ctx, db, t, "delete", func(q *plan.Query) []plan.Setting {
		m := q.Model
		if m.Deleted == nil {
			return nil
		}
		q.Alive = true // a row is deleted once
		settings := []plan.Setting{{Lookup: plan.Lazy{Text: m.Deleted.Lookup}, Value: plan.Literal{Value: at}}}
		if m.Deleted.Value.Kind == dialect.Bool {
			settings[0].Value = plan.Literal{Value: true}
		}
		for _, c := range m.Updated {
			settings = append(settings, plan.Setting{Lookup: plan.Lazy{Text: c.Lookup}, Value: plan.Literal{Value: at}})
		}
		return settings
	})
}

// deleteRows deletes rows, or marks them as deleted unless they are to be
// purged: that is an update of rows that are not deleted yet.
func deleteRows[T any](ctx context.Context, db Executor, rows []*T, purge bool) error {
	s := db.session()
	_, m, err := toWrite[T](s)
	if err != nil {
		return err
	}
	return s.batchWrite(deleting, m, anyRows(rows), func(s *session, rows []any) error { return s.delete(ctx, m, rows, purge) })
}

func (s *session) delete(ctx context.Context, m *schema.Model, rows []any, purge bool) error {
	c := &change{session: s, op: deleting, model: m}
	if err := c.take(rows); err != nil || len(rows) == 0 {
		return err
	}
	if err := c.filter(ctx); err != nil {
		return err
	}
	run := func(s *session) error { return c.deleteAll(ctx, s) }
	if m.Deleted != nil && !purge {
		set := append([]*schema.Column{m.Deleted}, m.Updated...)
		if m.Version != nil {
			set = append(set, m.Version)
		}
		c.within = plan.Both(plan.NotDeleted(m), c.within)
		run = c.marking(true, func(s *session) error { return c.update(ctx, s, set, false) })
	}
	return c.explain(ctx, c.around(ctx, write{op: deleting, model: c.model, rows: c.rows}, run))
}

// marking returns run, with the rows in memory marked as deleted if soft.
func (c *change) marking(soft bool, run func(*session) error) func(*session) error {
	if !soft {
		return run
	}
	return func(s *session) error {
		return restoring(c.rows, func() error {
			c.at = s.now()
			for _, row := range c.rows {
				if c.model.Deleted.Value.Kind == dialect.Bool {
					if err := hydrate.SetColumn(c.model.Deleted, row, true); err != nil {
						return err
					}
				} else {
					hydrate.SetTime(c.model.Deleted, row, c.at)
				}
				for _, col := range c.model.Updated {
					hydrate.SetTime(col, row, c.at)
				}
			}
			return run(s)
		})
	}
}
