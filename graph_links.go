package kin

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// A pair is two rows that are linked in a link table without struct.
type pair struct {
	table *schema.Model
	rows  [2]any // in the order of the table's foreign keys
}

// link adds the rows that a many-to-many field of row holds. A link that is a
// row itself belongs to both of its sides.
func (g *graph) link(r hydrate.Reach, row any, children []any) error {
	via := r.Relation.Via
	table := via.Link.To
	var links []any
	if !table.Bare {
		links = r.Links(row)
	}
	for i, child := range children {
		g.add(r.Relation.To, child)
		if table.Bare {
			p := pair{table, [2]any{row, child}}
			if via.Target == table.Keys[0] {
				slices.Reverse(p.rows[:])
			}
			g.pairs = append(g.pairs, p)
			continue
		}
		if i >= len(links) || links[i] == nil {
			return fmt.Errorf("row %d of %d in %s has no %s, which links it; save new links by a Reverse[%[4]s]",
				i+1, len(children), r.Relation.GoName(), table.Name)
		}
		at := g.add(table, links[i])
		if err := g.own(at, owner{via.Link.Inverse, row}); err != nil {
			return err
		}
		if err := g.own(at, owner{via.Target, child}); err != nil {
			return err
		}
	}
	return nil
}

// writeLinks links all pairs that are not linked yet.
func (g *graph) writeLinks(ctx context.Context, s *session) error {
	var tables []*schema.Model
	rows := map[*schema.Model][][]driver.Value{}
	seen := map[*schema.Model]map[[2]rel.Key]bool{}
	for _, p := range g.pairs {
		if seen[p.table] == nil {
			seen[p.table] = map[[2]rel.Key]bool{}
			tables = append(tables, p.table)
		}
		var keys [2]rel.Key
		var values []driver.Value
		for i, fk := range p.table.Keys {
			var err error
			if keys[i], err = hydrate.KeyOf(fk.To.Struct.Key(), p.rows[i]); err == nil {
				values, err = keyValues(values, keys[i], fk.FromColumns, s)
			}
			if err != nil {
				return fmt.Errorf("a %s %w", fk.To.Name, err)
			}
		}
		if !seen[p.table][keys] {
			seen[p.table][keys] = true
			rows[p.table] = append(rows[p.table], values)
		}
	}
	for _, t := range tables {
		for chunk := range slices.Chunk(rows[t], s.chunk(len(t.Columns))) {
			text := sqlgen.Upsert(s.dialect, t, t.Columns, chunk, t.Columns, nil, nil)
			if text.Err != nil {
				return text.Err
			}
			if _, err := s.Exec(ctx, text.SQL, text.Args); err != nil {
				return fmt.Errorf("links in %s: %w", t.Table, s.fault(ctx, t, err))
			}
		}
	}
	s.sent(len(g.pairs))
	return nil
}
