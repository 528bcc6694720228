package kin

import (
	"context"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// Everything lets [QuerySet.Update] and [QuerySet.Delete] touch every row of
// the model: without a condition they are refused.
func (qs QuerySet[T]) Everything() QuerySet[T] {
	q := qs.q.derived()
	q.all = true
	return QuerySet[T]{q}
}

// Update changes all rows of the query in one statement and returns how many
// there were. Conditions over relations, orders, limits and offsets hold: only
// rows of the query are touched. A query without a condition or a limit is
// refused, unless [QuerySet.Everything] says so. Rows in memory stay as they
// are, and no hooks are called. Versions are raised, and fields tagged
// autoupdate set to the time, if the settings do not.
func (qs QuerySet[T]) Update(ctx context.Context, db Executor, settings ...Setting[T]) (int64, error) {
	return qs.q.update(ctx, db, reflect.TypeFor[T](), assignments(settings)...)
}

func assignments[T any](settings []Setting[T]) []*Assignment {
	list := make([]*Assignment, len(settings))
	for i, s := range settings {
		list[i] = s
	}
	return list
}

func (q *query) update(ctx context.Context, db Executor, t reflect.Type, settings ...*Assignment) (int64, error) {
	if len(settings) == 0 {
		return 0, fmt.Errorf("kin: update of %s: nothing is set", t.Name())
	}
	list := make([]plan.Setting, len(settings))
	for i, s := range settings {
		if s == nil {
			return 0, fmt.Errorf("kin: update of %s: a setting is nil", t.Name())
		}
		list[i] = s.s
	}
	return q.change(ctx, db, t, "update", func(*plan.Query) []plan.Setting { return list })
}

// Delete deletes all rows of the query in one statement and returns how many
// there were. It touches no others, as [QuerySet.Update] does, and is refused
// as that is. Rows of a model with soft deletion ([QuerySet.WithDeleted]) are
// marked as deleted; those that are already are not touched again.
func (qs QuerySet[T]) Delete(ctx context.Context, db Executor) (int64, error) {
	return qs.q.deleteAt(ctx, db, reflect.TypeFor[T](), db.session().now())
}

// change updates the rows of the query by the settings for its plan, which
// they may change, or deletes them if there are none.
func (q *query) change(ctx context.Context, db Executor, t reflect.Type, what string, settingsFor func(*plan.Query) []plan.Setting) (int64, error) {
	name := t.Name()
	if q == nil {
		q = &query{}
	}
	switch {
	case q.err != nil:
		return 0, q.err
	case len(q.calls) == 0 && len(q.fixed) == 0 && len(q.keys) == 0 && q.on == nil && q.limit == nil && q.offset == 0 && !q.all:
		return 0, fmt.Errorf("kin: %s of %s: the query has no condition and would touch every row; say Everything() if it is to", what, name)
	}
	s := db.session()
	g, m, err := s.toWrite(t)
	if err != nil {
		return 0, err
	}
	p := q.plan(m, g)
	sc, err := s.scoping(ctx, g)
	if err != nil {
		return 0, err
	}
	if sc != nil {
		p.Filter = sc.where
	}
	settings := settingsFor(&p)
	if settings != nil {
		if settings, err = s.stamped(m, settings); err != nil {
			return 0, fmt.Errorf("kin: %s of %s: %w", what, name, err)
		}
	}
	change, err := plan.Changed(p, settings, s.dialect)
	if err != nil || change.Empty {
		return 0, s.fault(ctx, m, err)
	}
	if err := sc.keeps(m, change.Set); err != nil {
		return 0, fmt.Errorf("kin: %s of %s: %w", what, name, err)
	}
	text := sqlgen.Change(change, s.dialect)
	if text.Err != nil {
		return 0, text.Err
	}
	result, err := s.Exec(ctx, text.SQL+q.reads.tags, text.Args)
	if err != nil {
		return 0, fmt.Errorf("kin: %s of %s: %w", what, name, s.fault(ctx, m, err))
	}
	return result.RowsAffected()
}
