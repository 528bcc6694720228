package plan

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
)

// An Alive is met by rows that are not softly deleted.
type Alive struct{ Ref Ref }

func (Alive) isCond() {}

// scope returns what rows of t must meet wherever the plan brings them in,
// or nil. It belongs where the table is joined, so that what it leaves out is
// as if it were not there.
func (b *builder) scope(t *Table, deleted bool) Cond {
	var all All
	if !deleted && t.Model.Deleted != nil {
		all = append(all, Alive{Ref{t, t.Model.Deleted}})
	}
	if b.query.Filter != nil {
		c, err := b.query.Filter(t)
		if err != nil && b.err == nil {
			b.err = err
		}
		if c != nil {
			all = alsoAll(all, c)
		}
	}
	if c := conjunction(all); c != Const(true) {
		return c
	}
	return nil
}

// linked returns a From of the far side of a relation. Where that is a link
// table, targets are the foreign keys by which it is passed: a link to a row
// that is not there is none.
func (b *builder) linked(r *schema.Relation, targets ...*schema.Relation) *From {
	from := b.from(r)
	for _, target := range targets {
		if target != nil && b.hides(target.To) {
			b.join(from, from.Table, target, true)
		}
	}
	return from
}

// hides reports whether there may be rows of m that are out of scope.
func (b *builder) hides(m *schema.Model) bool {
	return b.scope(&Table{Model: m}, b.query.Deleted) != nil
}

// there returns the condition that the foreign key in a field of the table at
// leads to a row that is there, or nil if it always does.
func (b *builder) there(at *Table, field string) Cond {
	i := slices.IndexFunc(at.Model.Keys, func(r *schema.Relation) bool { return r.Field.Name == field })
	r := at.Model.Keys[i]
	if !b.hides(r.To) {
		return nil
	}
	return &Exists{Relation: r, Parent: at, From: b.from(r)}
}

// alsoAll appends a condition, or each of its parts.
func alsoAll(all All, c Cond) All {
	if parts, ok := c.(All); ok {
		return append(all, parts...)
	}
	return append(all, c)
}

// A Filter is a named filter of a model, as a call has it.
type Filter struct {
	Name  string
	Calls []Ask
}

// A Scope is what the filters of a model ask of its rows, in one call.
type Scope struct {
	Model *schema.Model
	// Shape is what the text of the conditions depends on, and Args are their
	// values, on which it does not.
	Shape string
	Args  []driver.Value
	parts []scopePart
}

// A scopePart is a condition that one filter asks for, of perhaps several.
type scopePart struct {
	filter string
	cond   Cond
}

// A Hole stands for a value of a Scope in a statement that is kept: it has
// another one in each call.
type Hole struct {
	Model *schema.Model
	Arg   int
}

// NewScope resolves the filters of a model. They compare its own columns and
// foreign keys: only so can a row be told to meet them before it is written,
// and only so does a filter not need others.
func NewScope(m *schema.Model, filters []Filter, d dialect.Dialect) (*Scope, error) {
	b := newBuilder(Query{Model: m}, d)
	s := &Scope{Model: m}
	var shape []byte
	for _, f := range filters {
		from := b.root()
		c, err := b.calls(from, f.Calls)
		if err == nil && len(from.Joins) > 0 {
			err = errFollows
		}
		if err == nil {
			shape, err = s.describe(shape, c)
		}
		if err != nil {
			return nil, fmt.Errorf("kin: the filter %q on %s: %w", f.Name, m.Name, trim(err))
		}
		all, several := c.(All)
		if !several {
			all = All{c}
		}
		for _, c := range all {
			s.parts = append(s.parts, scopePart{f.Name, c})
		}
	}
	s.Shape = string(shape)
	return s, nil
}

type scopeError string

func (e scopeError) Error() string { return string(e) }

const errFollows = scopeError("follows a relation; a filter compares the model's own columns and foreign keys")

// trim keeps messages from saying kin twice.
func trim(err error) error {
	if text, ok := strings.CutPrefix(err.Error(), "kin: "); ok {
		return &trimmed{text, err}
	}
	return err
}

type trimmed struct {
	text string
	err  error
}

