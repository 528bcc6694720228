package kin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A linking changes which rows a many-to-many field is linked to. It is without
// the field's type: rows are *T.
type linking struct {
	hydrate.List

	t     reflect.Type
	k     *schema.Key
	link  rel.Link
	key   rel.Key // of the field's row
	table linkTable
	err   error // that the field does not know its row
}

// A linkTable is where the links of one row are.
type linkTable interface {
	// add links saved rows, of which those that are linked already stay so.
	add(ctx context.Context, s *session, rows []any, keys []rel.Key) error
	// remove ends the links to the rows with the keys, or all if they are nil.
	remove(ctx context.Context, s *session, keys []rel.Key) (int64, error)
	// keys returns the keys of the rows that are linked.
	keys(ctx context.Context, s *session) ([]rel.Key, error)
	// hold makes rows, which are linked, those that the field has loaded.
	hold(rows []any, keys []rel.Key)
	// linkOf returns the row of the link model, if there is one, by which the
	// row with a key is linked, or nil.
	linkOf(key rel.Key) any
}

// linkingOf returns what changes field, a pointer to a ManyToMany[T] or, if
// there is a link model, to a Through[T, L].
func linkingOf(t, model reflect.Type, field any) *linking {
	l := &linking{List: hydrate.ListOf(t, field), t: t, k: structOf(t).Key()}
	what := "ManyToMany"
	if model != nil {
		what = "Through"
	}
	if l.link, l.key, l.err = homeOf(t, l.Many(), what); l.err != nil {
		return l
	}
	if model != nil {
		l.table = newModelLinks(l, model, field)
	} else {
		l.table = &bareLinks{l.List, l.link.Relation.Via, l.key}
	}
	return l
}

// linkedRows returns the query for the rows that are linked to a field's.
func linkedRows(t reflect.Type, many *rel.Many, what string) *query {
	link, key, err := homeOf(t, many, what)
	if err != nil {
		return &query{err: err}
	}
	owner := link.Relation.From.Type
	return &query{fixed: []plan.Fixed{{Owner: owner, Field: link.Relation.Field.Name, Key: key}}}
}

func (l *linking) errorf(what string, err error) error {
	return fmt.Errorf("kin: %s %s: %w", what, l.link.Relation.GoName(), err)
}

func (l *linking) add(ctx context.Context, db Executor, rows []any) error {
	if l.err != nil {
		return l.err
	}
	fresh, _, err := split(l.k, rows)
	if err != nil {
		return l.errorf("add to", err)
	}
	if len(rows) == 0 {
		return nil
	}
	keys, err := l.insert(ctx, db, fresh, rows)
	if err != nil {
		return l.errorf("add to", err)
	}
	l.join(rows, keys)
	return nil
}

// insert inserts the rows that are fresh and links all.
func (l *linking) insert(ctx context.Context, db Executor, fresh, rows []any) (keys []rel.Key, err error) {
	keys = make([]rel.Key, len(rows))
	return keys, restoring(rows, func() error {
		return db.session().transact(ctx, func(s *session) error {
			if err := s.insertAll(ctx, l.t, fresh); err != nil {
				return err
			}
			if err := keysOf(l.k, rows, keys); err != nil {
				return err
			}
			if len(fresh) < len(rows) {
				if err := l.there(ctx, s, keys); err != nil {
					return err
				}
			}
			if err := l.table.add(ctx, s, rows, keys); err != nil {
				return err
			}
			return l.changed(ctx, s, rows, nil)
		})
	})
}

// there returns an error if a row with one of the keys is softly deleted or
// outside a filter: it could not be seen in the field.
func (l *linking) there(ctx context.Context, s *session, keys []rel.Key) error {
	m := l.link.Relation.To
	if m.Deleted == nil && !s.filters.has(m) {
		return nil
	}
	seen := make(map[rel.Key]bool, len(keys))
	keys = slices.DeleteFunc(slices.Clone(keys), func(key rel.Key) bool {
		again := seen[key]
		seen[key] = true
		return again
	})
	missing := int64(len(keys))
	for part := range slices.Chunk(keys, s.chunk(len(m.Key))) {
		n, err := (&query{keys: part}).scalar(ctx, &Tx{*s}, l.t, count)
		if err != nil {
			return err
		}
		missing -= n
	}
	if missing > 0 {
		return fmt.Errorf("%w: %d of %d rows of %s", ErrNotFound, missing, len(keys), m.Name)
	}
	return nil
}

