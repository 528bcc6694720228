package plan

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/alias"
	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A Query is a question about a model, as its user asked it.
type Query struct {
	Model *schema.Model
	Graph *schema.Graph
	// Source has the rows, in place of the model's table; nil for that.
	Source *Source
	Load   []string  // paths of relations
	Keys   []rel.Key // if not empty, only rows with these keys,
	Exact  bool      // which have the version too
	Fixed  []Fixed
	Calls  []Ask
	// Annotations are names for expressions.
	Annotations []Annotation

	// Only and Defer are paths of columns: those that are read of the models in
	// which they end, and those that are not. Linked are paths of relations that
	// other statements load from the rows of this one.
	Only, Defer, Linked []string

	Order  []string // paths, those in descending order with a "-" before them
	Limit  *int64
	Offset int64

	// Level is the relation by which the rows belong to others, whose keys are
	// given when the statement is run: the place of a [KeySet]. Limit and Offset
	// are those of each parent then. It is nil for a query of its own.
	Level *schema.Relation

	On *Distinct // nil for all rows

	// OrderGuard restricts Order, and Guard what is selected, if they are not nil.
	OrderGuard, Guard *Guard
	// Lock asks for rows to be locked; nil for none.
	Lock *Lock
	// Seek asks for the roots after a place in their order; nil for all.
	Seek *Seek
	// Stream is whether the rows are read root by root.
	Stream bool
	// Reverse is whether the order of the roots is turned round.
	Reverse bool

	// Deleted is whether rows that are softly deleted are in, and Alive
	// whether such roots are not, for all that.
	Deleted, Alive bool
	// Filter returns what named filters ask of the rows of a table, or nil; it
	// is nil if there are none.
	Filter func(*Table) (Cond, error)
}

// A Fixed keeps the rows whose key, or whose foreign key in the field of that
// name, is the key given, or one of Keys if there are any. If it has an Owner,
// the field is a many-to-many one of that model, and the rows are those that
// are linked to the row with the key. If There is set, the foreign key leads to
// a row that is there, whichever it is.
type Fixed struct {
	Owner reflect.Type
	Field string
	Key   rel.Key
	Keys  []rel.Key
	There bool
	Slot  int // that stands for Key; 0 for none
}

// A builder makes one statement.
type builder struct {
	query   Query
	d       dialect.Dialect
	dialect string // its name
	traits  *dialect.Traits
	used    map[string]int  // how often an alias is in use
	outer   map[*Table]bool // tables on the far side of an outer join
	err     error           // of the first filter that fails
	depth   int             // of the condition that is being resolved
	budget  int             // of conditions
	values  int             // of expressions, so far
	guards  guarding        // of the condition that is being resolved

	own     bool    // whether the rows that are read may be aggregated
	grouped bool    // whether they are
	many    []Term  // the order of related rows that are read flat, within those of the root
	groups  *Table  // of whose rows groups are asked, or nil
	around  *around // of a subquery
	ctes    *[]CTE  // of the statement
	totals  bool    // whether it is asked even of no rows, which have aggregates
	nothing bool    // whether the source is known to have no rows
	closed  bool    // whether it speaks of the row of the query around
}

func newBuilder(q Query, d dialect.Dialect) *builder {
	return &builder{
		query: q, d: d, dialect: d.Name(), traits: d.Traits(), used: map[string]int{}, outer: map[*Table]bool{}, budget: MaxConditions, ctes: &[]CTE{},
	}
}

// nested returns the builder of a query within b's statement.
func (b *builder) nested(q Query, around *around) *builder {
	return &builder{
		query: q, d: b.d, dialect: b.dialect, traits: b.traits, used: b.used, outer: b.outer, depth: b.depth, budget: b.budget, around: around, ctes: b.ctes,
	}
}

// root returns a From of the query's model. Its scope is a part of where: what
// starts from the roots' keys need not ask again.
func (b *builder) root() *From {
	t := &Table{Model: b.query.Model, Alias: b.rootAlias()}
	if s := b.query.Source; s != nil {
		t.CTE = b.source(s)
	}
	return &From{Table: t}
}

// table returns a table for the far side of a relation, under an alias of its own.
func (b *builder) table(r *schema.Relation) *Table {
	b.used[r.Alias]++
	t := &Table{Model: r.To, Alias: alias.Nth(r.Alias, b.used[r.Alias])}
	t.Scope = b.scope(t, b.query.Deleted)
	return t
}

// from returns a From of the far side of a relation.
func (b *builder) from(r *schema.Relation) *From { return &From{Table: b.table(r)} }