func (e *trimmed) Error() string { return e.text }
func (e *trimmed) Unwrap() error { return e.err }

// describe appends the shape of c, and its values to s.Args.
func (s *Scope) describe(shape []byte, c Cond) ([]byte, error) {
	var err error
	list := func(kind byte, parts []Cond) {
		shape = append(shape, kind, '(')
		for _, part := range parts {
			if err == nil {
				shape, err = s.describe(shape, part)
			}
		}
		shape = append(shape, ')')
	}
	switch c := c.(type) {
	case Const:
		shape = strconv.AppendBool(shape, bool(c))
	case All:
		list('&', c)
	case Any:
		list('|', c)
	case Odds:
		list('^', c)
	case Not:
		list('!', []Cond{c.Cond})
	case *Cmp:
		if c.Ref.Column.Value.Kind == dialect.Array {
			return nil, scopeError("asks for a list, which a filter does not compare")
		}
		if c.Op.Text() {
			return nil, scopeError(c.Op.String() + " searches text; a filter compares: exact, ne, in, gt, gte, lt, lte, range, isnull")
		}
		shape = append(strconv.AppendQuote(shape, c.Ref.Column.Name), byte(c.Op))
		shape = append(strconv.AppendInt(shape, int64(len(c.Args)), 10), ' ')
		s.Args = append(s.Args, c.Args...)
	case *Tuples:
		shape = append(strconv.AppendQuote(shape, c.Refs[0].Column.Name), 't')
		shape = append(strconv.AppendInt(shape, int64(len(c.Rows)), 10), ' ')
		for _, row := range c.Rows {
			s.Args = append(s.Args, row...)
		}
	case *RawSQL:
		return nil, scopeError("is raw SQL; a filter is made of lookups, so that a row can be told to meet it before it is written")
	default:
		return nil, errFollows
	}
	return shape, err
}

// Both returns the condition that a is met, and b, which may be nil, too.
func Both(a, b Cond) Cond {
	if b == nil {
		return a
	}
	return alsoAll(All{a}, b)
}

// NotDeleted returns the condition that rows of m are not softly deleted.
func NotDeleted(m *schema.Model) Cond {
	return Alive{Ref{&Table{Model: m, Alias: m.Table}, m.Deleted}}
}

// Over returns the condition over a table of the model, with a Hole for each
// value; Where has the values themselves. Both are nil for all rows.
func (s *Scope) Over(t *Table) Cond {
	n := 0
	return s.over(t, func(driver.Value) driver.Value { n++; return Hole{s.Model, n - 1} })
}

// Where is Over with the values of this call.
func (s *Scope) Where(t *Table) Cond {
	return s.over(t, func(v driver.Value) driver.Value { return v })
}

func (s *Scope) over(t *Table, give func(driver.Value) driver.Value) Cond {
	if s == nil {
		return nil
	}
	all := make(All, len(s.parts))
	for i, part := range s.parts {
		all[i] = over(part.cond, t, give)
	}
	if c := conjunction(all); c != Const(true) {
		return c
	}
	return nil
}

// over returns c over another table, and with other values.
func over(c Cond, t *Table, give func(driver.Value) driver.Value) Cond {
	each := func(parts []Cond) []Cond {
		made := make([]Cond, len(parts))
		for i, part := range parts {
			made[i] = over(part, t, give)
		}
		return made
	}
	row := func(values []driver.Value) []driver.Value {
		made := make([]driver.Value, len(values))
		for i, v := range values {
			made[i] = give(v)
		}
		return made
	}
	switch c := c.(type) {
	case All:
		return All(each(c))
	case Any:
		return Any(each(c))
	case Odds:
		return Odds(each(c))
	case Not:
		return Not{over(c.Cond, t, give)}
	case *Cmp:
		return &Cmp{Ref: Ref{t, c.Ref.Column}, Op: c.Op, Args: row(c.Args), Nulls: c.Nulls}
	case *Tuples:
		made := &Tuples{}
		for _, ref := range c.Refs {
			made.Refs = append(made.Refs, Ref{t, ref.Column})
		}
		for _, values := range c.Rows {
			made.Rows = append(made.Rows, row(values))
		}
		return made
	}
	return c
}
