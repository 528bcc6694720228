package kin

import (
	"errors"
	"slices"

	"github.com/kin-orm/kin/internal/plan"
)

// An Expr is a value that the database calculates, for [Set]. It is made by
// [F], [Now], [Concat], [Coalesce] and [Case], and is immutable.
type Expr struct{ v plan.Value }

// F is the value of a field of the row, or of a row that foreign keys lead to:
// F("score"), F("class__name").
func F(path string) Expr { return Expr{plan.Column{Path: plan.Lazy{Text: path}}} }

// value returns what e is, or that it is nothing.
func (e Expr) value() plan.Value {
	if e.v == nil {
		return plan.Mistake{Err: errors.New("kin: an Expr is empty; build it with kin.F and its methods")}
	}
	return e.v
}

// valueOf takes an Expr as it is, and all else as a value of Go.
func valueOf(x any) plan.Value {
	switch x := x.(type) {
	case Expr:
		return x.value()
	case plan.Value:
		return x
	}
	return plan.Literal{Value: x}
}

func mistake(text string) Expr {
	return Expr{plan.Mistake{Err: errors.New("kin: " + text)}}
}

func (e Expr) with(sign byte, x any) Expr {
	return Expr{plan.Arithmetic{Sign: sign, X: e.v, Y: valueOf(x)}}
}

// Add is e + x, where x is an Expr or a value of the field's type.
func (e Expr) Add(x any) Expr { return e.with('+', x) }

// Sub is e - x.
func (e Expr) Sub(x any) Expr { return e.with('-', x) }

// Mul is e * x.
func (e Expr) Mul(x any) Expr { return e.with('*', x) }

// Div is e / x. Integers are divided without rest, and a division by zero is
// NULL, on every database.
func (e Expr) Div(x any) Expr { return e.with('/', x) }

// Now is the time at which the statement runs.
func Now() Expr { return function("now") }

func call(name, what string, args []any) Expr {
	switch len(args) {
	case 0:
		return mistake(what + " takes at least one value")
	case 1:
		return Expr{valueOf(args[0])}
	}
	return function(name, args...)
}

// Concat is the texts one after the other: Exprs or strings. It is NULL if one
// of them is.
func Concat(texts ...any) Expr { return call("concat", "Concat", texts) }

// Coalesce is the first of the values that is not NULL.
func Coalesce(values ...any) Expr { return call("coalesce", "Coalesce", values) }

// Case begins an expression with several cases:
//
//	kin.Case().When("gold", "score__gte", 90).When("silver", "score__gte", 70).Else("none")
func Case() Expr { return Expr{plan.Case{}} }

// When adds a case to an expression made by [Case]: the value that it has if
// the conditions are met, which are pairs of a lookup and a value as
// [QuerySet.Filter] takes them. The first case that is met counts.
func (e Expr) When(then any, lookup string, value any, more ...any) Expr {
	c, ok := e.v.(plan.Case)
	if !ok {
		return mistake("When goes with Case")
	}
	pairs, err := pairsOf(lookup, value, more)
	if err != nil {
		return Expr{plan.Mistake{Err: err}}
	}
	c.Whens = append(slices.Clip(c.Whens), plan.When{Ask: every(pairs), Then: valueOf(then)})
	return Expr{c}
}

// WhenCond is [Expr.When] with a condition.
func (e Expr) WhenCond(then any, cond *Condition) Expr {
	c, ok := e.v.(plan.Case)
	if !ok {
		return mistake("WhenCond goes with Case")
	}
	c.Whens = append(slices.Clip(c.Whens), plan.When{Ask: askOf(cond), Then: valueOf(then)})
	return Expr{c}
}

// Else gives an expression made by [Case] the value that it has if no case is
// met, in place of NULL.
func (e Expr) Else(x any) Expr {
	c, ok := e.v.(plan.Case)
	if !ok {
		return mistake("Else goes with Case")
	}
	c.Else = valueOf(x)
	return Expr{c}
}

// An Assignment gives a column a value. It is made by [Set], and is a [Setting]
// of any model; whether it has the column is checked when the update is run.
type Assignment struct{ s plan.Setting }

// A Setting gives a column of T a value, in [QuerySet.Update]. It is made by
// [Column.Set], or is any *[Assignment].
type Setting[T any] *Assignment

// Set gives the column that a lookup names a value: one of its field's type,
// nil for NULL, a row or a key for a foreign key, or an [Expr].
//
//	kin.Set("name", "1B"), kin.Set("score", kin.F("score").Add(1))
func Set(column string, value any) *Assignment {
	return &Assignment{plan.Setting{Lookup: plan.Lazy{Text: column}, Value: valueOf(value)}}
}
