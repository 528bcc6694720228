package tests

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/kin-orm/kin"
)

// A pickRow is a row as plain values: nil, bool, int64, uint64, float64,
// string or time.Time. A UUID is its text. It is what the tests compute on,
// with no help of kin's.
type pickRow struct {
	model  string
	source any // the row of the model
	key    any
	values map[string]any
	one    map[string]*pickRow
	many   map[string][]*pickRow
}

// pickRelations are the relations of each model and where they lead.
func pickRelations() map[string]map[string]string {
	return map[string]map[string]string{
		"shelf": {"boxes": "box"},
		"box":   {"shelf": "shelf", "items": "item"},
		"item":  {"box": "box", "parent": "item", "parts": "item", "tags": "tag"},
		"tag":   {"item": "item", "marks": "mark"},
		"mark":  {"tag": "tag"},
	}
}

// pickMany goes by the name: those of to-many relations are plurals.
func pickMany(relation string) bool { return strings.HasSuffix(relation, "s") }

func pickDeref[T any](p *T) any {
	if p == nil {
		return nil
	}
	switch v := any(*p).(type) {
	case int:
		return int64(v)
	case int8:
		return int64(v)
	case float32:
		return float64(v)
	case uuid.UUID:
		return v.String()
	default:
		return v
	}
}

// plain makes the plain rows.
func (w *pickWorld) plain() {
	w.rows = map[string][]*pickRow{}
	of := map[any]*pickRow{}
	add := func(model string, source, key any, values map[string]any) {
		row := &pickRow{model, source, key, values, map[string]*pickRow{}, map[string][]*pickRow{}}
		w.rows[model] = append(w.rows[model], row)
		of[source] = row
	}
	for _, x := range w.shelfs {
		add("shelf", x, x.ID, map[string]any{"id": x.ID, "label": pickDeref(x.Label), "floor": pickDeref(x.Floor)})
	}
	for _, x := range w.boxes {
		add("box", x, x.ID, map[string]any{"id": x.ID, "name": x.Name, "note": pickDeref(x.Note)})
	}
	for _, x := range w.items {
		values := map[string]any{
			"id": x.ID, "name": x.Name, "note": pickDeref(x.Note), "alt": nil, "small": int64(x.Small), "tiny": pickDeref(x.Tiny),
			"amount": nil, "size": x.Size, "price": x.Price, "ratio": pickDeref(x.Ratio), "live": x.Live, "open": pickDeref(x.Open),
			"at": x.At, "until": pickDeref(x.Until), "code": x.Code.String(), "other": pickDeref(x.Other),
		}
		if x.Alt.Valid {
			values["alt"] = x.Alt.String
		}
		if x.Amount.Valid {
			values["amount"] = x.Amount.V
		}
		add("item", x, x.ID, values)
	}
	for _, x := range w.tags {
		add("tag", x, x.Word, map[string]any{"word": x.Word, "weight": pickDeref(x.Weight)})
	}
	for _, x := range w.marks {
		add("mark", x, x.ID, map[string]any{"id": x.ID, "text": pickDeref(x.Text)})
	}
	for _, x := range w.boxes {
		pickLink(of, x, x.Shelf, "shelf", "boxes")
	}
	for _, x := range w.items {
		pickLink(of, x, x.Box, "box", "items")
		pickLink(of, x, x.Parent, "parent", "parts")
	}
	for _, x := range w.tags {
		pickLink(of, x, x.Item, "item", "tags")
	}
	for _, x := range w.marks {
		pickLink(of, x, x.Tag, "tag", "marks")
	}
}

func pickLink[T any](of map[any]*pickRow, child any, fk kin.ForeignKey[T], name, back string) {
	parent := fk.Get()
	if parent == nil {
		return
	}
	from, to := of[child], of[any(parent)]
	from.one[name] = to
	to.many[back] = append(to.many[back], from)
}

// A pickCond is a condition in parts: steps of relations, then a field or
// nothing, an operator, and the plain value or values.
type pickCond struct {
	hops  []string
	field string // empty if the path ends in the last hop
	op    string // empty is exact
	value any    // plain, or []any for in and range, or bool for isnull
	given any    // what kin is given for it
}

func (c pickCond) lookup() string {
	parts := slices.Clone(c.hops)
	if c.field != "" {
		parts = append(parts, c.field)
	}
	if c.op != "" {
		parts = append(parts, c.op)
	}
	return strings.Join(parts, "__")
}

