//go:build kin_safe

package hydrate

import (
	"database/sql/driver"
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"weak"

	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A Pointer is a pointer to a row or a field, a *T, for callers that pass it on
// unread. One that points nowhere is nil, and no nil *T.
type Pointer = any

// as returns p, which points to a T or to what has T as its underlying type.
func as[T any](p Pointer) *T {
	if t, ok := p.(*T); ok {
		return t
	}
	return reflect.ValueOf(p).Convert(reflect.TypeFor[*T]()).Interface().(*T)
}

// Row returns a pointer as what it is.
func Row[T any](row Pointer) *T {
	t, _ := row.(*T) // nil, if it points nowhere
	return t
}

// Slice returns pointers as what they are.
func Slice[T any](rows []Pointer) []*T {
	if rows == nil {
		return nil
	}
	list := make([]*T, len(rows))
	for i, row := range rows {
		list[i] = Row[T](row)
	}
	return list
}

// pointee returns what the pointer at p points to.
func pointee(p Pointer) Pointer { return pointerOf(reflect.ValueOf(p).Elem()) }

// point makes the pointer at p point to what to points to, or nowhere.
func point(p, to Pointer) { setPointer(reflect.ValueOf(p).Elem(), to) }

func setPointer(v reflect.Value, to Pointer) {
	if to == nil {
		v.SetZero()
		return
	}
	v.Set(reflect.ValueOf(to))
}

// pointerOf returns what v holds, which is a pointer, of a type without a name.
func pointerOf(v reflect.Value) Pointer {
	if v.IsNil() {
		return nil
	}
	if t := v.Type(); t.Name() != "" && t.Kind() == reflect.Pointer {
		v = v.Convert(reflect.PointerTo(t.Elem()))
	}
	return v.Interface()
}

// pointerAt returns p as a pointer to a t.
func pointerAt(t reflect.Type, p Pointer) reflect.Value {
	v := reflect.ValueOf(p)
	if v.Type().Elem() == t {
		return v
	}
	return v.Convert(reflect.PointerTo(t))
}

// A spot is where a field lies in a struct; the nil spot is the struct itself.
type spot []int

func spotOf(f *schema.Field) spot { return f.Index }

func spotIn(sf reflect.StructField) spot { return sf.Index }

// then returns where what is at next in the field's struct lies in the whole.
func (s spot) then(next spot) spot { return slices.Concat(s, next) }

// in returns the address of the field in the struct at p.
func (s spot) in(p Pointer) Pointer {
	if len(s) == 0 {
		return p
	}
	return reflect.ValueOf(p).Elem().FieldByIndex(s).Addr().Interface()
}

// fieldOf returns the address of the field f of the row at p.
func fieldOf(p Pointer, f *schema.Field) Pointer { return spotOf(f).in(p) }

// nullValue returns the address of the value in the sql.Null at p, and
// validSpot where its Valid is.
func nullValue(p Pointer) Pointer { return spot{0}.in(p) }

func validSpot(*schema.Field) spot { return spot{1} }

// item returns the address of an element of a slice.
func item(list reflect.Value, i int, _ uintptr) Pointer { return list.Index(i).Addr().Interface() }

// isNil reports whether the slice at p, of whatever type, is nil.
func isNil(p Pointer) bool { return reflect.ValueOf(p).Elem().IsNil() }

func setNil(p Pointer) { reflect.ValueOf(p).Elem().SetZero() }

// bytesAt returns the slice of bytes at p, of whatever name.
func bytesAt(p Pointer) []byte { return reflect.ValueOf(p).Elem().Bytes() }

func setBytes(p Pointer, b []byte) { reflect.ValueOf(p).Elem().SetBytes(b) }

func uuidAt(p Pointer) *[16]byte { return (*[16]byte)(bytesAt(p)) }

// isZero reports whether the field f, which lies at p, is zero.
func isZero(f *schema.Field, p Pointer) bool { return valueAt(f.Type, p).IsZero() }

// appendMemory appends what stands for the value of the field f, which lies at
// p: a bool, a number or a UUID.
func appendMemory(b []byte, p Pointer, f *schema.Field) []byte {
	switch v := valueAt(f.Type, p); {
	case v.CanInt():
		return binary.LittleEndian.AppendUint64(b, uint64(v.Int()))
	case v.CanUint():
		return binary.LittleEndian.AppendUint64(b, v.Uint())
	case v.CanFloat():
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Float()))
	case v.Kind() == reflect.Bool && v.Bool():
		return append(b, 1)
	case v.Kind() == reflect.Bool:
		return append(b, 0)
	}
	return append(b, uuidAt(p)[:]...)
}

// textOf returns bytes that will not change as a text.
func textOf(b []byte) string { return string(b) }

// maker returns what makes zero values of t.
func maker(t reflect.Type) func() Pointer {
	return func() Pointer { return reflect.New(t).Interface() }
}

// sealMaker returns what makes a zero value of t and a pointer to it, for an
// Encrypted.
func sealMaker(t reflect.Type) func() (pointer, value Pointer) {
	return func() (pointer, value Pointer) {
		to := reflect.New(reflect.PointerTo(t))
		to.Elem().Set(reflect.New(t))
		return to.Interface(), to.Elem().Interface()
	}
}

