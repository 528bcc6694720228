package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// A form is a statement that a query can be written as.
type form uint8

const (
	allRows  form = iota
	firstRow      // the first row
	lastRow       // the last row
	oneRow        // two rows at the most, to tell one from several
	stream        // row by row
	count
	exists
	seek     // the rows after a place in the order, and their places
	selected // values in place of rows
)

// A variant is a statement that a query can be written as.
type variant struct {
	form form

	seek   seekKey // of the form seek,
	places int     // with so many values of the place
}

// A compiled is a query written as a statement, and what is given to it.
type compiled struct {
	*statement

	scoping *scoping // of the call; nil if there are no filters
	args    []driver.Value
}

// A statement is a query written as a statement, for one graph and dialect.
type statement struct {
	variant
	graph  *schema.Graph
	traits *dialect.Traits

	filters *filters    // of the DB
	scopes  []keptScope // those that the statement has in it

	first *level // what is prefetched hangs on it; nil if nothing is
	fetch fetchMode
	locks bool // whether it locks rows
	size  readSize

	budgeted bool // whether it has a budget of its own

	*plan.Statement
	nest *hydrate.Nest // of a selection with slices
	sql  string
	err  error
}

// newCompiled returns a statement that is still to be written.
func newCompiled(s *session, g *schema.Graph, v variant) *compiled {
	return &compiled{statement: &statement{variant: v, graph: g, traits: s.dialect.Traits(), filters: s.filters}}
}

// compile is [QuerySet.compile] of a query on the type t.
func (q *query) compile(ctx context.Context, s *session, t reflect.Type, v variant) (*compiled, error) {
	if q == nil {
		q = &query{} // Query[T]() has no place to remember it
	}
	if q.err != nil {
		return nil, q.err
	}
	g, err := s.space.graph()
	if err != nil {
		return nil, err
	}
	traits := s.dialect.Traits()
	sc, err := s.scoping(ctx, g)
	if err != nil {
		return nil, err
	}
	was := q.compiled.p.Load()
	if c, err := was.find(v, g, traits, s.filters, sc); c != nil || err != nil {
		return c, err
	}
	var room [signatureRoom]byte
	var sig signature
	var values given
	if sc == nil {
		sig = signature(room[:0]).sign(&values, q, t, v.form)
	}
	if sig != nil {
		c := s.space.templates.get(sig).bind(g, traits, q, &values)
		if c != nil {
			if q.ran.Swap(true) { // it is run often
				q.compiled.add(was, c)
			}
			return c, nil
		}
	}
	c := newCompiled(s, g, v)
	m, err := q.modelOf(g, t, v.form)
	if err == nil {
		err = checkNames(g, s.dialect)
	}
	if err != nil {
		return nil, err
	}
	if sig != nil {
		if bound := c.template(s, q, string(sig), &values, m); bound != nil {
			q.compiled.add(was, bound)
			return bound, nil
		}
		c = newCompiled(s, g, v)
	}
	c.write(q, m, s.dialect, sc)
	if sc != nil && sc.err != nil {
		return nil, sc.err // which is that of one call
	}
	if errors.Is(c.err, ErrUnsaved) {
		return c, c.err // which a row that is saved in the meantime mends
	}
	q.compiled.add(was, c)
	if c.err != nil {
		return c, c.err
	}
	return sc.bind(c)
}

// template writes the query for all values, and returns the statement for those
// that it has, or nil if that is to be found otherwise.
func (c *compiled) template(s *session, q *query, sig string, values *given, m *schema.Model) *compiled {
	c.write(q.slotted(), m, s.dialect, nil)
	if c.err != nil || c.Empty {
		return nil
	}
	tmpl, whole := newTemplate(c, q, values.pairs)
	if whole {
		s.space.templates.put(sig, tmpl)
	}
	return tmpl.bind(c.graph, c.traits, q, values)
}

// plan returns what the query asks of a model.
func (q *query) plan(m *schema.Model, g *schema.Graph) plan.Query {
	return plan.Query{
		Source: q.planSource(g),
		Model:  m, Graph: g, Load: q.load, Only: q.only, Defer: q.left, Linked: q.linked(), Keys: q.keys, Exact: q.exact, Fixed: q.fixed, Calls: q.calls,
		Annotations: q.annotations, On: q.on, Order: q.order, Limit: q.limit, Offset: q.offset, Deleted: q.deleted,
		Lock: q.reads.lock, OrderGuard: q.reads.orderGuard, Guard: q.reads.guard,
	}
}

