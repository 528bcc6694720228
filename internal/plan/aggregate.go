package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// Aggregate is one value of several: of the related rows at the end of a path,
// or of the rows of the query.
type Aggregate struct {
	Name      AggregateName
	Path      Lazy // empty for the rows of the query
	Distinct  bool
	Where     []Ask  // which rows, at the end of the path's relations
	Separator string // of Joined
	Order     []Lazy // of Joined and Listed: "-" before those in descending order
}

// An AggregateName is a way to make one value of several.
type AggregateName uint8

// The aggregates.
const (
	Counting AggregateName = iota
	Summing
	Averaging
	Least
	Greatest
	Joined
	Listed
)

//nolint:gochecknoglobals // an immutable table
var aggregateNames = map[string]AggregateName{
	"count": Counting, "sum": Summing, "avg": Averaging, "min": Least, "max": Greatest, "array": Listed,
}

// AggregateOf returns the aggregate that a text such as "count(students)" or
// "count(distinct category)" calls, and whether it is a call.
func AggregateOf(text string) (Value, bool) {
	name, arg, distinct, ok := lookup.Call(text)
	if !ok {
		return nil, false
	}
	of, known := aggregateNames[name]
	if !known {
		return Mistake{fmt.Errorf("kin: %q calls %s; there are count, sum, avg, min, max and array", text, name)}, true
	}
	if arg == "*" {
		arg = ""
	}
	return Aggregate{Name: of, Path: Lazy{Text: arg}, Distinct: distinct}, true
}

// The resolved forms.
type (
	// An Agg is an aggregate of the rows that its SELECT reads.
	Agg struct {
		Name      AggregateName
		Arg       Expr // nil to count rows
		Distinct  bool
		Where     Cond // nil for all rows
		Separator string
		Order     []Term // nil for that of the values
		Type      *schema.Column
	}
	// A Present tells whether an expression is not NULL.
	Present struct{ Expr Expr }
	// A Sub is a subquery for one value, of rows related to one of the parent.
	Sub struct {
		Select *Select
		First  *schema.Relation
		Parent *Table
		Type   *schema.Column
	}
)

func (Aggregate) isValue() {}
func (Agg) isExpr()        {}
func (Sub) isExpr()        {}
func (Present) isExpr()    {}

// aggregate resolves an aggregate over the rows of a table: as a subquery, if
// its path leads over a to-many relation, else as one of the rows that are
// read.
func (b *builder) aggregate(from *From, a Aggregate) (Expr, error) {
	p, err := b.aggregated(from.Table.Model, a)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(p.Hops, func(r *schema.Relation) bool { return r.Kind == schema.ToMany }) {
		return b.ownAggregate(from, p, a)
	}
	var hops []*schema.Relation
	for _, r := range p.Hops {
		hops = append(hops, r.Hops()...)
	}
	inner := b.from(hops[0])
	at := inner.Table
	for _, r := range hops[1:] {
		at = b.join(inner, at, r, true)
	}
	agg, err := b.agg(place{inner, at}, p, a)
	if err != nil {
		return nil, err
	}
	sel := &Select{Columns: []Expr{agg}, From: inner}
	defer b.guards.beyond(from.Table.Model, p.Hops)()
	if agg.Order, err = b.aggregateOrder(place{inner, at}, agg, a.Order); err != nil {
		return nil, err
	}
	sel.Columns[0] = agg
	where, err := b.ask(place{inner, at}, Group{Parts: a.Where})
	if err != nil {
		return nil, err
	}
	if where != Const(true) {
		sel.Where = where
	}
	sub := Sub{Select: sel, First: hops[0], Parent: from.Table, Type: agg.Type}
	if b.groups == from.Table {
		whole, _, err := grouping(sub)
		return whole, err
	}
	return sub, nil
}

// aggregated resolves the path of an aggregate.
func (b *builder) aggregated(m *schema.Model, a Aggregate) (lookup.Path, error) {
	text, err := a.Path.At(m)
	if err != nil || text == "" {
		if err == nil && a.Name != Counting {
			err = fmt.Errorf("kin: an aggregate on %s names no field; only rows can be counted as they are", m.Name)
		}
		return lookup.Path{}, err
	}
	p, err := lookup.Member(m, text)
	if err == nil {
		err = uncalculated(p.Column)
	}
	if err == nil {
		err = b.lazily(m, a.Path, p)
	}
	return p, err
}

// ownAggregate is an aggregate of the rows that are read.
func (b *builder) ownAggregate(from *From, p lookup.Path, a Aggregate) (Expr, error) {
	if !b.own {
		return nil, fmt.Errorf("kin: an aggregate of the rows of %s themselves goes into a Select or a Having, not into a condition on one row", from.Table.Model.Name)
	}
	b.grouped = true
	groups := b.groups
	b.groups = nil // what is said within is about rows
	defer func() { b.groups = groups }()
	at := from.Table
	for _, r := range p.Hops {
		at = b.join(from, at, r, false)
	}
	agg, err := b.agg(place{from, at}, p, a)
	if err != nil {
		return nil, err
	}
	if agg.Order, err = b.aggregateOrder(place{from, at}, agg, a.Order); err != nil {
		return nil, err
	}
	if len(a.Where) > 0 {
		defer b.guards.beyond(from.Table.Model, p.Hops)()
		agg.Where, err = b.ask(place{from, at}, Group{Parts: a.Where})
	}
	return agg, err
}

