package kin

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// Only reads no other columns than those that the paths name, of the models in
// which they end: of the query's own, and of those that SelectRelated loads.
// Models in which no path ends are read whole. It takes the place of an Only
// before; the subquery of a Prefetch has one of its own.
//
//	kin.Query[Article]().SelectRelated("author").Only("title", "author__name")
//
// Primary keys, versions and the foreign keys by which rows are linked always
// come. A foreign key that is left out knows nothing, which is not NULL: see
// [ForeignKey.Load]. Where rows of a model are read at several places of one
// statement, all have the columns that one of them asks for.
//
// The model embeds [Tracked], so that its rows know what they have not got:
// [Deferred] tells, [Reload] reads it, and [Update], [Save] and [SaveGraph] leave
// it alone unless it is given a value, or its column is named. To insert such a
// row, or a copy of it, is an error.
func (qs QuerySet[T]) Only(paths ...Path[T]) QuerySet[T] {
	return QuerySet[T]{qs.q.narrowed(reflect.TypeFor[T](), "Only", texts(paths))}
}

// Defer leaves out the columns that the paths name, and reads the others, or
// those of [QuerySet.Only]. It adds to a Defer before.
func (qs QuerySet[T]) Defer(paths ...Path[T]) QuerySet[T] {
	return QuerySet[T]{qs.q.narrowed(reflect.TypeFor[T](), "Defer", texts(paths))}
}

func (q *query) narrowed(t reflect.Type, what string, paths []string) *query {
	q = q.derived()
	if len(paths) == 0 {
		q.fail(fmt.Errorf("kin: a query on %s: %s names no column", t.Name(), what))
	}
	if what == "Only" {
		q.only = paths
	} else {
		q.left = append(q.left, paths...)
	}
	return q
}

// linked returns the paths that other statements load.
func (q *query) linked() []string {
	if len(q.only)+len(q.left) == 0 {
		return nil
	}
	paths := make([]string, len(q.prefetch))
	for i, p := range q.prefetch {
		paths[i] = p.path
	}
	return paths
}

// Deferred returns the fields of row, a pointer to a model that embeds
// [Tracked], that the query which read it left out, by [QuerySet.Only] or
// [QuerySet.Defer], by their names in lookups. What such a field holds is not
// what the database does. Those that have got a value since are not among them.
func Deferred(row interface{ tracked() }) []string {
	l := layoutOf(row)
	if l == nil {
		return nil
	}
	return lookupNames(l.Unread(row))
}

func lookupNames(fields []*schema.Field) []string {
	var names []string
	for _, f := range fields {
		names = append(names, SnakeCase(f.Name))
	}
	return names
}

// wholly returns an error if a row has not got all of its columns, and is to
// be written as a new one.
func wholly(m *schema.Model, rows []any) error {
	l := hydrate.LayoutOf(m.Struct)
	if l == nil {
		return nil
	}
	for i, row := range rows {
		if left := lookupNames(l.Unread(row)); len(left) > 0 {
			slices.Sort(left)
			return fmt.Errorf("row %d of %d was read without %q, by Only or Defer, and would be written with nothing there; Reload it, or set them",
				i+1, len(rows), left)
		}
	}
	return nil
}
