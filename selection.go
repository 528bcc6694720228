package kin

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// A Selection is a query for values of rows, in place of the rows themselves.
// It is made by [Select], and is an immutable value as a [QuerySet] is. The zero
// Selection is none, and an error where it is run.
type Selection[R any] struct{ s *selection }

// A selection is a Selection without its type.
type selection struct {
	model reflect.Type
	q     *query
	row   *hydrate.Record
	exprs []Expr // what is read, if it is not what the tags of a struct say

	having   []plan.Ask
	order    []string
	distinct bool
	limit    *int64
	offset   int64
	err      error

	// op makes one set of the rows of left and right, in place of q.
	op          string
	left, right *selection
	labelled    bool // whether it is part of one
}

// Select reads values of the query's rows into structs of the type R. Each
// field of R says in its tag what it holds: a path, the call of an aggregate,
// or the name of an annotation. Without a tag, it is the field's own name in
// snake_case.
//
//	type Row struct {
//		Class    string  `kin:"name"`
//		Students int64   `kin:"count(students)"`
//		Youngest *int64  `kin:"min(students__age)"`
//	}
//	rows, err := kin.Select[Row](kin.Query[SchoolClass]().OrderBy("name")).All(ctx, db)
//
// The aggregates are count, sum, avg, min and max, with "distinct" before the
// path perhaps, and count(*). Over a to-many relation, they are of each row's
// own related rows, and several do not multiply each other. Those of the query's
// rows themselves, such as count(*) or sum(age), make groups of the rows that
// agree in all other fields of R; what they say over to-many relations is added
// up then.
//
// A path over a to-many relation gives a row for each related row, and one for
// a row that has none. A value that may be NULL needs a pointer or a
// [database/sql.Null], or the option zero: `kin:"sum(age),zero"`. A field that
// is a struct of its own, or a pointer to one, holds what its fields say, each
// after the path in its tag; the pointer is nil if all of them are NULL.
//
// The order is that of the query, or, of groups, that of the fields.
func Select[R, T any](q QuerySet[T]) Selection[R] {
	return selecting[R](q, hydrate.RecordOf)
}

// selecting returns the selection of expressions, or, without any, of what the
// record says.
func selecting[V, T any](q QuerySet[T], row func(reflect.Type) (*hydrate.Record, error), exprs ...Expr) Selection[V] {
	s := &selection{model: reflect.TypeFor[T](), q: q.q, exprs: exprs}
	s.row, s.err = row(reflect.TypeFor[V]())
	if s.err != nil {
		s.err = fmt.Errorf("kin: select from %s: %w", s.model.Name(), s.err)
	}
	return Selection[V]{s}
}

// get returns the selection, or one that says that it is empty.
func (s Selection[R]) get() *selection {
	if s.s != nil {
		return s.s
	}
	t := reflect.TypeFor[R]()
	return &selection{model: t, err: fmt.Errorf("kin: a Selection of %s is empty; make it with kin.Select", t)}
}

func (s Selection[R]) with(change func(s *selection)) Selection[R] {
	c := *s.get()
	c.having, c.order = slices.Clip(c.having), slices.Clip(c.order)
	change(&c)
	return Selection[R]{&c}
}

// Having keeps the groups that meet all of the conditions, which may have
// aggregates in them: kin.Count("*").Gt(1).
func (s Selection[R]) Having(conds ...*Condition) Selection[R] {
	return s.with(func(s *selection) { s.having = append(s.having, asksOf(conds)...) })
}

// OrderBy sorts by fields of R, which are named in snake_case, or by what their
// tags say; in descending order if a "-" is before.
func (s Selection[R]) OrderBy(fields ...string) Selection[R] {
	return s.with(func(s *selection) { s.order = slices.Clone(fields) })
}

// Distinct leaves out rows that are equal to another.
func (s Selection[R]) Distinct() Selection[R] {
	return s.with(func(s *selection) { s.distinct = true })
}

// Limit keeps the first n rows of the selection. A limit of the query is one of
// the rows that it selects from.
func (s Selection[R]) Limit(n int) Selection[R] {
	return s.with(func(s *selection) {
		limit := int64(n)
		s.limit = &limit
		s.negative(n)
	})
}

