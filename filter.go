package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// WithFilter gives the rows of T a filter of its own that goes wherever they
// go on this database: queries and what they join, count and load, conditions
// over relations, updates and deletes. conditions is given a query for all
// rows of T and returns it narrowed, with values from the context of the call:
//
//	kin.WithFilter("tenant", func(ctx context.Context, q kin.QuerySet[Document]) (kin.QuerySet[Document], error) {
//		tenant, err := tenantOf(ctx)
//		return q.Filter("tenant", tenant), err
//	})
//
// If it returns an error, so does the call, and asks the database nothing.
// The calls may be Filter and Exclude, on T's own columns and foreign keys,
// with operators that compare and do not search text. Several models may have
// a filter of one name. [WithoutFilter] lifts them.
//
// A row outside the filter is as if it were not there. A foreign key to one
// is not loaded, and keeps its key; a condition on the foreign key's own
// column, such as Filter("document", 5), does not look at the row behind it.
// Writing a row that is outside is [ErrNotFound]. A new row that would be
// outside is refused with [ErrOutside] before the database is asked, and so
// is a change that would take a row there.
//
// Collections are as if it were not there, too: Add and Remove of such a row
// are [ErrNotFound], and Clear and Set leave it and what links it alone.
//
// conditions is called at most once in a call, and only if it touches rows of
// T. It may be called by several goroutines at once.
func WithFilter[T any](name string, conditions func(ctx context.Context, q QuerySet[T]) (QuerySet[T], error)) Option {
	f := filter{name: name, model: reflect.TypeFor[T]()}
	f.calls = func(ctx context.Context) ([]plan.Ask, error) {
		qs, err := conditions(ctx, Query[T]())
		if err != nil || qs.q == nil {
			return nil, err
		}
		return qs.q.onlyCalls()
	}
	return func(db *DB) {
		if db.s.filters == nil {
			db.s.filters = &filters{}
		}
		db.s.filters.add(f)
	}
}

// onlyCalls returns the conditions of a query that has nothing else.
func (q *query) onlyCalls() ([]plan.Ask, error) {
	switch {
	case q.err != nil:
		return nil, q.err
	case len(q.load)+len(q.only)+len(q.left)+len(q.prefetch)+len(q.keys)+len(q.fixed)+len(q.order) > 0, q.on != nil, q.limit != nil, q.offset != 0, q.all, q.deleted, q.reads != reading{}:
		return nil, errors.New("takes Filter and Exclude, and nothing else")
	}
	return q.calls, nil
}

// ErrOutside says that a row would be outside a filter of its model, if it
// were written; see [WithFilter].
var ErrOutside = errors.New("is outside the filter")

// A filter is a named filter of one model.
type filter struct {
	name  string
	model reflect.Type
	calls func(ctx context.Context) ([]plan.Ask, error)
}

// filters are those of a database. They do not change once it is in use.
type filters struct {
	list    []filter
	err     error // what is wrong with them
	checked atomic.Pointer[schema.Graph]
}

func (fs *filters) add(f filter) {
	for _, other := range fs.list {
		if other.name == f.name && other.model == f.model {
			fs.err = fmt.Errorf("kin: %s has two filters called %q", f.model.Name(), f.name)
		}
	}
	if f.name == "" {
		fs.err = fmt.Errorf("kin: %s has a filter without a name", f.model.Name())
	}
	fs.list = append(fs.list, f)
}

// check returns what is wrong with the filters, and with those that ctx lifts.
func (fs *filters) check(ctx context.Context, g *schema.Graph) error {
	if fs.checked.Load() != g {
		if fs.err != nil {
			return fs.err
		}
		for _, f := range fs.list {
			if g.Model(f.model) == nil {
				return fmt.Errorf("kin: the filter %q is on %s, which is not registered", f.name, f.model.Name())
			}
		}
		fs.checked.Store(g)
	}
	for _, name := range lifted(ctx) {
		if !slices.ContainsFunc(fs.list, func(f filter) bool { return f.name == name }) {
			return fmt.Errorf("kin: the context lifts the filter %q, which the database does not have%s", name, schema.Suggest(name, fs.names()))
		}
	}
	return nil
}

func (fs *filters) names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range fs.list {
			if !yield(f.name) {
				return
			}
		}
	}
}

type liftedKey struct{}

// WithoutFilter returns a context in whose calls the filters of the names do
// not hold; see [WithFilter]. A name that the database does not know is an
// error of the call.
//
//	all, err := kin.Query[Document]().Count(kin.WithoutFilter(ctx, "tenant"), db)
func WithoutFilter(ctx context.Context, names ...string) context.Context {
	return context.WithValue(ctx, liftedKey{}, slices.Concat(lifted(ctx), names))
}

func lifted(ctx context.Context) []string {
	names, _ := ctx.Value(liftedKey{}).([]string)
	return names
}

// A scoping is the filters of a database in one call: what each asks is
// asked once.
type scoping struct {
	*session
	ctx    context.Context //nolint:containedctx // that of the one call
	scopes []*plan.Scope   // in the order in which they came up
	err    error
}

// scoping returns the filters for one call, or nil if there are none.
func (s *session) scoping(ctx context.Context, g *schema.Graph) (*scoping, error) {
	if s.filters == nil {
		return nil, nil
	}
	return &scoping{session: s, ctx: ctx}, s.filters.check(ctx, g)
}

