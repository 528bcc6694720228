package hydrate

import (
	"database/sql/driver"
	"math"
	"sync/atomic"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// A Reader makes values of the rows of one result. It is not safe for
// concurrent use.
type Reader struct {
	shape  *Shape
	nodes  []nodeState
	tables []*table
	places []place // of the current row, by node
	shared bool    // whether the tables are others' too
	root   int64   // the number of the current root, if the shape has them
	began  bool
	ahead  []ahead
	late   lateRows
	left   bool // whether the current row's parent has not come

	// What link needs for a while:
	ends, next []int32
	sorted     []link
}

// A nodeState is a node while its rows are read.
type nodeState struct {
	*Node

	table *table
	slab  slab
	made  int       // rows that the slab has given
	track Tracker   // if the model is tracked
	rows  []Pointer // if the node keeps them
	ords  []int64   // of the root's rows
	where []int32   // a row's place in rows, plus one, by its place in the table
	keys  []rel.Key // by place in rows, if the node keeps them
	read  []bool    // by place in rows: whether the row itself has come up, not only its children
	links []link    // of a to-many node
	fresh []any     // the rows that were read here, if they have a hook

	last       place
	lastKey    rel.Key
	lastParent Pointer
}

// A link says that a parent has a child.
type link struct {
	parent int32
	child  Pointer
	ord    int64
}

// NewReader returns a Reader for rows of the shape s. hint is about how many
// roots are expected; 0 is unknown.
func NewReader(s *Shape, hint int) *Reader {
	r := blankReader(s)
	if r.tables == nil {
		r.tables = newTables(s.models)
	}
	r.prepare(hint)
	return r
}

// newReader returns a Reader with tables that are others' too.
func newReader(s *Shape, tables []*table, hint int) *Reader {
	r := blankReader(s)
	r.tables, r.shared = tables, true
	r.prepare(hint)
	return r
}

// prepare makes room for rows.
func (r *Reader) prepare(hint int) {
	for i := range r.nodes {
		ns := &r.nodes[i]
		n := ns.Node
		expect := hint
		if expect == 0 {
			expect = 16
			if made := int(n.size.made.Load()); made > 0 {
				expect = made
			}
			ns.reserve(min(int(n.size.rows.Load()), maxReserve), min(int(n.size.links.Load()), maxReserve))
		}
		ns.slab = newSlab(n.slice, rowType(n.Model).Size(), expect)
		if n.table < 0 {
			continue
		}
		ns.table = r.tables[n.table]
		if hint == 0 {
			ns.table.reserve(min(int(n.size.made.Load()), maxReserve))
			ns.where = room(ns.where, len(ns.table.rows)+cap(ns.rows))
			ns.read = room(ns.read, cap(ns.rows))
		}
	}
}

// maxReserve is the most rows that room is made for before they come.
const maxReserve = 1 << 14

func (n *nodeState) reserve(rows, links int) {
	n.rows, n.links = room(n.rows, rows), room(n.links, links)
}

// room returns the empty slice s with room for so many.
func room[E any](s []E, size int) []E {
	if cap(s) < size {
		return make([]E, 0, size)
	}
	return s
}

// measure notes how many rows there were.
func (n *nodeState) measure() {
	note(&n.size.made, n.made)
	note(&n.size.rows, len(n.rows))
	note(&n.size.links, len(n.links))
}

// note stores n unless it is there: readers at the same time need not take
// turns for that.
func note(at *atomic.Int32, n int) {
	if m := int32(min(n, math.MaxInt32)); at.Load() != m {
		at.Store(m)
	}
}

// Took reports whether the last row was taken, and not left out, or left for later,
// since it has a parent that is not there.
func (r *Reader) Took() bool { return !r.left }

// Starts reports whether the row is of another root than the one before it.
// It must be asked, if at all, before Row is given the row.
func (r *Reader) Starts(row []driver.Value) (bool, error) {
	if r.shape.RootSlot >= 0 {
		root, err := value.Int(row[r.shape.RootSlot])
		if err != nil {
			return false, err
		}
		starts := !r.began || root != r.root
		r.root, r.began = root, true
		return starts, nil
	}
	n := &r.nodes[0]
	var key rel.Key
	_, err := n.key.read(&key, row)
	if err != nil {
		return false, err
	}
	return n.last.row == nil || key != n.lastKey, nil
}

// Row reads a row.
func (r *Reader) Row(row []driver.Value) error {
	r.left = false
	arm := 0
	if r.shape.ArmSlot >= 0 {
		n, err := value.Int(row[r.shape.ArmSlot])
		if err != nil {
			return err
		}
		arm = int(n)
	}
	for _, i := range r.shape.Arms[arm] {
		if err := r.node(i, row); err != nil {
			return err
		}
	}
	if r.left && !r.nodes[0].Given { // else all parents are there
		r.late.add(row)
	}
	return nil
}

// node reads what the row has of node i, and leaves its place in r.places.
func (r *Reader) node(i int, row []driver.Value) error {
	n := &r.nodes[i]
	parent, err := r.parent(n, row)
	if err != nil {
		return err
	}
	here := &r.places[i]
	if parent.row == nil && i > 0 && !n.Apart {
		*here = place{}
		return nil
	}
	var key rel.Key
	null, err := n.key.read(&key, row)
	switch {
	case err != nil:
		return columnError(n.KeyColumns[0], err)
	case null:
		*here = place{}
		return nil
	case n.last.row != nil && n.lastParent == parent.row && n.lastKey == key:
		*here = n.last
		return nil
	}
	if err := r.take(n, &key, row, here); err != nil {
		return err
	}
	n.last, n.lastKey, n.lastParent = *here, key, parent.row
	for _, a := range n.apart {
		r.refer(one(here.row, a.field), a.node)
	}
	switch {
	case n.Relation == nil:
		return n.number(*here, &key, row)
	case n.Apart:
	case n.ofPair:
		point(parent.row, here.row)
	case n.Relation.Kind == schema.ToOne:
		h := one(parent.row, n.Relation.Field)
		h.set(here.row)
		h.fk.State = rel.Loaded
	default:
		return r.attach(n, parent, *here, &key, row)
	}
	return nil
}

// parent returns the place of the row that n's row in row hangs on.
func (r *Reader) parent(n *nodeState, row []driver.Value) (place, error) {
	if n.Relation == nil || n.Apart {
		return place{}, nil
	}
	if n.ParentSlots == nil {
		return r.places[n.Parent], nil
	}
	p := &r.nodes[n.Parent]
	var key rel.Key
	null, err := n.parentKey.read(&key, row)
	if err != nil || null {
		return place{}, err
	}
	// The parent may not have come up yet: databases do not promise the
	// order of arms.
	if n.Loose {
		at, ok := p.table.get(&key)
		if !ok || !p.has(at) {
			r.left = true
			return place{}, nil
		}
		row0 := p.table.rows[at]
		return place{row0, p.enter(at, row0, &key)}, nil
	}
	// It is made now, and filled when it does.
	at := p.table.find(&key, &p.slab)
	row0 := p.table.rows[at]
	return place{row0, p.enter(at, row0, &key)}, nil
}

// has reports whether the row at a place in the table has come.
func (n *nodeState) has(at int32) bool {
	if n.Given {
		return int(at) < len(n.where) && n.where[at] != 0
	}
	return n.table.filled[at]
}

// take finds or makes the row with the key, and fills it if it is new.
func (r *Reader) take(n *nodeState, key *rel.Key, row []driver.Value, here *place) error {
	if n.table == nil {
		p := n.slab.take()
		n.made++
		*here = place{row: p}
		if n.keep {
			here.at = int32(len(n.rows))
			n.rows = append(n.rows, p)
			if n.KeepKeys {
				n.keys = append(n.keys, *key)
			}
		}
		return n.fill(p, row)
	}
	at := n.table.find(key, &n.slab)
	p := n.table.rows[at]
	*here = place{p, n.enter(at, p, key)}
	if n.table.filled[at] {
		return nil
	}
	n.table.filled[at] = true
	n.made++
	return n.fill(p, row)
}

// enter notes that the row at a place in the table belongs to the node, and
// returns its place in the node's rows.
func (n *nodeState) enter(at int32, p Pointer, key *rel.Key) int32 {
	if !n.keep && (n.Relation == nil || n.Relation.Kind != schema.ToMany) {
		return 0
	}
	for int(at) >= len(n.where) {
		n.where = append(n.where, 0)
	}
	if n.where[at] == 0 {
		n.rows = append(n.rows, p)
		n.read = append(n.read, false)
		if n.KeepKeys {
			n.keys = append(n.keys, *key)
		}
		n.where[at] = int32(len(n.rows))
	}
	return n.where[at] - 1
}

// again reports whether the row at the place has come up before, and notes
// that it has now.
func (n *nodeState) again(at int32) bool {
	if n.table == nil {
		return false
	}
	was := n.read[at]
	n.read[at] = true
	return was
}

// number notes where a root stands among the roots.
func (n *nodeState) number(here place, key *rel.Key, row []driver.Value) error {
	if n.again(here.at) || n.OrdSlot < 0 && !n.ByKey {
		return nil
	}
	ord, err := n.ord(key, row)
	for len(n.ords) < len(n.rows) {
		n.ords = append(n.ords, 0)
	}
	n.ords[here.at] = ord
	return err
}

// fill decodes the columns of n into the fresh row at p.
func (n *nodeState) fill(p Pointer, row []driver.Value) error {
	if n.hooked {
		n.fresh = append(n.fresh, n.box.box(p))
	}
	if err := n.values(p, row); err != nil {
		return err
	}
	if n.layout != nil {
		n.track.track(p, nil, n.left)
	}
	return nil
}

func (n *nodeState) values(p Pointer, row []driver.Value) error {
	for i := range n.decode {
		d := &n.decode[i]
		if err := d.decode(d.spot.in(p), row[d.slot]); err != nil {
			return columnError(d.column, err)
		}
	}
	if len(n.Keys) == 0 && len(n.UnreadKeys) == 0 && len(n.Model.Homes) == 0 {
		return nil
	}
	owner := n.box.box(p)
	for _, r := range n.UnreadKeys {
		h := one(p, r.Field)
		h.fk.Link = rel.Link{Owner: owner, Relation: r}
		if h.fk.State != rel.Loaded {
			h.fk.State = rel.Unread
		}
	}
	for i := range n.Keys {
		k := &n.Keys[i]
		h := one(p, k.Relation.Field)
		h.fk.Link = rel.Link{Owner: owner, Relation: k.Relation}
		null, err := k.key.read(&h.fk.Key, row)
		if err != nil {
			return columnError(k.Relation.FromColumns[0], err)
		}
		if !null {
			if h.fk.State != rel.Loaded {
				h.fk.State = rel.KeyOnly
			}
		}
	}
	for _, home := range n.Model.Homes {
		many(p, home.Field).many.Link = rel.Link{Owner: owner, Relation: home}
	}
	return nil
}

// attach notes a child of a to-many relation, and points it at its parent.
func (r *Reader) attach(n *nodeState, parent, child place, key *rel.Key, row []driver.Value) error {
	if !n.Model.Bare {
		h := one(child.row, n.Relation.Inverse.Field)
		h.set(parent.row)
		h.fk.State = rel.Loaded
	}
	if n.again(child.at) {
		return nil // a child has one parent: this is the same link again
	}
	ord, err := n.ord(key, row)
	if err != nil {
		return err
	}
	n.links = append(n.links, link{parent.at, child.row, ord})
	return nil
}

func (n *nodeState) ord(key *rel.Key, row []driver.Value) (int64, error) {
	switch {
	case n.OrdSlot >= 0:
		return value.Int(row[n.OrdSlot])
	case n.ByKey && n.key.types[0].Kind == dialect.Uint:
		return int64(key.N[0] ^ 1<<63), nil // keeps the order
	case n.ByKey:
		return int64(key.N[0]), nil
	}
	return 0, nil
}
