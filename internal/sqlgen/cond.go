package sqlgen

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/pattern"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// cond writes a condition, in parentheses if nested and of several parts.
func (w *writer) cond(c plan.Cond, nested bool) {
	switch c := c.(type) {
	case plan.All:
		w.join(c, " AND ", nested)
	case plan.Any:
		w.join(c, " OR ", nested)
	case plan.Odds:
		w.odds(c)
	case *plan.Test:
		w.test(c)
	case plan.Not:
		w.not(c.Cond)
	case *plan.Cmp:
		w.cmp(c)
	case *plan.Exists:
		w.exists(c)
	case *plan.InSelect:
		if c.Most && len(c.Refs) == 1 {
			w.text(w.t.NoIndex)
		}
		w.tuple(c.Refs)
		w.text(" IN (")
		if w.t.NoSelfSelect && (c.Select.Limit != nil || c.Select.Offset > 0) { // MariaDB takes no limit here
			w.text("SELECT * FROM (")
			w.selectFrom(c.Select)
			w.text(") AS ")
			w.ident("kin_in")
		} else {
			w.selectFrom(c.Select)
		}
		w.text(")")
	case *plan.Search:
		w.found(c)
	case *plan.Holds:
		w.holds(c)
	case *plan.Recursion:
		w.recursion(c)
	case *plan.There:
		w.text("EXISTS (")
		w.selectFrom(c.Select)
		w.text(")")
	case *plan.Tuples:
		w.tuples(c)
	case plan.Alive:
		w.alive(c)
	case *plan.KeySet:
		w.keySet(c)
	case *plan.Within:
		w.within(c)
	case *plan.RawSQL:
		w.expr(c)
	case plan.Const:
		if c {
			w.text("1 = 1")
		} else {
			w.text("1 = 0")
		}
	}
}

// maxRow is the most conditions that are written one after the other. SQLite
// takes a row of them for an expression as deep as the row is long, and has a
// limit for that; more are written as a tree.
const maxRow = 400

func (w *writer) join(parts []plan.Cond, operator string, nested bool) {
	if len(parts) > maxRow {
		size := (len(parts) + maxRow - 1) / maxRow
		var rows []plan.Cond
		for part := range slices.Chunk(parts, max(size, 2)) {
			if operator == " AND " {
				rows = append(rows, plan.All(part))
			} else {
				rows = append(rows, plan.Any(part))
			}
		}
		parts = rows
	}
	if nested {
		w.text("(")
	}
	for i, c := range parts {
		if i > 0 {
			w.text(operator)
		}
		w.cond(c, true)
	}
	if nested {
		w.text(")")
	}
}

// not writes the complement: it is met where the condition is false, and
// where it is neither true nor false for SQL.
func (w *writer) not(c plan.Cond) {
	switch x := c.(type) {
	case *plan.Exists:
		w.text("NOT ")
		w.exists(x)
	case *plan.Cmp:
		if x.Op == lookup.IsNull {
			w.expr(x.Ref)
			w.text(" IS NOT NULL")
			return
		}
		w.text("(")
		w.cmp(x)
		w.text(") IS NOT TRUE")
	case *plan.Test:
		if x.Op == lookup.IsNull {
			w.value(x.X)
			w.text(" IS NOT NULL")
			return
		}
		w.text("(")
		w.test(x)
		w.text(") IS NOT TRUE")
	default:
		w.text("(")
		w.cond(c, false)
		w.text(") IS NOT TRUE")
	}
}

func (w *writer) exists(e *plan.Exists) {
	w.text("EXISTS (SELECT 1 FROM ")
	w.from(e.From)
	w.text(" WHERE ")
	w.onRelation(e.Relation, e.From.Table, e.Parent)
	w.also(" AND ", e.From.Table.Scope)
	if e.Where != nil {
		w.text(" AND ")
		_, flat := e.Where.(plan.All)
		w.cond(e.Where, !flat)
	}
	w.text(")")
}

// onRelation writes which rows of a table are related to one of the parent.
func (w *writer) onRelation(r *schema.Relation, table, parent *plan.Table) {
	for i, c := range r.ToColumns {
		if i > 0 {
			w.text(" AND ")
		}
		w.expr(plan.Ref{Table: table, Column: c})
		w.text(" = ")
		w.expr(plan.Ref{Table: parent, Column: r.FromColumns[i]})
	}
}

//nolint:gochecknoglobals // an immutable table
var signs = map[lookup.Op]string{
	lookup.Exact: " = ", lookup.Gt: " > ", lookup.Gte: " >= ", lookup.Lt: " < ", lookup.Lte: " <= ",
}

