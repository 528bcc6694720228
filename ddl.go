package kin

import (
	"context"
	"fmt"
	"slices"

	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
	"github.com/kin-orm/kin/internal/value"
)

// CreateTables creates the tables of all models of db's registry that do not
// exist yet, in the order of their foreign keys, with primary keys, NOT NULL,
// defaults, generated columns, uniques, checks, foreign keys with their actions,
// comments, and indexes, also on each foreign key. Tables that exist are left as they are, even if
// the model has changed: that is for a migration.
//
// On SQLite and PostgreSQL, all tables are created or none.
func CreateTables(ctx context.Context, db Executor) error {
	s := db.session()
	g, err := s.forWriting()
	if err != nil {
		return err
	}
	return s.define(ctx, "CreateTables", func(s *session) error { return s.createTables(ctx, g) })
}

// define runs f, which changes tables: in a transaction where tables are part
// of it, so that all are changed or none.
func (s *session) define(ctx context.Context, what string, f func(*session) error) error {
	switch {
	case !s.dialect.Traits().CommitsTables:
		return s.transact(ctx, f)
	case s.begin == nil:
		return fmt.Errorf("kin: %s within a transaction: %s would commit it; call it outside", what, s.dialect.Name())
	}
	return f(s)
}

func (s *session) createTables(ctx context.Context, g *schema.Graph) error {
	have, err := s.tables(ctx)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(inOrder(g), func(m *schema.Model) bool { return have[m.Table] })
	var later []*schema.Relation // foreign keys to tables that come later
	statements := make([][]string, len(missing))
	for i, m := range missing {
		inline := func(r *schema.Relation) bool {
			waits := s.dialect.Traits().AlterConstraints && slices.Contains(missing[i+1:], r.To)
			if waits {
				later = append(later, r)
			}
			return !waits
		}
		if statements[i], err = sqlgen.CreateTable(s.dialect, m, inline); err != nil {
			return fmt.Errorf("kin: create the table of %s: %w", m.Name, err)
		}
	}
	for i, m := range missing { // all of them can be written
		for _, text := range statements[i] {
			if _, err := s.Exec(ctx, text, nil); err != nil {
				return fmt.Errorf("kin: create the table of %s: %w", m.Name, s.fault(ctx, nil, err))
			}
		}
	}
	for _, r := range later {
		if _, err := s.Exec(ctx, sqlgen.AddForeignKey(s.dialect, r), nil); err != nil {
			return fmt.Errorf("kin: create the foreign key %s: %w", r.GoName(), s.fault(ctx, nil, err))
		}
	}
	return nil
}

// tables returns the names of the tables that there are.
func (s *session) tables(ctx context.Context) (map[string]bool, error) {
	rows, err := s.column(ctx, s.dialect.Traits().Tables)
	if err != nil {
		return nil, fmt.Errorf("kin: list tables: %w", s.fault(ctx, nil, err))
	}
	names := make(map[string]bool, len(rows))
	for _, v := range rows {
		name, err := value.String(v)
		if err != nil {
			return nil, fmt.Errorf("kin: list tables: %w", err)
		}
		names[name] = true
	}
	return names, nil
}

// DropTables drops the tables of all models of db's registry, with all that
// is in them. Tables that do not exist are none to drop.
func DropTables(ctx context.Context, db Executor) error {
	s := db.session()
	g, err := s.forWriting()
	if err != nil {
		return err
	}
	return s.define(ctx, "DropTables", func(s *session) error { return s.dropTables(ctx, g) })
}

func (s *session) dropTables(ctx context.Context, g *schema.Graph) error {
	have, err := s.tables(ctx)
	if err != nil {
		return err
	}
	there := slices.DeleteFunc(inOrder(g), func(m *schema.Model) bool { return !have[m.Table] })
	if before := s.dialect.Traits().BeforeDrop; before != "" {
		if _, err := s.Exec(ctx, before, nil); err != nil {
			return fmt.Errorf("kin: drop tables: %w", s.fault(ctx, nil, err))
		}
	}
	for i, m := range there {
		for _, r := range m.Keys {
			if !s.dialect.Traits().AlterConstraints || !slices.Contains(there[i+1:], r.To) {
				continue // goes with its table, which goes before the other
			}
			if _, err := s.Exec(ctx, sqlgen.DropForeignKey(s.dialect, r), nil); err != nil {
				return fmt.Errorf("kin: drop the foreign key %s: %w", r.GoName(), s.fault(ctx, nil, err))
			}
		}
	}
	for _, m := range slices.Backward(there) {
		for _, text := range append(sqlgen.DropIndexes(s.dialect, m), sqlgen.DropTable(s.dialect, m.Table)) {
			if _, err := s.Exec(ctx, text, nil); err != nil {
				return fmt.Errorf("kin: drop the table of %s: %w", m.Name, s.fault(ctx, nil, err))
			}
		}
	}
	return nil
}

// inOrder returns the models so that each comes after those its foreign keys
// lead to, as far as they lead in no circle.
func inOrder(g *schema.Graph) []*schema.Model {
	var order []*schema.Model
	seen := map[*schema.Model]bool{}
	var visit func(m *schema.Model)
	visit = func(m *schema.Model) {
		if seen[m] {
			return
		}
		seen[m] = true
		for _, r := range m.Keys {
			visit(r.To)
		}
		order = append(order, m)
	}
	for _, m := range g.Models {
		visit(m)
	}
	return order
}
