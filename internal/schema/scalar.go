package schema

import (
	"reflect"
	"sync"

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
	f := &Field{Name: t.String(), Type: t}
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
