package kin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// transact runs f, in a transaction if it writes several times or if somebody
// listens, whose error must undo it.
func (r *Reverse[T]) transact(ctx context.Context, db Executor, link rel.Link, several bool, f func(*session) error) error {
	if several || relationHeard(link.Relation) {
		return db.session().transact(ctx, f)
	}
	return f(db.session())
}

// insert inserts rows that refer to the owner.
func (r *Reverse[T]) insert(ctx context.Context, s *session, link rel.Link, rows []*T) error {
	for _, row := range rows {
		hydrate.Point(row, link.Relation.Inverse, link.Owner)
	}
	return Insert(ctx, &Tx{*s}, rows...)
}

// move makes saved rows refer to target, a row of the owner's model, or to
// none if it is nil.
func (r *Reverse[T]) move(ctx context.Context, s *session, link rel.Link, rows []*T, target any) error {
	return r.write(ctx, s, link, updating, rows, QuerySet[T]{}, target)
}

// write deletes rows, or makes them refer to target. All must be rows of the
// query within. Whoever looks on sees foreign keys as they will be; they are
// set when both sides are linked, which needs to know the old one.
func (r *Reverse[T]) write(ctx context.Context, s *session, link rel.Link, o op, rows []*T, within QuerySet[T], target any) error {
	if len(rows) == 0 {
		return nil
	}
	c, err := newChange(&Tx{*s}, o, rows)
	if err != nil {
		return err
	}
	if err := c.filter(ctx); err != nil {
		return err
	}
	w := write{op: o, model: c.model, rows: c.rows}
	if o == updating {
		w.touch = c.model.Updated
		defer repointed(c.rows, link.Relation.Inverse, target)()
	}
	soft := o == deleting && c.model.Deleted != nil
	return c.explain(ctx, s.around(ctx, w, c.marking(soft, func(s *session) error {
		keys, err := c.identities()
		if err != nil {
			return err
		}
		return s.transact(ctx, func(s *session) error {
			size := c.childChunk()
			for from := 0; from < len(keys); from += size {
				to := min(from+size, len(keys))
				q := QuerySet[T]{within.q.with(func(q *query) { q.keys, q.exact = keys[from:to], true })}
				changed, err := r.writeQuery(ctx, s, link, c, q, target)
				if err != nil {
					return err
				}
				if n := to - from; int(changed) != n {
					return &mismatch{from, to, n - int(changed)}
				}
			}
			if o == updating || soft {
				if err := c.readBack(ctx, s, c.rows); err != nil {
					return err
				}
				return c.raise(s)
			}
			return nil
		})
	})))
}

// writeQuery writes the rows of a query. Times are those that rows in memory
// have been given.
func (r *Reverse[T]) writeQuery(ctx context.Context, s *session, link rel.Link, c *change, q QuerySet[T], target any) (int64, error) {
	if c.op == deleting {
		return q.q.deleteAt(ctx, &Tx{*s}, reflect.TypeFor[T](), c.at)
	}
	settings := []Setting[T]{Set(link.Relation.Inverse.Name, target)}
	for _, col := range c.model.Updated {
		settings = append(settings, Set(col.Lookup, reflect.ValueOf(c.rows[0]).Elem().FieldByIndex(col.Field.Index).Interface()))
	}
	return q.Update(ctx, &Tx{*s}, settings...)
}

// childChunk returns how many rows one statement names. Keys of one column are
// a list, for which most databases have other ways than a parameter each.
func (c *change) childChunk() int {
	t, id := c.dialect.Traits(), c.model.Identity()
	if len(id) == 1 && (t.ArrayParams || t.List != "") {
		switch id[0].Value.Kind {
		case dialect.Int, dialect.String, dialect.Time, dialect.UUID:
			return len(c.rows)
		default: // which JSON does not keep
		}
	}
	const others = 8 // parameters: the owner's key, the new one, times
	return c.chunkBeside(len(id), others)
}

// repointed makes the foreign key r of rows refer to target, until undo is
// called.
func repointed(rows []any, r *schema.Relation, target any) (undo func()) {
	was := make([]func(), len(rows))
	for i, row := range rows {
		was[i] = hydrate.Repoint(row, r, target)
	}
	return func() {
		for _, back := range was {
			back()
		}
	}
}

// watched reports whether rows that leave the field must be at hand.
func (r *Reverse[T]) watched(link rel.Link) bool {
	m := link.Relation.To
	before, after := updating.events()
	return m.Version != nil || len(m.Updated)+len(m.Computed) > 0 || m.Struct.Hooks.Has(before|after|schema.Validate) ||
		heard(m.Type, nil).has(before|after) || relationHeard(link.Relation)
}

// clearEach clears the field by the rows that are there.
func (r *Reverse[T]) clearEach(ctx context.Context, db Executor, link rel.Link) (int64, error) {
	var gone []*T
	err := db.session().transact(ctx, func(s *session) (err error) {
		if gone, err = r.Query().All(ctx, &Tx{*s}); err != nil {
			return err
		}
		if err := r.move(ctx, s, link, gone, nil); err != nil {
			return err
		}
		return s.relationChanged(ctx, link.Relation, link.Owner, nil, anyRows(gone))
	})
	if err != nil {
		return 0, fmt.Errorf("kin: clear %s: %w", link.Relation.GoName(), err)
	}
	r.forget(db.session(), link, gone)
	r.unlink(db.session(), link, r.rows)
	return int64(len(gone)), nil
}

// forget unlinks the loaded rows that have the keys of those that are gone. A
// row that was up to date stays so.
func (r *Reverse[T]) forget(s *session, link rel.Link, gone []*T) {
	at := map[rel.Key]*T{}
	for _, row := range gone {
		if key, err := hydrate.KeyOf(keyOf[T](), row); err == nil {
			at[key] = row
		}
	}
	var mine []*T
	for _, row := range r.rows {
		if key, err := hydrate.KeyOf(keyOf[T](), row); err == nil && at[key] != nil {
			mine = append(mine, row)
			follow(link.Relation.To, row, at[key])
		}
	}
	r.unlink(s, link, mine)
}

// follow gives row, in memory, what a write of the same row of the database
// has set by itself, unless row was out of date before.
func follow(m *schema.Model, row, written any) {
	if row == written {
		return
	}
	if v := m.Version; v != nil {
		before, err := nextVersion(v, row)
		after, otherErr := hydrate.VersionOf(v, written)
		if errors.Join(err, otherErr) != nil || before != after {
			return
		}
		hydrate.SetVersion(v, row, after)
	}
	for _, c := range slices.Concat(m.Updated, m.Computed) {
		hydrate.CopyColumn(c, row, written)
	}
}
