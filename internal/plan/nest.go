package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// A nesting plans a selection with slices: a CTE of the roots' keys, an arm for
// the roots' values and one for the elements of each slice.
type nesting struct {
	*builder
	name string // of the CTE
	nest *hydrate.Nest
	arms []nestedArm
}

// A nestedArm is the SELECT of an arm, and what follows its head.
type nestedArm struct {
	sel   *Select
	exprs []Expr
}

// nest plans a selection with slices.
func (s Selection) nest(d dialect.Dialect) (*Statement, error) {
	if s.Distinct || s.Labelled {
		return nil, fmt.Errorf("kin: select from %s: rows with slices are told apart by their primary key, and go into no Distinct, Union, Intersect or Except",
			s.Query.Model.Name)
	}
	if len(s.Query.Model.Key) == 0 {
		return nil, fmt.Errorf("kin: rows of %s are those of a selection, without a key, and have no slices", s.Query.Model.Name)
	}
	n := &nesting{builder: newBuilder(s.Query, d), nest: &hydrate.Nest{}}
	sel, root, err := n.base()
	if err != nil || sel == nil {
		return &Statement{Empty: sel == nil}, err
	}
	n.own = true
	defer n.ward(s.Query.Guard)()
	if err := n.roots(s, sel, root); err != nil || sel.Where == Const(false) {
		return &Statement{Empty: true}, err
	}
	n.name = n.free("kin_roots")
	table := &Table{Model: s.Query.Model, Alias: s.Query.Model.Table}
	from := &From{Table: table, Joins: []*Join{n.toRoots(table, s.Query.Model.Key)}}
	arm := nestedArm{sel: &Select{From: from}}
	for _, f := range s.Fields {
		e, err := n.one(from, f)
		if err != nil {
			return nil, err
		}
		arm.exprs = append(arm.exprs, e)
	}
	cte := from.Joins[0].Table
	arm.sel.Columns = []Expr{Number(0), Name{cte, rootNumber}, Name{cte, rootNumber}}
	n.arms = []nestedArm{arm}
	n.nest.Arms = []hydrate.NestArm{{Record: s.Record, Parent: -1}}
	if err := n.slices(0, s.Query.Model, s.Record, nil); err != nil {
		return nil, err
	}
	if n.grouped {
		return nil, fmt.Errorf("kin: select from %s: a group of rows has no slices of related ones; they are those of one row", s.Query.Model.Name)
	}
	statement := &Statement{CTEs: *n.ctes, With: sel, Name: n.name, Nest: n.nest}
	if err := n.layout(statement); err != nil {
		return nil, err
	}
	for _, arm := range statement.Arms {
		if err := n.check(arm); err != nil {
			return nil, err
		}
	}
	return statement, n.check(sel)
}

// rootNumber is the column of the CTE that numbers the roots.
const rootNumber = "n"

// roots makes a SELECT of the query's rows the CTE: of those that the selection
// keeps, in its order.
func (n *nesting) roots(s Selection, sel *Select, root *node) error {
	having, err := n.ask(place{sel.From, sel.From.Table}, Group{Parts: s.Having})
	if err != nil {
		return err
	}
	if having != Const(true) {
		sel.Where = Both(having, sel.Where)
	}
	terms := sel.Order
	if len(s.Order) > 0 {
		if _, _, err := s.terms(s.Order, true, func(int) bool { return true }); err != nil { // names none
			return err
		}
		if terms, err = n.orderBy(s, sel.From); err != nil {
			return err
		}
	} else if terms == nil {
		terms = n.terms(sel.From, sel.From.Table, root, s.Query.Reverse)
	}
	sel.Columns, sel.Order = nil, nil
	for i, c := range s.Query.Model.Key {
		sel.Columns = append(sel.Columns, As{Ref{sel.From.Table, c}, KeyName(i)})
	}
	sel.Columns = append(sel.Columns, As{RowNumber{Order: terms}, rootNumber})
	if sel.Limit, sel.Offset = s.Limit, s.Offset; sel.Limit != nil || sel.Offset > 0 {
		sel.Order = terms
	}
	if sel.Limit != nil && *sel.Limit == 0 {
		sel.Where = Const(false)
	}
	return n.err
}

