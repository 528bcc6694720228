package sqlgen

import (
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/plan"
)

// test writes a comparison of expressions.
func (w *writer) test(t *plan.Test) {
	switch {
	case t.Op == lookup.IsNull:
		w.value(t.X)
		w.text(" IS NULL")
	case t.Op.Text():
		p, _ := t.Y.(plan.Param)
		w.search(t.Op, t.X, p.Value)
	case t.Distinct:
		w.template(w.t.Distinct, t.X, func() { w.compared(t, false) })
	default:
		w.value(t.X)
		if t.Op == lookup.Ne {
			w.text(" <> ")
		} else {
			w.text(signs[t.Op])
		}
		w.compared(t, t.Op != lookup.Exact && t.Op != lookup.Ne)
	}
}

// compared writes what an expression is compared with. Text gets the collation
// under which kin compares it.
func (w *writer) compared(t *plan.Test, order bool) {
	w.value(t.Y)
	if t.Text && w.t.Collation != "" && (order || w.t.CollateEqual) {
		w.text(" COLLATE ")
		w.text(w.t.Collation)
	}
}

// odds writes that an odd number of conditions are met.
func (w *writer) odds(parts plan.Odds) {
	w.text("(")
	for i, c := range parts {
		if i > 0 {
			w.text(" + ")
		}
		w.text("CASE WHEN ")
		w.cond(c, false)
		w.text(" THEN 1 ELSE 0 END")
	}
	w.text(") % 2 = 1")
}
