package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"strings"

	sqlite3 "modernc.org/sqlite"
)

// holds is the function kin_json_contains(document, value): PostgreSQL's @>.
func holds(_ *sqlite3.FunctionContext, args []driver.Value) (driver.Value, error) {
	var parts [2]any
	for i, arg := range args {
		text, ok := arg.(string)
		if !ok {
			return nil, nil
		}
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&parts[i]); err != nil {
			return nil, err
		}
	}
	doc, value := parts[0], parts[1]
	if list, ok := doc.([]any); ok && isScalar(value) {
		return has(list, value), nil
	}
	return contains(doc, value), nil
}

func isScalar(value any) bool {
	switch value.(type) {
	case []any, map[string]any:
		return false
	}
	return true
}

func has(list []any, value any) bool {
	for _, x := range list {
		if contains(x, value) {
			return true
		}
	}
	return false
}

func contains(doc, value any) bool {
	switch value := value.(type) {
	case map[string]any:
		object, ok := doc.(map[string]any)
		for key, inner := range value {
			x, there := object[key]
			ok = ok && there && contains(x, inner)
		}
		return ok
	case []any:
		list, ok := doc.([]any)
		for _, inner := range value {
			ok = ok && has(list, inner)
		}
		return ok
	case json.Number:
		n, ok := doc.(json.Number)
		return ok && equal(n, value)
	}
	return isScalar(doc) && doc == value
}

// equal compares numbers, integers among them without loss.
func equal(x, y json.Number) bool {
	a, errA := x.Int64()
	b, errB := y.Int64()
	if errA == nil && errB == nil {
		return a == b
	}
	f, errF := x.Float64()
	g, errG := y.Float64()
	const end = 1 << 63 // as a float, it equals the integer before it
	if errA == nil && g >= end || errB == nil && f >= end {
		return false
	}
	return errF == nil && errG == nil && f == g
}