// Parts are pointers to what is in a field of the root package, which only that
// can reach without unsafe.
type Parts struct {
	Held  any // a **T, a *[]*T, a ***T of an Encrypted, or a **Snapshot
	Core  any // a *rel.FK or a *rel.Many; nil if it is no relation
	Links any // a *[]*L, or nil
}

// PartsOf returns the parts of a field, of which it is given the address. The
// root package sets it before it is used.
//
//nolint:gochecknoglobals // the root cannot be imported here
var PartsOf func(field any) Parts

// held returns the address of what an Encrypted or a Tracked consists of.
func held(p Pointer) Pointer { return PartsOf(p).Held }

// A oneHeader reaches into a ForeignKey[T].
type oneHeader struct {
	row Pointer // a **T
	fk  *rel.FK
}

func oneAt(p Pointer) *oneHeader {
	parts := PartsOf(p)
	return &oneHeader{parts.Held, parts.Core.(*rel.FK)}
}

func (h *oneHeader) core() *rel.FK   { return h.fk }
func (h *oneHeader) get() Pointer    { return pointee(h.row) }
func (h *oneHeader) set(row Pointer) { point(h.row, row) }

// A manyHeader reaches into a Reverse[T] or a ManyToMany[T].
type manyHeader struct {
	rows reflect.Value // a []*T
	many *rel.Many
}

func manyAt(p Pointer) *manyHeader { return &throughAt(p).manyHeader }

func (h *manyHeader) core() *rel.Many     { return h.many }
func (h *manyHeader) len() int            { return h.rows.Len() }
func (h *manyHeader) at(i int) Pointer    { return pointerOf(h.rows.Index(i)) }
func (h *manyHeader) all() []Pointer      { return pointersIn(h.rows) }
func (h *manyHeader) hold(rows []Pointer) { setPointers(h.rows, rows) }

// A throughHeader reaches into a Through[T, L].
type throughHeader struct {
	manyHeader

	linked reflect.Value // a []*L; not valid if the field has none
}

func throughAt(p Pointer) *throughHeader {
	parts := PartsOf(p)
	h := &throughHeader{manyHeader: manyHeader{reflect.ValueOf(parts.Held).Elem(), parts.Core.(*rel.Many)}}
	if parts.Links != nil {
		h.linked = reflect.ValueOf(parts.Links).Elem()
	}
	return h
}

func (h *throughHeader) links() []Pointer          { return pointersIn(h.linked) }
func (h *throughHeader) holdLinks(links []Pointer) { setPointers(h.linked, links) }

// pointersIn returns the pointers in a slice.
func pointersIn(list reflect.Value) []Pointer {
	if list.IsNil() {
		return nil
	}
	rows := make([]Pointer, list.Len())
	for i := range rows {
		rows[i] = pointerOf(list.Index(i))
	}
	return rows
}

// setPointers makes a variable a slice of the pointers.
func setPointers(list reflect.Value, rows []Pointer) {
	if rows == nil {
		list.SetZero()
		return
	}
	fresh := reflect.MakeSlice(list.Type(), len(rows), len(rows))
	for i, row := range rows {
		setPointer(fresh.Index(i), row)
	}
	list.Set(fresh)
}

// A boxer makes interfaces of pointers to one type, which they are already,
// but for nil.
type boxer struct{ none any }

func newBoxer(t reflect.Type) boxer { return boxer{reflect.Zero(reflect.PointerTo(t)).Interface()} }

func (b boxer) box(p Pointer) any {
	if p == nil {
		return b.none
	}
	return p
}

// unbox returns the pointer in v, which holds a *T.
func unbox(v any) Pointer {
	if v == nil || reflect.ValueOf(v).IsNil() {
		return nil
	}
	return v
}

// A valueType makes interfaces of pointers to values of a type that is no
// pointer: of copies, as any(v) is.
type valueType struct{}

func newValueType(any) valueType { return valueType{} }

func (valueType) box(p Pointer) driver.Value { return reflect.ValueOf(p).Elem().Interface() }

// A weakRow is a weak pointer to a relation field of a row, which is there as
// long as the row is. Nobody asks after rows that have none.
type weakRow struct {
	one  weak.Pointer[rel.FK]
	many weak.Pointer[rel.Many]
}

func weaken(row Pointer, m *schema.Model) (w weakRow) {
	switch {
	case len(m.Keys) > 0:
		w.one = weak.Make(one(row, m.Keys[0].Field).fk)
	case len(m.Homes) > 0:
		w.many = weak.Make(many(row, m.Homes[0].Field).many)
	}
	return w
}

func (w weakRow) gone() bool { return w.one.Value() == nil && w.many.Value() == nil }

// A slab hands out zeroed memory for rows of one type, many at a time.
type slab struct {
	growth

	typ  reflect.Type
	rows reflect.Value
}

// newSlab returns a slab of which first values are expected. slice is the type of
// a slice of them.
func newSlab(slice reflect.Type, _ uintptr, first int) slab {
	return slab{growth: newGrowth(first), typ: slice}
}

func (s *slab) take() Pointer {
	if s.left == 0 {
		n := s.more()
		s.rows = reflect.MakeSlice(s.typ, n, n)
	}
	p := s.rows.Index(s.rows.Len() - s.left).Addr().Interface()
	s.left--
	return p
}
