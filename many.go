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
func (c collection[T]) String() string {
	t := reflect.TypeFor[T]()
	if !c.many.Loaded {
		return "[" + t.Name() + "(not loaded)]"
	}
	names := make([]string, len(c.rows))
	for i, row := range c.rows {
		key, err := hydrate.KeyOf(keyOf[T](), row)
		names[i] = keyText(t, key, false, err)
	}
	return "[" + strings.Join(names, " ") + "]"
}

// GoString implements [fmt.GoStringer].
func (c collection[T]) GoString() string { return c.String() }

// home returns where the field, which is called what, is, and the key of its
// row, or why it does not know.
func (c *collection[T]) home(what string) (rel.Link, rel.Key, error) {
	link := c.many.Link
	if _, copied := link.Owner.(*rel.Trail); link.Owner == nil || copied {
		return link, rel.Key{}, fmt.Errorf("kin: a %s[%s] %w", what, reflect.TypeFor[T]().Name(), ErrUnbound)
	}
	key, err := hydrate.KeyOf(link.Relation.From.Struct.Key(), link.Owner)
	if err != nil {
		err = fmt.Errorf("kin: %s: the %s %w", link.Relation.GoName(), link.Relation.From.Name, err)
	}
	return link, key, err
}

// fetch loads the rows of field, which c is a part of, with those of its peers,
// and reports whether it has. Else they are to be loaded for themselves.
func (c *collection[T]) fetch(ctx context.Context, db Executor, field any) (done bool, err error) {
	s := db.session()
	if f := fetchingOf(c.many.Link); f != nil && !c.many.Loaded {
		done, err = f.many(ctx, s, c.many.Link, field)
	}
	if !done && err == nil {
		s.single(ctx, c.many.Link, reflect.TypeFor[T]().Name())
	}
	return done, err
}

// include adds a row if the rows are loaded, and reports whether it did.
func (c *collection[T]) include(row *T) bool {
	return c.includeAt(row, slices.Index(c.rows, row))
}

func (c *collection[T]) includeAt(row *T, at int) bool {
	if !c.many.Loaded || at >= 0 {
		return false
	}
	c.rows = append(slices.Clip(c.rows), row)
	return true
}

// leaveOut takes a row out.
func (c *collection[T]) leaveOut(row *T) { c.leaveOutAt(slices.Index(c.rows, row)) }

func (c *collection[T]) leaveOutAt(at int) {
	if at >= 0 {
		c.rows = slices.Concat(c.rows[:at], c.rows[at+1:])
	}
}

// place returns where a row is held, perhaps as another value, or -1.
func (c *collection[T]) place(row *T) int {
	if i := slices.Index(c.rows, row); i >= 0 {
		return i
	}
	key, err := hydrate.KeyOf(keyOf[T](), row)
	if err != nil {
		return -1
	}
	return slices.IndexFunc(c.rows, func(held *T) bool {
		k, err := hydrate.KeyOf(keyOf[T](), held)
		return err == nil && k == key
	})
}
