package kin

import (
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/plan"
)

// DistinctOn keeps, of the rows that agree in all of the paths, the first in the
// order of the query: of each student the last mark, say.
//
//	kin.Query[Mark]().OrderBy("-given").DistinctOn("student")
//
// A path is a field, of the query's own rows or of one that foreign keys lead to,
// a foreign key, or the name of an annotation. NULL agrees with NULL, and text by
// code point. Which rows are equal in the order is decided by their primary key.
//
// All conditions of the query hold before, wherever they are written, and its limit
// after; the rows come in its order. In the subquery of a Prefetch, those of each
// parent are looked at for themselves. A DistinctOn takes the place of one before.
func (qs QuerySet[T]) DistinctOn(paths ...Path[T]) QuerySet[T] {
	return QuerySet[T]{qs.q.distinct(reflect.TypeFor[T](), texts(paths))}
}

func (q *query) distinct(t reflect.Type, paths []string) *query {
	q = q.derived()
	q.on = &plan.Distinct{Paths: paths, Guard: q.reads.guard}
	if len(paths) == 0 {
		q.fail(fmt.Errorf("kin: a query on %s: DistinctOn names nothing", t.Name()))
	}
	return q
}
