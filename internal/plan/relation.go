package plan

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// relation compares the key of a related row.
func (b *builder) relation(refs []Ref, target *schema.Model, p step) (Cond, error) {
	switch p.path.Op {
	case lookup.Exact:
		return b.sameKey(refs, target, p, p.value)
	case lookup.Ne:
		c, err := b.sameKey(refs, target, p, p.value)
		if one, ok := c.(*Cmp); ok && err == nil && one.Op == lookup.Exact {
			return b.cmp(one.Ref, lookup.Ne, one.Args[0]), nil
		}
		return negate(c), err
	case lookup.IsNull:
		return b.isNull(p, Not{&Cmp{Ref: refs[0], Op: lookup.IsNull}})
	case lookup.In:
		return b.keysIn(refs, target, p)
	default:
		if len(refs) == 1 {
			return b.column(refs[0], p)
		}
		return nil, p.errorf("%s does not apply to %s, whose key has %d columns", p.path.Op, target.Name, len(refs))
	}
}

// sameKey is met by rows with the key x, which is a row of the target, a key,
// or NULL.
func (b *builder) sameKey(refs []Ref, target *schema.Model, p step, x any) (Cond, error) {
	values, err := b.keyValues(refs, target, x)
	if err != nil {
		if _, outside := errors.AsType[hydrate.RangeError](err); outside {
			return Const(false), nil
		}
		return nil, p.errorf("%w", err)
	}
	if values == nil {
		return &Cmp{Ref: refs[0], Op: lookup.IsNull}, nil
	}
	if len(refs) == 1 {
		return b.cmp(refs[0], lookup.Exact, p.slotted(refs[0], values[0])), nil
	}
	var all All
	for i, ref := range refs {
		all = append(all, b.cmp(ref, lookup.Exact, values[i]))
	}
	return conjunction(all), nil
}

func (b *builder) keysIn(refs []Ref, target *schema.Model, p step) (Cond, error) {
	list, err := elements(p)
	if err != nil {
		return nil, err
	}
	var parts Any
	var rows [][]driver.Value
	for i := range list.Len() {
		values, err := b.keyValues(refs, target, list.Index(i).Interface())
		var outside hydrate.RangeError
		switch {
		case errors.As(err, &outside):
		case err != nil:
			return nil, p.errorf("%w", err)
		case values == nil && parts == nil:
			parts = Any{&Cmp{Ref: refs[0], Op: lookup.IsNull}}
		case values != nil:
			rows = append(rows, values)
		}
	}
	switch {
	case len(rows) == 0:
	case len(refs) == 1:
		args := make([]driver.Value, len(rows))
		for i, row := range rows {
			args[i] = row[0]
		}
		parts = append(parts, &Cmp{Ref: refs[0], Op: lookup.In, Args: args, Nulls: b.nullable(refs[0])})
	default:
		parts = append(parts, &Tuples{Refs: refs, Rows: rows})
	}
	return disjunction(parts), nil
}

// keyValues returns the key x column by column, or nil for NULL.
func (b *builder) keyValues(refs []Ref, target *schema.Model, x any) ([]driver.Value, error) {
	spec := target.Struct.Key()
	v := reflect.ValueOf(x)
	if v.IsValid() && v.Type() == target.Type { // a row by value
		p := reflect.New(target.Type)
		p.Elem().Set(v)
		x, v = p.Interface(), p
	}
	var key rel.Key
	var err error
	switch {
	case !v.IsValid():
		return nil, nil
	case v.Type() == reflect.PointerTo(target.Type):
		if v.IsNil() {
			return nil, nil
		}
		if key, err = hydrate.KeyOf(spec, x); err != nil {
			return nil, fmt.Errorf("the %s %w", target.Name, err)
		}
	case isForeignKey(v.Type()):
		row, err := rowOf(v, target)
		if err != nil || row == nil {
			return nil, err
		}
		return b.keyValues(refs, target, row)
	case len(refs) > 1:
		return b.composite(refs, target, v)
	default:
		value, err := hydrate.FromAny(refs[0].Column, x, b.traits)
		if err != nil || value == nil {
			return nil, wrapName(target, err)
		}
		return []driver.Value{value}, nil
	}
	parts := rel.Split(key, len(refs))
	values := make([]driver.Value, len(refs))
	for i, part := range parts {
		if values[i], err = hydrate.KeyValue(part, refs[i].Column, b.traits); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// A foreignKey is a kin.ForeignKey, or a pointer to one.
type foreignKey interface {
	driver.Valuer
	IsNull() bool
	Loaded() bool
}

func isForeignKey(t reflect.Type) bool { return t.Implements(reflect.TypeFor[foreignKey]()) }

// rowOf returns a row with the key that a foreign key holds, or nil if that
// is NULL.
func rowOf(v reflect.Value, target *schema.Model) (any, error) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, nil
	}
	ref := v.MethodByName("Ref")
	if !ref.IsValid() || ref.Type().NumOut() != 1 || ref.Type().Out(0) != reflect.PointerTo(target.Type) {
		return nil, fmt.Errorf("takes a %s, not a %s", target.Name, v.Type())
	}
	if fk, _ := reflect.TypeAssert[foreignKey](v); fk.IsNull() {
		return nil, nil
	}
	row := ref.Call(nil)[0]
	if row.IsNil() { // not read, or given a key that does not fit
		fk, _ := reflect.TypeAssert[foreignKey](v)
		_, err := fk.Value()
		return nil, err
	}
	return row.Interface(), nil
}

func wrapName(m *schema.Model, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s or its key %w", m.Name, err)
}

// composite reads a key of several columns from a slice with a value each.
func (b *builder) composite(refs []Ref, target *schema.Model, v reflect.Value) ([]driver.Value, error) {
	if (v.Kind() != reflect.Slice && v.Kind() != reflect.Array) || v.Len() != len(refs) {
		return nil, fmt.Errorf("takes a %s, or a slice with the %d values of its key, not a %s", target.Name, len(refs), v.Type())
	}
	values := make([]driver.Value, len(refs))
	for i, ref := range refs {
		value, err := hydrate.FromAny(ref.Column, v.Index(i).Interface(), b.traits)
		if err != nil {
			return nil, wrapName(target, err)
		}
		if value == nil {
			return nil, fmt.Errorf("takes a key of %s without NULL", target.Name)
		}
		values[i] = value
	}
	return values, nil
}
