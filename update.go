package kin

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// A change is a write to rows of one model that are there already.
type change struct {
	*session
	what  string // for messages
	model *schema.Model
	rows  []any
	keys  []rel.Key // of rows
}

// newChange checks rows before anything is sent.
func newChange[T any](db Executor, what string, rows []*T) (*change, error) {
	s := db.session()
	_, m, err := toWrite[T](s)
	if err != nil {
		return nil, err
	}
	c := &change{session: s, what: what, model: m}
	if err := c.take(untyped(rows)); err != nil {
		return nil, err
	}
	return c, nil
}

// take checks rows of the model, which are *T.
func (c *change) take(rows []any) error {
	seen := make(map[rel.Key]bool, len(rows))
	for i, row := range rows {
		if row == nil {
			return c.errorf("row %d of %d is nil", i+1, len(rows))
		}
		key, err := hydrate.KeyOf(c.model.Struct.Key(), row)
		if err != nil {
			return c.errorf("row %d of %d %w", i+1, len(rows), err)
		}
		if seen[key] {
			return c.errorf("%s is there twice", keyText(c.model.Type, key, false, nil))
		}
		seen[key] = true
		c.keys = append(c.keys, key)
	}
	c.rows = rows
	return nil
}

func (c *change) errorf(format string, args ...any) error {
	return fmt.Errorf("kin: %s of %s: %w", c.what, c.model.Name, fmt.Errorf(format, args...))
}

// missing is the error for rows that are not in the database.
func (c *change) missing(n int) error {
	if len(c.keys) == 1 {
		return c.errorf("%w: %s", ErrNotFound, keyText(c.model.Type, c.keys[0], false, nil))
	}
	return c.errorf("%w: %d of %d rows", ErrNotFound, n, len(c.keys))
}

// Update writes a row that is in the database: all of its columns, or those
// named, as lookups name fields. Zero values are written too. If there is no
// row with its primary key, the error is [ErrNotFound].
func Update[T any](ctx context.Context, db Executor, row *T, columns ...string) error {
	return UpdateAll(ctx, db, []*T{row}, columns...)
}

// UpdateAll writes many rows, each with values of its own, in a few
// statements: all of their columns, or those named. All rows are written or,
// if one is not in the database ([ErrNotFound]) or is refused, none.
func UpdateAll[T any](ctx context.Context, db Executor, rows []*T, columns ...string) error {
	s := db.session()
	_, m, err := toWrite[T](s)
	if err != nil {
		return err
	}
	return s.update(ctx, m, untyped(rows), columns)
}

// update is [UpdateAll] for rows of the model m, which are *T.
func (s *session) update(ctx context.Context, m *schema.Model, rows []any, columns []string) error {
	c := &change{session: s, what: "update", model: m}
	set, err := c.columns(columns)
	if err != nil {
		return err
	}
	if len(columns) == 0 {
		rows = touched(m, rows, set)
	}
	if err := c.take(rows); err != nil || len(rows) == 0 || len(set) == 0 {
		return err
	}
	sets, parts := [][]*schema.Column{set}, [][]any{rows}
	if len(columns) == 0 {
		sets, parts = bySet(m, set, rows)
	}
	batches := make([]batch, len(sets))
	for i := range sets {
		if batches[i], err = c.batch(sets[i], parts[i]); err != nil {
			return err
		}
	}
	work := func(s *session) error {
		for _, b := range batches {
			if err := c.write(ctx, s, b); err != nil {
				return err
			}
		}
		return nil
	}
	if len(rows) == 1 {
		err = work(s)
	} else {
		err = s.transact(ctx, work)
	}
	for i := 0; i < len(sets) && err == nil; i++ {
		s.remember(m, parts[i], sets[i])
	}
	return err
}

// A batch gives each of several rows values of the same columns.
type batch struct {
	set    []*schema.Column
	rows   []any
	values [][]driver.Value // by row, of set and then of the primary key
}

func (c *change) batch(set []*schema.Column, rows []any) (batch, error) {
	b := batch{set, rows, make([][]driver.Value, len(rows))}
	columns := slices.Concat(set, c.model.Key)
	for i, row := range rows {
		var err error
		if b.values[i], err = hydrate.Values(nil, columns, row, c.dialect.Traits()); err != nil {
			return b, c.errorf("%w", err)
		}
	}
	return b, nil
}

// write writes a batch.
func (c *change) write(ctx context.Context, s *session, b batch) error {
	if err := s.reseal(ctx, c.model, b.rows, b.set); err != nil {
		return c.errorf("%w", s.fault(ctx, c.model, err))
	}
	if len(b.values) == 1 {
		return c.run(ctx, s, 1, sqlgen.UpdateOne(s.dialect, c.model.Table, b.set, c.model.Key, b.values[0]))
	}
	for part := range slices.Chunk(b.values, s.chunk(len(b.set)+len(c.model.Key))) {
		text := sqlgen.UpdateMany(s.dialect, c.model.Table, b.set, c.model.Key, part)
		if err := c.run(ctx, s, len(part), text); err != nil {
			return err
		}
	}
	return nil
}

