package kin

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
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

	compiled *memo
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
// The aggregates are count, sum, avg, min, max and array, with "distinct" before
// the path perhaps, and count(*). Over a to-many relation, they are of each row's
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
// A field that is a slice of structs holds the related rows at the end of the path
// in its tag, in the order of their primary key, each with what its fields say from
// there on, and may have slices in it; so does one of values, for a path that ends
// in a field. It is empty, and not nil, if there are none.
//
//	type Row struct {
//		Name     string
//		Students []struct {
//			Name  string
//			Clubs []string `kin:"clubs__name"`
//		}
//	}
//
// All is read by one statement, as the sum of the rows and not their product: see
// [QuerySet.SelectRelated]. Rows with slices are those of the query, once each, so
// that they go with neither groups nor Distinct, nor with a path over a to-many
// relation that is no slice.
//
// The order is that of the query, or, of groups, that of the fields.
//
// Keep selections that are run often: what a selection is planned as is remembered,
// as that of a query is.
func Select[R, T any](q QuerySet[T]) Selection[R] {
	return selecting[R](q, hydrate.RecordOf)
}

// selecting returns the selection of expressions, or, without any, of what the
// record says.
func selecting[V, T any](q QuerySet[T], row func(reflect.Type) (*hydrate.Record, error), exprs ...Expr) Selection[V] {
	s := &selection{model: reflect.TypeFor[T](), q: q.q, exprs: exprs, compiled: &memo{}}
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
	return &selection{model: t, compiled: &memo{}, err: fmt.Errorf("kin: a Selection of %s is empty; make it with kin.Select", t)}
}

func (s Selection[R]) with(change func(s *selection)) Selection[R] {
	c := *s.get()
	c.having, c.order, c.compiled = slices.Clip(c.having), slices.Clip(c.order), &memo{}
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
	err := s.get().read(ctx, db, func() any {
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
	c, err := s.get().compile(context.Background(), sess)
	if err != nil {
		return "", nil, err
	}
	return c.sql, exec.Anys(c.args), nil
}
