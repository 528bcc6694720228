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

// modelLinks are the links of one row, which are rows of a model: each an *L.
type modelLinks struct {
	to     *linking
	l      reflect.Type
	field  any // a pointer to the Through
	via    *schema.Via
	target hydrate.Reach   // of via
	known  map[rel.Key]any // by the key of the row linked
}

func newModelLinks(to *linking, l reflect.Type, field any) *modelLinks {
	via := to.link.Relation.Via
	m := &modelLinks{to, l, field, via, hydrate.ReachOf(via.Target), map[rel.Key]any{}}
	links := hydrate.LinksOf(l, field)
	for i := range min(len(links), m.to.Len()) {
		if key, err := hydrate.KeyOf(m.to.k, m.to.At(i)); err == nil && links[i] != nil {
			m.known[key] = links[i]
		}
	}
	return m
}

// targetOf returns the row that a link leads to, or nil if it is not loaded.
func (m *modelLinks) targetOf(link any) any {
	return m.target.One(link)
}

func (m *modelLinks) linkOf(key rel.Key) any { return m.known[key] }

func (m *modelLinks) hold(rows []any, keys []rel.Key) {
	links := make([]any, len(rows))
	for i, key := range keys {
		links[i] = m.known[key]
		if links[i] != nil && m.targetOf(links[i]) == nil {
			hydrate.Point(links[i], m.via.Target, rows[i])
		}
	}
	m.to.Hold(rows)
	hydrate.HoldLinks(m.field, links)
}

// linksOf returns the query for the links of the row with the key owner to
// rows that are there.
func linksOf(via *schema.Via, owner rel.Key) *query {
	return &query{fixed: []plan.Fixed{
		{Field: via.Link.Inverse.Field.Name, Key: owner}, {Field: via.Target.Field.Name, There: true},
	}}
}

// query returns the query for the links to the rows with the keys, or for all
// if they are nil.
func (m *modelLinks) query(keys []rel.Key) *query {
	q := linksOf(m.via, m.to.key)
	if keys != nil {
		q.fixed = append(q.fixed, plan.Fixed{Field: m.via.Target.Field.Name, Keys: keys})
	}
	return q
}

