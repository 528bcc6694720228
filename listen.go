package kin

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kin-orm/kin/internal/schema"
)

// A Listener is what code that does not own the model T has called around
// writes of its rows, by [Listen]: for an audit trail, a cache, an index for
// searching. Functions that are nil are not called.
//
// Each is called once for each call that writes, with all its rows, in the
// transaction of the write, after the hooks of the rows themselves. An error
// undoes the write. What [QuerySet.Update] and [QuerySet.Delete] change is not
// in memory, and not heard; neither is what the database does by itself, such
// as a cascade.
type Listener[T any] struct {
	BeforeInsert, AfterInsert func(ctx context.Context, tx *Tx, rows []*T) error
	BeforeUpdate, AfterUpdate func(ctx context.Context, tx *Tx, rows []*T) error
	BeforeDelete, AfterDelete func(ctx context.Context, tx *Tx, rows []*T) error
}

// Listen has the functions of l called around writes of rows of T, in this
// process and on any database, until stop is called. Listeners are called in
// the order in which they came. It may be called by several goroutines at
// once; a write that has begun may still call a listener that was stopped.
func Listen[T any](l Listener[T]) (stop func()) {
	calls := map[schema.Hooks]func(context.Context, *Tx, []*T) error{
		schema.BeforeInsert: l.BeforeInsert, schema.AfterInsert: l.AfterInsert,
		schema.BeforeUpdate: l.BeforeUpdate, schema.AfterUpdate: l.AfterUpdate,
		schema.BeforeDelete: l.BeforeDelete, schema.AfterDelete: l.AfterDelete,
	}
	heard := &listener{from: reflect.TypeFor[T]()}
	for hook, f := range calls {
		if f != nil {
			heard.hooks |= hook
		}
	}
	heard.written = func(ctx context.Context, tx *Tx, hook schema.Hooks, rows []any) error {
		return calls[hook](ctx, tx, typedRows[T](rows))
	}
	return listen(heard)
}

// A RelationChange says that rows were made children of a row, or are none any
// more, by a method of its relation field.
type RelationChange[From, To any] struct {
	// Relation is the relation's name, as in lookups.
	Relation       string
	Row            *From
	Added, Removed []*To
}

// ListenRelation has f called when a method of a relation field, such as
// [Reverse.Add], has changed which rows of To a row of From has. It is called
// in the transaction of the change, and an error undoes that. Else it is as
// [Listen]. A foreign key that is written with its row is heard there.
func ListenRelation[From, To any](f func(ctx context.Context, tx *Tx, change RelationChange[From, To]) error) (stop func()) {
	return listen(&listener{
		from: reflect.TypeFor[From](), to: reflect.TypeFor[To](),
		related: func(ctx context.Context, tx *Tx, relation string, row any, added, removed []any) error {
			return f(ctx, tx, RelationChange[From, To]{relation, row.(*From), typedRows[To](added), typedRows[To](removed)})
		},
	})
}

func typedRows[T any](rows []any) []*T {
	var list []*T
	for _, row := range rows {
		list = append(list, row.(*T))
	}
	return list
}

// A listener listens to writes of rows of from or, if to is not nil, to
// changes of relations from there to to.
type listener struct {
	from, to reflect.Type
	hooks    schema.Hooks // that it listens to
	written  func(ctx context.Context, tx *Tx, hook schema.Hooks, rows []any) error
	related  func(ctx context.Context, tx *Tx, relation string, row any, added, removed []any) error
}

type listeners []*listener

func (ls listeners) has(hooks schema.Hooks) bool {
	return slices.ContainsFunc(ls, func(l *listener) bool { return l.hooks.Has(hooks) })
}

//nolint:gochecknoglobals // listeners are the process's
var (
	listenMu  sync.Mutex                // guards changes of listening
	listening atomic.Pointer[listeners] // nil if nobody listens
)

func listen(l *listener) (stop func()) {
	relisten(func(ls listeners) listeners { return append(ls, l) })
	return func() {
		relisten(func(ls listeners) listeners {
			return slices.DeleteFunc(ls, func(x *listener) bool { return x == l })
		})
	}
}

// relisten changes a copy of the listeners.
func relisten(change func(listeners) listeners) {
	listenMu.Lock()
	defer listenMu.Unlock()
	var now listeners
	if old := listening.Load(); old != nil {
		now = slices.Clone(*old)
	}
	if now = change(now); len(now) == 0 {
		listening.Store(nil)
		return
	}
	listening.Store(&now)
}

// heard returns who listens to writes of rows of the type from, or, if to is
// not nil, to changes of relations from there to it.
func heard(from, to reflect.Type) listeners {
	all := listening.Load()
	if all == nil {
		return nil
	}
	var mine listeners
	for _, l := range *all {
		if l.from == from && l.to == to {
			mine = append(mine, l)
		}
	}
	return mine
}

// relationHeard reports whether somebody listens to changes of the relation.
func relationHeard(r *schema.Relation) bool { return heard(r.From.Type, r.To.Type) != nil }

// relationChanged tells those who listen that the rows added are now related
// to row by the relation, and those removed not any more. row is a *T of where
// the relation starts, the others of where it leads. It must be called within
// the transaction of the change.
func (s *session) relationChanged(ctx context.Context, r *schema.Relation, row any, added, removed []any) error {
	if len(added) == 0 && len(removed) == 0 {
		return nil
	}
	for _, l := range heard(r.From.Type, r.To.Type) {
		if err := l.related(ctx, &Tx{s.unbatched()}, r.Name, row, added, removed); err != nil {
			return fmt.Errorf("kin: a listener to %s: %w", r.GoName(), err)
		}
	}
	return nil
}
