package sqlgen

import (
	"slices"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
)

// Change writes an UPDATE or DELETE.
func Change(c *plan.Change, d dialect.Dialect) Text {
	w := writer{d: d, t: d.Traits(), b: make([]byte, 0, 256)}
	switch {
	case c.Values != nil:
		w.updateFrom(c)
	case c.Keys != nil:
		w.changeJoined(c)
	case len(c.Set) > 0:
		w.text("UPDATE ")
		w.table(c.Table)
		for i, a := range c.Set {
			w.separate(i, " SET ")
			w.ident(a.Column.Name)
			w.text(" = ")
			w.value(a.Value)
		}
	default:
		w.text("DELETE FROM ")
		w.table(c.Table)
	}
	if c.Where != nil {
		w.text(" WHERE ")
		w.cond(c.Where, false)
	}
	w.checkParams(len(w.args))
	return Text{string(w.b), w.args, w.err}
}

// updateFrom writes an UPDATE whose values are all calculated before the
// first is assigned.
func (w *writer) updateFrom(c *plan.Change) {
	w.text("UPDATE ")
	w.table(c.Table)
	if w.t.UpdateJoin {
		w.text(" JOIN ")
		w.newValues(c, " ON ")
	}
	for i, a := range c.Set {
		w.separate(i, " SET ")
		if w.t.UpdateJoin {
			w.expr(plan.Ref{Table: c.Table, Column: a.Column})
		} else {
			w.ident(a.Column.Name)
		}
		w.text(" = ")
		w.ident(rowsName)
		w.text(".")
		w.ident(plan.ValueName(i))
	}
	if !w.t.UpdateJoin {
		w.text(" FROM ")
		w.newValues(c, " WHERE ")
	}
}

// newValues writes the derived table of keys and new values, and after a word
// how it is joined.
func (w *writer) newValues(c *plan.Change, word string) {
	w.joined(c, c.Values, word)
}

// changeJoined writes an UPDATE or a DELETE of the rows whose keys a derived
// table has. That is read before the first row changes.
func (w *writer) changeJoined(c *plan.Change) {
	if len(c.Set) == 0 {
		w.text("DELETE ")
		w.table(c.Table)
		w.text(" FROM ")
	} else {
		w.text("UPDATE ")
	}
	w.table(c.Table)
	w.text(" JOIN ")
	w.joined(c, c.Keys, " ON ")
	for i, a := range c.Set {
		w.separate(i, " SET ")
		w.expr(plan.Ref{Table: c.Table, Column: a.Column})
		w.text(" = ")
		w.value(a.Value)
	}
}

// joined writes a derived table with the keys of the rows that are changed,
// and after a word how it is joined.
func (w *writer) joined(c *plan.Change, keys *plan.Select, word string) {
	w.text("(")
	w.selectFrom(keys)
	w.text(") AS ")
	w.ident(rowsName)
	for i, k := range c.Table.Model.Key {
		if i > 0 {
			word = " AND "
		}
		w.text(word)
		w.expr(plan.Ref{Table: c.Table, Column: k})
		w.text(" = ")
		w.ident(rowsName)
		w.text(".")
		w.ident(plan.KeyName(i))
	}
}

// value writes an expression that is calculated.
func (w *writer) value(e plan.Expr) {
	switch e := e.(type) {
	case plan.Param:
		w.typedParam(e)
	case plan.Binary:
		w.binary(e)
	case plan.Rank:
		w.rank(e.Search)
	case plan.Present:
		w.value(e.Expr)
		w.text(" IS NOT NULL")
	case plan.Dig:
		w.dig(e)
	case plan.Called:
		w.called(e)
	case plan.Cased:
		w.text("CASE")
		for _, when := range e.Whens {
			w.text(" WHEN ")
			w.cond(when.Cond, true)
			w.text(" THEN ")
			w.value(when.Then)
		}
		if e.Else != nil {
			w.text(" ELSE ")
			w.value(e.Else)
		}
		w.text(" END")
	case plan.Scalar:
		w.text("(SELECT ")
		w.expr(e.Ref)
		w.text(" FROM ")
		w.from(e.From)
		w.text(" WHERE ")
		w.onRelation(e.First, e.From.Table, e.Parent)
		w.also(" AND ", e.From.Table.Scope)
		w.text(")")
	case plan.Agg:
		w.aggregate(e)
	case plan.Window:
		w.window(e)
	case plan.Nested:
		w.text("(")
		w.selectFrom(e.Select)
		w.text(")")
	case plan.Sub:
		w.text("(SELECT ")
		w.value(e.Select.Columns[0])
		w.text(" FROM ")
		w.from(e.Select.From)
		w.text(" WHERE ")
		w.onRelation(e.First, e.Select.From.Table, e.Parent)
		w.also(" AND ", e.Select.From.Table.Scope)
		w.also(" AND ", e.Select.Where)
		w.text(")")
	default:
		w.expr(e)
	}
}

// typedParam writes a parameter with the type of its column, where the
// database would else guess.
func (w *writer) typedParam(p plan.Param) {
	if !w.t.TypedNulls {
		w.param(p.Value)
		return
	}
	w.text("CAST(")
	w.param(p.Value)
	w.text(" AS " + w.typeOf(p.Column) + ")")
}

// binary writes arithmetic. A quotient by zero is NULL on every database.
func (w *writer) binary(e plan.Binary) {
	sign := " " + string(e.Sign) + " "
	if e.Sign == '/' && e.Integer {
		sign = w.t.IntegerDivision
	}
	w.text("(")
	if e.Sign == '/' && e.Integer && w.t.TypedNulls && (summed(e.X) || summed(e.Y)) {
		// PostgreSQL has sums that are a numeric, whose quotient has a fraction.
		w.text("CAST(div(CAST(")
		w.value(e.X)
		w.text(" AS numeric), NULLIF(")
		w.value(e.Y)
		w.text(", 0)) AS bigint)")
	} else if w.wide(e); e.Sign == '/' {
		w.text(sign + "NULLIF(")
		w.value(e.Y)
		w.text(", 0)")
	} else {
		w.text(sign)
		w.value(e.Y)
	}
	w.text(")")
}

// wide writes the first part of arithmetic. PostgreSQL calculates with small
// integers in their own range, which others leave.
func (w *writer) wide(e plan.Binary) {
	if !w.t.TypedNulls || !e.Integer || !small(e.X) || !small(e.Y) {
		w.value(e.X)
		return
	}
	w.text("CAST(")
	w.value(e.X)
	w.text(" AS bigint)")
}

// small reports whether an expression is, in PostgreSQL, of an integer type
// with less than 64 bits.
func small(e plan.Expr) bool {
	if _, ok := e.(plan.Binary); ok {
		return false // it is wide already
	}
	t := plan.TypeOf(e)
	return t != nil && t.Value.Bits < 64
}

// summed reports whether an expression has a sum in it, or a subquery, which may
// have one.
func summed(e plan.Expr) bool {
	switch e := e.(type) {
	case plan.Agg:
		return e.Name == plan.Summing
	case plan.Sub:
		return summed(e.Select.Columns[0])
	case plan.Window:
		return summed(e.Of)
	case plan.Nested:
		return true
	case plan.Binary:
		return summed(e.X) || summed(e.Y)
	case plan.Called:
		return slices.ContainsFunc(e.Args, summed)
	case plan.Cased:
		return summed(e.Else) || slices.ContainsFunc(e.Whens, func(when plan.CasedWhen) bool { return summed(when.Then) })
	}
	return false
}
