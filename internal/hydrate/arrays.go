package hydrate

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// element returns the elements of a slice type as a field of their own.
func element(t reflect.Type) *schema.Field {
	c := schema.Scalar(t.Elem())
	if c == nil {
		panic("BUG: kin: a list of what no column can hold")
	}
	return c.Field
}

// decodeList decodes into a slice of the type t.
func decodeList(t reflect.Type) decoder {
	decode := codecOf(element(t)).decode
	size := t.Elem().Size()
	return func(p Pointer, v driver.Value) error {
		list, err := value.List(v)
		if err != nil {
			return err
		}
		s := reflect.MakeSlice(t, len(list), len(list))
		for i, x := range list {
			err := decode(item(s, i, size), x)
			if errors.Is(err, errNull) {
				return fmt.Errorf("element %d is NULL; take a slice of pointers", i)
			}
			if err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
		valueAt(t, p).Set(s)
		return nil
	}
}

// encodeList encodes a slice of the type t.
func encodeList(t reflect.Type) encoder {
	encode := codecOf(element(t)).encode
	size := t.Elem().Size()
	return func(p Pointer, traits *dialect.Traits) (driver.Value, error) {
		if !traits.ArrayParams {
			return nil, errors.New("is a list, which PostgreSQL alone keeps in a column; store it as JSON (`kin:\",json\"`)")
		}
		s := valueAt(t, p)
		list := make([]driver.Value, s.Len())
		for i := range list {
			v, err := encode(item(s, i, size), traits)
			if err != nil {
				return nil, fmt.Errorf("has an element that %w", err)
			}
			list[i] = v
		}
		switch schema.Scalar(t).Value.Elem {
		case dialect.String:
			return typed[string](list), nil
		case dialect.Bool:
			return typed[bool](list), nil
		case dialect.Float:
			return typed[float64](list), nil
		default:
			return typed[int64](list), nil
		}
	}
}

func typed[T any](values []driver.Value) []T {
	list := make([]T, len(values))
	for i, v := range values {
		list[i], _ = v.(T)
	}
	return list
}

// changeList converts a slice to the type of f, element by element.
func changeList(f *schema.Field, v reflect.Value, bad func() (reflect.Value, bool, error)) (reflect.Value, bool, error) {
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return bad()
	}
	list := reflect.MakeSlice(f.Base, v.Len(), v.Len())
	inner := element(f.Base)
	for i := range v.Len() {
		x, null, err := convert(inner, v.Index(i).Interface())
		if err != nil || null {
			return bad()
		}
		list.Index(i).Set(x)
	}
	return list, false, nil
}
