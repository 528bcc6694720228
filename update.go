package kin

import (
	"context"
	"database/sql/driver"
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
func (s *session) newChange(t reflect.Type, o op, rows []any) (*change, error) {
	_, m, err := s.toWrite(t)
	if err != nil {
		return nil, err
	}
	c := &change{session: s, op: o, model: m}
	if err := c.take(rows); err != nil {
		return nil, err
	}
	return c, nil
}

// take checks rows of the model, which are *T.
func (c *change) take(rows []any) error {
	keys := make([]rel.Key, 0, len(rows))
	for i, row := range rows {
		key, err := hydrate.KeyOf(c.model.Struct.Key(), row)
		if err != nil {
			return c.errorf("row %d of %d %w", i+1, len(rows), err)
		}
		keys = append(keys, key)
	}
	if i := twice(keys); i >= 0 {
		return c.errorf("%s is there twice", keyText(c.model.Type, keys[i], false, nil))
	}
	c.rows, c.keys = rows, keys
	return nil
}

// twice returns the place of a key that is there before it already, or -1.
func twice(keys []rel.Key) int {
	if rel.Ascending(keys) { // as those of rows are that were read
		return -1
	}
	seen := make(map[rel.Key]struct{}, len(keys))
	for i, key := range keys {
		seen[key] = struct{}{}
		if len(seen) == i {
			return i
		}
	}
	return -1
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
// named, as lookups name fields. Zero values are written too. What the database
// generates from them is read back. If there is no
// row with its primary key, the error is [ErrNotFound], and if the model has a
// version and the row another, [ErrStale].
func Update[T any](ctx context.Context, db Executor, row *T, columns ...Path[T]) error {
	return UpdateAll(ctx, db, []*T{row}, columns...)
}

// UpdateAll writes many rows, each with values of its own, in a few
// statements: all of their columns, or those named. All rows are written or,
// if one is not in the database ([ErrNotFound]), stale ([ErrStale]) or refused,
// none.
func UpdateAll[T any](ctx context.Context, db Executor, rows []*T, columns ...Path[T]) error {
	s := db.session()
	_, m, err := toWrite[T](s)
	if err != nil {
		return err
	}
	return s.update(ctx, m, anyRows(rows), texts(columns))
}

// update is [UpdateAll] for rows of the model m, which are *T.
func (s *session) update(ctx context.Context, m *schema.Model, rows []any, columns []string) error {
	c := &change{session: s, op: updating, model: m}
	set, touch, err := c.columns(columns)
	if err != nil {
		return err
	}
	all := len(columns) == 0
	return s.batchWrite(updating, m, rows, func(s *session, rows []any) error {
		*c = change{session: s, op: updating, model: m}
		if all {
			given := len(rows)
			rows = touched(m, rows, set)
			s.sent(given - len(rows)) // which are as they should be
		}
		if err := c.take(rows); err != nil || len(rows) == 0 || len(set) == 0 {
			return err
		}
		if err := c.filter(ctx); err != nil {
			return err
		}
		w := write{op: updating, model: m, rows: rows, touch: touch}
		return c.explain(ctx, c.around(ctx, w, func(s *session) error { return c.update(ctx, s, set, all) }))
	})
}

// update writes the columns set, of which the version is the last: all of them
// or, of tracked rows, those that have changed.
func (c *change) update(ctx context.Context, s *session, set []*schema.Column, changed bool) error {
	batches, err := c.batches(set, changed)
	if err != nil {
		return err
	}
	work := func(s *session) error {
		from := 0
		for _, b := range batches {
			if err := c.write(ctx, s, b, from); err != nil {
				return err
			}
			if err := c.readBack(ctx, s, b.rows); err != nil {
				return err
			}
			from += len(b.rows)
		}
		if err := c.raise(s); err != nil {
			return err
		}
		for _, b := range batches {
			s.remember(c.model, b.rows, b.set)
		}
		return nil
	}
	if len(c.rows) == 1 && len(c.model.Computed) == 0 {
		return work(s)
	}
	return s.transact(ctx, work)
}

// A batch gives each of several rows values of the same columns.
type batch struct {
	set     []*schema.Column
	keys    []*schema.Column // say which row it is
	version *schema.Column   // the last of set, or nil
	rows    []any
}

// columns returns those that a row of the batch has values of.
func (b *batch) columns() []*schema.Column { return slices.Concat(b.set, b.keys) }

// batches parts the rows by what is to be written of them, and puts them in
// that order.
func (c *change) batches(set []*schema.Column, changed bool) ([]batch, error) {
	keys, version := c.model.Identity(), c.model.Version
	list := []batch{{set: set, keys: keys, version: version, rows: c.rows}}
	if changed && c.model.Struct.Track != nil {
		list = list[:0]
		if version != nil {
			set = set[:len(set)-1] // it is written with whatever else is
		}
		sets, parts := bySet(c.model, set, c.rows)
		for i := range sets {
			if version != nil {
				sets[i] = append(sets[i], version)
			}
			list = append(list, batch{set: sets[i], keys: keys, version: version, rows: parts[i]})
		}
		if err := c.take(slices.Concat(parts...)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// encode returns the values of rows of a batch, row by row: of set and keys.
func (c *change) encode(ctx context.Context, b batch, rows []any) ([]driver.Value, error) {
	columns := b.columns()
	flat := make([]driver.Value, 0, len(rows)*len(columns))
	var arena *hydrate.Arena
	if len(rows) > 1 {
		arena = &hydrate.Arena{}
	}
	for i, row := range rows {
		var err error
		if flat, err = arena.Values(flat, columns, row, c.dialect.Traits()); err != nil {
			return nil, c.errorf("%w", c.fault(ctx, c.model, err))
		}
		values := flat[i*len(columns):]
		if b.version != nil {
			if values[len(b.set)-1], err = nextVersion(b.version, row); err != nil {
				return nil, c.errorf("%w", err)
			}
		}
		if err := outside(c.scope, columns, values); err != nil {
			return nil, c.errorf("row %d of %d %w", slices.Index(c.rows, row)+1, len(c.rows), err)
		}
	}
	return flat, nil
}

// write writes a batch, whose first row is the one at from. Rows are encoded
// chunk by chunk, so that there are never more of them at once.
func (c *change) write(ctx context.Context, s *session, b batch, from int) error {
	if err := s.reseal(ctx, c.model, b.rows, b.set); err != nil {
		return c.errorf("%w", s.fault(ctx, c.model, err))
	}
	for part := range slices.Chunk(b.rows, s.chunk(len(b.set)+len(b.keys))) {
		values, err := c.encode(ctx, b, part)
		if err != nil {
			return err
		}
		if err := c.run(ctx, s, from, from+len(part), c.text(s, b, len(part), values)); err != nil {
			return err
		}
		from += len(part)
		s.sent(len(part))
	}
	return nil
}

// text returns the statement that writes so many rows of a batch, with values.
func (c *change) text(s *session, b batch, rows int, values []driver.Value) (text sqlgen.Text) {
	one := len(b.rows) == 1
	if c.within == nil && (one || !s.dialect.Traits().ArrayParams) {
		text.Args = values
		text.SQL, text.Err = s.updateText(c.model, b.set, b.keys, rows, one)
		return text
	}
	if one {
		return sqlgen.UpdateOne(s.dialect, c.model.Table, b.set, b.keys, values, c.within)
	}
	list := slices.Collect(slices.Chunk(values, len(b.set)+len(b.keys)))
	return sqlgen.UpdateMany(s.dialect, c.model.Table, b.set, b.keys, list, c.within)
}

// run runs a statement that must change the rows from…to.
func (c *change) run(ctx context.Context, s *session, from, to int, text sqlgen.Text) error {
	if text.Err != nil {
		return text.Err
	}
	result, err := s.Exec(ctx, text.SQL, text.Args)
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
			case col.Computed:
				return nil, nil, c.errorf("%w", computedError(col))
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
	s := db.session()
	_, m, err := toWrite[T](s)
	if err != nil {
		return err
	}
	return s.batchWrite(saving, m, anyRows(rows), func(s *session, rows []any) error { return s.save(ctx, m, rows) })
}

func (s *session) save(ctx context.Context, m *schema.Model, rows []any) error {
	var fresh, old []any
	for _, row := range rows {
		if unsaved, _ := isNew(m, row); unsaved {
			fresh = append(fresh, row)
		} else {
			old = append(old, row)
		}
	}
	switch {
	case len(old) == 0:
		return s.insert(ctx, m, fresh)
	case len(fresh) == 0:
		return s.update(ctx, m, old, nil)
	}
	return restoring(rows, func() error {
		return s.whole(ctx, func(s *session) error {
			if err := s.update(ctx, m, old, nil); err != nil {
				return err
			}
			return s.insert(ctx, m, fresh)
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
	work := func(s *session) error {
		size := s.chunk(len(c.model.Identity()))
		for from := 0; from < len(keys); {
			to := c.deletable(from, min(from+size, len(keys)))
			if err := c.delete(ctx, s, keys, from, to); err != nil {
				return err
			}
			s.sent(to - from)
			from = to
		}
		s.forget(c.model, c.rows, false)
		return nil
	}
	if len(keys) == 1 {
		return work(s)
	}
	return s.transact(ctx, work)
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
