package plan

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// A Change is an UPDATE or a DELETE of the rows of a query.
type Change struct {
	Table *Table
	Set   []Assignment // of an UPDATE
	Where Cond         // nil for all rows
	// Values, if not nil, has the keys and the new values of all rows, and
	// stands for Set's values and Where.
	Values *Select
	// Keys, if not nil, has the keys of the rows that are changed, which are
	// joined to it; it stands for Where.
	Keys *Select
	// Empty is whether no row is changed.
	Empty bool
}

// KeyName and ValueName return the names of the columns of Values.
func KeyName(i int) string { return "k" + strconv.Itoa(i+1) }

// ValueName returns the name of the i-th new value.
func ValueName(i int) string { return "c" + strconv.Itoa(i+1) }

// An Assignment gives a column a value.
type Assignment struct {
	Column *schema.Column
	Value  Expr
}

// A Setting is an assignment as a user writes it.
type Setting struct {
	Lookup Lazy
	Value  Value
}

// Changed plans the change of the query's rows: an UPDATE if there are
// settings, else a DELETE. Only rows of the query are touched, whatever it
// joins or limits: what a single statement cannot say directly is said by
// the set of the rows' keys.
func Changed(q Query, settings []Setting, d dialect.Dialect) (*Change, error) {
	sel, ctes, err := bare(q, d)
	if err != nil || sel == nil {
		return &Change{Empty: err == nil}, err
	}
	b := newBuilder(q, d)
	from := b.root()
	change := &Change{Table: from.Table}
	for _, s := range settings {
		if err := b.assign(change, from, s); err != nil {
			return nil, err
		}
	}
	if b.err != nil {
		return nil, b.err
	}
	if len(ctes)+len(*b.ctes) > 0 {
		return nil, fmt.Errorf("kin: a change of %s asks for the rows of a selection, which only queries do; read their keys before", q.Model.Name)
	}
	reading := (b.traits.NoSelfSelect || b.traits.ReadsChanges) && readsModel(change.Set, q.Model)
	calculated := len(from.Joins) > 0 || reading || b.traits.SequentialSet && overlaps(change.Set)
	limited := sel.Limit != nil || sel.Offset > 0
	if !limited && !calculated && len(sel.From.Joins) == 0 && (!b.traits.NoSelfSelect || !subqueries(sel.Where)) {
		change.Where = sel.Where
		return change, nil
	}
	if limited || calculated {
		if b, err = again(sel, change, q, settings, d, limited, calculated); err != nil {
			return nil, err
		}
	}
	if calculated {
		sel.Columns = keyColumns(sel, q.Model)
		for i, a := range change.Set {
			sel.Columns = append(sel.Columns, As{a.Value, ValueName(i)})
		}
		change.Values = sel
		return change, nil
	}
	sel.Columns = keyColumns(sel, q.Model)
	if b.traits.NoSelfSelect {
		change.Keys = sel
	} else {
		change.Where = &InSelect{Select: sel, Refs: refs(from.Table, q.Model.Key)}
	}
	return change, nil
}

// again plans the rows that are changed once more, with what sorts them or
// what their new values read beside them.
func again(sel *Select, change *Change, q Query, settings []Setting, d dialect.Dialect, sorted, calculated bool) (*builder, error) {
	b := newBuilder(q, d)
	root, _, err := b.tree()
	if err != nil {
		return nil, err
	}
	from := b.root()
	if sel.Where, err = b.where(from, q.Calls); err != nil {
		return nil, err
	}
	if sel.Where == Const(true) {
		sel.Where = nil
	}
	sel.From = from
	if sorted {
		sel.Order = b.terms(from, from.Table, root, q.Reverse)
	}
	if calculated {
		change.Set = nil
		for _, s := range settings {
			if err := b.assign(change, from, s); err != nil {
				return nil, err
			}
		}
		if err := b.check(sel); err != nil {
			return nil, err
		}
	}
	return b, b.err
}

func keyColumns(sel *Select, m *schema.Model) (columns []Expr) {
	for i, c := range m.Key {
		columns = append(columns, As{Ref{sel.From.Table, c}, KeyName(i)})
	}
	return columns
}

// overlaps reports whether an assignment reads a column that one before it
// has changed, for databases in which it would see the change.
func overlaps(set []Assignment) bool {
	changed := map[*schema.Column]bool{}
	for _, a := range set {
		if readsAny(a.Value, changed) {
			return true
		}
		changed[a.Column] = true
	}
	return false
}

func readsAny(e Expr, columns map[*schema.Column]bool) bool {
	switch e := e.(type) {
	case Ref:
		return columns[e.Column]
	case Binary:
		return readsAny(e.X, columns) || readsAny(e.Y, columns)
	case Called:
		return slices.ContainsFunc(e.Args, func(x Expr) bool { return readsAny(x, columns) })
	case Scalar, Cased, Sub, Nested, *RawSQL: // whose conditions may read anything
		return len(columns) > 0
	}
	return false
}

// readsModel reports whether a new value reads rows of a model other than the
// one that it is for.
func readsModel(set []Assignment, m *schema.Model) bool {
	return slices.ContainsFunc(set, func(a Assignment) bool { return readsRows(a.Value, m) })
}

