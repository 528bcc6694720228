package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// An Annotation is a name for an expression, which lookups may use.
type Annotation struct {
	Name  string
	Value Value
}

// A Selection asks for values of a query's rows in place of the rows.
type Selection struct {
	Query    Query
	Fields   []Selected
	Having   []Ask
	Order    []string // names or texts of fields, "-" before those in descending order
	Distinct bool
	Labelled bool   // whether it is part of a set: its columns have names
	Limit    *int64 // of the rows of the selection, not of the query's
	Offset   int64
}

// A Selected is one value of a row: a path, the call of an aggregate, or the
// name of an annotation.
type Selected struct {
	Name  string // by which it can be sorted
	Text  string
	Value Value // in place of Text
}

// Select plans a selection.
func (s Selection) Select(d dialect.Dialect) (*Statement, error) {
	b := newBuilder(s.Query, d)
	sel, root, empty, err := b.base()
	if err != nil || empty {
		return &Statement{Empty: empty}, err
	}
	b.own = true
	from := sel.From
	exprs := make([]Expr, len(s.Fields))
	for i, f := range s.Fields {
		if exprs[i], err = b.selected(from, f); err != nil {
			return nil, err
		}
	}
	having, err := b.ask(place{from, from.Table}, Group{Parts: s.Having})
	if err != nil {
		return nil, err
	}
	if having == Const(false) {
		return &Statement{Empty: true}, nil
	}
	if having != Const(true) {
		sel.Having = having
	}
	sel.Distinct, sel.Folds = s.Distinct, s.Distinct || s.Labelled
	for i, e := range exprs {
		if b.grouped && !aggregates(e) && !constant(e) {
			if sub, ok := e.(Sub); ok {
				if e, err = grouping(sub); err != nil {
					return nil, err
				}
				sel.Columns = append(sel.Columns, e)
				continue
			}
			sel.Group = append(sel.Group, i+1)
		}
		sel.Columns = append(sel.Columns, e)
	}
	sel.Folds = sel.Folds || sel.Group != nil
	if err := b.sorted(sel, s, root); err != nil {
		return nil, err
	}
	sel.Limit, sel.Offset = s.Limit, s.Offset
	if s.Labelled {
		for i, e := range sel.Columns {
			sel.Columns[i] = As{e, ValueName(i)}
		}
		if sel.Limit == nil && sel.Offset == 0 {
			sel.Order = nil
		}
	}
	if sel.Having != nil && !b.grouped { // what each row is asked
		sel.Where, sel.Having = Both(sel.Having, sel.Where), nil
	}
	return &Statement{Arms: []*Select{sel}}, b.check(sel)
}

// base returns a SELECT of the query's rows without columns, over a derived
// table if the query is limited.
func (b *builder) base() (sel *Select, root *node, empty bool, err error) {
	root, _, err = b.tree()
	if err != nil {
		return nil, nil, false, err
	}
	from := b.root()
	where, err := b.where(from, b.query.Calls)
	switch {
	case err != nil:
		return nil, nil, false, err
	case where == Const(false) || b.query.Limit != nil && *b.query.Limit == 0:
		return nil, nil, true, nil
	case where == Const(true):
		where = nil
	}
	sel = &Select{From: from, Where: where, Limit: b.query.Limit, Offset: b.query.Offset}
	if sel.Limit != nil || sel.Offset > 0 {
		sel.Order = b.terms(from, from.Table, root, b.query.Reverse)
		sel = b.derive(sel, nil)
	}
	return sel, root, false, nil
}

// selected resolves one value of a row.
func (b *builder) selected(from *From, f Selected) (Expr, error) {
	v := f.Value
	if v == nil {
		if a, ok := b.annotation(f.Text); ok {
			v = a
		} else if call, ok := AggregateOf(f.Text); ok {
			v = call
		} else {
			v = Column{Path: Lazy{Text: f.Text}}
		}
	}
	if c, ok := v.(Column); ok {
		return b.reached(from, c.Path)
	}
	return b.value(from, v, nil, 0)
}

