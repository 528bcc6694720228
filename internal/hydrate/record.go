package hydrate

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
)

// A Record says how rows of values become structs that are no models.
type Record struct {
	Fields []RecordField // in the order of the columns
	Slices []RecordSlice
	parts  []part
	typ    reflect.Type
	deep   int
}

// A RecordField is a field that holds one value.
type RecordField struct {
	Name string // in lookups
	Text string // what the value is: a path or the call of an aggregate
	path string // for messages
	mend string // what a field for NULL would need, for messages
	zero bool   // whether NULL is the zero value

	// Column is a column of no table that holds values of the field.
	Column *schema.Column

	spot   spot
	decode decoder
}

// A part is a run of fields of the struct, or of one that a pointer in it
// leads to.
type part struct {
	from, to int
	inner    *Record // nil for fields of the struct itself
	spot     spot    // of the pointer
}

//nolint:gochecknoglobals // a cache of what follows from a type
var records sync.Map // of reflect.Type to *Record

// Type returns the type of the structs.
func (r *Record) Type() reflect.Type { return r.typ }

// RecordOf returns how rows become values of the struct type t.
func RecordOf(t reflect.Type) (*Record, error) {
	if r, ok := records.Load(t); ok {
		return r.(*Record), nil
	}
	if t.Kind() != reflect.Struct || schema.Scalar(t) != nil {
		return nil, fmt.Errorf("%s is no struct of values; kin.Pluck and kin.Value read one value of each row", t)
	}
	r := &Record{typ: t}
	if err := r.add(t, "", ""); err != nil {
		return nil, err
	}
	if len(r.Fields)+len(r.Slices) == 0 {
		return nil, fmt.Errorf("%s has no exported field", t)
	}
	kept, _ := records.LoadOrStore(t, r)
	return kept.(*Record), nil
}

// ValueOf returns how rows of one value become values of the type t.
func ValueOf(t reflect.Type) (*Record, error) {
	c := schema.Scalar(t)
	if c == nil {
		return nil, fmt.Errorf("%s is no type that a column can hold", t)
	}
	return &Record{
		typ: t, parts: []part{{from: 0, to: 1}},
		Fields: []RecordField{{
			Name: "value", path: "a value of " + t.String(), mend: "or give the expression a Default", zero: c.Value.Kind == dialect.Array,
			Column: c, decode: codecOf(c.Field).decode,
		}},
	}, nil
}

// maxDeep is how deep structs may be in structs.
const maxDeep = 16

func (r *Record) add(t reflect.Type, prefix, path string) error {
	for sf := range t.Fields() {
		tag, options, _ := strings.Cut(sf.Tag.Get("kin"), ",")
		if tag == "-" || !sf.IsExported() && !sf.Anonymous {
			continue
		}
		where := strings.TrimPrefix(path+"."+sf.Name, ".")
		if !sf.IsExported() && sf.Type.Kind() == reflect.Pointer {
			return fmt.Errorf("%s.%s embeds a pointer to what is not exported", r.typ, where)
		}
		text := tag
		if text == "" && !sf.Anonymous {
			text = schema.SnakeCase(sf.Name)
		}
		if c := schema.Scalar(sf.Type); c != nil && sf.IsExported() && !listsRows(c, text) {
			if options != "" && options != "zero" {
				return fmt.Errorf("%s.%s has the option %q; there is zero", r.typ, where, options)
			}
			r.field(RecordField{
				Name: join(prefix, schema.SnakeCase(sf.Name)), Text: join(prefix, text), path: fmt.Sprintf("%s.%s", r.typ, where),
				mend: "or the option zero", zero: options == "zero" || c.Value.Kind == dialect.Array,
				Column: c, spot: spotIn(sf), decode: codecOf(c.Field).decode,
			})
			continue
		}
		if sf.Type.Kind() == reflect.Slice && sf.IsExported() {
			if options != "" {
				return fmt.Errorf("%s.%s has the option %q; a slice has none", r.typ, where, options)
			}
			if err := r.slice(sf, join(prefix, text), where); err != nil {
				return err
			}
			continue
		}
		if err := r.nested(sf, join(prefix, text), where); err != nil {
			return err
		}
	}
	return nil
}

// listsRows reports whether a list of values, of which each could be a column,
// has one of each related row: its path follows a relation. A list that is one
// value is a column of the row itself, or is made by an aggregate.
func listsRows(c *schema.Column, text string) bool {
	return c.Value.Kind == dialect.Array && strings.Contains(text, "__") && !strings.Contains(text, "(")
}

