package plan

import (
	"slices"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// arms plans a statement in which each to-many relation is an arm of its
// own, so that the rows read are the sum of all relations, not their product.
//
// A CTE holds the keys of the roots, and all arms start from it: there is one set
// of roots, and one snapshot. Where they are all rows of their table, see
// wholeArms.
func (b *builder) arms(from *From, where Cond, root *node, nodes []*node) *Statement {
	a := newArms(b, nodes)
	a.heads(from, where, root)
	starts := []*node{root}
	for _, n := range nodes {
		if n.toMany() {
			starts = append(starts, n)
		}
	}
	a.plan(starts)
	a.givePlaces()
	if b.query.Stream {
		a.s.Order = []int{2, 1}
		a.s.Shape.RootSlot = 1
	}
	return a.s
}

// plan plans the arms that start at the nodes.
func (a *armBuilder) plan(starts []*node) {
	a.numbers = a.num != "" || a.query.Stream || slices.ContainsFunc(starts, func(n *node) bool { return a.sorts(n) || n.byTarget() != nil })
	for i, n := range starts {
		a.arm(i, n)
	}
	a.finish()
}

type armBuilder struct {
	*builder
	s     *Statement
	whole bool     // whether the roots are all rows of their table, without a CTE
	keys  []string // the names of the CTE's columns
	num   string   // the name of the CTE's number of the root, if it has one
	width int      // of the columns before those of models
	// numbers is whether there is a column for the number that rows are sorted by.
	numbers bool
	pool    []*Slot
	rows    []armRow

	places []Place // of the roots, if they are asked for
}

// newArms returns an armBuilder without arms.
func newArms(b *builder, nodes []*node) *armBuilder {
	shape := &hydrate.Shape{ArmSlot: 0, RootSlot: -1, Nodes: make([]*hydrate.Node, len(nodes))}
	return &armBuilder{builder: b, s: &Statement{Shape: shape}}
}

// An armRow is what an arm has in the pool.
type armRow struct {
	sel   *Select
	refs  map[*Slot]Ref
	fills []func(place func(*Slot) int)
}

// heads makes the CTE of the roots' keys.
func (a *armBuilder) heads(from *From, where Cond, root *node) {
	q := a.query
	ordered := len(root.order) > 0 || q.Reverse || !singleInt(root.model) || q.Stream || root.target() != nil
	sel := &Select{From: from, Where: where, Limit: q.Limit, Offset: q.Offset}
	terms := a.rootTerms(from, root)
	for i, c := range root.model.Key {
		name := KeyName(i)
		a.keys = append(a.keys, name)
		sel.Columns = append(sel.Columns, As{Ref{from.Table, c}, name})
	}
	if ordered {
		a.num = "n"
		sel.Columns = append(sel.Columns, As{RowNumber{Order: terms}, a.num})
	}
	if q.Limit != nil || q.Offset > 0 {
		sel.Order = terms
		if q.Level != nil {
			sel = a.part(sel, a.numbered(sel))
		}
	}
	a.s.With, a.s.Name = sel, a.free("kin_roots")
	a.placesOfArms(terms)
}

// free returns the name, or one like it that no table of the graph has.
func (b *builder) free(name string) string {
	for _, m := range b.query.Graph.Models {
		if strings.EqualFold(m.Table, name) {
			return b.free(name + "_")
		}
	}
	return name
}

func singleInt(m *schema.Model) bool {
	return len(m.Key) == 1 && (m.Key[0].Value.Kind == dialect.Int || m.Key[0].Value.Kind == dialect.Uint)
}

// arm plans the i-th arm: the rows of n, with those that foreign keys lead to.
func (a *armBuilder) arm(i int, n *node) {
	sel, table, num := a.begin(n)
	terms := a.ordered(n, sel.From, table)
	sel.Columns = append(sel.Columns, Number(i))
	if a.query.Stream {
		sel.Columns = append(sel.Columns, num)
	}
	row := armRow{sel: sel, refs: map[*Slot]Ref{}}
	hn := a.place(&row, n, table)
	if n.parent == nil && a.query.Level != nil {
		row.fills = append(row.fills, func(place func(*Slot) int) {
			for _, c := range a.parentColumns() {
				hn.ParentSlots = append(hn.ParentSlots, place(a.slotOf(&row, c, table)))
			}
		})
	}
	switch {
	case n.parent == nil:
	case n.apart:
		hn.Apart, hn.NeedTable = true, true
	default:
		// A child's foreign key is its parent's key.
		row.fills = append(row.fills, func(place func(*Slot) int) {
			for _, c := range n.relation.ToColumns {
				hn.ParentSlots = append(hn.ParentSlots, place(a.slotOf(&row, c, table)))
			}
		})
		// Shared rows are read once, unless the roots come one by one: rows of a
		// link table without struct then need no identity.
		hn.Repeats = a.shared(n) && (!n.model.Bare || a.query.Stream)
		hn.Loose = a.whole && ByInts(n.relation)
	}
	for _, c := range n.children {
		hn.NeedTable = hn.NeedTable || c.toMany() // its rows name their parent
	}
	a.number(&row, hn, n, terms, num, table)
	arm := []int{n.index}
	var below func(parent *node, at *Table)
	below = func(parent *node, at *Table) {
		for _, c := range parent.children {
			if c.toMany() || c.apart {
				continue
			}
			t := a.join(sel.From, at, c.relation, false)
			a.place(&row, c, t).Repeats = true
			arm = append(arm, c.index)
			below(c, t)
		}
	}
	below(n, table)
	a.s.Arms = append(a.s.Arms, sel)
	a.s.Shape.Arms = append(a.s.Shape.Arms, arm)
	a.rows = append(a.rows, row)
}

// ordered returns the order of n's rows if it is not left to the reader: by
// the single integer of their key.
func (a *armBuilder) ordered(n *node, from *From, t *Table) []Term {
	if !a.sorts(n) {
		return nil
	}
	return a.terms(from, t, n, false)
}

// sorts reports whether the database has to number the rows of n.
func (a *armBuilder) sorts(n *node) bool {
	return n.toMany() && (len(n.order) > 0 || !singleInt(n.model) && n.byTarget() == nil)
}

// byTarget returns the column of a link table's rows that sorts them as the
// rows they lead to are by default, if it is one integer; else nil.
func (n *node) byTarget() *schema.Column {
	target := n.target()
	if target == nil || len(n.order) > 0 || len(target.FromColumns) > 1 || target.FromColumns[0].Value.Kind != dialect.Int {
		return nil
	}
	return target.FromColumns[0]
}

// number adds the column that n's rows are sorted by.
func (a *armBuilder) number(row *armRow, hn *hydrate.Node, n *node, terms []Term, num Expr, t *Table) {
	zero := func() {
		if a.numbers {
			row.sel.Columns = append(row.sel.Columns, Number(0))
		}
	}
	switch {
	case n.apart:
		zero()
	case n.parent == nil && a.query.Stream:
	case n.parent == nil && a.num != "":
		hn.OrdSlot = len(row.sel.Columns)
		row.sel.Columns = append(row.sel.Columns, num)
	case terms != nil:
		hn.OrdSlot = len(row.sel.Columns)
		row.sel.Columns = append(row.sel.Columns, RowNumber{Order: terms})
	case n.byTarget() != nil:
		s := a.slotOf(row, n.byTarget(), t)
		row.fills = append(row.fills, func(place func(*Slot) int) { hn.OrdSlot = place(s) })
		zero()
	default:
		hn.ByKey = true
		zero()
	}
	if n.parent == nil && a.query.Stream {
		row.sel.Columns = append(row.sel.Columns, Number(0))
	}
	a.width = len(row.sel.Columns)
}

// shared reports whether the path to n goes through a foreign key, so that
// several roots may lead to the same row.
func (a *armBuilder) shared(n *node) bool {
	for n = n.parent; n.parent != nil; n = n.parent {
		if !n.toMany() {
			return true
		}
	}
	return false
}

// begin returns the SELECT of n's rows and their table, and the number of
// the root that each belongs to.
func (a *armBuilder) begin(n *node) (*Select, *Table, Expr) {
	if a.whole {
		sel, t := a.rowsOf(n)
		return sel, t, Number(0)
	}
	return a.start(n)
}

// start is begin where the roots are not all rows of their table.
func (a *armBuilder) start(n *node) (*Select, *Table, Expr) {
	from, num := a.roots()
	if n.parent == nil {
		return &Select{From: from}, a.rootTable(from), num
	}
	path := []*node{}
	for at := n; at.parent != nil; at = at.parent {
		path = append([]*node{at}, path...)
	}
	if a.shared(n) && !a.query.Stream {
		// The keys of the parents are a set: each child is read once.
		// It is a derived table rather than IN (SELECT …), which MariaDB may
		// run as a scan of the children for each key.
		keys := &Select{From: from}
		parent := a.follow(from, path[:len(path)-1])
		t := a.table(n.relation)
		return &Select{From: ofKeys(keys, parent, n.relation, t)}, t, num
	}
	return &Select{From: from}, a.follow(from, path), num
}

// ofKeys returns the rows of t that the relation leads to from the rows of parent,
// which keys selects, once each.
func ofKeys(keys *Select, parent *Table, r *schema.Relation, t *Table) *From {
	keys.Distinct = true
	derived := &Table{Alias: "kin_parents", Derived: keys}
	join := &Join{Parent: derived, Table: t, Inner: true, Right: refs(t, r.ToColumns)}
	for i, c := range r.FromColumns {
		keys.Columns = append(keys.Columns, As{Ref{parent, c}, KeyName(i)})
		join.Left = append(join.Left, Name{derived, KeyName(i)})
	}
	return &From{Table: derived, Joins: []*Join{join}}
}

// roots returns a From that starts at the roots' keys, and their number.
func (a *armBuilder) roots() (*From, Expr) {
	t := &Table{Model: a.query.Model, Alias: a.s.Name, CTE: a.s.Name}
	return &From{Table: t}, Name{t, a.num}
}

// rootTable joins the root's own table to its keys.
func (a *armBuilder) rootTable(from *From) *Table {
	t := &Table{Model: a.query.Model, Alias: a.query.Model.Table}
	from.Joins = append(from.Joins, &Join{
		Parent: from.Table, Table: t, Inner: true,
		Left: a.keyNames(from.Table), Right: refs(t, a.query.Model.Key),
	})
	return t
}

func (a *armBuilder) keyNames(t *Table) []Expr {
	names := make([]Expr, len(a.keys))
	for i, k := range a.keys {
		names[i] = Name{t, k}
	}
	return names
}

// follow joins the path to from, from the roots on.
func (a *armBuilder) follow(from *From, path []*node) *Table {
	at := from.Table
	for i, n := range path {
		if i == 0 {
			if !n.toMany() {
				at = a.rootTable(from)
			} else {
				t := a.table(n.relation)
				from.Joins = append(from.Joins, &Join{
					Parent: at, Table: t, Inner: true,
					Left: a.keyNames(at), Right: refs(t, n.relation.ToColumns),
				})
				at = t
				continue
			}
		}
		at = a.join(from, at, n.relation, true)
	}
	return at
}

// place finds places in the pool for the columns of n, whose table is t.
func (a *armBuilder) place(row *armRow, n *node, t *Table) *hydrate.Node {
	hn := newShapeNode(n)
	a.s.Shape.Nodes[n.index] = hn
	taken := map[*schema.Column]*Slot{}
	for _, c := range n.model.Columns {
		if n.unread[c] {
			continue
		}
		s := a.take(row, c)
		row.refs[s] = Ref{t, c}
		taken[c] = s
	}
	row.fills = append(row.fills, func(place func(*Slot) int) {
		fillSlots(hn, n, func(c *schema.Column) int { return place(taken[c]) })
	})
	return hn
}

// slotOf returns the slot of the column of t in the row.
func (a *armBuilder) slotOf(row *armRow, c *schema.Column, t *Table) *Slot {
	for s, ref := range row.refs {
		if ref.Table == t && ref.Column == c {
			return s
		}
	}
	panic("BUG: kin: a column without a slot")
}

// take returns a slot that the row does not use yet and that can hold the
// column: a shared one of its kind, or a new one.
func (a *armBuilder) take(row *armRow, c *schema.Column) *Slot {
	shared := c.Source.Field.Tag.Type == "" && c.Value.Kind != dialect.Custom && (a.traits.AnyTypes || c.Value.Kind != dialect.Array)
	for _, s := range a.pool {
		if _, used := row.refs[s]; !used && shared && s.Shared && a.fits(s.Column, c) {
			return s
		}
	}
	s := &Slot{Column: c, Shared: shared}
	a.pool = append(a.pool, s)
	return s
}

// fits reports whether two columns may take the same place in two arms. A
// database without types takes anything anywhere, but where the arms are a
// subquery, SQLite makes an integer beside floats one of them.
func (a *armBuilder) fits(x, y *schema.Column) bool {
	if a.traits.AnyTypes {
		return (x.Value.Kind == dialect.Float) == (y.Value.Kind == dialect.Float)
	}
	return x.Value.Kind == y.Value.Kind
}

// finish gives every arm all slots of the pool.
func (a *armBuilder) finish() {
	places := map[*Slot]int{}
	for i, s := range a.pool {
		places[s] = a.width + i
		_, used := a.rows[0].refs[s]
		s.First = !used
	}
	for _, row := range a.rows {
		for _, s := range a.pool {
			if ref, ok := row.refs[s]; ok {
				row.sel.Columns = append(row.sel.Columns, Filled{ref, s})
			} else {
				row.sel.Columns = append(row.sel.Columns, Blank{s})
			}
		}
		for _, fill := range row.fills {
			fill(func(s *Slot) int { return places[s] })
		}
	}
	a.s.Shape.Width = a.width + len(a.pool)
}
