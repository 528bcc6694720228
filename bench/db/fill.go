package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/kin-orm/kin/bench/data"
)

// fill writes the rows that all workloads share.
func (t *Target) fill(ctx context.Context) error {
	named := func(name func(int) string) func(int) []any {
		return func(i int) []any { return []any{name(i)} }
	}
	members := func(member func(int) data.Member) func(int) []any {
		return func(i int) []any {
			m := member(i)
			return []any{m.Name, m.Class, sql.NullInt64{Int64: m.Category, Valid: m.Category != 0}}
		}
	}
	for _, table := range []struct {
		name, columns string
		rows          int
		row           func(i int) []any
	}{
		{"school_classes", "name", data.Classes, named(data.ClassName)},
		{"categories", "name", data.Categories, named(data.CategoryName)},
		{"students", "name, class_id, category_id", data.Students, members(data.Student)},
		{"teachers", "name, class_id, category_id", data.Teachers, members(data.Teacher)},
		{"wides", strings.Join(data.Columns()[1:], ", "), data.Wides, t.wide},
	} {
		if err := t.insert(ctx, table.name, table.columns, table.rows, table.row); err != nil {
			return err
		}
	}
	if err := t.Reset(ctx); err != nil {
		return err
	}
	switch t.Dialect {
	case "sqlite":
		return t.run(ctx, "ANALYZE")
	case "postgres":
		return t.run(ctx, "VACUUM ANALYZE")
	}
	return t.run(ctx, "ANALYZE TABLE school_classes, categories, students, teachers, wides")
}

// Reset makes the table entries what it was at the beginning, its next key
// included.
func (t *Target) Reset(ctx context.Context) error {
	if err := t.run(ctx, emptied(t.Dialect)...); err != nil {
		return err
	}
	return t.insert(ctx, "entries", strings.Join(data.Columns()[1:], ", "), data.Entries, t.wide)
}

// FillTicks makes the table ticks have n rows, a million at most.
func (t *Target) FillTicks(ctx context.Context, n int) error {
	if t.ticks == n {
		return nil
	}
	if err := t.run(ctx, "DELETE FROM ticks"); err != nil {
		return err
	}
	if _, err := t.pool.ExecContext(ctx, ticks(t.Dialect), n); err != nil {
		return err
	}
	t.ticks = n
	if t.Dialect == "postgres" {
		return t.run(ctx, "VACUUM ANALYZE ticks")
	}
	return nil
}

// Entries returns the rows of entries, by their keys.
func (t *Target) Entries(ctx context.Context) (list []data.Wide, err error) {
	rows, err := t.pool.QueryContext(ctx, "SELECT "+strings.Join(data.Columns(), ", ")+" FROM entries ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var w data.Wide
		if err := rows.Scan(&w.ID, &w.Quantity, &w.Level, &w.Name, &w.Code, &w.Note,
			&w.Active, &w.Hidden, &w.Price, &w.Ratio, &w.Created, &w.Updated); err != nil {
			return nil, err
		}
		list = append(list, w.UTC())
	}
	return list, rows.Err()
}

// wide returns the values of the i-th Wide but its key.
func (t *Target) wide(i int) []any {
	w := data.NewWide(i)
	var created, updated any = w.Created, w.Updated
	if t.Dialect == "sqlite" { // as SQLite's own functions write times
		const layout = "2006-01-02 15:04:05.999999"
		created, updated = w.Created.Format(layout), w.Updated.Format(layout)
	}
	return []any{w.Quantity, w.Level, w.Name, w.Code, w.Note, w.Active, w.Hidden, w.Price, w.Ratio, created, updated}
}

func (t *Target) run(ctx context.Context, statements ...string) error {
	for _, text := range statements {
		if _, err := t.pool.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// insert inserts n rows, whose keys are 1 to n.
func (t *Target) insert(ctx context.Context, table, columns string, n int, row func(i int) []any) (err error) {
	tx, err := t.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	tuple := "(" + strings.Repeat("?, ", strings.Count(columns, ",")) + "?)"
	for from := 1; from <= n; {
		size := min(100, n-from+1)
		text := "INSERT INTO " + table + " (" + columns + ") VALUES " + strings.Repeat(tuple+", ", size-1) + tuple
		var args []any
		for range size {
			args = append(args, row(from)...)
			from++
		}
		if _, err := tx.ExecContext(ctx, t.Rebind(text), args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
