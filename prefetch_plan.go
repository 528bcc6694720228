package kin

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// A level is a Prefetch that is planned: a statement that is given the keys of
// the rows above.
type level struct {
	*hydrate.Level

	path      string // from the query's model
	statement *plan.Statement
	columns   []*schema.Column // whose values the keys are
	most      int              // how many keys the statement takes
	unasked   bool             // whether it need not be told them, where the roots are all of their table
	texts     atomic.Pointer[[]levelText]
	share     atomic.Int32 // how many rows each parent had the last time, in sixteenths
	below     []*level
	size      readSize
}

// A levelText is a level's statement with room for so many keys.
type levelText struct {
	form sqlgen.KeyForm
	sql  string
	args []driver.Value
}

// An asked is a Prefetch on the way along its path: the relations that are
// left.
type asked struct {
	prefetch

	hops []*schema.Relation
}

// text returns the path that is left.
func (a asked) text() string {
	names := make([]string, len(a.hops))
	for i, r := range a.hops {
		names[i] = r.Name
	}
	return strings.Join(names, "__")
}

// leveling plans the levels of a query.
type leveling struct {
	graph   *schema.Graph
	dialect dialect.Dialect
	filter  func(*plan.Table) (plan.Cond, error)
	fetch   fetchMode // of the query
}

// levels plans what is loaded below the rows of q, which are those of a node
// of the level above. Others may have asked for more.
func (p *leveling) levels(above *level, q *query, m *schema.Model, others []asked) error {
	asks := slices.Clone(others)
	for _, f := range q.prefetch {
		hops, err := f.resolve(m)
		if err != nil {
			return err
		}
		asks = append(asks, asked{f, hops})
	}
	type group struct {
		source   int
		relation *schema.Relation
		whole    *asked // that ends here
		rest     []asked
	}
	var groups []*group
	for _, a := range asks {
		source, left := joined(above.Shape, above.Rows, a.hops)
		if len(left) == 0 {
			return fmt.Errorf("kin: %s is loaded by SelectRelated and by Prefetch(%q); a field can hold one: take one of them",
				a.hops[len(a.hops)-1].GoName(), a.path)
		}
		i := slices.IndexFunc(groups, func(g *group) bool { return g.source == source && g.relation == left[0] })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{source: source, relation: left[0]})
		}
		g := groups[i]
		switch {
		case len(left) > 1:
			g.rest = append(g.rest, asked{a.prefetch, left[1:]})
		case g.whole == nil:
			g.whole = &a
		case g.whole.sub != a.sub:
			return fmt.Errorf("kin: %s is loaded by two Prefetch with different subqueries, %q and %q; a field can hold one: "+
				"take one of them, or run the other by itself", left[0].GoName(), g.whole.path, a.path)
		}
	}
	for _, g := range groups {
		var sub *query
		if g.whole != nil {
			sub = g.whole.sub
		}
		if err := p.level(above, g.source, g.relation, sub, q.deleted, g.rest); err != nil {
			return err
		}
	}
	return nil
}

// resolve returns the relations of the path, from the model m on.
func (f *prefetch) resolve(m *schema.Model) ([]*schema.Relation, error) {
	hops, err := lookup.Load(m, f.path)
	if err == nil {
		err = plan.Secret(m, f.path, hops)
	}
	if err != nil {
		return nil, err
	}
	if to := hops[len(hops)-1].To; f.model != nil && f.model != to.Type {
		return nil, fmt.Errorf("kin: Prefetch(%q) of %s loads rows of %s, and its subquery has rows of %s: take kin.Query[%s]()",
			f.path, m.Name, to.Name, f.model.Name(), to.Type)
	}
	return hops, nil
}

// checkPrefetch returns what is wrong with the paths of a query that loads
// nothing.
func (q *query) checkPrefetch(m *schema.Model) error {
	for _, f := range q.prefetch {
		if _, err := f.resolve(m); err != nil {
			return err
		}
	}
	return nil
}

