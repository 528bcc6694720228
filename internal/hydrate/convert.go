package hydrate

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
)

// A RangeError says that an integer is out of the range of a column, and on
// which side: a comparison with it has an answer all the same.
type RangeError struct{ Above bool }

func (e RangeError) Error() string { return "is out of the range of the column" }

// convert returns x as a value of the type of f without its wrap. null is
// whether x is a NULL of any kind: nil, a nil pointer, or a Valuer that gives
// nil.
func convert(f *schema.Field, x any) (v reflect.Value, null bool, err error) {
	if x == nil {
		return v, true, nil
	}
	v = reflect.ValueOf(x)
	target := f.Base
	if f.Marshal {
		target = f.Type
	}
	for v.Type() != target {
		switch {
		case v.Kind() == reflect.Pointer:
			if v.IsNil() {
				return v, true, nil
			}
			v = v.Elem()
			continue
		case isWrapped(v.Type()):
			valid := v.Field(1)
			if valid.Kind() == reflect.Bool && !valid.Bool() {
				return v, true, nil
			}
			v = v.Field(0)
			continue
		}
		break
	}
	if valuer, ok := reflect.TypeAssert[driver.Valuer](v); ok && v.Type() != target {
		dv, err := valuer.Value()
		if err != nil || dv == nil {
			return v, err == nil, err
		}
		v = reflect.ValueOf(dv)
		// A driver.Value has no uint64: a key above the largest int64 is text.
		if f.Value.Kind == dialect.Uint && v.Kind() == reflect.String {
			if n, err := strconv.ParseUint(v.String(), 10, 64); err == nil && n > math.MaxInt64 {
				v = reflect.ValueOf(n)
			}
		}
	}
	if v.Type() == target {
		if (v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice) && v.IsNil() {
			return v, true, nil
		}
		return v, false, nil
	}
	return change(f, v, x)
}

func isWrapped(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == "database/sql" && t.NumField() == 2 && t.Field(1).Name == "Valid"
}

// change converts v to the type of f where nothing can be lost.
func change(f *schema.Field, v reflect.Value, x any) (reflect.Value, bool, error) {
	target := f.Base
	bad := func() (reflect.Value, bool, error) {
		return v, false, fmt.Errorf("takes %s, not %T", f.Type, x)
	}
	switch f.Value.Kind {
	case dialect.Int, dialect.Uint:
		return changeInteger(target, v, bad)
	case dialect.Float:
		switch {
		case v.CanFloat():
			if n := v.Float(); !math.IsInf(n, 0) && math.IsInf(v.Convert(target).Convert(reflect.TypeFor[float64]()).Float(), 0) {
				return v, false, RangeError{Above: n > 0}
			}
			return v.Convert(target), false, nil
		case v.CanInt() && v.Int() == int64(float64(v.Int())):
			return v.Convert(target), false, nil
		case v.CanUint() && v.Uint() <= 1<<53:
			return v.Convert(target), false, nil
		}
	case dialect.String:
		if v.Kind() == reflect.String {
			return v.Convert(target), false, nil
		}
	case dialect.Bool:
		if v.Kind() == reflect.Bool {
			return v.Convert(target), false, nil
		}
	case dialect.Bytes:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Convert(target), v.IsNil(), nil
		}
	case dialect.UUID:
		if v.Type().ConvertibleTo(target) && v.Kind() == reflect.Array {
			return v.Convert(target), false, nil
		}
		if v.Kind() == reflect.String {
			return textUUID(target, v.String())
		}
	case dialect.JSON:
		if f.Marshal {
			if v.Type().ConvertibleTo(f.Type) {
				return v.Convert(f.Type), false, nil
			}
			break
		}
		switch b := x.(type) {
		case []byte:
			return reflect.ValueOf(json.RawMessage(b)), false, nil
		case string:
			return reflect.ValueOf(json.RawMessage(b)), false, nil
		}
	case dialect.Custom:
		return changeCustom(target, v, bad)
	case dialect.Array:
		return changeList(f, v, bad)
	case dialect.Time:
		if v.Type().ConvertibleTo(target) && target == reflect.TypeFor[time.Time]() && v.Kind() == reflect.Struct {
			return v.Convert(target), false, nil
		}
	case dialect.Invalid:
	}
	return bad()
}

func changeInteger(target reflect.Type, v reflect.Value, bad func() (reflect.Value, bool, error)) (reflect.Value, bool, error) {
	z := reflect.New(target).Elem()
	switch {
	case v.CanInt() && z.CanInt():
		if z.OverflowInt(v.Int()) {
			return v, false, RangeError{Above: v.Int() > 0}
		}
	case v.CanInt() && z.CanUint():
		if v.Int() < 0 || z.OverflowUint(uint64(v.Int())) {
			return v, false, RangeError{Above: v.Int() > 0}
		}
	case v.CanUint() && z.CanInt():
		if v.Uint() > math.MaxInt64 || z.OverflowInt(int64(v.Uint())) {
			return v, false, RangeError{Above: true}
		}
	case v.CanUint() && z.CanUint():
		if z.OverflowUint(v.Uint()) {
			return v, false, RangeError{Above: true}
		}
	default:
		return bad()
	}
	return v.Convert(target), false, nil
}

// changeCustom converts to a type with a Scan of its own, through the value
// that a driver would hand it.
func changeCustom(target reflect.Type, v reflect.Value, bad func() (reflect.Value, bool, error)) (reflect.Value, bool, error) {
	if v.Kind() == target.Kind() && v.Type().ConvertibleTo(target) && v.Kind() != reflect.Struct {
		return v.Convert(target), false, nil
	}
	dv, err := driver.DefaultParameterConverter.ConvertValue(v.Interface())
	if err != nil {
		return bad()
	}
	holder := reflect.New(target)
	if err := decodeScanner(target)(pointerOf(holder), dv); err != nil {
		return bad()
	}
	return holder.Elem(), false, nil
}

func textUUID(target reflect.Type, s string) (reflect.Value, bool, error) {
	z := reflect.New(target)
	if err := newBaseDecoder(target, dialect.Type{Kind: dialect.UUID})(pointerOf(z), s); err != nil {
		return z, false, fmt.Errorf("takes a UUID, not the text %.60q", s)
	}
	return z.Elem(), false, nil
}

// IsNull reports whether x is a NULL of any kind: nil, a nil pointer, an
// sql.Null that is not valid, or a Valuer that gives nil.
func IsNull(x any) bool {
	if x == nil {
		return true
	}
	v := reflect.ValueOf(x)
	for {
		switch {
		case v.Kind() == reflect.Pointer:
			if v.IsNil() {
				return true
			}
			v = v.Elem()
			continue
		case isWrapped(v.Type()):
			if valid := v.Field(1); valid.Kind() == reflect.Bool && !valid.Bool() {
				return true
			}
			v = v.Field(0)
			continue
		}
		break
	}
	valuer, ok := reflect.TypeAssert[driver.Valuer](v)
	if !ok {
		return false
	}
	dv, err := valuer.Value()
	return err == nil && dv == nil
}
