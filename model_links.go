package kin

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// modelLinks are the links of one row, which are rows of L.
type modelLinks[T, L any] struct {
	field *Through[T, L]
	via   *schema.Via
	owner any
	key   rel.Key        // of owner
	known map[rel.Key]*L // by the key of the row linked
}

func newModelLinks[T, L any](t *Through[T, L], link rel.Link, key rel.Key) *modelLinks[T, L] {
	m := &modelLinks[T, L]{t, link.Relation.Via, link.Owner, key, map[rel.Key]*L{}}
	for i, row := range t.rows {
		if key, err := hydrate.KeyOf(keyOf[T](), row); err == nil && t.linkAt(i) != nil {
			m.known[key] = t.links[i]
		}
	}
	return m
}

func (m *modelLinks[T, L]) linkOf(key rel.Key) any { return m.known[key] }

func (m *modelLinks[T, L]) hold(rows []*T, keys []rel.Key) {
	m.field.rows, m.field.links = rows, make([]*L, len(rows))
	for i, key := range keys {
		link := m.known[key]
		m.field.links[i] = link
		if link != nil && targetOf[T](link, m.via) == nil {
			hydrate.Point(link, m.via.Target, rows[i])
		}
	}
}

// linksOf returns the query for the links of the row with the key owner to
// rows that are there.
func linksOf[L any](via *schema.Via, owner rel.Key) QuerySet[L] {
	return QuerySet[L]{&query{fixed: []plan.Fixed{
		{Field: via.Link.Inverse.Field.Name, Key: owner}, {Field: via.Target.Field.Name, There: true},
	}}}
}

// query returns the query for the links to the rows with the keys, or for all
// if they are nil.
func (m *modelLinks[T, L]) query(keys []rel.Key) QuerySet[L] {
	q := linksOf[L](m.via, m.key)
	if keys != nil {
		q.q.fixed = append(q.q.fixed, plan.Fixed{Field: m.via.Target.Field.Name, Keys: keys})
	}
	return q
}

