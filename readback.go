package kin

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// A part is those rows of a write that leave the same columns to the database.
type part struct {
	left []*schema.Column
	at   []int // their places, or nil if they are all rows
}

// leaving parts rows of the model m, in their order, by the columns that they
// leave to the database: those tagged omitzero that are zero, unless in kept.
// No row is in a part before that of one ahead of it that it refers to.
func leaving(m *schema.Model, rows []any, kept []*schema.Column) []part {
	if len(m.Omits) == 0 {
		return []part{{}}
	}
	var parts []part
	own := selfKeys(m)
	where := map[rel.Key]int{} // the parts that rows are in, if others may refer to them
	for i, row := range rows {
		left := leftBy(m, row, kept)
		first := 0
		for _, f := range own {
			if key, null, err := hydrate.ForeignKeyOf(row, f); err == nil && !null {
				first = max(first, where[key])
			}
		}
		at := slices.IndexFunc(parts[first:], func(p part) bool { return slices.Equal(p.left, left) })
		if at += first; at < first {
			at = len(parts)
			parts = append(parts, part{left: left})
		}
		parts[at].at = append(parts[at].at, i)
		if len(own) == 0 {
			continue
		}
		if key, err := hydrate.KeyOf(m.Struct.Key(), row); err == nil {
			where[key] = at
		}
	}
	if len(parts) == 1 {
		parts[0].at = nil
	}
	return parts
}

// selfKeys returns the foreign keys by which rows of a model refer to others.
func selfKeys(m *schema.Model) (own []*schema.Field) {
	for _, r := range m.Relations {
		if r.Kind == schema.ToOne && r.To == m {
			own = append(own, r.Field)
		}
	}
	return own
}

// leftBy returns the columns that a row leaves to the database.
func leftBy(m *schema.Model, row any, kept []*schema.Column) (left []*schema.Column) {
	for _, c := range m.Omits {
		if !slices.Contains(kept, c) && hydrate.IsUnset(c, row) {
			left = append(left, c)
		}
	}
	return left
}

// pick returns the elements of list at places, or all if that is nil.
func pick[E any](list []E, places []int) []E {
	if places == nil {
		return list
	}
	some := make([]E, len(places))
	for i, at := range places {
		some[i] = list[at]
	}
	return some
}

