package hydrate

import (
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/rel"
)

// A List is a to-many field, for code that does not know of which type: such
// code is compiled once, and not for each model.
type List struct {
	box  boxer
	head *manyHeader
}

// ListOf returns the list that field, a pointer to a Reverse[T], a
// ManyToMany[T] or a Through[T, L], is of rows of the type t.
func ListOf(t reflect.Type, field any) List {
	return List{newBoxer(t), manyAt(unbox(field))}
}

// Many returns the part that does not depend on the type.
func (l List) Many() *rel.Many { return l.head.core() }

// Len returns how many rows there are.
func (l List) Len() int { return l.head.len() }

// At returns a row, a *T.
func (l List) At(i int) any { return l.box.box(l.head.at(i)) }

// Rows returns the rows, each a *T, or nil if the field has nil.
func (l List) Rows() []any {
	rows := l.head.all()
	if rows == nil {
		return nil
	}
	return l.box.boxAll(make([]any, 0, len(rows)), rows)
}

// Hold makes rows, each a *T, those of the list. It keeps none that others may
// be reading.
func (l List) Hold(rows []any) { l.head.hold(unboxAll(rows)) }

// Index returns where a row is, or -1.
func (l List) Index(row any) int { return slices.Index(l.head.all(), unbox(row)) }

// Append adds a row behind those that others may be reading.
func (l List) Append(row any) { l.head.hold(append(slices.Clip(l.head.all()), unbox(row))) }

// Remove takes out the row at a place.
func (l List) Remove(i int) {
	rows := l.head.all()
	l.head.hold(slices.Concat(rows[:i], rows[i+1:]))
}

// HoldLinks makes links, each an *L or nil, those of field, a pointer to a
// Through[T, L].
func HoldLinks(field any, links []any) {
	throughAt(unbox(field)).holdLinks(unboxAll(links))
}

// LinksOf returns the links of field, a pointer to a Through[T, L], each an *L
// or nil. They may be fewer than its rows.
func LinksOf(l reflect.Type, field any) []any {
	return newBoxer(l).boxAll(nil, throughAt(unbox(field)).links())
}

func unboxAll(values []any) []Pointer {
	if values == nil {
		return nil
	}
	pointers := make([]Pointer, len(values))
	for i, v := range values {
		pointers[i] = unbox(v)
	}
	return pointers
}

// Box returns rows of the type t as what they are, each a *T.
func Box(t reflect.Type, rows []Pointer) []any {
	return newBoxer(t).boxAll(make([]any, 0, len(rows)), rows)
}

// A Ref is a to-one field, for code that does not know of which type.
type Ref struct {
	box  boxer
	head *oneHeader
}

// RefOf returns the field, a pointer to a ForeignKey[T], to a row of the type
// t.
func RefOf(t reflect.Type, field any) Ref {
	return Ref{newBoxer(t), oneAt(unbox(field))}
}

// FK returns the part that does not depend on the type.
func (r Ref) FK() *rel.FK { return r.head.core() }

// Row returns the row, a *T, or nil.
func (r Ref) Row() any {
	row := r.head.get()
	if row == nil {
		return nil
	}
	return r.box.box(row)
}

// Hold makes row, a *T, the row that is loaded.
func (r Ref) Hold(row Pointer) { r.head.set(row) }
