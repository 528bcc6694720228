package kin

import "github.com/kin-orm/kin/internal/lookup"

// EqualFold is the condition that the column is the text, letter by letter in
// lower case.
func EqualFold[T any, S ~string](c Column[T, S], text string) Cond[T] {
	return c.cond(lookup.IExact, text)
}

// Contains is the condition that the column has the text within.
func Contains[T any, S ~string](c Column[T, S], text string) Cond[T] {
	return c.cond(lookup.Contains, text)
}

// IContains is [Contains], letter by letter in lower case.
func IContains[T any, S ~string](c Column[T, S], text string) Cond[T] {
	return c.cond(lookup.IContains, text)
}

// HasPrefix is the condition that the column begins with the text.
func HasPrefix[T any, S ~string](c Column[T, S], text string) Cond[T] {
	return c.cond(lookup.StartsWith, text)
}

// IHasPrefix is [HasPrefix], letter by letter in lower case.
func IHasPrefix[T any, S ~string](c Column[T, S], text string) Cond[T] {
	return c.cond(lookup.IStartsWith, text)
}

// HasSuffix is the condition that the column ends with the text.
func HasSuffix[T any, S ~string](c Column[T, S], text string) Cond[T] {
	return c.cond(lookup.EndsWith, text)
}

// IHasSuffix is [HasSuffix], letter by letter in lower case.
func IHasSuffix[T any, S ~string](c Column[T, S], text string) Cond[T] {
	return c.cond(lookup.IEndsWith, text)
}
