package plan

import (
	"fmt"
	"slices"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// A Distinct keeps, of the rows that agree in all paths, the first in the order
// of the query.
type Distinct struct {
	Paths []string
	Guard *Guard // of the paths, or nil
}

// firsts returns the condition that rows are the first of those that agree, of
// the query's rows. It is one on the key, so that what is joined or counted does
// not matter to it, and they keep the order of the query.
func (b *builder) firsts(from *From) (Cond, error) {
	q := b.query
	m := from.Table.Model
	level := q.Level
	if len(m.Key) == 0 {
		return nil, fmt.Errorf("kin: rows of %s are those of a selection, without a key, and have no DistinctOn", m.Name)
	}
	if level != nil && (level.Kind != schema.ToMany || level.Via != nil) {
		return nil, fmt.Errorf("kin: a query on %s has DistinctOn, and %s does not say of which rows each has the first; take a Reverse",
			level.To.Name, level.GoName())
	}
	q.On, q.Level, q.Limit, q.Offset, q.Seek, q.Lock = nil, nil, nil, 0, nil, nil
	q.Only, q.Defer, q.Linked = nil, nil, nil
	n := b.nested(q, b.around)
	root, _, err := n.tree()
	if err != nil {
		return nil, err
	}
	sel := &Select{From: n.root()}
	table := sel.From.Table
	if sel.Where, err = n.where(sel.From, q.Calls); err != nil || sel.Where == Const(false) {
		return Const(false), err
	}
	if sel.Where == Const(true) {
		sel.Where = nil
	}
	on, err := n.agreeing(sel.From, b.query.On)
	if err != nil {
		return nil, err
	}
	if level != nil {
		for _, c := range level.ToColumns {
			on = append(on, Term{Expr: Ref{table, c}, Column: c})
		}
	}
	for i, c := range m.Key {
		sel.Columns = append(sel.Columns, As{Ref{table, c}, KeyName(i)})
	}
	order := n.terms(sel.From, table, root, false)
	if n.err != nil {
		return nil, n.err
	}
	// What is calculated may have parameters, and no two of them are the same.
	calculated := slices.ContainsFunc(on, func(t Term) bool { _, column := t.Expr.(Ref); return !column })
	if b.traits.DistinctOn && !calculated {
		sel.On, sel.Order = on, slices.Concat(on, order)
	} else {
		w := Window{Rank: "ROW_NUMBER", Order: order}
		for _, t := range on {
			w.Partition = append(w.Partition, t.Expr)
		}
		sel.Columns = append(sel.Columns, As{w, numberName})
		one := int64(1)
		sel = n.part(sel, &Within{Name: numberName, Limit: &one})
	}
	if err := n.derivable(); err != nil {
		return nil, err
	}
	return &InSelect{Refs: refs(from.Table, m.Key), Select: sel}, n.check(sel)
}

// agreeing returns what rows are to agree in.
func (b *builder) agreeing(from *From, on *Distinct) (terms []Term, err error) {
	defer b.ward(on.Guard)()
	for _, text := range on.Paths {
		var e Expr
		if v, ok := b.annotation(text); ok {
			if err := b.guards.guard.named(b.query.Model, text); err != nil {
				return nil, err
			}
			e, err = b.value(from, v, nil, 0)
		} else {
			var p lookup.Path
			p, err = lookup.Member(from.Table.Model, text)
			switch {
			case err != nil:
			case slices.ContainsFunc(p.Hops, toMany):
				err = fmt.Errorf("kin: DistinctOn(%.200q) of %s leads to many rows", text, from.Table.Model.Name)
			case p.Column != nil && p.Column.Field.Encrypted != nil:
				err = uncalculated(p.Column)
			default:
				e, err = b.reached(from, Lazy{Text: text})
			}
		}
		if err != nil {
			return nil, err
		}
		terms = append(terms, Term{Expr: e, Column: columnOf(e), Nulls: b.mayBeNull(e)})
	}
	return terms, nil
}
