package sqlgen

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/value"
)

// dig writes a value within a JSON document.
func (w *writer) dig(d plan.Dig) {
	form := w.t.JSON.Raw
	switch {
	case d.Type.IsText():
		form = w.t.JSON.Text
	case d.Type.IsWhole():
		form = w.t.JSON.Integer
	case d.Type.Value.Kind == dialect.Float:
		form = w.t.JSON.Float
	case d.Type.Value.Kind == dialect.Bool:
		form = w.t.JSON.Bool
	}
	w.each(form, "{j}", func() { w.inside(func() { w.value(d.Doc) }, d.Keys) })
}

// each writes a text with something else in the places of a mark.
func (w *writer) each(text, mark string, write func()) {
	for i, part := range strings.Split(text, mark) {
		if i > 0 {
			write()
		}
		w.text(part)
	}
}

// inside writes what is at the end of the keys in a document. Keys are bound,
// one by one or as a path in which each name is in quotes.
func (w *writer) inside(doc func(), keys []any) {
	if w.t.JSON.Path == "" {
		w.step(doc, keys)
		return
	}
	arrays := 0
	for i, key := range keys { // what is no array is taken for one of itself
		if key == 0 && w.t.JSON.Wraps {
			w.text([]string{"CASE WHEN ", " AND "}[min(arrays, 1)] + "JSON_TYPE(")
			w.path(doc, keys[:i])
			w.text(") = 'ARRAY'")
			arrays++
		}
	}
	if arrays > 0 {
		w.text(" THEN ")
		defer w.text(" END")
	}
	w.path(doc, keys)
}

// step writes it one key after the other.
func (w *writer) step(doc func(), keys []any) {
	if len(keys) == 0 {
		w.text("CAST(")
		doc()
		w.text(" AS jsonb)")
		return
	}
	before := func() { w.step(doc, keys[:len(keys)-1]) }
	switch key := keys[len(keys)-1].(type) {
	case int: // -> would take a value for an array of it
		w.text("jsonb_path_query_first(")
		before()
		w.text(", 'strict $[")
		w.number(int64(key))
		w.text("]', '{}', TRUE)")
	case string:
		w.text("(")
		before()
		w.text(" -> CAST(")
		w.param(key)
		w.text(" AS text))")
	}
}

// path writes it by a path.
func (w *writer) path(doc func(), keys []any) {
	path := []byte{'$'}
	for _, key := range keys {
		switch key := key.(type) {
		case int:
			path = append(strconv.AppendInt(append(path, '['), int64(key), 10), ']')
		case string:
			if w.t.JSON.NoDash && strings.HasPrefix(key, "-") {
				w.fail(fmt.Errorf("kin: the key %.100q of a JSON document begins with a -, and MariaDB finds none that does", key))
			}
			path = append(append(path, '.'), value.QuoteJSON(key)...)
		}
	}
	before, rest, _ := strings.Cut(w.t.JSON.Path, "{d}")
	between, after, _ := strings.Cut(rest, "{p}")
	w.text(before)
	doc()
	w.text(between)
	w.param(string(path))
	w.text(after)
}

// holds writes that a document contains another.
func (w *writer) holds(c *plan.Holds) {
	doc := func() { w.value(c.Doc) }
	if template := w.t.JSON.Contains; template != "" {
		w.template(template, c.Doc, func() { w.param(c.Text) })
		return
	}
	switch c.Content.(type) {
	case map[string]any, []any:
		w.contains(doc, nil, c.Content, 0)
	default: // which an array contains too
		w.text("(")
		w.contains(doc, nil, c.Content, 0)
		w.text(" OR ")
		w.contains(doc, nil, []any{c.Content}, 0)
		w.text(")")
	}
}

// contains writes, with the functions of MariaDB, that what is in a document
// contains something.
func (w *writer) contains(doc func(), keys []any, content any, depth int) {
	node := func() { w.inside(doc, keys) }
	is := func(types string) {
		w.text("(JSON_TYPE(")
		node()
		w.text(") IN (" + types + ")")
	}
	switch content := content.(type) {
	case map[string]any:
		is("'OBJECT'")
		for _, key := range slices.Sorted(maps.Keys(content)) {
			w.text(" AND ")
			w.contains(doc, append(slices.Clip(keys), key), content[key], depth)
		}
	case []any:
		is("'ARRAY'")
		name := "kin_j" + strconv.Itoa(depth+1)
		for _, element := range content {
			w.text(" AND EXISTS (SELECT 1 FROM JSON_TABLE(")
			node()
			w.text(", '$[*]' COLUMNS (v JSON PATH '$')) AS " + name + " WHERE ")
			w.contains(func() { w.text(name + ".v") }, nil, element, depth+1)
			w.text(")")
		}
	case string:
		is("'STRING'")
		w.text(" AND JSON_UNQUOTE(")
		node()
		w.text(") = ")
		w.param(content)
		w.text(" COLLATE " + w.t.Collation)
	case json.Number:
		is("'INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL'")
		w.text(" AND ")
		if strings.Trim(string(content), "-0123456789") == "" { // more exact than as a float
			w.text("CAST(")
			node()
			w.text(" AS DECIMAL(65,20)) = CAST(")
			w.param(string(content))
			w.text(" AS DECIMAL(65,20))")
			break
		}
		node()
		w.text(" + 0e0 = ")
		f, _ := content.Float64()
		w.param(f)
	case bool:
		is("'BOOLEAN'")
		w.text(" AND JSON_UNQUOTE(")
		node()
		w.text(") = '" + strconv.FormatBool(content) + "'")
	case nil:
		is("'NULL'")
	}
	w.text(")")
}
