package kin

import (
	"fmt"

	"github.com/kin-orm/kin/internal/lookup"
)

// A field that is a slice of strings, integers, floats or bools is an array in
// PostgreSQL. Other databases have none: there it is an error, and the tag
// option json, with which it is JSON, serves all of them.

// ContainsAll is the condition that the list has each of the values in it, in
// any order. As a lookup, it is tags__contains.
func ContainsAll[T any, S ~[]E, E any](c Column[T, S], values ...E) Cond[T] {
	return c.cond(lookup.Contains, listed(values))
}

// ContainsAny is the condition that the list has one of the values in it. As a
// lookup, it is tags__overlap.
func ContainsAny[T any, S ~[]E, E any](c Column[T, S], values ...E) Cond[T] {
	return c.cond(lookup.Overlap, listed(values))
}

// ContainsOnly is the condition that the list has nothing in it but some of the
// values. As a lookup, it is tags__contained_by.
func ContainsOnly[T any, S ~[]E, E any](c Column[T, S], values ...E) Cond[T] {
	return c.cond(lookup.ContainedBy, listed(values))
}

// listed returns no values as a list without elements, and not as NULL.
func listed[E any](values []E) []E {
	if values == nil {
		return []E{}
	}
	return values
}

// ListLength is how many elements the list has.
func ListLength(list any) Expr { return function("list length", list) }

// ListItem is the element of the list at the place i, the first of which is 0,
// or NULL if there is none.
func ListItem(list any, i int) Expr {
	if i < 0 || i >= 1<<31-1 {
		return mistake(fmt.Sprintf("the elements of a list are counted from 0, and %d is none", i))
	}
	return function("list item", list, i)
}