// aggregateOrder returns the order of what an aggregate puts together, by paths
// from where its path leads to.
func (b *builder) aggregateOrder(at place, agg Agg, paths []Lazy) ([]Term, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	if agg.Distinct {
		return nil, errors.New("kin: a list of different values is in the order of these, and takes no other")
	}
	var order []Term
	for _, path := range paths {
		text, err := path.At(at.at.Model)
		if err != nil {
			return nil, err
		}
		text, desc := strings.CutPrefix(text, "-")
		e, err := b.columnValue(at.base(), Lazy{Text: text})
		if err == nil {
			err = incomparable(e)
		}
		if err != nil {
			return nil, err
		}
		order = append(order, Term{Expr: e, Column: columnOf(e), Desc: desc, Nulls: b.mayBeNull(e)})
	}
	for _, c := range at.at.Model.Key { // so that the order is total
		order = append(order, Term{Expr: Ref{at.at, c}, Column: c})
	}
	return order, nil
}

// agg makes the aggregate of a column, or of the rows, at a place.
func (b *builder) agg(at place, p lookup.Path, a Aggregate) (Agg, error) {
	agg := Agg{Name: a.Name, Distinct: a.Distinct, Separator: a.Separator, Type: schema.ScalarOf[int64]()}
	c := p.Column
	if c == nil && (len(p.Hops) > 0 && p.Hops[len(p.Hops)-1].Kind == schema.ToOne || a.Distinct) {
		if key := at.at.Model.Key; len(key) != 1 {
			return agg, fmt.Errorf("kin: %q ends in %s, whose key has %d columns, and cannot be counted by it", p.Text, at.at.Model.Name, len(key))
		}
		c = at.at.Model.Key[0]
	}
	if c != nil {
		agg.Arg = Ref{at.at, c}
	}
	if a.Name == Counting {
		return agg, nil
	}
	if p.Column == nil {
		return agg, fmt.Errorf("kin: %q ends in a relation; the aggregate takes a field", p.Text)
	}
	kind := c.Value.Kind
	number := c.IsNumber()
	switch a.Name {
	case Summing:
		agg.Type = c.Source
		if kind == dialect.Int { // of which there is more in all than in one
			agg.Type = schema.ScalarOf[int64]()
		}
	case Averaging: // of floats, lest the average of integers be one
		agg.Type = schema.ScalarOf[float64]()
		agg.Arg = Called{Name: "float", Args: []Expr{agg.Arg}, Type: agg.Type}
	case Least, Greatest:
		agg.Type = c.Source
		if number = kind != dialect.Bool && kind != dialect.JSON && kind != dialect.Bytes; !number {
			return agg, fmt.Errorf("kin: %s is a %s, of which none is the least or the greatest", c.GoName(), c.Source.Field.Type)
		}
	case Joined:
		agg.Type = schema.ScalarOf[string]()
		if number = c.IsText(); !number {
			return agg, fmt.Errorf("kin: %s is a %s, not a text, and is not joined", c.GoName(), c.Source.Field.Type)
		}
	case Listed:
		if agg.Type = schema.ListOf(c); agg.Type == nil {
			return agg, fmt.Errorf("kin: %s is a %s, of which no list is made", c.GoName(), c.Source.Field.Type)
		}
		number = true
	case Counting:
	}
	if !number {
		return agg, fmt.Errorf("kin: %s is a %s, which does not calculate", c.GoName(), c.Source.Field.Type)
	}
	return agg, nil
}

// grouping returns an expression as it stands in a SELECT that groups its rows:
// what subqueries in it say of each row becomes one value of all. It is not ok if
// there is something else of a row in it.
func grouping(e Expr) (whole Expr, ok bool, err error) {
	switch e := e.(type) {
	case Agg, Param:
		return e, true, nil
	case Sub:
		agg := e.Select.Columns[0].(Agg)
		switch {
		case agg.Distinct, agg.Name == Averaging, agg.Name == Joined, agg.Name == Listed:
			return nil, false, errors.New("kin: an average, a list or a count of different values over a to-many relation cannot be put together for groups; select it for each row")
		case agg.Name == Counting:
			return Agg{Name: Summing, Arg: e, Type: e.Type}, true, nil
		}
		return Agg{Name: agg.Name, Arg: e, Type: e.Type}, true, nil
	case Binary:
		parts, ok, err := groupingAll([]Expr{e.X, e.Y})
		if ok {
			e.X, e.Y = parts[0], parts[1]
		}
		return e, ok, err
	case Called:
		e.Args, ok, err = groupingAll(e.Args)
		return e, ok, err
	}
	return e, false, nil
}

func groupingAll(exprs []Expr) (whole []Expr, ok bool, err error) {
	whole = slices.Clone(exprs)
	for i, e := range exprs {
		if whole[i], ok, err = grouping(e); !ok {
			return exprs, false, err
		}
	}
	return whole, true, nil
}
