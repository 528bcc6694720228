package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
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
	Record   *hydrate.Record // of which the fields are
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
	Value Value          // in place of Text
	Into  *schema.Column // one that holds values of the field, or nil
}

// Select plans a selection.
func (s Selection) Select(d dialect.Dialect) (*Statement, error) {
	if len(s.Record.Slices) > 0 {
		return s.nest(d)
	}
	b := newBuilder(s.Query, d)
	b.totals = true
	sel, root, err := b.base()
	if err != nil {
		return nil, err
	}
	none := sel == nil
	if none { // of which there still are aggregates
		sel = &Select{From: b.root(), Where: Const(false)}
	}
	b.own = true
	defer b.ward(s.Query.Guard)()
	from := sel.From
	exprs := make([]Expr, len(s.Fields))
	for i, f := range s.Fields {
		if exprs[i], err = b.selected(from, f); err != nil {
			return nil, err
		}
	}
	having, err := b.having(place{from, from.Table}, Group{Parts: s.Having})
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
		if b.grouped && !constant(e) {
			whole, ok, err := grouping(e)
			switch {
			case err != nil:
				return nil, err
			case ok && aggregates(whole):
				e = whole
			case !aggregates(e):
				sel.Group = append(sel.Group, i+1)
			}
		}
		sel.Columns = append(sel.Columns, e)
	}
	if none && (sel.Group != nil || !b.grouped) {
		return &Statement{Empty: true}, nil
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
	return &Statement{CTEs: *b.ctes, Arms: []*Select{sel}}, b.check(sel)
}

// having resolves what is asked of each row, or, if rows are grouped, of each
// group.
func (b *builder) having(at place, ask Ask) (Cond, error) {
	if !b.grouped {
		c, err := b.ask(at, ask)
		if err != nil || !b.grouped { // by the condition itself
			return c, err
		}
	}
	b.groups = at.at
	defer func() { b.groups = nil }()
	return b.ask(at, ask)
}

// ofRow returns an error if what is asked of the rows of a table is asked of
// groups of them.
func (b *builder) ofRow(t *Table) error {
	if b.groups != t {
		return nil
	}
	return fmt.Errorf("kin: Having asks groups of rows of %s by their aggregates; ask the rows themselves by Filter, before", t.Model.Name)
}

// base returns a SELECT of the query's rows without columns, over a derived
// table if the query is limited, or nil if it is known that there are none.
func (b *builder) base() (sel *Select, root *node, err error) {
	sel, root, err = b.bare()
	if err == nil && sel != nil && (sel.Limit != nil || sel.Offset > 0) {
		if err := b.derivable(); err != nil {
			return nil, nil, err
		}
		sel.Order = b.terms(sel.From, sel.From.Table, root, b.query.Reverse)
		sel = b.derive(sel, nil)
	}
	return sel, root, err
}

// selected resolves one value of a row.
func (b *builder) selected(from *From, f Selected) (Expr, error) {
	e, err := b.valueOfRow(from, f)
	if err == nil {
		err = f.holds(columnOf(e))
	}
	return e, err
}

// holds returns an error if the field does not hold values of the column, which
// may be nil. Most are told when they are read; but of these, each database would
// give another form.
func (f Selected) holds(c *schema.Column) error {
	switch {
	case c == nil:
	case c.Field.Encrypted != nil:
		return fmt.Errorf("kin: %s is encrypted, and read with its row", c.GoName())
	case f.Into != nil && c.Value.Kind == dialect.Time && f.Into.Value.Kind != dialect.Time && f.Into.Value.Kind != dialect.Custom:
		return fmt.Errorf("kin: %q is a time, and is read into a time.Time and not into a %s", f.Name, f.Into.Field.Type)
	}
	return nil
}

func (b *builder) valueOfRow(from *From, f Selected) (Expr, error) {
	v := f.Value
	if v == nil {
		if a, ok := b.annotation(f.Text); ok {
			if err := b.guards.guard.named(b.query.Model, f.Text); err != nil {
				return nil, err
			}
			v = a
		} else if call, ok := AggregateOf(f.Text); ok {
			v = call
		} else {
			v = Column{Path: Lazy{Text: f.Text}}
		}
	}
	if w, ok := v.(Warded); ok {
		defer b.ward(w.Guard)()
		v = w.Value
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
	if err == nil {
		err = b.lazily(from.Table.Model, name, p)
	}
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
		b.sortMany(p, hops[0], at)
		hops = hops[1:]
	}
	return step{path: p, hops: hops}.reference(at)
}

// sortMany notes the order of the rows at the end of a hop of a path, if there are
// many: that of their primary key, to which links lead. Without it, each database
// would have another, and a limit other rows.
func (b *builder) sortMany(p lookup.Path, hop *schema.Relation, at *Table) {
	if hop.Kind != schema.ToMany || slices.ContainsFunc(b.many, func(t Term) bool { return t.Expr.(Ref).Table == at }) {
		return
	}
	key := at.Model.Key
	for _, r := range p.Hops {
		if r.Via != nil && r.Via.Link == hop {
			key = r.Via.Target.FromColumns
		}
	}
	for _, c := range key {
		b.many = append(b.many, Term{Expr: Ref{at, c}, Column: c})
	}
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
		sel.Order = slices.Concat(sel.Order, b.many)
		return nil
	}
	nulls := func(i int) bool { return b.mayBeNull(sel.Columns[i]) }
	var used map[int]bool
	var err error
	// What has sorted the query's rows may not be selected: they are no more.
	if sel.Order, used, err = s.terms(order, own, nulls); err != nil {
		return err
	}
	for i, e := range sel.Columns { // so that the order is total
		if isList(e) {
			if used[i] || s.Distinct {
				return errList
			}
			continue
		}
		if !used[i] && (lost && !aggregates(e) || !lost) {
			sel.Order = append(sel.Order, Term{Expr: Number(i + 1), Nulls: b.mayBeNull(e)})
		}
	}
	return nil
}

// terms returns the order by fields of the selection, and which fields these
// are. Texts that name none are an error, if it is strict, or left out.
func (s Selection) terms(order []string, strict bool, nulls func(field int) bool) (terms []Term, used map[int]bool, err error) {
	used = map[int]bool{}
	for _, text := range order {
		name, _ := schema.Untyped(strings.TrimLeft(text, "+-"))
		i := slices.IndexFunc(s.Fields, func(f Selected) bool { return f.Name == name || f.Text == name })
		if i < 0 {
			if strict {
				return nil, nil, fmt.Errorf("kin: the order %q is none of what is selected: %s%s", name, strings.Join(s.names(), ", "),
					schema.Suggest(name, slices.Values(s.names())))
			}
			continue
		}
		used[i] = true
		terms = append(terms, Term{Expr: Number(i + 1), Desc: strings.HasPrefix(text, "-"), Nulls: nulls(i)})
	}
	return terms, used, nil
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
	case Dig:
		return aggregates(e.Doc)
	case Called:
		return slices.ContainsFunc(e.Args, aggregates)
	case Cased:
		return aggregates(e.Else) || slices.ContainsFunc(e.Whens, func(w CasedWhen) bool { return aggregates(w.Then) })
	}
	return false
}
