package kin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
)

func (r *Reverse[T]) owner() (rel.Link, rel.Key, error) { return r.home("Reverse") }

// Add makes rows children of the field's row: those that are not saved yet
// are inserted, and the foreign key of the others is changed, in a few
// statements. All are added or none; one that is not there, or softly deleted
// or outside a filter, is [ErrNotFound]. A loaded field has them afterwards, and the
// rows' foreign keys lead to its row.
func (r *Reverse[T]) Add(ctx context.Context, db Executor, rows ...*T) error {
	link, _, err := r.owner()
	if err != nil {
		return err
	}
	fresh, old, err := split(rows)
	if err != nil {
		return fmt.Errorf("kin: add to %s: %w", link.Relation.GoName(), err)
	}
	err = restoring(anyRows(rows), func() error {
		return r.transact(ctx, db, link, len(fresh) > 0 && len(old) > 0, func(s *session) error {
			if err := r.insert(ctx, s, link, fresh); err != nil {
				return err
			}
			if err := r.move(ctx, s, link, old, link.Owner); err != nil {
				return err
			}
			return s.relationChanged(ctx, link.Relation, link.Owner, anyRows(rows), nil)
		})
	})
	if err != nil {
		return fmt.Errorf("kin: add to %s: %w", link.Relation.GoName(), err)
	}
	r.link(link, rows)
	moved(db.session(), link, old)
	return nil
}

// Create inserts new rows as children of the field's row.
func (r *Reverse[T]) Create(ctx context.Context, db Executor, rows ...*T) error {
	link, _, err := r.owner()
	if err != nil {
		return err
	}
	if _, _, err := split(rows); err != nil {
		return fmt.Errorf("kin: create in %s: %w", link.Relation.GoName(), err)
	}
	err = restoring(anyRows(rows), func() error {
		return r.transact(ctx, db, link, false, func(s *session) error {
			if err := r.insert(ctx, s, link, rows); err != nil {
				return err
			}
			return s.relationChanged(ctx, link.Relation, link.Owner, anyRows(rows), nil)
		})
	})
	if err != nil {
		return fmt.Errorf("kin: create in %s: %w", link.Relation.GoName(), err)
	}
	r.link(link, rows)
	return nil
}