// changed tells those who listen.
func (l *linking) changed(ctx context.Context, s *session, added, removed []any) error {
	return s.relationChanged(ctx, l.link.Relation, l.link.Owner, added, removed)
}

// rowsWith reads the rows with the keys, if somebody listens to what becomes of
// them.
func (l *linking) rowsWith(ctx context.Context, s *session, keys []rel.Key) ([]any, error) {
	if len(keys) == 0 || !relationHeard(l.link.Relation) {
		return nil, nil
	}
	rows, err := (&query{keys: keys}).rows(ctx, &Tx{*s}, l.t, allRows, 0)
	return hydrate.Box(l.t, rows), err
}

func (l *linking) create(ctx context.Context, db Executor, rows []any) error {
	if l.err != nil {
		return l.err
	}
	_, old, err := split(l.k, rows)
	if err == nil && len(old) > 0 && l.k.Fields[0].Auto {
		key, _ := hydrate.KeyOf(l.k, old[0])
		err = fmt.Errorf("%s is saved already; Add links it", keyText(l.link.Relation.To.Type, key, false, nil))
	}
	if err != nil {
		return l.errorf("create in", err)
	}
	if len(rows) == 0 {
		return nil
	}
	keys, err := l.insert(ctx, db, rows, rows)
	if err != nil {
		return l.errorf("create in", err)
	}
	l.join(rows, keys)
	return nil
}

func (l *linking) remove(ctx context.Context, db Executor, rows []any) error {
	if l.err != nil {
		return l.err
	}
	if len(rows) == 0 {
		return nil
	}
	keys := make([]rel.Key, len(rows))
	gone := make(map[rel.Key]bool, len(rows))
	err := keysOf(l.k, rows, keys)
	for i, key := range keys {
		if err == nil && gone[key] {
			err = fmt.Errorf("%s is there twice", keyText(l.link.Relation.To.Type, key, false, nil))
		}
		gone[keys[i]] = true
	}
	if err == nil {
		err = l.expectRemoved(ctx, db, rows, keys)
	}
	if err != nil {
		return l.errorf("remove from", err)
	}
	l.leave(func(key rel.Key) bool { return gone[key] })
	l.leaveInverse(rows) // which may be other values than those loaded
	return nil
}

func (l *linking) expectRemoved(ctx context.Context, db Executor, rows []any, keys []rel.Key) error {
	return expect(ctx, db, int64(len(keys)), func(db Executor) (int64, error) {
		n, err := l.table.remove(ctx, db.session(), keys)
		if err == nil && int(n) == len(keys) {
			err = l.changed(ctx, db.session(), nil, rows)
		}
		return n, err
	})
}

func (l *linking) clear(ctx context.Context, db Executor) (n int64, err error) {
	if l.err != nil {
		return 0, l.err
	}
	work := func(s *session) (err error) {
		n, err = l.table.remove(ctx, s, nil)
		return err
	}
	if relationHeard(l.link.Relation) {
		err = db.session().transact(ctx, func(s *session) error {
			keys, err := l.table.keys(ctx, s)
			if err != nil {
				return err
			}
			gone, err := l.rowsWith(ctx, s, keys)
			if err != nil {
				return err
			}
			if err := work(s); err != nil {
				return err
			}
			return l.changed(ctx, s, nil, gone)
		})
	} else {
		err = work(db.session())
	}
	if err != nil {
		return 0, l.errorf("clear", err)
	}
	l.leave(func(rel.Key) bool { return true })
	return n, nil
}

