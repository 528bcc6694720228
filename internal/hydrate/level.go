package hydrate

import (
	"fmt"
	"slices"
	"sync"

	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A Level is one of several statements whose rows become one graph: the first
// reads the roots, and each other one the rows that a relation leads to from
// rows of the level above. It is made once, and may be read several times at
// once.
type Level struct {
	Shape *Shape
	// Relation leads here from the rows of the node Source of the level Above.
	Relation *schema.Relation
	Above    *Level
	Source   int
	// Rows is the node of the rows that the relation leads to.
	Rows int
	// Trim tells apart levels that have not all rows of a relation, each in
	// its own way; it is nil if they have.
	Trim any
	// Below are the levels whose rows hang on rows of this one.
	Below []*Level

	// Of the first level:
	models []*schema.Model // those that need a table
	idle   sync.Pool       // of *Levels
}

// NewLevels returns what reads the rows of all levels from the first one on.
func NewLevels(first *Level) *Levels {
	if ls, ok := first.idle.Get().(*Levels); ok {
		return ls
	}
	return &Levels{tables: newTables(first.models)}
}

// Levels hold what the rows of all levels have in common: a row of the
// database is one value.
type Levels struct{ tables []*table }

// Release is for when all rows of the levels are handed on, and nothing of the
// Levels or of their Readers is needed any more: what memory they have is used
// again. readers are all of them, of which the first one is that of first.
func (ls *Levels) Release(first *Level, readers []*LevelReader) {
	for _, r := range slices.Backward(readers) {
		if r.above != nil && r.level.Relation.Kind == schema.ToMany {
			n := &r.nodes[0] // whose rows are those of the level above
			n.rows, n.where, n.read = nil, nil, nil
		}
		r.Release()
	}
	for _, t := range ls.tables {
		t.reset()
	}
	first.idle.Put(ls)
}

// First returns the Reader of the first level, of which about hint roots are
// expected.
func (ls *Levels) First(l *Level, hint int) *LevelReader {
	return &LevelReader{Reader: newReader(l.Shape, ls.tables, hint), level: l}
}

// A LevelReader reads the rows of a level.
type LevelReader struct {
	*Reader

	level *Level
	above *nodeState
}

// Parents returns the keys by which the rows of the level l below are found,
// once each, and their number.
func (r *LevelReader) Parents(l *Level) []rel.Key {
	src := &r.nodes[l.Source]
	if l.Relation.Kind == schema.ToMany {
		return src.keys
	}
	seen := newTable(len(l.Relation.ToColumns) == 1 && isInt(l.Relation.ToColumns[0].Value))
	var keys []rel.Key
	for _, row := range src.rows {
		h := one(row, l.Relation.Field)
		if h.fk.State != rel.KeyOnly && h.fk.State != rel.Loaded {
			continue
		}
		if at := int32(len(keys)); seen.put(&h.fk.Key, at) == at {
			keys = append(keys, h.fk.Key)
		}
	}
	return keys
}

// put returns the place of the key, which is next if it is new.
func (t *table) put(k *rel.Key, next int32) int32 {
	if t.isInt {
		return t.ints.put(k.N[0], next)
	}
	at, ok := t.others[*k]
	if !ok {
		at = next
		t.others[*k] = next
	}
	return at
}

// Below returns the Reader of the level l below r's, of which about hint rows
// are expected.
func (r *LevelReader) Below(l *Level, hint int) *LevelReader {
	src := &r.nodes[l.Source]
	below := &LevelReader{Reader: newReader(l.Shape, r.tables, min(hint, 16)), level: l, above: src}
	for i := min(l.Rows, 1); i <= l.Rows; i++ { // of links, and of what they lead to
		n := &below.nodes[i]
		n.slab = newSlab(n.slice, rowType(n.Model).Size(), hint)
		n.reserve(min(hint, int(n.size.rows.Load())), 0)
	}
	if l.Relation.Kind == schema.ToMany {
		below.nodes[1].links = room(below.nodes[1].links, hint)
		// The parents are the roots, and all of them are there.
		n := &below.nodes[0]
		n.table, n.rows, n.where, n.read = src.table, src.rows, src.where, src.read
	}
	return below
}

// Rows returns how many rows were read, once they are linked: those of each
// parent, together.
func (r *LevelReader) Rows() int {
	if r.level.Relation.Kind == schema.ToMany {
		return len(r.nodes[1].links)
	}
	return len(r.nodes[0].rows)
}

// Finish links the rows of the level to their parents, once all are read.
func (r *LevelReader) Finish() error {
	found, err := r.Reader.Finish()
	if err != nil || r.level.Relation.Kind == schema.ToMany {
		return err
	}
	n := &r.nodes[0]
	met := make([]bool, len(found))
	for _, row := range r.above.rows {
		h := one(row, r.level.Relation.Field)
		if h.fk.State != rel.KeyOnly && h.fk.State != rel.Loaded {
			continue
		}
		at, ok := n.table.get(&h.fk.Key)
		if !ok || int(at) >= len(n.where) || n.where[at] == 0 {
			continue // it is out of scope, or trimmed
		}
		met[n.where[at]-1] = true
		h.set(n.table.rows[at])
		h.fk.State = rel.Loaded
	}
	for _, ok := range met {
		if !ok {
			return errSpelling(n.Model)
		}
	}
	return nil
}

func errSpelling(m *schema.Model) error {
	return fmt.Errorf("rows refer to a %s that the result has not under that key: "+
		"the database takes keys for equal that are spelt differently; load the relations in queries of their own", m.Name)
}

// Nothing makes the relation of the level l below loaded and empty: there is
// no row for it, which is known without asking.
func (r *LevelReader) Nothing(l *Level) {
	if l.Relation.Kind != schema.ToMany {
		return
	}
	for _, parent := range r.nodes[l.Source].rows {
		h := many(parent, l.Relation.Field)
		h.hold([]Pointer{})
		h.many.Loaded = true
	}
}
