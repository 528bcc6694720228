package kin

import (
	"context"
	"reflect"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// A Reverse is a field of a model that holds the rows of T whose foreign key
// refers to it. It has no column.
//
//	type SchoolClass struct {
//		ID       int64
//		Students kin.Reverse[Student] `json:"students,omitzero"`
//	}
//
// It belongs to the one foreign key of T that leads to the model; where there
// are several, the tag names one: `kin:"via=Class"`.
//
// The zero Reverse is not loaded. A query with [QuerySet.SelectRelated] loads
// it, and so does [Reverse.Load]; reading it never asks the database. It may
// be read by several goroutines at once.
type Reverse[T any] struct{ collection[T] }

var _ relationField = Reverse[struct{}]{}

// From returns a Reverse that holds rows, as if they had been loaded, for a new
// row whose children are to be saved with it by [SaveGraph]. Their foreign
// keys lead to it afterwards.
//
//	class := &SchoolClass{Name: "1A", Students: kin.From(ada, ben)}
func From[T any](rows ...*T) Reverse[T] {
	return Reverse[T]{holding(rows)}
}

// Load reads the rows, in the order of their primary key, whether they are
// loaded already or not. If the field does not know which row it is in, the
// error is [ErrUnbound].
func (r *Reverse[T]) Load(ctx context.Context, db Executor) ([]*T, error) {
	if err := childrenOf(reflect.TypeFor[T](), r).load(ctx, db, r); err != nil {
		return nil, err
	}
	return r.rows, nil
}

// Query returns the rows as a query, to narrow further. It asks the database
// when it is run, loaded or not. If the field does not know which row it is
// in, running the query gives [ErrUnbound].
func (r *Reverse[T]) Query() QuerySet[T] {
	return QuerySet[T]{childrenOf(reflect.TypeFor[T](), r).query()}
}

// Add makes rows children of the field's row: those that are not saved yet
// are inserted, and the foreign key of the others is changed, in a few
// statements. All are added or none; one that is not there, or softly deleted
// or outside a filter, is [ErrNotFound]. A loaded field has them afterwards, and the
// rows' foreign keys lead to its row.
func (r *Reverse[T]) Add(ctx context.Context, db Executor, rows ...*T) error {
	return childrenOf(reflect.TypeFor[T](), r).add(ctx, db, anyRows(rows))
}

// Create inserts new rows as children of the field's row.
func (r *Reverse[T]) Create(ctx context.Context, db Executor, rows ...*T) error {
	return childrenOf(reflect.TypeFor[T](), r).create(ctx, db, anyRows(rows))
}

// Remove takes rows out of the children of the field's row: their foreign key
// becomes NULL. If it cannot, use [Reverse.Delete]. A row that is no child is
// [ErrNotFound], and none is removed then.
func (r *Reverse[T]) Remove(ctx context.Context, db Executor, rows ...*T) error {
	return childrenOf(reflect.TypeFor[T](), r).remove(ctx, db, anyRows(rows))
}

// Delete deletes rows that are children of the field's row. One that is none
// is [ErrNotFound], and none is deleted then.
func (r *Reverse[T]) Delete(ctx context.Context, db Executor, rows ...*T) error {
	return childrenOf(reflect.TypeFor[T](), r).delete(ctx, db, anyRows(rows))
}

// Clear removes all children that are there, neither softly deleted nor outside
// a filter, as [Reverse.Remove] does, and returns how many there were. To delete
// them, use Query().Delete.
func (r *Reverse[T]) Clear(ctx context.Context, db Executor) (int64, error) {
	return childrenOf(reflect.TypeFor[T](), r).clear(ctx, db)
}

// Set makes rows the children of the field's row, and no others: what is
// missing is added, as by [Reverse.Add], and what is too much removed, as by
// [Reverse.Remove], which is an error if there is any and its foreign key
// cannot be NULL. Children that are softly deleted or outside a filter stay. It
// is loaded afterwards, in the order given. All is done or
// nothing.
func (r *Reverse[T]) Set(ctx context.Context, db Executor, rows ...*T) error {
	return childrenOf(reflect.TypeFor[T](), r).set(ctx, db, anyRows(rows))
}

func (Reverse[T]) declare() schema.RelField {
	return declared(schema.ToMany, reflect.TypeFor[T](), func(_ reflect.Type, l hydrate.List, row any) int { return l.Index(row) })
}
