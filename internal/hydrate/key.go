package hydrate

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// KeyOf returns the primary key of row, a *T whose type has the key k. A key
// that the database generates is missing while it is zero: the error is
// ErrUnsaved then.
func KeyOf(k *schema.Key, row any) (rel.Key, error) {
	return keyOf(k, unbox(row))
}

func keyOf(k *schema.Key, p Pointer) (rel.Key, error) {
	parts := make([]rel.Key, 0, len(k.Types))
	for _, kf := range k.Fields {
		if kf.Field.Rel.Kind == schema.ToOne {
			key, null, err := oneKey(p, kf.Field)
			if err == nil && null {
				err = ErrUnsaved
			}
			if err != nil {
				return rel.Key{}, err
			}
			parts = append(parts, rel.Split(key, kf.Width)...)
			continue
		}
		at := fieldOf(p, kf.Field)
		v, err := codecOf(kf.Field).encode(at, permissive)
		if err != nil {
			return rel.Key{}, err
		}
		if v == nil || kf.Zero && isZero(kf.Field, at) {
			return rel.Key{}, ErrUnsaved
		}
		part, err := rel.ReadKey(kf.Field.Value, v)
		if err != nil {
			return rel.Key{}, err
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return rel.Key{}, errors.New("has no primary key")
	}
	return rel.Join(parts), nil
}

// oneKey returns the key that the foreign key field f of the row at p holds.
func oneKey(p Pointer, f *schema.Field) (key rel.Key, null bool, err error) {
	h := one(p, f)
	switch h.fk.State {
	case rel.IsNull, rel.Probed:
		return key, true, nil
	case rel.KeyOnly:
		return h.fk.Key, false, nil
	case rel.Unread:
		return key, false, errors.New("was not read from the database")
	case rel.Bad:
		return key, false, errors.New(h.fk.Key.S)
	case rel.Loaded:
		key, err = keyOf(f.Rel.Struct().Key(), h.get())
		if errors.Is(err, ErrUnsaved) {
			err = fmt.Errorf("leads to a %s that %w", f.Rel.Target.Name(), err)
		}
		return key, false, err
	}
	panic("BUG: kin: a foreign key in an unknown state")
}

// SetKey sets the primary key of row, a *T whose type has the key k.
func SetKey(k *schema.Key, row any, key rel.Key) error {
	p := unbox(row)
	parts := rel.Split(key, len(k.Types))
	if len(parts) != len(k.Types) {
		return errors.New("is a key of another model")
	}
	at := 0
	for _, kf := range k.Fields {
		mine := parts[at : at+kf.Width]
		at += kf.Width
		if kf.Field.Rel.Kind == schema.ToOne {
			h := one(p, kf.Field)
			h.put(nil, rel.Join(mine), rel.KeyOnly)
			continue
		}
		v, err := mine[0].Value(kf.Field.Value, permissive)
		if err != nil {
			return err
		}
		decode := codecOf(kf.Field).decode
		if kf.Field.Value.Kind == dialect.Custom {
			err = decodeEither(decode, fieldOf(p, kf.Field), v)
		} else {
			err = decode(fieldOf(p, kf.Field), v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// customValue returns what the driver is given for a key of a type with Scan
// and Value: what its Value gives, which may be text or bytes.
func customValue(key rel.Key, f *schema.Field, traits *dialect.Traits) (driver.Value, error) {
	v, err := key.Value(f.Value, traits)
	if err != nil {
		return nil, err
	}
	holder := reflect.New(f.Base)
	p := pointerOf(holder)
	if err := decodeEither(newBaseDecoder(f.Base, f.Value), p, v); err != nil {
		return nil, err
	}
	return encodeValuer(f.Base)(p, traits)
}

// KeyValue returns what the driver is given for a key that is compared with a
// column of type t.
func KeyValue(key rel.Key, c *schema.Column, traits *dialect.Traits) (driver.Value, error) {
	switch {
	case c.Value.Kind == dialect.Uint && beyondInt64(key.N[0], traits):
		return nil, RangeError{Above: true}
	case c.Value.Kind == dialect.Custom:
		return customValue(key, c.Source.Field, traits)
	}
	return key.Value(c.Value, traits)
}

// MakeKey makes a key of its parts as a user gives them.
func MakeKey(k *schema.Key, parts []any) (rel.Key, error) {
	if len(k.Types) == 0 {
		return rel.Key{}, errors.New("the model has no primary key")
	}
	if len(parts) != len(k.Types) {
		return rel.Key{}, fmt.Errorf("has %d parts, not %d", len(k.Types), len(parts))
	}
	fields := k.Leaves
	keys := make([]rel.Key, len(parts))
	for i, part := range parts {
		c := &schema.Column{Field: fields[i]}
		c.Source = c
		v, err := FromAny(c, part, permissive)
		if err == nil && v == nil {
			err = errors.New("is NULL")
		}
		if err == nil {
			keys[i], err = rel.ReadKey(fields[i].Value, v)
		}
		if err != nil {
			return rel.Key{}, err
		}
	}
	return rel.Join(keys), nil
}
