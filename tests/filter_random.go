package tests

import (
	"database/sql"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/kin-orm/kin"
)

// pickFields are the fields of each model by the kind of their value.
func pickFields() map[string]map[string]string {
	return map[string]map[string]string{
		"shelf": {"id": "int", "label": "text", "floor": "int"},
		"box":   {"id": "int", "name": "text", "note": "text"},
		"item": {
			"id": "int", "name": "text", "note": "text", "alt": "text", "small": "int", "tiny": "int", "amount": "int",
			"size": "int", "price": "float", "ratio": "float", "live": "bool", "open": "bool", "at": "time",
			"until": "time", "code": "uuid", "other": "uuid",
		},
		"tag":  {"word": "text", "weight": "int"},
		"mark": {"id": "int", "text": "text"},
	}
}

// pickOperators are the operators that fit a kind.
func pickOperators(kind string) []string {
	ops := []string{"", "exact", "ne", "in", "isnull", "gt", "gte", "lt", "lte", "range"}
	switch kind {
	case "relation":
		return []string{"", "exact", "ne", "in", "isnull"}
	case "text":
		return append(ops, "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith")
	}
	return ops
}

type pickWord string

// pickGiven returns a plain value in one of the forms in which a user may have
// it.
func pickGiven(r *rand.Rand, v any) any {
	switch v := v.(type) {
	case nil:
		return pickOne(r, []any{nil, (*string)(nil), (*pickWord)(nil), sql.Null[string]{}, sql.NullString{}})
	case string:
		if id, err := uuid.Parse(v); err == nil && len(v) == 36 {
			return pickOne(r, []any{id, &id, v})
		}
		word := pickWord(v)
		return pickOne(r, []any{v, &v, word, &word, sql.NullString{String: v, Valid: true}, sql.Null[string]{V: v, Valid: true}})
	case int64:
		forms := []any{v, &v, int(v), sql.NullInt64{Int64: v, Valid: true}, sql.Null[int64]{V: v, Valid: true}}
		if v >= 0 {
			forms = append(forms, uint64(v), uint(v))
		}
		if small := int8(v); int64(small) == v {
			forms = append(forms, small, &small, int16(v), int32(v))
		}
		return pickOne(r, forms)
	case uint64:
		return pickOne(r, []any{v, &v, uint(v)})
	case float64:
		if small := float32(v); float64(small) == v {
			return pickOne(r, []any{v, &v, small, &small})
		}
		return pickOne(r, []any{v, &v, sql.NullFloat64{Float64: v, Valid: true}})
	case time.Time:
		there := v.In(time.FixedZone("there", -5*3600))
		return pickOne(r, []any{v, &v, there, sql.NullTime{Time: v, Valid: true}})
	case bool:
		return pickOne(r, []any{v, &v, sql.NullBool{Bool: v, Valid: true}})
	}
	panic("no such plain value")
}

// pickGivenRow returns a row, or none, in one of the forms in which a relation is
// compared with it.
func pickGivenRow(r *rand.Rand, model string, row *pickRow) any {
	switch model {
	case "shelf":
		return pickForms[pickShelf](r, row)
	case "box":
		return pickForms[pickBox](r, row)
	case "item":
		return pickForms[pickItem](r, row)
	case "tag":
		return pickForms[pickTag](r, row)
	}
	return pickForms[pickMark](r, row)
}

func pickForms[T any](r *rand.Rand, row *pickRow) any {
	if row == nil {
		return pickOne(r, []any{nil, (*T)(nil), kin.ForeignKey[T]{}, kin.To[T](nil), &kin.ForeignKey[T]{}, sql.Null[int64]{}})
	}
	x := row.source.(*T)
	return pickOne(r, []any{x, *x, kin.To(x), kin.Key[T](row.key), row.key})
}

// condition makes a condition on rows of the model, with most hops at the most.
// start is the way that it begins with.
func (w *pickWorld) condition(model string, start []string, most int) pickCond {
	r := w.rand
	c := pickCond{}
	at := model
	step := func(name string) { c.hops, at = append(c.hops, name), pickRelations()[at][name] }
	for _, name := range start {
		step(name)
	}
	for len(c.hops) < most && r.IntN(3) > 0 {
		step(pickOne(r, sortedKeys(pickRelations()[at])))
	}
	if len(c.hops) > 0 && r.IntN(4) == 0 {
		w.relationCondition(&c, at)
		return c
	}
	c.field = pickOne(r, sortedKeys(pickFields()[at]))
	kind := pickFields()[at][c.field]
	c.op = pickOne(r, pickOperators(kind))
	w.fieldValue(&c, at, kind)
	return c
}

func sortedKeys(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (w *pickWorld) relationCondition(c *pickCond, target string) {
	r := w.rand
	c.op = pickOne(r, pickOperators("relation"))
	pick := func() *pickRow {
		if r.IntN(4) == 0 {
			return nil
		}
		return pickOne(r, w.rows[target])
	}
	switch c.op {
	case "isnull":
		c.value = r.IntN(2) == 0
		c.given = c.value
	case "in":
		values, forms := []any{}, []any{}
		for range r.IntN(8) {
			row := pick()
			values = append(values, valueAt(row, ""))
			forms = append(forms, pickGivenRow(r, target, row))
		}
		c.value, c.given = values, forms
	default:
		row := pick()
		c.value, c.given = valueAt(row, ""), pickGivenRow(r, target, row)
	}
}

func (w *pickWorld) fieldValue(c *pickCond, model, kind string) {
	r := w.rand
	takesNull := slices.Contains([]string{"", "exact", "ne", "in", "iexact"}, c.op)
	pick := func() any {
		for {
			v := pickOne(r, w.rows[model]).values[c.field]
			switch {
			case r.IntN(3) > 0:
			case kind == "int": // among them what no row can hold
				v = pickOne(r, []any{int64(300), int64(-300), int64(2), uint64(math.MaxUint64), int64(math.MinInt64)})
			case kind == "text":
				v = pickOne(r, pickTexts())
			case kind == "time":
				v = pickOne(r, pickTimes())
			}
			if v != nil || takesNull {
				return v
			}
		}
	}
	switch c.op {
	case "isnull":
		c.value = r.IntN(2) == 0
		c.given = c.value
	case "in", "range":
		n := 2
		if c.op == "in" {
			n = r.IntN(8)
		}
		values, forms := []any{}, []any{}
		for range n {
			values = append(values, pick())
		}
		if c.op == "range" && r.IntN(4) > 0 { // else the wrong way round, at times
			slices.SortFunc(values, pickOrder)
		}
		for _, v := range values {
			forms = append(forms, pickGiven(r, v))
		}
		c.value, c.given = values, forms
	default:
		c.value = pick()
		c.given = pickGiven(r, c.value)
	}
}
