package sqlx

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
)

// chunk is how many rows an INSERT has.
const chunk = 100

func (s *session) writes() map[string]bench.Op {
	insert := func(n int) bench.Op {
		rows := data.Inserted(n)
		return bench.NewOp(func(ctx context.Context, _ int) ([]data.Wide, error) {
			list := slices.Clone(rows())
			return list, s.inTx(ctx, func(tx *sqlx.Tx) error {
				for from := 0; from < n; from += chunk {
					if err := s.insert(ctx, tx, list[from:from+chunk]); err != nil {
						return err
					}
				}
				return nil
			})
		}, bench.Same)
	}
	const update = "UPDATE entries SET name = :name, quantity = :quantity WHERE id = :id"
	one, first, thousand := data.Inserted(1), data.Edits(7, 1), data.Edits(1, 1000)
	return map[string]bench.Op{
		"insert-one": bench.NewOp(func(ctx context.Context, _ int) ([]data.Wide, error) {
			list := slices.Clone(one())
			return list, s.insert(ctx, s.db, list)
		}, bench.Same),
		"insert-1000":  insert(1000),
		"insert-10000": insert(10_000),
		"update-one": bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
			return none, expect(s.db.NamedExecContext(ctx, update, first(run)[0]))
		}, bench.Same),
		"update-1000": bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
			return none, s.inTx(ctx, func(tx *sqlx.Tx) error {
				st, err := tx.PrepareNamedContext(ctx, update)
				if err != nil {
					return err
				}
				defer st.Close()
				for _, e := range thousand(run) {
					if err := expect(st.ExecContext(ctx, e)); err != nil {
						return err
					}
				}
				return nil
			})
		}, bench.Same),
	}
}

// expect returns an error unless a statement has changed one row.
func expect(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, sql.ErrNoRows)
	}
	return nil
}

// insert inserts rows by one statement and sets their keys.
func (s *session) insert(ctx context.Context, on sqlx.ExtContext, list []data.Wide) error {
	names := data.Columns()[1:]
	text := "INSERT INTO entries (" + strings.Join(names, ", ") + ") VALUES (:" + strings.Join(names, ", :") + ")"
	if s.Dialect == "postgres" {
		rows, err := sqlx.NamedQueryContext(ctx, on, text+" RETURNING id", list)
		if err != nil {
			return err
		}
		defer rows.Close()
		for i := 0; rows.Next(); i++ {
			if err := rows.Scan(&list[i].ID); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	r, err := sqlx.NamedExecContext(ctx, on, text, list)
	if err != nil {
		return err
	}
	first, err := r.LastInsertId()
	if err != nil {
		return err
	}
	if s.Dialect == "sqlite" { // which tells the last key, MariaDB the first one
		first -= int64(len(list)) - 1
	}
	for i := range list {
		list[i].ID = first + int64(i)
	}
	return nil
}

func (s *session) inTx(ctx context.Context, do func(tx *sqlx.Tx) error) error {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