func readsRows(e Expr, m *schema.Model) bool {
	switch e := e.(type) {
	case Binary:
		return readsRows(e.X, m) || readsRows(e.Y, m)
	case Called:
		return slices.ContainsFunc(e.Args, func(x Expr) bool { return readsRows(x, m) })
	case Cased:
		return readsRows(e.Else, m) || slices.ContainsFunc(e.Whens, func(w CasedWhen) bool {
			return subqueries(w.Cond) || readsRows(w.Then, m)
		})
	case Scalar:
		return e.From.reads(m)
	case Nested, *RawSQL:
		return true // for all that is known
	case Sub:
		return e.Select.From.reads(m) || subqueries(e.Select.Where)
	}
	return false
}

// reads reports whether the table of a model is among those of f.
func (f *From) reads(m *schema.Model) bool {
	return f.Table.Model == m || slices.ContainsFunc(f.Joins, func(j *Join) bool { return j.Table.Model == m })
}

// subqueries reports whether a condition has subqueries. MariaDB runs those of
// an UPDATE or a DELETE for each row of the table, and refuses those that read
// the table itself; beside a join, it plans them as those of a SELECT.
func subqueries(c Cond) bool {
	switch c := c.(type) {
	case All:
		return slices.ContainsFunc(c, subqueries)
	case Any:
		return slices.ContainsFunc(c, subqueries)
	case Odds:
		return slices.ContainsFunc(c, subqueries)
	case Not:
		return subqueries(c.Cond)
	case *Test:
		return readsRows(c.X, nil) || readsRows(c.Y, nil)
	case *Exists, *InSelect, *There, *Recursion, *RawSQL:
		return true
	}
	return false
}

// assign adds the assignments of a setting: several for a composite key.
func (b *builder) assign(change *Change, from *From, s Setting) error {
	defer b.ward(b.query.Guard)()
	name, err := s.Lookup.At(from.Table.Model)
	if err != nil {
		return err
	}
	columns, bad, ok := from.Table.Model.ColumnsOf([]string{name})
	if !ok {
		return fmt.Errorf("kin: %s has no column %q%s", from.Table.Model.Name, bad, schema.Suggest(bad, from.Table.Model.Members()))
	}
	for _, c := range columns {
		if c.Key {
			return fmt.Errorf("kin: %s is the primary key, which is not changed", c.GoName())
		}
		if slices.ContainsFunc(change.Set, func(a Assignment) bool { return a.Column == c }) {
			return fmt.Errorf("kin: %s is set twice", c.GoName())
		}
		if c.Computed {
			return fmt.Errorf("kin: %s is generated by the database, and cannot be set; set the columns that it is made of", c.GoName())
		}
	}
	if lit, ok := s.Value.(Literal); ok && columns[0].Relation != nil {
		return b.assignKey(change, from, columns, lit.Value)
	}
	if len(columns) > 1 {
		return fmt.Errorf("kin: %s has a key of %d columns, and takes a row", columns[0].GoName(), len(columns))
	}
	e, err := b.value(from, s.Value, columns[0], 0)
	if err != nil {
		return hydrate.Outside(columns[0], err)
	}
	if p, ok := e.(Param); ok && p.Value == nil && !columns[0].Nullable {
		return fmt.Errorf("kin: %s cannot be NULL", columns[0].GoName())
	}
	if err := assignable(columns[0], e); err != nil {
		return err
	}
	change.Set = append(change.Set, Assignment{columns[0], e})
	return nil
}

// assignable returns an error if a column does not take what an expression is:
// some databases would convert it, each in its own way, and others keep what is
// no value of the field.
func assignable(c *schema.Column, e Expr) error {
	t := columnOf(e)
	if t == nil || constant(e) {
		return nil
	}
	switch text := c.IsText() && t.IsWhole(); {
	case !text && !alike(c.Value.Kind, t.Value.Kind):
		return fmt.Errorf("kin: %s, a %s, is set to a %s", c.GoName(), c.Source.Field.Type, t.Source.Field.Type)
	case c.IsWhole() && t.Value.Kind == dialect.Float && !isRounded(e):
		return fmt.Errorf("kin: %s, a %s, is set to a float, which may have a fraction; take kin.Cast or kin.Round", c.GoName(), c.Source.Field.Type)
	}
	return nil
}

// isRounded reports whether a float is a whole number.
func isRounded(e Expr) bool {
	f, ok := e.(Called)
	if !ok {
		return false
	}
	switch f.Name {
	case "floor", "ceil":
		return true
	case "round":
		power, _ := f.Args[1].(Param)
		return power.Value == 1.0
	}
	return false
}

func (b *builder) assignKey(change *Change, from *From, columns []*schema.Column, x any) error {
	exprs := make([]Ref, len(columns))
	for i, c := range columns {
		exprs[i] = Ref{from.Table, c}
	}
	values, err := b.keyValues(exprs, columns[0].Relation.To, x)
	if err != nil {
		return hydrate.Outside(columns[0], fmt.Errorf("kin: %s: %w", columns[0].GoName(), err))
	}
	if values == nil && !columns[0].Nullable {
		return fmt.Errorf("kin: %s cannot be NULL", columns[0].GoName())
	}
	for i, c := range columns {
		p := Param{Column: c}
		if values != nil {
			p.Value = values[i]
		}
		change.Set = append(change.Set, Assignment{c, p})
	}
	return nil
}

// isWhole reports whether an expression is an integer.
func isWhole(e Expr) bool {
	c := columnOf(e)
	return c != nil && c.IsWhole()
}