// orderBy returns the order by fields, as expressions over the roots.
func (n *nesting) orderBy(s Selection, from *From) (terms []Term, err error) {
	for _, text := range s.Order {
		name, _ := schema.Untyped(strings.TrimLeft(text, "+-"))
		i := slices.IndexFunc(s.Fields, func(f Selected) bool { return f.Name == name || f.Text == name })
		e, err := n.one(from, s.Fields[i])
		if err != nil {
			return nil, err
		}
		terms = append(terms, Term{Expr: e, Column: columnOf(e), Desc: strings.HasPrefix(text, "-"), Nulls: n.mayBeNull(e)})
	}
	for _, c := range s.Query.Model.Key {
		terms = append(terms, Term{Expr: Ref{from.Table, c}, Column: c})
	}
	return terms, nil
}

// one resolves a value of a row, of which there is one.
func (n *nesting) one(from *From, f Selected) (Expr, error) {
	if f.Value == nil && !strings.Contains(f.Text, "(") {
		if p, err := lookup.Member(from.Table.Model, f.Text); err == nil && slices.ContainsFunc(p.Hops, toMany) {
			return nil, fmt.Errorf("kin: %.200q of %s leads to many rows; beside slices, a row has one of each: take a slice for it, too", f.Text, from.Table.Model.Name)
		}
	}
	return n.selected(from, f)
}

// element is one for the element of a slice: annotations are the roots'.
func (n *nesting) element(from *From, f Selected) (Expr, error) {
	annotations := n.query.Annotations
	n.query.Annotations = nil
	defer func() { n.query.Annotations = annotations }()
	return n.one(from, f)
}

// toRoots joins the CTE to a table whose columns are the roots' key.
func (n *nesting) toRoots(t *Table, columns []*schema.Column) *Join {
	cte := &Table{Model: n.query.Model, Alias: n.name, CTE: n.name}
	j := &Join{Parent: t, Table: cte, Inner: true, Left: refs(t, columns)}
	for i := range columns {
		j.Right = append(j.Right, Name{cte, KeyName(i)})
	}
	return j
}

// slices plans the arms of a record's slices, and of those within their
// elements. before leads from the roots to the rows of the record.
func (n *nesting) slices(parent int, m *schema.Model, r *hydrate.Record, before []*schema.Relation) error {
	for i := range r.Slices {
		sl := &r.Slices[i]
		p, err := lookup.Member(m, sl.Text)
		if err == nil {
			err = n.may(m, p)
		}
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(p.Hops, toMany) {
			return fmt.Errorf("kin: %.200q of %s leads to one value, and the field is a slice", sl.Text, m.Name)
		}
		if p.Column != nil && !sl.Scalar {
			return fmt.Errorf("kin: %.200q of %s ends in a field, and the slice is of structs; name the relation", sl.Text, m.Name)
		}
		if err := n.elements(parent, m, sl, p, before); err != nil {
			return err
		}
	}
	return nil
}

