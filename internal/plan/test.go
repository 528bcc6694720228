package plan

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

var errEmpty = errors.New("kin: a condition or an expression is empty; build it with kin's functions")

// base returns a From whose rows expressions are about.
func (p place) base() *From {
	if p.at == p.from.Table {
		return p.from
	}
	return &From{Table: p.at}
}

// compared returns the condition that an expression compares with others.
func (b *builder) compared(at place, c Compared) (Cond, error) {
	from := at.base()
	x, err := b.value(from, c.X, nil, 0)
	if err != nil {
		return nil, err
	}
	if c.Op == lookup.IsNull {
		return &Test{X: x, Op: c.Op}, nil
	}
	var parts Any
	for _, y := range c.Y {
		t, err := b.test(from, x, c.Op, y)
		if err != nil {
			return nil, err
		}
		parts = append(parts, t)
	}
	return disjunction(parts), nil
}

// against compares a column with an expression about the rows of p's top.
func (b *builder) against(ref Ref, p step, op lookup.Op, v Value) (Cond, error) {
	c, err := b.test(&From{Table: p.top}, ref, op, v)
	if err != nil {
		return nil, p.errorf("%w", trim(err))
	}
	return c, nil
}

// test compares two expressions. NULL is a value like others for Exact and Ne.
func (b *builder) test(from *From, x Expr, op lookup.Op, v Value) (Cond, error) {
	if err := incomparable(x); err != nil {
		return nil, err
	}
	y, err := b.value(from, v, columnOf(x), 0)
	if err == nil {
		err = incomparable(y)
	}
	if err != nil {
		return nil, err
	}
	if p, ok := y.(Param); ok && p.Value == nil {
		switch op {
		case lookup.Exact, lookup.In:
			return &Test{X: x, Op: lookup.IsNull}, nil
		case lookup.Ne:
			return Not{&Test{X: x, Op: lookup.IsNull}}, nil
		default:
			return nil, fmt.Errorf("kin: %s takes a value, not NULL", op)
		}
	}
	kx, ky := columnOf(x), columnOf(y)
	if kx != nil && ky != nil && !alike(kx.Value.Kind, ky.Value.Kind) {
		return nil, fmt.Errorf("kin: %s is a %s, which does not compare with %s, a %s",
			kx.GoName(), kx.Source.Field.Type, ky.GoName(), ky.Source.Field.Type)
	}
	text := kx != nil && kx.IsText() || ky != nil && ky.IsText()
	nulls := b.mayBeNull(x) && b.mayBeNull(y)
	t := &Test{X: x, Y: y, Op: op, Text: text}
	switch op {
	case lookup.Ne:
		t.Distinct = b.mayBeNull(x) || b.mayBeNull(y)
		return t, nil
	case lookup.Exact, lookup.In:
		if nulls {
			t.Op, t.Distinct = lookup.Ne, true
			return negate(t), nil
		}
		t.Op = lookup.Exact
		return t, nil
	case lookup.Gt, lookup.Gte, lookup.Lt, lookup.Lte:
		return t, nil
	default:
		return searched(t, op, kx)
	}
}

// searched returns the condition that a text is found in an expression.
func searched(t *Test, op lookup.Op, kx *schema.Column) (Cond, error) {
	p, ok := t.Y.(Param)
	switch {
	case !op.Text():
		return nil, fmt.Errorf("kin: %s does not take an expression", op)
	case kx == nil || !isText(kx.Source):
		return nil, fmt.Errorf("kin: %s searches text, and not what is calculated here", op)
	case !ok:
		return nil, fmt.Errorf("kin: %s searches for a text, and takes no expression", op)
	}
	var err error
	if t.Op, p.Value, err = patterned(op, p.Value); err != nil {
		return nil, fmt.Errorf("kin: %w", err)
	}
	t.Y = p
	return t, nil
}

// alike reports whether values of two kinds compare on every database.
func alike(a, b dialect.Kind) bool {
	number := func(k dialect.Kind) bool { return k == dialect.Int || k == dialect.Uint || k == dialect.Float }
	return a == b || number(a) && number(b) || a == dialect.Custom || b == dialect.Custom
}

// mayBeNull reports whether an expression may be NULL.
func (b *builder) mayBeNull(e Expr) bool {
	switch e := e.(type) {
	case Ref:
		return b.nullable(e)
	case Param:
		return e.Value == nil
	case Agg:
		return e.Name != Counting
	case Sub:
		return b.mayBeNull(e.Select.Columns[0])
	case Window:
		return e.Of != nil && (e.Rank != "" || b.mayBeNull(e.Of))
	}
	return true
}

// literal returns a value of Go as a parameter, of the type of the column it
// meets or else of its own.
func (b *builder) literal(x any, want *schema.Column) (Expr, error) {
	if want == nil {
		if x != nil {
			want = schema.Scalar(reflect.TypeOf(x))
		}
		if want == nil {
			return nil, fmt.Errorf("kin: an expression begins with a %T, whose type says nothing to the database", x)
		}
	}
	v, err := hydrate.FromAny(want, x, b.traits)
	if err != nil {
		return nil, fmt.Errorf("kin: %s %w", want.GoName(), err)
	}
	return Param{v, want}, nil
}