// Offset leaves out the first n rows of the selection.
func (s Selection[R]) Offset(n int) Selection[R] {
	return s.with(func(s *selection) {
		s.offset = int64(n)
		s.negative(n)
	})
}

func (s *selection) negative(n int) {
	if n < 0 && s.err == nil {
		s.err = fmt.Errorf("kin: select from %s: %d is negative, and no limit or offset", s.model.Name(), n)
	}
}

// All runs the selection and returns its rows.
func (s Selection[R]) All(ctx context.Context, db Executor) ([]R, error) {
	var list []R
	err := s.get().read(ctx, db.session(), func() any {
		list = append(list, *new(R))
		return &list[len(list)-1]
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// First returns the first row. If there is none, the error is [ErrNotFound].
func (s Selection[R]) First(ctx context.Context, db Executor) (R, error) {
	return s.with(func(s *selection) { s.limit = atMost(s.limit, 1) }).Get(ctx, db)
}

// Get returns the row of a selection that has exactly one. If there is none, the
// error is [ErrNotFound], and if there are several, [ErrMultipleFound].
func (s Selection[R]) Get(ctx context.Context, db Executor) (row R, err error) {
	rows, err := s.with(func(s *selection) { s.limit = atMost(s.limit, 2) }).All(ctx, db)
	switch {
	case err != nil:
		return row, err
	case len(rows) == 0:
		return row, fmt.Errorf("%w: %s", ErrNotFound, s.get().model.Name())
	case len(rows) > 1:
		return row, fmt.Errorf("%w: %s", ErrMultipleFound, s.get().model.Name())
	}
	return rows[0], nil
}

// SQL returns the text of the statement that [Selection.All] would run, and its
// arguments. See [QuerySet.SQL].
func (s Selection[R]) SQL(d dialect.Dialect) (text string, args []any, err error) {
	sess := writingFor(d)
	t, _, err := s.get().write(context.Background(), &sess)
	return t.SQL, anys(t.Args), err
}

// write plans the selection and writes it.
func (s *selection) write(ctx context.Context, sess *session) (text sqlgen.Text, empty bool, err error) {
	statement, err := s.statement(ctx, sess)
	if err != nil || statement.Empty {
		return text, true, err
	}
	text = sqlgen.Write(statement, sess.dialect)
	text.SQL += s.tags()
	return text, false, text.Err
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
func (s *selection) statement(ctx context.Context, sess *session) (*plan.Statement, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.op != "" {
		return s.set(ctx, sess)
	}
	q := s.q
	if q == nil {
		q = &query{}
	}
	if q.err != nil {
		return nil, q.err
	}
	g, err := sess.space.graph()
	if err != nil {
		return nil, err
	}
	m, err := modelOf(g, s.model)
	if err == nil {
		err = checkNames(g, sess.dialect)
	}
	if err != nil {
		return nil, err
	}
	if what := q.rowsOnly(); what != "" {
		return nil, fmt.Errorf("kin: select from %s: values are read in place of rows, so that there is nothing to %s", s.model.Name(), what)
	}
	p := plan.Selection{
		Query: q.plan(m, g), Fields: s.fields(), Having: s.having, Order: s.order, Distinct: s.distinct, Labelled: s.labelled, Limit: s.limit, Offset: s.offset,
	}
	sc, err := sess.scoping(ctx, g)
	if err != nil {
		return nil, err
	}
	if sc != nil {
		p.Query.Filter = sc.where
	}
	return p.Select(sess.dialect)
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
func (s *selection) read(ctx context.Context, sess *session, next func() any) (err error) {
	text, empty, err := s.write(ctx, sess)
	if err != nil || empty {
		return err
	}
	rows, err := sess.Query(ctx, text.SQL, anys(text.Args))
	if err != nil {
		return s.fault(ctx, sess, err)
	}
	row := make([]driver.Value, len(s.row.Fields))
	rows.Bind(row)
	for err = rows.Next(); err == nil; err = rows.Next() {
		if err = s.row.Read(next(), row); err != nil {
			break
		}
	}
	if err := endOf(err, rows); err != nil {
		return s.fault(ctx, sess, err)
	}
	return nil
}

func (s *selection) fault(ctx context.Context, sess *session, err error) error {
	return fmt.Errorf("kin: select from %s: %w", s.model.Name(), sess.fault(ctx, nil, err))
}
