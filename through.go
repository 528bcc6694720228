package kin

import (
	"context"
	"iter"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/probe"
	"github.com/kin-orm/kin/internal/schema"
)

// A Through is a many-to-many field, as [ManyToMany] is, whose links are rows
// of the model L, with fields of their own:
//
//	type Person struct {
//		ID     int64
//		Groups kin.Through[Group, Membership]
//	}
//
//	type Membership struct {
//		ID     int64
//		Person kin.ForeignKey[Person] `kin:",on_delete=cascade"`
//		Group  kin.ForeignKey[Group]  `kin:",on_delete=cascade"`
//		Role   string
//	}
//
//	func (Membership) KinTable() kin.Table {
//		return kin.Table{Unique: [][]string{{"person", "group"}}}
//	}
//
// L has a foreign key to each side; the two cannot be NULL and are unique
// together. Where it has several to a side, the tag names the one to the
// field's own model, and after a plus the one to T: `kin:"via=Person+Group"`.
// The other side may have a field of its own, a Through[Person, Membership].
//
// Loading the rows loads their links: [Through.Links] has both. In lookups,
// the step link after the field is the row of L: "groups__link__role". In one
// Filter, it is the link by which the other conditions reach their group:
//
//	kin.Query[Person]().Filter("groups__name", "go", "groups__link__role", "owner")
//
// Where L is softly deleted ([QuerySet.WithDeleted]), so are the links that
// Remove, Clear and Set end, and a link that is deleted is none. As it holds
// its pair of rows for good, a new link of the two takes its place: the row is
// updated, in all columns but its key and time of creation, to what the new
// link is, and is not deleted any more. Filters of L ([WithFilter]) hold for
// new links as for other rows; a pair whose link is outside one is a
// [*UniqueError].
//
// The zero Through is not loaded. It may be read by several goroutines at once.
type Through[T, L any] struct {
	collection[T]

	links []*L
}

var _ relationField = Through[struct{}, struct{}]{}

// Links iterates over the loaded rows, each with the row that links it.
//
//	for group, membership := range person.Groups.Links() {
//		fmt.Println(group.Name, membership.Role)
//	}
func (t Through[T, L]) Links() iter.Seq2[*T, *L] {
	return func(yield func(*T, *L) bool) {
		for i, row := range t.rows {
			if !yield(row, t.linkAt(i)) {
				return
			}
		}
	}
}

// AnyLink stands for the link of any one of the rows, in a function given to
// [Col]. Elsewhere it is nil.
func (t Through[T, L]) AnyLink() *L {
	link, _ := probe.Of(t.many.Link, true).(*L)
	return link
}

// linkAt returns the link of the i-th row, or nil if the rows came from JSON,
// which has no links.
func (t *Through[T, L]) linkAt(i int) *L {
	if i < len(t.links) {
		return t.links[i]
	}
	return nil
}

// Link returns the row that links a loaded row, or nil if it is not loaded.
func (t Through[T, L]) Link(row *T) *L {
	if i := slices.Index(t.rows, row); i >= 0 {
		return t.linkAt(i)
	}
	return nil
}

// Load reads the rows and their links, in the order of the rows' primary key,
// whether they are loaded already or not. If the field does not know which row
// it is in, the error is [ErrUnbound].
func (t *Through[T, L]) Load(ctx context.Context, db Executor) ([]*T, error) {
	if err := loadLinks(ctx, db, reflect.TypeFor[T](), reflect.TypeFor[L](), t); err != nil {
		return nil, err
	}
	return t.rows, nil
}

// Query returns the rows as a query, to narrow further. It asks the database
// when it is run, loaded or not. If the field does not know which row it is
// in, running the query gives [ErrUnbound].
func (t *Through[T, L]) Query() QuerySet[T] {
	return QuerySet[T]{linkedRows(reflect.TypeFor[T](), &t.many, "Through")}
}

// LinkQuery returns the links to rows that are there as a query, to filter and sort by what they
// have themselves. With the foreign key's row, as in
// SelectRelated("group"), it reads the rows too.
func (t *Through[T, L]) LinkQuery() QuerySet[L] {
	link, key, err := homeOf(reflect.TypeFor[T](), &t.many, "Through")
	if err != nil {
		return QuerySet[L]{&query{err: err}}
	}
	return QuerySet[L]{linksOf(link.Relation.Via, key)}
}