// level plans the level of a relation from the rows of a node above.
func (p *leveling) level(above *level, source int, r *schema.Relation, sub *query, deleted bool, rest []asked) error {
	q := sub.derived()
	q.deleted = q.deleted || deleted
	if r.Kind == schema.ToOne && (q.limit != nil || q.offset > 0) {
		return fmt.Errorf("kin: Prefetch of %s has a limit or an offset, but it leads to one row for each: leave it out, or take Filter", r.GoName())
	}
	l := &level{Level: &hydrate.Level{Relation: r, Above: above.Level, Source: source}, path: strings.TrimPrefix(above.path+"__"+r.Name, "__")}
	if what := q.wholesOnly(p.fetch); what != "" {
		return fmt.Errorf("kin: the subquery of Prefetch(%q) is to %s", l.path, what)
	}
	if sub.trims(deleted) {
		l.Trim = sub
	}
	asks := q.plan(r.To, p.graph)
	asks.Level, asks.Filter = r, p.filter
	for _, a := range rest {
		asks.Linked = append(asks.Linked, a.text())
	}
	var err error
	if l.statement, err = plan.Rows(asks, p.dialect); err != nil {
		return fmt.Errorf("kin: the subquery of Prefetch(%q): %w", l.path, trimKin(err))
	}
	above.below = append(above.below, l)
	above.Below = append(above.Below, l.Level)
	if l.statement.Empty {
		// What would hang on its rows must be right all the same.
		l.Shape = &hydrate.Shape{Nodes: []*hydrate.Node{{Model: r.To, Parent: -1}}}
		return p.levels(l, q, r.To, rest)
	}
	l.Shape = l.statement.Shape
	l.columns = r.ToColumns
	if r.Kind == schema.ToMany {
		l.Rows = 1
	}
	if r.Via != nil {
		l.columns, l.Rows = r.Via.Link.ToColumns, 2
	}
	if r.Kind == schema.ToMany && l.Shape.Nodes[l.Rows].Ordered {
		l.Trim = sub
	}
	l.unasked = l.mayUnasked(above)
	if err := p.prepare(l); err != nil {
		return err
	}
	return p.levels(l, q, r.To, rest)
}

// mayUnasked reports whether the rows of all parents can be asked for without
// naming these, if the roots are all rows of their table: then the level's parents
// are, too. What else comes has a foreign key that leads nowhere, which the reader
// has to tell.
func (l *level) mayUnasked(above *level) bool {
	r := l.Relation
	return r.Kind == schema.ToMany && r.Via == nil && l.Source == above.Rows && l.Shape.ArmSlot < 0 && plan.ByInts(r) &&
		(above.Above == nil || above.unasked && above.statement.Whole && !slices.ContainsFunc(above.columns, func(c *schema.Column) bool { return c.Nullable }))
}

// wholesOnly returns what a subquery of Prefetch asks for and has not for itself,
// or an empty text: what the query around it is, it may be too.
func (q *query) wholesOnly(around fetchMode) string {
	const say = ", which is said of the query around it"
	switch m := q.fetch; {
	case q.reads.lock != nil:
		return "lock with ForUpdate or ForShare; lock the rows by a query of their own"
	case q.reads.maxRows > 0:
		return "count with MaxRows; give it a limit, which is that of each parent, or the database WithMaxRows"
	case m.strict && !around.strict:
		return "be Strict" + say
	case m.peers && !around.peers:
		return "be read with FetchPeers" + say
	case m.concurrent && !around.concurrent:
		return "be Concurrent" + say
	case m.snapshot && !around.snapshot:
		return "be read in a Snapshot" + say
	}
	return ""
}

// each calls f for the level and those below that have statements.
func (l *level) each(f func(*level)) {
	f(l)
	for _, below := range l.below {
		if !below.statement.Empty {
			below.each(f)
		}
	}
}

// prepare finds out how many keys the level's statement takes, and writes it
// for one.
func (p *leveling) prepare(l *level) error {
	traits := p.dialect.Traits()
	text, err := l.text(sqlgen.FormOf(l.columns, 1, 1, traits), p.dialect)
	if err != nil {
		return err
	}
	l.most = sqlgen.KeysAtOnce(l.columns, len(text.args)-len(l.columns), traits)
	return nil
}

// joined follows hops through what a statement joins, from the node at on. It
// returns the node where it ends, and the hops that are left.
func joined(s *hydrate.Shape, at int, hops []*schema.Relation) (int, []*schema.Relation) {
	for i, r := range hops {
		next := at
		for _, h := range r.Hops() {
			parent := next
			next = slices.IndexFunc(s.Nodes, func(n *hydrate.Node) bool { return n.Relation == h && n.Parent == parent && n != s.Nodes[0] })
			if next < 0 {
				return at, hops[i:]
			}
			if h.Kind == schema.ToMany && !slices.ContainsFunc(s.Nodes[next].Homes, func(x hydrate.Home) bool { return x.Field == r.Field }) {
				return at, hops[i:]
			}
		}
		at = next
	}
	return at, nil
}

// text returns the level's statement for keys of the form.
func (l *level) text(form sqlgen.KeyForm, d dialect.Dialect) (*levelText, error) {
	kept := l.texts.Load()
	if kept != nil {
		for i := range *kept {
			if t := &(*kept)[i]; t.form == form {
				return t, nil
			}
		}
	}
	text := sqlgen.WriteKeys(l.statement, d, form)
	if text.Err != nil {
		return nil, text.Err
	}
	t := levelText{form: form, sql: text.SQL, args: text.Args}
	list := []levelText{t}
	if kept != nil {
		list = append(list, *kept...)
	}
	l.texts.CompareAndSwap(kept, &list) // a loser of this race has written the same
	return &list[0], nil
}
