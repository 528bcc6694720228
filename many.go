package kin

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A collection is what the fields with many rows have in common: [Reverse],
// [ManyToMany] and [Through].
type collection[T any] struct {
	rows []*T
	many rel.Many
}

// holding returns a collection that holds rows as if they had been loaded.
func holding[T any](rows []*T) collection[T] {
	return collection[T]{rows: slices.Clone(rows), many: rel.Many{Loaded: true}}
}

// Any stands for any one of the rows, in a function given to [Col] or [Rel].
// Elsewhere it is nil.
func (c collection[T]) Any() *T { return probed[T](c.many.Link) }

// All returns the rows in the order in which they were loaded, or nil if they
// are not. The slice is the field's own: it must not be changed.
func (c collection[T]) All() []*T { return c.rows }

// Values iterates over the rows.
//
//	for student := range class.Students.Values() {
//		fmt.Println(student.Name)
//	}
func (c collection[T]) Values() iter.Seq[*T] { return slices.Values(c.rows) }

// Len returns the number of loaded rows.
func (c collection[T]) Len() int { return len(c.rows) }

// Loaded reports whether the rows are loaded, though there may be none.
func (c collection[T]) Loaded() bool { return c.many.Loaded }

// IsZero reports whether the rows are not loaded, so that the option omitzero
// of encoding/json leaves them out.
func (c collection[T]) IsZero() bool { return !c.many.Loaded }

// String returns the keys of the loaded rows, such as [Student(1) Student(2)].
func (c collection[T]) String() string { return listText(reflect.TypeFor[T](), &c) }

// GoString implements [fmt.GoStringer].
func (c collection[T]) GoString() string { return listText(reflect.TypeFor[T](), &c) }

// What follows is without the type T, so that it is compiled once and not for
// each model. Fields are pointers to collections, or to what begins with one.

func listText(t reflect.Type, field any) string {
	l := hydrate.ListOf(t, field)
	if !l.Many().Loaded {
		return "[" + t.Name() + "(not loaded)]"
	}
	k := structOf(t).Key()
	names := make([]string, l.Len())
	for i := range names {
		key, err := hydrate.KeyOf(k, l.At(i))
		names[i] = keyText(t, key, false, err)
	}
	return "[" + strings.Join(names, " ") + "]"
}

// homeOf returns where a field, of rows of the type t and called what, is, and
// the key of its row, or why it does not know.
func homeOf(t reflect.Type, many *rel.Many, what string) (rel.Link, rel.Key, error) {
	link := many.Link
	if _, copied := link.Owner.(*rel.Trail); link.Owner == nil || copied {
		return link, rel.Key{}, fmt.Errorf("kin: a %s[%s] %w", what, t.Name(), ErrUnbound)
	}
	key, err := hydrate.KeyOf(link.Relation.From.Struct.Key(), link.Owner)
	if err != nil {
		err = fmt.Errorf("kin: %s: the %s %w", link.Relation.GoName(), link.Relation.From.Name, err)
	}
	return link, key, err
}

// fetch loads the rows of a field with those of its peers, and reports whether
// it has. Else they are to be loaded for themselves.
func fetch(ctx context.Context, db Executor, t reflect.Type, many *rel.Many, field any) (done bool, err error) {
	s := db.session()
	if f := fetchingOf(many.Link); f != nil && !many.Loaded {
		done, err = f.many(ctx, db, many.Link, field)
	}
	if !done && err == nil {
		s.single(ctx, many.Link, t.Name())
	}
	return done, err
}

// include adds a row, which is at a place or not there, if rows are loaded, and
// reports whether it did.
func include(l hydrate.List, row any, at int) bool {
	if !l.Many().Loaded || at >= 0 {
		return false
	}
	l.Append(row)
	return true
}

// placeOf returns where a row is held, perhaps as another value, or -1.
func placeOf(t reflect.Type, l hydrate.List, row any) int {
	if i := l.Index(row); i >= 0 {
		return i
	}
	k := structOf(t).Key()
	key, err := hydrate.KeyOf(k, row)
	if err != nil {
		return -1
	}
	for i := range l.Len() {
		if held, err := hydrate.KeyOf(k, l.At(i)); err == nil && held == key {
			return i
		}
	}
	return -1
}

// declared returns what a to-many field of rows of the type t says of itself.
func declared(kind schema.RelKind, t reflect.Type, place func(t reflect.Type, l hydrate.List, row any) int) schema.RelField {
	return schema.RelField{
		Kind: kind, Target: t,
		Struct: func() *schema.Struct { return structOf(t) },
		Ops: &schema.Ops{
			Core: func(field any) any { return hydrate.ListOf(t, field).Many() },
			Append: func(field, row, _ any) {
				l := hydrate.ListOf(t, field)
				include(l, row, place(t, l, row))
			},
			Remove: func(field, row any) {
				l := hydrate.ListOf(t, field)
				if i := place(t, l, row); i >= 0 {
					l.Remove(i)
				}
			},
		},
	}
}
