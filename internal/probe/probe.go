// Package probe finds out which field a function leads to: it runs the
// function on a row that hands out further rows of its kind where relations
// lead on, and looks for the address that comes back among their fields.
package probe

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A run is one call of a function.
type run struct {
	structOf func(reflect.Type) *schema.Struct
	rows     []*row
	err      error
}

// A row is a value that a function was given.
type row struct {
	value  reflect.Value // the struct
	schema *schema.Struct
	path   []string // by which it was reached
	// targets are the values that its pointer fields point to.
	targets map[uintptr]*schema.Field
}

// A place is a relation field of a row. It is what the field's Link is owned
// by, so that the field can ask for more rows.
type place struct {
	run   *run
	row   *row
	field *schema.Field
}

// maxRows is the most rows that one function may ask for: one that loops, or
// calls itself, would ask for ever.
const maxRows = 1000

// Of returns a row, as a *T, that the field with the link leads to if it is
// that of a probe, else nil. linkModel is whether it is the row of the link
// model that is asked for.
func Of(link rel.Link, linkModel bool) any {
	p, ok := link.Owner.(*place)
	if !ok {
		return nil
	}
	step, t := schema.SnakeCase(p.field.Name), p.field.Rel.Target
	path := append(append(make([]string, 0, len(p.row.path)+2), p.row.path...), step)
	if linkModel {
		path, t = append(path, "link"), p.field.Rel.Link
	}
	return p.run.add(t, path).value.Addr().Interface()
}

// add makes a row whose relation fields know that they are probed.
func (r *run) add(t reflect.Type, path []string) *row {
	v := reflect.New(t).Elem()
	x := &row{value: v, schema: r.structOf(t), path: path, targets: map[uintptr]*schema.Field{}}
	if len(r.rows) == maxRows {
		r.err = fmt.Errorf("asks for more than %d rows; let it follow relations straight to one field", maxRows)
	}
	if r.err != nil {
		return x // whose relations lead nowhere, which ends a loop
	}
	r.rows = append(r.rows, x)
	for _, f := range x.schema.Fields {
		field := v.FieldByIndex(f.Index)
		switch {
		case f.Rel.Kind == schema.ToOne:
			core := f.Rel.Ops.Core(field.Addr().Interface()).(*rel.FK)
			core.State, core.Link.Owner = rel.Probed, &place{r, x, f}
		case f.Rel.Kind != schema.NoRel:
			core := f.Rel.Ops.Core(field.Addr().Interface()).(*rel.Many)
			core.Link.Owner = &place{r, x, f}
		case f.Wrap == schema.Pointer:
			target := reflect.New(f.Type.Elem())
			field.Set(target)
			x.targets[target.Pointer()] = f
		}
	}
	return x
}

// Path runs visit, a func(*T) *V, on a probe of the struct type t and returns
// the lookup path to what its result points to: a row at the end of relations,
// if related is set, else a column or a foreign key.
func Path(t reflect.Type, structOf func(reflect.Type) *schema.Struct, related bool, visit func(root any) (result any)) (path string, err error) {
	if t.Kind() != reflect.Struct {
		return "", fmt.Errorf("%s is no struct, and no model", t)
	}
	r := &run{structOf: structOf}
	root := r.add(t, nil)
	result, err := r.call(visit, root)
	if err := cmp.Or(r.err, err); err != nil {
		return "", err
	}
	v := reflect.ValueOf(result)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return "", errors.New("returns nil")
	}
	find := r.column
	if related {
		find = r.related
	}
	steps, err := find(v)
	return strings.Join(steps, "__"), err
}

// call runs the function, whose panics are mistakes of the one who wrote it.
func (r *run) call(visit func(root any) any, root *row) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panics (%v); it may only follow relations, by Get and Any, and take the address of a field", p)
		}
	}()
	return visit(root.value.Addr().Interface()), nil
}

var errElsewhere = errors.New("returns a pointer to something that is not in the row it was given; " +
	"it must follow relations from there, by Get and Any, and return the address of a field")

func (r *run) related(v reflect.Value) ([]string, error) {
	for _, x := range r.rows {
		if x.value.Addr().Pointer() == v.Pointer() && x.value.Type() == v.Type().Elem() {
			if len(x.path) == 0 {
				return nil, errors.New("returns the row it was given; it must follow a relation")
			}
			return x.path, nil
		}
	}
	return nil, errElsewhere
}

func (r *run) column(v reflect.Value) ([]string, error) {
	t := v.Type().Elem()
	for _, x := range r.rows {
		if f := x.targets[v.Pointer()]; f != nil && f.Type.Elem() == t {
			return append(slices.Clip(x.path), schema.SnakeCase(f.Name)), nil
		}
		start := x.value.Addr().Pointer()
		if v.Pointer() < start || v.Pointer() >= start+max(x.value.Type().Size(), 1) {
			continue
		}
		return x.field(v.Pointer()-start, t)
	}
	return nil, errElsewhere
}

// field returns the path to the field that lies at an offset and holds values
// of the type t.
func (x *row) field(offset uintptr, t reflect.Type) ([]string, error) {
	within := ""
	for _, f := range x.schema.Fields {
		switch {
		case f.Rel.Kind != schema.NoRel && !f.Rel.Kind.HasColumns():
			if offset == f.Offset && f.Type == t {
				return nil, fmt.Errorf("returns the address of %s.%s, which has no column; follow it by Any", x.schema.Name, f.Name)
			}
		case offset == f.Offset && holds(f, t):
			return append(slices.Clip(x.path), schema.SnakeCase(f.Name)), nil
		case offset >= f.Offset && offset < f.Offset+f.Type.Size():
			within = f.Name
		}
	}
	if within != "" {
		return nil, fmt.Errorf("returns a *%s within %s.%s; the field itself is the column", t, x.schema.Name, within)
	}
	return nil, fmt.Errorf("returns the address of a %s in %s that is no column", t, x.schema.Name)
}

// holds reports whether the address of the column f, or that of the value in a
// sql.Null, is a *t. A field that is a pointer is returned itself.
func holds(f *schema.Field, t reflect.Type) bool {
	return f.Type == t && f.Wrap != schema.Pointer || f.Wrap == schema.Null && f.Base == t
}
