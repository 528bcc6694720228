package kin

import (
	"context"
	"errors"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// write plans what is to be done, and does it if there is anything.
func (g *graph) write(ctx context.Context, s *session) error {
	fresh := g.need()
	if err := g.breakCircles(fresh); err != nil {
		return err
	}
	inserts := g.inserts(fresh)
	work := len(inserts)+len(g.pairs) > 0
	total := len(g.pairs)
	for _, k := range g.order {
		if err := g.changes(s, k); err != nil {
			return err
		}
		work = work || len(k.changed) > 0
		total += k.saved.Inserted + k.saved.Updated
	}
	if !work {
		return nil
	}
	if s.batch != nil && s.batch.CommitEach != 0 {
		return errors.New("the rows of a graph depend on each other, and are committed as a whole; leave the CommitEach of the Batch away")
	}
	return s.whole(ctx, func(s *session) error {
		inner := *s
		if inner.batch != nil {
			inner.counter = &counter{all: total}
		}
		return g.run(ctx, &inner, inserts)
	})
}

// changes finds the old rows of a kind that are to be updated.
func (g *graph) changes(s *session, k *kind) error {
	c := &change{session: s, op: updating, model: k.model}
	columns, _, err := c.columns(nil)
	if err != nil {
		return err
	}
	var old []any
	for _, at := range k.nodes {
		if n := &g.nodes[at]; !n.fresh {
			old = append(old, n.row)
		}
	}
	if len(columns) > 0 {
		k.changed = touched(k.model, old, columns)
	}
	k.saved.Inserted = len(k.nodes) - len(old)
	k.saved.Updated = len(k.changed)
	k.saved.Unchanged = len(old) - len(k.changed)
	return nil
}

// run writes all rows: old ones first, as [Save] does, but for kinds that wait
// for the keys of new ones.
func (g *graph) run(ctx context.Context, s *session, inserts []step) error {
	if err := g.update(ctx, s, false); err != nil {
		return err
	}
	for _, st := range inserts {
		if err := g.insert(ctx, s, st); err != nil {
			return err
		}
	}
	if err := g.complete(ctx, s, inserts); err != nil {
		return err
	}
	if err := g.update(ctx, s, true); err != nil {
		return err
	}
	return g.writeLinks(ctx, s)
}

func (g *graph) update(ctx context.Context, s *session, late bool) error {
	for _, k := range g.order {
		if k.late != late {
			continue
		}
		if err := s.update(ctx, k.model, k.changed, nil); err != nil {
			return err
		}
	}
	return nil
}

// insert inserts rows of one kind, at once if their keys are known or can be.
func (g *graph) insert(ctx context.Context, s *session, st step) error {
	m := st.kind.model
	levels := make([][]any, len(st.levels))
	var all []any
	for i, level := range st.levels {
		for _, at := range level {
			levels[i] = append(levels[i], g.nodes[at].row)
			for _, n := range g.nodes[at].needs {
				if n.held {
					defer hydrate.Hold(g.nodes[at].row, n.Relation)()
				}
			}
		}
		all = append(all, levels[i]...)
	}
	if len(levels) > 1 {
		known, err := takeKeys(ctx, s, m, all)
		if err != nil {
			return err
		}
		if known {
			levels = [][]any{all}
		}
	}
	for _, rows := range levels {
		if err := s.insert(ctx, m, rows); err != nil {
			return err
		}
	}
	return nil
}

// takeKeys gives new rows their keys before they are inserted. It reports
// whether they have them.
func takeKeys(ctx context.Context, s *session, m *schema.Model, rows []any) (known bool, err error) {
	if m.Auto == nil {
		return true, nil
	}
	in := inserter{session: s, model: m}
	keys, err := in.reserve(ctx, len(rows))
	if err != nil || keys == nil {
		return false, s.fault(ctx, m, err)
	}
	for i, row := range rows {
		if err := hydrate.SetGenerated(m, row, keys[i]); err != nil {
			return false, err
		}
	}
	return true, nil
}

// complete sets the foreign keys that were NULL at first. It is part of the
// insert, and not an update that the rows would notice.
func (g *graph) complete(ctx context.Context, s *session, inserts []step) error {
	var relations []*schema.Relation
	held := map[*schema.Relation][]any{}
	for _, st := range inserts {
		for _, level := range st.levels {
			for _, at := range level {
				for _, n := range g.nodes[at].needs {
					if !n.held {
						continue
					}
					if held[n.Relation] == nil {
						relations = append(relations, n.Relation)
					}
					held[n.Relation] = append(held[n.Relation], g.nodes[at].row)
				}
			}
		}
	}
	for _, r := range relations {
		c := &change{session: s, op: updating, model: r.From}
		if err := c.take(held[r]); err != nil {
			return err
		}
		b := batch{set: r.FromColumns, keys: r.From.Key, rows: held[r]}
		counted := *s
		counted.counter = nil // they have been
		if err := c.explain(ctx, c.write(ctx, &counted, b, 0)); err != nil {
			return err
		}
		if err := c.readBack(ctx, s, b.rows); err != nil {
			return err
		}
		s.remember(r.From, held[r], r.FromColumns)
	}
	return nil
}
