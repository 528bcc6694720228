package plan

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/alias"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// A Subquery is another query within a condition or an expression. Its rows may
// be compared with the row of the query around it, by [Outer].
type Subquery struct {
	Model reflect.Type
	// Sourced is whether its rows are those of a selection, and of no model.
	Sourced bool
	Make    func(m *schema.Model, g *schema.Graph) (Query, error)
}

// Exist is met if a subquery has rows.
type Exist struct{ Sub Subquery }

// ValueOf is what an expression is of the first row of a subquery, or an
// aggregate of its rows, or NULL if it has none.
type ValueOf struct {
	Sub   Subquery
	Value Value
}

// Among is met if the value of a path is one of those that a subquery has, of
// an expression or, if there is none, of its rows' keys.
type Among struct {
	Path  Lazy
	Sub   Subquery
	Value Value
}

// Outer is a column of the row of the query around a subquery.
type Outer struct{ Path Lazy }

func (Exist) isAsk()     {}
func (Among) isAsk()     {}
func (ValueOf) isValue() {}
func (Outer) isValue()   {}

// A Nested is a subquery for one value, which stands for itself.
type Nested struct {
	Select *Select
	Type   *schema.Column
}

// A There is met if a SELECT has rows.
type There struct{ Select *Select }

func (Nested) isExpr() {}
func (*There) isCond() {}

// inner returns a builder for a subquery within the rows of a place, and its
// query's rows.
func (b *builder) inner(at place, s Subquery) (*builder, *Select, *node, error) {
	if b.depth++; b.depth > MaxDepth {
		return nil, nil, nil, errDepth
	}
	defer func() { b.depth-- }()
	g := b.query.Graph
	m := g.Model(s.Model)
	if m == nil && !s.Sourced {
		return nil, nil, nil, fmt.Errorf("kin: a subquery is on %s, which is not registered here", s.Model.Name())
	}
	q, err := s.Make(m, g)
	if err != nil {
		return nil, nil, nil, err
	}
	q.Filter = b.query.Filter
	n := b.nested(q, &around{b, at})
	sel, root, err := n.base()
	if err == nil && sel == nil {
		sel = &Select{From: n.root(), Where: Const(false)}
	}
	return n, sel, root, err
}

// An around is where a subquery is.
type around struct {
	b  *builder
	at place
}

// rootAlias returns an alias for the roots: the table's name, and another in
// each subquery.
func (b *builder) rootAlias() string {
	name := b.query.Model.Table
	if b.around == nil {
		return name
	}
	b.used[name]++
	return alias.Nth(name, b.used[name]+1)
}

func (b *builder) exist(at place, e Exist) (Cond, error) {
	// One row is as good as several, and a limit is a derived table, into which
	// not every database lets Outer see.
	sub := e.Sub
	sub.Make = func(m *schema.Model, g *schema.Graph) (Query, error) {
		q, err := e.Sub.Make(m, g)
		if q.Limit != nil && *q.Limit > 0 && q.Offset == 0 {
			q.Limit = nil
		}
		return q, err
	}
	_, sel, _, err := b.inner(at, sub)
	if err != nil {
		return nil, err
	}
	sel.Columns, sel.Order = []Expr{Number(1)}, nil
	return &There{sel}, nil
}

func (b *builder) valueOf(at place, v ValueOf) (Expr, error) {
	n, sel, root, err := b.inner(at, v.Sub)
	if err != nil {
		return nil, err
	}
	n.own = true
	e, err := n.selected(sel.From, Selected{Value: v.Value})
	if err != nil {
		return nil, err
	}
	sel.Columns = []Expr{e}
	if n.grouped {
		sel.Order = nil // that of a limited query's rows, which are no more
	} else {
		if sel.Order == nil {
			sel.Order = n.terms(sel.From, sel.From.Table, root, n.query.Reverse)
		}
		sel.Order = slices.Concat(sel.Order, n.many)
		one := int64(1)
		sel.Limit = &one
	}
	return Nested{sel, columnOf(e)}, n.err
}

