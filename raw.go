package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// A RawQuery is SQL that its user has written. It is an immutable value, as a
// [QuerySet] is.
type RawQuery[T any] struct{ r *plan.Raw }

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
	return RawQuery[T]{newRaw(sql, args)}
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
	rows, err := rawRows(ctx, db.session(), q.r, reflect.TypeFor[T]())
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

func rawRows(ctx context.Context, s *session, r *plan.Raw, t reflect.Type) ([]hydrate.Pointer, error) {
	if r == nil {
		r = &plan.Raw{}
	}
	wrap := func(err error) error { return fmt.Errorf("kin: raw query for %s: %w", t, err) }
	traits := s.dialect.Traits()
	sql := &plan.RawSQL{SQL: r.SQL, Args: make([]driver.Value, len(r.Args))}
	for i, x := range r.Args {
		v, err := hydrate.Param(x, traits)
		if err != nil {
			return nil, wrap(fmt.Errorf("argument %d of %d: %w", i+1, len(r.Args), err))
		}
		sql.Args[i] = v
	}
	text := sqlgen.Raw(sql, s.dialect)
	if text.Err != nil {
		return nil, wrap(text.Err)
	}
	g, err := s.space.graph()
	if err != nil {
		return nil, err
	}
	result, err := s.Query(ctx, text.SQL, anys(text.Args))
	if err != nil {
		return nil, wrap(s.fault(ctx, nil, err))
	}
	rows, hooked, err := readRaw(result, g, t)
	if err != nil {
		return nil, wrap(s.fault(ctx, nil, err))
	}
	// What is loaded for rows that are there (Prefetch) goes here: the result is
	// closed, and hooks have not been called.
	return rows, afterLoad(ctx, hooked)
}

// readRaw reads the rows as t, by the names of their columns, and closes them.
func readRaw(result *exec.Rows, g *schema.Graph, t reflect.Type) (rows []hydrate.Pointer, hooked []any, err error) {
	names, err := result.Columns()
	if err != nil {
		return nil, nil, errors.Join(err, result.Close())
	}
	m := g.Model(t)
	if m != nil {
		shape, err := plan.RawShape(m, names)
		if err != nil {
			return nil, nil, errors.Join(err, result.Close())
		}
		reader := hydrate.NewReader(shape, 0)
		err = readInto(result, reader, shape.Width, func(_ *hydrate.Reader, row []driver.Value) error {
			for _, slot := range shape.Nodes[0].KeySlots {
				if row[slot] == nil {
					return fmt.Errorf("a row has no primary key (column %q is NULL)", names[slot])
				}
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		return finish(reader, &compiled{})
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	fields, err := rawFields(g, t, names)
	if err != nil {
		return nil, nil, err
	}
	flat := hydrate.NewFlat(t, fields)
	row := make([]driver.Value, len(names))
	result.Bind(row)
	for {
		switch err := result.Next(); {
		case errors.Is(err, io.EOF):
			return rows, nil, nil
		case err != nil:
			return nil, nil, err
		}
		p, err := flat.Row(row)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, p)
	}
}

// rawFields returns which field of t each column of a result goes into.
func rawFields(g *schema.Graph, t reflect.Type, names []string) ([]hydrate.ColumnSlot, error) {
	pseudo := &schema.Model{Name: t.String(), Table: "the result"}
	column := func(f *schema.Field, name string) *schema.Column {
		c := &schema.Column{Model: pseudo, Field: f, Name: name, Value: f.Value}
		c.Source = c
		return c
	}
	if one := schema.Scalar(t); one != nil {
		if len(names) != 1 {
			return nil, fmt.Errorf("the result has %d columns, and a %s takes one", len(names), t)
		}
		return []hydrate.ColumnSlot{{Column: column(one.Field, names[0])}}, nil
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("no column can be read into a %s", t)
	}
	s := schema.Parse(t, recognise)
	if len(s.Problems) > 0 {
		return nil, s.Problems[0]
	}
	var fields []hydrate.ColumnSlot
	taken := map[int]bool{}
	for _, f := range s.Fields {
		if f.Rel.Kind != schema.NoRel || f.Encrypted != nil {
			return nil, fmt.Errorf("%s.%s is a relation or encrypted, which only a registered model has", t, f.Name)
		}
		name := f.Tag.Column
		if name == "" {
			name = g.Naming.Column(s.Name, f.Name)
		}
		i, err := plan.RawColumn(names, name)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			return nil, fmt.Errorf("the result has no column %q for the field %s.%s; select it, or leave the field out (`kin:\"-\"`)", name, t, f.Name)
		}
		taken[i] = true
		fields = append(fields, hydrate.ColumnSlot{Column: column(f, names[i]), Slot: i})
	}
	for i, name := range names {
		if !taken[i] {
			return nil, fmt.Errorf("the result has a column %q, for which %s has no field", name, t)
		}
	}
	return fields, nil
}

// FilterRaw keeps the rows for which a condition in SQL is true; where it is
// NULL it is not. The SQL is as [Raw] takes it, with a ? for each argument. It
// names columns of the query's own table by that: students.score. What SQL can
// do it may do: never make it of what a user has typed.
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
// [QuerySet.FilterRaw] takes it.
func RawExpr(sql string, args ...any) Expr {
	return Expr{*newRaw(sql, args)}
}
