package plan

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A Pair is a condition as a user writes it.
type Pair struct {
	Lookup string
	Value  any
}

// A Call is one call of Filter or Exclude: its pairs speak of the same
// related rows.
type Call struct {
	Pairs  []Pair
	Negate bool
}

// MaxList is the most values of a list in a condition.
const MaxList = 1_000_000

// where returns the condition that all calls are met, over the rows of from.
func (b *builder) where(from *From, calls []Call) (Cond, error) {
	all, err := b.fixed(from)
	if err != nil {
		return nil, err
	}
	c, err := b.calls(from, calls)
	if err != nil {
		return nil, err
	}
	return conjunction(append(all, c)), nil
}

// calls returns the condition that all calls are met.
func (b *builder) calls(from *From, calls []Call) (Cond, error) {
	var all All
	for _, call := range calls {
		var paths []step
		for _, pair := range call.Pairs {
			p, err := lookup.Condition(from.Table.Model, pair.Lookup)
			if err != nil {
				return nil, err
			}
			paths = append(paths, step{p, p.Hops, pair.Value})
		}
		c, err := b.group(from, from.Table, paths)
		if err != nil {
			return nil, err
		}
		if call.Negate {
			c = negate(c)
		}
		all = append(all, c)
	}
	return conjunction(all), nil
}

// fixed returns the condition that the keys are those given.
func (b *builder) fixed(from *From) (All, error) {
	var all All
	m := from.Table.Model
	if len(b.query.Keys) > 0 {
		c, err := keysIn(from.Table, m.Key, b.query.Keys, b.traits)
		if err != nil {
			return nil, fmt.Errorf("kin: %w", err)
		}
		all = append(all, c)
	}
	for _, f := range b.query.Fixed {
		columns := m.Key
		for _, r := range m.Keys {
			if r.Field.Name == f.Field {
				columns = r.FromColumns
			}
		}
		for i, part := range rel.Split(f.Key, len(columns)) {
			v, err := hydrate.KeyValue(part, columns[i], b.traits)
			if err != nil {
				return nil, fmt.Errorf("kin: %s %w", columns[i].GoName(), err)
			}
			all = append(all, b.cmp(Ref{from.Table, columns[i]}, lookup.Exact, v))
		}
	}
	return all, nil
}

// A step is a pair on its way along its path.
type step struct {
	path  lookup.Path
	hops  []*schema.Relation // that are left
	value any
}

// group returns the condition that all paths, which start at the table at,
// are met. Those that go on through the same to-many relation speak of the
// same row there.
func (b *builder) group(from *From, at *Table, paths []step) (Cond, error) {
	var all All
	type branch struct {
		table    *Table
		relation *schema.Relation
		paths    []step
	}
	var branches []*branch
	for _, p := range paths {
		table := at
		for len(p.hops) > 0 && p.hops[0].Kind == schema.ToOne && !p.ends() {
			table = b.join(from, table, p.hops[0], false)
			p.hops = p.hops[1:]
		}
		if len(p.hops) == 0 || p.hops[0].Kind == schema.ToOne {
			c, err := b.leaf(table, p)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
			continue
		}
		if len(p.hops) == 1 && p.path.Column == nil && hydrate.IsNull(p.value) {
			// No row at the end is what NULL is for a foreign key.
			switch p.path.Op {
			case lookup.Exact:
				p.path.Op, p.value = lookup.IsNull, true
			case lookup.Ne:
				p.path.Op, p.value = lookup.IsNull, false
			default:
			}
		}
		if len(p.hops) == 1 && p.path.Column == nil && p.path.Op == lookup.IsNull {
			c, err := b.isNull(p, &Exists{Relation: p.hops[0], Parent: table, From: b.from(p.hops[0])})
			if err != nil {
				return nil, err
			}
			all = append(all, c)
			continue
		}
		i := slices.IndexFunc(branches, func(x *branch) bool { return x.table == table && x.relation == p.hops[0] })
		if i < 0 {
			i = len(branches)
			branches = append(branches, &branch{table: table, relation: p.hops[0]})
		}
		p.hops = p.hops[1:]
		branches[i].paths = append(branches[i].paths, p)
	}
	for _, br := range branches {
		inner := b.from(br.relation)
		c, err := b.group(inner, inner.Table, br.paths)
		if err != nil {
			return nil, err
		}
		if c == Const(false) {
			all = append(all, c)
			continue
		}
		if c == Const(true) {
			c = nil
		}
		all = append(all, &Exists{Relation: br.relation, Parent: br.table, From: inner, Where: c})
	}
	return conjunction(all), nil
}

