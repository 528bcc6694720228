package plan

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/pattern"
	"github.com/kin-orm/kin/internal/schema"
)

// column compares a column with the value of p.
func (b *builder) column(ref Ref, p step) (Cond, error) {
	if ref.Column.Field.Encrypted != nil {
		return b.encrypted(ref, p)
	}
	switch p.path.Op {
	case lookup.IsNull:
		return b.isNull(p, Not{&Cmp{Ref: ref, Op: lookup.IsNull}})
	case lookup.In:
		return b.in(ref, p)
	case lookup.Range:
		low, high, err := bounds(p)
		if err != nil {
			return nil, err
		}
		from, err := b.compare(ref, p, lookup.Gte, low)
		if err != nil {
			return nil, err
		}
		to, err := b.compare(ref, p, lookup.Lte, high)
		return conjunction(All{from, to}), err
	default:
		return b.compare(ref, p, p.path.Op, p.value)
	}
}

// isNull returns the condition there, or its complement, as p's value asks.
func (b *builder) isNull(p step, there Cond) (Cond, error) {
	v := reflect.ValueOf(p.value)
	if v.Kind() != reflect.Bool {
		return nil, p.errorf("isnull takes true or false, not a %T", p.value)
	}
	if v.Bool() {
		return negate(there), nil
	}
	return there, nil
}

func (p step) errorf(format string, args ...any) error {
	return fmt.Errorf("kin: %q: %w", p.path.Text, fmt.Errorf(format, args...))
}

func bounds(p step) (low, high any, err error) {
	v := reflect.ValueOf(p.value)
	if (v.Kind() != reflect.Slice && v.Kind() != reflect.Array) || v.Len() != 2 {
		return nil, nil, p.errorf("range takes a slice of two values, not a %T", p.value)
	}
	return v.Index(0).Interface(), v.Index(1).Interface(), nil
}

// compare compares a column with one value.
func (b *builder) compare(ref Ref, p step, op lookup.Op, x any) (Cond, error) {
	if v, ok := x.(Value); ok {
		return b.against(ref, p, op, v)
	}
	column := ref.Column.Source
	if column.Value.Kind == dialect.Array || op == lookup.ContainedBy || op == lookup.Overlap {
		if err := listOp(op, column); err != nil {
			return nil, p.errorf("%w", err)
		}
	} else if op.Text() && !isText(column) {
		return nil, p.errorf("%s searches text, but %s is a %s", op, column.GoName(), column.Field.Type)
	}
	v, err := hydrate.FromAny(ref.Column, x, b.traits)
	var outside hydrate.RangeError
	switch {
	case errors.As(err, &outside):
		return b.beyond(ref, op, outside.Above), nil
	case err != nil:
		return nil, p.errorf("%s %w", column.GoName(), err)
	case v != nil:
		if op, v, err = patterned(op, v); err != nil {
			return nil, p.errorf("%w", err)
		}
		return b.cmp(ref, op, p.slotted(ref, v)), nil
	}
	there := Not{&Cmp{Ref: ref, Op: lookup.IsNull}}
	switch op {
	case lookup.Exact, lookup.IExact:
		return negate(there), nil
	case lookup.Ne:
		return there, nil
	default:
		return nil, p.errorf("%s takes a value, not NULL", op)
	}
}

// listOp returns an error if an operator does not go with a column, one of which
// is of lists.
func listOp(op lookup.Op, c *schema.Column) error {
	switch op {
	case lookup.Exact, lookup.Ne:
		return nil
	case lookup.Contains, lookup.ContainedBy, lookup.Overlap:
		if c.Value.Kind == dialect.Array {
			return nil
		}
		return fmt.Errorf("%s asks for the elements of a list, but %s is a %s", op, c.GoName(), c.Field.Type)
	default:
		return fmt.Errorf("%s does not go with lists, and %s is a %s; they take exact, ne, contains, contained_by, overlap and isnull", op, c.GoName(), c.Field.Type)
	}
}

// patterned checks the pattern of an operator that takes one, and returns it as
// it is written: a regular expression says itself whether case counts.
func patterned(op lookup.Op, v driver.Value) (lookup.Op, driver.Value, error) {
	s, _ := v.(string)
	switch op {
	case lookup.Like:
		return op, v, pattern.CheckLike(s)
	case lookup.Regex, lookup.IRegex:
		err := pattern.CheckRegexp(s)
		if op == lookup.IRegex {
			s = "(?i)" + s
		}
		return lookup.Regex, s, err
	default:
		return op, v, nil
	}
}

func (b *builder) cmp(ref Ref, op lookup.Op, v driver.Value) *Cmp {
	return &Cmp{Ref: ref, Op: op, Args: []driver.Value{v}, Nulls: b.nullable(ref)}
}

// nullable reports whether the column may be NULL: by itself, or because its
// table is joined by an outer join.
func (b *builder) nullable(ref Ref) bool { return ref.Column.Nullable || b.outer[ref.Table] }

// beyond answers a comparison with an integer that no row can hold. The
// database is not asked: it would compare as another type, without index.
func (b *builder) beyond(ref Ref, op lookup.Op, above bool) Cond {
	switch op {
	case lookup.Ne:
		return Const(true)
	case lookup.Lt, lookup.Lte:
		if above {
			return b.present(ref)
		}
	case lookup.Gt, lookup.Gte:
		if !above {
			return b.present(ref)
		}
	default:
	}
	return Const(false)
}

func (b *builder) present(ref Ref) Cond {
	if !b.nullable(ref) {
		return Const(true)
	}
	return Not{&Cmp{Ref: ref, Op: lookup.IsNull}}
}

func isText(c *schema.Column) bool {
	return c.IsText() || c.Value.Kind == dialect.Custom
}

// in compares a column with a list.
func (b *builder) in(ref Ref, p step) (Cond, error) {
	list, err := elements(p)
	if err != nil {
		return nil, err
	}
	var args []driver.Value
	var parts Any
	for i := range list.Len() {
		v, err := hydrate.FromAny(ref.Column, list.Index(i).Interface(), b.traits)
		var outside hydrate.RangeError
		switch {
		case errors.As(err, &outside): // no row holds it
		case err != nil:
			return nil, p.errorf("%s %w", ref.Column.Source.GoName(), err)
		case v == nil && parts == nil:
			parts = Any{&Cmp{Ref: ref, Op: lookup.IsNull}}
		case v != nil:
			args = append(args, v)
		}
	}
	if len(args) > 0 {
		parts = append(parts, &Cmp{Ref: ref, Op: lookup.In, Args: args, Nulls: b.nullable(ref)})
	}
	return disjunction(parts), nil
}

func elements(p step) (reflect.Value, error) {
	v := reflect.ValueOf(p.value)
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return v, p.errorf("in takes a slice, not a %T", p.value)
	}
	if v.Len() > MaxList {
		return v, p.errorf("in takes at most %d values, not %d", MaxList, v.Len())
	}
	return v, nil
}
