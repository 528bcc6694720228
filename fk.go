package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A ForeignKey is a field of a model that refers to one row of the model T.
//
//	type Student struct {
//		ID    int64
//		Class kin.ForeignKey[SchoolClass] `kin:",related_name=students,on_delete=cascade"`
//	}
//
// It knows one of four things: that it is NULL (the zero value), the key of
// the row it refers to, the row itself, or nothing, if the query that read
// its owner left the column out. Reading it never asks the database;
// [ForeignKey.Load] does, and so does a query with [QuerySet.SelectRelated].
//
// A ForeignKey may be copied: the copy refers to the same row. It may be read
// by several goroutines at once.
type ForeignKey[T any] struct {
	row *T // the row, if fk.State is rel.Loaded
	fk  rel.FK
}

var (
	_ driver.Valuer = ForeignKey[struct{}]{}
	_ relationField = ForeignKey[struct{}]{}
)

// To returns a ForeignKey that refers to row. It is NULL if row is nil. The
// row may be saved later, but before the ForeignKey's owner is.
func To[T any](row *T) ForeignKey[T] {
	var fk ForeignKey[T]
	fk.Set(row)
	return fk
}

// Key returns a ForeignKey that refers to the row of T with a key, of which a
// composite key has several parts. A key that does not fit is reported where
// the ForeignKey is used; [ForeignKey.SetKey] reports it at once.
func Key[T any](parts ...any) ForeignKey[T] {
	var fk ForeignKey[T]
	if err := fk.SetKey(parts...); err != nil {
		fk.fk.State = rel.Bad
		fk.fk.Key = rel.Key{S: err.Error()}
	}
	return fk
}

// Get returns the row if it is loaded, else nil.
func (fk ForeignKey[T]) Get() *T {
	if fk.row == nil && fk.fk.State == rel.Probed {
		return probed[T](fk.fk.Link)
	}
	return fk.row
}

// Ref returns a row of which at least the primary key is set: the row itself
// if it is loaded, else a new one on each call, whose other foreign keys are
// not read. It is nil if fk is NULL or was not read.
//
//	id := student.Class.Ref().ID // no query
func (fk ForeignKey[T]) Ref() *T {
	switch fk.fk.State {
	case rel.Loaded:
		return fk.row
	case rel.KeyOnly:
		row := new(T)
		if hydrate.SetKey(keyOf[T](), row, fk.fk.Key) != nil {
			return nil
		}
		hydrate.MarkUnread(structOf(reflect.TypeFor[T]()), row)
		return row
	case rel.IsNull, rel.Unread, rel.Bad, rel.Probed:
	}
	return nil
}

// IsNull reports whether fk is known to refer to no row.
func (fk ForeignKey[T]) IsNull() bool { return fk.fk.State == rel.IsNull }

// Loaded reports whether the row is at hand, in [ForeignKey.Get].
func (fk ForeignKey[T]) Loaded() bool { return fk.row != nil }

// Set makes fk refer to row, or to none if row is nil. If fk is in a row that
// kin has read or inserted, and the rows on the other side have loaded their
// reverse relation, that is kept in step: fk's row leaves the old one's
// children and joins the new one's. The database is not changed.
func (fk *ForeignKey[T]) Set(row *T) {
	fk.unlink()
	fk.row = row
	fk.fk.Key = rel.Key{}
	if row == nil {
		fk.fk.State = rel.IsNull
		return
	}
	fk.fk.State = rel.Loaded
	if home, owner := fk.home(); home != nil {
		home.Rel.Ops.Append(fieldOf(row, home), owner, nil)
	}
}

// SetKey makes fk refer to the row with a key, which is not loaded then. A
// composite key has several parts, in the order of T's fields.
func (fk *ForeignKey[T]) SetKey(parts ...any) error {
	key, err := makeKey(reflect.TypeFor[T](), parts)
	if err != nil {
		return fmt.Errorf("kin: a key of %s: %w", reflect.TypeFor[T]().Name(), err)
	}
	fk.unlink()
	fk.row, fk.fk.Key, fk.fk.State = nil, key, rel.KeyOnly
	return nil
}

// Clear makes fk NULL.
func (fk *ForeignKey[T]) Clear() { fk.Set(nil) }

// unlink takes the owner of fk out of the children of its row.
func (fk *ForeignKey[T]) unlink() {
	if fk.row == nil {
		return
	}
	if home, owner := fk.home(); home != nil {
		home.Rel.Ops.Remove(fieldOf(fk.row, home), owner)
	}
}

