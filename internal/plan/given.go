package plan

import (
	"database/sql/driver"
	"reflect"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A Given stands for a value of a query in a statement that is used for all
// queries that differ in values only.
type Given struct {
	// At is which value it is, counted from one: of the pairs of the query's
	// calls, or, if Fixed is set, which of its fixed keys, and Part which part
	// of the key.
	At, Part int
	Fixed    bool
	Column   *schema.Column // as which it is bound
}

// Value returns what the database is given for x.
func (s Given) Value(x any, traits *dialect.Traits) (driver.Value, error) {
	return hydrate.FromAny(s.Column, x, traits)
}

// KeyValue returns what the database is given for its part of a key.
func (s Given) KeyValue(key rel.Key, parts int, traits *dialect.Traits) (driver.Value, error) {
	if parts == 1 {
		return hydrate.KeyValue(key, s.Column, traits)
	}
	return hydrate.KeyValue(rel.Split(key, parts)[s.Part], s.Column, traits)
}

// slots reports whether an operator is written the same whatever the value is
// that it compares with.
func slots(op lookup.Op) bool {
	switch op {
	case lookup.Exact, lookup.Ne, lookup.Gt, lookup.Gte, lookup.Lt, lookup.Lte:
		return true
	default:
		return false
	}
}

// IsPlain reports whether x is a value that is never NULL, a list, a row or an
// expression, so that a statement with it differs from others by it alone, if
// in anything.
func IsPlain(x any) bool {
	switch x.(type) {
	case int, int64, string, bool, float64, time.Time:
		return true
	case nil:
		return false
	}
	switch t := reflect.TypeOf(x); t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.String:
		return true
	case reflect.Array: // a UUID
		return t.Len() == 16 && t.Elem().Kind() == reflect.Uint8
	default:
		return false
	}
}

// slotted returns v, or the Given for it if the pair has one.
func (p step) slotted(ref Ref, v driver.Value) driver.Value {
	if p.slot == 0 {
		return v
	}
	return Given{At: p.slot, Column: ref.Column}
}
