package kin

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// compile returns the selection as a statement, which is remembered as those of
// a query are.
func (s *selection) compile(ctx context.Context, sess *session) (*compiled, error) {
	if s.err != nil {
		return nil, s.err
	}
	g, err := sess.space.graph()
	if err != nil {
		return nil, err
	}
	traits := sess.dialect.Traits()
	sc, err := sess.scoping(ctx, g)
	if err != nil {
		return nil, err
	}
	v := variant{form: selected}
	was := s.compiled.p.Load()
	if c, err := was.find(v, g, traits, sess.filters, sc); c != nil || err != nil {
		return c, err
	}
	c := newCompiled(sess, g, v)
	w := selecter{dialect: sess.dialect, graph: g}
	if sc != nil {
		w.filter = sc.kept
	}
	err = w.write(s, c)
	if sc != nil && sc.err != nil {
		err = sc.err
	}
	if err != nil {
		return nil, err // which may be that of one call
	}
	sc.note(c)
	s.compiled.add(was, c)
	return sc.bind(c)
}

// A selecter plans a selection for one call.
type selecter struct {
	dialect dialect.Dialect
	graph   *schema.Graph
	filter  func(*plan.Table) (plan.Cond, error) // nil if there are none
}

// write plans the selection and writes it.
func (w selecter) write(s *selection, c *compiled) error {
	statement, err := w.statement(s)
	if err != nil {
		return err
	}
	c.Statement, c.nest = &plan.Statement{Empty: statement.Empty}, statement.Nest
	if statement.Empty {
		return nil
	}
	text := sqlgen.Write(statement, w.dialect)
	c.sql, c.args = text.SQL+s.tags(), text.Args
	return text.Err
}

// tags returns the comments of the query, or of both parts of a set.
func (s *selection) tags() string {
	switch {
	case s.op != "":
		return s.left.tags() + s.right.tags()
	case s.q != nil:
		return s.q.reads.tags
	}
	return ""
}

// statement plans the selection.
func (w selecter) statement(s *selection) (*plan.Statement, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.op != "" {
		return w.set(s)
	}
	q := s.q
	if q == nil {
		q = &query{}
	}
	if q.err != nil {
		return nil, q.err
	}
	m, err := q.modelOf(w.graph, s.model, selected)
	if err == nil {
		err = checkNames(w.graph, w.dialect)
	}
	if err != nil {
		return nil, err
	}
	if what := q.rowsOnly(); what != "" {
		return nil, fmt.Errorf("kin: select from %s: values are read in place of rows, so that there is nothing to %s", s.model.Name(), what)
	}
	p := plan.Selection{
		Query: q.plan(m, w.graph), Fields: s.fields(), Record: s.row, Having: s.having, Order: s.order,
		Distinct: s.distinct, Labelled: s.labelled, Limit: s.limit, Offset: s.offset,
	}
	p.Query.Filter = w.filter
	return p.Select(w.dialect)
}

// rowsOnly returns what a query asks for its rows, which one for values or within
// another does not have, or an empty text.
func (q *query) rowsOnly() string {
	switch {
	case len(q.load) > 0:
		return "load with SelectRelated"
	case len(q.prefetch) > 0:
		return "load with Prefetch"
	case len(q.only)+len(q.left) > 0:
		return "leave out with Only or Defer"
	case q.reads.lock != nil:
		return "lock with ForUpdate or ForShare"
	case q.reads.maxRows > 0:
		return "count with MaxRows; limit the selection"
	}
	return ""
}

// fields returns what is selected.
func (s *selection) fields() []plan.Selected {
	fields := make([]plan.Selected, len(s.row.Fields))
	for i, f := range s.row.Fields {
		fields[i] = plan.Selected{Name: f.Name, Text: f.Text, Into: f.Column}
		if s.exprs != nil {
			fields[i].Value = s.exprs[i].value()
		}
	}
	return fields
}

// read runs the selection and reads each row into what next returns.
func (s *selection) read(ctx context.Context, db Executor, next func() any) error {
	sess := db.session()
	c, err := s.compile(ctx, sess)
	if err != nil || c.Empty {
		return err
	}
	width, row, finish := len(s.row.Fields), func(row []driver.Value) error { return s.row.Read(next(), row) }, func() error { return nil }
	if c.nest != nil {
		reader := hydrate.NewNestReader(c.nest)
		width, row, finish = c.nest.Width, reader.Row, func() error { return reader.Finish(next) }
	}
	err = sess.each(ctx, db, c, c.args, width, watched(counting(sess.maxRows), row))
	if err == nil {
		err = finish()
	}
	if err != nil {
		return fmt.Errorf("kin: select from %s: %w", s.model.Name(), sess.fault(ctx, nil, err))
	}
	return nil
}

// watched returns a function that calls watch, if it is not nil, before read.
func watched(watch rowWatch, read func(row []driver.Value) error) func(row []driver.Value) error {
	if watch == nil {
		return read
	}
	return func(row []driver.Value) error {
		if err := watch(nil, row); err != nil {
			return err
		}
		return read(row)
	}
}
