package sqlgen

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kin-orm/kin/internal/plan"
)

// maxText is the longest statement with functions in functions.
const maxText = 16 << 20

// called writes a call, by the text that the dialect or the user has for it: {0}
// is the first argument, and {*, } all of them with a comma between.
func (w *writer) called(c plan.Called) {
	if c.Name == plan.OffsetName {
		w.offset(c.Args)
		return
	}
	text, ok := w.t.Functions[c.Name]
	if c.Texts != nil {
		text, ok = c.Texts[w.d.Name()]
	}
	if !ok {
		w.fail(fmt.Errorf("kin: %s is not supported by %s", c.Name, w.d.Name()))
		return
	}
	for text != "" && w.err == nil {
		if len(w.b) > maxText {
			w.fail(fmt.Errorf("kin: the statement has more than %d bytes; %s writes arguments of functions in functions over and over", maxText, w.d.Name()))
			return
		}
		before, after, found := strings.Cut(text, "{")
		w.text(before)
		if !found {
			return
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			w.fail(fmt.Errorf("kin: the text %q of a function has a { without a }", text))
			return
		}
		text = rest
		if between, all := strings.CutPrefix(name, "*"); all {
			if between == "" {
				between = ", "
			}
			for i, arg := range c.Args {
				if i > 0 {
					w.text(between)
				}
				w.value(arg)
			}
			continue
		}
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(c.Args) {
			w.fail(fmt.Errorf("kin: the text of a function has {%s}, but is called with %d arguments", name, len(c.Args)))
			return
		}
		w.value(c.Args[i])
	}
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// offset writes the offset that holds at a time: that of the last change before
// it, in a table of them. The time is written once, which may be a subquery.
func (w *writer) offset(args []plan.Expr) {
	changes := &plan.Table{Alias: "kin_zone"}
	at, after := plan.Name{Table: changes, Name: "column1"}, plan.Name{Table: changes, Name: "column2"}
	w.text("COALESCE((SELECT ")
	w.expr(after)
	w.text(" FROM (VALUES ")
	for i := 2; i < len(args); i += 2 {
		if i > 2 {
			w.text(", ")
		}
		w.text("(")
		w.value(args[i])
		w.text(", ")
		w.value(args[i+1])
		w.text(")")
	}
	w.text(") AS ")
	w.ident(changes.Alias)
	w.text(" WHERE ")
	w.expr(at)
	w.text(" <= ")
	w.value(args[0])
	w.text(" ORDER BY ")
	w.expr(at)
	w.text(" DESC LIMIT 1), ")
	w.value(args[1])
	w.text(")")
}