// chunk returns how many rows of so many parameters a statement takes.
func (s *session) chunk(params int) int {
	return max(1, min(insertChunk, s.dialect.Traits().MaxParams/max(1, params)))
}

// run runs a statement that must change n rows.
func (c *change) run(ctx context.Context, s *session, n int, text sqlgen.Text) error {
	if text.Err != nil {
		return text.Err
	}
	result, err := s.Exec(ctx, text.SQL, anys(text.Args))
	if err != nil {
		return c.errorf("%w", s.fault(ctx, c.model, err))
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return c.errorf("%w", err)
	}
	if int(changed) != n {
		return c.missing(n - int(changed))
	}
	return nil
}

// columns returns the columns that lookup names stand for, or all but the
// primary key if there are none.
func (c *change) columns(names []string) ([]*schema.Column, error) {
	var set []*schema.Column
	if len(names) == 0 {
		for _, col := range c.model.Columns {
			if !col.Key {
				set = append(set, col)
			}
		}
		return set, nil
	}
	set, bad, ok := c.model.ColumnsOf(names)
	if !ok {
		return nil, c.errorf("%s has no column %q%s", c.model.Name, bad, schema.Suggest(bad, c.model.Members()))
	}
	for _, col := range set {
		if col.Key {
			return nil, c.errorf("%s is the primary key, which is not changed", col.GoName())
		}
	}
	return set, nil
}

// Save writes rows: those whose primary key is not set yet are inserted, and
// the others updated, all of them or none. A row whose key is set but not in
// the database is [ErrNotFound]; [Insert] writes new rows with keys of their
// own.
func Save[T any](ctx context.Context, db Executor, rows ...*T) error {
	_, m, err := toWrite[T](db.session())
	if err != nil {
		return err
	}
	var fresh, old []*T
	for _, row := range rows {
		if row != nil {
			if unsaved, _ := isNew(m, row); unsaved {
				fresh = append(fresh, row)
				continue
			}
		}
		old = append(old, row)
	}
	switch {
	case len(old) == 0:
		return Insert(ctx, db, fresh...)
	case len(fresh) == 0:
		return UpdateAll(ctx, db, old)
	}
	return db.session().transact(ctx, func(s *session) error {
		if err := UpdateAll(ctx, &Tx{*s}, old); err != nil {
			return err
		}
		return Insert(ctx, &Tx{*s}, fresh...)
	})
}

// Delete deletes a row. If there is none with its primary key, the error is
// [ErrNotFound]. What refers to it goes with it, or keeps it there, as the
// foreign keys say.
func Delete[T any](ctx context.Context, db Executor, row *T) error {
	return DeleteAll(ctx, db, []*T{row})
}

// DeleteAll deletes many rows, all of them or none.
func DeleteAll[T any](ctx context.Context, db Executor, rows []*T) error {
	c, err := newChange(db, "delete", rows)
	if err != nil || len(rows) == 0 {
		return err
	}
	work := func(s *session) error {
		size := c.chunk(len(c.model.Key))
		for from := 0; from < len(c.keys); from += size {
			if err := c.delete(ctx, s, c.keys[from:min(from+size, len(c.keys))]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(rows) == 1 {
		err = work(c.session)
	} else {
		err = c.transact(ctx, work)
	}
	if err == nil {
		c.forget(c.model, c.rows, false)
	}
	return err
}

func (c *change) delete(ctx context.Context, s *session, keys []rel.Key) error {
	where, err := plan.WithKeys(c.model, keys, c.dialect)
	if err != nil {
		return c.errorf("%w", err)
	}
	return c.run(ctx, s, len(keys), sqlgen.Delete(c.dialect, c.model.Table, where))
}

// Reload reads rows anew: all columns, into the same values. Relations that
// are loaded stay so, but for foreign keys that have changed. If a row is not
// in the database any more, the error is [ErrNotFound], and no row is
// touched.
func Reload[T any](ctx context.Context, db Executor, rows ...*T) error {
	s := db.session()
	g, err := s.space.graph()
	if err != nil {
		return err
	}
	m, err := modelOf(g, reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	keys := make([]rel.Key, len(rows))
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("kin: reload of %s: row %d of %d is nil", m.Name, i+1, len(rows))
		}
		if keys[i], err = hydrate.KeyOf(m.Struct.Key(), row); err != nil {
			return fmt.Errorf("kin: reload of %s: row %d of %d %w", m.Name, i+1, len(rows), err)
		}
	}
	found := make(map[rel.Key]*T, len(rows))
	for from, size := 0, s.chunk(len(m.Key)); from < len(keys); from += size {
		q := QuerySet[T]{&query{keys: keys[from:min(from+size, len(keys))]}}
		part, err := q.All(ctx, db)
		if err != nil {
			return err
		}
		for _, row := range part {
			key, err := hydrate.KeyOf(m.Struct.Key(), row)
			if err != nil {
				return err
			}
			found[key] = row
		}
	}
	for _, key := range keys {
		if found[key] == nil {
			return fmt.Errorf("kin: reload of %s: %w: %s", m.Name, ErrNotFound, keyText(m.Type, key, false, nil))
		}
	}
	for i, row := range rows {
		hydrate.Copy(m, row, found[keys[i]])
	}
	return nil
}
