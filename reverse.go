package kin

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
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
type Reverse[T any] struct {
	rows []*T
	many rel.Many
}

var _ relationField = Reverse[struct{}]{}

// All returns the rows in the order in which they were loaded, or nil if they
// are not. The slice is the field's own: it must not be changed.
func (r Reverse[T]) All() []*T { return r.rows }

// Values iterates over the rows.
//
//	for student := range class.Students.Values() {
//		fmt.Println(student.Name)
//	}
func (r Reverse[T]) Values() iter.Seq[*T] { return slices.Values(r.rows) }

// Len returns the number of loaded rows.
func (r Reverse[T]) Len() int { return len(r.rows) }

// Loaded reports whether the rows are loaded, though there may be none.
func (r Reverse[T]) Loaded() bool { return r.many.Loaded }

// IsZero reports whether the rows are not loaded, so that the option omitzero
// of encoding/json leaves them out.
func (r Reverse[T]) IsZero() bool { return !r.many.Loaded }

// Load reads the rows, in the order of their primary key, whether they are
// loaded already or not. If the field does not know which row it is in, the
// error is [ErrUnbound].
func (r *Reverse[T]) Load(ctx context.Context, db Executor) ([]*T, error) {
	rows, err := r.Query().All(ctx, db)
	if err != nil {
		return nil, err
	}
	link := r.many.Link
	for _, row := range rows {
		hydrate.Point(row, link.Relation.Inverse, link.Owner)
	}
	r.rows, r.many.Loaded = rows, true
	return rows, nil
}

// Query returns the rows as a query, to narrow further. It asks the database
// when it is run, loaded or not. If the field does not know which row it is
// in, running the query gives [ErrUnbound].
func (r *Reverse[T]) Query() QuerySet[T] {
	link := r.many.Link
	name := reflect.TypeFor[T]().Name()
	if _, copied := link.Owner.(*rel.Trail); link.Owner == nil || copied {
		return QuerySet[T]{&query{err: fmt.Errorf("kin: a Reverse[%s] %w", name, ErrUnbound)}}
	}
	key, err := hydrate.KeyOf(link.Relation.From.Struct.Key(), link.Owner)
	if err != nil {
		return QuerySet[T]{&query{err: fmt.Errorf("kin: %s: the %s %w", link.Relation.GoName(), link.Relation.From.Name, err)}}
	}
	return QuerySet[T]{&query{fixed: []plan.Fixed{{Field: link.Relation.Inverse.Field.Name, Key: key}}}}
}

// String returns the keys of the loaded rows, such as [Student(1) Student(2)].
func (r Reverse[T]) String() string {
	t := reflect.TypeFor[T]()
	if !r.many.Loaded {
		return "[" + t.Name() + "(not loaded)]"
	}
	names := make([]string, len(r.rows))
	for i, row := range r.rows {
		key, err := hydrate.KeyOf(keyOf[T](), row)
		names[i] = keyText(t, key, false, err)
	}
	return "[" + strings.Join(names, " ") + "]"
}

// GoString implements [fmt.GoStringer].
func (r Reverse[T]) GoString() string { return r.String() }

func (Reverse[T]) declare() schema.RelField {
	t := reflect.TypeFor[T]()
	return schema.RelField{
		Kind: schema.ToMany, Target: t,
		Struct: func() *schema.Struct { return structOf(t) },
		Ops: &schema.Ops{
			Core: func(field any) any { return &field.(*Reverse[T]).many },
			Append: func(field, row any) {
				if r := field.(*Reverse[T]); r.many.Loaded && !slices.Contains(r.rows, row.(*T)) {
					r.rows = append(slices.Clip(r.rows), row.(*T))
				}
			},
			Remove: func(field, row any) {
				r := field.(*Reverse[T])
				if i := slices.Index(r.rows, row.(*T)); i >= 0 {
					r.rows = slices.Concat(r.rows[:i], r.rows[i+1:])
				}
			},
		},
	}
}
