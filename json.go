package kin

import (
	"bytes"
	"database/sql"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// MarshalJSON implements [json.Marshaler]: the row if it is loaded, else its
// key, else null. A row that is being written already, further up, is written
// as its key, and one that was written before in the same field of the whole
// without its to-many relations, so that every graph comes to an end, and soon.
func (fk ForeignKey[T]) MarshalJSON() ([]byte, error) {
	return marshalRef(reflect.TypeFor[T](), &fk)
}

func marshalRef(t reflect.Type, field any) ([]byte, error) {
	ref := hydrate.RefOf(t, field)
	if row := ref.Row(); row != nil {
		return marshalItem(t, row, ref.FK().Link.Trail())
	}
	if ref.FK().State == rel.Unread {
		return []byte("null"), nil // other columns that were not read are written as zero, too
	}
	key, null, err := refKey(t, field)
	if err != nil || null {
		return []byte("null"), err
	}
	return marshalKey(structOf(t).Key(), key)
}

// UnmarshalJSON implements [json.Unmarshaler]. It takes a key, an object with
// the fields of T, or null.
func (fk *ForeignKey[T]) UnmarshalJSON(data []byte) error {
	return unmarshalRef(reflect.TypeFor[T](), data, func(row any) { fk.Set(row.(*T)) }, fk.SetKey)
}

// unmarshalRef reads a reference to a row of the type t, and calls set with the
// row, nil for none, or setKey.
func unmarshalRef(t reflect.Type, data []byte, set func(row any), setKey func(parts ...any) error) error {
	data = bytes.TrimSpace(data)
	switch {
	case string(data) == "null":
		set(reflect.Zero(reflect.PointerTo(t)).Interface())
		return nil
	case len(data) > 0 && data[0] == '{':
		row := reflect.New(t).Interface()
		if err := json.Unmarshal(data, row); err != nil {
			return err
		}
		set(row)
		return nil
	}
	parts, err := unmarshalKey(structOf(t).Key(), data)
	if err != nil {
		return fmt.Errorf("kin: a key of %s: %w", t.Name(), err)
	}
	return setKey(parts...)
}

// MarshalJSON implements [json.Marshaler]: an array of the rows, or null if
// they are not loaded. The option omitzero leaves the field out then.
func (r collection[T]) MarshalJSON() ([]byte, error) {
	if !r.many.Loaded {
		return []byte("null"), nil
	}
	return marshalRows(reflect.TypeFor[T](), r.many.Link.Trail(), anyRows(r.rows))
}

// UnmarshalJSON implements [json.Unmarshaler]. It takes an array of objects
// with the fields of T, or of keys, which then are the loaded rows, or null.
func (r *collection[T]) UnmarshalJSON(data []byte) error {
	return unmarshalRows(reflect.TypeFor[T](), r, data)
}

func marshalRows(t reflect.Type, trail *rel.Trail, rows []any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, row := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := marshalItem(t, row, trail)
		if err != nil {
			return nil, err
		}
		b.Write(text)
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

func unmarshalRows(t reflect.Type, field any, data []byte) error {
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return err
	}
	var rows []any
	if items != nil {
		rows = make([]any, len(items))
	}
	for i, item := range items {
		var err error
		if rows[i], err = unmarshalItem(t, item); err != nil {
			return err
		}
	}
	l := hydrate.ListOf(t, field)
	l.Hold(rows)
	l.Many().Loaded = rows != nil
	return nil
}

func marshalItem(t reflect.Type, row any, trail *rel.Trail) ([]byte, error) {
	if row == nil || !trail.Has(row) {
		return marshalRow(t, row, trail)
	}
	k := structOf(t).Key()
	key, err := hydrate.KeyOf(k, row)
	if err != nil {
		return []byte("null"), nil //nolint:nilerr // a row without key has nothing to be called by
	}
	return marshalKey(k, key)
}

// unmarshalItem reads what marshalItem writes: a *T.
func unmarshalItem(t reflect.Type, data []byte) (any, error) {
	row := reflect.New(t).Interface()
	err := json.Unmarshal(data, row)
	if err == nil || data[0] == '{' {
		return row, err
	}
	k := structOf(t).Key()
	parts, keyErr := unmarshalKey(k, data)
	if keyErr != nil {
		return nil, err
	}
	key, keyErr := makeKey(t, parts)
	if keyErr != nil {
		return nil, err
	}
	row = reflect.New(t).Interface()
	return row, hydrate.SetKey(k, row, key)
}

// marshalRow writes a row through encoding/json, so that the tags and methods
// of its type count. What is written is a copy, whose relation fields know
// the rows that are being written around them. A row that has been written
// before is written without its to-many relations: else a graph in which many
// rows lead to many would be written along each of its paths.
func marshalRow(t reflect.Type, row any, trail *rel.Trail) ([]byte, error) {
	if row == nil {
		return []byte("null"), nil
	}
	v := reflect.New(t)
	v.Elem().Set(reflect.ValueOf(row).Elem())
	c := v.Interface()
	here, again := trail.Into(row)
	for _, f := range structOf(t).Fields {
		if f.Rel.Kind == schema.NoRel {
			continue
		}
		switch core := f.Rel.Ops.Core(fieldOf(c, f)).(type) {
		case *rel.FK:
			core.Link.Owner = here
		case *rel.Many:
			core.Loaded = core.Loaded && !again
			core.Link.Owner = here
		}
	}
	return json.Marshal(c)
}

// marshalKey writes a key: a number or a text, or an array of several. Parts
// of a type that says how it is written in JSON are written that way.
func marshalKey(k *schema.Key, key rel.Key) ([]byte, error) {
	values := make([]any, len(k.Types))
	for i, part := range rel.Split(key, len(k.Types)) {
		v, err := part.Value(k.Types[i], hydrate.AnyTraits())
		if err != nil {
			return nil, err
		}
		values[i] = v
		switch text, isText := v.(string); {
		case isText && k.Types[i].Kind == dialect.Uint:
			values[i] = json.Number(text) // above the range of int64
		case k.Types[i].Kind == dialect.Custom && (hasJSON(k.Leaves[i].Base) || isText && !utf8.ValidString(text)):
			// Bytes of no text are written as encoding/json writes the type.
			holder := reflect.New(k.Leaves[i].Base).Interface()
			if err := holder.(sql.Scanner).Scan(v); err != nil {
				if err := holder.(sql.Scanner).Scan([]byte(text)); err != nil {
					return nil, err
				}
			}
			values[i] = holder
		}
	}
	if len(values) == 1 {
		return json.Marshal(values[0])
	}
	return json.Marshal(values)
}

// unmarshalKey reads what marshalKey writes.
func unmarshalKey(k *schema.Key, data []byte) ([]any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	values, several := v.([]any)
	if !several {
		values = []any{v}
	}
	if len(values) != len(k.Types) {
		return nil, fmt.Errorf("has %d parts, not %d", len(k.Types), len(values))
	}
	for i, leaf := range k.Leaves {
		n, isNumber := values[i].(json.Number)
		var err error
		switch kind := leaf.Value.Kind; {
		case values[i] == nil: // refused by SetKey
		case kind == dialect.Bytes || kind == dialect.Time || kind == dialect.JSON || kind == dialect.Custom && hasJSON(leaf.Base):
			holder := reflect.New(leaf.Base)
			text, _ := json.Marshal(values[i])
			err = json.Unmarshal(text, holder.Interface())
			values[i] = holder.Elem().Interface()
		case isNumber && kind == dialect.Uint:
			values[i], err = strconv.ParseUint(n.String(), 10, 64)
		case isNumber && (kind == dialect.Float || kind == dialect.Custom && strings.ContainsAny(n.String(), ".eE")):
			values[i], err = n.Float64()
		case isNumber:
			values[i], err = n.Int64()
		}
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

// hasJSON reports whether a type says itself how it is written in JSON and
// read from it.
func hasJSON(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return (p.Implements(reflect.TypeFor[json.Marshaler]()) || p.Implements(reflect.TypeFor[encoding.TextMarshaler]())) &&
		(p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()))
}

// keyText returns how a row is shown: by its model and key.
func keyText(t reflect.Type, key rel.Key, null bool, err error) string {
	switch {
	case errors.Is(err, ErrUnsaved):
		return t.Name() + "(unsaved)"
	case err != nil:
		return t.Name() + "(invalid key)"
	case null:
		return t.Name() + "(NULL)"
	}
	return t.Name() + "(" + key.String(structOf(t).Key().Types) + ")"
}

// makeKey makes a key of T of its parts.
func makeKey(t reflect.Type, parts []any) (rel.Key, error) {
	return hydrate.MakeKey(structOf(t).Key(), parts)
}
