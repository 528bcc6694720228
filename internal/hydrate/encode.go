package hydrate

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"reflect"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// An encoder reads what the driver is given for the field at p.
type encoder func(p Pointer, traits *dialect.Traits) (driver.Value, error)

// newEncoder returns the encoder for the field f, whose address it is given.
func newEncoder(f *schema.Field) encoder {
	if f.Marshal {
		return encodeMarshalled(f)
	}
	base := newBaseEncoder(f.Base, f.Value)
	if f.Encrypted != nil {
		base = encodeEncrypted(f)
	}
	switch f.Wrap {
	case schema.Plain:
		return base
	case schema.Nil:
		return func(p Pointer, traits *dialect.Traits) (driver.Value, error) {
			if isNil(p) {
				return nil, nil
			}
			return base(p, traits)
		}
	case schema.Null:
		valid := validSpot(f)
		return func(p Pointer, traits *dialect.Traits) (driver.Value, error) {
			if !*as[bool](valid.in(p)) {
				return nil, nil
			}
			return base(nullValue(p), traits)
		}
	case schema.Pointer:
		return func(p Pointer, traits *dialect.Traits) (driver.Value, error) {
			q := pointee(p)
			if q == nil {
				return nil, nil
			}
			return base(q, traits)
		}
	}
	panic("BUG: kin: a field with an unknown wrap")
}

func newBaseEncoder(t reflect.Type, vt dialect.Type) encoder {
	switch vt.Kind {
	case dialect.Int:
		return intEncoder(t.Kind())
	case dialect.Uint:
		return uintEncoder(t.Kind())
	case dialect.Float:
		if t.Kind() == reflect.Float32 {
			return func(p Pointer, traits *dialect.Traits) (driver.Value, error) {
				return value.FromFloat(float64(*as[float32](p)), traits)
			}
		}
		return func(p Pointer, traits *dialect.Traits) (driver.Value, error) {
			return value.FromFloat(*as[float64](p), traits)
		}
	case dialect.Bool:
		return func(p Pointer, _ *dialect.Traits) (driver.Value, error) {
			return *as[bool](p), nil
		}
	case dialect.String:
		return func(p Pointer, _ *dialect.Traits) (driver.Value, error) {
			s := *as[string](p)
			return s, value.CheckText(s)
		}
	case dialect.Bytes:
		return func(p Pointer, _ *dialect.Traits) (driver.Value, error) {
			b := bytesAt(p)
			if b == nil {
				b = []byte{} // a column that is not NULL holds no bytes, not NULL
			}
			return b, nil
		}
	case dialect.JSON:
		return func(p Pointer, _ *dialect.Traits) (driver.Value, error) {
			b := bytesAt(p)
			if !json.Valid(b) {
				return nil, errors.New("is no valid JSON")
			}
			return plainJSON(b)
		}
	case dialect.Time:
		return func(p Pointer, traits *dialect.Traits) (driver.Value, error) {
			return value.FromTime(*as[time.Time](p), traits)
		}
	case dialect.UUID:
		return func(p Pointer, _ *dialect.Traits) (driver.Value, error) {
			return value.FormatUUID(*uuidAt(p)), nil
		}
	case dialect.Custom:
		return encodeValuer(t)
	case dialect.Array:
		return encodeList(t)
	case dialect.Invalid:
	}
	panic("BUG: kin: a column of an invalid kind")
}

func intEncoder(k reflect.Kind) encoder {
	switch k {
	case reflect.Int8:
		return widen[int8]
	case reflect.Int16:
		return widen[int16]
	case reflect.Int32:
		return widen[int32]
	case reflect.Int:
		return widen[int]
	default:
		return widen[int64]
	}
}

func widen[T int | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](p Pointer, _ *dialect.Traits) (driver.Value, error) {
	return int64(*as[T](p)), nil
}

func uintEncoder(k reflect.Kind) encoder {
	switch k {
	case reflect.Uint8:
		return widen[uint8]
	case reflect.Uint16:
		return widen[uint16]
	case reflect.Uint32:
		return widen[uint32]
	case reflect.Uint:
		return widenUint[uint]
	default:
		return widenUint[uint64]
	}
}

func widenUint[T uint | uint64](p Pointer, traits *dialect.Traits) (driver.Value, error) {
	return value.FromUint(uint64(*as[T](p)), traits)
}

func encodeValuer(t reflect.Type) encoder {
	return func(p Pointer, traits *dialect.Traits) (driver.Value, error) {
		valuer, ok := reflect.TypeAssert[driver.Valuer](pointerAt(t, p))
		if !ok {
			panic("BUG: kin: a custom type without Value")
		}
		v, err := valuer.Value()
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case time.Time:
			return value.FromTime(v, traits)
		case string:
			return v, value.CheckText(v)
		default:
			return v, nil
		}
	}
}

func encodeMarshalled(f *schema.Field) encoder {
	t := f.Type
	nullable := f.Wrap == schema.Pointer || f.Tag.Null
	return func(p Pointer, _ *dialect.Traits) (driver.Value, error) {
		v := valueAt(t, p)
		if nullable && v.IsZero() {
			return nil, nil
		}
		text, err := json.Marshal(v.Interface())
		if err != nil {
			return nil, err
		}
		// encoding/json writes a byte that is not valid UTF-8 as this escape,
		// and the character U+FFFD as itself.
		if value.HasEscape(string(text), `\ufffd`) {
			return nil, errors.New("has a text that is not valid UTF-8; use []byte")
		}
		return plainJSON(text)
	}
}

// plainJSON returns a JSON text as it is kept.
func plainJSON(text []byte) (driver.Value, error) {
	s := string(text)
	if err := value.CheckJSON(s); err != nil {
		return nil, err
	}
	return value.PlainJSON(s), nil
}
