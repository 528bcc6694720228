// Package hydrate moves values between rows and structs: rows to values,
// identity and relations included, and values to parameters.
//
// It is the one package that uses unsafe, and memory.go its one file that does:
// what that relies on is written there. With the build tag kin_safe,
// memory_safe.go does the same by reflection alone, for programs that may not
// use unsafe and as the twin that the tests compare it with. Whatever else is
// here reads and writes rows through the functions that both files have.
package hydrate

import (
	"reflect"

	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// one returns the foreign key f of a row, many the to-many field f, and
// through one that has a link model.
func one(row Pointer, f *schema.Field) *oneHeader { return oneAt(fieldOf(row, f)) }

func many(row Pointer, f *schema.Field) *manyHeader { return manyAt(fieldOf(row, f)) }

func through(row Pointer, f *schema.Field) *throughHeader { return throughAt(fieldOf(row, f)) }

// put makes the foreign key refer to a row, to a key, or to none.
func (h *oneHeader) put(row Pointer, key rel.Key, state rel.State) {
	h.set(row)
	h.fk.Key, h.fk.State = key, state
}

// valueAt returns the variable of type t that p points to.
func valueAt(t reflect.Type, p Pointer) reflect.Value { return pointerAt(t, p).Elem() }

// rowType returns the type of a model's rows in memory. What stands for a row
// of a link table that has no struct is a pointer to the row that it leads to.
func rowType(m *schema.Model) reflect.Type {
	if m.Bare {
		return reflect.TypeFor[Pointer]()
	}
	return m.Type
}

// A growth says how many rows a slab makes at a time.
type growth struct {
	left int
	grow int
	want int // how many more are expected
}

const maxSlab = 512

func newGrowth(first int) growth { return growth{grow: min(max(first, 1), maxSlab), want: first} }

// more returns how many rows are made next, which then are left.
func (g *growth) more() int {
	n := g.grow
	if g.want > 0 {
		n = min(g.want, maxSlab)
		g.want -= n
	} else {
		g.grow = min(g.grow*4, maxSlab)
	}
	g.left = n
	return n
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