// reached returns a column that is joined flat: a row for each at the end of
// the path.
func (b *builder) reached(from *From, name Lazy) (Expr, error) {
	text, err := name.At(from.Table.Model)
	if err != nil {
		return nil, err
	}
	p, err := lookup.Member(from.Table.Model, text)
	if err != nil {
		return nil, err
	}
	at := from.Table
	var hops []*schema.Relation
	for _, r := range p.Hops {
		hops = append(hops, r.Hops()...)
	}
	for len(hops) > 0 && (hops[0].Kind != schema.ToOne || !(step{path: p, hops: hops}).ends()) {
		at = b.join(from, at, hops[0], false)
		hops = hops[1:]
	}
	switch {
	case len(hops) == 0 && p.Column != nil:
		return Ref{at, p.Column}, nil
	case len(hops) == 1 && p.Column != nil:
		return Ref{at, hops[0].FromColumns[slices.Index(hops[0].ToColumns, p.Column)]}, nil
	}
	columns := at.Model.Key
	if len(hops) == 1 {
		columns = hops[0].FromColumns
	}
	if len(columns) > 1 {
		return nil, fmt.Errorf("kin: %q leads to a key of %d columns; select them one by one", text, len(columns))
	}
	return Ref{at, columns[0]}, nil
}

func (b *builder) annotation(name string) (Value, bool) {
	i := slices.IndexFunc(b.query.Annotations, func(a Annotation) bool { return a.Name == name })
	if i < 0 {
		return nil, false
	}
	return b.query.Annotations[i].Value, true
}

// sorted gives the selection its order: that asked for, else that of the
// query's rows, or, where these are lost, that of what is selected.
func (b *builder) sorted(sel *Select, s Selection, root *node) error {
	order, own := s.Order, len(s.Order) > 0
	lost := b.grouped || s.Distinct
	if !own && lost {
		order = s.Query.Order
	}
	if !own && !lost {
		if sel.Order == nil {
			sel.Order = b.terms(sel.From, sel.From.Table, root, s.Query.Reverse)
		}
		return nil
	}
	sel.Order = nil
	used := map[int]bool{}
	for _, text := range order {
		name := strings.TrimLeft(text, "+-")
		i := slices.IndexFunc(s.Fields, func(f Selected) bool { return f.Name == name || f.Text == name })
		if i < 0 && !own {
			continue // it has sorted the rows, which are no more
		}
		if i < 0 {
			return fmt.Errorf("kin: the order %q is none of what is selected: %s%s", name, strings.Join(s.names(), ", "),
				schema.Suggest(name, slices.Values(s.names())))
		}
		used[i] = true
		sel.Order = append(sel.Order, Term{Expr: Number(i + 1), Desc: strings.HasPrefix(text, "-"), Nulls: b.mayBeNull(sel.Columns[i])})
	}
	for i, e := range sel.Columns { // so that the order is total
		if !used[i] && (lost && !aggregates(e) || !lost) {
			sel.Order = append(sel.Order, Term{Expr: Number(i + 1), Nulls: b.mayBeNull(e)})
		}
	}
	return nil
}

func (s Selection) names() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names
}

// constant reports whether an expression is the same for all rows.
func constant(e Expr) bool { _, ok := e.(Param); return ok }

// aggregates reports whether an expression has an aggregate of the rows that
// are read in it.
func aggregates(e Expr) bool {
	switch e := e.(type) {
	case Agg:
		return true
	case Binary:
		return aggregates(e.X) || aggregates(e.Y)
	case Called:
		return slices.ContainsFunc(e.Args, aggregates)
	case Cased:
		return aggregates(e.Else) || slices.ContainsFunc(e.Whens, func(w CasedWhen) bool { return aggregates(w.Then) })
	}
	return false
}
