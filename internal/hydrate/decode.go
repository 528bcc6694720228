package hydrate

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// A decoder stores a driver's value at p. It is chosen once for a column.
type decoder func(p Pointer, v driver.Value) error

var errNull = errors.New("NULL")

// newDecoder returns the decoder for the field f, whose address it is given.
func newDecoder(f *schema.Field) decoder {
	if f.Marshal {
		return decodeMarshalled(f)
	}
	base := newBaseDecoder(f.Base, f.Value)
	if f.Value.Kind == dialect.Custom && DriverTime(f.Tag.Type) {
		base = decodeTimes(base)
	}
	if f.Encrypted != nil {
		base = decodeEncrypted(f)
	}
	switch f.Wrap {
	case schema.Plain:
		if f.Value.Kind == dialect.Custom || f.Encrypted != nil {
			return base // which may take NULL
		}
		return func(p Pointer, v driver.Value) error {
			if v == nil {
				return errNull
			}
			return base(p, v)
		}
	case schema.Nil:
		return func(p Pointer, v driver.Value) error {
			if v == nil {
				setNil(p)
				return nil
			}
			return base(p, v)
		}
	case schema.Null:
		valid := validSpot(f)
		return func(p Pointer, v driver.Value) error {
			ok := v != nil
			*as[bool](valid.in(p)) = ok
			if !ok {
				return nil
			}
			return base(nullValue(p), v)
		}
	case schema.Pointer:
		return decodePointer(f.Base, base)
	}
	panic("BUG: kin: a field with an unknown wrap")
}

// decodePointer decodes into new memory.
func decodePointer(t reflect.Type, base decoder) decoder {
	fresh := maker(t)
	return func(p Pointer, v driver.Value) error {
		if v == nil {
			point(p, nil)
			return nil
		}
		q := fresh()
		if err := base(q, v); err != nil {
			return err
		}
		point(p, q)
		return nil
	}
}

// newBaseDecoder returns a decoder for values that are not nil.
func newBaseDecoder(t reflect.Type, vt dialect.Type) decoder {
	switch vt.Kind {
	case dialect.Int:
		return intDecoder(t.Kind())
	case dialect.Uint:
		return uintDecoder(t.Kind())
	case dialect.Float:
		if t.Kind() == reflect.Float32 {
			return func(p Pointer, v driver.Value) error {
				f, err := value.Float(v, 32)
				*as[float32](p) = float32(f)
				return err
			}
		}
		return func(p Pointer, v driver.Value) error {
			f, ok := v.(float64)
			var err error
			if !ok {
				f, err = value.Float(v, 64)
			}
			*as[float64](p) = f
			return err
		}
	case dialect.Bool:
		return func(p Pointer, v driver.Value) (err error) {
			*as[bool](p), err = value.Bool(v)
			return err
		}
	case dialect.String:
		return func(p Pointer, v driver.Value) error {
			s, ok := v.(string)
			var err error
			if !ok {
				s, err = value.String(v)
			}
			*as[string](p) = s
			return err
		}
	case dialect.Bytes:
		return decodeBytes
	case dialect.JSON:
		return decodeBytes // a json.RawMessage
	case dialect.Time:
		return func(p Pointer, v driver.Value) (err error) {
			*as[time.Time](p), err = value.Time(v)
			return err
		}
	case dialect.UUID:
		return func(p Pointer, v driver.Value) (err error) {
			*uuidAt(p), err = value.UUID(v)
			return err
		}
	case dialect.Custom:
		return decodeScanner(t)
	case dialect.Array:
		return decodeList(t)
	case dialect.Invalid:
	}
	panic("BUG: kin: a column of an invalid kind")
}

func decodeBytes(p Pointer, v driver.Value) error {
	b, err := value.Bytes(v)
	setBytes(p, b)
	return err
}

func outOfRange[T any](v any) error {
	return fmt.Errorf("the database gave %v, which is out of the range of %T", v, *new(T))
}

func intDecoder(k reflect.Kind) decoder {
	switch k {
	case reflect.Int8:
		return narrow[int8](math.MinInt8, math.MaxInt8)
	case reflect.Int16:
		return narrow[int16](math.MinInt16, math.MaxInt16)
	case reflect.Int32:
		return narrow[int32](math.MinInt32, math.MaxInt32)
	case reflect.Int:
		return narrow[int](math.MinInt, math.MaxInt)
	default:
		return func(p Pointer, v driver.Value) error {
			n, ok := v.(int64)
			var err error
			if !ok {
				n, err = value.Int(v)
			}
			*as[int64](p) = n
			return err
		}
	}
}

// narrow stays by itself: where it is inlined, what the decoder calls is not.
//
//go:noinline
func narrow[T int | int8 | int16 | int32](low, high int64) decoder {
	return func(p Pointer, v driver.Value) error {
		n, ok := v.(int64)
		if !ok {
			var err error
			if n, err = value.Int(v); err != nil {
				return err
			}
		}
		if n < low || n > high {
			return outOfRange[T](n)
		}
		*as[T](p) = T(n)
		return nil
	}
}

func uintDecoder(k reflect.Kind) decoder {
	switch k {
	case reflect.Uint8:
		return narrowUint[uint8](math.MaxUint8)
	case reflect.Uint16:
		return narrowUint[uint16](math.MaxUint16)
	case reflect.Uint32:
		return narrowUint[uint32](math.MaxUint32)
	case reflect.Uint:
		return narrowUint[uint](math.MaxUint)
	default:
		return narrowUint[uint64](math.MaxUint64)
	}
}

// narrowUint is as narrow.
//
//go:noinline
func narrowUint[T uint | uint8 | uint16 | uint32 | uint64](high uint64) decoder {
	return func(p Pointer, v driver.Value) error {
		n, err := value.Uint(v)
		if err != nil {
			return err
		}
		if n > high {
			return outOfRange[T](n)
		}
		*as[T](p) = T(n)
		return nil
	}
}

// DriverTime reports whether a type of a column, as it is declared, is one whose
// texts SQLite's driver makes times of, where it knows that type.
func DriverTime(t string) bool {
	switch strings.ToUpper(t) {
	case "DATE", "DATETIME", "TIMESTAMP":
		return true
	}
	return false
}

// decodeTimes has a user's Scan given times where texts come, as from arms of a
// UNION, which have no declared types.
func decodeTimes(base decoder) decoder {
	return func(p Pointer, v driver.Value) error {
		if s, ok := v.(string); ok {
			if t, err := value.Instant(s); err == nil {
				v = t
			}
		}
		return base(p, v)
	}
}

func decodeScanner(t reflect.Type) decoder {
	return func(p Pointer, v driver.Value) error {
		if b, ok := v.([]byte); ok {
			v = bytes.Clone(b) // which some keep, though they must not: it may be memory of the database
		}
		scanner, ok := reflect.TypeAssert[sql.Scanner](pointerAt(t, p))
		if !ok {
			panic("BUG: kin: a custom type without Scan")
		}
		return scanner.Scan(v)
	}
}

func decodeMarshalled(f *schema.Field) decoder {
	t := f.Type
	nullable := f.Wrap == schema.Pointer || f.Tag.Null
	return func(p Pointer, v driver.Value) error {
		if v == nil {
			if !nullable {
				return errNull
			}
			valueAt(t, p).SetZero()
			return nil
		}
		text, err := value.Bytes(v)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, pointerAt(t, p).Interface())
	}
}
