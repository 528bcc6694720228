package kin

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

func function(name string, args ...any) Expr {
	f := plan.Function{Name: name}
	for _, x := range args {
		f.Args = append(f.Args, valueOf(x))
	}
	return Expr{f}
}

// The functions take Exprs and values of Go. Each is NULL if one of its
// arguments is, unless it says otherwise, and is the same on every database.

// Lower is the text in lower case, letter by letter in all of Unicode.
func Lower(text any) Expr { return function("lower", text) }

// Upper is the text in upper case, letter by letter in all of Unicode: a letter
// whose upper case is several, such as ß, stays as it is.
func Upper(text any) Expr { return function("upper", text) }

// Length is the number of code points of the text.
func Length(text any) Expr { return function("length", text) }

// Trim is the text without spaces at its start and end.
func Trim(text any) Expr { return function("trim", text) }

// Replace is the text with each old in it replaced by with.
func Replace(text, old, with any) Expr { return function("replace", text, old, with) }

// Substr is n code points of the text from start on, the first of which is 1.
func Substr(text any, start, n int) Expr {
	if start < 1 || n < 0 {
		return mistake(fmt.Sprintf("Substr begins at 1 and takes no negative length, not %d and %d", start, n))
	}
	return function("substr", text, start, n)
}

// Abs is the number without its sign.
func Abs(number any) Expr { return function("abs", number) }

// Round is the number rounded to digits after the point, as a float: halves away
// from zero, as floats calculate.
func Round(number any, digits int) Expr {
	if digits < 0 || digits > 15 {
		return mistake(fmt.Sprintf("Round takes 0 to 15 digits, not %d", digits))
	}
	power := 1.0
	for range digits {
		power *= 10
	}
	return function("round", number, power)
}

// Floor is the greatest whole number that is not greater than the number, as a
// float.
func Floor(number any) Expr { return function("floor", number) }

// Ceil is the least whole number that is not less than the number, as a float.
func Ceil(number any) Expr { return function("ceil", number) }

// Mod is the rest of the division of whole numbers, with the sign of a, or NULL
// if b is zero.
func Mod(a, b any) Expr { return function("mod", a, b) }

// Greatest is the greatest of the values, which are of one type.
func Greatest(values ...any) Expr { return several("greatest", values) }

// Least is the least of the values, which are of one type.
func Least(values ...any) Expr { return several("least", values) }

func several(name string, values []any) Expr {
	if len(values) < 2 {
		return mistake(name + " takes at least two values")
	}
	return function(name, values...)
}

// NullIf is x, or NULL if x equals y.
func NullIf(x, y any) Expr {
	differs := plan.Compared{X: valueOf(x), Op: lookup.Ne, Y: []plan.Value{valueOf(y)}}
	return Expr{plan.Case{Whens: []plan.When{{Ask: differs, Then: valueOf(x)}}}}
}

// Random is a number from 0 up to but not 1, another for each row.
func Random() Expr { return function("random") }

// Cast is a number as one of another type, or a whole number as a text: V is an
// integer, a float or a string type. A fraction is cut off. Other casts differ
// between databases, and are errors.
func Cast[V any](e any) Expr {
	c := schema.ScalarOf[V]()
	switch {
	case c != nil && c.IsWhole():
		return function("integer", e)
	case c != nil && c.IsNumber():
		return function("float", e)
	case c != nil && c.IsText():
		return function("text", e)
	}
	return mistake(fmt.Sprintf("Cast makes integers, floats and texts, not a %s", reflect.TypeFor[V]()))
}

// A DatePart is a part of a time.
type DatePart string

// The parts of a time. Weeks begin on Monday, which is 1 of Weekday, and Week is
// that of ISO 8601.
const (
	Year    DatePart = "year"
	Quarter DatePart = "quarter"
	Month   DatePart = "month"
	Week    DatePart = "week"
	Day     DatePart = "day"
	Weekday DatePart = "weekday"
	Hour    DatePart = "hour"
	Minute  DatePart = "minute"
	Second  DatePart = "second"
)

func dateParts() []DatePart {
	return []DatePart{Year, Quarter, Month, Week, Day, Weekday, Hour, Minute, Second}
}

// Extract is a part of the time, in UTC, as a whole number. [InZone] gives those
// of another time zone.
func Extract(part DatePart, t any) Expr { return dated("", part, t) }

// Trunc is the beginning of the part that the time is in, in UTC. There is none
// of Weekday.
func Trunc(part DatePart, t any) Expr { return dated("trunc ", part, t) }

func dated(what string, part DatePart, t any) Expr {
	name := what + string(part)
	if !slices.Contains(dateParts(), part) || !plan.IsFunction(name) {
		return mistake(fmt.Sprintf("there is no part %q of a time; take one of kin.Year to kin.Second", name))
	}
	return function(name, t)
}

// zoneFrom and zoneTo are the years whose changes of offset [InZone] knows.
const zoneFrom, zoneTo = 1970, 2100

// InZone is what a clock in the time zone shows at the time: an instant whose
// parts in UTC are those of the zone. The zone's changes from 1970 to 2100 are
// taken from Go, so that no database needs to know it; before and after, the
// nearest offset holds.
//
//	kin.Extract(kin.Hour, kin.InZone(kin.F("at"), berlin))
func InZone(t any, zone *time.Location) Expr {
	at := valueOf(t)
	from, end := time.Date(zoneFrom, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(zoneTo, 1, 1, 0, 0, 0, 0, time.UTC)
	_, offset := from.In(zone).Zone()
	o := plan.Offset{At: at, Before: int64(offset)}
	for {
		_, next := from.In(zone).ZoneBounds()
		if next.IsZero() || !next.Before(end) {
			break
		}
		if !next.After(from) { // as it is at the ends of some years, without a change
			from = from.Add(24 * time.Hour)
			continue
		}
		_, after := next.Zone()
		if after != offset {
			o.Changes = append(o.Changes, plan.OffsetChange{At: next.UTC(), After: int64(after)})
		}
		from, offset = next, after
	}
	return function("shift", at, o)
}

// NewFunc returns a function of the database's, or a text with it, whose values
// are of the type V. For each dialect by its name it has the text, in which {0}
// is the first argument, {1} the second and {*} all of them; on a dialect
// without a text, the call is an error. The text is SQL and never comes from a
// user; the arguments are bound.
//
//	var soundex = kin.NewFunc[string](map[string]string{"sqlite": "soundex({0})", "mysql": "SOUNDEX({0})"})
//	q.Where(soundex(kin.F("name")).Eq(soundex("Meier")))
func NewFunc[V any](texts map[string]string) func(args ...any) Expr {
	texts = maps.Clone(texts)
	return func(args ...any) Expr {
		if schema.ScalarOf[V]() == nil {
			return mistake(fmt.Sprintf("NewFunc gives values of %s, which no column can hold", reflect.TypeFor[V]()))
		}
		e := function("a function of NewFunc", args...)
		f := e.v.(plan.Function)
		f.Texts, f.Result = texts, reflect.TypeFor[V]()
		if texts == nil {
			f.Texts = map[string]string{}
		}
		return Expr{f}
	}
}