// of returns what the filters ask of a model, or nil if it has none.
func (sc *scoping) of(m *schema.Model) (*plan.Scope, error) {
	if sc == nil || !sc.filters.has(m) {
		return nil, nil
	}
	for _, s := range sc.scopes {
		if s.Model == m {
			return s, nil
		}
	}
	var list []plan.Filter
	for _, f := range sc.filters.list {
		if f.model != m.Type || slices.Contains(lifted(sc.ctx), f.name) {
			continue
		}
		calls, err := f.calls(sc.ctx)
		if err != nil {
			sc.err = fmt.Errorf("kin: the filter %q on %s: %w", f.name, m.Name, err)
			return nil, sc.err
		}
		list = append(list, plan.Filter{Name: f.name, Calls: calls})
	}
	scope, err := plan.NewScope(m, list, sc.dialect)
	if err != nil {
		sc.err = err
		return nil, err
	}
	sc.scopes = append(sc.scopes, scope)
	return scope, nil
}

// has reports whether one of the filters is on m.
func (fs *filters) has(m *schema.Model) bool {
	return fs != nil && slices.ContainsFunc(fs.list, func(f filter) bool { return f.model == m.Type })
}

// kept returns what the filters ask of the rows of a table, for a statement
// that is kept, and where for one that is not.
func (sc *scoping) kept(t *plan.Table) (plan.Cond, error) {
	s, err := sc.of(t.Model)
	return s.Over(t), err
}

func (sc *scoping) where(t *plan.Table) (plan.Cond, error) {
	s, err := sc.of(t.Model)
	return s.Where(t), err
}

// bind returns a statement that was compiled in another call, with the values
// of this one, or nil if its text does not fit.
func (sc *scoping) bind(c *compiled) (*compiled, error) {
	if sc == nil || len(c.scopes) == 0 {
		return c, nil
	}
	for _, old := range c.scopes {
		s, err := sc.of(old.model)
		if err != nil || s.Shape != old.shape {
			return nil, err
		}
	}
	bound := *c
	bound.scoping = sc
	bound.args = slices.Clone(c.args)
	for i, arg := range c.args {
		if hole, ok := arg.(plan.Hole); ok {
			s, err := sc.of(hole.Model)
			if err != nil {
				return nil, err
			}
			bound.args[i] = s.Args[hole.Arg]
		}
	}
	return &bound, nil
}

// A keptScope is the form that a model's filters have in a statement.
type keptScope struct {
	model *schema.Model
	shape string
}

// note has c remember the filters that were asked.
func (sc *scoping) note(c *compiled) {
	if sc == nil {
		return
	}
	for _, s := range sc.scopes {
		c.scopes = append(c.scopes, keptScope{s.Model, s.Shape})
	}
}

// scopeOf returns what the filters of a model ask in a call that writes its
// rows, or nil if it has none.
func (s *session) scopeOf(ctx context.Context, m *schema.Model) (*plan.Scope, error) {
	if s.filters == nil {
		return nil, nil
	}
	g, err := s.space.graph()
	if err != nil {
		return nil, err
	}
	sc, err := s.scoping(ctx, g)
	if err != nil {
		return nil, err
	}
	return sc.of(m)
}

// filterRows returns what the filters ask of the rows of a table in this
// call, or nil if there are none.
func (s *session) filterRows(ctx context.Context) (func(*plan.Table) (plan.Cond, error), error) {
	if s.filters == nil {
		return nil, nil
	}
	g, err := s.space.graph()
	if err != nil {
		return nil, err
	}
	sc, err := s.scoping(ctx, g)
	return sc.where, err
}

// filter asks the filters of the model.
func (c *change) filter(ctx context.Context) (err error) {
	c.scope, err = c.scopeOf(ctx, c.model)
	c.within = within(c.scope)
	return err
}

// within returns the condition on the rows of a scope's model, or nil.
func within(s *plan.Scope) plan.Cond {
	if s == nil {
		return nil
	}
	return s.Where(&plan.Table{Model: s.Model, Alias: s.Model.Table})
}

// outside returns an error if a row with these values is not known to meet
// the filters.
func outside(s *plan.Scope, columns []*schema.Column, values []driver.Value) error {
	name := s.Outside(columns, func(i int) (driver.Value, bool) { return values[i], true })
	if name == "" {
		return nil
	}
	return fmt.Errorf("%w %q", ErrOutside, name)
}

// keeps returns an error if assignments are not known to keep rows within the
// filters of their model.
func (sc *scoping) keeps(m *schema.Model, set []plan.Assignment) error {
	scope, err := sc.of(m)
	if scope == nil {
		return err
	}
	columns := make([]*schema.Column, 0, len(set)+len(m.Computed))
	for _, a := range set {
		columns = append(columns, a.Column)
	}
	columns = append(columns, m.Computed...) // from what is set, perhaps
	name := scope.Outside(columns, func(i int) (driver.Value, bool) {
		if i >= len(set) {
			return nil, false
		}
		p, known := set[i].Value.(plan.Param)
		return p.Value, known
	})
	if name == "" {
		return nil
	}
	return fmt.Errorf("a row so set %w %q, or may be", ErrOutside, name)
}
