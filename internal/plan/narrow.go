package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// narrow finds out which columns the query leaves out of the rows of each
// node. What identifies rows and links them to each other is never left out.
func (b *builder) narrow(root *node, nodes []*node) error {
	q := &b.query
	if len(q.Only)+len(q.Defer) == 0 {
		return nil
	}
	only, err := b.named(root, "Only", q.Only)
	if err != nil {
		return err
	}
	deferred, err := b.named(root, "Defer", q.Defer)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		for _, c := range n.model.Columns {
			if only[n] != nil && !only[n][c] || deferred[n][c] {
				n.leave(c)
			}
		}
	}
	if err := b.link(root, nodes); err != nil {
		return err
	}
	// One row of the database is one value: where rows of a model are read at
	// several places, each place reads what one of them needs.
	for _, n := range nodes {
		for _, other := range nodes {
			if other.model == n.model && other != n {
				n.keep(slices.DeleteFunc(slices.Clone(n.model.Columns), func(c *schema.Column) bool { return other.unread[c] })...)
			}
		}
	}
	for _, n := range nodes {
		if len(n.unread) > 0 && n.model.Struct.Track == nil {
			return fmt.Errorf("kin: Only and Defer leave columns of %s out, and its rows cannot remember that: "+
				"a write would set them to zero; embed kin.Tracked in it, or read a struct of your own by kin.Select", n.model.Name)
		}
	}
	return nil
}

func (n *node) leave(c *schema.Column) {
	if n.unread == nil {
		n.unread = map[*schema.Column]bool{}
	}
	n.unread[c] = true
}

func (n *node) keep(columns ...*schema.Column) {
	for _, c := range columns {
		delete(n.unread, c)
	}
}

// link keeps the columns that the rows of the nodes go by.
func (b *builder) link(root *node, nodes []*node) error {
	for _, n := range nodes {
		n.keep(n.model.Key...)
		if n.model.Version != nil {
			n.keep(n.model.Version)
		}
		if n.toMany() {
			n.keep(n.relation.ToColumns...)
		}
		for _, c := range n.children {
			n.keep(c.relation.FromColumns...)
		}
	}
	if r := b.query.Level; r != nil && r.Via == nil {
		root.keep(r.ToColumns...)
	}
	for _, text := range b.query.Linked {
		hops, err := lookup.Load(b.query.Model, text)
		if err != nil {
			return err
		}
		at := root
		for _, r := range hops {
			for _, h := range r.Hops() {
				if at != nil {
					at.keep(h.FromColumns...)
					at = at.at(h)
				}
			}
		}
	}
	for _, n := range nodes { // a foreign key is read as a whole
		for range n.model.Keys {
			for _, r := range n.model.Keys {
				if slices.ContainsFunc(r.FromColumns, func(c *schema.Column) bool { return !n.unread[c] }) {
					n.keep(r.FromColumns...)
				}
			}
		}
	}
	return nil
}

// at returns the child of n that the hop leads to, or nil.
func (n *node) at(hop *schema.Relation) *node {
	i := slices.IndexFunc(n.children, func(c *node) bool { return c.relation == hop })
	if i < 0 {
		return nil
	}
	return n.children[i]
}

// named returns the columns at the ends of paths, by the node whose rows have
// them.
func (b *builder) named(root *node, what string, paths []string) (map[*node]map[*schema.Column]bool, error) {
	found := map[*node]map[*schema.Column]bool{}
	for _, text := range paths {
		p, err := lookup.Member(b.query.Model, text)
		if err != nil {
			return nil, err
		}
		hops, columns := p.Hops, []*schema.Column{p.Column}
		if p.Column == nil {
			last := len(hops) - 1
			if hops[last].Kind != schema.ToOne {
				return nil, fmt.Errorf("kin: %s(%.200q) of %s ends in a relation to many rows; name their fields", what, text, b.query.Model.Name)
			}
			hops, columns = hops[:last], hops[last].FromColumns
		} else if r := p.Column.Relation; r != nil {
			columns = r.FromColumns
		}
		at := root
		for _, r := range hops {
			for _, h := range r.Hops() {
				if at != nil {
					at = at.at(h)
				}
			}
		}
		if at == nil {
			relations := text[:strings.LastIndex(text, "__")]
			return nil, fmt.Errorf("kin: %s(%.200q) of %s is about rows that this query does not load; add SelectRelated(%.200q), or give the subquery of a Prefetch an %s of its own",
				what, text, b.query.Model.Name, relations, what)
		}
		if found[at] == nil {
			found[at] = map[*schema.Column]bool{}
		}
		for _, c := range columns {
			found[at][c] = true
		}
	}
	return found, nil
}
