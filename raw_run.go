package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// Prefetch loads relations of the rows, which are a registered model's, as
// [QuerySet.Prefetch] does.
func (q RawQuery[T]) Prefetch(path Path[T], sub ...Subquery) RawQuery[T] {
	return RawQuery[T]{q.r, q.q.prefetching(reflect.TypeFor[T](), string(path), sub)}
}

// Iter returns an iterator over the rows, which are read as they are asked for: see
// [QuerySet.Iter]. A row of a model that comes again comes twice, unless it follows
// itself.
func (q RawQuery[T]) Iter(ctx context.Context, db Executor) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		r := rawQuery{q.r, q.q, reflect.TypeFor[T]()}
		err := r.stream(ctx, db.session(), func(p hydrate.Pointer) bool { return yield(hydrate.Row[T](p), nil) })
		if err != nil {
			yield(nil, err)
		}
	}
}

// A rawQuery is a RawQuery without its type.
type rawQuery struct {
	raw *plan.Raw // or nil
	q   *query    // or nil
	t   reflect.Type
}

func (r rawQuery) wrap(err error) error { return fmt.Errorf("kin: raw query for %s: %w", r.t, err) }

// run runs the query and returns how its rows are read: as a model, or, if that
// is nil, field by field.
func (r rawQuery) run(ctx context.Context, s *session) (rows *exec.Rows, c *compiled, flat *hydrate.Flat, err error) {
	if r.raw == nil {
		r.raw = &plan.Raw{}
	}
	if r.q != nil && r.q.err != nil {
		return nil, nil, nil, r.q.err
	}
	traits := s.dialect.Traits()
	sql := &plan.RawSQL{SQL: r.raw.SQL, Args: make([]driver.Value, len(r.raw.Args))}
	for i, x := range r.raw.Args {
		if sql.Args[i], err = hydrate.Param(x, traits); err != nil {
			return nil, nil, nil, r.wrap(fmt.Errorf("argument %d of %d: %w", i+1, len(r.raw.Args), err))
		}
	}
	text := sqlgen.Raw(sql, s.dialect)
	if text.Err != nil {
		return nil, nil, nil, r.wrap(text.Err)
	}
	g, err := s.space.graph()
	if err != nil {
		return nil, nil, nil, err
	}
	m := g.Model(r.t)
	if r.q != nil && m == nil {
		return nil, nil, nil, r.wrap(fmt.Errorf("%s is no registered model, and has no relations to load", r.t))
	}
	if rows, err = s.Query(ctx, text.SQL, text.Args); err != nil {
		return nil, nil, nil, r.wrap(s.fault(ctx, nil, err))
	}
	names, err := rows.Columns()
	switch {
	case err != nil:
	case m == nil:
		var fields []hydrate.ColumnSlot
		if fields, err = rawFields(g, r.t, names); err == nil {
			flat = hydrate.NewFlat(r.t, fields)
		}
	default:
		c, err = r.compile(ctx, s, g, m, names)
	}
	if err != nil {
		return nil, nil, nil, r.wrap(s.fault(ctx, nil, errors.Join(err, rows.Close())))
	}
	return rows, c, flat, nil
}

// compile returns how rows of a model are read, and what is loaded with them.
func (r rawQuery) compile(ctx context.Context, s *session, g *schema.Graph, m *schema.Model, names []string) (*compiled, error) {
	shape, err := plan.RawShape(m, names)
	if err != nil {
		return nil, err
	}
	c := newCompiled(s, g, variant{})
	c.Statement = &plan.Statement{Shape: shape}
	if r.q == nil {
		return c, nil
	}
	if c.scoping, err = s.scoping(ctx, g); err != nil {
		return nil, err
	}
	var filter func(*plan.Table) (plan.Cond, error)
	if c.scoping != nil {
		filter = c.scoping.kept
	}
	return c, c.writeLevels(r.q, m, s.dialect, filter)
}

// keyed returns a function that fails for a row without its key, and when the
// budget is spent.
func (s *session) keyed(shape *hydrate.Shape) rowWatch {
	budget := counting(s.maxRows)
	return func(r *hydrate.Reader, row []driver.Value) error {
		for i, slot := range shape.Nodes[0].KeySlots {
			if row[slot] == nil {
				return fmt.Errorf("a row has no primary key (column %q is NULL)", shape.Nodes[0].KeyColumns[i].Name)
			}
		}
		if budget != nil {
			return budget(r, row)
		}
		return nil
	}
}

func rawRows(ctx context.Context, s *session, r rawQuery) (rows []hydrate.Pointer, err error) {
	result, c, flat, err := r.run(ctx, s)
	if err != nil {
		return nil, err
	}
	var hooked []any
	switch {
	case flat != nil:
		err = readFlat(result, flat, counting(s.maxRows), func(p hydrate.Pointer) bool {
			rows = append(rows, p)
			return true
		})
	case c.first != nil:
		graph := newGraphRows(s, c, 0)
		if err = result.Each(c.Shape.Width, rowReader(graph.first.Reader, s.keyed(c.Shape))); err == nil {
			err = graph.load(ctx)
		}
		rows, hooked = graph.roots, graph.hooked()
	default:
		reader := hydrate.NewReader(c.Shape, 0)
		if err = result.Each(c.Shape.Width, rowReader(reader, s.keyed(c.Shape))); err == nil {
			rows, hooked, err = finish(reader, c)
		}
	}
	if err != nil {
		return nil, r.wrap(s.fault(ctx, nil, err))
	}
	return rows, afterLoad(ctx, hooked)
}

// stream calls yield for each row, as long as it returns true.
func (r rawQuery) stream(ctx context.Context, s *session, yield func(hydrate.Pointer) bool) error {
	result, c, flat, err := r.run(ctx, s)
	if err != nil {
		return err
	}
	if flat != nil {
		if err := readFlat(result, flat, counting(s.maxRows), yield); err != nil {
			return r.wrap(s.fault(ctx, nil, err))
		}
		return nil
	}
	return s.streamRows(ctx, result, c, r.t, s.keyed(c.Shape), yield)
}

// readFlat reads rows that are no models, as long as yield returns true, and
// closes them.
func readFlat(result *exec.Rows, flat *hydrate.Flat, watch rowWatch, yield func(hydrate.Pointer) bool) (err error) {
	defer func() { err = errors.Join(err, result.Close()) }()
	row := make([]driver.Value, flat.Width())
	result.Bind(row)
	for {
		switch err := result.Next(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if watch != nil {
			if err := watch(nil, row); err != nil {
				return err
			}
		}
		p, err := flat.Row(row)
		if err != nil {
			return err
		}
		if !yield(p) {
			return nil
		}
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
