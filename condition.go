package kin

import (
	"fmt"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/plan"
)

// A Condition is a condition on rows of a model that it does not name, made of
// lookups by [Q] and [Has] or of expressions. It can be used as a [Cond] of any
// model, and is checked when a query is run.
type Condition struct{ ask plan.Ask }

// A Cond is a condition on rows of T, for [QuerySet.Where]. It is made by the
// methods of a [Column] or a [Relation], by [And], [Or], [Xor] and [Not] of
// others, or is any *[Condition]. It is immutable; nil is one that all rows
// meet.
type Cond[T any] *Condition

func newCond[T any](ask plan.Ask) Cond[T] { return &Condition{ask} }

// Q is a condition of lookups and values, which [QuerySet.Filter] describes. All
// of them are to be met.
//
//	q.Where(kin.Or(kin.Q("name", "1A"), kin.Q("students__name__startswith", "A")))
func Q(lookup string, value any, more ...any) *Condition {
	pairs, err := pairsOf(lookup, value, more)
	if err != nil {
		return &Condition{plan.Wrong{Err: fmt.Errorf("kin: %w", err)}}
	}
	return &Condition{every(pairs)}
}

func every(parts []plan.Ask) plan.Ask {
	if len(parts) == 1 {
		return parts[0]
	}
	return plan.Group{Parts: parts}
}

// And is met by the rows that meet all of the conditions.
//
// The conditions are all of one type: [Cond] of one model, or *[Condition],
// which may be among Conds of any.
func And[C ~*Condition](conds ...C) C { return grouped(plan.Every, conds) }

// Or is met by the rows that meet at least one of the conditions. Of none, it
// is met by no row.
func Or[C ~*Condition](conds ...C) C { return grouped(plan.Some, conds) }

// Xor is met by the rows that meet an odd number of the conditions: of two, one
// and not the other.
func Xor[C ~*Condition](conds ...C) C { return grouped(plan.Odd, conds) }

// Not is met by the rows that do not meet the condition: by all others, those
// with NULL among them. Of a condition over a to-many relation, it is that no
// related row meets it.
func Not[C ~*Condition](cond C) C {
	ask := askOf(cond)
	if n, ok := ask.(plan.Negated); ok {
		return &Condition{n.Ask}
	}
	return &Condition{plan.Negated{Ask: ask}}
}

func grouped[C ~*Condition](how plan.GroupKind, conds []C) C {
	if len(conds) == 1 {
		return conds[0]
	}
	return &Condition{plan.Group{How: how, Parts: asksOf(conds)}}
}

func asksOf[C ~*Condition](conds []C) []plan.Ask {
	asks := make([]plan.Ask, len(conds))
	for i, c := range conds {
		asks[i] = askOf(c)
	}
	return asks
}

func askOf(c *Condition) plan.Ask {
	if c == nil || c.ask == nil {
		return plan.Group{}
	}
	return c.ask
}

// Has is met by the rows with a related row, at the end of the path, that meets
// all of the conditions, which are about its model. Within it they speak of one
// row, groups and negations included: of the students,
//
//	kin.Has("students", kin.Not(kin.Q("name", "Ada")))
//
// asks for one with another name, and kin.Not(kin.Q("students__name", "Ada")) for
// there being none with this one.
func Has(path string, conds ...*Condition) *Condition { return related(path, plan.SomeRow, conds) }

// HasNo is met by the rows without a related row that meets the conditions: the
// complement of [Has].
func HasNo(path string, conds ...*Condition) *Condition { return related(path, plan.NoRow, conds) }

// HasOnly is met by the rows of whose related rows, at the end of the path,
// each one meets all of the conditions. It is met where there is none.
func HasOnly(path string, conds ...*Condition) *Condition {
	return related(path, plan.EveryRow, conds)
}

func related(path string, how plan.Quantifier, conds []*Condition) *Condition {
	return &Condition{plan.Related{Path: plan.Lazy{Text: path}, How: how, Ask: every(asksOf(conds))}}
}

// compared returns the condition that an expression compares with others.
func (e Expr) compared(op lookup.Op, values ...any) *Condition {
	c := plan.Compared{X: e.value(), Op: op}
	for _, v := range values {
		c.Y = append(c.Y, valueOf(frozen(v)))
	}
	return &Condition{c}
}

// Eq is the condition that e equals x, an Expr or a value. NULL is a value like
// others.
func (e Expr) Eq(x any) *Condition { return e.compared(lookup.Exact, x) }

// Ne is the complement of [Expr.Eq].
func (e Expr) Ne(x any) *Condition { return e.compared(lookup.Ne, x) }

// Lt is the condition that e is less than x.
func (e Expr) Lt(x any) *Condition { return e.compared(lookup.Lt, x) }

// Lte is the condition that e is x or less.
func (e Expr) Lte(x any) *Condition { return e.compared(lookup.Lte, x) }

// Gt is the condition that e is greater than x.
func (e Expr) Gt(x any) *Condition { return e.compared(lookup.Gt, x) }

// Gte is the condition that e is x or greater.
func (e Expr) Gte(x any) *Condition { return e.compared(lookup.Gte, x) }

// In is the condition that e equals one of the values.
func (e Expr) In(values ...any) *Condition { return e.compared(lookup.In, values...) }

// IsNull is the condition that e is NULL.
func (e Expr) IsNull() *Condition { return e.compared(lookup.IsNull) }
