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

// A children is a [Reverse] without its type. Its methods take rows as *T, and
// are those of the Reverse.
type children struct {
	hydrate.List

	t    reflect.Type
	k    *schema.Key
	link rel.Link
	key  rel.Key // of the field's row
	err  error   // that the field does not know its row
}

// childrenOf returns the children in field, a pointer to a Reverse[T].
func childrenOf(t reflect.Type, field any) children {
	c := children{List: hydrate.ListOf(t, field), t: t, k: structOf(t).Key()}
	c.link, c.key, c.err = homeOf(t, c.Many(), "Reverse")
	return c
}

// query returns the query for the rows.
func (c children) query() *query {
	if c.err != nil {
		return &query{err: c.err}
	}
	return &query{fixed: []plan.Fixed{{Field: c.link.Relation.Inverse.Field.Name, Key: c.key}}}
}

func (c children) errorf(what string, err error) error {
	return fmt.Errorf("kin: %s %s: %w", what, c.link.Relation.GoName(), err)
}

func (c children) load(ctx context.Context, db Executor, field any) error {
	if done, err := fetch(ctx, db, c.t, c.Many(), field); done || err != nil {
		return err
	}
	found, hooked, err := c.query().read(ctx, db, c.t, allRows, 0)
	if err != nil {
		return err
	}
	rows := hydrate.Box(c.t, found)
	for _, row := range rows {
		hydrate.Point(row, c.link.Relation.Inverse, c.link.Owner)
	}
	if err := afterLoad(ctx, hooked); err != nil {
		return err
	}
	c.Hold(rows)
	c.Many().Loaded = true
	return nil
}

func (c children) add(ctx context.Context, db Executor, rows []any) error {
	if c.err != nil {
		return c.err
	}
	fresh, old, err := split(c.k, rows)
	if err != nil {
		return c.errorf("add to", err)
	}
	err = restoring(rows, func() error {
		return c.transact(ctx, db, len(fresh) > 0 && len(old) > 0, func(s *session) error {
			if err := c.insert(ctx, s, fresh); err != nil {
				return err
			}
			if err := c.move(ctx, s, old, c.link.Owner); err != nil {
				return err
			}
			return s.relationChanged(ctx, c.link.Relation, c.link.Owner, rows, nil)
		})
	})
	if err != nil {
		return c.errorf("add to", err)
	}
	c.adopt(rows)
	c.moved(db.session(), old)
	return nil
}

func (c children) create(ctx context.Context, db Executor, rows []any) error {
	if c.err != nil {
		return c.err
	}
	if _, _, err := split(c.k, rows); err != nil {
		return c.errorf("create in", err)
	}
	err := restoring(rows, func() error {
		return c.transact(ctx, db, false, func(s *session) error {
			if err := c.insert(ctx, s, rows); err != nil {
				return err
			}
			return s.relationChanged(ctx, c.link.Relation, c.link.Owner, rows, nil)
		})
	})
	if err != nil {
		return c.errorf("create in", err)
	}
	c.adopt(rows)
	return nil
}

// split parts rows into those that are not saved yet, and the others.
func split(k *schema.Key, rows []any) (fresh, old []any, err error) {
	for i, row := range rows {
		if row == nil {
			return nil, nil, fmt.Errorf("row %d of %d is nil", i+1, len(rows))
		}
		switch _, err := hydrate.KeyOf(k, row); {
		case errors.Is(err, ErrUnsaved):
			fresh = append(fresh, row)
		case err != nil:
			return nil, nil, err
		default:
			old = append(old, row)
		}
	}
	return fresh, old, nil
}

// expect runs a change that must touch n rows, and undoes it if it does not.
func expect(ctx context.Context, db Executor, n int64, change func(Executor) (int64, error)) error {
	return db.session().transact(ctx, func(s *session) error {
		changed, err := change(&Tx{*s})
		if err == nil && changed != n {
			err = fmt.Errorf("%w: %d of %d rows", ErrNotFound, n-changed, n)
		}
		return err
	})
}

// distinct returns an error if a row of the type t is there twice.
func distinct(t reflect.Type, rows []any) error {
	keys := make([]rel.Key, len(rows))
	if err := keysOf(structOf(t).Key(), rows, keys); err != nil {
		return err
	}
	seen := make(map[rel.Key]bool, len(rows))
	for _, key := range keys {
		if seen[key] {
			return fmt.Errorf("%s is there twice", keyText(t, key, false, nil))
		}
		seen[key] = true
	}
	return nil
}

// adopt keeps both sides in step once rows have become children.
func (c children) adopt(rows []any) {
	fk, many := c.link.Relation.Inverse.Field, c.Many()
	had, loaded := c.Rows(), many.Loaded
	c.Hold(nil) // else each foreign key would look for its row
	many.Loaded = false
	for _, row := range rows {
		fk.Rel.Ops.Set(fieldOf(row, fk), c.link.Owner)
	}
	many.Loaded = loaded
	if !loaded {
		c.Hold(had)
		return
	}
	there := make(map[rel.Key]bool, len(had)+len(rows)) // perhaps as other values
	for _, row := range had {
		if key, err := hydrate.KeyOf(c.k, row); err == nil {
			there[key] = true
		}
	}
	for _, row := range rows {
		if key, err := hydrate.KeyOf(c.k, row); err != nil || !there[key] {
			there[key] = true
			had = append(had, row)
		}
	}
	c.Hold(had)
}

