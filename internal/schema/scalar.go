package schema

import (
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/kin-orm/kin/dialect"
)

//nolint:gochecknoglobals // a cache of what is a pure function of the type
var scalars sync.Map // reflect.Type → *Column

// Scalar returns a column of no table that holds values of t, for what is
// calculated, or nil if no column can hold them.
func Scalar(t reflect.Type) *Column {
	if c, ok := scalars.Load(t); ok {
		return c.(*Column)
	}
	f := &Field{Name: t.String(), Type: t, Codec: new(atomic.Value)}
	if !f.classify() || f.Encrypted != nil {
		return nil
	}
	c := &Column{Model: &Model{Name: "an expression of type"}, Field: f, Value: f.Value, Nullable: true}
	c.Source = c
	kept, _ := scalars.LoadOrStore(t, c)
	return kept.(*Column)
}

// ScalarOf is [Scalar] of the type V, which has columns.
func ScalarOf[V any]() *Column { return Scalar(reflect.TypeFor[V]()) }

// IsNumber reports whether the database calculates with values of the column.
func (c *Column) IsNumber() bool {
	k := c.Value.Kind
	return k == dialect.Int || k == dialect.Uint || k == dialect.Float || k == dialect.Custom
}

// IsWhole reports whether the values are integers.
func (c *Column) IsWhole() bool { return c.Value.Kind == dialect.Int || c.Value.Kind == dialect.Uint }

// listType returns what a list of values of t is stored as.
func listType(t reflect.Type) dialect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch of := valueType(t); of.Kind {
	case dialect.Bool, dialect.Int, dialect.Uint, dialect.Float, dialect.String, dialect.Time, dialect.UUID:
		return dialect.Type{Kind: dialect.Array, Elem: of.Kind, Bits: of.Bits}
	default:
		return dialect.Type{}
	}
}

// keepsList reports whether a column can hold the lists of a field, which holds
// one: those with NULL in them, or of other values, are read only.
func (f *Field) keepsList() bool {
	k := f.Value.Elem
	return f.Base.Elem().Kind() != reflect.Pointer && (k == dialect.Bool || k == dialect.Int || k == dialect.Float || k == dialect.String)
}

// ListOf returns a column of no table that holds lists of the values of c, or
// nil if there are none.
func ListOf(c *Column) *Column { return Scalar(reflect.SliceOf(c.Source.Field.Base)) }
