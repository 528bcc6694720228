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
	switch {
	case s.Empty:
	case s.Set != nil:
		return s.Set.Left.kind(column)
	default:
		e := s.Arms[0].Columns[column]
		if as, ok := e.(As); ok {
			e = as.Expr
		}
		if c := columnOf(e); c != nil {
			return c.Value.Kind
		}
	}
	return dialect.Invalid
}

// isList reports whether a column of the statement has lists, which neither
// compare nor have an order.
func (s *Statement) isList(column int) bool {
	if s.Set != nil {
		return s.Set.Left.isList(column)
	}
	return len(s.Arms) > 0 && isList(s.Arms[0].Columns[column])
}

func isList(e Expr) bool {
	if as, ok := e.(As); ok {
		e = as.Expr
	}
	return errors.Is(incomparable(e), errList)
}
