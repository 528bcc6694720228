package plan

import (
	"fmt"
	"slices"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// A node is a place in the tree of what is loaded.
type node struct {
	relation *schema.Relation // from the parent; nil for the root
	model    *schema.Model
	parent   *node
	children []*node
	order    []ordering // of its rows within their parent
	index    int        // in the order in which the tree is walked
	// homes are the relations of the parent whose fields hold the rows: the
	// node's own, and many-to-many ones that begin with it.
	homes []*schema.Relation
	// apart is whether the rows, which foreign keys lead to, are an arm of their
	// own: see builder.wholeArms.
	apart bool
	// unread are the columns that are left out.
	unread map[*schema.Column]bool
}

// An ordering is a path by which rows are sorted, from their own model on.
type ordering struct {
	path lookup.Path
	hops []*schema.Relation
	desc bool
	// value is what the rows of the root are sorted by, in place of a path.
	value Value
}

func (n *node) toMany() bool { return n.relation != nil && n.relation.Kind == schema.ToMany }

// dropDefault forgets an order that begins with the primary key: it is the order
// that rows have anyway.
func (n *node) dropDefault() {
	if len(n.order) == 0 || n.order[0].value != nil || n.target() != nil || len(n.model.Key) > 1 {
		return
	}
	if o := n.order[0]; !o.desc && len(o.hops) == 0 && o.path.Column == n.model.Key[0] {
		n.order = nil
	}
}

// load adds what a relation loads and returns the node of its rows. The rows
// of a many-to-many relation hang on those of its link table, which are a
// to-many relation like others.
func (n *node) load(r *schema.Relation) *node {
	hops := r.Hops()
	at := n.child(hops[0])
	if !slices.Contains(at.homes, r) {
		at.homes = append(at.homes, r)
	}
	if r.Via != nil {
		at = at.child(hops[1])
	}
	return at
}

func (n *node) child(r *schema.Relation) *node {
	for _, c := range n.children {
		if c.relation == r {
			return c
		}
	}
	c := &node{relation: r, model: r.To, parent: n}
	n.children = append(n.children, c)
	return c
}

// walk appends the nodes in order, to-one relations before to-many ones, and
// numbers them.
func (n *node) walk(nodes []*node) []*node {
	n.index = len(nodes)
	nodes = append(nodes, n)
	slices.SortStableFunc(n.children, func(a, b *node) int {
		return int(a.relation.Kind) - int(b.relation.Kind)
	})
	for _, c := range n.children {
		nodes = c.walk(nodes)
	}
	return nodes
}

// orderBy gives the order to the node whose rows it sorts: that at the end
// of the last to-many relation of the path, or the root.
func (n *node) orderBy(path lookup.Path, desc bool) error {
	var hops []*schema.Relation
	for _, r := range path.Hops {
		hops = append(hops, r.Hops()...)
	}
	last := -1
	for i, r := range hops {
		if r.Kind == schema.ToMany {
			last = i
		}
	}
	at := n
	for _, r := range hops[:last+1] {
		i := slices.IndexFunc(at.children, func(c *node) bool { return c.relation == r })
		if i < 0 {
			return fmt.Errorf("kin: the order %q sorts rows that are not loaded; add SelectRelated for %q", path.Text, relationOf(path, r).Name)
		}
		at = at.children[i]
	}
	at.order = append(at.order, ordering{path: path, hops: hops[last+1:], desc: desc})
	return nil
}

// relationOf returns the relation of the path that the hop r is part of.
func relationOf(path lookup.Path, r *schema.Relation) *schema.Relation {
	i := slices.IndexFunc(path.Hops, func(own *schema.Relation) bool { return slices.Contains(own.Hops(), r) })
	return path.Hops[i]
}

// keyOrder returns the columns that make the order of n's rows total: the
// primary key. Before it comes, in a link table, that of the rows that it
// leads to, so that these are in the order of their own.
func (n *node) keyOrder() []*schema.Column {
	if target := n.target(); target != nil {
		return slices.Concat(target.FromColumns, n.model.Key)
	}
	return n.model.Key
}

// target returns the foreign key to the rows that n's are loaded for, if n is
// a link table that is not loaded for its own sake, else nil.
func (n *node) target() *schema.Relation {
	if len(n.homes) != 1 || n.homes[0].Via == nil {
		return nil
	}
	return n.homes[0].Via.Target
}
