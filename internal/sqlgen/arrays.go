package sqlgen

import (
	"database/sql/driver"
	"slices"
	"strings"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
)

// arrayRows writes rows that are one array for each column, if the database
// takes those: the text is the same for any number of rows, and short. It
// reports whether it has; a column with values of several types is no array.
func (w *writer) arrayRows(columns []*schema.Column, rows [][]driver.Value) bool {
	if !w.t.ArrayParams || slices.ContainsFunc(columns, func(c *schema.Column) bool { return c.Value.Kind == dialect.Array }) {
		return false
	}
	arrays := make([][]any, len(columns))
	types := make([]string, len(columns))
	for i, c := range columns {
		arrays[i] = make([]any, len(rows))
		for j, row := range rows {
			v := row[i]
			arrays[i][j] = v
			if v == nil {
				continue
			}
			switch t := w.elementType(c, v); types[i] {
			case "":
				types[i] = t
			case t:
			default:
				return false
			}
		}
	}
	for i, c := range columns {
		w.separate(i, "SELECT ")
		w.ident(column(i))
		w.text("::" + w.typeOf(c))
	}
	for i, t := range types {
		if t == "" { // all are NULL
			t = "text"
		}
		w.separate(i, " FROM unnest(")
		w.param(arrays[i])
		w.text("::" + t + "[]")
	}
	w.text(") AS ")
	w.ident("kin_arrays")
	for i := range columns {
		w.separate(i, " (")
		w.ident(column(i))
	}
	w.text(")")
	return true
}

// elementType returns the type of the array in which v is sent: one that holds
// all of its kind, for the database to say what is out of a column's range. Of
// a type that kin does not know, only the database knows what it makes of a
// text.
func (w *writer) elementType(c *schema.Column, v driver.Value) string {
	own := c.Source.Field.Tag.Type == ""
	switch v.(type) {
	case string:
		return "text"
	case int64:
		if own {
			return "bigint"
		}
	case float64:
		if own {
			return "double precision"
		}
	case bool:
		if own {
			return "boolean"
		}
	case []byte:
		if own {
			return "bytea"
		}
	case time.Time:
		if own {
			return "timestamptz"
		}
	}
	t, _, _ := strings.Cut(w.typeOf(c), " COLLATE")
	return t
}
