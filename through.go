package kin

import (
	"context"
	"iter"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/probe"
	"github.com/kin-orm/kin/internal/rel"
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
	link, _, err := t.home("Through")
	if err != nil {
		return nil, err
	}
	if done, err := t.fetch(ctx, db, t); done || err != nil {
		return t.rows, err
	}
	via := link.Relation.Via
	links, hooked, err := readRows(ctx, db, t.LinkQuery().SelectRelated(Path[L](via.Target.Name)).OrderBy(Path[L](via.Target.Name)))
	if err != nil {
		return nil, err
	}
	rows := make([]*T, 0, len(links))
	kept := links[:0]
	for _, l := range links {
		hydrate.Point(l, via.Link.Inverse, link.Owner)
		if row := targetOf[T](l, via); row != nil {
			rows, kept = append(rows, row), append(kept, l)
		}
	}
	if err := afterLoad(ctx, hooked); err != nil {
		return nil, err
	}
	t.rows, t.links, t.many.Loaded = rows, kept, true
	return rows, nil
}

// targetOf returns the row that a link leads to, if it is loaded.
func targetOf[T any](link any, via *schema.Via) *T {
	return fieldOf(link, via.Target.Field).(*ForeignKey[T]).Get()
}

// Query returns the rows as a query, to narrow further. It asks the database
// when it is run, loaded or not. If the field does not know which row it is
// in, running the query gives [ErrUnbound].
func (t *Through[T, L]) Query() QuerySet[T] { return t.linkedRows("Through") }

// LinkQuery returns the links to rows that are there as a query, to filter and sort by what they
// have themselves. With the foreign key's row, as in
// SelectRelated("group"), it reads the rows too.
func (t *Through[T, L]) LinkQuery() QuerySet[L] {
	link, key, err := t.home("Through")
	if err != nil {
		return QuerySet[L]{&query{err: err}}
	}
	return linksOf[L](link.Relation.Via, key)
}

// Add links rows to the field's row, by links whose own fields are zero. Rows
// that are not saved yet are inserted, and those that are linked already stay
// so, with the link that they have. All are added or none: one that is softly
// deleted or outside a filter is [ErrNotFound]. Loaded fields of both sides have
// the rows afterwards.
func (t *Through[T, L]) Add(ctx context.Context, db Executor, rows ...*T) error {
	l, err := t.linking()
	if err != nil {
		return err
	}
	return l.add(ctx, db, "add to", rows)
}

// AddLinks inserts links of the field's row: each leads to a row of T, and
// says what is to be said of the link. A row that is linked already is a
// [*UniqueError], and one that is softly deleted or outside a filter
// [ErrNotFound]. A loaded field has the rows afterwards; if a link has only
// the key of its row, the field is not loaded any more.
func (t *Through[T, L]) AddLinks(ctx context.Context, db Executor, links ...*L) error {
	l, err := t.linking()
	if err != nil {
		return err
	}
	owner := l.link.Relation.Via.Link.Inverse
	before, err := pointAll(links, owner, l.link.Owner)
	if err == nil {
		if err = t.insertLinks(ctx, db, l, links); err != nil {
			before.restore()
		}
	}
	if err != nil {
		return l.errorf("add to", err)
	}
	var rows []*T
	var keys []rel.Key
	for _, link := range links {
		row := targetOf[T](link, l.link.Relation.Via)
		if row == nil {
			t.rows, t.links, t.many.Loaded = nil, nil, false
			continue
		}
		key, err := hydrate.KeyOf(keyOf[T](), row)
		if err != nil {
			return l.errorf("add to", err)
		}
		l.table.(*modelLinks[T, L]).known[key] = link
		rows, keys = append(rows, row), append(keys, key)
	}
	l.join(rows, keys)
	return nil
}

// Create inserts new rows and links them to the field's row, by links whose
// own fields are zero.
func (t *Through[T, L]) Create(ctx context.Context, db Executor, rows ...*T) error {
	l, err := t.linking()
	if err != nil {
		return err
	}
	return l.create(ctx, db, rows)
}

// Remove deletes the links to rows, which stay in the database. A row that is
// not linked is [ErrNotFound], and no link is deleted then.
func (t *Through[T, L]) Remove(ctx context.Context, db Executor, rows ...*T) error {
	l, err := t.linking()
	if err != nil {
		return err
	}
	return l.remove(ctx, db, rows)
}

// Clear deletes all links of the field's row to rows that are there, neither
// softly deleted nor outside a filter, and returns how many there were.
func (t *Through[T, L]) Clear(ctx context.Context, db Executor) (int64, error) {
	l, err := t.linking()
	if err != nil {
		return 0, err
	}
	return l.clear(ctx, db)
}

// Set links rows to the field's row, and no others: what is missing is added,
// as by [Through.Add], and what is too much removed; other links stay as they
// are, and so do those to rows that are softly deleted or outside a filter. It
// is loaded afterwards, in the order given. All is done or nothing.
func (t *Through[T, L]) Set(ctx context.Context, db Executor, rows ...*T) error {
	l, err := t.linking()
	if err != nil {
		return err
	}
	return l.set(ctx, db, rows)
}

func (t *Through[T, L]) linking() (*linking[T], error) {
	link, key, err := t.home("Through")
	if err != nil {
		return nil, err
	}
	return &linking[T]{&t.collection, link, key, newModelLinks(t, link, key)}, nil
}

// includeLink adds a row and its link if the rows are loaded.
func (t *Through[T, L]) includeLink(row *T, link any) {
	l, _ := link.(*L)
	if at := len(t.rows); t.includeAt(row, t.place(row)) && len(t.links) == at {
		t.links = append(slices.Clip(t.links), l)
	}
}

// leaveOutLink takes a row and its link out.
func (t *Through[T, L]) leaveOutLink(row *T) {
	i := t.place(row)
	t.leaveOutAt(i)
	if i >= 0 && i < len(t.links) {
		t.links = slices.Concat(t.links[:i], t.links[i+1:])
	}
}

func (Through[T, L]) declare() schema.RelField {
	t := reflect.TypeFor[T]()
	return schema.RelField{
		Kind: schema.Linked, Target: t, Link: reflect.TypeFor[L](),
		Struct: func() *schema.Struct { return structOf(t) },
		Ops: &schema.Ops{
			Core:   func(field any) any { return &field.(*Through[T, L]).many },
			Append: func(field, row, link any) { field.(*Through[T, L]).includeLink(row.(*T), link) },
			Remove: func(field, row any) { field.(*Through[T, L]).leaveOutLink(row.(*T)) },
		},
	}
}
