package plan

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// Rows plans the statement that reads the query's rows.
func Rows(q Query, d dialect.Dialect) (*Statement, error) {
	b := newBuilder(q, d)
	root, nodes, err := b.tree()
	if err != nil {
		return nil, err
	}
	from := b.root()
	if q.Level != nil && q.Level.Via != nil {
		root, nodes, from = b.links(root)
	}
	locked, err := b.locked(from)
	if err != nil {
		return nil, err
	}
	where, err := b.rootWhere(from)
	if err != nil {
		return nil, err
	}
	if where, err = b.after(from, root, where); err != nil {
		return nil, err
	}
	if where == Const(false) || q.Limit != nil && *q.Limit == 0 {
		return &Statement{Empty: true}, nil
	}
	if where == Const(true) {
		where = nil
	}
	if q.Limit != nil && *q.Limit < 0 || q.Offset < 0 {
		return nil, fmt.Errorf("kin: a query on %s has a negative limit or offset", q.Model.Name)
	}
	var s *Statement
	switch {
	case b.wholeTable(root, where):
		s = b.wholeArms(root, nodes)
	case flat(root):
		s = b.flat(from, where, root, nodes, locked)
	default:
		if err := b.lockless(); err != nil {
			return nil, err
		}
		s = b.arms(from, where, root, nodes)
	}
	if q.Level != nil && q.Level.Kind == schema.ToMany {
		under(s.Shape, q.Level)
	}
	s.CTEs, s.Whole = *b.ctes, b.allRoots(where)
	s.Shape.Prepare()
	for _, arm := range s.Arms {
		if err := b.check(arm); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// allRoots reports whether the query with the condition leaves out none of its
// rows, or of those that belong to its level's parents.
func (b *builder) allRoots(where Cond) bool {
	q := &b.query
	if _, keys := where.(*KeySet); where != nil && !keys {
		return false
	}
	return q.Limit == nil && q.Offset == 0 && q.Seek == nil && q.Source == nil && q.On == nil && q.Lock == nil // which may skip rows
}

// flat reports whether one join reads the tree without reading rows twice
// over: its to-many relations are one chain, and none of them starts at a row
// that others share.
func flat(n *node) bool {
	for {
		var next *node
		for _, c := range n.children {
			switch {
			case c.toMany() && next == nil:
				next = c
			case c.toMany() || manyBelow(c):
				return false
			}
		}
		if next == nil {
			return true
		}
		n = next
	}
}

func manyBelow(n *node) bool {
	return slices.ContainsFunc(n.children, func(c *node) bool { return c.toMany() || manyBelow(c) })
}

// flat plans one join of everything.
func (b *builder) flat(from *From, where Cond, root *node, nodes []*node, locked []*Table) *Statement {
	sel := &Select{From: from, Where: where, Limit: b.query.Limit, Offset: b.query.Offset}
	sel.Order = b.rootTerms(from, root)
	many := slices.ContainsFunc(nodes, (*node).toMany)
	sorts := many || !b.sortedByReader(root)
	if !sorts {
		sel.Order = nil
	}
	b.lock(sel, locked)
	switch limited := sel.Limit != nil || sel.Offset > 0; {
	case limited && b.query.Level != nil:
		sel = b.derive(sel, b.numbered(sel))
		from = sel.From
	case limited && many, b.locksJoined(nodes):
		sel = b.derive(sel, nil)
		from = sel.From
	}
	terms := sel.Order // of the roots
	shape := &hydrate.Shape{ArmSlot: -1, RootSlot: -1, Arms: [][]int{nil}}
	tables := map[*node]*Table{root: from.Table}
	for _, n := range nodes {
		if n != root {
			tables[n] = b.join(from, tables[n.parent], n.relation, false)
		}
		if n.toMany() {
			sel.Order = append(sel.Order, b.terms(from, tables[n], n, false)...)
		}
		hn := newShapeNode(n)
		hn.Repeats = n.relation != nil && !n.toMany()
		slot := func(c *schema.Column) int {
			sel.Columns = append(sel.Columns, Ref{tables[n], c})
			return len(sel.Columns) - 1
		}
		fillSlots(hn, n, slot)
		hn.ByKey = n == root && !sorts && b.query.Level.Kind == schema.ToMany
		if n == root && b.query.Level != nil {
			for _, c := range b.parentColumns() {
				hn.ParentSlots = append(hn.ParentSlots, sel.place(Ref{tables[n], c}))
			}
		}
		shape.Nodes = append(shape.Nodes, hn)
		shape.Arms[0] = append(shape.Arms[0], n.index)
	}
	b.places(sel, shape, terms)
	shape.Width = len(sel.Columns)
	return &Statement{Arms: []*Select{sel}, Shape: shape}
}

// sortedByReader reports whether rows need no order from the database, since they
// are those of a level, all of them, in the order of an integer key: few belong
// to one parent, and by an index on the foreign key they come in order anyway.
func (b *builder) sortedByReader(root *node) bool {
	q := &b.query
	return q.Level != nil && q.Level.Via == nil && q.Limit == nil && q.Offset == 0 && len(root.order) == 0 && !q.Reverse && singleInt(root.model)
}

// derive puts the roots, which sel limits, into a derived table, so that
// joins to it do not change what the limit counts. What they are sorted by
// comes out of it too, and what within says is met outside.
func (b *builder) derive(sel *Select, within *Within) *Select {
	table := &Table{Model: b.query.Model, Alias: sel.From.Table.Alias, Derived: sel}
	for _, c := range b.query.Model.Columns {
		// The name must be given: the column may be written as an expression.
		sel.Columns = append(sel.Columns, As{Ref{sel.From.Table, c}, c.Name})
	}
	outer := &Select{From: &From{Table: table}}
	for i, term := range sel.Order {
		t := term
		if ref, ok := term.Expr.(Ref); ok && ref.Table == sel.From.Table {
			t.Expr = Ref{table, ref.Column}
		} else {
			name := "kin_" + strconv.Itoa(i+1)
			sel.Columns = append(sel.Columns, As{term.Expr, name})
			t.Expr = Name{table, name}
		}
		outer.Order = append(outer.Order, t)
	}
	if within != nil {
		sel.Order = nil
		within.Table = table
		outer.Where = within
	}
	return outer
}

func newShapeNode(n *node) *hydrate.Node {
	hn := &hydrate.Node{Model: n.model, Relation: n.relation, Parent: -1, OrdSlot: -1, Ordered: len(n.order) > 0}
	if n.parent != nil {
		hn.Parent = n.parent.index
	}
	for _, r := range n.homes {
		home := hydrate.Home{Field: r.Field, Target: -1}
		if r.Via != nil {
			home.Target = n.child(r.Via.Target).index
			home.Links = r.Field.Rel.Link != nil
		}
		hn.Homes = append(hn.Homes, home)
	}
	return hn
}

// fillSlots finds a place for every column of n's rows. A row of a link table
// without struct is no more than the row it leads to: within one parent it
// goes by that one's key.
func fillSlots(hn *hydrate.Node, n *node, slot func(*schema.Column) int) {
	m := n.model
	if m.Bare && !hn.Repeats {
		hn.KeyColumns = n.target().FromColumns
	} else {
		hn.KeyColumns = m.Key
	}
	if m.Bare {
		for _, c := range hn.KeyColumns {
			hn.KeySlots = append(hn.KeySlots, slot(c))
		}
		return
	}
	at := map[*schema.Column]int{}
	for _, c := range m.Columns {
		if n.unread[c] {
			if c.Relation == nil || c.Part == 0 {
				hn.Unread = append(hn.Unread, c.Field)
			}
			continue
		}
		at[c] = slot(c)
		if c.Relation == nil {
			hn.Columns = append(hn.Columns, hydrate.ColumnSlot{Column: c, Slot: at[c]})
		}
	}
	for _, c := range m.Key {
		hn.KeySlots = append(hn.KeySlots, at[c])
	}
	for _, r := range m.Keys {
		if n.unread[r.FromColumns[0]] {
			hn.UnreadKeys = append(hn.UnreadKeys, r)
			continue
		}
		k := hydrate.KeySlots{Relation: r}
		for _, c := range r.FromColumns {
			k.Slots = append(k.Slots, at[c])
		}
		hn.Keys = append(hn.Keys, k)
	}
}

// Counted plans the statement that counts the query's rows.
func Counted(q Query, d dialect.Dialect) (*Statement, error) {
	sel, ctes, err := bare(q, d)
	if err != nil || sel == nil {
		return &Statement{Empty: err == nil}, err
	}
	if sel.Limit == nil && sel.Offset == 0 {
		sel.Columns = []Expr{Count{}}
		return &Statement{CTEs: ctes, Arms: []*Select{sel}}, nil
	}
	sel.Columns = []Expr{As{Number(1), "kin_1"}}
	outer := &Select{
		Columns: []Expr{Count{}},
		From:    &From{Table: &Table{Model: q.Model, Alias: q.Model.Table, Derived: sel}},
	}
	return &Statement{CTEs: ctes, Arms: []*Select{outer}}, nil
}

// Existing plans the statement that asks whether the query has rows.
func Existing(q Query, d dialect.Dialect) (*Statement, error) {
	sel, ctes, err := bare(q, d)
	if err != nil || sel == nil {
		return &Statement{Empty: err == nil}, err
	}
	sel.Columns = []Expr{Number(1)}
	if sel.Limit == nil {
		one := int64(1)
		sel.Limit = &one
	}
	return &Statement{CTEs: ctes, Arms: []*Select{{Exists: true, From: &From{Table: &Table{Derived: sel}}}}}, nil
}

// bare plans a query without columns and order, neither of which changes how
// many rows there are. It is nil if it is known that there are none.
func bare(q Query, d dialect.Dialect) (sel *Select, ctes []CTE, err error) {
	b := newBuilder(q, d)
	sel, _, err = b.bare()
	if err != nil || sel == nil {
		return nil, nil, err
	}
	return sel, *b.ctes, b.check(sel)
}

// bare returns a SELECT of the query's rows without columns and order, or nil
// if it is known that there are none, and the tree of what the query loads.
func (b *builder) bare() (sel *Select, root *node, err error) {
	if root, _, err = b.tree(); err != nil { // a mistaken path is one here too
		return nil, nil, err
	}
	q := &b.query
	from := b.root()
	where, err := b.where(from, q.Calls)
	switch {
	case err != nil:
		return nil, nil, err
	case q.Limit != nil && *q.Limit < 0 || q.Offset < 0:
		return nil, nil, fmt.Errorf("kin: a query on %s has a negative limit or offset", q.Model.Name)
	case where == Const(false) || q.Limit != nil && *q.Limit == 0:
		return nil, root, nil
	case where == Const(true):
		where = nil
	}
	return &Select{From: from, Where: where, Limit: q.Limit, Offset: q.Offset}, root, nil
}
