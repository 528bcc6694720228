package plan

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// A Value is an expression as a user builds it, before it is resolved against
// a model.
type Value interface{ isValue() }

// Literal is a value of Go.
type Literal struct{ Value any }

// Column is a field, of the model's own or of a row that foreign keys lead to.
type Column struct{ Path Lazy }

// Arithmetic is a sum, difference, product or quotient.
type Arithmetic struct {
	Sign byte // one of + - * /
	X, Y Value
}

// Case is the value of the first condition that is met.
type Case struct {
	Whens []When
	Else  Value // nil for NULL
}

// When is a condition and a value.
type When struct {
	Ask  Ask
	Then Value
}

// A Mistake is what a user has built wrongly.
type Mistake struct{ Err error }

func (Mistake) isValue()    {}
func (Literal) isValue()    {}
func (Column) isValue()     {}
func (Arithmetic) isValue() {}
func (Function) isValue()   {}
func (Case) isValue()       {}

// The resolved forms.
type (
	// A Param is a bound value, of the type of a column.
	Param struct {
		Value  driver.Value
		Column *schema.Column
	}
	// A Binary is arithmetic.
	Binary struct {
		Sign    byte
		X, Y    Expr
		Integer bool // whether both are integers
	}
	// A Cased is a CASE.
	Cased struct {
		Whens []CasedWhen
		Else  Expr
	}
	// A CasedWhen is one WHEN of it.
	CasedWhen struct {
		Cond Cond
		Then Expr
	}
	// A Scalar is a subquery for one value.
	Scalar struct {
		From   *From
		Parent *Table
		First  *schema.Relation // from Parent to From
		Ref    Ref
	}
)

func (Param) isExpr()  {}
func (Binary) isExpr() {}
func (Called) isExpr() {}
func (Cased) isExpr()  {}
func (Scalar) isExpr() {}

const (
	// maxDepth is how deep expressions may be nested.
	maxDepth = 200
	// maxValues is the most parts of all expressions in a query. Some functions
	// have an argument in them twice, so that few of them, each in another, are
	// more than a database reads.
	maxValues = 1_000_000
)

// value resolves an expression over the rows of a table. Literals take the
// type of the column they meet, at last that of want.
func (b *builder) value(from *From, v Value, want *schema.Column, depth int) (Expr, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("kin: an expression is nested more than %d levels deep", maxDepth)
	}
	if b.values++; b.values > maxValues {
		return nil, fmt.Errorf("kin: the expressions of a query have more than %d parts", maxValues)
	}
	if err := unset(v, want); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case Mistake:
		return nil, v.Err
	case Literal:
		return b.literal(v.Value, want)
	case Column:
		return b.columnValue(from, v.Path)
	case Arithmetic:
		return b.arithmetic(from, v, want, depth)
	case Aggregate:
		return b.aggregate(from, v)
	case Windowed:
		return b.window(from, v)
	case ValueOf:
		return b.valueOf(place{from, from.Table}, v)
	case Outer:
		return b.outerValue(v)
	case Function:
		return b.function(from, v, want, depth)
	case Case:
		return b.caseOf(from, v, want, depth)
	case Offset:
		return b.offset(from, v, depth)
	case Ranked:
		return b.ranked(from, v)
	case JSONValue:
		return b.dig(from, v, depth)
	case Warded:
		return b.warded(from, v, want, depth)
	case Raw:
		return b.rawValue(from.Table, v)
	}
	return nil, errEmpty
}

// columnValue resolves a path that ends in a column.
func (b *builder) columnValue(from *From, name Lazy) (Expr, error) {
	if err := b.ofRow(from.Table); err != nil {
		return nil, err
	}
	path, err := name.At(from.Table.Model)
	if err != nil {
		return nil, err
	}
	p, err := lookup.Order(from.Table.Model, path)
	if err == nil {
		err = uncalculated(p.Column)
	}
	if err == nil {
		err = b.lazily(from.Table.Model, name, p)
	}
	if err != nil {
		return nil, err
	}
	for _, r := range p.Hops {
		if r.Kind == schema.ToMany {
			return nil, fmt.Errorf("kin: the expression %q follows %s, which leads to many rows", path, r.Name)
		}
	}
	if len(p.Hops) == 0 {
		return Ref{from.Table, p.Column}, nil
	}
	if s := (step{path: p, hops: p.Hops}); s.ends() {
		i := 0
		for j, c := range p.Hops[0].ToColumns {
			if c == p.Column {
				i = j
			}
		}
		return Ref{from.Table, p.Hops[0].FromColumns[i]}, nil
	}
	inner := b.from(p.Hops[0])
	at := inner.Table
	for _, r := range p.Hops[1:] {
		at = b.join(inner, at, r, false)
	}
	c := p.Column
	if c == nil {
		c = at.Model.Key[0]
	}
	return Scalar{From: inner, Parent: from.Table, First: p.Hops[0], Ref: Ref{at, c}}, nil
}

