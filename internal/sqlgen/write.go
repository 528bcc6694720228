package sqlgen

import (
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// UpdateOne writes the UPDATE of one row: of the columns set, by the values
// of the columns keys, all in the order of values. It is not touched unless it
// meets within too, if that is not nil.
func UpdateOne(d dialect.Dialect, table string, set, keys []*schema.Column, values []driver.Value, within plan.Cond) Text {
	w := writer{d: d, t: d.Traits(), b: make([]byte, 0, 256)}
	w.text("UPDATE ")
	w.ident(table)
	for i, c := range set {
		w.separate(i, " SET ")
		w.ident(c.Name)
		w.text(" = ")
		w.param(values[i])
	}
	for i, c := range keys {
		if i == 0 {
			w.text(" WHERE ")
		} else {
			w.text(" AND ")
		}
		w.ident(c.Name)
		w.text(" = ")
		w.typed(c, values[len(set)+i], true)
	}
	w.also(" AND ", within)
	w.checkParams(len(w.args))
	return Text{string(w.b), w.args, w.err}
}

// UpdateMany writes one UPDATE that gives each of several rows values of its
// own. Each row has the values of the columns set, and then those of keys.
// Rows that do not meet within, if that is not nil, are not touched.
func UpdateMany(d dialect.Dialect, table string, set, keys []*schema.Column, rows [][]driver.Value, within plan.Cond) Text {
	w := writer{d: d, t: d.Traits(), b: make([]byte, 0, 1024)}
	columns := append(append([]*schema.Column{}, set...), keys...)
	if w.t.UpdateJoin {
		w.text("UPDATE ")
		w.ident(table)
		w.text(" JOIN (")
		w.unionRows(columns, rows)
		w.text(") AS ")
		w.ident(rowsName)
		w.text(" ON ")
		w.matchKeys(table, keys, len(set))
		w.setFrom(table, set, true)
		w.also(" WHERE ", within)
	} else {
		w.text("WITH ")
		w.ident(rowsName)
		for i := range columns {
			w.separate(i, " (")
			w.ident(column(i))
		}
		w.text(") AS (")
		if !w.arrayRows(columns, rows) {
			w.valueRows(columns, rows)
		}
		w.text(") UPDATE ")
		w.ident(table)
		w.setFrom(table, set, false)
		w.text(" FROM ")
		w.ident(rowsName)
		w.text(" WHERE ")
		w.matchKeys(table, keys, len(set))
		w.also(" AND ", within)
	}
	w.checkParams(len(w.args))
	return Text{string(w.b), w.args, w.err}
}

// rowsName is what the new values are called in a statement.
const rowsName = "kin_rows"

func column(i int) string { return "c" + strconv.Itoa(i+1) }

func (w *writer) setFrom(table string, set []*schema.Column, qualified bool) {
	for i, c := range set {
		w.separate(i, " SET ")
		if qualified {
			w.ident(table)
			w.text(".")
		}
		w.ident(c.Name)
		w.text(" = ")
		w.ident(rowsName)
		w.text(".")
		w.ident(column(i))
	}
}

func (w *writer) matchKeys(table string, keys []*schema.Column, from int) {
	for i, c := range keys {
		if i > 0 {
			w.text(" AND ")
		}
		w.ident(table)
		w.text(".")
		w.ident(c.Name)
		w.text(" = ")
		w.ident(rowsName)
		w.text(".")
		w.ident(column(from + i))
		if w.t.CollateEqual && c.IsText() {
			w.text(" COLLATE " + w.t.Collation)
		}
	}
}

// valueRows writes rows after VALUES. Where parameters have no type of their
// own, those of the first row are given one.
func (w *writer) valueRows(columns []*schema.Column, rows [][]driver.Value) {
	w.text("VALUES ")
	for i, row := range rows {
		w.separate(i, "")
		for j, v := range row {
			w.separate(j, "(")
			if i == 0 && w.t.TypedNulls {
				w.text("CAST(")
				w.param(v)
				w.text(" AS " + w.typeOf(columns[j]) + ")")
			} else {
				w.param(v)
			}
		}
		w.text(")")
	}
}

// unionRows writes rows as SELECTs. Bytes in the first must say so: else the
// column is text, in which not all bytes may stand.
func (w *writer) unionRows(columns []*schema.Column, rows [][]driver.Value) {
	for i, row := range rows {
		if i > 0 {
			w.text(" UNION ALL ")
		}
		for j, v := range row {
			w.separate(j, "SELECT ")
			if i == 0 && columns[j].Value.Kind == dialect.Bytes {
				w.text("CAST(")
				w.param(v)
				w.text(" AS BINARY)")
			} else {
				w.param(v)
			}
			if i == 0 {
				w.text(" AS ")
				w.ident(column(j))
			}
		}
	}
}

// typeOf returns the type of a column for a cast: without its collation, and
// without its size, to which a cast would cut what is too long in silence.
func (w *writer) typeOf(c *schema.Column) string {
	t := c.Source.Field.Tag.Type
	if t == "" {
		var err error
		if t, err = w.d.ColumnType(c.Value); err != nil {
			w.err = err
		}
		t, _, _ = strings.Cut(t, " COLLATE")
	}
	before, rest, sized := strings.Cut(t, "(")
	if !sized {
		return t
	}
	_, after, _ := strings.Cut(rest, ")")
	switch before = strings.TrimSpace(before); strings.ToLower(before) {
	case "char", "character": // of one character, if no size is given
		before = "bpchar"
	case "bit":
		before = "varbit"
	}
	return before + after
}

// Delete writes the DELETE of the rows of a table that meet a condition.
func Delete(d dialect.Dialect, table string, where plan.Cond) Text {
	w := writer{d: d, t: d.Traits(), b: make([]byte, 0, 256)}
	w.text("DELETE FROM ")
	w.ident(table)
	w.text(" WHERE ")
	w.cond(where, false)
	w.checkParams(len(w.args))
	return Text{string(w.b), w.args, w.err}
}

// Upsert writes an INSERT of rows that gives those that are there already, by
// the columns by, the new values of the columns set, and the next version, if
// they meet within or that is nil.
func Upsert(d dialect.Dialect, m *schema.Model, columns []*schema.Column, rows [][]driver.Value, by, set []*schema.Column, within plan.Cond) Text {
	insert, err := Insert(d, m.Table, columns, len(rows), nil)
	w := writer{d: d, t: d.Traits(), b: []byte(insert), args: slices.Concat(rows...), err: err}
	if w.t.OnDuplicateKey {
		w.text(" ON DUPLICATE KEY UPDATE ")
		if len(set) == 0 { // an assignment that changes nothing
			w.ident(by[0].Name)
			w.text(" = ")
			w.ident(by[0].Name)
		}
		for i, c := range set {
			w.separate(i, "")
			w.ident(c.Name)
			w.text(" = ")
			w.duplicate(c, within, func() {
				w.text("VALUES(")
				w.ident(c.Name)
				w.text(")")
			})
		}
		w.nextVersion(m, len(set) > 0, within)
		return Text{string(w.b), w.args, w.err}
	}
	w.text(" ON CONFLICT ")
	w.names(by)
	if len(set) == 0 {
		w.text(" DO NOTHING")
	}
	for i, c := range set {
		w.separate(i, " DO UPDATE SET ")
		w.ident(c.Name)
		w.text(" = excluded.")
		w.ident(c.Name)
	}
	w.nextVersion(m, len(set) > 0, nil)
	if len(set) > 0 {
		w.also(" WHERE ", within)
	}
	return Text{string(w.b), w.args, w.err}
}

// nextVersion raises the version of a row that is updated, if it meets within.
func (w *writer) nextVersion(m *schema.Model, updated bool, within plan.Cond) {
	if m.Version == nil || !updated {
		return
	}
	w.text(", ")
	w.ident(m.Version.Name)
	w.text(" = ")
	w.duplicate(m.Version, within, func() {
		w.ident(m.Table)
		w.text(".")
		w.ident(m.Version.Name)
		w.text(" + 1")
	})
}