// runAll inserts the rows, with a batch for each set of columns that they leave
// to the database, and reads back what that has made of them.
func (in *inserter) runAll(ctx context.Context, s *session) error {
	if !in.model.ReadsBack() {
		return in.run(ctx, s)
	}
	return restoring(in.rows, func() error {
		parts := leaving(in.model, in.rows, nil)
		if len(parts) == 1 {
			in.left = parts[0].left
			return in.run(ctx, s)
		}
		return s.whole(ctx, func(s *session) error {
			for _, p := range parts {
				batch := inserter{model: in.model, rows: pick(in.rows, p.at), left: p.left, at: p.at, of: len(in.rows)}
				if err := batch.run(ctx, s); err != nil {
					return err
				}
				if err := batch.keep(); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// place says which row of the call is the i-th.
func (in *inserter) place(i int) string {
	if in.at == nil {
		return fmt.Sprintf("row %d of %d", i+1, len(in.rows))
	}
	return fmt.Sprintf("row %d of %d", in.at[i]+1, in.of)
}

// made returns the columns whose values the database makes.
func (in *inserter) made() []*schema.Column { return slices.Concat(in.model.Computed, in.left) }

// returns reports whether one statement inserts the rows and returns what the
// database has made of them. It does not tell whether they are within a filter.
func (in *inserter) returns(scope *plan.Scope) bool {
	m := in.model
	return len(in.rows) == 1 && in.dialect.Traits().Returning && scope == nil && len(in.made()) > 0 &&
		(m.Auto == nil || !hydrate.HasGenerated(m, in.rows[0]))
}

// returning inserts the row by such a statement.
func (in *inserter) returning(ctx context.Context) error {
	given, err := in.encode(nil, in.rows[0], nil, 0)
	if err != nil {
		return err
	}
	made := in.made()
	if in.model.Auto != nil {
		made = append(made, in.model.Auto)
	}
	text, err := in.insertText(in.model, in.columns, made, 1)
	if err != nil {
		return err
	}
	n, err := in.Each(ctx, text, given, len(made), exec.Few, func(values []driver.Value) error {
		return setAll(made, in.rows[0], values)
	})
	switch {
	case err != nil:
		return err
	case n == 0:
		return notReadBack(1)
	}
	in.fresh = nil // its key is set
	in.sent(1)
	return nil
}

// readBack reads what the database has made of the rows that were inserted.
func (in *inserter) readBack(ctx context.Context, scope *plan.Scope) error {
	made := in.made()
	if len(made) == 0 {
		return nil
	}
	if err := in.setKeys(); err != nil {
		return err
	}
	return in.session.readBack(ctx, in.model, in.rows, made, scope)
}

// readBack reads columns of rows that were written, which the database has
// made, by their keys. It belongs to the transaction of the write: if that
// fails, the caller gives rows back the values that they had.
func (s *session) readBack(ctx context.Context, m *schema.Model, rows []any, columns []*schema.Column, scope *plan.Scope) error {
	if len(columns) == 0 {
		return nil
	}
	args := 0
	if scope != nil {
		args = len(scope.Args)
	}
	for chunk := range slices.Chunk(rows, s.chunkBeside(len(m.Key), args)) {
		if err := s.readChunk(ctx, m, chunk, columns, scope); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) readChunk(ctx context.Context, m *schema.Model, rows []any, columns []*schema.Column, scope *plan.Scope) error {
	keys := make([]rel.Key, len(rows))
	byKey := make(map[rel.Key]any, len(rows))
	for i, row := range rows {
		var err error
		if keys[i], err = hydrate.KeyOf(m.Struct.Key(), row); err != nil {
			return err
		}
		byKey[keys[i]] = row
	}
	err := s.readBy(ctx, m, columns, m.Key, keys, within(scope), func(key rel.Key, values []driver.Value) error {
		row := byKey[key]
		if row == nil {
			return nil
		}
		delete(byKey, key)
		return setAll(columns, row, values)
	})
	switch {
	case err != nil:
		return err
	case len(byKey) > 0 && scope != nil:
		return fmt.Errorf("a row %w of its model, by what the database has made of it", ErrOutside)
	case len(byKey) > 0:
		return notReadBack(len(byKey))
	}
	return nil
}

func notReadBack(n int) error {
	return fmt.Errorf("%w: %d of the rows that were written, to read back what the database has made of them", ErrNotFound, n)
}

// readBy reads columns of the rows of m that have, in the columns by, one of
// the keys, and meet within, if that is not nil: as they are now. It calls f
// with the values of each, which hold until it returns.
func (s *session) readBy(ctx context.Context, m *schema.Model, columns, by []*schema.Column, keys []rel.Key, within plan.Cond, f func(key rel.Key, values []driver.Value) error) error {
	stmt, err := plan.RowsBy(m, columns, by, keys, s.dialect, within)
	if err != nil {
		return err
	}
	text := sqlgen.Write(stmt, s.dialect)
	if text.Err != nil {
		return text.Err
	}
	first := len(columns)
	_, err = s.Each(ctx, text.SQL+s.dialect.Traits().CurrentRead, text.Args, first+len(by), exec.Few, func(values []driver.Value) error {
		key, err := keyIn(by, values[first:])
		if err != nil {
			return err
		}
		return f(key, values[:first])
	})
	return err
}

// keyIn returns the key that the values of columns are.
func keyIn(columns []*schema.Column, values []driver.Value) (rel.Key, error) {
	parts := make([]rel.Key, len(columns))
	for i, c := range columns {
		var err error
		if parts[i], err = rel.ReadKey(c.Value, values[i]); err != nil {
			return rel.Key{}, fmt.Errorf("%s: %w", c.GoName(), err)
		}
	}
	return rel.Join(parts), nil
}

func setAll(columns []*schema.Column, row any, values []driver.Value) error {
	for i, c := range columns {
		if err := hydrate.SetColumn(c, row, values[i]); err != nil {
			return err
		}
	}
	return nil
}

// kept copies values that the driver gives only until the next row.
func kept(values []driver.Value) []driver.Value {
	values = slices.Clone(values)
	for i, v := range values {
		if b, ok := v.([]byte); ok {
			values[i] = slices.Clone(b)
		}
	}
	return values
}

// readBack reads what the database has computed for rows that were updated. If
// the transaction around is undone, they get back what they had.
func (c *change) readBack(ctx context.Context, s *session, rows []any) error {
	if len(c.model.Computed) == 0 {
		return nil
	}
	was := make([]any, len(rows))
	for i, row := range rows {
		was[i] = reflect.New(reflect.TypeOf(row).Elem()).Interface()
		for _, col := range c.model.Computed {
			hydrate.CopyColumn(col, was[i], row)
		}
	}
	s.tx.onUndo = append(s.tx.onUndo, func() {
		for i, row := range rows {
			for _, col := range c.model.Computed {
				hydrate.CopyColumn(col, row, was[i])
			}
		}
	})
	if err := s.readBack(ctx, c.model, rows, c.model.Computed, c.scope); err != nil {
		return c.errorf("%w", s.fault(ctx, c.model, err))
	}
	return nil
}

// restoringIf is restoring for a write that changes rows before it has
// succeeded, and f alone for others.
func restoringIf(changes bool, rows []any, f func() error) error {
	if !changes {
		return f()
	}
	return restoring(rows, f)
}

// madeFault completes what a database says of a row of m: where a CHECK keeps
// a generated column from being NULL, and which special index has columns that
// are named alone.
func (s *session) madeFault(m *schema.Model, f *dialect.Fault) {
	if m == nil {
		return
	}
	if f.Kind == dialect.CheckFault && s.dialect.Traits().CheckGenerated {
		for _, c := range m.Computed {
			if f.Constraint == m.Table+"."+c.Name {
				*f = dialect.Fault{Kind: dialect.NullFault, Columns: []string{c.Name}, EndsTx: f.EndsTx}
				return
			}
		}
	}
	if f.Kind == dialect.UniqueFault && f.Constraint == "" && (f.Table == m.Table || f.Table == "") {
		f.Constraint = m.IndexOver(f.Columns)
	}
}

// without returns those of columns that are not left.
func without(columns, left []*schema.Column) []*schema.Column {
	if len(left) == 0 {
		return columns
	}
	return slices.DeleteFunc(slices.Clone(columns), func(c *schema.Column) bool { return slices.Contains(left, c) })
}

// computedError returns the error for a value that is given to a column that
// the database computes.
func computedError(c *schema.Column) error {
	return fmt.Errorf("%s is generated by the database, and cannot be set; set the columns that it is made of", c.GoName())
}

// written returns those of the fields of m whose values are known before a row
// is written.
func written(m *schema.Model, fields []string) []string {
	return slices.DeleteFunc(slices.Clone(fields), func(name string) bool {
		return slices.ContainsFunc(m.Computed, func(c *schema.Column) bool { return c.Field.Name == name })
	})
}