func (b *builder) arithmetic(from *From, v Arithmetic, want *schema.Column, depth int) (Expr, error) {
	// A literal beside a column is of the column's type.
	x, err := b.value(from, v.X, want, depth+1)
	if err != nil {
		return nil, err
	}
	beside := want
	if c := columnOf(x); c != nil {
		beside = c
	}
	y, err := b.value(from, v.Y, beside, depth+1)
	if err != nil {
		return nil, err
	}
	for _, e := range []Expr{x, y} {
		if c := columnOf(e); c != nil && !c.IsNumber() {
			return nil, fmt.Errorf("kin: %s is a %s, which does not calculate", c.GoName(), c.Source.Field.Type)
		}
	}
	return Binary{Sign: v.Sign, X: x, Y: y, Integer: isWhole(x) && isWhole(y)}, nil
}

// TypeOf returns the column that gives an expression its type, or nil.
func TypeOf(e Expr) *schema.Column { return columnOf(e) }

// columnOf returns the column that gives an expression its type, or nil.
func columnOf(e Expr) *schema.Column {
	switch e := e.(type) {
	case Ref:
		return e.Column
	case Scalar:
		return e.Ref.Column
	case Param:
		return e.Column
	case Agg:
		return e.Type
	case Sub:
		return e.Type
	case Nested:
		return e.Type
	case Window:
		return e.Type
	case Called:
		return e.Type
	case Dig:
		return e.Type
	case Rank:
		return schema.ScalarOf[float64]()
	case Cased:
		return typeOfAll(e.values())
	case Binary:
		return typeOfAll([]Expr{e.X, e.Y})
	}
	return nil
}

// typeOfAll returns the type of values that may be each of the expressions, or
// are made of all: that of the first with a type, but of numbers some of which
// are floats, that of these.
func typeOfAll(exprs []Expr) *schema.Column {
	var t *schema.Column
	for _, e := range exprs {
		c := columnOf(e)
		if t == nil || c != nil && t.IsWhole() && c.Value.Kind == dialect.Float {
			t = c
		}
	}
	return t
}

// floats makes integers among expressions floats if some of them are: SQLite
// would divide by each as what it is.
func floats(exprs []Expr) {
	t := typeOfAll(exprs)
	if t == nil || t.Value.Kind != dialect.Float {
		return
	}
	for i, e := range exprs {
		if isWhole(e) {
			exprs[i] = Called{Name: "float", Args: []Expr{e}, Type: schema.ScalarOf[float64]()}
		}
	}
}

// values returns what the case may be.
func (c Cased) values() []Expr {
	values := make([]Expr, 0, len(c.Whens)+1)
	for _, when := range c.Whens {
		values = append(values, when.Then)
	}
	if c.Else != nil {
		values = append(values, c.Else)
	}
	return values
}

// isNil reports whether a value is NULL, as one of Go.
func isNil(v Value) bool {
	lit, ok := v.(Literal)
	return ok && lit.Value == nil
}

func (b *builder) caseOf(from *From, v Case, want *schema.Column, depth int) (Expr, error) {
	var c Cased
	for _, when := range v.Whens {
		cond, err := b.ask(place{from, from.Table}, when.Ask)
		if err != nil {
			return nil, err
		}
		var then Expr
		if !isNil(when.Then) {
			if then, err = b.value(from, when.Then, want, depth+1); err != nil {
				return nil, err
			}
		}
		c.Whens = append(c.Whens, CasedWhen{cond, then})
	}
	if len(c.Whens) == 0 {
		return nil, errors.New("kin: a case has no condition")
	}
	if v.Else != nil && !isNil(v.Else) {
		var err error
		if c.Else, err = b.value(from, v.Else, want, depth+1); err != nil {
			return nil, err
		}
	}
	if want == nil {
		want = typeOfAll(c.values())
	}
	for i, when := range c.Whens {
		if when.Then != nil {
			continue
		}
		var err error
		if c.Whens[i].Then, err = b.literal(nil, want); err != nil { // of the type of the others
			return nil, err
		}
	}
	values := c.values()
	for _, e := range values {
		if first, t := columnOf(values[0]), columnOf(e); first != nil && t != nil && !alike(first.Value.Kind, t.Value.Kind) {
			return nil, fmt.Errorf("kin: a case has values of one type, not %s, a %s, and %s, a %s",
				first.GoName(), first.Source.Field.Type, t.GoName(), t.Source.Field.Type)
		}
	}
	floats(values)
	for i := range c.Whens {
		c.Whens[i].Then = values[i]
	}
	if c.Else != nil {
		c.Else = values[len(values)-1]
	}
	return c, nil
}
