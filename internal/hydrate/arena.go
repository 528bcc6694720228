package hydrate

import (
	"database/sql/driver"
	"math"
	"time"
	"unsafe"

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
		switch f.Base.Size() { // an int has that of the machine
		case 8:
			return arenaInt
		case 4:
			return arenaInt32
		}
	case dialect.String:
		return arenaText
	case dialect.Float:
		if f.Base.Size() == 8 {
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
func (a *Arena) encode(p unsafe.Pointer, c *schema.Column, kind arenaKind, traits *dialect.Traits) (v driver.Value, done bool) {
	p = unsafe.Add(p, c.Field.Offset)
	if c.Field.Wrap == schema.Pointer {
		if p = *(*unsafe.Pointer)(p); p == nil {
			return nil, true
		}
	}
	switch kind {
	case arenaInt:
		return a.Int(*(*int64)(p)), true
	case arenaInt32:
		return a.Int(int64(*(*int32)(p))), true
	case arenaText:
		s := *(*string)(p)
		return a.text(s), value.CheckText(s) == nil
	case arenaFloat:
		f := *(*float64)(p)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, false
		}
		return keep(&a.floats, f, floatType), true
	case arenaTime:
		return a.time(*(*time.Time)(p), traits)
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

func (a *Arena) text(s string) driver.Value { return keep(&a.texts, s, textType) }

func (a *Arena) time(t time.Time, traits *dialect.Traits) (driver.Value, bool) {
	t = t.UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		return nil, false
	}
	if !traits.TextTime {
		return keep(&a.times, t.Truncate(time.Microsecond), timeType), true
	}
	if cap(a.bytes)-len(a.bytes) < len(value.TimeLayout) {
		a.bytes = make([]byte, 0, arenaBytes)
	}
	from := len(a.bytes)
	a.bytes = value.AppendTime(a.bytes, t)
	return a.text(unsafe.String(&a.bytes[from], len(a.bytes)-from)), true
}

// keep returns v, which is kept in a slice and is of the type typ, as an
// interface.
func keep[T any](list *[]T, v T, typ valueType) driver.Value {
	if len(*list) == cap(*list) {
		*list = make([]T, 0, arenaValues) // what is full is held by its values
	}
	*list = append(*list, v)
	return typ.box(unsafe.Pointer(&(*list)[len(*list)-1]))
}

// A valueType makes interfaces of pointers to values of a type that is no
// pointer, as any(v) would of a copy.
type valueType struct{ typ unsafe.Pointer }

//nolint:gochecknoglobals // immutable
var (
	intType   = newValueType(int64(0))
	floatType = newValueType(float64(0))
	textType  = newValueType("")
	timeType  = newValueType(time.Time{})
)

func newValueType(sample any) valueType {
	return valueType{(*iface)(unsafe.Pointer(&sample)).typ}
}

func (t valueType) box(p unsafe.Pointer) (v driver.Value) {
	*(*iface)(unsafe.Pointer(&v)) = iface{t.typ, p}
	return v
}
