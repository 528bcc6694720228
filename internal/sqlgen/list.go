package sqlgen

import (
	"database/sql/driver"
	"encoding/json"
	"strings"
	"time"

	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/value"
)

// listLimit is how many values are bound one by one before the list becomes
// one parameter, where the dialect has a way for that.
const listLimit = 1000

func (w *writer) in(c *plan.Cmp) {
	if len(c.Args) == 1 {
		w.expr(c.Ref)
		w.text(" = ")
		w.typed(c.Ref.Column, c.Args[0], true)
		return
	}
	if w.t.ArrayParams {
		if list, ok := array(c.Args); ok {
			w.expr(c.Ref)
			w.text(" = ANY(")
			w.param(list)
			w.text(")")
			return
		}
	}
	if len(c.Args) > listLimit && w.t.List != "" {
		if list, ok := w.jsonList(c); ok {
			w.list(c, list)
			return
		}
	}
	w.expr(c.Ref)
	for i, v := range c.Args {
		w.separate(i, " IN (")
		if i == 0 { // one collation is enough for the list, and keeps indexes in use
			w.typed(c.Ref.Column, v, true)
		} else {
			w.param(v)
		}
	}
	w.text(")")
}

// list writes a list that is one parameter.
func (w *writer) list(c *plan.Cmp, list string) {
	collate := ""
	if w.t.CollateEqual && c.Ref.Column.IsText() {
		collate = " COLLATE " + w.t.Collation
	}
	w.expr(c.Ref)
	w.text(" IN (")
	s := strings.NewReplacer("{t}", w.t.ListType(c.Ref.Column.Value), "{collate}", collate).Replace(w.t.List)
	w.template(s, c.Ref, func() { w.param(list) })
	w.text(")")
}

// jsonList returns the values as a JSON array, if JSON keeps them as they are.
func (w *writer) jsonList(c *plan.Cmp) (string, bool) {
	values := make([]any, len(c.Args))
	for i, v := range c.Args {
		switch v := v.(type) {
		case int64, string:
			values[i] = v
		case time.Time:
			values[i] = v.Format(value.TimeLayout)
		default:
			return "", false
		}
	}
	text, err := json.Marshal(values)
	if err != nil {
		w.err = err
	}
	return string(text), err == nil
}

// array returns the values as a slice of their type.
func array(values []driver.Value) (driver.Value, bool) {
	switch values[0].(type) {
	case int64:
		return sliceOf[int64](values)
	case string:
		return sliceOf[string](values)
	case float64:
		return sliceOf[float64](values)
	case bool:
		return sliceOf[bool](values)
	case []byte:
		return sliceOf[[]byte](values)
	case time.Time:
		return sliceOf[time.Time](values)
	}
	return nil, false
}

func sliceOf[T any](values []driver.Value) (driver.Value, bool) {
	list := make([]T, len(values))
	for i, v := range values {
		x, ok := v.(T)
		if !ok {
			return nil, false
		}
		list[i] = x
	}
	return list, true
}