// ends reports whether the columns of the foreign key, which is the next
// hop, answer the question: the path ends in it, or in the key it holds.
func (p step) ends() bool {
	if len(p.hops) > 1 {
		return false
	}
	return p.path.Column == nil || slices.Contains(p.hops[0].ToColumns, p.path.Column)
}

// leaf returns the condition on columns of the table at, or of the foreign
// key that is p's last hop.
func (b *builder) leaf(at *Table, p step) (Cond, error) {
	if p.path.Column != nil {
		c := p.path.Column
		if len(p.hops) == 1 {
			c = p.hops[0].FromColumns[slices.Index(p.hops[0].ToColumns, c)]
		}
		if c.Relation == nil || len(c.Relation.FromColumns) == 1 || len(p.hops) == 1 {
			return b.column(Ref{at, c}, p)
		}
	}
	// A relation: the key of the row it leads to, which is that of at where
	// the path ended in a to-many relation.
	target, columns := at.Model, at.Model.Key
	if len(p.hops) == 1 {
		target, columns = p.hops[0].To, p.hops[0].FromColumns
	}
	refs := make([]Ref, len(columns))
	for i, c := range columns {
		refs[i] = Ref{at, c}
	}
	return b.relation(refs, target, p)
}

// column compares a column with the value of p.
func (b *builder) column(ref Ref, p step) (Cond, error) {
	switch p.path.Op {
	case lookup.IsNull:
		return b.isNull(p, Not{&Cmp{Ref: ref, Op: lookup.IsNull}})
	case lookup.In:
		return b.in(ref, p)
	case lookup.Range:
		low, high, err := bounds(p)
		if err != nil {
			return nil, err
		}
		from, err := b.compare(ref, p, lookup.Gte, low)
		if err != nil {
			return nil, err
		}
		to, err := b.compare(ref, p, lookup.Lte, high)
		return conjunction(All{from, to}), err
	default:
		return b.compare(ref, p, p.path.Op, p.value)
	}
}

// isNull returns the condition there, or its complement, as p's value asks.
func (b *builder) isNull(p step, there Cond) (Cond, error) {
	v := reflect.ValueOf(p.value)
	if v.Kind() != reflect.Bool {
		return nil, p.errorf("isnull takes true or false, not a %T", p.value)
	}
	if v.Bool() {
		return negate(there), nil
	}
	return there, nil
}

func (p step) errorf(format string, args ...any) error {
	return fmt.Errorf("kin: %q: %w", p.path.Text, fmt.Errorf(format, args...))
}

func bounds(p step) (low, high any, err error) {
	v := reflect.ValueOf(p.value)
	if (v.Kind() != reflect.Slice && v.Kind() != reflect.Array) || v.Len() != 2 {
		return nil, nil, p.errorf("range takes a slice of two values, not a %T", p.value)
	}
	return v.Index(0).Interface(), v.Index(1).Interface(), nil
}

// compare compares a column with one value.
func (b *builder) compare(ref Ref, p step, op lookup.Op, x any) (Cond, error) {
	column := ref.Column.Source
	if op.Text() && !isText(column) {
		return nil, p.errorf("%s searches text, but %s is a %s", op, column.GoName(), column.Field.Type)
	}
	v, err := hydrate.FromAny(ref.Column, x, b.traits)
	var outside hydrate.RangeError
	switch {
	case errors.As(err, &outside):
		return b.beyond(ref, op, outside.Above), nil
	case err != nil:
		return nil, p.errorf("%s %w", column.GoName(), err)
	case v != nil:
		return b.cmp(ref, op, v), nil
	}
	there := Not{&Cmp{Ref: ref, Op: lookup.IsNull}}
	switch op {
	case lookup.Exact, lookup.IExact:
		return negate(there), nil
	case lookup.Ne:
		return there, nil
	default:
		return nil, p.errorf("%s takes a value, not NULL", op)
	}
}

func (b *builder) cmp(ref Ref, op lookup.Op, v driver.Value) *Cmp {
	return &Cmp{Ref: ref, Op: op, Args: []driver.Value{v}, Nulls: b.nullable(ref)}
}

// nullable reports whether the column may be NULL: by itself, or because its
// table is joined by an outer join.
func (b *builder) nullable(ref Ref) bool { return ref.Column.Nullable || b.outer[ref.Table] }

