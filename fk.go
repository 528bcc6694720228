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
		if !standIn(reflect.TypeFor[T](), row, fk.fk.Key) {
			return nil
		}
		return row
	case rel.IsNull, rel.Unread, rel.Bad, rel.Probed:
	}
	return nil
}

// standIn gives row, a new *T, a key and nothing else.
func standIn(t reflect.Type, row any, key rel.Key) bool {
	s := structOf(t)
	if hydrate.SetKey(s.Key(), row, key) != nil {
		return false
	}
	hydrate.MarkUnread(s, row)
	return true
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
	leave(reflect.TypeFor[T](), fk)
	fk.row = row
	fk.fk.Key = rel.Key{}
	if row == nil {
		fk.fk.State = rel.IsNull
		return
	}
	fk.fk.State = rel.Loaded
	if home, owner := homeFor(fk.fk.Link, fk); home != nil {
		home.Rel.Ops.Append(fieldOf(row, home), owner, nil)
	}
}

// SetKey makes fk refer to the row with a key, which is not loaded then. A
// composite key has several parts, in the order of T's fields.
func (fk *ForeignKey[T]) SetKey(parts ...any) error {
	key, err := keyFrom(reflect.TypeFor[T](), parts)
	if err != nil {
		return err
	}
	leave(reflect.TypeFor[T](), fk)
	fk.row, fk.fk.Key, fk.fk.State = nil, key, rel.KeyOnly
	return nil
}

func keyFrom(t reflect.Type, parts []any) (rel.Key, error) {
	key, err := makeKey(t, parts)
	if err != nil {
		err = fmt.Errorf("kin: a key of %s: %w", t.Name(), err)
	}
	return key, err
}

// Clear makes fk NULL.
func (fk *ForeignKey[T]) Clear() { fk.Set(nil) }

// leave takes the owner of fk, a pointer to a ForeignKey[T], out of the children
// of the row that it has loaded, if it has.
func leave(t reflect.Type, fk any) {
	ref := hydrate.RefOf(t, fk)
	row := ref.Row()
	if row == nil {
		return
	}
	if home, owner := homeFor(ref.FK().Link, fk); home != nil {
		home.Rel.Ops.Remove(fieldOf(row, home), owner)
	}
}

// homeFor returns the field of T that holds the children, and the owner of fk,
// a pointer to a ForeignKey[T] that is at link, if both are known.
func homeFor(link rel.Link, fk any) (*schema.Field, any) {
	if link.Owner == nil || link.Relation == nil || link.Relation.Inverse.Field == nil {
		return nil, nil
	}
	if _, writing := link.Owner.(*rel.Trail); writing || fieldOf(link.Owner, link.Relation.Field) != fk {
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
	case rel.Loaded, rel.Probed:
		return fk.Get(), nil
	case rel.IsNull:
		return nil, nil
	case rel.KeyOnly, rel.Unread, rel.Bad:
	}
	if err := loadOne(ctx, db, reflect.TypeFor[T](), fk); err != nil {
		return nil, err
	}
	return fk.row, nil
}

// loadOne loads the row of field, a pointer to a ForeignKey[T] that has a key,
// or should have.
func loadOne(ctx context.Context, db Executor, t reflect.Type, field any) error {
	ref := hydrate.RefOf(t, field)
	fk := ref.FK()
	if err := unusable(t, fk); err != nil {
		return err
	}
	s := db.session()
	var row hydrate.Pointer
	known := false
	if f := fetchingOf(fk.Link); f != nil {
		var err error
		row, known, err = f.one(ctx, db, *fk)
		switch {
		case err != nil:
			return err
		case known && row == nil:
			return notFoundIn(t)
		}
	}
	if !known {
		s.single(ctx, fk.Link, t.Name())
		q := &query{fixed: []plan.Fixed{{Key: fk.Key}}}
		var err error
		if row, err = q.single(ctx, db, t, oneRow); err != nil {
			return err
		}
	}
	ref.Hold(row)
	fk.State = rel.Loaded
	return nil
}

// unusable returns why a foreign key to the type t has no key, if it should.
func unusable(t reflect.Type, fk *rel.FK) error {
	switch fk.State {
	case rel.Bad:
		return errors.New(fk.Key.S)
	case rel.Unread:
		return fmt.Errorf("kin: the foreign key to %s was not read", t.Name())
	case rel.IsNull, rel.KeyOnly, rel.Loaded, rel.Probed:
	}
	return nil
}

// Value implements [driver.Valuer]: it is the key, so that a ForeignKey can
// be compared with in a filter.
func (fk ForeignKey[T]) Value() (driver.Value, error) {
	return refValue(reflect.TypeFor[T](), &fk)
}

func refValue(t reflect.Type, field any) (driver.Value, error) {
	key, null, err := refKey(t, field)
	if err != nil || null {
		return nil, err
	}
	types := structOf(t).Key().Types
	if len(types) != 1 {
		return nil, fmt.Errorf("kin: the key of %s has %d columns; take Ref()", t.Name(), len(types))
	}
	return key.Value(types[0], hydrate.AnyTraits())
}

// refKey returns the key that field, a pointer to a ForeignKey[T], refers to.
func refKey(t reflect.Type, field any) (key rel.Key, null bool, err error) {
	ref := hydrate.RefOf(t, field)
	switch fk := ref.FK(); fk.State {
	case rel.KeyOnly:
		return fk.Key, false, nil
	case rel.Loaded:
		key, err = hydrate.KeyOf(structOf(t).Key(), ref.Row())
		if err != nil {
			err = fmt.Errorf("kin: the %s %w", t.Name(), err)
		}
		return key, false, err
	case rel.Bad, rel.Unread:
		return key, false, unusable(t, fk)
	case rel.IsNull, rel.Probed:
	}
	return key, true, nil
}

// String returns the model and the key, such as SchoolClass(7). The row's
// fields are left out: they may lead back here.
func (fk ForeignKey[T]) String() string { return refText(reflect.TypeFor[T](), &fk) }

// GoString implements [fmt.GoStringer].
func (fk ForeignKey[T]) GoString() string { return refText(reflect.TypeFor[T](), &fk) }

func refText(t reflect.Type, field any) string {
	if hydrate.RefOf(t, field).FK().State == rel.Unread {
		return t.Name() + "(not read)"
	}
	key, null, err := refKey(t, field)
	return keyText(t, key, null, err)
}

func (ForeignKey[T]) declare() schema.RelField {
	t := reflect.TypeFor[T]()
	return schema.RelField{
		Kind: schema.ToOne, Target: t,
		Struct: func() *schema.Struct { return structOf(t) },
		Ops: &schema.Ops{
			Core: func(field any) any { return hydrate.RefOf(t, field).FK() },
			Set: func(field, row any) {
				target, _ := row.(*T)
				field.(*ForeignKey[T]).Set(target)
			},
		},
	}
}
