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

// Like is the condition that the column, as a whole, is as the pattern says: % in
// it stands for any text, _ for any one code point, and a backslash takes the
// meaning from what follows it. All else stands for itself, letters in their
// case, on every database.
//
//	kin.Like(code, `A_-%\_x`) // "A1-anything_x"
//
// Each % may cost another pass over the text: a pattern that comes from a user
// can be slow. [HasPrefix] and the others take texts in which nothing has a
// meaning.
func Like[T any, S ~string](c Column[T, S], pattern string) Cond[T] {
	return c.cond(lookup.Like, pattern)
}

// Regexp is the condition that the regular expression matches somewhere in the
// column. It is one of package [regexp], flags such as (?i) among them, and
// means the same on every database: it is written anew for each. A part may be
// repeated 255 times at most.
//
// What it costs differs, and a pattern that comes from a user can be slow.
// SQLite runs package regexp, whose time is the length of the pattern times that
// of the text. PostgreSQL builds an automaton, which may grow large. MariaDB and
// MySQL go back and try again: a pattern in which a repetition takes the same
// text in several ways, such as (a+)+, is an error there. Where a few thousand
// characters and several of .* let MariaDB reach its limit all the same, it says
// so in a warning and takes the text for one that does not match.
func Regexp[T any, S ~string](c Column[T, S], pattern string) Cond[T] {
	return c.cond(lookup.Regex, pattern)
}
