package kin

import (
	"context"
	"reflect"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
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
	if done, err := r.fetch(ctx, db, r); done || err != nil {
		return r.rows, err
	}
	rows, hooked, err := readRows(ctx, db, r.Query())
	if err != nil {
		return nil, err
	}
	link := r.many.Link
	for _, row := range rows {
		hydrate.Point(row, link.Relation.Inverse, link.Owner)
	}
	if err := afterLoad(ctx, hooked); err != nil {
		return nil, err
	}
	r.rows, r.many.Loaded = rows, true
	return rows, nil
}

// Query returns the rows as a query, to narrow further. It asks the database
// when it is run, loaded or not. If the field does not know which row it is
// in, running the query gives [ErrUnbound].
func (r *Reverse[T]) Query() QuerySet[T] {
	link, key, err := r.owner()
	if err != nil {
		return QuerySet[T]{&query{err: err}}
	}
	return QuerySet[T]{&query{fixed: []plan.Fixed{{Field: link.Relation.Inverse.Field.Name, Key: key}}}}
}

func (Reverse[T]) declare() schema.RelField {
	t := reflect.TypeFor[T]()
	return schema.RelField{
		Kind: schema.ToMany, Target: t,
		Struct: func() *schema.Struct { return structOf(t) },
		Ops: &schema.Ops{
			Core:   func(field any) any { return &field.(*Reverse[T]).many },
			Append: func(field, row, _ any) { field.(*Reverse[T]).include(row.(*T)) },
			Remove: func(field, row any) { field.(*Reverse[T]).leaveOut(row.(*T)) },
		},
	}
}