// elements plans the arm of a slice, whose path begins at rows of m.
func (n *nesting) elements(parent int, m *schema.Model, sl *hydrate.RecordSlice, p lookup.Path, before []*schema.Relation) error {
	hops := slices.Clip(before)
	for _, r := range p.Hops {
		hops = append(hops, r.Hops()...)
	}
	from, tables := n.back(hops)
	end := from.Table
	arm := hydrate.NestArm{Record: sl.Elem, Slice: sl, Parent: parent, Above: len(n.nest.Arms[parent].Keys)}
	number := len(n.nest.Arms)
	cte := from.Joins[len(from.Joins)-1].Table
	sel := &Select{From: from, Columns: []Expr{Number(number), Name{cte, rootNumber}, nil}}
	if end.Scope != nil {
		sel.Where = end.Scope
	}
	out := nestedArm{sel: sel}
	// A row on the way goes by its key, but one that a foreign key leads to, which
	// goes by that of the row before.
	var terms []Term
	for i, r := range hops {
		if r.Kind != schema.ToMany && i < len(hops)-1 {
			continue
		}
		for _, c := range r.To.Key {
			out.exprs = append(out.exprs, Ref{tables[i], c})
			arm.Keys = append(arm.Keys, hydrate.ColumnSlot{Column: c})
		}
	}
	for i, r := range slices.Backward(hops) {
		for _, c := range r.To.Key {
			terms = append(terms, Term{Expr: Ref{tables[i], c}, Column: c})
		}
	}
	sel.Columns[2] = RowNumber{Order: terms}
	defer n.guards.beyond(m, p.Hops)()
	if sl.Scalar {
		columns := end.Model.Key
		if p.Column != nil {
			columns = []*schema.Column{p.Column}
		}
		if len(columns) != 1 {
			return fmt.Errorf("kin: %.200q leads to a key of %d columns; name one of them", sl.Text, len(columns))
		}
		if err := (Selected{Name: sl.Text, Into: sl.Elem.Fields[0].Column}).holds(columns[0]); err != nil {
			return err
		}
		out.exprs = append(out.exprs, Ref{end, columns[0]})
	}
	for _, f := range sl.Elem.Fields {
		if sl.Scalar {
			break
		}
		e, err := n.element(from, Selected{Name: f.Name, Text: f.Text, Into: f.Column})
		if err != nil {
			return err
		}
		out.exprs = append(out.exprs, e)
	}
	n.arms, n.nest.Arms = append(n.arms, out), append(n.nest.Arms, arm)
	return n.slices(number, end.Model, sl.Elem, hops)
}

// back returns the rows at the end of relations from the roots, joined back to
// these, and the table of each relation.
func (n *nesting) back(hops []*schema.Relation) (*From, []*Table) {
	tables := make([]*Table, len(hops))
	for i, r := range hops {
		tables[i] = n.table(r)
	}
	from := &From{Table: tables[len(hops)-1]}
	for i := len(hops) - 1; i > 0; i-- {
		from.Joins = append(from.Joins, &Join{
			Parent: tables[i], Table: tables[i-1], Relation: hops[i].Inverse, Inner: true,
			Left: refs(tables[i], hops[i].ToColumns), Right: refs(tables[i-1], hops[i].FromColumns),
		})
	}
	model := n.query.Model
	if slices.Equal(hops[0].FromColumns, model.Key) {
		from.Joins = append(from.Joins, n.toRoots(tables[0], hops[0].ToColumns))
		return from, tables
	}
	root := &Table{Model: model, Alias: model.Table}
	from.Joins = append(from.Joins, &Join{
		Parent: tables[0], Table: root, Inner: true, Left: refs(tables[0], hops[0].ToColumns), Right: refs(root, hops[0].FromColumns),
	}, n.toRoots(root, model.Key))
	return from, tables
}

// layout gives every arm a place for what each has.
func (n *nesting) layout(s *Statement) error {
	first := hydrate.NestHead
	for i := range n.arms {
		own := &n.nest.Arms[i]
		for j := range own.Keys {
			own.Keys[j].Slot = first + j
		}
		own.First = first + len(own.Keys)
		first += len(n.arms[i].exprs)
	}
	n.nest.Width = first
	for i, arm := range n.arms {
		for j, other := range n.arms {
			for _, e := range other.exprs {
				if i == j {
					arm.sel.Columns = append(arm.sel.Columns, e)
					continue
				}
				slot, err := n.blank(e, j > 0)
				if err != nil {
					return err
				}
				arm.sel.Columns = append(arm.sel.Columns, Blank{slot})
			}
		}
		s.Arms = append(s.Arms, arm.sel)
	}
	return nil
}

var errTypeless = errors.New("kin: beside slices, each value needs a type, which raw SQL does not have; give it one by a function such as kin.Coalesce")

// blank returns what stands for an expression where another arm has it.
func (n *nesting) blank(e Expr, later bool) (*Slot, error) {
	c := columnOf(e)
	if c == nil {
		return nil, errTypeless
	}
	s := &Slot{Column: c, Shared: true, First: later}
	if c.Source.Field.Tag.Type != "" || c.Value.Kind == dialect.Custom {
		if s.Shared = false; c.Model.Table == "" {
			return nil, errTypeless
		}
	}
	return s, nil
}

func toMany(r *schema.Relation) bool { return r.Kind == schema.ToMany }