// split parts rows into those that are not saved yet, and the others.
func split[T any](rows []*T) (fresh, old []*T, err error) {
	for i, row := range rows {
		if row == nil {
			return nil, nil, fmt.Errorf("row %d of %d is nil", i+1, len(rows))
		}
		switch _, err := hydrate.KeyOf(keyOf[T](), row); {
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

// distinct returns an error if a row is there twice.
func distinct[T any](rows []*T) error {
	keys := make([]rel.Key, len(rows))
	if err := keysOf(rows, keys); err != nil {
		return err
	}
	seen := make(map[rel.Key]bool, len(rows))
	for _, key := range keys {
		if seen[key] {
			return fmt.Errorf("%s is there twice", keyText(reflect.TypeFor[T](), key, false, nil))
		}
		seen[key] = true
	}
	return nil
}

// link keeps both sides in step once rows have become children.
func (r *Reverse[T]) link(link rel.Link, rows []*T) {
	fk := link.Relation.Inverse.Field
	had, loaded := r.rows, r.many.Loaded
	r.rows, r.many.Loaded = nil, false // else each foreign key would look for its row
	for _, row := range rows {
		fk.Rel.Ops.Set(fieldOf(row, fk), link.Owner)
	}
	r.rows, r.many.Loaded = had, loaded
	if !loaded {
		return
	}
	there := make(map[rel.Key]bool, len(had)+len(rows)) // perhaps as other values
	for _, row := range had {
		if key, err := hydrate.KeyOf(keyOf[T](), row); err == nil {
			there[key] = true
		}
	}
	r.rows = slices.Clip(had) // which others may be reading
	for _, row := range rows {
		if key, err := hydrate.KeyOf(keyOf[T](), row); err != nil || !there[key] {
			there[key] = true
			r.rows = append(r.rows, row)
		}
	}
}

// moved has tracked rows know that their foreign keys are written.
func moved[T any](s *session, link rel.Link, rows []*T) {
	if child := link.Relation.To; child.Struct.Track != nil {
		s.remember(child, anyRows(rows), link.Relation.Inverse.FromColumns)
	}
}

// unlink keeps both sides in step once rows are no children any more.
func (r *Reverse[T]) unlink(s *session, link rel.Link, rows []*T) {
	fk := link.Relation.Inverse.Field
	gone := slices.Concat(rows, r.drop(rows))
	left := r.rows
	r.rows = nil // else each foreign key would look for its row
	for _, row := range gone {
		fk.Rel.Ops.Set(fieldOf(row, fk), nil)
	}
	r.rows = left
	moved(s, link, gone)
}

// drop takes the rows that have the keys of rows out of those that are loaded,
// and returns them: they may be other values.
func (r *Reverse[T]) drop(rows []*T) (dropped []*T) {
	keys := make(map[rel.Key]bool, len(rows))
	for _, row := range rows {
		if key, err := hydrate.KeyOf(keyOf[T](), row); err == nil {
			keys[key] = true
		}
	}
	left := r.rows[:0:0]
	for _, row := range r.rows {
		if key, err := hydrate.KeyOf(keyOf[T](), row); err == nil && keys[key] {
			dropped = append(dropped, row)
			continue
		}
		left = append(left, row)
	}
	r.rows = left
	return dropped
}

// Remove takes rows out of the children of the field's row: their foreign key
// becomes NULL. If it cannot, use [Reverse.Delete]. A row that is no child is
// [ErrNotFound], and none is removed then.
func (r *Reverse[T]) Remove(ctx context.Context, db Executor, rows ...*T) error {
	link, err := r.nullable("remove from")
	if err != nil || len(rows) == 0 {
		return err
	}
	err = r.transact(ctx, db, link, false, func(s *session) error {
		if err := r.write(ctx, s, link, updating, rows, r.Query(), nil); err != nil {
			return err
		}
		return s.relationChanged(ctx, link.Relation, link.Owner, nil, anyRows(rows))
	})
	if err != nil {
		return fmt.Errorf("kin: remove from %s: %w", link.Relation.GoName(), err)
	}
	r.unlink(db.session(), link, rows)
	return nil
}

// nullable returns where the field is if its children can do without it.
func (r *Reverse[T]) nullable(what string) (rel.Link, error) {
	link, _, err := r.owner()
	if err == nil && !link.Relation.Inverse.Nulls {
		err = fmt.Errorf("kin: %s %s: %w", what, link.Relation.GoName(), needed(link))
	}
	return link, err
}

func needed(link rel.Link) error {
	return fmt.Errorf("%s cannot be NULL; Delete deletes the rows instead", link.Relation.Inverse.GoName())
}

// Delete deletes rows that are children of the field's row. One that is none
// is [ErrNotFound], and none is deleted then.
func (r *Reverse[T]) Delete(ctx context.Context, db Executor, rows ...*T) error {
	link, _, err := r.owner()
	if err != nil || len(rows) == 0 {
		return err
	}
	err = r.transact(ctx, db, link, false, func(s *session) error {
		if err := r.write(ctx, s, link, deleting, rows, r.Query(), nil); err != nil {
			return err
		}
		return s.relationChanged(ctx, link.Relation, link.Owner, nil, anyRows(rows))
	})
	if err != nil {
		return fmt.Errorf("kin: delete from %s: %w", link.Relation.GoName(), err)
	}
	r.drop(rows)
	if child := link.Relation.To; child.Struct.Track != nil {
		db.session().forget(child, anyRows(rows), false)
	}
	return nil
}

// Clear removes all children that are there, neither softly deleted nor outside
// a filter, as [Reverse.Remove] does, and returns how many there were. To delete
// them, use Query().Delete.
func (r *Reverse[T]) Clear(ctx context.Context, db Executor) (int64, error) {
	link, err := r.nullable("clear")
	if err != nil {
		return 0, err
	}
	if r.watched(link) {
		return r.clearEach(ctx, db, link)
	}
	n, err := r.Query().Update(ctx, db, Set(link.Relation.Inverse.Name, nil))
	if err != nil {
		return 0, fmt.Errorf("kin: clear %s: %w", link.Relation.GoName(), err)
	}
	r.unlink(db.session(), link, r.rows)
	return n, nil
}

// Set makes rows the children of the field's row, and no others: what is
// missing is added, as by [Reverse.Add], and what is too much removed, as by
// [Reverse.Remove], which is an error if there is any and its foreign key
// cannot be NULL. Children that are softly deleted or outside a filter stay. It
// is loaded afterwards, in the order given. All is done or
// nothing.
func (r *Reverse[T]) Set(ctx context.Context, db Executor, rows ...*T) error {
	link, _, err := r.owner()
	if err != nil {
		return err
	}
	fresh, old, err := split(rows)
	if err == nil {
		err = distinct(old)
	}
	if err != nil {
		return fmt.Errorf("kin: set %s: %w", link.Relation.GoName(), err)
	}
	var gone []*T
	err = restoring(anyRows(rows), func() error {
		return db.session().transact(ctx, func(s *session) error {
			have, err := r.Query().All(ctx, &Tx{*s})
			if err != nil {
				return err
			}
			var missing []*T
			if missing, gone, err = compare(have, old); err != nil {
				return err
			}
			if len(gone) > 0 {
				if !link.Relation.Inverse.Nulls {
					return needed(link)
				}
				if err := r.move(ctx, s, link, gone, nil); err != nil {
					return err
				}
			}
			if err := r.move(ctx, s, link, missing, link.Owner); err != nil {
				return err
			}
			if err := r.insert(ctx, s, link, fresh); err != nil {
				return err
			}
			return s.relationChanged(ctx, link.Relation, link.Owner, anyRows(slices.Concat(missing, fresh)), anyRows(gone))
		})
	})
	if err != nil {
		return fmt.Errorf("kin: set %s: %w", link.Relation.GoName(), err)
	}
	r.forget(db.session(), link, gone)
	r.link(link, rows)
	moved(db.session(), link, old)
	r.rows, r.many.Loaded = append([]*T{}, rows...), true
	return nil
}

// compare returns the rows that are wanted and not there, and those that are
// there and not wanted.
func compare[T any](have, want []*T) (missing, extra []*T, err error) {
	there := map[rel.Key]*T{}
	for _, row := range have {
		key, err := hydrate.KeyOf(keyOf[T](), row)
		if err != nil {
			return nil, nil, err
		}
		there[key] = row
	}
	for _, row := range want {
		key, err := hydrate.KeyOf(keyOf[T](), row)
		if err != nil {
			return nil, nil, err
		}
		if there[key] == nil {
			missing = append(missing, row)
		}
		delete(there, key)
	}
	for _, row := range have {
		if key, _ := hydrate.KeyOf(keyOf[T](), row); there[key] != nil {
			extra = append(extra, row)
		}
	}
	return missing, extra, nil
}
