package plan

import (
	"fmt"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// MaxList is the most values of a list in a condition.
const MaxList = 1_000_000

// where returns the condition that all calls are met, over the rows of from.
func (b *builder) where(from *From, calls []Ask) (Cond, error) {
	if b.nothing {
		return Const(false), b.err
	}
	if b.query.On != nil {
		return b.firsts(from)
	}
	all, err := b.fixed(from)
	if err != nil {
		return nil, err
	}
	c, err := b.calls(from, calls)
	if err != nil {
		return nil, err
	}
	if scope := b.scope(from.Table, b.query.Deleted && !b.query.Alive); scope != nil {
		all = alsoAll(all, scope)
	}
	return conjunction(append(all, c)), b.err
}

// calls returns the condition that all calls are met.
func (b *builder) calls(from *From, calls []Ask) (Cond, error) {
	all := make(All, 0, len(calls))
	b.guards = guarding{}
	for _, call := range calls {
		c, err := b.ask(place{from, from.Table}, call)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return conjunction(all), nil
}

// fixed returns the condition that the keys are those given.
func (b *builder) fixed(from *From) (All, error) {
	var all All
	m := from.Table.Model
	if len(b.query.Keys) > 0 {
		columns := m.Key
		if b.query.Exact {
			columns = m.Identity()
		}
		c, err := keysIn(from.Table, columns, b.query.Keys, b.traits)
		if err != nil {
			return nil, fmt.Errorf("kin: %w", err)
		}
		all = append(all, c)
	}
	for _, f := range b.query.Fixed {
		if f.Owner != nil {
			c, err := b.linkedTo(from.Table, f)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
			continue
		}
		columns := m.Key
		for _, r := range m.Keys {
			if r.Field.Name == f.Field {
				columns = r.FromColumns
			}
		}
		if f.Keys != nil {
			c, err := keysIn(from.Table, columns, f.Keys, b.traits)
			if err != nil {
				return nil, fmt.Errorf("kin: %w", err)
			}
			all = append(all, c)
			continue
		}
		if f.There {
			if c := b.there(from.Table, f.Field); c != nil {
				all = append(all, c)
			}
			continue
		}
		for i, part := range rel.Split(f.Key, len(columns)) {
			v, err := hydrate.KeyValue(part, columns[i], b.traits)
			if err != nil {
				return nil, fmt.Errorf("kin: %s %w", columns[i].GoName(), err)
			}
			if f.Slot > 0 {
				v = Given{At: f.Slot, Part: i, Fixed: true, Column: columns[i]}
			}
			all = append(all, b.cmp(Ref{from.Table, columns[i]}, lookup.Exact, v))
		}
	}
	return all, nil
}

// linkedTo returns the condition that a row of the table at is linked to the
// row of another model whose many-to-many field has it.
func (b *builder) linkedTo(at *Table, f Fixed) (Cond, error) {
	owner := b.query.Graph.Model(f.Owner)
	i := slices.IndexFunc(owner.Homes, func(r *schema.Relation) bool { return r.Field.Name == f.Field })
	back := owner.Homes[i].Inverse.Via
	inner := b.from(back.Link)
	c, err := keysIn(inner.Table, back.Target.FromColumns, []rel.Key{f.Key}, b.traits)
	return &Exists{Relation: back.Link, Parent: at, From: inner, Where: c}, err
}

// targeted returns the foreign key from the link of the many-to-many relation
// that is the next hop to its far side, or nil if it is another relation.
func (p step) targeted() *schema.Relation {
	if via := p.hops[0].Via; via != nil {
		return via.Target
	}
	if i := len(p.path.Hops) - len(p.hops); i < len(p.path.Targets) {
		return p.path.Targets[i]
	}
	return nil
}

// ends reports whether the columns of the foreign key, which is the next
// hop, answer the question: the path ends in it, or in the key it holds.
func (p step) ends() bool {
	if len(p.hops) > 1 || p.rows != nil {
		return false
	}
	return p.path.Column == nil || slices.Contains(p.hops[0].ToColumns, p.path.Column)
}

// leaf returns the condition on columns of the table at, or of the foreign
// key that is p's last hop.
func (b *builder) leaf(at *Table, p step) (Cond, error) {
	if p.path.Column != nil {
		c := p.path.Column
		if len(p.hops) == 1 {
			c = p.hops[0].FromColumns[slices.Index(p.hops[0].ToColumns, c)]
		}
		if c.Relation == nil || len(c.Relation.FromColumns) == 1 || len(p.hops) == 1 {
			return b.column(Ref{at, c}, p)
		}
	}
	// A relation: the key of the row it leads to, which is that of at where
	// the path ended in a to-many relation.
	target, columns := at.Model, at.Model.Key
	if len(p.hops) == 1 {
		target, columns = p.hops[0].To, p.hops[0].FromColumns
	}
	refs := make([]Ref, len(columns))
	for i, c := range columns {
		refs[i] = Ref{at, c}
	}
	return b.relation(refs, target, p)
}

// conjunction, disjunction, parity and negate simplify as they go, so that a
// condition that is known is a Const.
func conjunction(parts All) Cond {
	kept := parts[:0]
	for _, c := range parts {
		switch c {
		case Const(false):
			return c
		case Const(true):
			continue
		}
		kept = append(kept, c)
	}
	switch len(kept) {
	case 0:
		return Const(true)
	case 1:
		return kept[0]
	}
	return slices.Clip(kept)
}

func disjunction(parts Any) Cond {
	kept := parts[:0]
	for _, c := range parts {
		switch c {
		case Const(true):
			return c
		case Const(false):
			continue
		}
		kept = append(kept, c)
	}
	switch len(kept) {
	case 0:
		return Const(false)
	case 1:
		return kept[0]
	}
	return slices.Clip(kept)
}

// parity returns the condition that an odd number of the parts are met.
func parity(parts Odds) Cond {
	kept, odd := parts[:0], false
	for _, c := range parts {
		if known, ok := c.(Const); ok {
			odd = odd != bool(known)
			continue
		}
		kept = append(kept, c)
	}
	var c Cond = slices.Clip(kept)
	switch len(kept) {
	case 0:
		return Const(odd)
	case 1:
		c = kept[0]
	}
	if odd {
		return negate(c)
	}
	return c
}

func negate(c Cond) Cond {
	switch c := c.(type) {
	case Const:
		return !c
	case Not:
		return c.Cond
	}
	return Not{c}
}
