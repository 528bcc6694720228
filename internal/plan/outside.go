package plan

import (
	"bytes"
	"cmp"
	"database/sql/driver"
	"slices"
	"strings"
	"time"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// Outside returns the name of a filter that a row would not be known to meet
// once the columns set have the values given, or an empty name. It is told
// whether a value is known. A condition on other columns is none of its
// business: it is part of the statement.
func (s *Scope) Outside(set []*schema.Column, value func(i int) (driver.Value, bool)) string {
	if s == nil {
		return ""
	}
	row := func(c *schema.Column) (driver.Value, bool) {
		if i := slices.Index(set, c); i >= 0 {
			return value(i)
		}
		return nil, false
	}
	for _, part := range s.parts {
		if met, known := meets(part.cond, row); (!known || !met) && readsColumn(part.cond, set) {
			return part.filter
		}
	}
	return ""
}

// Entangled returns the name of a filter of which one condition speaks of
// several of the columns, or an empty name.
func (s *Scope) Entangled(columns []*schema.Column) string {
	if s == nil {
		return ""
	}
	for _, part := range s.parts {
		n := 0
		for _, c := range columns {
			if readsColumn(part.cond, []*schema.Column{c}) {
				n++
			}
		}
		if n > 1 {
			return part.filter
		}
	}
	return ""
}

// readsColumn reports whether c says something of one of the columns, or is
// met by no row.
func readsColumn(c Cond, columns []*schema.Column) bool {
	some := func(parts []Cond) bool {
		return slices.ContainsFunc(parts, func(c Cond) bool { return readsColumn(c, columns) })
	}
	switch c := c.(type) {
	case Const:
		return !bool(c)
	case All:
		return some(c)
	case Any:
		return some(c)
	case Odds:
		return some(c)
	case Not:
		return readsColumn(c.Cond, columns)
	case *Cmp:
		return slices.Contains(columns, c.Ref.Column)
	case *Tuples:
		return slices.ContainsFunc(c.Refs, func(r Ref) bool { return slices.Contains(columns, r.Column) })
	}
	return false
}

// meets reports whether a row meets c, and whether that is known.
func meets(c Cond, row func(*schema.Column) (driver.Value, bool)) (met, known bool) {
	// One part that is this way decides; else all must be known.
	decide := func(parts []Cond, way bool) (met, known bool) {
		known = true
		for _, part := range parts {
			m, k := meets(part, row)
			if k && m == way {
				return way, true
			}
			known = known && k
		}
		return !way, known
	}
	switch c := c.(type) {
	case Const:
		return bool(c), true
	case All:
		return decide(c, false)
	case Any:
		return decide(c, true)
	case Odds:
		known = true
		for _, part := range c {
			m, k := meets(part, row)
			met, known = met != m, known && k
		}
		return met, known
	case Not:
		met, known = meets(c.Cond, row)
		return !met, known
	case *Cmp:
		v, known := row(c.Ref.Column)
		if !known {
			return false, false
		}
		return compares(v, c.Op, c.Args)
	case *Tuples:
		met, known = false, true
		for _, values := range c.Rows {
			same := true
			for i, ref := range c.Refs {
				v, k := row(ref.Column)
				known = known && k
				same = same && v != nil && equal(v, values[i])
			}
			met = met || same
		}
		return met, known
	}
	return false, false
}

// compares reports how a value compares, as the database would say.
func compares(v driver.Value, op lookup.Op, args []driver.Value) (met, known bool) {
	switch op {
	case lookup.IsNull:
		return v == nil, true
	case lookup.Exact, lookup.In:
		return v != nil && slices.ContainsFunc(args, func(x driver.Value) bool { return equal(v, x) }), true
	case lookup.Ne:
		return v == nil || !equal(v, args[0]), true
	default:
	}
	if v == nil {
		return false, true
	}
	n, known := order(v, args[0])
	switch op {
	case lookup.Gt:
		return n > 0, known
	case lookup.Gte:
		return n >= 0, known
	case lookup.Lt:
		return n < 0, known
	case lookup.Lte:
		return n <= 0, known
	default:
		return false, false
	}
}

func equal(a, b driver.Value) bool {
	switch x := a.(type) {
	case []byte:
		switch y := b.(type) {
		case []byte:
			return bytes.Equal(x, y)
		case string:
			return string(x) == y
		}
		return false
	case string:
		if y, ok := b.([]byte); ok {
			return x == string(y)
		}
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	}
	return a == b
}

// order compares two values of one type, and reports whether it could.
func order(a, b driver.Value) (n int, known bool) {
	switch x := a.(type) {
	case int64:
		y, ok := b.(int64)
		return cmp.Compare(x, y), ok
	case float64:
		y, ok := b.(float64)
		return cmp.Compare(x, y), ok
	case string:
		y, ok := b.(string)
		return strings.Compare(x, y), ok
	case time.Time:
		y, ok := b.(time.Time)
		return x.Compare(y), ok
	}
	return 0, false
}
