package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// A change is a write to rows of one model that are there already.
type change struct {
	*session
	op    op
	model *schema.Model
	rows  []any
	keys  []rel.Key // of rows

	scope  *plan.Scope // of the model's filters, if it has any
	within plan.Cond   // what the rows must meet besides, or nil
	at     time.Time   // of a soft deletion
}

// newChange checks rows before anything is sent.
func newChange[T any](db Executor, o op, rows []*T) (*change, error) {
	c := &change{session: db.session(), op: o}
	var err error
	if _, c.model, err = toWrite[T](c.session); err != nil {
		return nil, err
	}
	seen := make(map[rel.Key]bool, len(rows))
	for i, row := range rows {
		if row == nil {
			return nil, c.errorf("row %d of %d is nil", i+1, len(rows))
		}
		key, err := hydrate.KeyOf(c.model.Struct.Key(), row)
		if err != nil {
			return nil, c.errorf("row %d of %d %w", i+1, len(rows), err)
		}
		if seen[key] {
			return nil, c.errorf("%s is there twice", keyText(c.model.Type, key, false, nil))
		}
		seen[key] = true
		c.rows = append(c.rows, row)
		c.keys = append(c.keys, key)
	}
	return c, nil
}

func (c *change) errorf(format string, args ...any) error {
	return fmt.Errorf("kin: %s of %s: %w", c.op, c.model.Name, fmt.Errorf(format, args...))
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
// row with its primary key, the error is [ErrNotFound], and if the model has a
// version and the row another, [ErrStale].
func Update[T any](ctx context.Context, db Executor, row *T, columns ...string) error {
	return UpdateAll(ctx, db, []*T{row}, columns...)
}

// UpdateAll writes many rows, each with values of its own, in a few
// statements: all of their columns, or those named. All rows are written or,
// if one is not in the database ([ErrNotFound]), stale ([ErrStale]) or refused,
// none.
func UpdateAll[T any](ctx context.Context, db Executor, rows []*T, columns ...string) error {
	c, err := newChange(db, updating, rows)
	if err != nil || len(rows) == 0 {
		return err
	}
	set, touch, err := c.columns(columns)
	if err != nil || len(set) == 0 {
		return err
	}
	if err := c.filter(ctx); err != nil {
		return err
	}
	w := write{op: updating, model: c.model, rows: c.rows, touch: touch}
	return c.explain(ctx, c.around(ctx, w, func(s *session) error { return c.update(ctx, s, set) }))
}

// update writes the columns set, of which the version is the last.
func (c *change) update(ctx context.Context, s *session, set []*schema.Column) error {
	keys, version := c.model.Identity(), c.model.Version
	columnsAndKeys := slices.Concat(set, keys)
	values := make([][]driver.Value, len(c.rows))
	for i, row := range c.rows {
		var err error
		if values[i], err = hydrate.Values(nil, columnsAndKeys, row, c.dialect.Traits()); err != nil {
			return c.errorf("%w", err)
		}
		if version != nil {
			if values[i][len(set)-1], err = nextVersion(version, row); err != nil {
				return c.errorf("%w", err)
			}
		}
		if err := outside(c.scope, columnsAndKeys, values[i]); err != nil {
			return c.errorf("row %d of %d %w", i+1, len(c.rows), err)
		}
	}
	if len(values) == 1 {
		if err := s.reseal(ctx, c.model, c.rows, set); err != nil {
			return c.errorf("%w", s.fault(ctx, c.model, err))
		}
		text := sqlgen.UpdateOne(c.dialect, c.model.Table, set, keys, values[0], c.within)
		if err := c.run(ctx, s, 0, 1, text); err != nil {
			return err
		}
		return c.raise(s)
	}
	return s.transact(ctx, func(s *session) error {
		if err := s.reseal(ctx, c.model, c.rows, set); err != nil {
			return c.errorf("%w", s.fault(ctx, c.model, err))
		}
		size := c.chunk(len(columnsAndKeys))
		for from := 0; from < len(values); from += size {
			to := min(from+size, len(values))
			text := sqlgen.UpdateMany(c.dialect, c.model.Table, set, keys, values[from:to], c.within)
			if err := c.run(ctx, s, from, to, text); err != nil {
				return err
			}
		}
		return c.raise(s)
	})
}

// chunk returns how many rows of so many parameters a statement takes.
func (s *session) chunk(params int) int {
	return max(1, min(insertChunk, s.dialect.Traits().MaxParams/max(1, params)))
}

// run runs a statement that must change the rows from…to.
func (c *change) run(ctx context.Context, s *session, from, to int, text sqlgen.Text) error {
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
	if n := to - from; int(changed) != n {
		return &mismatch{from, to, n - int(changed)}
	}
	return nil
}

// columns returns the columns that lookup names stand for, or all if there are
// none, and those that each write changes, the version last. touch are those
// that are set to its time.
func (c *change) columns(names []string) (set, touch []*schema.Column, err error) {
	m := c.model
	if len(names) == 0 {
		set, touch = m.Writable(), m.Updated
	} else {
		var bad string
		var ok bool
		if set, bad, ok = m.ColumnsOf(names); !ok {
			return nil, nil, c.errorf("%s has no column %q%s", m.Name, bad, schema.Suggest(bad, m.Members()))
		}
		for _, col := range set {
			switch {
			case col.Key:
				return nil, nil, c.errorf("%s is the primary key, which is not changed", col.GoName())
			case col == m.Version:
				return nil, nil, c.errorf("%w", versionError(m))
			}
		}
		for _, col := range m.Updated {
			if !slices.Contains(set, col) {
				set, touch = append(set, col), append(touch, col)
			}
		}
	}
	if m.Version != nil {
		set = append(set, m.Version)
	}
	return set, touch, nil
}

// Save writes rows: those whose primary key is not set yet are inserted, and
// the others updated, all of them or none. A row whose key is set but not in
// the database is [ErrNotFound]; [Insert] writes new rows with keys of their
// own.
func Save[T any](ctx context.Context, db Executor, rows ...*T) error {
	var fresh, old []*T
	key := keyOf[T]()
	for _, row := range rows {
		if row != nil {
			_, err := hydrate.KeyOf(key, row)
			if errors.Is(err, ErrUnsaved) {
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
	for i, row := range old {
		if row == nil {
			return fmt.Errorf("kin: save of %s: row %d of %d is nil", reflect.TypeFor[T]().Name(), i+1, len(rows))
		}
	}
	return restoring(anyRows(rows), func() error {
		return db.session().transact(ctx, func(s *session) error {
			if err := UpdateAll(ctx, &Tx{*s}, old); err != nil {
				return err
			}
			return Insert(ctx, &Tx{*s}, fresh...)
		})
	})
}

// Delete deletes a row. If there is none with its primary key, the error is
// [ErrNotFound], and if its version is another, [ErrStale]. What refers to it goes with it, or keeps it there, as the
// foreign keys say.
//
// If the model has a softdelete field ([QuerySet.WithDeleted]), that is set in
// the database and in memory, and the row stays. One that is deleted already
// is [ErrNotFound].
func Delete[T any](ctx context.Context, db Executor, row *T) error {
	return DeleteAll(ctx, db, []*T{row})
}

// DeleteAll deletes many rows, all of them or none.
func DeleteAll[T any](ctx context.Context, db Executor, rows []*T) error {
	return deleteRows(ctx, db, rows, false)
}

func (c *change) deleteAll(ctx context.Context, s *session) error {
	keys, err := c.identities()
	if err != nil {
		return err
	}
	if len(keys) == 1 {
		return c.delete(ctx, s, keys, 0, 1)
	}
	return s.transact(ctx, func(s *session) error {
		size := c.chunk(len(c.model.Identity()))
		for from := 0; from < len(keys); from += size {
			if err := c.delete(ctx, s, keys, from, min(from+size, len(keys))); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *change) delete(ctx context.Context, s *session, keys []rel.Key, from, to int) error {
	where, err := plan.WithIdentities(c.model, keys[from:to], c.dialect)
	if err != nil {
		return c.errorf("%w", err)
	}
	return c.run(ctx, s, from, to, sqlgen.Delete(c.dialect, c.model.Table, plan.Both(where, c.within)))
}

// identities returns the keys of the rows, with their versions if they have.
func (c *change) identities() ([]rel.Key, error) {
	if c.model.Version == nil {
		return c.keys, nil
	}
	keys := make([]rel.Key, len(c.rows))
	for i, row := range c.rows {
		var err error
		if keys[i], err = hydrate.IdentityOf(c.model, row); err != nil {
			return nil, c.errorf("%w", err)
		}
	}
	return keys, nil
}

// Reload reads rows anew: all columns, into the same values. Relations that
// are loaded stay so, but for foreign keys that have changed. If a row is not
// in the database any more, the error is [ErrNotFound], and no row is
// touched. Rows that are softly deleted are found.
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
		q := QuerySet[T]{&query{keys: keys[from:min(from+size, len(keys))], deleted: true}}
		part, _, err := q.read(ctx, db, allRows, 0) // the hooks are for rows, not for these
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
	renew := func() {
		for i, row := range rows {
			hydrate.Copy(m, row, found[keys[i]])
		}
	}
	if !m.Struct.Hooks.Has(schema.AfterLoad) {
		renew()
		return nil
	}
	return restoring(anyRows(rows), func() error {
		renew()
		return afterLoad(ctx, anyRows(rows))
	})
}
