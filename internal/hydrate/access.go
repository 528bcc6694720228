package hydrate

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// permissive are the traits for keys that stay in memory.
//
//nolint:gochecknoglobals // immutable
var permissive = &dialect.Traits{Unsigned: true, FloatSpecials: true, ArrayParams: true}

// ErrUnsaved is the cause of errors about a row that has no key yet.
var ErrUnsaved = errors.New("is not saved: it has no primary key yet")

// Values appends what the driver is given for the columns of row, a *T.
func Values(dst []driver.Value, columns []*schema.Column, row any, traits *dialect.Traits) ([]driver.Value, error) {
	return (*Arena)(nil).Values(dst, columns, row, traits)
}

// Values is [Values], of which the Arena holds what it can.
func (a *Arena) Values(dst []driver.Value, columns []*schema.Column, row any, traits *dialect.Traits) ([]driver.Value, error) {
	p := unbox(row)
	for _, c := range columns {
		v, err := a.columnValue(p, c, traits)
		if err == nil && v == nil && !c.Nullable {
			err = errors.New("is NULL, which the column cannot hold; set it, or add the null option")
		}
		if err != nil {
			if _, outside := errors.AsType[value.RangeError](err); outside {
				return nil, &OutsideError{c, fmt.Errorf("it %w", err)}
			}
			return nil, fmt.Errorf("%s %w", c.GoName(), err)
		}
		if err := checkSize(c, v, c.Value.Size); err != nil {
			return nil, err
		}
		if err := checkRange(c, v, traits); err != nil {
			return nil, err
		}
		dst = append(dst, v)
	}
	return dst, nil
}

// A LengthError says that a value is too long for its column. It is found
// before the database is asked, because they differ: PostgreSQL and MariaDB
// cut off spaces in silence, and PostgreSQL has no size for bytes.
type LengthError struct {
	Column *schema.Column
	length int
	unit   string
	most   int
}

func (e *LengthError) Error() string {
	return fmt.Sprintf("it has %d %s, and the column takes %d", e.length, e.unit, e.most)
}

func checkSize(c *schema.Column, v driver.Value, size int) error {
	if size == 0 {
		return nil
	}
	switch v := v.(type) {
	case string:
		if n := utf8.RuneCountInString(v); n > size {
			return &LengthError{c, n, "characters", size}
		}
	case []byte:
		if len(v) > size {
			return &LengthError{c, len(v), "bytes", size}
		}
	}
	return nil
}

func columnValue(p Pointer, c *schema.Column, traits *dialect.Traits) (driver.Value, error) {
	return (*Arena)(nil).columnValue(p, c, traits)
}

func (a *Arena) columnValue(p Pointer, c *schema.Column, traits *dialect.Traits) (driver.Value, error) {
	if c.Relation == nil {
		codec := codecOf(c.Field)
		if a != nil && codec.arena != notInArena && c.Cipher == nil {
			if v, done := a.encode(p, c, codec.arena, traits); done {
				return v, nil
			}
		}
		v, err := codec.encode(fieldOf(p, c.Field), traits)
		if c.Cipher != nil && err == nil {
			return seal(c, v)
		}
		return v, err
	}
	key, null, err := oneKey(p, c.Field)
	if err != nil || null {
		return nil, err
	}
	part := rel.Split(key, len(c.Relation.FromColumns))[c.Part]
	if c.Value.Kind == dialect.Custom {
		return customValue(part, c.Source.Field, traits)
	}
	return part.Value(c.Value, traits)
}

// SetGenerated sets the generated key of row, a *T of the model m.
func SetGenerated(m *schema.Model, row any, v driver.Value) error {
	return SetColumn(m.Auto, row, v)
}

// SetColumn sets the field of the column c in row, a *T, to a driver's value.
func SetColumn(c *schema.Column, row any, v driver.Value) error {
	if err := codecOf(c.Field).decode(fieldOf(unbox(row), c.Field), v); err != nil {
		return columnError(c, err)
	}
	return nil
}

// HasGenerated reports whether the generated key of row is set.
func HasGenerated(m *schema.Model, row any) bool {
	f := m.Auto.Field
	return !valueAt(f.Type, fieldOf(unbox(row), f)).IsZero()
}

// Bind tells the relation fields of row, a *T of the model m, where they are.
func Bind(m *schema.Model, row any) {
	p := unbox(row)
	for _, r := range m.Keys {
		one(p, r.Field).fk.Link = rel.Link{Owner: row, Relation: r}
	}
	for _, r := range m.Homes {
		many(p, r.Field).many.Link = rel.Link{Owner: row, Relation: r}
	}
}

