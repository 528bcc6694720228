package hydrate

import (
	"slices"

	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// KeepAll has Readers of the shape keep all rows and their keys.
func (s *Shape) KeepAll() {
	for _, n := range s.Nodes {
		if !n.Given {
			n.keep, n.KeepRows, n.KeepKeys = true, true, true
		}
	}
}

// Mark tells the relation fields of all rows that the Reader has kept that
// they are of the relations that with returns.
func (r *Reader) Mark(with func(*schema.Relation) *schema.Relation) {
	for i := range r.nodes {
		n := &r.nodes[i]
		if n.Given || n.Model.Bare || len(n.rows) == 0 {
			continue
		}
		for _, k := range n.Model.Keys {
			marked := with(k)
			for _, row := range n.rows {
				one(row, k.Field).fk.Link.Relation = marked
			}
		}
		for _, home := range n.Model.Homes {
			marked := with(home)
			for _, row := range n.rows {
				many(row, home.Field).many.Link.Relation = marked
			}
		}
	}
}

// PeerRows are rows of one model that were read together. They are not kept
// from being collected.
type PeerRows struct {
	model *schema.Model
	rows  []weakRow
	keys  []rel.Key
	known map[Pointer]bool // while they are collected
	// Of each row, in the order of the model's foreign keys:
	refs []ref
}

// A ref is the key that a foreign key had.
type ref struct {
	key rel.Key
	set bool
}

// Peers adds the rows that the Reader has kept to those of their models.
func (r *Reader) Peers(all map[*schema.Model]*PeerRows) {
	for i := range r.nodes {
		n := &r.nodes[i]
		if n.Given || n.Model.Bare {
			continue
		}
		p := all[n.Model]
		if p == nil {
			p = &PeerRows{model: n.Model, known: map[Pointer]bool{}}
			all[n.Model] = p
		}
		for j, row := range n.rows {
			if p.known[row] {
				continue
			}
			p.known[row] = true
			p.rows = append(p.rows, weaken(row, n.Model))
			p.keys = append(p.keys, n.keys[j])
			for _, k := range n.Model.Keys {
				h := one(row, k.Field)
				p.refs = append(p.refs, ref{h.fk.Key, h.fk.State == rel.KeyOnly})
			}
		}
	}
}

// Seal ends the collecting.
func (p *PeerRows) Seal() { p.known = nil }

// Stands stand for rows of a model while a relation is loaded for them.
type Stands struct {
	relation *schema.Relation
	reader   *LevelReader
	level    *Level
	table    *table              // of the keys
	ones     map[rel.Key]Pointer // the rows that foreign keys lead to
}

// Stand returns what stands for the rows that are still there while the
// relation r is loaded.
func (p *PeerRows) Stand(r *schema.Relation) *Stands {
	node := &Node{Model: p.model, Parent: -1, KeyColumns: p.model.Key, OrdSlot: -1, NeedTable: true, Alone: true}
	shape := &Shape{Nodes: []*Node{node}, ArmSlot: -1, RootSlot: -1, Arms: [][]int{{0}}}
	shape.Prepare()
	s := &Stands{relation: r, level: &Level{Shape: shape}}
	s.table = newTable(len(p.model.Key) == 1 && isInt(p.model.Key[0].Value))
	s.reader = &LevelReader{Reader: newReader(shape, []*table{s.table}, len(p.rows)), level: s.level}
	n := &s.reader.nodes[0]
	n.table = s.table
	at := -1
	for i, k := range p.model.Keys {
		if k.Field == r.Field {
			at = i
		}
	}
	n.KeepKeys = true
	for i, row := range p.rows {
		if row.gone() {
			continue
		}
		place := s.table.find(&p.keys[i], &n.slab)
		stand := s.table.rows[place]
		s.table.filled[place] = true
		n.enter(place, stand, &p.keys[i])
		if at < 0 {
			continue
		}
		if f := p.refs[i*len(p.model.Keys)+at]; f.set {
			h := one(stand, r.Field)
			h.fk.Key, h.fk.State = f.key, rel.KeyOnly
		}
	}
	return s
}

// Level returns the level of the stands.
func (s *Stands) Level() *Level { return s.level }

// Reader returns the Reader of the stands, which have been read.
func (s *Stands) Reader() *LevelReader {
	s.reader.tables = newTables(s.level.models)
	if at := s.level.Shape.Nodes[0].table; at >= 0 {
		s.reader.tables[at] = s.table
	}
	return s.reader
}

// One returns the row that a foreign key with the key leads to, nil if there is
// none, and whether it was asked for.
func (s *Stands) One(key rel.Key) (Pointer, bool) {
	if s.ones == nil {
		s.ones = map[rel.Key]Pointer{}
		for _, stand := range s.reader.nodes[0].rows {
			if h := one(stand, s.relation.Field); h.fk.State != rel.IsNull {
				s.ones[h.fk.Key] = h.get()
			}
		}
	}
	row, known := s.ones[key]
	return row, known
}

// Give puts what is loaded for the row with the key into owner, which is that
// row, once met has been called with the rows and their links, and forgets it.
// It reports whether there was anything.
func (s *Stands) Give(key rel.Key, owner any, met func(rows []Pointer) error) (bool, error) {
	at, ok := s.table.get(&key)
	if !ok || s.table.rows[at] == nil {
		return false, nil
	}
	stand, to := s.table.rows[at], unbox(owner)
	s.table.rows[at] = nil
	s.reader.nodes[0].rows[s.reader.nodes[0].where[at]-1] = nil
	from := many(stand, s.relation.Field)
	back, children := s.relation.Inverse.Field, from.all()
	var links []Pointer
	if via := s.relation.Via; via != nil {
		children, back = nil, via.Link.Inverse.Field
		if s.relation.Field.Rel.Link != nil {
			links = through(stand, s.relation.Field).links()
			children = links
		}
	}
	for _, child := range children {
		if fk := one(child, back); fk.get() == stand {
			fk.set(to)
		}
	}
	if err := met(slices.Concat(from.all(), links)); err != nil {
		return true, err
	}
	h := many(to, s.relation.Field)
	h.hold(from.all())
	h.many.Loaded = true
	if links != nil {
		through(to, s.relation.Field).holdLinks(links)
	}
	return true, nil
}

// Unbox returns the pointer in row, a *T.
func Unbox(row any) Pointer { return unbox(row) }
