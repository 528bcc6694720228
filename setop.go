package kin

import (
	"fmt"

	"github.com/kin-orm/kin/internal/plan"
)

// Union is the rows of both selections, without those that are equal to another.
// They may be of different models. Orders and limits that the two have hold for
// what each gives; those that the union is given hold for all. Without an order,
// the rows come in that of their fields.
func (s Selection[R]) Union(other Selection[R]) Selection[R] { return s.set("UNION", other) }

// UnionAll is the rows of both selections, as often as they have them.
func (s Selection[R]) UnionAll(other Selection[R]) Selection[R] { return s.set("UNION ALL", other) }

// Intersect is the rows that both selections have. See [Selection.Union].
func (s Selection[R]) Intersect(other Selection[R]) Selection[R] { return s.set("INTERSECT", other) }

// Except is the rows of s that other does not have. See [Selection.Union].
func (s Selection[R]) Except(other Selection[R]) Selection[R] { return s.set("EXCEPT", other) }

func (s Selection[R]) set(op string, other Selection[R]) Selection[R] {
	left := s.get()
	return Selection[R]{&selection{model: left.model, row: left.row, op: op, left: left, right: other.get(), compiled: &memo{}}}
}

// set plans one set of the rows of two selections.
func (w selecter) set(s *selection) (*plan.Statement, error) {
	if len(s.having) > 0 || s.distinct {
		return nil, fmt.Errorf("kin: select from %s: Having and Distinct go with each part of a %s", s.model.Name(), s.op)
	}
	left, err := w.part(s.left)
	if err != nil {
		return nil, err
	}
	right, err := w.part(s.right)
	if err != nil {
		return nil, err
	}
	return plan.Selection{Fields: s.fields(), Order: s.order, Limit: s.limit, Offset: s.offset}.Combine(s.op, left, right)
}

// part plans a selection as a part of a set.
func (w selecter) part(s *selection) (*plan.Statement, error) {
	c := *s
	c.labelled = true
	return w.statement(&c)
}