// home returns the field of T that holds the children, and fk's owner, if
// both are known.
func (fk *ForeignKey[T]) home() (*schema.Field, any) {
	link := fk.fk.Link
	if link.Owner == nil || link.Relation == nil || link.Relation.Inverse.Field == nil {
		return nil, nil
	}
	if _, writing := link.Owner.(*rel.Trail); writing || fieldOf(link.Owner, link.Relation.Field) != any(fk) {
		return nil, nil // fk is in a copy of the row
	}
	return link.Relation.Inverse.Field, link.Owner
}

// Load reads the row that fk refers to, if it is not loaded yet, and returns
// it. A NULL gives nil. If there is no such row, or if it is softly deleted or
// outside a filter, the error is [ErrNotFound]; a query by the key of fk's Ref
// has [QuerySet.WithDeleted].
func (fk *ForeignKey[T]) Load(ctx context.Context, db Executor) (*T, error) {
	switch fk.fk.State {
	case rel.Loaded:
		return fk.row, nil
	case rel.IsNull:
		return nil, nil
	case rel.KeyOnly:
	case rel.Unread:
		return nil, fmt.Errorf("kin: the foreign key to %s was not read", reflect.TypeFor[T]().Name())
	case rel.Bad:
		return nil, errors.New(fk.fk.Key.S)
	case rel.Probed:
		return fk.Get(), nil
	}
	s := db.session()
	if f := fetchingOf(fk.fk.Link); f != nil {
		row, known, err := f.one(ctx, s, fk.fk)
		switch {
		case err != nil:
			return nil, err
		case known && row == nil:
			return nil, notFoundIn(reflect.TypeFor[T]())
		case known:
			fk.row, fk.fk.State = hydrate.Row[T](row), rel.Loaded
			return fk.row, nil
		}
	}
	s.single(ctx, fk.fk.Link, reflect.TypeFor[T]().Name())
	q := QuerySet[T]{&query{fixed: []plan.Fixed{{Key: fk.fk.Key}}}}
	row, err := q.Get(ctx, db)
	if err != nil {
		return nil, err
	}
	fk.row, fk.fk.State = row, rel.Loaded
	return row, nil
}

// Value implements [driver.Valuer]: it is the key, so that a ForeignKey can
// be compared with in a filter.
func (fk ForeignKey[T]) Value() (driver.Value, error) {
	key, null, err := fk.key()
	if err != nil || null {
		return nil, err
	}
	types := keyOf[T]().Types
	if len(types) != 1 {
		return nil, fmt.Errorf("kin: the key of %s has %d columns; take Ref()", reflect.TypeFor[T]().Name(), len(types))
	}
	return key.Value(types[0], hydrate.AnyTraits())
}

// key returns the key that fk refers to.
func (fk ForeignKey[T]) key() (key rel.Key, null bool, err error) {
	switch fk.fk.State {
	case rel.KeyOnly:
		return fk.fk.Key, false, nil
	case rel.Loaded:
		key, err = hydrate.KeyOf(keyOf[T](), fk.row)
		if err != nil {
			err = fmt.Errorf("kin: the %s %w", reflect.TypeFor[T]().Name(), err)
		}
		return key, false, err
	case rel.Bad:
		return key, false, errors.New(fk.fk.Key.S)
	case rel.Unread:
		return key, false, fmt.Errorf("kin: the foreign key to %s was not read", reflect.TypeFor[T]().Name())
	case rel.IsNull, rel.Probed:
	}
	return key, true, nil
}

// String returns the model and the key, such as SchoolClass(7). The row's
// fields are left out: they may lead back here.
func (fk ForeignKey[T]) String() string {
	if fk.fk.State == rel.Unread {
		return reflect.TypeFor[T]().Name() + "(not read)"
	}
	key, null, err := fk.key()
	return keyText(reflect.TypeFor[T](), key, null, err)
}

// GoString implements [fmt.GoStringer].
func (fk ForeignKey[T]) GoString() string { return fk.String() }

// keyOf returns what T says of its primary key.
func keyOf[T any]() *schema.Key { return structOf(reflect.TypeFor[T]()).Key() }

func (ForeignKey[T]) declare() schema.RelField {
	t := reflect.TypeFor[T]()
	return schema.RelField{
		Kind: schema.ToOne, Target: t,
		Struct: func() *schema.Struct { return structOf(t) },
		Ops: &schema.Ops{
			Core: func(field any) any { return &field.(*ForeignKey[T]).fk },
			Set: func(field, row any) {
				target, _ := row.(*T)
				field.(*ForeignKey[T]).Set(target)
			},
		},
	}
}
