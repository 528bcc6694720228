package kin

import (
	"context"
	"reflect"

	"github.com/kin-orm/kin/internal/schema"
)

// A ManyToMany is a field of a model that holds rows of T, each of which may
// be held by many rows of the model in turn. Which belong together is kept in
// a link table that kin makes up: two foreign keys, which are its primary key,
// and which go with the rows that they lead to.
//
//	type Post struct {
//		ID   int64
//		Tags kin.ManyToMany[Tag] `kin:",related_name=posts"`
//	}
//
//	type Tag struct {
//		ID    int64
//		Posts kin.ManyToMany[Post] `kin:"via=Tags"` // the same relation, from its far side
//	}
//
// The far side needs no field: paths from Tag lead there as "posts", which by
// default would be the model's name in lower case and an s. The table is
// called posts_tags, or as the first part of the tag says. Where links have
// columns of their own, take a [Through].
//
// The zero ManyToMany is not loaded. A query with [QuerySet.SelectRelated]
// loads it, and so does [ManyToMany.Load]; reading it never asks the database.
// It may be read by several goroutines at once.
type ManyToMany[T any] struct{ collection[T] }

var _ relationField = ManyToMany[struct{}]{}

// Linked returns a ManyToMany that holds rows, as if they had been loaded, for
// a new row that [SaveGraph] saves together with them and links to them.
//
//	post := &Post{Tags: kin.Linked(golang, sql)}
func Linked[T any](rows ...*T) ManyToMany[T] { return ManyToMany[T]{holding(rows)} }

// Load reads the rows, in the order of their primary key, whether they are
// loaded already or not. If the field does not know which row it is in, the
// error is [ErrUnbound].
func (m *ManyToMany[T]) Load(ctx context.Context, db Executor) ([]*T, error) {
	if done, err := fetch(ctx, db, reflect.TypeFor[T](), &m.many, m); done || err != nil {
		return m.rows, err
	}
	rows, err := m.Query().All(ctx, db)
	if err != nil {
		return nil, err
	}
	m.rows, m.many.Loaded = rows, true
	return rows, nil
}

// Query returns the rows as a query, to narrow further. It asks the database
// when it is run, loaded or not. If the field does not know which row it is
// in, running the query gives [ErrUnbound].
func (m *ManyToMany[T]) Query() QuerySet[T] {
	return QuerySet[T]{linkedRows(reflect.TypeFor[T](), &m.many, "ManyToMany")}
}

// Add links rows to the field's row. Those that are not saved yet are
// inserted, in one statement, and those that are linked already stay so. All
// are added or none: one that is softly deleted or outside a filter is
// [ErrNotFound]. Loaded fields of both sides have the rows afterwards.
func (m *ManyToMany[T]) Add(ctx context.Context, db Executor, rows ...*T) error {
	return linkingOf(reflect.TypeFor[T](), nil, m).add(ctx, db, anyRows(rows))
}

// Create inserts new rows and links them to the field's row.
func (m *ManyToMany[T]) Create(ctx context.Context, db Executor, rows ...*T) error {
	return linkingOf(reflect.TypeFor[T](), nil, m).create(ctx, db, anyRows(rows))
}

// Remove ends the links to rows, which stay in the database. A row that is not
// linked is [ErrNotFound], and no link is ended then.
func (m *ManyToMany[T]) Remove(ctx context.Context, db Executor, rows ...*T) error {
	return linkingOf(reflect.TypeFor[T](), nil, m).remove(ctx, db, anyRows(rows))
}

// Clear ends all links of the field's row to rows that are there, neither
// softly deleted nor outside a filter, and returns how many there were.
func (m *ManyToMany[T]) Clear(ctx context.Context, db Executor) (int64, error) {
	return linkingOf(reflect.TypeFor[T](), nil, m).clear(ctx, db)
}

// Set links rows to the field's row, and no others: what is missing is added,
// as by [ManyToMany.Add], and what is too much removed. Links to rows that are
// softly deleted or outside a filter stay as they are. It is loaded afterwards,
// in the order given. All is done or nothing.
func (m *ManyToMany[T]) Set(ctx context.Context, db Executor, rows ...*T) error {
	return linkingOf(reflect.TypeFor[T](), nil, m).set(ctx, db, anyRows(rows))
}

func (ManyToMany[T]) declare() schema.RelField {
	return declared(schema.Linked, reflect.TypeFor[T](), placeOf)
}