// moved has tracked rows know that their foreign keys are written.
func (c children) moved(s *session, rows []any) {
	if child := c.link.Relation.To; child.Struct.Track != nil {
		s.remember(child, rows, c.link.Relation.Inverse.FromColumns)
	}
}

// unlink keeps both sides in step once rows are no children any more.
func (c children) unlink(s *session, rows []any) {
	fk := c.link.Relation.Inverse.Field
	gone := slices.Concat(rows, c.drop(rows))
	left := c.Rows()
	c.Hold(nil) // else each foreign key would look for its row
	for _, row := range gone {
		fk.Rel.Ops.Set(fieldOf(row, fk), nil)
	}
	c.Hold(left)
	c.moved(s, gone)
}

// drop takes the rows that have the keys of rows out of those that are loaded,
// and returns them: they may be other values.
func (c children) drop(rows []any) (dropped []any) {
	keys := make(map[rel.Key]bool, len(rows))
	for _, row := range rows {
		if key, err := hydrate.KeyOf(c.k, row); err == nil {
			keys[key] = true
		}
	}
	left := c.Rows()[:0:0]
	for _, row := range c.Rows() {
		if key, err := hydrate.KeyOf(c.k, row); err == nil && keys[key] {
			dropped = append(dropped, row)
			continue
		}
		left = append(left, row)
	}
	c.Hold(left)
	return dropped
}

func (c children) remove(ctx context.Context, db Executor, rows []any) error {
	if err := c.nullable("remove from"); err != nil || len(rows) == 0 {
		return err
	}
	err := c.transact(ctx, db, false, func(s *session) error {
		if err := c.write(ctx, s, updating, rows, c.query(), nil); err != nil {
			return err
		}
		return s.relationChanged(ctx, c.link.Relation, c.link.Owner, nil, rows)
	})
	if err != nil {
		return c.errorf("remove from", err)
	}
	c.unlink(db.session(), rows)
	return nil
}

// nullable returns an error if children cannot do without the field's row.
func (c children) nullable(what string) error {
	if c.err == nil && !c.link.Relation.Inverse.Nulls {
		return c.errorf(what, needed(c.link))
	}
	return c.err
}

func needed(link rel.Link) error {
	return fmt.Errorf("%s cannot be NULL; Delete deletes the rows instead", link.Relation.Inverse.GoName())
}

func (c children) delete(ctx context.Context, db Executor, rows []any) error {
	if c.err != nil || len(rows) == 0 {
		return c.err
	}
	err := c.transact(ctx, db, false, func(s *session) error {
		if err := c.write(ctx, s, deleting, rows, c.query(), nil); err != nil {
			return err
		}
		return s.relationChanged(ctx, c.link.Relation, c.link.Owner, nil, rows)
	})
	if err != nil {
		return c.errorf("delete from", err)
	}
	c.drop(rows)
	if child := c.link.Relation.To; child.Struct.Track != nil {
		db.session().forget(child, rows, false)
	}
	return nil
}

func (c children) clear(ctx context.Context, db Executor) (int64, error) {
	if err := c.nullable("clear"); err != nil {
		return 0, err
	}
	if c.watched() {
		return c.clearEach(ctx, db)
	}
	n, err := c.query().update(ctx, db, c.t, Set(c.link.Relation.Inverse.Name, nil))
	if err != nil {
		return 0, c.errorf("clear", err)
	}
	c.unlink(db.session(), c.Rows())
	return n, nil
}

func (c children) set(ctx context.Context, db Executor, rows []any) error {
	if c.err != nil {
		return c.err
	}
	fresh, old, err := split(c.k, rows)
	if err == nil {
		err = distinct(c.t, old)
	}
	if err != nil {
		return c.errorf("set", err)
	}
	var gone []any
	err = restoring(rows, func() error {
		return db.session().transact(ctx, func(s *session) error {
			have, err := c.read(ctx, s)
			if err != nil {
				return err
			}
			var missing []any
			if missing, gone, err = compare(c.k, have, old); err != nil {
				return err
			}
			if len(gone) > 0 {
				if !c.link.Relation.Inverse.Nulls {
					return needed(c.link)
				}
				if err := c.move(ctx, s, gone, nil); err != nil {
					return err
				}
			}
			if err := c.move(ctx, s, missing, c.link.Owner); err != nil {
				return err
			}
			if err := c.insert(ctx, s, fresh); err != nil {
				return err
			}
			return s.relationChanged(ctx, c.link.Relation, c.link.Owner, slices.Concat(missing, fresh), gone)
		})
	})
	if err != nil {
		return c.errorf("set", err)
	}
	c.forget(db.session(), gone)
	c.adopt(rows)
	c.moved(db.session(), old)
	c.Hold(rows)
	c.Many().Loaded = true
	return nil
}

// compare returns the rows that are wanted and not there, and those that are
// there and not wanted.
func compare(k *schema.Key, have, want []any) (missing, extra []any, err error) {
	there := map[rel.Key]any{}
	for _, row := range have {
		key, err := hydrate.KeyOf(k, row)
		if err != nil {
			return nil, nil, err
		}
		there[key] = row
	}
	for _, row := range want {
		key, err := hydrate.KeyOf(k, row)
		if err != nil {
			return nil, nil, err
		}
		if there[key] == nil {
			missing = append(missing, row)
		}
		delete(there, key)
	}
	for _, row := range have {
		if key, _ := hydrate.KeyOf(k, row); there[key] != nil {
			extra = append(extra, row)
		}
	}
	return missing, extra, nil
}
