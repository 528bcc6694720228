package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A Subquery is a query that is part of another: any [QuerySet]. In
// [QuerySet.Prefetch], it says which rows are loaded, and in which order; in
// [Exists] and others, what is asked of them.
type Subquery interface {
	subquery() (q *query, model reflect.Type)
}

func (qs QuerySet[T]) subquery() (*query, reflect.Type) { return qs.q, reflect.TypeFor[T]() }

// A prefetch is a relation that is loaded by a statement of its own.
type prefetch struct {
	path  string
	sub   *query       // which rows; nil for all
	model reflect.Type // of sub, if the user gave one; else nil
}

// Prefetch loads the rows at the end of a path of relations, and those on the
// way there, with a statement for each step, which is given the keys of the
// rows before: the other strategy beside [QuerySet.SelectRelated], for rows
// that are many, wide, or not all wanted. Steps that SelectRelated joins, or
// another Prefetch loads, are not loaded again, and a step without rows before
// it asks nothing.
//
// A subquery says which rows of the last step are loaded. Its Filter, Exclude
// and OrderBy hold, its Limit and Offset are those of each parent, and what it
// loads itself, by SelectRelated or Prefetch, is loaded too:
//
//	q.Prefetch("students", kin.Query[Student]().Filter("name__startswith", "A").OrderBy("-name").Limit(3))
//
// Without a subquery, all rows are loaded, as by SelectRelated. Relations that
// have no rows are loaded, and empty. A relation can be loaded once: a field
// can hold only one of several subqueries. What holds for a result as a whole is
// said of the query itself: FetchPeers, Strict, Concurrent and Snapshot. A
// subquery has no MaxRows and locks nothing.
//
// Within the result, one row of the database is one value, also where several
// statements read it, unless two paths to it load a relation of it by different
// subqueries, or other columns of it ([QuerySet.Only]): then each path has values
// of its own. The statements see the database one after another;
// [QuerySet.Snapshot] has all see it as it was at one instant.
func (qs QuerySet[T]) Prefetch(path Path[T], sub ...Subquery) QuerySet[T] {
	return QuerySet[T]{qs.q.prefetching(reflect.TypeFor[T](), string(path), sub)}
}

func (q *query) prefetching(model reflect.Type, path string, sub []Subquery) *query {
	q = q.derived()
	p := prefetch{path: path}
	switch {
	case len(sub) > 1:
		q.fail(fmt.Errorf("kin: a query on %s: Prefetch(%.200q) takes one subquery, not %d", model.Name(), path, len(sub)))
		return q
	case len(sub) == 1 && sub[0] == nil:
		q.fail(fmt.Errorf("kin: a query on %s: the subquery of Prefetch(%.200q) is nil", model.Name(), path))
		return q
	case len(sub) == 1:
		p.sub, p.model = sub[0].subquery()
	}
	if p.sub != nil && p.sub.err != nil {
		q.fail(fmt.Errorf("kin: a query on %s: the subquery of Prefetch(%.200q): %w", model.Name(), path, trimKin(p.sub.err)))
		return q
	}
	if err := q.loads([]string{path}); err != nil {
		q.fail(err)
	}
	q.prefetch = append(q.prefetch, p)
	return q
}

func trimKin(err error) error {
	if text, ok := strings.CutPrefix(err.Error(), "kin: "); ok {
		return &trimmedError{text, err}
	}
	return err
}

// A trimmedError is an error within another, which says kin already.
type trimmedError struct {
	text string
	err  error
}

func (e *trimmedError) Error() string { return e.text }
func (e *trimmedError) Unwrap() error { return e.err }

// trims reports whether q, a subquery or nil, may have other rows than there
// are without it.
func (q *query) trims(deleted bool) bool {
	return q != nil && (len(q.calls)+len(q.keys)+len(q.fixed) > 0 || q.on != nil || q.limit != nil || q.offset > 0 || q.deleted && !deleted)
}

// derived returns a copy of q that is compiled for itself.
func (q *query) derived() *query {
	d := &query{}
	if q != nil {
		d.load, d.fixed, d.calls, d.prefetch = slices.Clip(q.load), slices.Clip(q.fixed), slices.Clip(q.calls), slices.Clip(q.prefetch)
		d.keys, d.exact = q.keys, q.exact
		d.only, d.left, d.on = q.only, slices.Clip(q.left), q.on
		d.source = q.source
		d.order, d.limit, d.offset, d.err = slices.Clip(q.order), q.limit, q.offset, q.err
		d.all, d.deleted, d.fetch = q.all, q.deleted, q.fetch
		d.annotations, d.reads = slices.Clip(q.annotations), q.reads
	}
	return d
}

// readGraph reads the rows of a query with levels below it.
// watch, if not nil, is called after each of the rows.
func (s *session) readGraph(ctx context.Context, db Executor, c *compiled, args []driver.Value, hint int, watch rowWatch) (g *graphRows, err error) {
	if s, err = s.reader(ctx, db, c.locks); err != nil {
		return nil, err
	}
	if c.fetch.snapshot && s.begin != nil {
		err = s.snapshot(ctx, func(s *session) error {
			g, err = s.readGraphIn(ctx, c, args, hint, watch)
			return err
		})
		return g, err
	}
	return s.readGraphIn(ctx, c, args, hint, watch)
}

func (s *session) readGraphIn(ctx context.Context, c *compiled, args []driver.Value, hint int, watch rowWatch) (*graphRows, error) {
	g := newGraphRows(s, c, hint)
	g.whole = c.Whole
	if err := c.size.each(ctx, &s.Session, c.sql, args, c.Shape.Width, rowReader(g.first.Reader, watch)); err != nil {
		return nil, err
	}
	return g, g.load(ctx)
}

// levelError says which level went wrong.
func (s *session) levelError(ctx context.Context, l *level, err error) error {
	if _, told := errors.AsType[*prefetchError](err); told {
		return err
	}
	return &prefetchError{l.path, s.fault(ctx, nil, err)}
}

type prefetchError struct {
	path string
	err  error
}

func (e *prefetchError) Error() string { return fmt.Sprintf("prefetch of %q: %v", e.path, e.err) }
func (e *prefetchError) Unwrap() error { return e.err }
