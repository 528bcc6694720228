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
	return List{newBoxer(t), (*manyHeader)(unbox(field))}
}

// Many returns the part that does not depend on the type.
func (l List) Many() *rel.Many { return &l.head.many }

// Len returns how many rows there are.
func (l List) Len() int { return len(l.head.rows) }

// At returns a row, a *T.
func (l List) At(i int) any { return l.box.box(l.head.rows[i]) }

// Rows returns the rows, each a *T, or nil if the field has nil.
func (l List) Rows() []any {
	if l.head.rows == nil {
		return nil
	}
	return l.box.boxAll(make([]any, 0, len(l.head.rows)), l.head.rows)
}

// Hold makes rows, each a *T, those of the list. It keeps none that others may
// be reading.
func (l List) Hold(rows []any) { l.head.rows = unboxAll(rows) }

// Index returns where a row is, or -1.
func (l List) Index(row any) int { return slices.Index(l.head.rows, unbox(row)) }

// Append adds a row behind those that others may be reading.
func (l List) Append(row any) { l.head.rows = append(slices.Clip(l.head.rows), unbox(row)) }

// Remove takes out the row at a place.
func (l List) Remove(i int) { l.head.rows = slices.Concat(l.head.rows[:i], l.head.rows[i+1:]) }

// HoldLinks makes links, each an *L or nil, those of field, a pointer to a
// Through[T, L].
func HoldLinks(field any, links []any) {
	(*throughHeader)(unbox(field)).links = unboxAll(links)
}

// LinksOf returns the links of field, a pointer to a Through[T, L], each an *L
// or nil. They may be fewer than its rows.
func LinksOf(l reflect.Type, field any) []any {
	return newBoxer(l).boxAll(nil, (*throughHeader)(unbox(field)).links)
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
	return Ref{newBoxer(t), (*oneHeader)(unbox(field))}
}

// FK returns the part that does not depend on the type.
func (r Ref) FK() *rel.FK { return &r.head.fk }

// Row returns the row, a *T, or nil.
func (r Ref) Row() any {
	if r.head.row == nil {
		return nil
	}
	return r.box.box(r.head.row)
}

// Hold makes row, a *T, the row that is loaded.
func (r Ref) Hold(row Pointer) { r.head.row = row }
