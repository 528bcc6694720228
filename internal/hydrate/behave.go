package hydrate

import (
	"fmt"
	"math"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// HasTime reports whether the time column c of row, a *T, is set: it is
// neither NULL nor zero.
func HasTime(c *schema.Column, row any) bool {
	p := fieldOf(unbox(row), c.Field)
	switch c.Field.Wrap {
	case schema.Pointer:
		t := *as[*time.Time](p)
		return t != nil && !t.IsZero()
	case schema.Null:
		return *as[bool](validSpot(c.Field).in(p)) && !as[time.Time](nullValue(p)).IsZero()
	case schema.Plain, schema.Nil:
	}
	return !as[time.Time](p).IsZero()
}

// SetTime sets the time column c of row, a *T.
func SetTime(c *schema.Column, row any, t time.Time) {
	p := fieldOf(unbox(row), c.Field)
	switch c.Field.Wrap {
	case schema.Pointer:
		*as[*time.Time](p) = &t // what the old one pointed to may be shared
		return
	case schema.Null:
		*as[bool](validSpot(c.Field).in(p)) = true
		p = nullValue(p)
	case schema.Plain, schema.Nil:
	}
	*as[time.Time](p) = t
}

// CopyColumn copies the column c of one row, a *T, to another.
func CopyColumn(c *schema.Column, dst, src any) {
	to := valueAt(c.Field.Type, fieldOf(unbox(dst), c.Field))
	to.Set(valueAt(c.Field.Type, fieldOf(unbox(src), c.Field)))
}

// IsZero reports whether the field f of row, a *T, is zero.
func IsZero(f *schema.Field, row any) bool { return isZero(f, fieldOf(unbox(row), f)) }

// IdentityOf returns what row, a *T of the model m, has in the columns of
// m.Identity.
func IdentityOf(m *schema.Model, row any) (rel.Key, error) {
	key, err := KeyOf(m.Struct.Key(), row)
	if err != nil || m.Version == nil {
		return key, err
	}
	v, err := columnValue(unbox(row), m.Version, permissive)
	if err != nil {
		return key, err
	}
	version, err := rel.ReadKey(m.Version.Value, v)
	return rel.Join(append(rel.Split(key, len(m.Key)), version)), err
}

// VersionOf returns the version of row, a *T whose version is the column c.
func VersionOf(c *schema.Column, row any) (int64, error) {
	v := valueAt(c.Field.Type, fieldOf(unbox(row), c.Field))
	if v.CanInt() {
		return v.Int(), nil
	}
	if v.Uint() > math.MaxInt64 {
		return 0, fmt.Errorf("%s %w", c.GoName(), RangeError{Above: true})
	}
	return int64(v.Uint()), nil
}

// SetVersion sets the version of row, a *T, which must have room for it.
func SetVersion(c *schema.Column, row any, n int64) {
	v := valueAt(c.Field.Type, fieldOf(unbox(row), c.Field))
	if v.CanInt() {
		v.SetInt(n)
		return
	}
	v.SetUint(uint64(n))
}

// Repoint is [Point], until undo is called.
func Repoint(row any, r *schema.Relation, target any) (undo func()) {
	h := one(unbox(row), r.Field)
	was, key, state := h.get(), h.fk.Key, h.fk.State
	Point(row, r, target)
	return func() { h.put(was, key, state) }
}

// IsUnset reports whether the column c of row, a *T, is NULL, or zero where it
// cannot be: what a *int points to, or the V of a sql.Null that is valid, is set.
func IsUnset(c *schema.Column, row any) bool {
	f := c.Field
	p := fieldOf(unbox(row), f)
	switch {
	case f.Wrap == schema.Null:
		return !*as[bool](validSpot(f).in(p))
	case f.Wrap == schema.Plain && !f.Marshal && f.Value.Kind == dialect.Time:
		return as[time.Time](p).IsZero()
	}
	return valueAt(f.Type, p).IsZero()
}
