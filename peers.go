package kin

import (
	"context"
	"fmt"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// peers load one relation for all rows of a result at once. The rows refer to
// them, and they know the rows by weak pointers and the keys that they had.
type peers struct {
	relation *schema.Relation
	rows     *hydrate.PeerRows
	turn     chan struct{} // one at a time
	loaded   *hydrate.Stands
	hooked   map[hydrate.Pointer]any // rows whose AfterLoad hook is still to be called
}

func newPeers(r *schema.Relation, rows *hydrate.PeerRows) *peers {
	return &peers{relation: r, rows: rows, turn: make(chan struct{}, 1)}
}

// newPeerRows returns the rows of a result by their models.
func newPeerRows(readers []*hydrate.Reader) map[*schema.Model]*hydrate.PeerRows {
	all := map[*schema.Model]*hydrate.PeerRows{}
	for _, r := range readers {
		r.Peers(all)
	}
	for _, rows := range all {
		rows.Seal()
	}
	return all
}

// one returns the row that a foreign key leads to, and whether it is known.
func (f *fetching) one(ctx context.Context, db Executor, fk rel.FK) (row hydrate.Pointer, known bool, err error) {
	if f.strict {
		return nil, false, strictly(fk.Link)
	}
	return f.peers.load(ctx, db, nil, fk.Key)
}

// many loads a collection, and reports whether it is known. A copy of a field
// is not: it is in no row.
func (f *fetching) many(ctx context.Context, db Executor, link rel.Link, field any) (known bool, err error) {
	if f.strict {
		return false, strictly(link)
	}
	if _, copied := link.Owner.(*rel.Trail); copied || fieldOf(link.Owner, link.Relation.Field) != field {
		return false, nil
	}
	_, known, err = f.peers.load(ctx, db, link.Owner, rel.Key{})
	return known, err
}

// load loads the relation for owner, and for its peers unless that has been
// done. The row that a foreign key with the key leads to is returned; a
// collection is put into owner's field. It reports whether owner is known.
func (p *peers) load(ctx context.Context, db Executor, owner any, key rel.Key) (row hydrate.Pointer, known bool, err error) {
	s := db.session()
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, false, s.queryError(ctx, p.relation.To.Type, withCause(ctx, nil))
	}
	defer func() { <-p.turn }()
	if p.loaded == nil {
		stands := p.rows.Stand(p.relation)
		reader, err := s.reader(ctx, db, false)
		if err != nil {
			return nil, false, err
		}
		hooked, err := reader.loadLevel(ctx, p.relation, stands)
		if err != nil {
			return nil, false, err
		}
		p.loaded, p.hooked = stands, map[hydrate.Pointer]any{}
		for _, row := range hooked {
			p.hooked[hydrate.Unbox(row)] = row
		}
	}
	// Hooks are called when a row gets what they look at.
	met := func(rows []hydrate.Pointer) error {
		var hooked []any
		for _, row := range rows {
			if x, ok := p.hooked[row]; ok {
				hooked = append(hooked, x)
			}
		}
		if err := afterLoad(ctx, hooked); err != nil {
			return err
		}
		for _, x := range hooked {
			delete(p.hooked, hydrate.Unbox(x))
		}
		return nil
	}
	if p.relation.Kind == schema.ToOne {
		if row, known = p.loaded.One(key); row != nil {
			err = met([]hydrate.Pointer{row})
		}
		return row, known, err
	}
	own, err := hydrate.KeyOf(p.relation.From.Struct.Key(), owner)
	if err != nil {
		return nil, false, nil
	}
	known, err = p.loaded.Give(own, owner, met)
	return nil, known, err
}

// loadLevel reads the rows that a relation leads to from those that stands
// stand for, and returns those that have an AfterLoad hook.
func (s *session) loadLevel(ctx context.Context, r *schema.Relation, stands *hydrate.Stands) (hooked []any, err error) {
	graph, err := s.space.graph()
	if err != nil {
		return nil, err
	}
	sc, err := s.scoping(ctx, graph)
	if err != nil {
		return nil, err
	}
	p := &leveling{graph: graph, dialect: s.dialect}
	if sc != nil {
		p.filter = sc.where
	}
	first := &level{Level: stands.Level()}
	if err = p.level(first, 0, r, nil, false, nil); err == nil && sc != nil {
		err = sc.err
	}
	if err != nil {
		return nil, err
	}
	hydrate.Unite(first.Level)
	g := &graphRows{session: s, query: &compiled{statement: &statement{first: first}, scoping: sc}, first: stands.Reader()}
	if err := g.below(ctx, first, g.first); err != nil {
		return nil, fmt.Errorf("kin: load of %s for all rows of a result: %w", r.GoName(), err)
	}
	return g.hooked(), nil
}
