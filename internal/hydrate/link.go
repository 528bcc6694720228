package hydrate

import (
	"cmp"
	"slices"
)

// link gives every parent its children: all of them in one slice, of which
// each parent gets its part, with no room behind it, so that an append
// leaves the neighbour alone.
func (r *Reader) link(n *nodeState, parents []Pointer) {
	r.ends = room(r.ends, len(parents)+1)
	ends := r.ends[:len(parents)+1]
	clear(ends)
	for i := range n.links {
		ends[n.links[i].parent+1]++
	}
	for i := range parents {
		ends[i+1] += ends[i]
	}
	r.sorted = room(r.sorted, len(n.links))
	sorted := r.sorted[:len(n.links)]
	r.next = append(r.next[:0], ends...)
	next := r.next
	for i := range n.links {
		l := n.links[i]
		sorted[next[l.parent]] = l
		next[l.parent]++
	}
	children := make([]Pointer, len(n.links))
	byOrd := func(a, b link) int { return cmp.Compare(a.ord, b.ord) }
	for i := range parents {
		from, to := ends[i], ends[i+1]
		if group := sorted[from:to]; !slices.IsSortedFunc(group, byOrd) {
			slices.SortStableFunc(group, byOrd)
		}
		for j := from; j < to; j++ {
			children[j] = sorted[j].child
		}
	}
	clear(sorted)
	for _, home := range n.Homes {
		if home.Target >= 0 {
			r.linkTargets(n, home, parents, children, ends)
			continue
		}
		for i, parent := range parents {
			h := many(parent, home.Field)
			h.hold(children[ends[i]:ends[i+1]:ends[i+1]])
			h.many.Loaded = true
		}
	}
}

// linkTargets gives every parent the rows that its children, which are links,
// lead to, and the links if it holds them. A link may lead to a row that the
// query leaves out.
func (r *Reader) linkTargets(n *nodeState, home Home, parents, children []Pointer, ends []int32) {
	target := r.nodes[home.Target].Relation.Field
	rows := make([]Pointer, 0, len(children))
	var links []Pointer
	if home.Links {
		links = make([]Pointer, 0, len(children))
	}
	for i, parent := range parents {
		from := len(rows)
		for _, child := range children[ends[i]:ends[i+1]] {
			var row Pointer
			if n.Model.Bare {
				row = pointee(child)
			} else {
				row = one(child, target).get()
			}
			if row == nil {
				continue
			}
			rows = append(rows, row)
			if home.Links {
				links = append(links, child)
			}
		}
		to := len(rows)
		h := many(parent, home.Field)
		h.hold(rows[from:to:to])
		h.many.Loaded = true
		if home.Links {
			through(parent, home.Field).holdLinks(links[from:to:to])
		}
	}
}
