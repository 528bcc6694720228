package kin

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// transact runs f, in a transaction if it writes several times or if somebody
// listens, whose error must undo it.
func (c children) transact(ctx context.Context, db Executor, several bool, f func(*session) error) error {
	if several || relationHeard(c.link.Relation) {
		return db.session().transact(ctx, f)
	}
	return f(db.session())
}

// insert inserts rows that refer to the owner.
func (c children) insert(ctx context.Context, s *session, rows []any) error {
	for _, row := range rows {
		hydrate.Point(row, c.link.Relation.Inverse, c.link.Owner)
	}
	return s.insertAll(ctx, c.t, rows)
}

// move makes saved rows refer to target, a row of the owner's model, or to
// none if it is nil.
func (c children) move(ctx context.Context, s *session, rows []any, target any) error {
	return c.write(ctx, s, updating, rows, nil, target)
}

// write deletes rows, or makes them refer to target. All must be rows of the
// query within. Whoever looks on sees foreign keys as they will be; they are
// set when both sides are linked, which needs to know the old one.
func (c children) write(ctx context.Context, s *session, o op, rows []any, within *query, target any) error {
	if len(rows) == 0 {
		return nil
	}
	ch, err := s.newChange(c.t, o, rows)
	if err != nil {
		return err
	}
	if err := ch.filter(ctx); err != nil {
		return err
	}
	w := write{op: o, model: ch.model, rows: ch.rows}
	if o == updating {
		w.touch = ch.model.Updated
		defer repointed(ch.rows, c.link.Relation.Inverse, target)()
	}
	soft := o == deleting && ch.model.Deleted != nil
	return ch.explain(ctx, s.around(ctx, w, ch.marking(soft, func(s *session) error {
		keys, err := ch.identities()
		if err != nil {
			return err
		}
		return s.transact(ctx, func(s *session) error {
			size := ch.childChunk()
			for from := 0; from < len(keys); from += size {
				to := min(from+size, len(keys))
				q := within.derived()
				q.keys, q.exact = keys[from:to], true
				changed, err := c.writeQuery(ctx, s, ch, q, target)
				if err != nil {
					return err
				}
				if n := to - from; int(changed) != n {
					return &mismatch{from, to, n - int(changed)}
				}
			}
			if o == updating || soft {
				if err := ch.readBack(ctx, s, ch.rows); err != nil {
					return err
				}
				return ch.raise(s)
			}
			return nil
		})
	})))
}

// writeQuery writes the rows of a query. Times are those that rows in memory
// have been given.
func (c children) writeQuery(ctx context.Context, s *session, ch *change, q *query, target any) (int64, error) {
	if ch.op == deleting {
		return q.deleteAt(ctx, &Tx{*s}, c.t, ch.at)
	}
	settings := []*Assignment{Set(c.link.Relation.Inverse.Name, target)}
	for _, col := range ch.model.Updated {
		settings = append(settings, Set(col.Lookup, reflect.ValueOf(ch.rows[0]).Elem().FieldByIndex(col.Field.Index).Interface()))
	}
	return q.update(ctx, &Tx{*s}, c.t, settings...)
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
func (c children) watched() bool {
	m := c.link.Relation.To
	before, after := updating.events()
	return m.Version != nil || len(m.Updated)+len(m.Computed) > 0 || m.Struct.Hooks.Has(before|after|schema.Validate) ||
		heard(m.Type, nil).has(before|after) || relationHeard(c.link.Relation)
}

// read reads the rows, whether they are loaded or not.
func (c children) read(ctx context.Context, s *session) ([]any, error) {
	rows, err := c.query().rows(ctx, &Tx{*s}, c.t, allRows, 0)
	return hydrate.Box(c.t, rows), err
}

// clearEach clears the field by the rows that are there.
func (c children) clearEach(ctx context.Context, db Executor) (int64, error) {
	var gone []any
	err := db.session().transact(ctx, func(s *session) (err error) {
		if gone, err = c.read(ctx, s); err != nil {
			return err
		}
		if err := c.move(ctx, s, gone, nil); err != nil {
			return err
		}
		return s.relationChanged(ctx, c.link.Relation, c.link.Owner, nil, gone)
	})
	if err != nil {
		return 0, c.errorf("clear", err)
	}
	c.forget(db.session(), gone)
	c.unlink(db.session(), c.Rows())
	return int64(len(gone)), nil
}

// forget unlinks the loaded rows that have the keys of those that are gone. A
// row that was up to date stays so.
func (c children) forget(s *session, gone []any) {
	at := map[rel.Key]any{}
	for _, row := range gone {
		if key, err := hydrate.KeyOf(c.k, row); err == nil {
			at[key] = row
		}
	}
	var mine []any
	for _, row := range c.Rows() {
		if key, err := hydrate.KeyOf(c.k, row); err == nil && at[key] != nil {
			mine = append(mine, row)
			follow(c.link.Relation.To, row, at[key])
		}
	}
	c.unlink(s, mine)
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