// Add links rows to the field's row, by links whose own fields are zero. Rows
// that are not saved yet are inserted, and those that are linked already stay
// so, with the link that they have. All are added or none: one that is softly
// deleted or outside a filter is [ErrNotFound]. Loaded fields of both sides have
// the rows afterwards.
func (t *Through[T, L]) Add(ctx context.Context, db Executor, rows ...*T) error {
	return linkingOf(reflect.TypeFor[T](), reflect.TypeFor[L](), t).add(ctx, db, anyRows(rows))
}

// AddLinks inserts links of the field's row: each leads to a row of T, and
// says what is to be said of the link. A row that is linked already is a
// [*UniqueError], and one that is softly deleted or outside a filter
// [ErrNotFound]. A loaded field has the rows afterwards; if a link has only
// the key of its row, the field is not loaded any more.
func (t *Through[T, L]) AddLinks(ctx context.Context, db Executor, links ...*L) error {
	return linkingOf(reflect.TypeFor[T](), reflect.TypeFor[L](), t).addLinks(ctx, db, anyRows(links))
}

// Create inserts new rows and links them to the field's row, by links whose
// own fields are zero.
func (t *Through[T, L]) Create(ctx context.Context, db Executor, rows ...*T) error {
	return linkingOf(reflect.TypeFor[T](), reflect.TypeFor[L](), t).create(ctx, db, anyRows(rows))
}

// Remove deletes the links to rows, which stay in the database. A row that is
// not linked is [ErrNotFound], and no link is deleted then.
func (t *Through[T, L]) Remove(ctx context.Context, db Executor, rows ...*T) error {
	return linkingOf(reflect.TypeFor[T](), reflect.TypeFor[L](), t).remove(ctx, db, anyRows(rows))
}

// Clear deletes all links of the field's row to rows that are there, neither
// softly deleted nor outside a filter, and returns how many there were.
func (t *Through[T, L]) Clear(ctx context.Context, db Executor) (int64, error) {
	return linkingOf(reflect.TypeFor[T](), reflect.TypeFor[L](), t).clear(ctx, db)
}

// Set links rows to the field's row, and no others: what is missing is added,
// as by [Through.Add], and what is too much removed; other links stay as they
// are, and so do those to rows that are softly deleted or outside a filter. It
// is loaded afterwards, in the order given. All is done or nothing.
func (t *Through[T, L]) Set(ctx context.Context, db Executor, rows ...*T) error {
	return linkingOf(reflect.TypeFor[T](), reflect.TypeFor[L](), t).set(ctx, db, anyRows(rows))
}

func (Through[T, L]) declare() schema.RelField {
	return declaredThrough(reflect.TypeFor[T](), reflect.TypeFor[L]())
}

// loadLinks loads field, a pointer to a Through of rows of the type t by links
// of the type l.
func loadLinks(ctx context.Context, db Executor, t, l reflect.Type, field any) error {
	to := linkingOf(t, l, field)
	if to.err != nil {
		return to.err
	}
	if done, err := fetch(ctx, db, t, to.Many(), field); done || err != nil {
		return err
	}
	m := to.table.(*modelLinks)
	target := m.via.Target.Name
	found, hooked, err := m.query(nil).loading([]string{target}).ordered([]string{target}).read(ctx, db, l, allRows, 0)
	if err != nil {
		return err
	}
	rows, kept := make([]any, 0, len(found)), make([]any, 0, len(found))
	for _, link := range hydrate.Box(l, found) {
		hydrate.Point(link, m.via.Link.Inverse, m.to.link.Owner)
		if row := m.targetOf(link); row != nil {
			rows, kept = append(rows, row), append(kept, link)
		}
	}
	if err := afterLoad(ctx, hooked); err != nil {
		return err
	}
	m.to.Hold(rows)
	hydrate.HoldLinks(field, kept)
	m.to.Many().Loaded = true
	return nil
}

// declaredThrough returns what a Through of rows of the type t by links of the
// type l says of itself: its fields have both.
func declaredThrough(t, l reflect.Type) schema.RelField {
	field := declared(schema.Linked, t, placeOf)
	field.Link = l
	field.Ops.Append = func(field, row, link any) {
		list, links := hydrate.ListOf(t, field), hydrate.LinksOf(l, field)
		if at := list.Len(); include(list, row, placeOf(t, list, row)) && len(links) == at {
			hydrate.HoldLinks(field, append(links, link))
		}
	}
	field.Ops.Remove = func(field, row any) {
		list, links := hydrate.ListOf(t, field), hydrate.LinksOf(l, field)
		i := placeOf(t, list, row)
		if i < 0 {
			return
		}
		list.Remove(i)
		if i < len(links) {
			hydrate.HoldLinks(field, slices.Concat(links[:i], links[i+1:]))
		}
	}
	return field
}