func (b *builder) among(at place, a Among) (Cond, error) {
	text, err := a.Path.At(at.at.Model)
	if err != nil {
		return nil, err
	}
	p, err := lookup.Member(at.at.Model, text)
	if err == nil {
		err = b.lazily(at.at.Model, a.Path, p)
	}
	if err != nil {
		return nil, err
	}
	return b.settle(&tree{step: &step{path: p, hops: p.Hops, place: at, top: at.at, among: &a}})
}

// isAmong returns the condition that columns are among those of a subquery. A
// NULL is none of them, and does not hide others.
func (b *builder) isAmong(at *Table, p step) (Cond, error) {
	n, sel, _, err := b.inner(place{&From{Table: p.top}, p.top}, p.among.Sub)
	if err != nil {
		return nil, err
	}
	ref, err := p.reference(at)
	if err != nil {
		return nil, err
	}
	var e Expr
	if v := p.among.Value; v != nil {
		n.own = true
		if e, err = n.selected(sel.From, Selected{Value: v}); err != nil {
			return nil, err
		}
	} else {
		key := n.query.Model.Key
		if target := ref.Column.Source.Model; target != n.query.Model && (p.path.Column == nil || len(key) > 1) {
			return nil, p.errorf("leads to rows of %s, and the subquery is on %s", target.Name, n.query.Model.Name)
		}
		if len(key) > 1 {
			return nil, p.errorf("a subquery for rows of %s, whose key has %d columns, names a column", n.query.Model.Name, len(key))
		}
		e = Ref{sel.From.Table, key[0]}
	}
	if t := columnOf(e); t != nil && !alike(t.Value.Kind, ref.Column.Value.Kind) {
		return nil, p.errorf("%s, a %s, is not among values of %s", ref.Column.GoName(), ref.Column.Source.Field.Type, t.Source.Field.Type)
	}
	sel.Columns, sel.Order = []Expr{e}, nil
	if w, ok := e.(Window); ok && n.mayBeNull(w) {
		return nil, p.errorf("a value among other rows that may be NULL is looked for in a selection: kin.Select(…).Query()")
	}
	if n.mayBeNull(e) && !n.grouped {
		sel.Where = Both(Not{&Test{X: e, Op: lookup.IsNull}}, sel.Where)
	}
	return &InSelect{Refs: []Expr{ref}, Select: sel}, n.err
}

// reference returns the column that a path ends in, once no more than its last
// foreign key is left: of a row, its key.
func (p step) reference(at *Table) (Ref, error) {
	columns := at.Model.Key
	if len(p.hops) == 1 {
		columns = p.hops[0].FromColumns
	}
	switch {
	case p.path.Column != nil && len(p.hops) == 0:
		return Ref{at, p.path.Column}, nil
	case p.path.Column != nil:
		return Ref{at, columns[slices.Index(p.hops[0].ToColumns, p.path.Column)]}, nil
	case len(columns) != 1:
		return Ref{}, p.errorf("leads to a key of %d columns; name them one by one", len(columns))
	}
	return Ref{at, columns[0]}, nil
}

var errNoOuter = errors.New("kin: Outer is about the query around a subquery, and there is none")

// derivable returns an error if conditions speak of the row of the query around,
// and are to go into a derived table that cannot see it.
func (b *builder) derivable() error {
	if !b.closed {
		return nil
	}
	return fmt.Errorf("kin: a subquery on %s with a limit or DistinctOn speaks of the row around it by Outer, which is not supported by %s", b.query.Model.Name, b.dialect)
}

// outerValue resolves a column of the query around.
func (b *builder) outerValue(o Outer) (Expr, error) {
	if b.around == nil {
		return nil, errNoOuter
	}
	b.closed = b.traits.ClosedDerived
	return b.around.b.columnValue(&From{Table: b.around.at.at}, o.Path)
}
