// Package rel holds the part of relation fields that does not depend on the
// model that they lead to: keys, states, and who owns a field.
package rel

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// A State is what a foreign key knows of its target.
type State uint8

// The states.
const (
	IsNull  State = iota // there is none
	KeyOnly              // its key
	Loaded               // its row
	Unread               // nothing: the column was not read
	Bad                  // nothing: it was given a key that does not fit
	Probed               // nothing: it is part of a path (package probe)
)

// A Key is the value of a primary key. Keys of one model are equal if and
// only if they compare equal. Integers and UUIDs need no memory beyond the
// Key itself, texts share that of the text, and a key of several columns is
// an encoding of its parts.
type Key struct {
	N [2]uint64
	S string
}

// Ascending reports whether keys are integers of which each is greater than the
// one before it, as unsigned numbers.
func Ascending(keys []Key) bool {
	for i, k := range keys {
		if k.S != "" || k.N[1] != 0 || i > 0 && k.N[0] <= keys[i-1].N[0] {
			return false
		}
	}
	return true
}

// FK is the part of a ForeignKey that does not depend on its target.
type FK struct {
	Key   Key
	Link  Link
	State State
}

// Many is the part of a Reverse that does not depend on its target.
type Many struct {
	Link   Link
	Loaded bool
}

// A Link says where a relation field is: in which row, and which of the
// graph's relations it is. It is empty in rows that kin has not seen.
type Link struct {
	// Owner is the row as a *T, or, within a copy that is being written as
	// JSON, a *Trail, or what package probe has put there.
	Owner    any
	Relation *schema.Relation
}

// A Trail lists the rows that are being written, from the innermost out.
type Trail struct {
	Row any
	Up  *Trail
	// Seen has the rows that have been written with all that they lead to.
	Seen map[any]bool
}

// Into returns the trail within a row, and whether the row has been written
// before.
func (t *Trail) Into(row any) (within *Trail, again bool) {
	within = &Trail{Row: row, Up: t}
	if t != nil {
		within.Seen = t.Seen
	} else {
		within.Seen = map[any]bool{}
	}
	again = within.Seen[row]
	within.Seen[row] = true
	return within, again
}

// Has reports whether row is on the trail.
func (t *Trail) Has(row any) bool {
	for ; t != nil; t = t.Up {
		if t.Row == row {
			return true
		}
	}
	return false
}

// Trail returns the rows that are being written around the field.
func (l Link) Trail() *Trail {
	switch owner := l.Owner.(type) {
	case nil:
		return nil
	case *Trail:
		return owner
	default:
		return &Trail{Row: owner, Seen: map[any]bool{}}
	}
}

// ReadKey reads a key of one column from a driver's value, which is not nil.
func ReadKey(t dialect.Type, v driver.Value) (k Key, err error) {
	switch t.Kind {
	case dialect.Int:
		n, isInt := v.(int64)
		if !isInt {
			n, err = value.Int(v)
		}
		k.N[0] = uint64(n)
	case dialect.Uint:
		k.N[0], err = value.Uint(v)
	case dialect.String:
		k.S, err = value.String(v)
	case dialect.UUID:
		var u [16]byte
		u, err = value.UUID(v)
		k.N[0], k.N[1] = binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:])
	case dialect.Bytes, dialect.JSON:
		var b []byte
		b, err = value.Bytes(v)
		k.S = string(b)
	case dialect.Bool:
		var b bool
		if b, err = value.Bool(v); b {
			k.N[0] = 1
		}
	case dialect.Float:
		var f float64
		f, err = value.Float(v, t.Bits)
		k.N[0] = math.Float64bits(f)
	case dialect.Time:
		var tm time.Time
		tm, err = value.Time(v)
		k.N[0] = uint64(tm.UnixMicro())
	case dialect.Custom:
		k.S, err = customKey(v)
	case dialect.Array, dialect.Invalid:
		err = fmt.Errorf("no key is of kind %d", t.Kind)
	}
	return k, err
}

