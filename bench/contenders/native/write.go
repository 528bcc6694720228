package native

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
)

func (s session) writes() map[string]bench.Op {
	insert := func(n int) bench.Op {
		rows := data.Inserted(n)
		return bench.NewOp(func(ctx context.Context, _ int) ([]data.Wide, error) {
			list := slices.Clone(rows())
			return list, s.insertMany(ctx, list)
		}, bench.Same)
	}
	const update = "UPDATE entries SET name = $1, quantity = $2 WHERE id = $3"
	one, first, thousand := data.Inserted(1), data.Edits(7, 1), data.Edits(1, 1000)
	return map[string]bench.Op{
		"insert-one": bench.NewOp(func(ctx context.Context, _ int) ([]data.Wide, error) {
			list := slices.Clone(one())
			w := &list[0]
			return list, s.pool.QueryRow(ctx, "INSERT INTO entries ("+strings.TrimPrefix(columns, "id, ")+
				") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id", w.Quantity, w.Level, w.Name, w.Code, w.Note,
				w.Active, w.Hidden, w.Price, w.Ratio, w.Created, w.Updated).Scan(&w.ID)
		}, bench.Same),
		"insert-1000":  insert(1000),
		"insert-10000": insert(10_000),
		"update-one": bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
			e := first(run)[0]
			tag, err := s.pool.Exec(ctx, update, e.Name, e.Quantity, e.ID)
			if err == nil && tag.RowsAffected() != 1 {
				err = pgx.ErrNoRows
			}
			return none, err
		}, bench.Same),
		"update-1000": bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
			batch := &pgx.Batch{} // which is a transaction
			for _, e := range thousand(run) {
				batch.Queue(update, e.Name, e.Quantity, e.ID)
			}
			return none, s.pool.SendBatch(ctx, batch).Close()
		}, bench.Same),
	}
}

// insertMany takes keys from the sequence, and sends rows with them by COPY.
func (s session) insertMany(ctx context.Context, list []data.Wide) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT nextval((SELECT pg_get_serial_sequence('entries', 'id')::regclass)) FROM generate_series(1, $1::bigint)", len(list))
		if err != nil {
			return err
		}
		keys, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"entries"}, data.Columns(), pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
			w := &list[i]
			w.ID = keys[i]
			return []any{
				w.ID, w.Quantity, w.Level, w.Name, w.Code, w.Note,
				w.Active, w.Hidden, w.Price, w.Ratio, w.Created, w.Updated,
			}, nil
		}))
		return err
	})
}
