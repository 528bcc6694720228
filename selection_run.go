package kin

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/exec"
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
	c := &compiled{variant: v, graph: g, traits: traits, filters: sess.filters}
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
	c.sql, c.args = text.SQL+s.tags(), anys(text.Args)
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
		fields[i] = plan.Selected{Name: f.Name, Text: f.Text}
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
	rows, err := sess.ask(ctx, db, c, c.args)
	if err == nil && c.nest != nil {
		err = readNest(rows, c.nest, counting(sess.maxRows), next)
	} else if err == nil {
		err = s.readRows(rows, counting(sess.maxRows), next)
	}
	if err != nil {
		return fmt.Errorf("kin: select from %s: %w", s.model.Name(), sess.fault(ctx, nil, err))
	}
	return nil
}

// readRows reads all rows, and closes them.
func (s *selection) readRows(rows *exec.Rows, watch rowWatch, next func() any) (err error) {
	row := make([]driver.Value, len(s.row.Fields))
	rows.Bind(row)
	for err = rows.Next(); err == nil; err = rows.Next() {
		if watch != nil {
			err = watch(nil, row)
		}
		if err == nil {
			err = s.row.Read(next(), row)
		}
		if err != nil {
			break
		}
	}
	return endOf(err, rows)
}

// readNest reads all rows of a selection with slices, and closes them.
func readNest(rows *exec.Rows, nest *hydrate.Nest, watch rowWatch, next func() any) (err error) {
	reader := hydrate.NewNestReader(nest)
	row := make([]driver.Value, nest.Width)
	rows.Bind(row)
	for err = rows.Next(); err == nil; err = rows.Next() {
		if watch != nil {
			err = watch(nil, row)
		}
		if err == nil {
			err = reader.Row(row)
		}
		if err != nil {
			break
		}
	}
	if err := endOf(err, rows); err != nil {
		return err
	}
	return reader.Finish(next)
}
