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
func (f *fetching) one(ctx context.Context, s *session, fk rel.FK) (row hydrate.Pointer, known bool, err error) {
	if f.strict {
		return nil, false, strictly(fk.Link)
	}
	return f.peers.load(ctx, s, nil, fk.Key)
}

// many loads a collection, and reports whether it is known. A copy of a field
// is not: it is in no row.
func (f *fetching) many(ctx context.Context, s *session, link rel.Link, field any) (known bool, err error) {
	if f.strict {
		return false, strictly(link)
	}
	if _, copied := link.Owner.(*rel.Trail); copied || fieldOf(link.Owner, link.Relation.Field) != field {
		return false, nil
	}
	_, known, err = f.peers.load(ctx, s, link.Owner, rel.Key{})
	return known, err
}

// load loads the relation for owner, and for its peers unless that has been
// done. The row that a foreign key with the key leads to is returned; a
// collection is put into owner's field. It reports whether owner is known.
func (p *peers) load(ctx context.Context, s *session, owner any, key rel.Key) (row hydrate.Pointer, known bool, err error) {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, false, s.queryError(ctx, p.relation.To.Type, withCause(ctx, nil))
	}
	defer func() { <-p.turn }()
	if p.loaded == nil {
		stands := p.rows.Stand(p.relation)
		if err := s.loadLevel(ctx, p.relation, stands); err != nil {
			return nil, false, err
		}
		p.loaded = stands
	}
	if p.relation.Kind == schema.ToOne {
		row, known = p.loaded.One(key)
		return row, known, nil
	}
	own, err := hydrate.KeyOf(p.relation.From.Struct.Key(), owner)
	if err != nil {
		return nil, false, nil
	}
	return nil, p.loaded.Give(own, owner), nil
}

// loadLevel reads the rows that a relation leads to from those that stands
// stand for.
func (s *session) loadLevel(ctx context.Context, r *schema.Relation, stands *hydrate.Stands) error {
	graph, err := s.space.graph()
	if err != nil {
		return err
	}
	sc, err := s.scoping(ctx, graph)
	if err != nil {
		return err
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
		return err
	}
	hydrate.Unite(first.Level)
	g := &graphRows{session: s, query: &compiled{first: first, scoping: sc}, first: stands.Reader()}
	if err := g.below(ctx, first, g.first); err != nil {
		return fmt.Errorf("kin: load of %s for all rows of a result: %w", r.GoName(), err)
	}
	return afterLoad(ctx, g.hooked())
}
