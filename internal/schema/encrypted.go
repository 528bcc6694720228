package schema

import (
	"fmt"
	"reflect"
	"sync/atomic"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/crypt"
)

// A Sealed is all that an Encrypted field of the root package consists of. It
// makes the type known here, and keeps the value behind two pointers: package
// fmt calls no methods on what it finds in an unexported field, and shows it as
// it is. Of a pointer it shows the address, unless the verb is a wrong one,
// for which it follows one.
type Sealed[T any] struct{ Value **T }

// Seal returns a Sealed that holds v.
func Seal[T any](v T) Sealed[T] { return Sealed[T]{new(&v)} }

func (Sealed[T]) sealed() {}

//nolint:gochecknoglobals // a type to compare with
var sealedType = reflect.TypeFor[interface{ sealed() }]()

// sealedIn returns the type of the value in an Encrypted.
func sealedIn(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() != reflect.Struct || t.NumField() != 1 || !t.Field(0).Type.Implements(sealedType) {
		return nil, false
	}
	return t.Field(0).Type.Field(0).Type.Elem().Elem(), true
}

const notEncrypted = "has the tag option deterministic or bound_to, which is for a kin.Encrypted"

// classifyEncrypted is classify for an Encrypted, with or without a wrap. It
// reports whether the field is one.
func (f *Field) classifyEncrypted() bool {
	base, wrap := f.Type, Plain
	switch {
	case base.Kind() == reflect.Pointer:
		base, wrap = base.Elem(), Pointer
	case isSQLNull(base):
		base, wrap = base.Field(0).Type, Null
	}
	t, ok := sealedIn(base)
	if !ok {
		return false
	}
	f.Base, f.Wrap = base, wrap
	if wrap == Null {
		f.ValidOffset = f.Type.Field(validFieldNo).Offset
	}
	f.Encrypted = &Field{Name: f.Name, Type: t, Base: t, Value: valueType(t), Codec: new(atomic.Value)}
	if k := f.Encrypted.Value.Kind; k == dialect.Invalid || k == dialect.Array {
		f.Encrypted.Marshal, f.Encrypted.Value.Kind = true, dialect.JSON
	}
	f.Value = dialect.Type{Kind: dialect.Bytes}
	if n := f.Tag.Size; n > 0 {
		f.Value.Size = crypt.Overhead + n
		if f.Encrypted.Value.Kind == dialect.String {
			f.Value.Size += 3 * n // a character has four bytes at most
		}
	}
	return true
}

// encrypted reports what is wrong with an Encrypted, or with a field that
// holds one where it must not.
func (s *Struct) encrypted(f *Field) {
	tag := f.Tag
	if f.Encrypted == nil {
		if tag.Deterministic || tag.BoundTo != "" {
			s.problem(f.Name, notEncrypted)
		}
		if f.Marshal && holdsSealed(f.Type, map[reflect.Type]bool{}) {
			s.problem(f.Name, "is stored as JSON, in which the kin.Encrypted inside would be lost; take a kin.Encrypted of the whole")
		}
		return
	}
	t := f.Encrypted.Type
	_, again := sealedIn(t)
	switch {
	case t.Kind() == reflect.Pointer, isSQLNull(t), again:
		s.problem(f.Name, fmt.Sprintf("encrypts a %s, which may be NULL or is encrypted itself; "+
			"encrypt the plain type, in a *kin.Encrypted or with the null option", t))
	case f.Encrypted.Marshal && !inJSON(t):
		s.problem(f.Name, fmt.Sprintf("encrypts a %s, which JSON cannot hold", t))
	case f.Encrypted.Marshal && holdsSealed(t, map[reflect.Type]bool{}):
		s.problem(f.Name, "encrypts a kin.Encrypted inside another")
	case tag.Deterministic && f.Encrypted.Value.Kind == dialect.JSON:
		s.problem(f.Name, fmt.Sprintf("has the tag option deterministic, but encrypts a %s as JSON, "+
			"of which equal values may have different texts", t))
	}
	switch {
	case tag.JSON:
		s.problem(f.Name, "has the tag option json, which a kin.Encrypted does not need: it encrypts any type that JSON can hold")
	case tag.Default != "":
		s.problem(f.Name, "has a default, which the database cannot encrypt")
	}
}

// inJSON reports whether a value of type t is written as JSON, and read back,
// at least as far as its outermost kind tells.
func inJSON(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.Interface, reflect.UnsafePointer, reflect.Uintptr:
		return false
	default:
		return true
	}
}

// holdsSealed reports whether there is an Encrypted in t, which encoding/json
// would go into.
func holdsSealed(t reflect.Type, seen map[reflect.Type]bool) bool {
	if _, ok := sealedIn(t); ok || seen[t] {
		return ok
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsSealed(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if holdsSealed(f.Type, seen) {
				return true
			}
		}
	default:
	}
	return false
}

// encrypted reports the encrypted columns of m that stand where the database
// must compare them.
func (r *resolver) encrypted(m *Model) {
	sets := map[*Column]bool{}
	for _, set := range append(append([][]string{}, m.Struct.Table.Unique...), m.Struct.Table.Indexes...) {
		columns, _, _ := m.ColumnsOf(set)
		for _, c := range columns {
			sets[c] = true
		}
	}
	for _, ix := range m.Struct.Table.SpecialIndexes {
		columns, _ := m.plainColumns(ix)
		for _, c := range columns {
			sets[c] = true
		}
	}
	for _, c := range m.Columns {
		if c.Field.Encrypted == nil {
			continue
		}
		c.Cipher = (*crypt.Ring)(nil).Cipher("", false) // until SetKeys
		switch {
		case c.Key:
			r.problem(m, c.Field.Name, "is a primary key, which cannot be encrypted")
		case !c.Field.Tag.Deterministic && (c.Unique || c.Index || sets[c]):
			r.problem(m, c.Field.Name, "is unique or indexed, but encrypted differently each time; "+
				"add the tag option deterministic, or take off the others")
		}
	}
}

// UniqueSets returns the columns that are unique, alone or together, beside
// the primary key, be it in some rows only.
func (m *Model) UniqueSets() [][]*Column {
	var sets [][]*Column
	for _, c := range m.Columns {
		if c.Unique {
			sets = append(sets, []*Column{c})
		}
	}
	for _, names := range m.Struct.Table.Unique {
		columns, _, _ := m.ColumnsOf(names)
		sets = append(sets, columns)
	}
	for _, ix := range m.Struct.Table.SpecialIndexes {
		if columns, all := m.plainColumns(ix); ix.Unique && all {
			sets = append(sets, columns)
		}
	}
	return sets
}

// SetKeys gives the encrypted columns of g their ciphers, before g is used by
// others. Without, they are neither written nor read.
func (g *Graph) SetKeys(ring *crypt.Ring) {
	for _, m := range g.Models {
		for _, c := range m.Columns {
			if c.Field.Encrypted == nil {
				continue
			}
			place := c.Field.Tag.BoundTo
			if place == "" {
				place = m.Table + "." + c.Name
			}
			c.Cipher = ring.Cipher(place, c.Field.Tag.Deterministic)
		}
	}
}