// read reads links, and knows them then.
func (m *modelLinks[T, L]) read(ctx context.Context, s *session, keys []rel.Key) (found []rel.Key, err error) {
	var links []*L
	err = m.each(s, keys, func(keys []rel.Key) error {
		part, err := m.query(keys).All(ctx, &Tx{*s})
		links = append(links, part...)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, link := range links {
		key, _, err := hydrate.ForeignKeyOf(link, m.via.Target.Field)
		if err != nil {
			return nil, err
		}
		hydrate.Point(link, m.via.Link.Inverse, m.owner)
		if m.known[key] == nil {
			m.known[key] = link
		}
		found = append(found, key)
	}
	return found, nil
}

func (m *modelLinks[T, L]) keys(ctx context.Context, s *session) ([]rel.Key, error) {
	return m.read(ctx, s, nil)
}

func (m *modelLinks[T, L]) add(ctx context.Context, s *session, rows []*T, keys []rel.Key) error {
	if len(rows) == 0 {
		return nil
	}
	found, err := m.read(ctx, s, keys)
	if err != nil {
		return err
	}
	there := make(map[rel.Key]bool, len(found))
	for _, key := range found {
		there[key] = true
	}
	var fresh []*L
	for i, row := range rows {
		if there[keys[i]] {
			continue
		}
		there[keys[i]] = true
		link := new(L)
		hydrate.Point(link, m.via.Link.Inverse, m.owner)
		hydrate.Point(link, m.via.Target, row)
		m.known[keys[i]] = link
		fresh = append(fresh, link)
	}
	if fresh, err = m.revive(ctx, s, fresh); err != nil {
		return err
	}
	// Another may have linked them in the meantime.
	return Upsert(ctx, &Tx{*s}, fresh, OnConflict(m.via.Link.Inverse.Name, m.via.Target.Name).DoNothing())
}

// revive gives new links the place of softly deleted ones of the same rows,
// whose values are unique for good: they are updated, in every column, to what
// the new links are. It returns the others.
func (m *modelLinks[T, L]) revive(ctx context.Context, s *session, links []*L) (fresh []*L, err error) {
	model := m.via.Link.To
	if model.Deleted == nil || len(links) == 0 {
		return links, nil
	}
	gone, err := m.gone(ctx, s, links)
	if err != nil || len(gone) == 0 {
		return links, err
	}
	var revived []*L
	for _, link := range links {
		key, _, err := hydrate.ForeignKeyOf(link, m.via.Target.Field)
		if err != nil || gone[key] == nil {
			fresh = append(fresh, link)
			continue
		}
		if row, ok := any(link).(defaulter); ok {
			row.KinDefaults()
		}
		row := targetOf[T](link, m.via)
		if err := adopt(model, link, gone[key]); err != nil {
			return nil, err
		}
		// The foreign keys may be the key.
		hydrate.Point(link, m.via.Link.Inverse, m.owner)
		if row != nil {
			hydrate.Point(link, m.via.Target, row)
		}
		hydrate.CopyColumn(model.Deleted, link, new(L))
		revived = append(revived, link)
	}
	if err := UpdateAll(ctx, &Tx{*s}, revived); err != nil {
		return nil, err
	}
	return fresh, Bind(&Tx{*s}, revived...)
}

// gone reads the softly deleted links to the rows that links lead to, by the
// keys of these.
func (m *modelLinks[T, L]) gone(ctx context.Context, s *session, links []*L) (map[rel.Key]*L, error) {
	keys := m.targets(links)
	gone := map[rel.Key]*L{}
	deleted := m.via.Link.To.Deleted
	err := m.each(s, keys, func(keys []rel.Key) error {
		if len(keys) == 0 {
			return nil
		}
		q := m.query(keys).WithDeleted()
		if deleted.Value.Kind == dialect.Bool {
			q = q.Filter(deleted.Lookup, true)
		} else {
			q = q.Filter(deleted.Lookup+"__isnull", false)
		}
		found, _, err := readRows(ctx, &Tx{*s}, q) // the hooks are for rows, not for these
		for _, link := range found {
			key, _, keyErr := hydrate.ForeignKeyOf(link, m.via.Target.Field)
			err = errors.Join(err, keyErr)
			gone[key] = link
		}
		return err
	})
	return gone, err
}

// targets returns the keys of the rows that links lead to. A link that has none
// is refused when it is inserted.
func (m *modelLinks[T, L]) targets(links []*L) (keys []rel.Key) {
	for _, link := range links {
		if key, null, err := hydrate.ForeignKeyOf(link, m.via.Target.Field); err == nil && !null {
			keys = append(keys, key)
		}
	}
	return keys
}

func (m *modelLinks[T, L]) remove(ctx context.Context, s *session, keys []rel.Key) (int64, error) {
	n := int64(0)
	err := m.each(s, keys, func(keys []rel.Key) error {
		deleted, err := m.query(keys).Delete(ctx, &Tx{*s})
		n += deleted
		return err
	})
	return n, err
}

// each calls f with as many of the keys at a time as a statement takes, or
// with nil if they are nil.
func (m *modelLinks[T, L]) each(s *session, keys []rel.Key, f func(keys []rel.Key) error) error {
	if keys == nil {
		return f(nil)
	}
	others := len(m.via.Link.ToColumns)
	if m.via.Link.To.Deleted != nil || s.filters != nil {
		others += 8 // parameters of filters, and of what a deletion sets
	}
	size := s.chunkBeside(len(m.via.Target.FromColumns), others)
	for part := range slices.Chunk(keys, size) {
		if err := f(part); err != nil {
			return err
		}
	}
	return nil
}

// insertLinks inserts links, and tells those who listen which rows they lead
// to.
func (t *Through[T, L]) insertLinks(ctx context.Context, db Executor, l *linking[T], links []*L) error {
	m := l.table.(*modelLinks[T, L])
	keys := m.targets(links)
	if !relationHeard(l.link.Relation) && m.via.Link.To.Deleted == nil {
		if err := l.there(ctx, db.session(), keys); err != nil {
			return err
		}
		return Insert(ctx, db, links...)
	}
	return restoring(anyRows(links), func() error {
		return db.session().transact(ctx, func(s *session) error {
			if err := l.there(ctx, s, keys); err != nil {
				return err
			}
			fresh, err := m.revive(ctx, s, links)
			if err != nil {
				return err
			}
			if err := Insert(ctx, &Tx{*s}, fresh...); err != nil {
				return err
			}
			rows, err := t.linkedBy(ctx, s, l, links)
			if err != nil {
				return err
			}
			return l.changed(ctx, s, rows, nil)
		})
	})
}

// linkedBy returns the rows that links lead to, if somebody listens.
func (t *Through[T, L]) linkedBy(ctx context.Context, s *session, l *linking[T], links []*L) (rows []*T, err error) {
	var others []rel.Key
	for _, link := range links {
		if row := targetOf[T](link, l.link.Relation.Via); row != nil {
			rows = append(rows, row)
			continue
		}
		key, _, err := hydrate.ForeignKeyOf(link, l.link.Relation.Via.Target.Field)
		if err != nil {
			return nil, err
		}
		others = append(others, key)
	}
	more, err := l.rowsWith(ctx, s, others)
	return append(rows, more...), err
}

// A pointed is the foreign keys of rows as they were before they were changed.
type pointed struct {
	fields []reflect.Value
	before []reflect.Value
}

// pointAll makes a foreign key of rows refer to target.
func pointAll[T any](rows []*T, fk *schema.Relation, target any) (pointed, error) {
	var p pointed
	for _, row := range rows {
		if row == nil {
			p.restore()
			return p, errors.New("a link is nil")
		}
		field := reflect.ValueOf(row).Elem().FieldByIndex(fk.Field.Index)
		before := reflect.New(field.Type()).Elem()
		before.Set(field)
		p.fields, p.before = append(p.fields, field), append(p.before, before)
		hydrate.Point(row, fk, target)
	}
	return p, nil
}

func (p pointed) restore() {
	for i, field := range p.fields {
		field.Set(p.before[i])
	}
}
