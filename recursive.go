package kin

import (
	"reflect"

	"github.com/kin-orm/kin/internal/plan"
)

// Descendants is the query for the rows below those of qs in a tree, at any
// depth: those whose foreign key to their own model leads to one of them, those
// whose foreign key leads to one of these, and so on. The path is that of the
// foreign key, or of its reverse. A row that refers to itself, or that a circle
// leads back to, is below itself.
//
//	boss := kin.Query[Employee]().Filter("name", "Ada")
//	staff, err := boss.Descendants("reports_to").All(ctx, db)
//
// It is a new query: conditions that are added to it are about the rows below,
// and leave out none of those on the way.
func (qs QuerySet[T]) Descendants(path Path[T]) QuerySet[T] {
	return QuerySet[T]{reached(reflect.TypeFor[T](), qs.q, string(path), false)}
}

// Ancestors is the query for the rows above those of qs in a tree, up to its
// root. See [QuerySet.Descendants].
func (qs QuerySet[T]) Ancestors(path Path[T]) QuerySet[T] {
	return QuerySet[T]{reached(reflect.TypeFor[T](), qs.q, string(path), true)}
}

func reached(t reflect.Type, q *query, path string, up bool) *query {
	ask := plan.Reached{Sub: subqueryOf(t, q), Path: plan.Lazy{Text: path}, Up: up}
	return &query{calls: []plan.Ask{ask}}
}
