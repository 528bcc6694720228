package kin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
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
	return Selection[R]{&selection{model: s.s.model, row: s.s.row, op: op, left: s.s, right: other.s}}
}

// set plans one set of the rows of two selections.
func (s *selection) set(ctx context.Context, sess *session) (*plan.Statement, error) {
	if len(s.having) > 0 || s.distinct {
		return nil, fmt.Errorf("kin: select from %s: Having and Distinct go with each part of a %s", s.model.Name(), s.op)
	}
	left, err := s.left.part(ctx, sess)
	if err != nil {
		return nil, err
	}
	right, err := s.right.part(ctx, sess)
	if err != nil {
		return nil, err
	}
	union := strings.HasPrefix(s.op, "UNION")
	switch {
	case left.Empty && (right.Empty || !union), right.Empty && s.op == "INTERSECT":
		return &plan.Statement{Empty: true}, nil
	case left.Empty:
		left, right = right, nil
	case right.Empty:
		right = nil
	}
	terms, err := s.terms()
	if err != nil {
		return nil, err
	}
	op := &plan.SetOp{Op: s.op, Left: left, Right: right, Terms: terms, Limit: s.limit, Offset: s.offset}
	return &plan.Statement{Set: op}, nil
}

// part plans a selection as a part of a set.
func (s *selection) part(ctx context.Context, sess *session) (*plan.Statement, error) {
	c := *s
	c.labelled = true
	return c.statement(ctx, sess)
}

// terms returns the order of a set: the fields that were asked for, and then all
// others.
func (s *selection) terms() ([]plan.Term, error) {
	names := make([]string, len(s.row.Fields))
	for i, f := range s.row.Fields {
		names[i] = f.Name
	}
	var terms []plan.Term
	used := map[int]bool{}
	for _, text := range s.order {
		name := strings.TrimLeft(text, "+-")
		i := slices.Index(names, name)
		if i < 0 {
			return nil, fmt.Errorf("kin: the order %q is none of what is selected: %s%s", name, strings.Join(names, ", "), schema.Suggest(name, slices.Values(names)))
		}
		used[i] = true
		terms = append(terms, plan.Term{Expr: plan.Number(i + 1), Desc: strings.HasPrefix(text, "-"), Nulls: true})
	}
	for i := range names {
		if !used[i] {
			terms = append(terms, plan.Term{Expr: plan.Number(i + 1), Nulls: true})
		}
	}
	return terms, nil
}
