package sqlgen

import (
	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// alive writes that a row is not softly deleted. There is no parameter in it,
// so that a partial index with the same condition serves it.
func (w *writer) alive(c plan.Alive) {
	w.expr(c.Ref)
	if c.Ref.Column.Value.Kind == dialect.Bool {
		w.text(" = FALSE")
	} else {
		w.text(" IS NULL")
	}
}

// also writes a condition, if there is one, behind AND or WHERE.
func (w *writer) also(word string, c plan.Cond) {
	if c != nil {
		w.text(word)
		_, all := c.(plan.All)
		w.cond(c, !all)
	}
}

// duplicate writes the new value of a column for a row that is there already,
// if that meets within. ON DUPLICATE KEY UPDATE knows no WHERE, so each column
// is asked. Columns before it may have their new values already; those meet the
// condition, as the row then did.
func (w *writer) duplicate(c *schema.Column, within plan.Cond, value func()) {
	if within == nil {
		value()
		return
	}
	w.text("CASE WHEN ")
	w.cond(within, true)
	w.text(" THEN ")
	value()
	w.text(" ELSE ")
	w.ident(c.Model.Table)
	w.text(".")
	w.ident(c.Name)
	w.text(" END")
}