// read reads links, and knows them then.
func (m *modelLinks) read(ctx context.Context, s *session, keys []rel.Key) (found []rel.Key, err error) {
	var links []any
	err = m.each(s, keys, func(keys []rel.Key) error {
		part, err := m.query(keys).rows(ctx, &Tx{*s}, m.l, allRows, 0)
		links = append(links, hydrate.Box(m.l, part)...)
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
		hydrate.Point(link, m.via.Link.Inverse, m.to.link.Owner)
		if m.known[key] == nil {
			m.known[key] = link
		}
		found = append(found, key)
	}
	return found, nil
}

func (m *modelLinks) keys(ctx context.Context, s *session) ([]rel.Key, error) {
	return m.read(ctx, s, nil)
}

func (m *modelLinks) add(ctx context.Context, s *session, rows []any, keys []rel.Key) error {
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
	var fresh []any
	for i, row := range rows {
		if there[keys[i]] {
			continue
		}
		there[keys[i]] = true
		link := reflect.New(m.l).Interface()
		hydrate.Point(link, m.via.Link.Inverse, m.to.link.Owner)
		hydrate.Point(link, m.via.Target, row)
		m.known[keys[i]] = link
		fresh = append(fresh, link)
	}
	if fresh, err = m.revive(ctx, s, fresh); err != nil {
		return err
	}
	// Another may have linked them in the meantime.
	return s.upsertAll(ctx, m.l, fresh, conflict{by: []string{m.via.Link.Inverse.Name, m.via.Target.Name}, ignore: true})
}

// revive gives new links the place of softly deleted ones of the same rows,
// whose values are unique for good: they are updated, in every column, to what
// the new links are. It returns the others.
func (m *modelLinks) revive(ctx context.Context, s *session, links []any) (fresh []any, err error) {
	model := m.via.Link.To
	if model.Deleted == nil || len(links) == 0 {
		return links, nil
	}
	gone, err := m.gone(ctx, s, links)
	if err != nil || len(gone) == 0 {
		return links, err
	}
	var revived []any
	for _, link := range links {
		key, _, err := hydrate.ForeignKeyOf(link, m.via.Target.Field)
		if err != nil || gone[key] == nil {
			fresh = append(fresh, link)
			continue
		}
		if row, ok := link.(defaulter); ok {
			row.KinDefaults()
		}
		row := m.targetOf(link)
		if err := adopt(model, link, gone[key]); err != nil {
			return nil, err
		}
		// The foreign keys may be the key.
		hydrate.Point(link, m.via.Link.Inverse, m.to.link.Owner)
		if row != nil {
			hydrate.Point(link, m.via.Target, row)
		}
		hydrate.CopyColumn(model.Deleted, link, reflect.New(m.l).Interface())
		revived = append(revived, link)
	}
	if err := s.update(ctx, model, revived, nil); err != nil {
		return nil, err
	}
	for _, link := range revived {
		hydrate.Bind(model, link)
	}
	return fresh, nil
}

// gone reads the softly deleted links to the rows that links lead to, by the
// keys of these.
func (m *modelLinks) gone(ctx context.Context, s *session, links []any) (map[rel.Key]any, error) {
	keys := m.targets(links)
	gone := map[rel.Key]any{}
	deleted := m.via.Link.To.Deleted
	err := m.each(s, keys, func(keys []rel.Key) error {
		if len(keys) == 0 {
			return nil
		}
		q := m.query(keys)
		q.deleted = true
		if deleted.Value.Kind == dialect.Bool {
			q = q.filtering(m.l, false, deleted.Lookup, true, nil)
		} else {
			q = q.filtering(m.l, false, deleted.Lookup+"__isnull", false, nil)
		}
		found, _, err := q.read(ctx, &Tx{*s}, m.l, allRows, 0) // the hooks are for rows, not for these
		for _, link := range hydrate.Box(m.l, found) {
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
func (m *modelLinks) targets(links []any) (keys []rel.Key) {
	for _, link := range links {
		if key, null, err := hydrate.ForeignKeyOf(link, m.via.Target.Field); err == nil && !null {
			keys = append(keys, key)
		}
	}
	return keys
}

func (m *modelLinks) remove(ctx context.Context, s *session, keys []rel.Key) (int64, error) {
	n := int64(0)
	err := m.each(s, keys, func(keys []rel.Key) error {
		deleted, err := m.query(keys).deleteAt(ctx, &Tx{*s}, m.l, s.now())
		n += deleted
		return err
	})
	return n, err
}

// each calls f with as many of the keys at a time as a statement takes, or
// with nil if they are nil.
func (m *modelLinks) each(s *session, keys []rel.Key, f func(keys []rel.Key) error) error {
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

// addLinks is [Through.AddLinks].
func (l *linking) addLinks(ctx context.Context, db Executor, links []any) error {
	if l.err != nil {
		return l.err
	}
	m := l.table.(*modelLinks)
	before, err := pointAll(links, m.via.Link.Inverse, l.link.Owner)
	if err == nil {
		if err = m.insertLinks(ctx, db, links); err != nil {
			before.restore()
		}
	}
	if err != nil {
		return l.errorf("add to", err)
	}
	var rows []any
	var keys []rel.Key
	for _, link := range links {
		row := m.targetOf(link)
		if row == nil {
			l.Hold(nil)
			hydrate.HoldLinks(m.field, nil)
			l.Many().Loaded = false
			continue
		}
		key, err := hydrate.KeyOf(l.k, row)
		if err != nil {
			return l.errorf("add to", err)
		}
		m.known[key] = link
		rows, keys = append(rows, row), append(keys, key)
	}
	l.join(rows, keys)
	return nil
}

// insertLinks inserts links, and tells those who listen which rows they lead
// to.
func (m *modelLinks) insertLinks(ctx context.Context, db Executor, links []any) error {
	keys := m.targets(links)
	if !relationHeard(m.to.link.Relation) && m.via.Link.To.Deleted == nil {
		if err := m.to.there(ctx, db.session(), keys); err != nil {
			return err
		}
		return db.session().insertAll(ctx, m.l, links)
	}
	return restoring(links, func() error {
		return db.session().transact(ctx, func(s *session) error {
			if err := m.to.there(ctx, s, keys); err != nil {
				return err
			}
			fresh, err := m.revive(ctx, s, links)
			if err != nil {
				return err
			}
			if err := s.insertAll(ctx, m.l, fresh); err != nil {
				return err
			}
			rows, err := m.linkedBy(ctx, s, links)
			if err != nil {
				return err
			}
			return m.to.changed(ctx, s, rows, nil)
		})
	})
}

// linkedBy returns the rows that links lead to, if somebody listens.
func (m *modelLinks) linkedBy(ctx context.Context, s *session, links []any) (rows []any, err error) {
	var others []rel.Key
	for _, link := range links {
		if row := m.targetOf(link); row != nil {
			rows = append(rows, row)
			continue
		}
		key, _, err := hydrate.ForeignKeyOf(link, m.via.Target.Field)
		if err != nil {
			return nil, err
		}
		others = append(others, key)
	}
	more, err := m.to.rowsWith(ctx, s, others)
	return append(rows, more...), err
}

// A pointed is the foreign keys of rows as they were before they were changed.
type pointed struct {
	fields []reflect.Value
	before []reflect.Value
}

// pointAll makes a foreign key of rows refer to target.
func pointAll(rows []any, fk *schema.Relation, target any) (pointed, error) {
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
