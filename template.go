package kin

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// A template is the statement of queries that are built anew for each call, with
// other values, and which of its arguments these are: such a query is planned once
// for all values.
type template struct {
	*compiled

	slots []templateSlot
}

type templateSlot struct {
	plan.Given

	arg   int
	parts int // of a fixed key
}

// templatePairs is the most pairs of a query that templates are for.
const templatePairs = 16

// A signature is what tells the statement of a query from others: none is the
// beginning of another.
type signature []byte

// signatureRoom is how long most signatures are at the most, in bytes.
const signatureRoom = 256

// The given are the values of a query that its statement does not depend on.
type given struct {
	values [templatePairs]any
	pairs  int
}

// sign makes the signature of the query on the type t in a form, in the room of
// sig, and notes what is given. It returns nil if the statement may depend on
// values, or on what is rare.
//
// Each part is appended and returned, and not kept by a pointer, so that the room
// can be the caller's stack.
func (sig signature) sign(values *given, q *query, t reflect.Type, f form) signature {
	if f == seek || q.err != nil || q.on != nil || q.source != nil || len(q.keys)+len(q.annotations)+len(q.prefetch) > 0 || q.fetch != (fetchMode{}) ||
		q.reads != (reading{}) {
		return nil
	}
	sig = sig.typ(t).number(uint64(f)).bool(q.deleted).number(uint64(q.offset))
	limit := uint64(math.MaxUint64)
	if q.limit != nil {
		limit = uint64(*q.limit)
	}
	sig = sig.number(limit).texts(q.load).bool(q.only != nil).texts(q.only).texts(q.left).texts(q.order)
	sig = sig.number(uint64(len(q.fixed)))
	for i := range q.fixed {
		fixed := &q.fixed[i]
		if fixed.Owner != nil || fixed.Keys != nil || fixed.There {
			return nil
		}
		sig = sig.text(fixed.Field)
	}
	sig = sig.number(uint64(len(q.calls)))
	for _, call := range q.calls {
		if sig = sig.ask(values, call); sig == nil {
			return nil
		}
	}
	return sig
}

// ask adds a condition: a pair, or pairs that are all to be met. It returns nil
// for others.
func (sig signature) ask(values *given, a plan.Ask) signature {
	switch a := a.(type) {
	case plan.Pair:
		return sig.number(1).pair(values, &a)
	case plan.Group:
		if a.How != plan.Every {
			return nil
		}
		sig = sig.number(uint64(len(a.Parts)) << 8)
		for _, part := range a.Parts {
			p, ok := part.(plan.Pair)
			if !ok {
				return nil
			}
			if sig = sig.pair(values, &p); sig == nil {
				return nil
			}
		}
		return sig
	default:
		return nil
	}
}

func (sig signature) pair(values *given, p *plan.Pair) signature {
	if values.pairs == templatePairs || !plan.IsPlain(p.Value) {
		return nil
	}
	values.values[values.pairs] = p.Value
	values.pairs++
	text := p.Lookup
	sig = sig.number(uint64(p.Op)).bool(p.Path.Find != nil)
	if p.Path.Find != nil {
		var err error
		if text, err = p.Path.Find(); err != nil {
			return nil
		}
		sig = sig.typ(p.Path.Model)
	} else if p.Path.Text != "" {
		return nil
	}
	return sig.text(text)
}

// typ adds a type, by its address, which is no other's and does not change.
func (sig signature) typ(t reflect.Type) signature {
	if t == nil {
		return sig.number(0)
	}
	return sig.number(uint64(reflect.ValueOf(t).Pointer()))
}

func (sig signature) text(s string) signature {
	return append(sig.number(uint64(len(s))), s...)
}

func (sig signature) texts(list []string) signature {
	sig = sig.number(uint64(len(list)))
	for _, s := range list {
		sig = sig.text(s)
	}
	return sig
}

func (sig signature) number(n uint64) signature { return binary.AppendUvarint(sig, n) }

func (sig signature) bool(b bool) signature {
	if b {
		return append(sig, 1)
	}
	return append(sig, 0)
}

// bind returns the statement with the values of a query, or nil if it is for
// another graph or dialect, or if they do not fit: what is wrong, or else to be
// asked, is found out by planning the query. The template may be nil.
func (tmpl *template) bind(g *schema.Graph, traits *dialect.Traits, q *query, values *given) *compiled {
	if tmpl == nil || tmpl.graph != g || tmpl.traits != traits {
		return nil
	}
	args := slices.Clone(tmpl.args)
	for i := range tmpl.slots {
		s := &tmpl.slots[i]
		var v any
		var err error
		if s.Fixed {
			v, err = s.KeyValue(q.fixed[s.At-1].Key, s.parts, tmpl.traits)
		} else {
			v, err = s.Value(values.values[s.At-1], tmpl.traits)
		}
		if err != nil || v == nil {
			return nil
		}
		args[s.arg] = v
	}
	bound := *tmpl.compiled
	bound.args = args
	return &bound
}

// slotted returns the query with slots for its values.
func (q *query) slotted() *query {
	d := q.derived()
	d.fixed = slices.Clone(d.fixed)
	for i := range d.fixed {
		d.fixed[i].Slot = i + 1
	}
	d.calls = slices.Clone(d.calls)
	n := 0
	slot := func(a plan.Ask) plan.Ask {
		p := a.(plan.Pair)
		n++
		p.Slot = n
		return p
	}
	for i, call := range d.calls {
		if g, ok := call.(plan.Group); ok {
			g.Parts = slices.Clone(g.Parts)
			for j, part := range g.Parts {
				g.Parts[j] = slot(part)
			}
			d.calls[i] = g
			continue
		}
		d.calls[i] = slot(call)
	}
	return d
}

// newTemplate returns the template of a statement with slots, and whether each
// value of the query has one.
func newTemplate(c *compiled, q *query, pairs int) (tmpl *template, whole bool) {
	tmpl = &template{compiled: c}
	seen := make([]bool, pairs+len(q.fixed))
	parts := make([]int, len(q.fixed))
	for i, arg := range c.args {
		s, ok := arg.(plan.Given)
		if !ok {
			continue
		}
		tmpl.slots = append(tmpl.slots, templateSlot{Given: s, arg: i})
		if s.Fixed {
			seen[pairs+s.At-1] = true
			parts[s.At-1] = max(parts[s.At-1], s.Part+1)
		} else {
			seen[s.At-1] = true
		}
	}
	for i := range tmpl.slots {
		if s := &tmpl.slots[i]; s.Fixed {
			s.parts = parts[s.At-1]
		}
	}
	return tmpl, !slices.Contains(seen, false)
}
