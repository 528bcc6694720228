package plan

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/kin-orm/kin/internal/lookup"
)

// annotated returns the expression and the operator that a pair asks for by the
// name of an annotation.
func (b *builder) annotated(at place, p Pair) (Value, lookup.Op, bool) {
	if len(b.query.Annotations) == 0 || p.Path.given() || at.at.Model != b.query.Model {
		return nil, 0, false
	}
	if v, ok := b.annotation(p.Lookup); ok {
		return v, lookup.Exact, true
	}
	i := strings.LastIndex(p.Lookup, "__")
	if i < 0 {
		return nil, 0, false
	}
	v, ok := b.annotation(p.Lookup[:i])
	op, known := lookup.Operator(p.Lookup[i+2:])
	if ok && !known {
		return Mistake{fmt.Errorf("kin: %q has no operator that applies to what is calculated", p.Lookup)}, 0, true
	}
	return v, op, ok
}

// comparedBy compares an expression with a value, by an operator.
func (b *builder) comparedBy(at place, v Value, op lookup.Op, x any) (Cond, error) {
	value := func(x any) Value {
		if v, ok := x.(Value); ok {
			return v
		}
		return Literal{x}
	}
	c := Compared{X: v, Op: op, Y: []Value{value(x)}}
	switch op {
	case lookup.IsNull:
		yes, ok := x.(bool)
		if !ok {
			return nil, fmt.Errorf("kin: isnull takes true or false, not a %T", x)
		}
		found, err := b.compared(at, c)
		if !yes {
			found = negate(found)
		}
		return found, err
	case lookup.In, lookup.Range:
		list := reflect.ValueOf(x)
		if list.Kind() != reflect.Slice && list.Kind() != reflect.Array {
			return nil, fmt.Errorf("kin: %s takes a slice, not a %T", op, x)
		}
		c.Y = nil
		for i := range list.Len() {
			c.Y = append(c.Y, value(list.Index(i).Interface()))
		}
		if op == lookup.In {
			return b.compared(at, c)
		}
		if len(c.Y) != 2 {
			return nil, fmt.Errorf("kin: range takes a slice of two values, not of %d", len(c.Y))
		}
		low, err := b.compared(at, Compared{X: v, Op: lookup.Gte, Y: c.Y[:1]})
		if err != nil {
			return nil, err
		}
		high, err := b.compared(at, Compared{X: v, Op: lookup.Lte, Y: c.Y[1:]})
		return conjunction(All{low, high}), err
	default:
		return b.compared(at, c)
	}
}
