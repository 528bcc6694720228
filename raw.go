package kin

import (
	"context"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
)

// A RawQuery is SQL that its user has written. It is an immutable value, as a
// [QuerySet] is.
type RawQuery[T any] struct {
	r *plan.Raw
	q *query // what is loaded with the rows, or nil
}

// Raw returns a query in SQL, whose rows are read into T:
//
//	kin.Raw[Student]("SELECT * FROM students WHERE score > ?", 5).All(ctx, db)
//
// Each ? outside quotes and comments is a parameter, on every database, and
// there must be an argument for each. For an operator of PostgreSQL with a
// question mark, write ??. An argument is what a field may hold: a time, a
// UUID, a foreign key; NULL is nil. The SQL is given to the database as it is:
// never make it of what a user has typed.
//
// If T is a registered model, the result must have its columns, under their
// names, and no others; a row that comes several times comes once. Any
// other struct takes columns by its tags, or by the snake_case of its fields'
// names, all of them, without relations. Anything else that a field may hold
// takes a result with one column.
//
// It runs on the primary, as it may write. Filters of [WithFilter] and soft
// deletion do not hold.
func Raw[T any](sql string, args ...any) RawQuery[T] {
	return RawQuery[T]{r: newRaw(sql, args)}
}

func newRaw(sql string, args []any) *plan.Raw {
	r := &plan.Raw{SQL: sql, Args: make([]any, len(args))}
	for i, arg := range args {
		r.Args[i] = frozen(arg)
	}
	return r
}

// All runs the query and returns its rows. There may be none.
func (q RawQuery[T]) All(ctx context.Context, db Executor) ([]*T, error) {
	rows, err := rawRows(ctx, db.session(), rawQuery{q.r, q.q, reflect.TypeFor[T]()})
	if err != nil {
		return nil, err
	}
	return hydrate.Slice[T](rows), nil
}

// Get returns the row of a query that has exactly one. If there is none, the
// error is [ErrNotFound], and if there are several, [ErrMultipleFound].
func (q RawQuery[T]) Get(ctx context.Context, db Executor) (*T, error) {
	rows, err := q.All(ctx, db)
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, notFoundIn(reflect.TypeFor[T]())
	case len(rows) > 1:
		return nil, fmt.Errorf("%w: %s", ErrMultipleFound, reflect.TypeFor[T]())
	}
	return rows[0], nil
}

// FilterRaw keeps the rows for which a condition in SQL is true; where it is
// NULL it is not. The SQL is as [Raw] takes it, with a ? for each argument. It
// names columns of the query's own table by that: students.score; in a subquery,
// that is the subquery's. What SQL can do it may do: never make it of what a
// user has typed.
//
//	q.FilterRaw("students.score % ? = 0", 2)
func (qs QuerySet[T]) FilterRaw(sql string, args ...any) QuerySet[T] {
	return QuerySet[T]{qs.q.raw(sql, args, false)}
}

// ExcludeRaw keeps the rows that [QuerySet.FilterRaw] would not, those for
// which the condition is NULL included.
func (qs QuerySet[T]) ExcludeRaw(sql string, args ...any) QuerySet[T] {
	return QuerySet[T]{qs.q.raw(sql, args, true)}
}

// raw adds a condition in SQL, which is the program's own: no guard is asked.
func (q *query) raw(sql string, args []any, negate bool) *query {
	q = q.derived()
	ask := plan.Ask(*newRaw(sql, args))
	if negate {
		ask = plan.Negated{Ask: ask}
	}
	q.calls = append(q.calls, ask)
	return q
}

// RawExpr is a value in SQL, for [Set], with a ? for each argument, as
// [QuerySet.FilterRaw] takes it. In a condition on related rows, such as that of
// [Has], the table is theirs.
func RawExpr(sql string, args ...any) Expr {
	return Expr{*newRaw(sql, args)}
}