// join joins the far side of the relation to a table of from, once.
func (b *builder) join(from *From, parent *Table, r *schema.Relation, inner bool) *Table {
	for _, j := range from.Joins {
		if j.Parent == parent && j.Relation == r {
			return j.Table
		}
	}
	t := b.table(r)
	if !inner {
		b.outer[t] = true
	}
	from.Joins = append(from.Joins, &Join{
		Parent: parent, Table: t, Relation: r, Inner: inner,
		Left: refs(parent, r.FromColumns), Right: refs(t, r.ToColumns),
	})
	return t
}

func refs(t *Table, columns []*schema.Column) []Expr {
	exprs := make([]Expr, len(columns))
	for i, c := range columns {
		exprs[i] = Ref{t, c}
	}
	return exprs
}

// tree makes the tree of what the query loads, and hangs the orders into it.
func (b *builder) tree() (*node, []*node, error) {
	root := &node{model: b.query.Model}
	for _, text := range b.query.Load {
		hops, err := lookup.Load(b.query.Model, text)
		if err == nil {
			err = Secret(b.query.Model, text, hops)
		}
		if err != nil {
			return nil, nil, err
		}
		at := root
		for _, r := range hops {
			at = at.load(r)
		}
	}
	nodes := root.walk(nil)
	for _, text := range b.query.Order {
		o, desc := text, false
		if len(o) > 0 && (o[0] == '-' || o[0] == '+') {
			o, desc = o[1:], o[0] == '-'
		}
		if v, ok := b.annotation(o); ok {
			if err := b.query.OrderGuard.named(b.query.Model, o); err != nil {
				return nil, nil, err
			}
			root.order = append(root.order, ordering{value: v, desc: desc})
			continue
		}
		path, err := lookup.Order(b.query.Model, o)
		if err == nil {
			err = unordered(path)
		}
		if err == nil {
			err = b.query.OrderGuard.order(b.query.Model, path)
		}
		if err != nil {
			return nil, nil, err
		}
		if err := root.orderBy(path, desc); err != nil {
			return nil, nil, err
		}
	}
	for _, n := range nodes {
		n.dropDefault()
	}
	return root, nodes, b.narrow(root, nodes)
}

// terms returns the order of the rows of n, whose table is t: what was asked
// for, and the primary key to make it total.
func (b *builder) terms(from *From, t *Table, n *node, reverse bool) []Term {
	var terms []Term
	has := map[Ref]bool{}
	add := func(ref Ref, desc bool) {
		if !has[ref] {
			has[ref] = true
			// A row that an outer join did not find is alone with its parent:
			// where it would sort is nobody's concern.
			nulls := ref.Column.Nullable || ref.Table != t && b.outer[ref.Table]
			terms = append(terms, Term{Expr: ref, Column: ref.Column, Desc: desc != reverse, Nulls: nulls})
		}
	}
	for _, o := range n.order {
		if o.value != nil {
			e, err := b.value(from, o.value, nil, 0)
			if err == nil {
				err = incomparable(e)
			}
			if err != nil && b.err == nil {
				b.err = err
			}
			terms = append(terms, Term{Expr: e, Column: columnOf(e), Desc: o.desc != reverse, Nulls: err == nil && b.mayBeNull(e)})
			continue
		}
		at := t
		hops := o.hops
		for len(hops) > 0 && !(step{path: o.path, hops: hops}).ends() {
			at = b.join(from, at, hops[0], false)
			hops = hops[1:]
		}
		switch {
		case len(hops) == 0:
			add(Ref{at, o.path.Column}, o.desc)
		case o.path.Column == nil:
			for _, c := range hops[0].FromColumns {
				add(Ref{at, c}, o.desc)
			}
		default:
			i := slices.Index(hops[0].ToColumns, o.path.Column)
			add(Ref{at, hops[0].FromColumns[i]}, o.desc)
		}
	}
	for _, c := range n.keyOrder() {
		add(Ref{t, c}, false)
	}
	return terms
}

// check returns an error if a filter failed, or if the dialect cannot join
// what the statement joins.
func (b *builder) check(s *Select) error {
	if b.err != nil {
		return b.err
	}
	n := s.tables()
	if b.traits.MaxJoins > 0 && n > b.traits.MaxJoins {
		return fmt.Errorf("kin: the query on %s joins %d tables; this database joins at most %d: load some relations in a query of their own",
			b.query.Model.Name, n, b.traits.MaxJoins)
	}
	return nil
}

// tables returns how many tables the SELECT joins. A database makes a join of IN,
// too.
func (s *Select) tables() int {
	n := 1 + len(s.From.Joins)
	parts, several := s.Where.(All)
	if !several {
		parts = All{s.Where}
	}
	for _, c := range parts {
		if in, ok := c.(*InSelect); ok {
			n += in.Select.tables()
		}
	}
	return n
}
