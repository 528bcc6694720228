// Package sqlgen writes plans as SQL: text and arguments in one pass, so that
// they cannot disagree. All names are quoted and all values are bound.
package sqlgen

import (
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// A Text is a statement that is ready to run.
type Text struct {
	SQL  string
	Args []driver.Value
	Err  error // why it cannot be run, such as too many parameters
}

// Write writes the statement.
func Write(s *plan.Statement, d dialect.Dialect) Text {
	w := writer{d: d, t: d.Traits(), b: make([]byte, 0, 512)}
	w.statement(s)
	if w.err == nil {
		w.checkParams(len(w.args))
	}
	return Text{string(w.b), w.args, w.err}
}

type writer struct {
	d    dialect.Dialect
	t    *dialect.Traits
	b    []byte
	args []driver.Value
	err  error
	keys KeyForm // of a KeySet
}

func (w *writer) text(s string) { w.b = append(w.b, s...) }

func (w *writer) ident(name string) { w.b = w.d.AppendIdent(w.b, name) }

func (w *writer) number(n int64) { w.b = strconv.AppendInt(w.b, n, 10) }

func (w *writer) param(v driver.Value) {
	w.args = append(w.args, v)
	w.b = w.d.AppendParam(w.b, len(w.args))
}

func (w *writer) statement(s *plan.Statement) {
	if s.Set != nil {
		w.set(s.Set)
		return
	}
	for i, c := range s.CTEs {
		w.separate(i, "WITH ")
		w.ident(c.Name)
		w.text(" AS (")
		w.statement(c.Statement)
		w.text(")")
		if i == len(s.CTEs)-1 && s.With == nil {
			w.text(" ")
		}
	}
	if s.With != nil {
		w.separate(len(s.CTEs), "WITH ")
		w.ident(s.Name)
		w.text(" AS (")
		w.selectFrom(s.With)
		w.text(") ")
	}
	for i, arm := range s.Arms {
		if i > 0 {
			w.text(" UNION ALL ")
		}
		w.selectFrom(arm)
	}
	for i, n := range s.Order {
		w.separate(i, " ORDER BY ")
		w.number(int64(n))
	}
}

// set writes two statements as one set. Each stands in a derived table of its
// own, so that no order of precedence, which differs, matters.
func (w *writer) set(s *plan.SetOp) {
	for i, part := range []*plan.Statement{s.Left, s.Right} {
		if part == nil {
			continue
		}
		if i > 0 {
			w.text(" " + s.Op + " ")
		}
		w.text("SELECT * FROM (")
		w.statement(part)
		w.text(") AS ")
		w.ident("kin_" + strconv.Itoa(i+1))
	}
	w.order(s.Terms)
	w.limit(&plan.Select{Limit: s.Limit, Offset: s.Offset})
}

// separate writes first before the first of several things, and a comma
// before the others.
func (w *writer) separate(i int, first string) {
	if i == 0 {
		w.text(first)
	} else {
		w.text(", ")
	}
}

func (w *writer) selectFrom(s *plan.Select) {
	if s.Exists {
		w.text("SELECT EXISTS (")
		w.selectFrom(s.From.Table.Derived)
		w.text(")")
		return
	}
	w.text("SELECT ")
	if s.Distinct {
		w.text("DISTINCT ")
	}
	w.on(s.On)
	for i, c := range s.Columns {
		w.separate(i, "")
		if s.Folds {
			w.collated(c)
		} else {
			w.column(c)
		}
	}
	w.text(" FROM ")
	w.from(s.From)
	if s.Where != nil {
		w.text(" WHERE ")
		w.cond(s.Where, false)
	}
	for i, n := range s.Group {
		w.separate(i, " GROUP BY ")
		w.number(int64(n))
	}
	if s.Having != nil {
		w.text(" HAVING ")
		w.cond(s.Having, false)
	}
	w.order(s.Order)
	w.limit(s)
	if s.Lock != nil {
		w.lock(s.Lock, len(s.From.Joins) > 0)
	}
}

// lock writes which rows are locked. Where there is one table, it goes
// without saying.
func (w *writer) lock(l *plan.Locking, several bool) {
	if l.Strength == plan.Update {
		w.text(w.t.ForUpdate)
	} else {
		w.text(w.t.ForShare)
	}
	for i, t := range l.Of {
		if several {
			w.separate(i, " OF ")
			w.ident(t.Alias)
		}
	}
	switch l.Wait {
	case plan.NoWait:
		w.text(" NOWAIT")
	case plan.SkipLocked:
		w.text(" SKIP LOCKED")
	case plan.Waits:
	}
}

func (w *writer) limit(s *plan.Select) {
	switch {
	case s.Limit != nil:
		w.text(" LIMIT ")
		w.number(*s.Limit)
	case s.Offset > 0 && w.t.NoLimit != "":
		w.text(" LIMIT ")
		w.text(w.t.NoLimit)
	}
	if s.Offset > 0 {
		w.text(" OFFSET ")
		w.number(s.Offset)
	}
}

// from writes a table and its joins.
func (w *writer) from(f *plan.From) {
	w.table(f.Table)
	fromKeys := f.Table.CTE != "" || f.Table.Model == nil // the roots' keys, or their parents'
	for _, j := range f.Joins {
		switch {
		case j.Inner && fromKeys && w.t.OrderedJoin != "":
			w.text(w.t.OrderedJoin)
		case j.Inner:
			w.text(" JOIN ")
		default:
			w.text(" LEFT JOIN ")
		}
		w.table(j.Table)
		w.text(" ON ")
		for i := range j.Left {
			if i > 0 {
				w.text(" AND ")
			}
			w.expr(j.Right[i])
			w.text(" = ")
			w.expr(j.Left[i])
		}
		w.also(" AND ", j.Table.Scope)
	}
}

func (w *writer) table(t *plan.Table) {
	switch {
	case t.Derived != nil:
		w.text("(")
		w.selectFrom(t.Derived)
		w.text(") AS ")
		w.ident(t.Alias)
	case t.CTE != "":
		w.ident(t.CTE)
		if t.Alias != t.CTE {
			w.text(" AS ")
			w.ident(t.Alias)
		}
	default:
		w.ident(t.Model.Table)
		if t.Alias != t.Model.Table {
			w.text(" AS ")
			w.ident(t.Alias)
		}
	}
}

// column writes an expression of a select list.
func (w *writer) column(e plan.Expr) {
	switch e := e.(type) {
	case plan.As:
		w.expr(e.Expr)
		w.text(" AS ")
		w.ident(e.Name)
	case plan.Ref:
		w.raw(e.Column)
		w.expr(e)
	case plan.Place:
		w.raw(e.Column)
		w.expr(e.Expr)
	default:
		w.expr(e)
	}
}

// raw keeps the driver from converting a column by its declared type.
func (w *writer) raw(c *schema.Column) {
	if w.t.RawColumn != "" && (c.Value.Kind == dialect.Time || c.Value.Kind == dialect.Bool) {
		w.text(w.t.RawColumn)
	}
}

func (w *writer) expr(e plan.Expr) {
	switch e := e.(type) {
	case plan.Ref:
		w.ident(e.Table.Alias)
		w.text(".")
		w.ident(e.Column.Name)
	case plan.Name:
		w.ident(e.Table.Alias)
		w.text(".")
		w.ident(e.Name)
	case plan.As:
		w.expr(e.Expr)
	case plan.Number:
		w.number(int64(e))
	case plan.Count:
		w.text("COUNT(*)")
	case plan.RowNumber:
		w.text("ROW_NUMBER() OVER (")
		for i, c := range e.Partition {
			w.separate(i, "PARTITION BY ")
			w.expr(c)
		}
		if len(e.Partition) > 0 {
			w.text(" ")
		}
		w.terms(e.Order, "ORDER BY ")
		w.text(")")
	case plan.Filled:
		w.filled(e)
	case plan.Blank:
		w.blank(e.Like)
	case *plan.RawSQL:
		w.text("(")
		w.rawSQL(e)
		w.text(")")
	case plan.Param, plan.Binary, plan.Called, plan.Dig, plan.Rank, plan.Present, plan.Cased, plan.Scalar, plan.Agg, plan.Sub, plan.Nested, plan.Window:
		w.value(e)
	}
}

// filled writes a column in a place that it shares with those of other arms,
// and for which all arms must have one type.
func (w *writer) filled(e plan.Filled) {
	switch {
	case w.t.TypedNulls && e.Slot.Shared:
		w.text("CAST(")
		w.expr(e.Ref)
		w.text(" AS ")
		w.text(w.castType(e.Slot))
		w.text(")")
	case w.t.UnionText != "" && e.Slot.Shared && isText(e.Ref.Column.Value.Kind):
		w.unionText(e.Ref)
	default:
		w.column(e.Ref)
	}
}

// unionText writes a text so that it takes kin's collation, whichever
// character set it is kept in.
func (w *writer) unionText(e plan.Expr) {
	before, after, _ := strings.Cut(w.t.UnionText, "{c}")
	w.text(before)
	w.expr(e)
	w.text(after)
}

func isText(k dialect.Kind) bool {
	return k == dialect.String || k == dialect.UUID || k == dialect.JSON
}

// blank writes a NULL. Where it must have a type, the first arm's gives it
// to the others; that of a column whose type is not known is the column's.
func (w *writer) blank(s *plan.Slot) {
	switch {
	case !w.t.TypedNulls || !s.First:
		w.text("NULL")
	case s.Shared:
		w.text("CAST(NULL AS ")
		w.text(w.castType(s))
		w.text(")")
	default:
		w.text("(SELECT ")
		w.ident(s.Column.Name)
		w.text(" FROM ")
		w.ident(s.Column.Model.Table)
		w.text(" WHERE FALSE)")
	}
}

// castType returns the widest type of the slot's kind.
func (w *writer) castType(s *plan.Slot) string {
	t, err := w.d.ColumnType(dialect.Type{Kind: s.Column.Value.Kind, Bits: 64})
	if err != nil {
		w.err = err
	}
	t, _, _ = strings.Cut(t, " COLLATE")
	return t
}

func (w *writer) order(terms []plan.Term) { w.terms(terms, " ORDER BY ") }

func (w *writer) terms(terms []plan.Term, first string) {
	for i, t := range terms {
		w.separate(i, first)
		switch text := t.Column != nil && t.Column.IsText(); {
		case text && w.t.UnionText != "":
			w.unionText(t.Expr)
		case text && w.t.Collation != "":
			w.expr(t.Expr)
			w.text(" COLLATE ")
			w.text(w.t.Collation)
		default:
			w.expr(t.Expr)
		}
		if t.Desc {
			w.text(" DESC")
		}
		if t.Nulls && w.t.NullsLast {
			if t.Desc {
				w.text(" NULLS LAST")
			} else {
				w.text(" NULLS FIRST")
			}
		}
	}
}

// Insert writes an INSERT of so many rows into a table, whose arguments are their
// values, row by row. It returns some columns of them, if any are given.
func Insert(d dialect.Dialect, table string, columns []*schema.Column, rows int, returned []*schema.Column) (string, error) {
	w := writer{d: d, t: d.Traits(), b: make([]byte, 0, 256+rows*(4+4*len(columns)))}
	w.text("INSERT INTO ")
	w.ident(table)
	for i, c := range columns {
		w.separate(i, " (")
		w.ident(c.Name)
	}
	if len(columns) == 0 {
		w.text(" " + w.t.EmptyInsert)
	} else {
		w.text(") VALUES ")
	}
	params := 0
	for i := range rows {
		if len(columns) == 0 {
			break
		}
		w.separate(i, "")
		for j := range columns {
			w.separate(j, "(")
			params++
			w.b = d.AppendParam(w.b, params)
		}
		w.text(")")
	}
	for i, c := range returned {
		w.separate(i, " RETURNING ")
		w.raw(c)
		w.ident(c.Name)
	}
	w.checkParams(params)
	return string(w.b), w.err
}
