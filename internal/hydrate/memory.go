//go:build !kin_safe

package hydrate

// What this file relies on:
//
//   - A schema.Field's Offset is where reflect found the field, so that the
//     address of the struct plus Offset is the field's, of the type the
//     decoder was chosen for. A named type has the layout of its kind, and
//     sql.Null and its relatives have the value first.
//   - ForeignKey[T], Reverse[T], ManyToMany[T] and Through[T, L] of the root
//     package have the layouts of oneHeader, manyHeader (twice) and
//     throughHeader: a pointer to T is a pointer, whatever T is, and so is a
//     slice of them. A test in the root package compares sizes.
//   - Encrypted[T] is a pointer to a pointer to T, and Tracked a pointer to a
//     Snapshot.
//   - An interface is a pointer to its type and one to the value, which for a
//     pointer is the pointer itself.
//   - Rows live in slices made by reflect with their true type, so that the
//     garbage collector knows their pointers, and every pointer kept here is
//     an unsafe.Pointer, never an integer.
//
// The race detector brings checkptr along, which checks that pointers stay
// within what they were made for.
import (
	"database/sql/driver"
	"reflect"
	"time"
	"unsafe"
	"weak"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A Pointer is a pointer to a row or a field, for callers that pass it on unread.
type Pointer = unsafe.Pointer

// as returns p, which points to a T or to what has the layout of one.
func as[T any](p Pointer) *T { return (*T)(p) }

// Row returns a pointer as what it is.
func Row[T any](row Pointer) *T { return (*T)(row) }

// Slice returns pointers as what they are.
func Slice[T any](rows []Pointer) []*T { return *(*[]*T)(unsafe.Pointer(&rows)) }

// pointee returns what the pointer at p points to.
func pointee(p Pointer) Pointer { return *(*unsafe.Pointer)(p) }

// point makes the pointer at p point to what to points to, or nowhere.
func point(p, to Pointer) { *(*unsafe.Pointer)(p) = to }

// pointerOf returns what v holds, which is a pointer.
func pointerOf(v reflect.Value) Pointer { return v.UnsafePointer() }

// pointerAt returns p as a pointer to a t.
func pointerAt(t reflect.Type, p Pointer) reflect.Value { return reflect.NewAt(t, p) }

// A spot is where a field lies in a struct; the zero spot is the struct itself.
type spot uintptr

func spotOf(f *schema.Field) spot { return spot(f.Offset) }

func spotIn(sf reflect.StructField) spot { return spot(sf.Offset) }

// then returns where what is at next in the field's struct lies in the whole.
func (s spot) then(next spot) spot { return s + next }

// in returns the address of the field in the struct at p.
func (s spot) in(p Pointer) Pointer { return unsafe.Add(p, uintptr(s)) }

// fieldOf returns the address of the field f of the row at p.
func fieldOf(p Pointer, f *schema.Field) Pointer { return unsafe.Add(p, f.Offset) }

// nullValue returns the address of the value in the sql.Null at p, and
// validSpot where its Valid is.
func nullValue(p Pointer) Pointer { return p }

func validSpot(f *schema.Field) spot { return spot(f.ValidOffset) }

// item returns the address of an element of a slice; size is that of each.
func item(list reflect.Value, i int, size uintptr) Pointer {
	return unsafe.Add(list.UnsafePointer(), uintptr(i)*size)
}

// isNil reports whether the slice at p, of whatever type, is nil.
func isNil(p Pointer) bool { return *(*[]byte)(p) == nil }

func setNil(p Pointer) { *(*[]byte)(p) = nil }

// bytesAt returns the slice of bytes at p, of whatever name.
func bytesAt(p Pointer) []byte { return *(*[]byte)(p) }

func setBytes(p Pointer, b []byte) { *(*[]byte)(p) = b }

func uuidAt(p Pointer) *[16]byte { return (*[16]byte)(p) }

// isZero reports whether the field f, which lies at p, is zero.
func isZero(f *schema.Field, p Pointer) bool {
	if f.Value.Kind == dialect.Int && f.Value.Bits == 64 && f.Wrap != schema.Null {
		return *(*int64)(p) == 0 // nearly every key is one, and keys are read often
	}
	return reflect.NewAt(f.Type, p).Elem().IsZero()
}

// appendMemory appends the bytes of the field f, which lies at p.
func appendMemory(b []byte, p Pointer, f *schema.Field) []byte {
	return append(b, unsafe.Slice((*byte)(p), f.Type.Size())...)
}

// textOf returns bytes that will not change as a text.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// maker returns what makes zero values of t. Those of the common types are made
// without reflection; named types have the layout of their kind.
func maker(t reflect.Type) func() Pointer {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return func() Pointer { return unsafe.Pointer(new(time.Time)) }
	case t.Kind() == reflect.String:
		return func() Pointer { return unsafe.Pointer(new(string)) }
	case t.Kind() == reflect.Int64 || t.Kind() == reflect.Int:
		return func() Pointer { return unsafe.Pointer(new(int64)) }
	case t.Kind() == reflect.Float64:
		return func() Pointer { return unsafe.Pointer(new(float64)) }
	case t.Kind() == reflect.Bool:
		return func() Pointer { return unsafe.Pointer(new(bool)) }
	}
	return func() Pointer { return reflect.New(t).UnsafePointer() }
}