func (w *writer) cmp(c *plan.Cmp) {
	switch c.Op {
	case lookup.IsNull:
		w.expr(c.Ref)
		w.text(" IS NULL")
	case lookup.In:
		w.in(c)
	case lookup.Ne:
		if c.Nulls {
			w.template(w.t.Distinct, c.Ref, func() { w.typed(c.Ref.Column, c.Args[0], true) })
			return
		}
		w.expr(c.Ref)
		w.text(" <> ")
		w.typed(c.Ref.Column, c.Args[0], true)
	case lookup.Exact, lookup.Gt, lookup.Gte, lookup.Lt, lookup.Lte:
		w.expr(c.Ref)
		w.text(signs[c.Op])
		w.typed(c.Ref.Column, c.Args[0], c.Op == lookup.Exact)
	default:
		if sign := listSigns[c.Op]; sign != "" && c.Ref.Column.Value.Kind == dialect.Array {
			w.expr(c.Ref)
			w.text(sign + "CAST(")
			w.param(c.Args[0])
			w.text(" AS " + w.typeOf(c.Ref.Column) + ")")
			return
		}
		w.search(c.Op, c.Ref, c.Args[0])
	}
}

//nolint:gochecknoglobals // an immutable table
var listSigns = map[lookup.Op]string{lookup.Contains: " @> ", lookup.ContainedBy: " <@ ", lookup.Overlap: " && "}

// search writes the operators that search text.
func (w *writer) search(op lookup.Op, x plan.Expr, v driver.Value) {
	match := &w.t.Match
	var template string
	before, after := true, true
	switch op {
	case lookup.IExact:
		w.template(match.IExact, x, func() { w.param(v) })
		return
	case lookup.Like:
		s, _ := v.(string)
		w.template(match.Like, x, func() { w.param(pattern.Like(s, &match.Pattern)) })
		return
	case lookup.Regex:
		s, _ := v.(string)
		s, err := pattern.Regexp(s, match.RegexpForm)
		if err != nil {
			w.fail(fmt.Errorf("kin: %w", err))
		}
		w.template(match.Regexp, x, func() { w.param(s) })
		return
	case lookup.Contains:
		template = match.Contains
	case lookup.IContains:
		template = match.IContains
	case lookup.StartsWith:
		template, before = match.HasPrefix, false
	case lookup.IStartsWith:
		template, before = match.IHasPrefix, false
	case lookup.EndsWith:
		template, after = match.HasSuffix, false
	case lookup.IEndsWith:
		template, after = match.IHasSuffix, false
	default:
		panic("BUG: kin: an operator that is not planned")
	}
	w.template(template, x, func() { w.param(w.pattern(v, before, after)) })
}

// typed writes a parameter that is compared with the column. Text gets the
// collation under which kin compares it.
func (w *writer) typed(c *schema.Column, v driver.Value, equality bool) {
	w.param(v)
	if w.t.Collation != "" && c.IsText() && (!equality || w.t.CollateEqual) {
		w.text(" COLLATE ")
		w.text(w.t.Collation)
	}
}

// template writes an operator of the dialect.
func (w *writer) template(s string, x plan.Expr, param func()) {
	for s != "" {
		before, after, found := strings.Cut(s, "{")
		w.text(before)
		if !found {
			return
		}
		if after[0] == 'c' {
			w.value(x)
		} else {
			param()
		}
		s = after[len("c}"):]
	}
}

// pattern returns the text v as a pattern for a text that has it inside, at
// its start or at its end.
func (w *writer) pattern(v driver.Value, before, after bool) driver.Value {
	p := &w.t.Match.Pattern
	s, _ := v.(string)
	if before && after && p.PlainContains {
		return s
	}
	var b strings.Builder
	if before {
		b.WriteString(p.Any)
	}
	for i := range len(s) {
		p.Quote(&b, s[i])
	}
	if after {
		b.WriteString(p.Any)
	}
	return b.String()
}

func (w *writer) tuple(refs []plan.Expr) {
	if len(refs) > 1 {
		w.text("(")
	}
	for i, r := range refs {
		w.separate(i, "")
		w.expr(r)
	}
	if len(refs) > 1 {
		w.text(")")
	}
}

func (w *writer) tuples(c *plan.Tuples) {
	if w.t.CollateEqual && slices.ContainsFunc(c.Refs, func(r plan.Ref) bool { return r.Column.IsText() }) {
		w.eachTuple(c)
		return
	}
	for i, r := range c.Refs {
		w.separate(i, "(")
		w.expr(r)
	}
	w.text(") IN (")
	if w.t.TupleValues {
		w.text("VALUES ")
	}
	for i, row := range c.Rows {
		w.separate(i, "")
		for j, v := range row {
			w.separate(j, "(")
			w.param(v)
		}
		w.text(")")
	}
	w.text(")")
}

// eachTuple compares with one row after the other. MariaDB finds wrong rows
// for a list of rows with a collation that is not the columns' own.
func (w *writer) eachTuple(c *plan.Tuples) {
	for i, row := range c.Rows {
		if i == 0 {
			w.text("(")
		} else {
			w.text(" OR ")
		}
		for j, v := range row {
			if j == 0 {
				w.text("(")
			} else {
				w.text(" AND ")
			}
			w.expr(c.Refs[j])
			w.text(signs[lookup.Exact])
			w.typed(c.Refs[j].Column, v, true)
		}
		w.text(")")
	}
	w.text(")")
}

// checkParams refuses what the database would refuse, or worse, misread.
func (w *writer) checkParams(n int) {
	if n > w.t.MaxParams {
		w.err = fmt.Errorf("kin: the statement has %d parameters; %s takes at most %d: ask in several queries",
			n, w.d.Name(), w.t.MaxParams)
	}
}
