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
	switch a.Name {
	case plan.Joined:
		w.joinTexts(a)
		return
	case plan.Listed:
		w.listValues(a)
		return
	default:
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

// where writes that what follows, until it is ended, is NULL for rows that do not
// meet the condition of an aggregate.
func (w *writer) where(a plan.Agg) (end func()) {
	if a.Where == nil {
		return func() {}
	}
	w.text("CASE WHEN ")
	w.cond(a.Where, false)
	w.text(" THEN ")
	return func() { w.text(" END") }
}

// aggregated writes what an aggregate is of, which is NULL, and not counted,
// for rows that do not meet its condition.
func (w *writer) aggregated(a plan.Agg) {
	defer w.where(a)()
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
		w.joinOrder(a)
		separator := "''" // 0x is a number
		if a.Separator != "" {
			separator = "0x" + hex.EncodeToString([]byte(a.Separator))
		}
		w.text(" SEPARATOR " + separator + ")")
		return
	}
	w.text(", ")
	w.param(a.Separator)
	w.joinOrder(a)
	w.text(")")
}

func (w *writer) joinOrder(a plan.Agg) {
	switch {
	case a.Order != nil && w.t.OnDuplicateKey:
		w.nullTerms(a.Order)
		return
	case a.Order != nil:
		w.terms(a.Order, " ORDER BY ")
		return
	}
	w.text(" ORDER BY ")
	w.aggregated(a)
}

// listValues writes a list of the values of all rows, NULLs among them, as a
// JSON array, or as NULL if there are none.
func (w *writer) listValues(a plan.Agg) {
	distinct := ""
	if a.Distinct {
		distinct = "DISTINCT "
	}
	if w.t.OnDuplicateKey {
		w.concatValues(a, distinct)
		return
	}
	name := "json_group_array("
	if w.t.TypedNulls {
		name = "json_agg("
	}
	w.text("CASE WHEN COUNT(*)")
	w.filtered(a)
	w.text(" > 0 THEN " + name + distinct)
	if a.Distinct {
		w.collated(a.Arg)
	} else {
		w.value(a.Arg)
	}
	if a.Order != nil {
		w.terms(a.Order, " ORDER BY ")
	} else {
		w.text(" ORDER BY ")
		w.collated(a.Arg)
		if w.t.NullsLast {
			w.text(" NULLS FIRST")
		}
	}
	w.text(")")
	w.filtered(a)
	w.text(" END")
}

// concatValues writes it as MariaDB has it: JSON_ARRAYAGG is cut off at
// group_concat_max_len, as GROUP_CONCAT is, and still is JSON. Where the list is
// shorter than it should be, this is none.
func (w *writer) concatValues(a plan.Agg, distinct string) {
	all := func() {
		w.text("CONCAT('[', GROUP_CONCAT(" + distinct)
		w.jsonElement(a)
		terms := a.Order
		if terms == nil {
			terms = []plan.Term{{Expr: a.Arg, Column: plan.TypeOf(a.Arg), Nulls: true}}
		}
		w.nullTerms(terms)
		w.text(" SEPARATOR ',')")
	}
	all()
	w.text(", CASE WHEN JSON_LENGTH(")
	all()
	w.text(", ']')) = COUNT(" + distinct)
	w.jsonElement(a)
	w.text(") THEN ']' ELSE '' END)")
}

// nullTerms writes the order of a GROUP_CONCAT, which takes NULL for zero.
func (w *writer) nullTerms(terms []plan.Term) {
	var all []plan.Term
	for _, t := range terms {
		if t.Nulls {
			all = append(all, plan.Term{Expr: plan.Present{Expr: t.Expr}, Desc: t.Desc})
		}
		all = append(all, t)
	}
	w.terms(all, " ORDER BY ")
}

// filtered writes which rows an aggregate is of.
func (w *writer) filtered(a plan.Agg) {
	if a.Where != nil {
		w.text(" FILTER (WHERE ")
		w.cond(a.Where, false)
		w.text(")")
	}
}

// jsonElement writes a value as MariaDB puts it into JSON, or NULL if its row
// does not count.
func (w *writer) jsonElement(a plan.Agg) {
	defer w.where(a)()
	w.text("COALESCE(")
	switch a.Type.Value.Elem {
	case dialect.Bool, dialect.Int, dialect.Uint, dialect.Float:
		w.text("CAST(")
		w.value(a.Arg)
		w.text(" AS CHAR(400))") // so that all digits have room: without exponent, there may be many zeros before
	default:
		w.text("JSON_QUOTE(CAST(")
		w.value(a.Arg)
		w.text(" AS CHAR CHARACTER SET utf8mb4))")
	}
	w.text(", 'null')")
	if a.Distinct {
		w.text(" COLLATE " + w.t.Collation)
	}
}