// sealMaker returns what makes a zero value of t and a pointer to it, which are
// one piece of memory, for an Encrypted.
func sealMaker(t reflect.Type) func() (pointer, value Pointer) {
	piece := reflect.StructOf([]reflect.StructField{{Name: "Pointer", Type: reflect.PointerTo(t)}, {Name: "Value", Type: t}})
	offset := piece.Field(1).Offset
	return func() (pointer, value Pointer) {
		pointer = reflect.New(piece).UnsafePointer()
		value = unsafe.Add(pointer, offset)
		*(*unsafe.Pointer)(pointer) = value
		return pointer, value
	}
}

// held returns the address of what an Encrypted or a Tracked consists of.
func held(p Pointer) Pointer { return p }

// A oneHeader is the layout of every ForeignKey[T].
type oneHeader struct {
	row unsafe.Pointer
	fk  rel.FK
}

func oneAt(p Pointer) *oneHeader { return (*oneHeader)(p) }

func (h *oneHeader) core() *rel.FK   { return &h.fk }
func (h *oneHeader) get() Pointer    { return h.row }
func (h *oneHeader) set(row Pointer) { h.row = row }

// A manyHeader is the layout of every Reverse[T].
type manyHeader struct {
	rows []unsafe.Pointer
	many rel.Many
}

func manyAt(p Pointer) *manyHeader { return (*manyHeader)(p) }

func (h *manyHeader) core() *rel.Many     { return &h.many }
func (h *manyHeader) len() int            { return len(h.rows) }
func (h *manyHeader) at(i int) Pointer    { return h.rows[i] }
func (h *manyHeader) all() []Pointer      { return h.rows }
func (h *manyHeader) hold(rows []Pointer) { h.rows = rows }

// A throughHeader is the layout of every Through[T, L].
type throughHeader struct {
	manyHeader

	linked []unsafe.Pointer
}

func throughAt(p Pointer) *throughHeader { return (*throughHeader)(p) }

func (h *throughHeader) links() []Pointer          { return h.linked }
func (h *throughHeader) holdLinks(links []Pointer) { h.linked = links }

// HeaderSizes returns the sizes of a to-one field, a to-many field and one
// with a link model, for the test that guards their layouts.
func HeaderSizes() (one, many, through uintptr) {
	return unsafe.Sizeof(oneHeader{}), unsafe.Sizeof(manyHeader{}), unsafe.Sizeof(throughHeader{})
}

// A boxer makes interfaces of pointers to one type, as any(*T) would.
type boxer struct{ typ unsafe.Pointer }

type iface struct{ typ, data unsafe.Pointer }

func newBoxer(t reflect.Type) boxer {
	sample := reflect.Zero(reflect.PointerTo(t)).Interface()
	return boxer{(*iface)(unsafe.Pointer(&sample)).typ}
}

func (b boxer) box(p Pointer) (v any) {
	*(*iface)(unsafe.Pointer(&v)) = iface{b.typ, p}
	return v
}

// unbox returns the pointer in v, which holds a *T.
func unbox(v any) Pointer { return (*iface)(unsafe.Pointer(&v)).data }

// A valueType makes interfaces of pointers to values of a type that is no
// pointer, as any(v) would of a copy.
type valueType struct{ typ unsafe.Pointer }

func newValueType(sample any) valueType {
	return valueType{(*iface)(unsafe.Pointer(&sample)).typ}
}

func (t valueType) box(p Pointer) (v driver.Value) {
	*(*iface)(unsafe.Pointer(&v)) = iface{t.typ, p}
	return v
}

// A weakRow is a weak pointer to a row. What that needs to know of the row is
// where it is.
type weakRow struct{ at weak.Pointer[byte] }

func weaken(row Pointer, _ *schema.Model) weakRow { return weakRow{weak.Make((*byte)(row))} }

func (w weakRow) gone() bool { return w.at.Value() == nil }

// A slab hands out zeroed memory for rows of one type, many at a time.
type slab struct {
	growth

	typ  reflect.Type
	size uintptr
	next unsafe.Pointer
}

// newSlab returns a slab for values of a size, of which first are expected. slice
// is the type of a slice of them.
func newSlab(slice reflect.Type, size uintptr, first int) slab {
	return slab{growth: newGrowth(first), typ: slice, size: size}
}

func (s *slab) take() Pointer {
	if s.left == 0 {
		n := s.more()
		s.next = reflect.MakeSlice(s.typ, n, n).UnsafePointer()
	}
	p := s.next
	s.left--
	if s.left > 0 {
		s.next = unsafe.Add(s.next, s.size)
	}
	return p
}
