package kin

import (
	"hash/maphash"
	"maps"
	"math"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// templates has the statements of queries that are built anew for each call,
// with other values: such a query is planned once for all values. It is safe for
// concurrent use, and reading it takes no lock.
//
// Queries are told apart by two hashes of all that their statement depends on,
// with seeds of the process: 128 bits, which nobody can aim at.
type templates struct {
	seeds [2]maphash.Seed
	all   atomic.Pointer[map[templateKey]*template]
	mu    sync.Mutex // of changes to all
}

// maxTemplates is the most statements that are kept. One more, and they are
// begun anew.
const maxTemplates = 1000

func newTemplates() *templates {
	return &templates{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

type templateKey [2]uint64

// A template is a statement, and which of its arguments are values of the
// query.
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

// A signature is what tells the statement of a query from others, and the
// values that it does not depend on.
type signature struct {
	hash   [2]maphash.Hash
	values [templatePairs]any
	pairs  int
}

// sign makes the signature of the query on the type t in a form. ok is false if
// its statement may depend on values, or on what is rare.
func (sig *signature) sign(ts *templates, q *query, t reflect.Type, f form) (ok bool) {
	if f == seek || q.err != nil || q.on != nil || q.source != nil || len(q.keys)+len(q.annotations)+len(q.prefetch) > 0 || q.fetch != (fetchMode{}) ||
		q.reads != (reading{}) {
		return false
	}
	sig.hash[0].SetSeed(ts.seeds[0])
	sig.hash[1].SetSeed(ts.seeds[1])
	for i := range sig.hash {
		maphash.WriteComparable(&sig.hash[i], t)
	}
	sig.number(uint64(f))
	sig.bool(q.deleted)
	sig.number(uint64(q.offset))
	limit := uint64(math.MaxUint64)
	if q.limit != nil {
		limit = uint64(*q.limit)
	}
	sig.number(limit)
	sig.texts(q.load)
	sig.bool(q.only != nil)
	sig.texts(q.only)
	sig.texts(q.left)
	sig.texts(q.order)
	sig.number(uint64(len(q.fixed)))
	for _, fixed := range q.fixed {
		if fixed.Owner != nil || fixed.Keys != nil || fixed.There {
			return false
		}
		sig.text(fixed.Field)
	}
	sig.number(uint64(len(q.calls)))
	for _, call := range q.calls {
		if !sig.ask(call) {
			return false
		}
	}
	return true
}

// ask adds a condition: a pair, or pairs that are all to be met.
func (sig *signature) ask(a plan.Ask) bool {
	switch a := a.(type) {
	case plan.Pair:
		sig.number(1)
		return sig.pair(&a)
	case plan.Group:
		if a.How != plan.Every {
			return false
		}
		sig.number(uint64(len(a.Parts)) << 8)
		for _, part := range a.Parts {
			p, ok := part.(plan.Pair)
			if !ok || !sig.pair(&p) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

func (sig *signature) pair(p *plan.Pair) bool {
	if sig.pairs == templatePairs || !plan.IsPlain(p.Value) {
		return false
	}
	sig.values[sig.pairs] = p.Value
	sig.pairs++
	text := p.Lookup
	sig.number(uint64(p.Op))
	if p.Path.Find != nil {
		var err error
		if text, err = p.Path.Find(); err != nil {
			return false
		}
		for i := range sig.hash {
			maphash.WriteComparable(&sig.hash[i], p.Path.Model)
		}
	} else if p.Path.Text != "" {
		return false
	}
	sig.text(text)
	return true
}

func (sig *signature) key() templateKey { return templateKey{sig.hash[0].Sum64(), sig.hash[1].Sum64()} }

func (sig *signature) text(s string) {
	sig.number(uint64(len(s)))
	for i := range sig.hash {
		_, _ = sig.hash[i].WriteString(s)
	}
}

func (sig *signature) texts(list []string) {
	sig.number(uint64(len(list)))
	for _, s := range list {
		sig.text(s)
	}
}

func (sig *signature) number(n uint64) {
	var b [8]byte
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
	for i := range sig.hash {
		_, _ = sig.hash[i].Write(b[:])
	}
}

func (sig *signature) bool(b bool) {
	if b {
		sig.number(1)
	} else {
		sig.number(0)
	}
}

// find returns the statement of a query, or nil if there is no template for
// it, or none that its values fit.
func (ts *templates) find(key templateKey, g *schema.Graph, traits *dialect.Traits, q *query, sig *signature) *compiled {
	all := ts.all.Load()
	if all == nil {
		return nil
	}
	tmpl := (*all)[key]
	if tmpl == nil || tmpl.graph != g || tmpl.traits != traits {
		return nil
	}
	return tmpl.bind(q, sig)
}

// bind returns the statement with the values of a query, or nil if they do not
// fit: what is wrong, or else to be asked, is found out by planning the query.
func (tmpl *template) bind(q *query, sig *signature) *compiled {
	args := slices.Clone(tmpl.args)
	for i := range tmpl.slots {
		s := &tmpl.slots[i]
		var v any
		var err error
		if s.Fixed {
			v, err = s.KeyValue(q.fixed[s.At-1].Key, s.parts, tmpl.traits)
		} else {
			v, err = s.Value(sig.values[s.At-1], tmpl.traits)
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

// keep makes a template of a statement with slots, if each value of the query
// has one, and returns it.
func (ts *templates) keep(key templateKey, c *compiled, q *query, sig *signature) *template {
	tmpl := &template{compiled: c}
	seen := make([]bool, sig.pairs+len(q.fixed))
	parts := make([]int, len(q.fixed))
	for i, arg := range c.args {
		s, ok := arg.(plan.Given)
		if !ok {
			continue
		}
		tmpl.slots = append(tmpl.slots, templateSlot{Given: s, arg: i})
		if s.Fixed {
			seen[sig.pairs+s.At-1] = true
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
	if slices.Contains(seen, false) {
		return tmpl
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	all := map[templateKey]*template{}
	if before := ts.all.Load(); before != nil && len(*before) < maxTemplates {
		all = maps.Clone(*before)
	}
	all[key] = tmpl
	ts.all.Store(&all)
	return tmpl
}
