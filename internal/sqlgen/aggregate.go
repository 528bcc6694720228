package sqlgen

import (
	"encoding/hex"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

//nolint:gochecknoglobals // an immutable table
var aggregateNames = map[plan.AggregateName]string{
	plan.Counting: "COUNT", plan.Summing: "SUM", plan.Averaging: "AVG", plan.Least: "MIN", plan.Greatest: "MAX",
}

// aggregate writes an aggregate of the rows that its SELECT reads.
func (w *writer) aggregate(a plan.Agg) {
	if a.Name == plan.Joined {
		w.joinTexts(a)
		return
	}
	before, after := "", ""
	if (a.Name == plan.Least || a.Name == plan.Greatest) && a.Type.Value.Kind == dialect.UUID && w.t.TypedNulls {
		// PostgreSQL has no least UUID, but sorts its texts alike.
		before, after = "CAST(", " AS text)"
	}
	w.text(aggregateNames[a.Name] + "(")
	if a.Distinct {
		w.text("DISTINCT ")
	}
	w.text(before)
	w.aggregated(a)
	w.text(after)
	w.text(")")
}

// aggregated writes what an aggregate is of, which is NULL, and not counted,
// for rows that do not meet its condition.
func (w *writer) aggregated(a plan.Agg) {
	if a.Where != nil {
		w.text("CASE WHEN ")
		w.cond(a.Where, false)
		w.text(" THEN ")
		defer w.text(" END")
	}
	switch {
	case a.Arg != nil && (a.Distinct || a.Name == plan.Least || a.Name == plan.Greatest || a.Name == plan.Joined):
		w.collated(a.Arg)
	case a.Arg != nil:
		w.value(a.Arg)
	case a.Where != nil:
		w.text("1")
	default:
		w.text("*")
	}
}

// collated writes a text in the collation by which kin compares it, and all
// else as it is.
func (w *writer) collated(e plan.Expr) {
	if as, ok := e.(plan.As); ok {
		w.collated(as.Expr)
		w.text(" AS ")
		w.ident(as.Name)
		return
	}
	c := typeOf(e)
	switch {
	case c == nil || !c.IsText():
		w.column(e)
	case w.t.UnionText != "":
		w.unionText(e)
	case w.t.Collation != "":
		w.value(e)
		w.text(" COLLATE " + w.t.Collation)
	default:
		w.column(e)
	}
}

// typeOf returns the type of what is collated: a list of texts is as its texts
// were.
func typeOf(e plan.Expr) *schema.Column {
	if a, ok := e.(plan.Agg); ok && a.Name == plan.Joined {
		return nil
	}
	return plan.TypeOf(e)
}

// joinTexts writes the texts of all rows in one, in their order.
func (w *writer) joinTexts(a plan.Agg) {
	mysql := w.t.OnDuplicateKey
	switch {
	case mysql:
		w.text("GROUP_CONCAT(")
	case w.t.TypedNulls:
		w.text("STRING_AGG(")
	default:
		w.text("GROUP_CONCAT(")
	}
	if a.Distinct {
		w.text("DISTINCT ")
	}
	w.aggregated(a)
	if mysql {
		w.text(" ORDER BY ")
		w.aggregated(a)
		w.text(" SEPARATOR 0x" + hex.EncodeToString([]byte(a.Separator)) + ")")
		return
	}
	w.text(", ")
	w.param(a.Separator)
	w.text(" ORDER BY ")
	w.aggregated(a)
	w.text(")")
}