// write plans the query and writes it.
func (c *compiled) write(q *query, m *schema.Model, d dialect.Dialect, sc *scoping) {
	p := q.plan(m, c.graph)
	if sc != nil {
		p.Filter = sc.kept
		defer sc.note(c)
	}
	c.fetch, c.budgeted = q.fetch, q.reads.maxRows > 0
	rows := plan.Rows
	switch c.form {
	case allRows:
		p.Limit = q.budgeted()
	case firstRow:
		p.Limit = atMost(q.limit, 1)
	case lastRow:
		p.Limit, p.Reverse = atMost(q.limit, 1), true
	case oneRow:
		p.Limit = atMost(q.limit, 2)
	case stream:
		p.Stream, p.Limit = true, q.budgeted()
	case count:
		rows = plan.Counted
	case exists:
		rows = plan.Existing
	case seek:
		c.seek.ask(&p, c.places)
	case selected: // which a selecter writes
	}
	if c.Statement, c.err = rows(p, d); c.err == nil && c.Shape == nil {
		c.err = q.checkPrefetch(m)
	}
	if c.err != nil || c.Empty {
		return
	}
	text := sqlgen.Write(c.Statement, d)
	if c.sql, c.err = text.SQL, text.Err; c.err != nil {
		return
	}
	c.sql += q.reads.tags
	c.locks = q.reads.lock != nil && c.form != count && c.form != exists
	c.args = text.Args
	if c.Shape != nil && (c.fetch.strict || c.fetch.peers) {
		c.Shape.KeepAll()
	}
	if len(q.prefetch) > 0 && c.Shape != nil {
		if c.err = c.writeLevels(q, m, d, p.Filter); c.err != nil {
			return
		}
	}
	// Only the shape is needed from here on.
	c.Statement = &plan.Statement{Shape: c.Shape, Whole: c.Whole}
}

// writeLevels plans what the query prefetches.
func (c *compiled) writeLevels(q *query, m *schema.Model, d dialect.Dialect, filter func(*plan.Table) (plan.Cond, error)) error {
	c.first = &level{Level: &hydrate.Level{Shape: c.Shape}}
	p := &leveling{graph: c.graph, dialect: d, filter: filter, fetch: c.fetch}
	if err := p.levels(c.first, q, m, nil); err != nil {
		return err
	}
	if c.fetch.strict || c.fetch.peers {
		c.first.each(func(l *level) { l.Shape.KeepAll() })
	}
	hydrate.Unite(c.first.Level)
	return nil
}

// budgeted returns the limit of the query, or that which shows whether it has
// more rows than its budget.
func (q *query) budgeted() *int64 {
	if q.reads.maxRows == 0 {
		return q.limit
	}
	return atMost(q.limit, q.reads.maxRows+1)
}

func atMost(limit *int64, n int64) *int64 {
	if limit != nil && *limit < n {
		return limit
	}
	return &n
}

// checkNames returns an error if a name is too long for the database, which
// may cut it without a word.
func checkNames(g *schema.Graph, d dialect.Dialect) error {
	t := d.Traits()
	if t.MaxIdent == 0 {
		return nil
	}
	long := func(name string) bool {
		if t.IdentChars {
			return len([]rune(name)) > t.MaxIdent
		}
		return len(name) > t.MaxIdent
	}
	for _, m := range g.Models {
		if long(m.Table) {
			return nameError(m.Name, "table", m.Table, d)
		}
		for _, c := range m.Columns {
			if long(c.Name) {
				return nameError(c.GoName(), "column", c.Name, d)
			}
		}
	}
	return nil
}

func nameError(owner, what, name string, d dialect.Dialect) error {
	return fmt.Errorf("kin: %s has the %s name %q of %d bytes; %s takes at most %d: give it a shorter one in its tag or a KinTable method",
		owner, what, name, len(name), d.Name(), d.Traits().MaxIdent)
}

// neutral is a dialect without limits, for checking queries.
type neutral struct{}

//nolint:gochecknoglobals // immutable
var neutralTraits = dialect.Traits{MaxParams: 1 << 30, Unsigned: true, FloatSpecials: true, ForUpdate: " FOR UPDATE", ForShare: " FOR SHARE", LockOf: true}

func (neutral) Name() string { return "neutral" }

func (neutral) AppendIdent(b []byte, name string) []byte { return strconv.AppendQuote(b, name) }

func (neutral) AppendParam(b []byte, _ int) []byte { return append(b, '?') }

func (neutral) ColumnType(dialect.Type) (string, error) { return "", nil }

func (neutral) Traits() *dialect.Traits { return &neutralTraits }
