package plan

import (
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// A KeySet is met by rows that have one of the keys in the columns that the
// statement is run with. There is one in a statement at the most.
type KeySet struct {
	Refs []Ref
	// Columns are those whose values the keys are.
	Columns []*schema.Column
}

// A Within is met by rows whose number, a column of a derived table, is behind
// the first Offset ones, and among the Limit that follow if that is not nil.
type Within struct {
	Table  *Table
	Name   string
	Limit  *int64
	Offset int64
}

func (*KeySet) isCond() {}
func (*Within) isCond() {}

type (
	// A KeyArg stands in a statement's arguments for a part of a key.
	KeyArg struct{ Key, Part int }
	// A KeyList stands there for all keys.
	KeyList struct{}
)

// numberName is the column of a row's number among those of its parent.
const numberName = "kin_number"

// parentColumns returns the columns of the roots that have the key by which
// they belong to a parent.
func (b *builder) parentColumns() []*schema.Column {
	r := b.query.Level
	if r.Via != nil {
		r = r.Via.Link
	}
	if r.Kind == schema.ToOne {
		return nil
	}
	return r.ToColumns
}

// rootWhere returns the condition on the roots.
func (b *builder) rootWhere(from *From) (Cond, error) {
	r := b.query.Level
	if r == nil {
		return b.where(from, b.query.Calls)
	}
	// Conditions speak of the rows, which a link table only leads to.
	rows := from
	if r.Via != nil {
		rows = &From{Table: from.Joins[0].Table}
	}
	c, err := b.where(rows, b.query.Calls)
	if err != nil {
		return nil, err
	}
	columns := r.ToColumns
	all := All{nil, c}
	if r.Via != nil {
		from.Joins = append(from.Joins, rows.Joins...)
		columns = r.Via.Link.ToColumns
		if scope := b.scope(from.Table, b.query.Deleted); scope != nil {
			all = append(all, scope)
		}
	}
	set := &KeySet{Columns: columns}
	for _, c := range columns {
		set.Refs = append(set.Refs, Ref{from.Table, c})
	}
	all[0] = set
	if parts, ok := c.(All); ok {
		all = append(append(All{set}, parts...), all[2:]...)
	}
	return conjunction(all), b.err
}

// links makes the links by which a many-to-many relation comes to the rows the
// roots of the tree: each row is there once for each link to it.
func (b *builder) links(root *node) (*node, []*node, *From) {
	via := b.query.Level.Via
	link := &node{model: via.Link.To, homes: []*schema.Relation{b.query.Level}, children: []*node{root}}
	root.relation, root.parent = via.Target, link
	b.query.Model = link.model
	from := b.root()
	b.join(from, from.Table, via.Target, true).Scope = nil // which is a part of rootWhere
	return link, link.walk(nil), from
}

// rootTerms returns the order of the roots: that of the rows that they lead
// to, if they are links.
func (b *builder) rootTerms(from *From, root *node) []Term {
	if b.query.Level != nil && b.query.Level.Via != nil {
		return b.terms(from, from.Joins[0].Table, root.children[0], false)
	}
	return b.terms(from, from.Table, root, b.query.Reverse)
}

// numbered has sel number the rows of each parent in its order, instead of
// limiting them all, and returns the condition on the number.
func (b *builder) numbered(sel *Select) *Within {
	w := &Within{Name: numberName, Limit: sel.Limit, Offset: sel.Offset}
	number := RowNumber{Order: sel.Order}
	for _, c := range b.parentColumns() {
		number.Partition = append(number.Partition, Ref{sel.From.Table, c})
	}
	sel.Columns = append(sel.Columns, As{number, numberName})
	sel.Limit, sel.Offset = nil, 0
	return w
}

// part returns the columns of sel, all of which have names, of the rows that
// meet within.
func (b *builder) part(sel *Select, within *Within) *Select {
	sel.Order = nil
	within.Table = &Table{Alias: "kin_part", Derived: sel}
	outer := &Select{From: &From{Table: within.Table}, Where: within}
	for _, c := range sel.Columns {
		if name := c.(As).Name; name != numberName {
			outer.Columns = append(outer.Columns, As{Name{within.Table, name}, name})
		}
	}
	return outer
}

// place returns where the column is in the rows of s, which it adds it to if it
// is not there yet.
func (s *Select) place(ref Ref) int {
	for i, c := range s.Columns {
		if c == Expr(ref) {
			return i
		}
	}
	s.Columns = append(s.Columns, ref)
	return len(s.Columns) - 1
}

// under puts the rows of a shape below those of the relation's other side,
// which are in memory: they become its root.
func under(s *hydrate.Shape, r *schema.Relation) {
	for _, n := range s.Nodes {
		n.Parent++
		for i := range n.Homes {
			if n.Homes[i].Target >= 0 {
				n.Homes[i].Target++
			}
		}
	}
	for _, arm := range s.Arms {
		for i := range arm {
			arm[i]++
		}
	}
	top := s.Nodes[0]
	top.Relation, top.Parent = r, 0
	if r.Via != nil {
		top.Relation = r.Via.Link
	} else {
		top.Homes = []hydrate.Home{{Field: r.Field, Target: -1}}
		top.Loose = s.ArmSlot < 0 && ByInts(r)
	}
	owner := &hydrate.Node{Model: r.From, Parent: -1, KeyColumns: r.From.Key, OrdSlot: -1, NeedTable: true, Given: true}
	s.Nodes = append([]*hydrate.Node{owner}, s.Nodes...)
}
