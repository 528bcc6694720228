package hydrate

import (
	"database/sql/driver"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// An Arena holds the parameters of many rows, where each would be a piece of
// memory of its own: a driver.Value that is no pointer points to its value. What
// an Arena holds is not changed, and lives as long as any of it is in use. The
// zero Arena is ready for use, by one goroutine; a nil one does nothing.
type Arena struct {
	texts  []string
	ints   []int64
	floats []float64
	times  []time.Time
	bytes  []byte // of the texts that were made here
}

// How many values, and bytes, are taken at once.
const (
	arenaValues = 256
	arenaBytes  = 8 << 10
)

// An arenaKind is how an Arena encodes a field.
type arenaKind uint8

const (
	notInArena arenaKind = iota
	arenaInt
	arenaInt64
	arenaInt32
	arenaText
	arenaFloat
	arenaTime
)

// arenaKindOf returns how the field is encoded in an Arena, if it can be.
func arenaKindOf(f *schema.Field) arenaKind {
	if f.Marshal || f.Encrypted != nil || f.Wrap != schema.Plain && f.Wrap != schema.Pointer {
		return notInArena
	}
	switch f.Value.Kind {
	case dialect.Int:
		switch f.Base.Kind() {
		case reflect.Int:
			return arenaInt
		case reflect.Int64:
			return arenaInt64
		case reflect.Int32:
			return arenaInt32
		default:
		}
	case dialect.String:
		return arenaText
	case dialect.Float:
		if f.Base.Kind() == reflect.Float64 {
			return arenaFloat
		}
	case dialect.Time:
		return arenaTime
	default:
	}
	return notInArena
}

// encode returns what the driver is given for the field of c in the row at p. It
// is not done if it is left to the field's own encoder: if that may find something
// wrong, too.
func (a *Arena) encode(p Pointer, c *schema.Column, kind arenaKind, traits *dialect.Traits) (v driver.Value, done bool) {
	p = fieldOf(p, c.Field)
	if c.Field.Wrap == schema.Pointer {
		if p = pointee(p); p == nil {
			return nil, true
		}
	}
	switch kind {
	case arenaInt:
		return a.Int(int64(*as[int](p))), true
	case arenaInt64:
		return a.Int(*as[int64](p)), true
	case arenaInt32:
		return a.Int(int64(*as[int32](p))), true
	case arenaText:
		s := *as[string](p)
		return a.text(s), value.CheckText(s) == nil
	case arenaFloat:
		f := *as[float64](p)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, false
		}
		return keep(&a.floats, f, floatType), true
	case arenaTime:
		return a.time(*as[time.Time](p), traits)
	default:
		return nil, false
	}
}

// Int returns n, which the Arena holds.
func (a *Arena) Int(n int64) driver.Value {
	if a == nil || uint64(n) < 256 { // for which Go has memory
		return n
	}
	return keep(&a.ints, n, intType)
}

// Text returns a copy of s, which the Arena holds.
func (a *Arena) Text(s string) driver.Value {
	if len(s) > arenaBytes/4 {
		return a.text(strings.Clone(s))
	}
	from := a.room(len(s))
	a.bytes = append(a.bytes, s...)
	return a.text(textOf(a.bytes[from:]))
}

// room makes room for so many bytes, and returns where they begin.
func (a *Arena) room(n int) int {
	if cap(a.bytes)-len(a.bytes) < n {
		a.bytes = make([]byte, 0, arenaBytes)
	}
	return len(a.bytes)
}

func (a *Arena) text(s string) driver.Value { return keep(&a.texts, s, textType) }

func (a *Arena) time(t time.Time, traits *dialect.Traits) (driver.Value, bool) {
	t = t.UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		return nil, false
	}
	if !traits.TextTime {
		return keep(&a.times, t.Truncate(time.Microsecond), timeType), true
	}
	from := a.room(len(value.TimeLayout))
	a.bytes = value.AppendTime(a.bytes, t)
	return a.text(textOf(a.bytes[from:])), true
}

// keep returns v, which is kept in a slice and is of the type typ, as an
// interface.
func keep[T any](list *[]T, v T, typ valueType) driver.Value {
	if len(*list) == cap(*list) {
		*list = make([]T, 0, arenaValues) // what is full is held by its values
	}
	*list = append(*list, v)
	return typ.box(Pointer(&(*list)[len(*list)-1]))
}

//nolint:gochecknoglobals // immutable
var (
	intType   = newValueType(int64(0))
	floatType = newValueType(float64(0))
	textType  = newValueType("")
	timeType  = newValueType(time.Time{})
)
