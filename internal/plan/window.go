package plan

import (
	"errors"
	"fmt"

	"github.com/kin-orm/kin/internal/schema"
)

// Windowed is a value of a row among others: of those that agree with it in the
// partition, in an order.
type Windowed struct {
	Of        Value  // an Aggregate of the rows, if Rank is empty, or what Lag and Lead are of
	Rank      string // ROW_NUMBER, RANK, DENSE_RANK, LAG, LEAD, FIRST_VALUE or LAST_VALUE
	Distance  int    // of LAG and LEAD
	Partition []Lazy
	Order     []Lazy // "-" before those in descending order
	Frame     *Frame
}

// A Frame is the rows around a row that count.
type Frame struct{ Before, After int } // negative for all

func (Windowed) isValue() {}

// A Window is a Windowed that is resolved.
type Window struct {
	Of        Expr
	Rank      string
	Distance  int
	Partition []Expr
	Order     []Term
	Frame     *Frame
	Type      *schema.Column
}

func (Window) isExpr() {}

// window resolves a value among others.
func (b *builder) window(from *From, v Windowed) (Expr, error) {
	if !b.own {
		return nil, errors.New("kin: a value among the query's rows, with Over, goes into a Select, not into a condition or an order of rows")
	}
	grouped := b.grouped
	defer func() { b.grouped = grouped }()
	w := Window{Rank: v.Rank, Distance: v.Distance, Frame: v.Frame, Type: schema.ScalarOf[int64]()}
	if v.Of != nil {
		e, err := b.value(from, v.Of, nil, 0)
		if err != nil {
			return nil, err
		}
		if agg, ok := e.(Agg); v.Rank == "" && (!ok || agg.Distinct || agg.Name == Joined || agg.Name == Listed) {
			return nil, errors.New("kin: Over goes with Count, Sum, Avg, Min and Max of the query's own rows, and with ranks")
		}
		w.Of, w.Type = e, columnOf(e)
	}
	for _, path := range v.Partition {
		e, err := b.reached(from, path)
		if err != nil {
			return nil, err
		}
		w.Partition = append(w.Partition, e)
	}
	for _, path := range v.Order {
		text, err := path.At(from.Table.Model)
		if err != nil {
			return nil, err
		}
		desc := len(text) > 0 && text[0] == '-'
		if desc {
			text = text[1:]
		}
		e, err := b.reached(from, Lazy{Text: text})
		if err != nil {
			return nil, err
		}
		w.Order = append(w.Order, Term{Expr: e, Column: columnOf(e), Desc: desc, Nulls: b.mayBeNull(e)})
	}
	switch f := v.Frame; {
	case f == nil:
	case f.Before < -1 || f.After < -1:
		return nil, fmt.Errorf("kin: a frame of %d rows before and %d after; take kin.Unbounded for all", f.Before, f.After)
	case len(w.Order) == 0 || v.Rank != "":
		return nil, errors.New("kin: a Frame goes with an aggregate in a window with an Order")
	}
	if len(w.Order) == 0 && v.Rank != "" {
		return nil, fmt.Errorf("kin: %s needs an order of the rows in its window", v.Rank)
	}
	if len(w.Order) > 0 && v.Rank != "RANK" && v.Rank != "DENSE_RANK" { // rows that are equal have an order too
		for _, c := range from.Table.Model.Key {
			w.Order = append(w.Order, Term{Expr: Ref{from.Table, c}, Column: c})
		}
	}
	return w, nil
}
