package kin

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// Tracked is embedded in a model whose rows remember what they held when kin
// read or wrote them. It has no column, and JSON leaves it out.
//
//	type Article struct {
//		kin.Tracked
//		ID    int64
//		Title string
//		Body  string
//	}
//
// [Update] and [UpdateAll] without column names, [Save] and [SaveGraph] then
// write the changed columns only, so that what others wrote to the rest of the
// row in the meantime stays, and nothing at all of a row that is as it was. Of
// that they do not find out either whether it is still there. Changes inside
// of bytes, and of values that are kept as JSON, are seen. [Changed] tells what
// would be written.
//
// It also tells new rows whose key the program makes, such as a UUID: [Save]
// and [SaveGraph] insert those that were neither read nor written.
//
// A copy of a row remembers what the row does, until one of them is written; a
// copy that is given another primary key is a row of its own, of which nothing
// is known. If a transaction is rolled back, rows remember again what they did
// before it. A model without Tracked remembers nothing, and costs nothing.
type Tracked struct {
	was *hydrate.Snapshot // which internal/hydrate reads and writes
}

func (*Tracked) tracked() {}

// Changed returns the fields of row, a pointer to a model that embeds
// [Tracked], that differ from what kin read or wrote, by their names in
// lookups: those that [Update] would write. Of a row that kin has neither read
// nor written, that is all of them but the primary key.
func Changed(row interface{ tracked() }) []string {
	l := layoutOf(row)
	if l == nil {
		return nil
	}
	return lookupNames(slices.DeleteFunc(l.Changed(row), func(f *schema.Field) bool { return f.Tag.Version || f.Tag.Generated != "" }))
}

// layoutOf returns what is known of rows such as row, or nil if it is no pointer to
// one.
func layoutOf(row interface{ tracked() }) *hydrate.Layout {
	v := reflect.ValueOf(row)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil
	}
	return hydrate.LayoutOf(structOf(v.Type().Elem()))
}

// isNew reports whether a row of the model m is to be inserted when it is
// saved: its primary key is not set, or it is tracked, has a key that the
// database does not make, and was neither read nor written.
func isNew(m *schema.Model, row any) (bool, error) {
	_, err := hydrate.KeyOf(m.Struct.Key(), row)
	if errors.Is(err, ErrUnsaved) {
		return true, nil
	}
	l := hydrate.LayoutOf(m.Struct)
	return err == nil && l != nil && m.Auto == nil && !l.Known(row), err
}

// touched returns those of rows that have something to write in the columns.
func touched(m *schema.Model, rows []any, columns []*schema.Column) []any {
	l := hydrate.LayoutOf(m.Struct)
	if l == nil {
		return rows
	}
	var list []any
	for _, row := range rows {
		changed := slices.DeleteFunc(l.Changed(row), func(f *schema.Field) bool { return f.Tag.Version })
		if len(among(columns, changed)) > 0 {
			list = append(list, row)
		}
	}
	return list
}

// bySet parts rows by which of the columns have something to write.
func bySet(m *schema.Model, columns []*schema.Column, rows []any) (sets [][]*schema.Column, parts [][]any) {
	l := hydrate.LayoutOf(m.Struct)
	if l == nil {
		return [][]*schema.Column{columns}, [][]any{rows}
	}
	at := map[string]int{} // of the changed fields
	for _, row := range rows {
		fields := l.Changed(row)
		name := fieldNames(fields)
		i, known := at[name]
		if !known {
			i = len(sets)
			at[name] = i
			sets, parts = append(sets, among(columns, fields)), append(parts, nil)
		}
		parts[i] = append(parts[i], row)
	}
	return sets, parts
}

// among returns those of columns that store one of the fields.
func among(columns []*schema.Column, fields []*schema.Field) (some []*schema.Column) {
	for _, c := range columns {
		if slices.Contains(fields, c.Field) {
			some = append(some, c)
		}
	}
	return some
}

func fieldNames(fields []*schema.Field) string {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f.Name + " ")
	}
	return b.String()
}

// remember has tracked rows that were written know that the database holds
// what they do: in the given columns, or, if there are none, in all.
func (s *session) remember(m *schema.Model, rows []any, columns []*schema.Column) {
	l := hydrate.LayoutOf(m.Struct)
	if l == nil {
		return
	}
	s.restoreOnRollback(l, rows)
	var only func(*schema.Field) bool
	if columns != nil {
		only = func(f *schema.Field) bool {
			return f.Tag.Generated != "" || // it was read back
				slices.ContainsFunc(columns, func(c *schema.Column) bool { return c.Field == f })
		}
	}
	tracker := hydrate.Tracker{Layout: l}
	if s.tx != nil && s.tx.tx == nil {
		// Whether the caller's own transaction is committed, kin does not learn.
		only = func(*schema.Field) bool { return false }
		for _, row := range rows {
			tracker.Forget(row)
		}
	}
	for _, row := range rows {
		tracker.Track(row, only)
	}
}

// forget has tracked rows know nothing of the database any more but, if they
// are still there, their primary key.
func (s *session) forget(m *schema.Model, rows []any, there bool) {
	l := hydrate.LayoutOf(m.Struct)
	if l == nil {
		return
	}
	s.restoreOnRollback(l, rows)
	tracker := hydrate.Tracker{Layout: l}
	for _, row := range rows {
		tracker.Forget(row)
		if there {
			tracker.Track(row, func(*schema.Field) bool { return false })
		}
	}
}

func (s *session) restoreOnRollback(l *hydrate.Layout, rows []any) {
	if s.tx == nil {
		return
	}
	was := make([]*hydrate.Snapshot, len(rows))
	for i, row := range rows {
		was[i] = l.Was(row)
	}
	s.tx.onUndo = append(s.tx.onUndo, func() {
		for i, row := range rows {
			l.Restore(row, was[i])
		}
	})
}