// customKey keeps the driver's type in the first byte.
func customKey(v driver.Value) (string, error) {
	switch v := v.(type) {
	case string:
		return "s" + v, nil
	case []byte:
		// Drivers differ in whether a text is a string or bytes.
		return "s" + string(v), nil
	case int64:
		return "i" + strconv.FormatInt(v, 10), nil
	case float64:
		return "f" + strconv.FormatFloat(v, 'g', -1, 64), nil
	case bool:
		return "b" + strconv.FormatBool(v), nil
	case time.Time:
		return "t" + v.UTC().Format(time.RFC3339Nano), nil
	}
	return "", fmt.Errorf("a key cannot be a %T", v)
}

// Value returns the driver's value of a key of one column.
func (k Key) Value(t dialect.Type, traits *dialect.Traits) (driver.Value, error) {
	switch t.Kind {
	case dialect.Int:
		return int64(k.N[0]), nil
	case dialect.Uint:
		return value.FromUint(k.N[0], traits)
	case dialect.String, dialect.JSON:
		return k.S, value.CheckText(k.S)
	case dialect.UUID:
		return value.FormatUUID(k.uuid()), nil
	case dialect.Bytes:
		return []byte(k.S), nil
	case dialect.Bool:
		return k.N[0] == 1, nil
	case dialect.Float:
		return value.FromFloat(math.Float64frombits(k.N[0]), traits)
	case dialect.Time:
		return value.FromTime(time.UnixMicro(int64(k.N[0])), traits)
	case dialect.Custom:
		return k.custom()
	case dialect.Array, dialect.Invalid:
	}
	return nil, fmt.Errorf("no key is of kind %d", t.Kind)
}

func (k Key) uuid() (u [16]byte) {
	binary.BigEndian.PutUint64(u[:8], k.N[0])
	binary.BigEndian.PutUint64(u[8:], k.N[1])
	return u
}

func (k Key) custom() (driver.Value, error) {
	if k.S == "" {
		return nil, errors.New("an empty key")
	}
	switch s := k.S[1:]; k.S[0] {
	case 'i':
		return strconv.ParseInt(s, 10, 64)
	case 'f':
		return strconv.ParseFloat(s, 64)
	case 'b':
		return s == "true", nil
	case 't':
		return time.Parse(time.RFC3339Nano, s)
	default:
		return s, nil
	}
}

// Join makes one key of the parts of a composite key. A single part is the
// key itself.
func Join(parts []Key) Key {
	if len(parts) == 1 {
		return parts[0]
	}
	size := 0
	for _, p := range parts {
		size += 16 + 4 + len(p.S)
	}
	b := make([]byte, 0, size)
	for _, p := range parts {
		b = binary.LittleEndian.AppendUint64(b, p.N[0])
		b = binary.LittleEndian.AppendUint64(b, p.N[1])
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p.S)))
		b = append(b, p.S...)
	}
	return Key{S: string(b)}
}

// Split is the reverse of [Join].
func Split(k Key, n int) []Key {
	if n == 1 {
		return []Key{k}
	}
	parts := make([]Key, 0, n)
	s := k.S
	for range n {
		if len(s) < 20 {
			break
		}
		b := []byte(s[:20])
		p := Key{N: [2]uint64{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}}
		size := int(binary.LittleEndian.Uint32(b[16:]))
		p.S, s = s[20:20+size], s[20+size:]
		parts = append(parts, p)
	}
	return parts
}

// String returns the key as messages and logs show it.
func (k Key) String(types []dialect.Type) string {
	parts := Split(k, len(types))
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.text(types[i])
	}
	return strings.Join(texts, ", ")
}

func (k Key) text(t dialect.Type) string {
	switch t.Kind {
	case dialect.Int:
		return strconv.FormatInt(int64(k.N[0]), 10)
	case dialect.String, dialect.Bytes, dialect.JSON:
		return strconv.Quote(k.S)
	case dialect.Custom:
		return k.S[min(1, len(k.S)):] // after the driver's type
	case dialect.UUID:
		return value.FormatUUID(k.uuid())
	case dialect.Float:
		return strconv.FormatFloat(math.Float64frombits(k.N[0]), 'g', -1, 64)
	case dialect.Bool:
		return strconv.FormatBool(k.N[0] == 1)
	case dialect.Time:
		return time.UnixMicro(int64(k.N[0])).UTC().Format(time.RFC3339Nano)
	case dialect.Uint, dialect.Array, dialect.Invalid:
	}
	return strconv.FormatUint(k.N[0], 10)
}