// beyond answers a comparison with an integer that no row can hold. The
// database is not asked: it would compare as another type, without index.
func (b *builder) beyond(ref Ref, op lookup.Op, above bool) Cond {
	switch op {
	case lookup.Ne:
		return Const(true)
	case lookup.Lt, lookup.Lte:
		if above {
			return b.present(ref)
		}
	case lookup.Gt, lookup.Gte:
		if !above {
			return b.present(ref)
		}
	default:
	}
	return Const(false)
}

func (b *builder) present(ref Ref) Cond {
	if !b.nullable(ref) {
		return Const(true)
	}
	return Not{&Cmp{Ref: ref, Op: lookup.IsNull}}
}

func isText(c *schema.Column) bool {
	return c.IsText() || c.Value.Kind == dialect.Custom
}

// in compares a column with a list.
func (b *builder) in(ref Ref, p step) (Cond, error) {
	list, err := elements(p)
	if err != nil {
		return nil, err
	}
	var args []driver.Value
	var parts Any
	for i := range list.Len() {
		v, err := hydrate.FromAny(ref.Column, list.Index(i).Interface(), b.traits)
		var outside hydrate.RangeError
		switch {
		case errors.As(err, &outside): // no row holds it
		case err != nil:
			return nil, p.errorf("%s %w", ref.Column.Source.GoName(), err)
		case v == nil && parts == nil:
			parts = Any{&Cmp{Ref: ref, Op: lookup.IsNull}}
		case v != nil:
			args = append(args, v)
		}
	}
	if len(args) > 0 {
		parts = append(parts, &Cmp{Ref: ref, Op: lookup.In, Args: args, Nulls: b.nullable(ref)})
	}
	return disjunction(parts), nil
}

func elements(p step) (reflect.Value, error) {
	v := reflect.ValueOf(p.value)
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return v, p.errorf("in takes a slice, not a %T", p.value)
	}
	if v.Len() > MaxList {
		return v, p.errorf("in takes at most %d values, not %d", MaxList, v.Len())
	}
	return v, nil
}

// relation compares the key of a related row.
func (b *builder) relation(refs []Ref, target *schema.Model, p step) (Cond, error) {
	switch p.path.Op {
	case lookup.Exact:
		return b.sameKey(refs, target, p, p.value)
	case lookup.Ne:
		c, err := b.sameKey(refs, target, p, p.value)
		if one, ok := c.(*Cmp); ok && err == nil && one.Op == lookup.Exact {
			return b.cmp(one.Ref, lookup.Ne, one.Args[0]), nil
		}
		return negate(c), err
	case lookup.IsNull:
		return b.isNull(p, Not{&Cmp{Ref: refs[0], Op: lookup.IsNull}})
	case lookup.In:
		return b.keysIn(refs, target, p)
	default:
		if len(refs) == 1 {
			return b.column(refs[0], p)
		}
		return nil, p.errorf("%s does not apply to %s, whose key has %d columns", p.path.Op, target.Name, len(refs))
	}
}

// sameKey is met by rows with the key x, which is a row of the target, a key,
// or NULL.
func (b *builder) sameKey(refs []Ref, target *schema.Model, p step, x any) (Cond, error) {
	values, err := b.keyValues(refs, target, x)
	if err != nil {
		if _, outside := errors.AsType[hydrate.RangeError](err); outside {
			return Const(false), nil
		}
		return nil, p.errorf("%w", err)
	}
	if values == nil {
		return &Cmp{Ref: refs[0], Op: lookup.IsNull}, nil
	}
	var all All
	for i, ref := range refs {
		all = append(all, b.cmp(ref, lookup.Exact, values[i]))
	}
	return conjunction(all), nil
}

func (b *builder) keysIn(refs []Ref, target *schema.Model, p step) (Cond, error) {
	list, err := elements(p)
	if err != nil {
		return nil, err
	}
	var parts Any
	var rows [][]driver.Value
	for i := range list.Len() {
		values, err := b.keyValues(refs, target, list.Index(i).Interface())
		var outside hydrate.RangeError
		switch {
		case errors.As(err, &outside):
		case err != nil:
			return nil, p.errorf("%w", err)
		case values == nil && parts == nil:
			parts = Any{&Cmp{Ref: refs[0], Op: lookup.IsNull}}
		case values != nil:
			rows = append(rows, values)
		}
	}
	switch {
	case len(rows) == 0:
	case len(refs) == 1:
		args := make([]driver.Value, len(rows))
		for i, row := range rows {
			args[i] = row[0]
		}
		parts = append(parts, &Cmp{Ref: refs[0], Op: lookup.In, Args: args, Nulls: b.nullable(refs[0])})
	default:
		parts = append(parts, &Tuples{Refs: refs, Rows: rows})
	}
	return disjunction(parts), nil
}