// join puts a path before another, or within the call of an aggregate.
func join(prefix, text string) string {
	if prefix == "" || text == "" {
		return prefix + text
	}
	if open := strings.IndexByte(text, '('); open >= 0 {
		arg := strings.TrimLeft(text[open+1:], " ")
		call := text[:open+1]
		if of, ok := strings.CutPrefix(arg, "distinct "); ok {
			call, arg = call+"distinct ", of
		}
		if strings.HasPrefix(arg, "*") {
			return call + prefix + arg[1:]
		}
		return call + prefix + "__" + arg
	}
	return prefix + "__" + text
}

func (r *Record) field(f RecordField) {
	r.Fields = append(r.Fields, f)
	n := len(r.Fields)
	if last := len(r.parts) - 1; last >= 0 && r.parts[last].inner == nil {
		r.parts[last].to = n
		return
	}
	r.parts = append(r.parts, part{from: n - 1, to: n})
}

// nested adds the fields of a struct inside.
func (r *Record) nested(sf reflect.StructField, prefix, where string) error {
	t, pointer := sf.Type, false
	if t.Kind() == reflect.Pointer {
		t, pointer = t.Elem(), true
	}
	if t.Kind() != reflect.Struct || r.deep == maxDeep {
		return fmt.Errorf("%s.%s has the type %s, which no value can be read into", r.typ, where, sf.Type)
	}
	inner := &Record{typ: r.typ, deep: r.deep + 1}
	if err := inner.add(t, prefix, where); err != nil {
		return err
	}
	if len(inner.Fields)+len(inner.Slices) == 0 && !sf.Anonymous { // a foreign key, say, which would be NULL in silence
		return fmt.Errorf("%s.%s has the type %s, which no value can be read into; take a struct of fields, a key, or leave it out (`kin:\"-\"`)", r.typ, where, sf.Type)
	}
	for _, s := range inner.Slices {
		if pointer {
			return fmt.Errorf("%s is a slice behind a pointer, which may be nil; take the struct itself", s.path)
		}
		s.spot = spotIn(sf).then(s.spot)
		r.Slices = append(r.Slices, s)
	}
	if pointer {
		inner.typ = t
		r.pointed(inner, inner.Fields, spotIn(sf))
		return nil
	}
	// What is in a struct itself is read from where the whole is: nothing but
	// unsafe gets a pointer to an embedded struct that is not exported.
	for _, p := range inner.parts {
		fields := inner.Fields[p.from:p.to]
		if p.inner != nil {
			r.pointed(p.inner, fields, spotIn(sf).then(p.spot))
			continue
		}
		for _, f := range fields {
			f.spot = spotIn(sf).then(f.spot)
			r.field(f)
		}
	}
	return nil
}

// pointed adds the fields of a struct that the pointer at a spot leads to.
func (r *Record) pointed(inner *Record, fields []RecordField, at spot) {
	from := len(r.Fields)
	r.Fields = append(r.Fields, fields...)
	r.parts = append(r.parts, part{from: from, to: len(r.Fields), inner: inner, spot: at})
}

// Read stores the values of a row in a zero value of the type, of which it is
// given the address.
func (r *Record) Read(p any, row []driver.Value) error {
	return r.read(pointerOf(reflect.ValueOf(p)), row)
}

func (r *Record) read(p Pointer, row []driver.Value) error {
	for i := range r.parts {
		part := &r.parts[i]
		if part.inner == nil {
			for j := part.from; j < part.to; j++ {
				if err := r.Fields[j].store(p, row[j]); err != nil {
					return err
				}
			}
			continue
		}
		values, at := row[part.from:part.to], part.spot.in(p)
		if allNull(values) {
			point(at, nil)
			continue
		}
		inside := pointerOf(reflect.New(part.inner.typ))
		point(at, inside)
		if err := part.inner.read(inside, values); err != nil {
			return err
		}
	}
	return nil
}

func allNull(values []driver.Value) bool {
	for _, v := range values {
		if v != nil {
			return false
		}
	}
	return true
}

func (f *RecordField) store(p Pointer, v driver.Value) error {
	if v == nil && f.zero { // as the memory is, which is new
		return nil
	}
	err := f.decode(f.spot.in(p), v)
	switch {
	case errors.Is(err, errNull):
		return fmt.Errorf("%s is NULL; take a pointer or a sql.Null, %s", f.path, f.mend)
	case err != nil:
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}
