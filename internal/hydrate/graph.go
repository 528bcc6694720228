package hydrate

import (
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A Reach leads from rows of one model to the loaded rows of a relation.
type Reach struct {
	Relation *schema.Relation
	box      boxer
	links    boxer // of the link model, if there is one
}

// ReachOf returns where the foreign key r leads.
func ReachOf(r *schema.Relation) Reach { return Reach{Relation: r, box: newBoxer(r.To.Type)} }

// Reaches returns where the fields of the model m lead: its foreign keys, and
// its collections.
func Reaches(m *schema.Model) (ones, manies []Reach) {
	for _, r := range m.Keys {
		ones = append(ones, ReachOf(r))
	}
	for _, r := range m.Homes {
		reach := Reach{Relation: r, box: newBoxer(r.To.Type)}
		if r.Via != nil {
			reach.links = newBoxer(rowType(r.Via.Link.To))
		}
		manies = append(manies, reach)
	}
	return ones, manies
}

// One returns the row that the foreign key of row, a *T, has loaded, or nil.
func (r Reach) One(row any) any {
	h := one(unbox(row), r.Relation.Field)
	if h.fk.State != rel.Loaded {
		return nil
	}
	return r.box.box(h.get())
}

// Many appends the rows that the collection of row, a *T, has loaded. One that
// is missing is nil.
func (r Reach) Many(rows []any, row any) []any {
	h := many(unbox(row), r.Relation.Field)
	if !h.many.Loaded {
		return rows
	}
	return r.box.boxAll(rows, h.all())
}

// Links returns the links of the rows that the collection of row, a *T, has
// loaded, one by one, if it has a link model. There may be fewer.
func (r Reach) Links(row any) []any {
	return r.links.boxAll(nil, through(unbox(row), r.Relation.Field).links())
}

func (b boxer) boxAll(rows []any, pointers []Pointer) []any {
	for _, p := range pointers {
		if p == nil {
			rows = append(rows, nil)
			continue
		}
		rows = append(rows, b.box(p))
	}
	return rows
}

// Hold makes the foreign key r of row, a *T, NULL until release is called.
func Hold(row any, r *schema.Relation) (release func()) {
	h := one(unbox(row), r.Field)
	target, key, state := h.get(), h.fk.Key, h.fk.State
	h.put(nil, rel.Key{}, rel.IsNull)
	return func() { h.put(target, key, state) }
}