// keyValues returns the key x column by column, or nil for NULL.
func (b *builder) keyValues(refs []Ref, target *schema.Model, x any) ([]driver.Value, error) {
	spec := target.Struct.Key()
	v := reflect.ValueOf(x)
	if v.IsValid() && v.Type() == target.Type { // a row by value
		p := reflect.New(target.Type)
		p.Elem().Set(v)
		x, v = p.Interface(), p
	}
	var key rel.Key
	var err error
	switch {
	case !v.IsValid():
		return nil, nil
	case v.Type() == reflect.PointerTo(target.Type):
		if v.IsNil() {
			return nil, nil
		}
		if key, err = hydrate.KeyOf(spec, x); err != nil {
			return nil, fmt.Errorf("the %s %w", target.Name, err)
		}
	case isForeignKey(v.Type()):
		row, err := rowOf(v, target)
		if err != nil || row == nil {
			return nil, err
		}
		return b.keyValues(refs, target, row)
	case len(refs) > 1:
		return b.composite(refs, target, v)
	default:
		value, err := hydrate.FromAny(refs[0].Column, x, b.traits)
		if err != nil || value == nil {
			return nil, wrapName(target, err)
		}
		return []driver.Value{value}, nil
	}
	parts := rel.Split(key, len(refs))
	values := make([]driver.Value, len(refs))
	for i, part := range parts {
		if values[i], err = hydrate.KeyValue(part, refs[i].Column, b.traits); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// A foreignKey is a kin.ForeignKey, or a pointer to one.
type foreignKey interface {
	driver.Valuer
	IsNull() bool
	Loaded() bool
}

func isForeignKey(t reflect.Type) bool { return t.Implements(reflect.TypeFor[foreignKey]()) }

// rowOf returns a row with the key that a foreign key holds, or nil if that
// is NULL.
func rowOf(v reflect.Value, target *schema.Model) (any, error) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, nil
	}
	ref := v.MethodByName("Ref")
	if !ref.IsValid() || ref.Type().NumOut() != 1 || ref.Type().Out(0) != reflect.PointerTo(target.Type) {
		return nil, fmt.Errorf("takes a %s, not a %s", target.Name, v.Type())
	}
	if fk, _ := reflect.TypeAssert[foreignKey](v); fk.IsNull() {
		return nil, nil
	}
	row := ref.Call(nil)[0]
	if row.IsNil() { // not read, or given a key that does not fit
		fk, _ := reflect.TypeAssert[foreignKey](v)
		_, err := fk.Value()
		return nil, err
	}
	return row.Interface(), nil
}

func wrapName(m *schema.Model, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s or its key %w", m.Name, err)
}

// composite reads a key of several columns from a slice with a value each.
func (b *builder) composite(refs []Ref, target *schema.Model, v reflect.Value) ([]driver.Value, error) {
	if (v.Kind() != reflect.Slice && v.Kind() != reflect.Array) || v.Len() != len(refs) {
		return nil, fmt.Errorf("takes a %s, or a slice with the %d values of its key, not a %s", target.Name, len(refs), v.Type())
	}
	values := make([]driver.Value, len(refs))
	for i, ref := range refs {
		value, err := hydrate.FromAny(ref.Column, v.Index(i).Interface(), b.traits)
		if err != nil {
			return nil, wrapName(target, err)
		}
		if value == nil {
			return nil, fmt.Errorf("takes a key of %s without NULL", target.Name)
		}
		values[i] = value
	}
	return values, nil
}

// conjunction, disjunction and negate simplify as they go, so that a
// condition that is known is a Const.
func conjunction(parts All) Cond {
	kept := parts[:0]
	for _, c := range parts {
		switch c {
		case Const(false):
			return c
		case Const(true):
			continue
		}
		kept = append(kept, c)
	}
	switch len(kept) {
	case 0:
		return Const(true)
	case 1:
		return kept[0]
	}
	return slices.Clip(kept)
}

func disjunction(parts Any) Cond {
	switch len(parts) {
	case 0:
		return Const(false)
	case 1:
		return parts[0]
	}
	return parts
}

func negate(c Cond) Cond {
	switch c := c.(type) {
	case Const:
		return !c
	case Not:
		return c.Cond
	}
	return Not{c}
}
