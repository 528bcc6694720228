package kin

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// The caps that [QuerySet.Allow] brings, unless [QuerySet.Cap] has set others
// before.
const (
	allowedConditions = 100
	allowedList       = 1000
)

// Allow restricts which paths may be used in texts from then on: in Filter,
// Exclude, Where, OrderBy, DistinctOn, SelectRelated and Prefetch, in the
// expressions of Annotate, and in what [Select] and [Value] read. What the query
// has already stays, and so do subqueries, which have guards of their own. It is for
// texts that come from a user:
//
//	q := kin.Query[Student]().Filter("class", mine).Allow("name", "category__name__icontains")
//	for lookup, value := range request {
//		q = q.Filter(lookup, value)
//	}
//
// A path is allowed with every operator and to order by, or, if it ends in an
// operator, with that one. Those that take a pattern (like, regex and iregex)
// can be made slow, and are allowed only so. A second Allow narrows the first, and never widens
// it. With it come caps, see [QuerySet.Cap]. Anything else is an error of the
// query, which says what is allowed. What is a program's own, in conditions and
// expressions of typed columns and in [QuerySet.FilterRaw], is not restricted.
// Conditions on related rows, such as those of [Has], are on the path from the
// query's model.
//
// Whatever is allowed, a field tagged secret cannot be filtered or ordered by,
// calculated with, selected or loaded through a text. A typed column can: of
// kin.Col(…), the conditions, F, Path, Asc and Desc.
func (qs QuerySet[T]) Allow(paths ...string) QuerySet[T] {
	return QuerySet[T]{qs.q.allowing(paths)}
}

func (q *query) allowing(paths []string) *query {
	q = q.derived()
	g := q.guarding()
	g.Allow = slices.Clone(paths)
	if g.Allow == nil {
		g.Allow = []string{} // which is nothing, not everything
	}
	conditions, list := false, false
	for outer := g.Outer; outer != nil; outer = outer.Outer {
		conditions, list = conditions || outer.Conditions > 0, list || outer.List > 0
	}
	if !conditions {
		g.Conditions = allowedConditions
	}
	if !list {
		g.List = allowedList
	}
	return q
}

// Caps are the most that may be asked for; 0 leaves a cap as it is. Without
// any there are those of kin: [MaxHops] relations in a path, and a million
// values in a list. [QuerySet.Allow] sets 100 conditions and 1,000 values, where
// there is no cap yet; caps are never raised.
type Caps struct {
	Hops       int // relations in a path
	Conditions int // pairs of a lookup and a value
	List       int // values of one list
}

// Cap limits what may be asked for in texts from then on, by Filter, Exclude
// and OrderBy. More is an error of the query.
func (qs QuerySet[T]) Cap(c Caps) QuerySet[T] {
	return QuerySet[T]{qs.q.capped(reflect.TypeFor[T](), c)}
}

func (q *query) capped(t reflect.Type, c Caps) *query {
	q = q.derived()
	if c.Hops < 0 || c.Conditions < 0 || c.List < 0 {
		q.fail(fmt.Errorf("kin: a query on %s: a cap is negative", t.Name()))
	}
	g := q.guarding()
	if c.Hops > 0 {
		g.Hops = c.Hops
	}
	if c.Conditions > 0 {
		g.Conditions = c.Conditions
	}
	if c.List > 0 {
		g.List = c.List
	}
	return q
}

// guarding returns a guard of the query's own, within those that it has.
func (q *query) guarding() *plan.Guard {
	g := &plan.Guard{Outer: q.reads.guard}
	q.reads.guard = g
	return g
}

// guarded returns a condition within the guards of the query.
func (q *query) guarded(ask plan.Ask) plan.Ask {
	if q.reads.guard == nil {
		return ask
	}
	return plan.Guarded{Ask: ask, Guard: q.reads.guard}
}

// warded returns a value within the guards of the query.
func (q *query) warded(v plan.Value) plan.Value {
	if q.reads.guard == nil {
		return v
	}
	return plan.Warded{Value: v, Guard: q.reads.guard}
}

// loads returns an error if the guards do not allow a path to be loaded.
func (q *query) loads(paths []string) error {
	for g := q.reads.guard; g != nil; g = g.Outer {
		for _, path := range paths {
			if path, _ := schema.Untyped(path); g.Allow != nil && !slices.Contains(g.Allow, path) {
				return fmt.Errorf("kin: %.200q may not be loaded; allowed are %v", path, g.Allow)
			}
		}
	}
	return nil
}

// own marks the conditions so far as those of the program, or of kin.
func (q *query) own() *query {
	q = q.derived()
	q.calls = slices.Clone(q.calls)
	for i, call := range q.calls {
		q.calls[i] = plan.Guarded{Ask: call, Own: true}
	}
	return q
}

// ErrMaxRows says that a query has more rows than [QuerySet.MaxRows] allows.
var ErrMaxRows = errors.New("kin: the query has more rows than MaxRows")

// MaxRows makes it an error, [ErrMaxRows], if All or Iter read more than n rows
// from the database: rows of the query, and those that SelectRelated joins. It
// is a budget against queries that are larger than anyone thought, and no
// limit: none of the rows are left out in silence. The database is asked for
// at most one row of the query more. It takes the place of [WithMaxRows].
func (qs QuerySet[T]) MaxRows(n int) QuerySet[T] {
	return QuerySet[T]{qs.q.budgeting(reflect.TypeFor[T](), n)}
}

func (q *query) budgeting(t reflect.Type, n int) *query {
	q = q.derived()
	q.reads.maxRows = int64(n)
	if n < 1 {
		q.fail(fmt.Errorf("kin: a query on %s: a budget of %d rows", t.Name(), n))
	}
	return q
}

func tooMany(most int64) error {
	return fmt.Errorf("%w (%d); give it a limit or conditions, or a larger budget", ErrMaxRows, most)
}
