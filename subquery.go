package kin

import (
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// embedded returns a query as a part of another.
func embedded(s Subquery) plan.Subquery {
	q, t := s.subquery()
	return subqueryOf(t, q)
}

func subqueryOf(t reflect.Type, q *query) plan.Subquery {
	return plan.Subquery{Model: t, Sourced: q != nil && q.source != nil, Make: func(m *schema.Model, g *schema.Graph) (plan.Query, error) {
		if q == nil {
			return plan.Query{Model: m, Graph: g}, nil
		}
		if what := q.rowsOnly(); what != "" && q.err == nil {
			return plan.Query{}, fmt.Errorf("kin: a subquery on %s is to %s, which nobody sees", t.Name(), what)
		}
		if q.source != nil {
			m = q.source.model()
		}
		return q.plan(m, g), q.err
	}}
}

// Exists is met if the query has rows. Its conditions may speak of the row of
// the query around it, by [Outer]:
//
//	kin.Exists(kin.Query[Teacher]().Where(kin.F("name").Eq(kin.Outer("name"))))
func Exists(q Subquery) *Condition { return &Condition{plan.Exist{Sub: embedded(q)}} }

// Outer is a field of the row of the query around a subquery, or of a row that
// foreign keys lead to from there. See [Exists].
func Outer[P ~string](path P) Expr { return Expr{plan.Outer{Path: plan.Lazy{Text: string(path)}}} }

// ValueOf is what the expression is of the first row of the query, or NULL if it
// has none; or an aggregate of its rows. It may speak of the row of the query
// around it, by [Outer].
func ValueOf(q Subquery, e Expr) Expr { return Expr{plan.ValueOf{Sub: embedded(q), Value: e.value()}} }

// InQuery is met if the value at the end of the path is what the expression is
// of one of the query's rows.
func InQuery(path string, q Subquery, e Expr) *Condition {
	return &Condition{plan.Among{Path: plan.Lazy{Text: path}, Sub: embedded(q), Value: e.value()}}
}

// InQuery is the condition that the relation leads to one of the query's rows.
func (r Relation[T, R]) InQuery(q QuerySet[R]) Cond[T] {
	return newCond[T](plan.Among{Path: r.c.lazy(reflect.TypeFor[T]()), Sub: embedded(q)})
}

// A Window says among which rows a value is, and in what order: those that
// agree in all of Partition, in the order of the paths of Order, with "-" before
// those in descending order. Rows that are equal there come in the order of
// their primary key.
type Window struct {
	Partition []string
	Order     []string
	// Frame is which of them an aggregate is of: if nil, all up to the row
	// itself, or, without Order, all.
	Frame *Frame
}

// A Frame is the rows from Before before a row up to After after it. Those of
// [Unbounded] are all.
type Frame struct{ Before, After int }

// Unbounded is all rows on one side, in a [Frame].
const Unbounded = -1

// RowNumber is the number of the row, from 1, in a window with an order: see
// [Expr.Over].
func RowNumber() Expr { return Expr{plan.Windowed{Rank: "ROW_NUMBER"}} }

// Rank is the number of the first of the rows that are equal to the row in the
// order of the window: see [Expr.Over].
func Rank() Expr { return Expr{plan.Windowed{Rank: "RANK"}} }

// DenseRank is how many different rows there are up to the row in the order of
// the window: see [Expr.Over].
func DenseRank() Expr { return Expr{plan.Windowed{Rank: "DENSE_RANK"}} }

// Lag is what the expression is of the n-th row before the row, in the order of
// the window, or NULL: see [Expr.Over].
func Lag(e Expr, n int) Expr { return beside("LAG", e, n) }

// Lead is what the expression is of the n-th row after the row, in the order of
// the window, or NULL: see [Expr.Over].
func Lead(e Expr, n int) Expr { return beside("LEAD", e, n) }

func beside(rank string, e Expr, n int) Expr {
	if n < 1 {
		return mistake(fmt.Sprintf("%s looks at least one row away, not %d", rank, n))
	}
	return Expr{plan.Windowed{Rank: rank, Of: e.value(), Distance: n}}
}

// Over makes a value among the rows of a window: of an aggregate such as
// kin.Sum("pay"), or of [RowNumber], [Rank], [DenseRank], [Lag] or [Lead]. It is
// for [QuerySet.Annotate] and [Select].
//
//	kin.Sum("pay").Over(kin.Window{Partition: []string{"class"}, Order: []string{"id"}}) // a running sum
func (e Expr) Over(w Window) Expr {
	v, ok := e.v.(plan.Windowed)
	if !ok {
		switch e.v.(type) {
		case plan.Aggregate:
		case plan.Mistake:
			return e
		default:
			return mistake("Over goes with an aggregate, RowNumber, Rank, DenseRank, Lag or Lead")
		}
		v = plan.Windowed{Of: e.v}
	}
	v.Partition, v.Order = lazies(w.Partition), lazies(w.Order)
	if w.Frame != nil {
		v.Frame = &plan.Frame{Before: w.Frame.Before, After: w.Frame.After}
	}
	return Expr{v}
}

func lazies(paths []string) []plan.Lazy {
	list := make([]plan.Lazy, len(paths))
	for i, p := range paths {
		list[i] = plan.Lazy{Text: p}
	}
	return list
}