// FromAny returns what the driver is given for x as a value of the column c:
// a value of the field's type or one that converts to it without loss. The
// result is nil if x is a NULL of any kind.
func FromAny(c *schema.Column, x any, traits *dialect.Traits) (driver.Value, error) {
	f := c.Source.Field
	if f.Encrypted != nil {
		v, err := plain(c, x)
		if err != nil {
			return nil, err
		}
		return seal(c, v)
	}
	if v, err, ok := asIs(f, x); ok {
		return v, err
	}
	v, null, err := convert(f, x)
	if err != nil || null {
		return nil, err
	}
	if f.Value.Kind == dialect.Uint && !f.Marshal && beyondInt64(v.Uint(), traits) {
		return nil, RangeError{Above: true}
	}
	holder := reflect.New(v.Type())
	holder.Elem().Set(v)
	if f.Marshal {
		return codecOf(f).encode(pointerOf(holder), traits)
	}
	return baseEncoderOf(f)(pointerOf(holder), traits)
}

// asIs returns the most common values, which are what the database is given
// already, without reflection.
func asIs(f *schema.Field, x any) (v driver.Value, err error, ok bool) {
	if f.Marshal {
		return nil, nil, false
	}
	switch x := x.(type) {
	case string:
		if f.Value.Kind == dialect.String {
			return x, value.CheckText(x), true
		}
	case int64:
		if f.Value.Kind == dialect.Int && f.Base.Kind() == reflect.Int64 {
			return x, nil, true
		}
	case int:
		if k := f.Base.Kind(); f.Value.Kind == dialect.Int && (k == reflect.Int64 || k == reflect.Int) {
			return int64(x), nil, true
		}
	case bool:
		if f.Value.Kind == dialect.Bool {
			return x, nil, true
		}
	}
	return nil, nil, false
}

// beyondInt64 reports whether the database has no column that could hold n.
func beyondInt64(n uint64, traits *dialect.Traits) bool {
	return n > math.MaxInt64 && !traits.Unsigned
}

// decodeEither decodes a value whose type takes texts as strings or as bytes:
// keys do not remember which.
func decodeEither(decode decoder, p Pointer, v driver.Value) error {
	err := decode(p, v)
	if text, isText := v.(string); isText && err != nil && decode(p, []byte(text)) == nil {
		return nil
	}
	return err
}

// baseEncoderOf returns the encoder for the field's type without its wrap.
func baseEncoderOf(f *schema.Field) encoder {
	if f.Wrap == schema.Plain {
		return codecOf(f).encode
	}
	if f.Encrypted != nil {
		return encodeEncrypted(f)
	}
	return newBaseEncoder(f.Base, f.Value)
}

// AnyTraits returns the traits of a database that holds everything, for keys
// that stay in memory.
func AnyTraits() *dialect.Traits { return permissive }

// Point makes the foreign key r of row, a *T, refer to target, or to none if
// that is nil.
func Point(row any, r *schema.Relation, target any) {
	h := one(unbox(row), r.Field)
	if target == nil {
		h.put(nil, rel.Key{}, rel.IsNull)
		return
	}
	h.set(unbox(target))
	h.fk.State = rel.Loaded
}

// Copy copies the columns of one row of the model m, a *T, into another. A
// loaded foreign key whose key is the same stays loaded.
func Copy(m *schema.Model, dst, src any) {
	to, from := reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem()
	for _, c := range m.Columns {
		if c.Relation == nil {
			to.FieldByIndex(c.Field.Index).Set(from.FieldByIndex(c.Field.Index))
		}
	}
	Bind(m, dst)
	if l := LayoutOf(m.Struct); l != nil {
		l.Restore(dst, l.Was(src))
	}
	for _, r := range m.Keys {
		old, fresh := one(unbox(dst), r.Field), one(unbox(src), r.Field)
		was, null, err := oneKey(unbox(dst), r.Field)
		if err == nil && !null && fresh.fk.State != rel.IsNull && was == fresh.fk.Key {
			old.fk.Key = was
			continue
		}
		old.put(fresh.get(), fresh.fk.Key, fresh.fk.State)
	}
}

// ForeignKeyOf returns the key that the foreign key f of row, a *T, holds.
func ForeignKeyOf(row any, f *schema.Field) (key rel.Key, null bool, err error) {
	return oneKey(unbox(row), f)
}

// MarkUnread makes the foreign keys of row that are no part of its primary
// key say that they were not read.
func MarkUnread(s *schema.Struct, row any) {
	p := unbox(row)
	for _, f := range s.Fields {
		if f.Rel.Kind != schema.ToOne {
			continue
		}
		if h := one(p, f); h.fk.State == rel.IsNull {
			h.fk.State = rel.Unread
		}
	}
}
