package hydrate

import (
	"database/sql/driver"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
)

// Param returns what the driver is given for x, a value that is compared with
// no column: what a column of its type would hold. Lists are given as they are
// where a parameter may be one.
func Param(x any, traits *dialect.Traits) (driver.Value, error) {
	if IsNull(x) {
		return nil, nil
	}
	v := reflect.ValueOf(x)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	c := schema.Scalar(v.Type())
	if valuer, ok := reflect.TypeAssert[driver.Valuer](v); ok && c == nil { // a foreign key
		x, err := valuer.Value()
		if err != nil {
			return nil, err
		}
		return Param(x, traits)
	}
	if c != nil && c.Value.Kind == dialect.Array && !traits.ArrayParams {
		c = nil
	}
	if c == nil {
		if k := v.Kind(); traits.ArrayParams && (k == reflect.Slice || k == reflect.Array) {
			return v.Interface(), nil
		}
		return nil, fmt.Errorf("a %s is no parameter; give a value that a column may hold, and a ? for each value of a list", v.Type())
	}
	return FromAny(c, v.Interface(), traits)
}

// A Flat makes values of rows that are of no model.
type Flat struct {
	typ    reflect.Type
	decode []slotDecoder
}

// Width returns how many columns there are, each of which has a field.
func (f *Flat) Width() int { return len(f.decode) }

// NewFlat returns a Flat for values of the type t, whose fields are given with
// their slots. If t is no struct, it is its own only field.
func NewFlat(t reflect.Type, fields []ColumnSlot) *Flat {
	f := &Flat{typ: t}
	for _, c := range fields {
		f.decode = append(f.decode, slotDecoder{c.Slot, spotOf(c.Column.Field), decoderOf(c.Column), c.Column})
	}
	return f
}

// Row makes a value of a row.
func (f *Flat) Row(row []driver.Value) (Pointer, error) {
	p := pointerOf(reflect.New(f.typ))
	for i := range f.decode {
		d := &f.decode[i]
		if err := d.decode(d.spot.in(p), row[d.slot]); err != nil {
			return nil, columnError(d.column, err)
		}
	}
	return p, nil
}