// meets reports whether a row meets all conditions of one call: by the same
// related row, where they go through the same to-many relation.
func meets(row *pickRow, conds []pickCond) bool {
	together := map[string][]pickCond{}
	parents := map[string]*pickRow{}
	for _, c := range conds {
		at, all := row, c.hops
		for len(c.hops) > 0 && !pickMany(c.hops[0]) {
			if at != nil {
				at = at.one[c.hops[0]]
			}
			c.hops = c.hops[1:]
		}
		switch {
		case len(c.hops) == 0:
			if !pickCompare(valueAt(at, c.field), c) {
				return false
			}
		case len(c.hops) == 1 && c.field == "" && c.value == nil && (c.op == "" || c.op == "exact" || c.op == "ne"):
			// Compared with NULL, a to-many relation is there or is not.
			if (at == nil || len(at.many[c.hops[0]]) == 0) != (c.op != "ne") {
				return false
			}
		case len(c.hops) == 1 && c.field == "" && c.op == "isnull":
			if (at == nil || len(at.many[c.hops[0]]) == 0) != c.value.(bool) {
				return false
			}
		default:
			name := strings.Join(all[:len(all)-len(c.hops)+1], "__")
			parents[name] = at
			c.hops = c.hops[1:]
			together[name] = append(together[name], c)
		}
	}
	for name, group := range together {
		relation := name
		if i := strings.LastIndex(name, "__"); i >= 0 {
			relation = name[i+2:]
		}
		if parents[name] == nil || !slices.ContainsFunc(parents[name].many[relation], func(r *pickRow) bool { return meets(r, group) }) {
			return false
		}
	}
	return true
}

// valueAt returns the value of a field, or the key where the path ends in a
// relation.
func valueAt(row *pickRow, field string) any {
	switch {
	case row == nil:
		return nil
	case field == "":
		return row.key
	default:
		return row.values[field]
	}
}

func pickCompare(v any, c pickCond) bool {
	switch c.op {
	case "", "exact":
		return pickOrder(v, c.value) == 0
	case "ne":
		return pickOrder(v, c.value) != 0
	case "in":
		return slices.ContainsFunc(c.value.([]any), func(x any) bool { return pickOrder(v, x) == 0 })
	case "isnull":
		return (v == nil) == c.value.(bool)
	case "iexact":
		if c.value == nil || v == nil {
			return v == c.value
		}
	}
	if v == nil {
		return false
	}
	switch c.op {
	case "range":
		bounds := c.value.([]any)
		return pickOrder(v, bounds[0]) >= 0 && pickOrder(v, bounds[1]) <= 0
	case "gt":
		return pickOrder(v, c.value) > 0
	case "gte":
		return pickOrder(v, c.value) >= 0
	case "lt":
		return pickOrder(v, c.value) < 0
	case "lte":
		return pickOrder(v, c.value) <= 0
	}
	text, part := v.(string), c.value.(string)
	op := c.op
	if op[0] == 'i' {
		op, text, part = op[1:], strings.ToLower(text), strings.ToLower(part)
	}
	switch op {
	case "exact":
		return text == part
	case "contains":
		return strings.Contains(text, part)
	case "startswith":
		return strings.HasPrefix(text, part)
	case "endswith":
		return strings.HasSuffix(text, part)
	}
	panic("no such operator: " + c.op)
}

// pickOrder compares two plain values of one kind, nil before all others.
func pickOrder(a, b any) int {
	switch a := a.(type) {
	case nil:
		if b == nil {
			return 0
		}
		return -1
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b)
		}
	case int64:
		switch b := b.(type) {
		case int64:
			return cmp.Compare(a, b)
		case uint64: // above all int64, where it does not fit
			if b > 1<<63-1 {
				return -1
			}
			return cmp.Compare(a, int64(b))
		}
	case uint64:
		switch b := b.(type) {
		case uint64:
			return cmp.Compare(a, b)
		case int64:
			if b < 0 {
				return 1
			}
			return cmp.Compare(a, uint64(b))
		}
	case float64:
		if b, ok := b.(float64); ok {
			return cmp.Compare(a, b)
		}
	case bool:
		if b, ok := b.(bool); ok {
			switch {
			case a == b:
				return 0
			case b:
				return -1
			}
			return 1
		}
	case time.Time:
		if b, ok := b.(time.Time); ok {
			return a.Compare(b)
		}
	}
	return 1 // b is nil
}
