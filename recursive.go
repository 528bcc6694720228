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
func (qs QuerySet[T]) Descendants(path Path[T]) QuerySet[T] { return qs.reached(path, false) }

// Ancestors is the query for the rows above those of qs in a tree, up to its
// root. See [QuerySet.Descendants].
func (qs QuerySet[T]) Ancestors(path Path[T]) QuerySet[T] { return qs.reached(path, true) }

func (qs QuerySet[T]) reached(path Path[T], up bool) QuerySet[T] {
	ask := plan.Reached{Sub: subqueryOf(reflect.TypeFor[T](), qs.q), Path: plan.Lazy{Text: string(path)}, Up: up}
	return QuerySet[T]{&query{calls: []plan.Ask{ask}}}
}
