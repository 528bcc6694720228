package sqlgen

import "github.com/kin-orm/kin/internal/plan"

// window writes a value among others.
func (w *writer) window(v plan.Window) {
	if v.Rank == "" {
		w.value(v.Of)
	} else {
		w.text(v.Rank + "(")
		if v.Of != nil {
			w.value(v.Of)
			if v.Distance != 0 {
				w.text(", ")
				w.number(int64(v.Distance))
			}
		}
		w.text(")")
	}
	w.text(" OVER (")
	for i, e := range v.Partition {
		w.separate(i, "PARTITION BY ")
		w.collated(e)
	}
	if len(v.Partition) > 0 && len(v.Order) > 0 {
		w.text(" ")
	}
	w.terms(v.Order, "ORDER BY ")
	if len(v.Order) > 0 && (v.Rank == "" || v.Rank == "FIRST_VALUE" || v.Rank == "LAST_VALUE") {
		frame := plan.Frame{Before: -1}
		if v.Frame != nil {
			frame = *v.Frame
		}
		w.text(" ROWS BETWEEN ")
		w.bound(frame.Before, "PRECEDING")
		w.text(" AND ")
		w.bound(frame.After, "FOLLOWING")
	}
	w.text(")")
}

// on writes what rows must agree in, so that only the first of them comes. The
// order of the SELECT begins with the very same texts.
func (w *writer) on(terms []plan.Term) {
	if len(terms) == 0 {
		return
	}
	for i, t := range terms {
		t.Nulls = false
		first := ""
		if i == 0 {
			first = "DISTINCT ON ("
		} else {
			w.text(", ")
		}
		w.terms([]plan.Term{t}, first)
	}
	w.text(") ")
}

func (w *writer) bound(n int, way string) {
	switch {
	case n < 0:
		w.text("UNBOUNDED " + way)
	case n == 0:
		w.text("CURRENT ROW")
	default:
		w.number(int64(n))
		w.text(" " + way)
	}
}
