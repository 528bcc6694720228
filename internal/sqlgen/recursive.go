package sqlgen

import "github.com/kin-orm/kin/internal/plan"

// treeName is the CTE of the keys that a recursion finds.
const treeName = "kin_tree"

// recursion writes that a row's key is among those that a recursive CTE finds:
// those next to the base's, and then those next to them. UNION leaves out what
// is there already, so that a circle comes to its end.
func (w *writer) recursion(r *plan.Recursion) {
	from, to := plan.Ref{Table: r.Rows, Column: r.From}, plan.Ref{Table: r.Rows, Column: r.To}
	rows := func() {
		w.text("SELECT ")
		w.expr(to)
		w.text(" FROM ")
		w.table(r.Rows)
	}
	met := func() {
		if r.ToIsNull {
			w.text(" AND ")
			w.expr(to)
			w.text(" IS NOT NULL")
		}
		w.also(" AND ", r.Condition)
	}
	w.expr(r.Key)
	w.text(" IN (WITH RECURSIVE ")
	w.ident(treeName)
	w.text(" (k) AS (")
	rows()
	w.text(" WHERE ")
	w.cond(&plan.InSelect{Refs: []plan.Expr{from}, Select: r.Base}, false)
	met()
	w.text(" UNION ")
	rows()
	w.text(" JOIN ")
	w.ident(treeName)
	w.text(" ON ")
	w.expr(from)
	w.text(" = ")
	w.ident(treeName)
	w.text(".k WHERE 1 = 1")
	met()
	w.text(") SELECT k FROM ")
	w.ident(treeName)
	w.text(")")
}
