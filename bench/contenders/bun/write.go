package bun

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
)

func (s *session) addWrites(ops map[string]bench.Op) {
	insert := func(n int) bench.Op {
		rows := data.Inserted(n)
		return bench.NewOp(func(ctx context.Context, _ int) ([]*entry, error) {
			list := make([]*entry, n)
			for i := range list {
				list[i] = &entry{columns: columns(rows()[i])}
			}
			_, err := s.db.NewInsert().Model(&list).Exec(ctx)
			return list, err
		}, normalEntries)
	}
	one, first, thousand := data.Inserted(1), data.Edits(7, 1), data.Edits(1, 1000)
	ops["insert-one"] = bench.NewOp(func(ctx context.Context, _ int) ([]*entry, error) {
		e := &entry{columns: columns(one()[0])}
		_, err := s.db.NewInsert().Model(e).Exec(ctx)
		return []*entry{e}, err
	}, normalEntries)
	ops["insert-1000"] = insert(1000)
	ops["insert-10000"] = insert(10_000)
	ops["update-one"] = bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
		return none, update(ctx, s.db, first(run)[0])
	}, bench.Same)
	ops["update-1000"] = bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
		if s.Dialect == "mysql" { // MariaDB updates nothing from a WITH
			return none, s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				for _, e := range thousand(run) {
					if err := update(ctx, tx, e); err != nil {
						return err
					}
				}
				return nil
			})
		}
		var list []*entry
		for _, e := range thousand(run) {
			list = append(list, edited(e))
		}
		_, err = s.db.NewUpdate().Model(&list).Column("name", "quantity").Bulk().Exec(ctx)
		return none, err
	}, bench.Same)
}

func edited(e data.Edit) *entry {
	return &entry{columns: columns{ID: e.ID, Name: e.Name, Quantity: e.Quantity}}
}

func update(ctx context.Context, db bun.IDB, e data.Edit) error {
	r, err := db.NewUpdate().Model(edited(e)).Column("name", "quantity").WherePK().Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return sql.ErrNoRows
	}
	return nil
}