func (l *linking) set(ctx context.Context, db Executor, rows []any) error {
	if l.err != nil {
		return l.err
	}
	fresh, _, err := split(l.k, rows)
	if err != nil {
		return l.errorf("set", err)
	}
	keys := make([]rel.Key, len(rows))
	wanted := make(map[rel.Key]bool, len(rows))
	err = restoring(rows, func() error {
		return db.session().transact(ctx, func(s *session) error {
			if err := s.insertAll(ctx, l.t, fresh); err != nil {
				return err
			}
			if err := keysOf(l.k, rows, keys); err != nil {
				return err
			}
			for _, key := range keys {
				wanted[key] = true
			}
			return l.replace(ctx, s, rows, keys, wanted)
		})
	})
	if err != nil {
		return l.errorf("set", err)
	}
	l.leave(func(key rel.Key) bool { return !wanted[key] })
	l.Hold(nil)
	l.Many().Loaded = true
	l.join(rows, keys)
	return nil
}

// replace ends the links to rows that are not wanted and makes those that are
// missing.
func (l *linking) replace(ctx context.Context, s *session, rows []any, keys []rel.Key, wanted map[rel.Key]bool) error {
	have, err := l.table.keys(ctx, s)
	if err != nil {
		return err
	}
	there := make(map[rel.Key]bool, len(have))
	var extra []rel.Key
	for _, key := range have {
		there[key] = true
		if !wanted[key] {
			extra = append(extra, key)
		}
	}
	gone, err := l.rowsWith(ctx, s, extra)
	if err != nil {
		return err
	}
	if len(extra) > 0 {
		if _, err := l.table.remove(ctx, s, extra); err != nil {
			return err
		}
	}
	var missing []any
	var missingKeys []rel.Key
	for i, key := range keys {
		if !there[key] {
			there[key] = true
			missing, missingKeys = append(missing, rows[i]), append(missingKeys, key)
		}
	}
	if err := l.there(ctx, s, missingKeys); err != nil {
		return err
	}
	if err := l.table.add(ctx, s, missing, missingKeys); err != nil {
		return err
	}
	return l.changed(ctx, s, missing, gone)
}

// join keeps both sides in step once rows are linked.
func (l *linking) join(rows []any, keys []rel.Key) {
	held, heldKeys := l.held(func(rel.Key) bool { return true })
	have := make(map[rel.Key]bool, len(held)+len(rows))
	for _, key := range heldKeys {
		have[key] = true
	}
	for i, key := range keys {
		if !have[key] {
			have[key] = true
			held, heldKeys = append(held, rows[i]), append(heldKeys, key)
		}
	}
	if l.Many().Loaded {
		l.table.hold(held, heldKeys)
	}
	if back := l.link.Relation.Inverse.Field; back != nil {
		for i, row := range rows {
			back.Rel.Ops.Append(fieldOf(row, back), l.link.Owner, l.table.linkOf(keys[i]))
		}
	}
}

// leave keeps both sides in step once rows whose keys are gone are not linked
// any more.
func (l *linking) leave(gone func(rel.Key) bool) {
	left, _ := l.held(gone)
	l.table.hold(l.held(func(key rel.Key) bool { return !gone(key) }))
	l.leaveInverse(left)
}

func (l *linking) leaveInverse(rows []any) {
	if back := l.link.Relation.Inverse.Field; back != nil {
		for _, row := range rows {
			back.Rel.Ops.Remove(fieldOf(row, back), l.link.Owner)
		}
	}
}

// held returns the loaded rows whose keys are wanted.
func (l *linking) held(wanted func(rel.Key) bool) (rows []any, keys []rel.Key) {
	rows = make([]any, 0, l.Len())
	for i := range l.Len() {
		row := l.At(i)
		if key, err := hydrate.KeyOf(l.k, row); err == nil && wanted(key) {
			rows, keys = append(rows, row), append(keys, key)
		}
	}
	return rows, keys
}

// keysOf puts the keys of rows into keys.
func keysOf(k *schema.Key, rows []any, keys []rel.Key) error {
	for i, row := range rows {
		var err error
		if row == nil {
			err = errors.New("is nil")
		} else {
			keys[i], err = hydrate.KeyOf(k, row)
		}
		if err != nil {
			return fmt.Errorf("row %d of %d %w", i+1, len(rows), err)
		}
	}
	return nil
}
