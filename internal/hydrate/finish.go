package hydrate

import (
	"cmp"
	"slices"

	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// An ahead is a foreign key to a row that has not come yet.
type ahead struct {
	from *oneHeader
	node int
}

// refer gives a foreign key the row that it leads to, which comes apart: now if
// it has come, else in the end.
func (r *Reader) refer(from *oneHeader, node int) {
	if from.fk.State == rel.KeyOnly && !r.given(from, node) {
		r.ahead = append(r.ahead, ahead{from, node})
	}
}

// given reports whether the row that a foreign key leads to has come, and gives
// it to it.
func (r *Reader) given(from *oneHeader, node int) bool {
	t := r.nodes[node].table
	at, ok := t.get(&from.fk.Key)
	if !ok || !t.filled[at] {
		return false
	}
	from.set(t.rows[at])
	from.fk.State = rel.Loaded
	return true
}

// Finish links children to their parents and returns the roots in order.
func (r *Reader) Finish() ([]Pointer, error) {
	if err := r.late.take(r.Row); err != nil {
		return nil, err
	}
	for i, t := range r.tables {
		if slices.Contains(t.filled, false) {
			return nil, errSpelling(r.shape.models[i])
		}
	}
	for _, a := range r.ahead { // a row that is out of scope does not come
		r.given(a.from, a.node)
	}
	for _, ordered := range []bool{false, true} { // the last to link a row's children sorts them
		for i := range r.nodes {
			n := &r.nodes[i]
			if n.Relation != nil && n.Relation.Kind == schema.ToMany && n.Ordered == ordered {
				r.link(n, r.nodes[n.Parent].rows)
			}
		}
	}
	for i := range r.nodes {
		r.nodes[i].measure()
	}
	root := &r.nodes[0]
	if len(root.ords) == len(root.rows) && !slices.IsSorted(root.ords) {
		return root.sorted(), nil
	}
	return root.rows, nil
}

func (n *nodeState) sorted() []Pointer {
	order := make([]int, len(n.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(n.ords[a], n.ords[b]) })
	rows := make([]Pointer, len(n.rows))
	for i, at := range order {
		rows[i] = n.rows[at]
	}
	return rows
}

// Hooked returns the rows that have an AfterLoad hook, once each, those of
// related models before those that lead to them.
func (r *Reader) Hooked() []any {
	var rows []any
	for i := range slices.Backward(r.nodes) {
		rows = append(rows, r.nodes[i].fresh...)
	}
	return rows
}

// blankReader returns a Reader without rows.
func blankReader(s *Shape) *Reader {
	if r, ok := s.idle.Get().(*Reader); ok {
		return r
	}
	r := &Reader{shape: s, nodes: make([]nodeState, len(s.Nodes)), places: make([]place, len(s.Nodes))}
	for i, n := range s.Nodes {
		r.nodes[i].Node = n
		r.nodes[i].track.Layout = n.layout
	}
	return r
}

// Release is for when the rows are handed on, and nothing of the Reader is needed
// any more: what memory it has is used again, but not that of rows.
func (r *Reader) Release() {
	made := 0
	for i := range r.nodes {
		made += r.nodes[i].made
	}
	if made > maxReserve {
		return // one large result must not tax all that follow
	}
	if r.shared {
		r.tables, r.shared = nil, false
	}
	r.nodes[0].rows = nil // which the caller has
	r.Reset()
	for i := range r.nodes {
		n := &r.nodes[i]
		n.slab, n.made, n.table = slab{}, 0, nil
		n.track = Tracker{Layout: n.layout}
	}
	clear(r.places)
	r.root, r.began = 0, false
	r.shape.idle.Put(r)
}

// Reset makes the Reader ready for the next root. It forgets all rows.
func (r *Reader) Reset() {
	clear(r.ahead)
	r.ahead = r.ahead[:0]
	r.late = nil
	for i := range r.nodes {
		n := &r.nodes[i]
		clear(n.rows)
		clear(n.links)
		clear(n.fresh)
		clear(n.keys)
		n.rows, n.ords, n.links, n.fresh = n.rows[:0], n.ords[:0], n.links[:0], n.fresh[:0]
		n.where, n.read, n.keys = n.where[:0], n.read[:0], n.keys[:0]
		n.last, n.lastKey, n.lastParent = place{}, rel.Key{}, nil
	}
	for _, t := range r.tables {
		t.reset()
	}
}
