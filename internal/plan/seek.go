package plan

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// A Seek asks for the roots after a place in their order, and for the place of
// each root. A place is the values by which the roots are sorted.
type Seek struct {
	// Nulls says which values of the place to go on from are NULL. It is nil if
	// the first roots are asked for.
	Nulls []bool
	// Inclusive is whether a root at the very place is one of them.
	Inclusive bool
}

// A SeekHole stands for a value of the place in a statement that is kept.
type SeekHole int

// A Place is a value by which the roots are sorted, as a column of a result.
type Place struct {
	Expr   Expr
	Column *schema.Column
}

func (Place) isExpr() {}

// after adds the condition that a root comes after the place that is asked
// for. Each value narrows what the one before it left open, in a form that an
// index on the order answers from its first column on.
func (b *builder) after(from *From, root *node, where Cond) (Cond, error) {
	seek := b.query.Seek
	if seek == nil {
		return where, nil
	}
	terms := b.terms(from, from.Table, root, b.query.Reverse)
	for _, t := range terms {
		if _, ok := t.Expr.(Ref); !ok {
			return nil, fmt.Errorf("kin: a cursor on %s goes by its columns, not by what is calculated; take Page, or sort by fields", b.query.Model.Name)
		}
	}
	if seek.Nulls == nil {
		return where, nil
	}
	if len(terms) != len(seek.Nulls) {
		return nil, fmt.Errorf("kin: the place has %d values, and the order of %s %d", len(seek.Nulls), b.query.Model.Name, len(terms))
	}
	var rest Cond = Const(seek.Inclusive)
	for i, term := range slices.Backward(terms) {
		rest = beyond(term, seek.Nulls[i], SeekHole(i), rest)
	}
	if rest == Const(false) {
		return rest, nil
	}
	return conjunction(All{where, rest}), nil
}

// beyond returns the condition that a row has a later value in a term of the
// order, or the same and meets rest. NULL comes before all values.
func beyond(t Term, null bool, hole driver.Value, rest Cond) Cond {
	ref := t.Expr.(Ref)
	is := func(op lookup.Op) Cond { return &Cmp{Ref: ref, Op: op, Args: []driver.Value{hole}, Nulls: t.Nulls} }
	isNull := Cond(&Cmp{Ref: ref, Op: lookup.IsNull})
	strict, loose := lookup.Gt, lookup.Gte
	if t.Desc {
		strict, loose = lookup.Lt, lookup.Lte
	}
	switch {
	case null && t.Desc:
		return conjunction(All{isNull, rest})
	case null:
		return either(Not{isNull}, rest)
	case t.Desc && t.Nulls:
		return either(is(strict), either(isNull, conjunction(All{is(lookup.Exact), rest})))
	case rest == Const(false):
		return is(strict)
	case rest == Const(true):
		return is(loose)
	}
	return conjunction(All{is(loose), either(is(strict), rest)})
}

// either returns the condition that a is met or b, which may be known.
func either(a, b Cond) Cond {
	switch b {
	case Const(true):
		return b
	case Const(false):
		return a
	}
	if parts, ok := b.(Any); ok {
		return append(Any{a}, parts...)
	}
	return Any{a, b}
}

// places adds to sel, whose order is that of the roots, a column for each
// value by which they are sorted.
func (b *builder) places(sel *Select, shape *hydrate.Shape, terms []Term) {
	if b.query.Seek == nil {
		return
	}
	for _, t := range terms {
		shape.Places = append(shape.Places, hydrate.ColumnSlot{Column: t.Column, Slot: len(sel.Columns)})
		sel.Columns = append(sel.Columns, Place{t.Expr, t.Column})
	}
}

// placesOfArms has the arm of the roots give their places, which the CTE has
// found, and the other arms nothing in their stead.
func (a *armBuilder) placesOfArms(terms []Term) {
	if a.query.Seek == nil {
		return
	}
	for i, t := range terms {
		name := "kin_o" + strconv.Itoa(i+1)
		a.s.With.Columns = append(a.s.With.Columns, As{t.Expr, name})
		table := &Table{Model: a.query.Model, Alias: a.s.Name, CTE: a.s.Name}
		a.places = append(a.places, Place{Name{table, name}, t.Column})
	}
}

// givePlaces adds the places to all arms, after all other columns.
func (a *armBuilder) givePlaces() {
	for i, p := range a.places {
		slot := &Slot{Column: p.Column}
		a.s.Shape.Places = append(a.s.Shape.Places, hydrate.ColumnSlot{Column: p.Column, Slot: a.s.Shape.Width + i})
		for j, arm := range a.s.Arms {
			if j == 0 {
				arm.Columns = append(arm.Columns, p)
			} else {
				arm.Columns = append(arm.Columns, Blank{slot})
			}
		}
	}
	a.s.Shape.Width += len(a.places)
}
