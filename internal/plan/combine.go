package plan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kin-orm/kin/dialect"
)

// Combine makes one set of the rows of two selections, which have the fields of
// s; its order, limit and offset are those of the set.
func (s Selection) Combine(op string, left, right *Statement) (*Statement, error) {
	nulls := func(int) bool { return true }
	terms, used, err := s.terms(s.Order, true, nulls)
	if err != nil {
		return nil, err
	}
	union := strings.HasPrefix(op, "UNION")
	for i := range s.Fields {
		if left.isList(i) || right.isList(i) {
			if used[i] || op != "UNION ALL" {
				return nil, errList
			}
			continue
		}
		if !used[i] {
			terms = append(terms, Term{Expr: Number(i + 1), Nulls: true})
		}
	}
	for i, f := range s.Fields {
		if l, r := left.kind(i), right.kind(i); l != dialect.Invalid && r != dialect.Invalid && !alike(l, r) {
			return nil, fmt.Errorf("kin: %s of selections whose %q is not of one type in both: the values do not compare", op, f.Name)
		}
	}
	switch {
	case left.Empty && (right.Empty || !union), right.Empty && op == "INTERSECT":
		return &Statement{Empty: true}, nil
	case left.Empty:
		left, right = right, nil
	case right.Empty:
		right = nil
	}
	return &Statement{Set: &SetOp{Op: op, Left: left, Right: right, Terms: terms, Limit: s.Limit, Offset: s.Offset}}, nil
}

// kind returns of what kind the values of a column are, if that is known. Some
// databases compare such as do not compare, each in its way.
func (s *Statement) kind(column int) dialect.Kind {
	if c := columnOf(s.column(column)); c != nil {
		return c.Value.Kind
	}
	return dialect.Invalid
}

// isList reports whether a column of the statement has lists, which neither
// compare nor have an order.
func (s *Statement) isList(column int) bool { return isList(s.column(column)) }

func isList(e Expr) bool { return errors.Is(incomparable(unnamed(e)), errList) }

// column returns a column of the statement's rows, of a set that of its left
// side, or nil if the statement is empty.
func (s *Statement) column(i int) Expr {
	switch {
	case s.Empty:
		return nil
	case s.Set != nil:
		return s.Set.Left.column(i)
	}
	return unnamed(s.Arms[0].Columns[i])
}

// unnamed returns an expression without its name.
func unnamed(e Expr) Expr {
	if as, ok := e.(As); ok {
		return as.Expr
	}
	return e
}
