// Package hydrate moves values between rows and structs: rows to values,
// identity and relations included, and values to parameters.
//
// It is the one package that uses unsafe. What it relies on:
//
//   - A schema.Field's Offset is where reflect found the field, so that the
//     address of the struct plus Offset is the field's, of the type the
//     decoder was chosen for. A named type has the layout of its kind.
//   - ForeignKey[T], Reverse[T], ManyToMany[T] and Through[T, L] of the root
//     package have the layouts of oneHeader, manyHeader (twice) and
//     throughHeader: a pointer to T is a pointer, whatever T is, and so is a
//     slice of them. A test in the root package compares sizes.
//   - Encrypted[T] is a pointer to a pointer to T.
//   - Rows live in slices made by reflect with their true type, so that the
//     garbage collector knows their pointers, and every pointer kept here is
//     an unsafe.Pointer, never an integer.
package hydrate

import (
	"reflect"
	"unsafe"

	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A Pointer is a pointer to a row, for callers that pass it on unread.
type Pointer = unsafe.Pointer

// A oneHeader is the layout of every ForeignKey[T].
type oneHeader struct {
	row unsafe.Pointer
	fk  rel.FK
}

// A manyHeader is the layout of every Reverse[T].
type manyHeader struct {
	rows []unsafe.Pointer
	many rel.Many
}

// A throughHeader is the layout of every Through[T, L].
type throughHeader struct {
	manyHeader

	links []unsafe.Pointer
}

// HeaderSizes returns the sizes of a to-one field, a to-many field and one
// with a link model, for the test that guards their layouts.
func HeaderSizes() (one, many, through uintptr) {
	return unsafe.Sizeof(oneHeader{}), unsafe.Sizeof(manyHeader{}), unsafe.Sizeof(throughHeader{})
}

func one(row unsafe.Pointer, f *schema.Field) *oneHeader {
	return (*oneHeader)(unsafe.Add(row, f.Offset))
}

func many(row unsafe.Pointer, f *schema.Field) *manyHeader {
	return (*manyHeader)(unsafe.Add(row, f.Offset))
}

func through(row unsafe.Pointer, f *schema.Field) *throughHeader {
	return (*throughHeader)(unsafe.Add(row, f.Offset))
}

// A boxer makes interfaces of pointers to one type, as any(*T) would.
type boxer struct{ typ unsafe.Pointer }

type iface struct{ typ, data unsafe.Pointer }

func newBoxer(t reflect.Type) boxer {
	sample := reflect.Zero(reflect.PointerTo(t)).Interface()
	return boxer{(*iface)(unsafe.Pointer(&sample)).typ}
}

func (b boxer) box(p unsafe.Pointer) (v any) {
	*(*iface)(unsafe.Pointer(&v)) = iface{b.typ, p}
	return v
}

// unbox returns the pointer in v, which holds a *T.
func unbox(v any) unsafe.Pointer { return (*iface)(unsafe.Pointer(&v)).data }

// Slice returns pointers as what they are.
func Slice[T any](rows []unsafe.Pointer) []*T {
	return *(*[]*T)(unsafe.Pointer(&rows))
}

// Row returns a pointer as what it is.
func Row[T any](row unsafe.Pointer) *T { return (*T)(row) }

// A slab hands out zeroed memory for rows of one type, many at a time.
type slab struct {
	typ  reflect.Type
	size uintptr
	next unsafe.Pointer
	left int
	grow int
	want int // how many more are expected
}

const maxSlab = 512

// newSlab returns a slab for values of a size, of which first are expected. slice
// is the type of a slice of them.
func newSlab(slice reflect.Type, size uintptr, first int) slab {
	return slab{typ: slice, size: size, grow: min(max(first, 1), maxSlab), want: first}
}

func (s *slab) take() unsafe.Pointer {
	if s.left == 0 {
		n := s.grow
		if s.want > 0 {
			n = min(s.want, maxSlab)
			s.want -= n
		} else {
			s.grow = min(s.grow*4, maxSlab)
		}
		s.next = reflect.MakeSlice(s.typ, n, n).UnsafePointer()
		s.left = n
	}
	p := s.next
	s.left--
	if s.left > 0 {
		s.next = unsafe.Add(s.next, s.size)
	}
	return p
}

// A codec decodes and encodes one field.
type codec struct {
	decode decoder
	encode encoder
	arena  arenaKind
}

// codecOf returns the codec of a field, which remembers it.
func codecOf(f *schema.Field) *codec {
	if f.Codec == nil {
		return newCodec(f)
	}
	if c, ok := f.Codec.Load().(*codec); ok {
		return c
	}
	c := newCodec(f)
	f.Codec.Store(c) // what others may have stored is the same
	return c
}

func newCodec(f *schema.Field) *codec {
	return &codec{newDecoder(f), newEncoder(f), arenaKindOf(f)}
}
