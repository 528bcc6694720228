package hand

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
)

// chunk is how many rows an INSERT has. More make none of the databases faster.
const chunk = 100

func (s *session) writeOps() map[string]bench.Op {
	inserted := func(list []data.Wide) any { return list }
	insert := func(n int) bench.Op {
		rows := data.Inserted(n)
		return bench.NewOp(func(ctx context.Context, _ int) ([]data.Wide, error) {
			list := slices.Clone(rows())
			return list, s.insertMany(ctx, list)
		}, inserted)
	}
	one, first, thousand := data.Inserted(1), data.Edits(7, 1), data.Edits(1, 1000)
	return map[string]bench.Op{
		"insert-one": bench.NewOp(func(ctx context.Context, _ int) ([]data.Wide, error) {
			list := slices.Clone(one())
			key, err := s.insert(ctx, s.insertText(1), values(nil, &list[0]))
			list[0].ID = key
			return list, err
		}, inserted),
		"insert-1000":  insert(1000),
		"insert-10000": insert(10_000),
		"update-one": bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
			st, err := s.stmt(ctx, update)
			if err != nil {
				return none, err
			}
			e := first(run)[0]
			return none, expect(st.ExecContext(ctx, e.Name, e.Quantity, e.ID))
		}, bench.Same),
		"update-1000": bench.NewOp(func(ctx context.Context, run int) (none struct{}, err error) {
			return none, s.updateMany(ctx, thousand(run))
		}, bench.Same),
	}
}

const update = "UPDATE entries SET name = ?, quantity = ? WHERE id = ?"

// expect returns an error unless a statement has changed one row.
func expect(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	switch n, err := r.RowsAffected(); {
	case err != nil:
		return err
	case n != 1:
		return sql.ErrNoRows
	}
	return nil
}

func (s *session) insertText(rows int) string {
	tuple := "(" + strings.Repeat("?, ", 10) + "?)"
	text := "INSERT INTO entries (" + strings.Join(data.Columns()[1:], ", ") + ") VALUES " + strings.Repeat(tuple+", ", rows-1) + tuple
	if s.Dialect == "postgres" {
		text += " RETURNING id"
	}
	return text
}

func values(args []any, w *data.Wide) []any {
	return append(args, w.Quantity, w.Level, w.Name, w.Code, w.Note, w.Active, w.Hidden, w.Price, w.Ratio, w.Created, w.Updated)
}

// insert inserts a row and returns its key.
func (s *session) insert(ctx context.Context, text string, args []any) (key int64, err error) {
	st, err := s.stmt(ctx, text)
	if err != nil {
		return 0, err
	}
	if s.Dialect == "postgres" {
		err = st.QueryRowContext(ctx, args...).Scan(&key)
		return key, err
	}
	r, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// insertMany inserts rows chunk by chunk, in one transaction, and sets their
// keys. All lists here are multiples of a chunk.
func (s *session) insertMany(ctx context.Context, list []data.Wide) error {
	return s.inTx(ctx, s.insertText(chunk), func(st *sql.Stmt) error {
		args := make([]any, 0, chunk*11)
		for ; len(list) > 0; list = list[chunk:] {
			args = args[:0]
			for i := range chunk {
				args = values(args, &list[i])
			}
			if err := s.insertChunk(ctx, st, list[:chunk], args); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *session) insertChunk(ctx context.Context, st *sql.Stmt, list []data.Wide, args []any) error {
	if s.Dialect == "postgres" { // which returns keys in the order of the rows
		rows, err := st.QueryContext(ctx, args...)
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
	r, err := st.ExecContext(ctx, args...)
	if err != nil {
		return err
	}
	// The keys of one statement follow each other: MariaDB tells the first one,
	// SQLite, where nobody else writes at the same time, the last one.
	first, err := r.LastInsertId()
	if err != nil {
		return err
	}
	if s.Dialect == "sqlite" {
		first -= int64(len(list)) - 1
	}
	for i := range list {
		list[i].ID = first + int64(i)
	}
	return nil
}

func (s *session) updateMany(ctx context.Context, edits []data.Edit) error {
	return s.inTx(ctx, update, func(st *sql.Stmt) error {
		for _, e := range edits {
			if err := expect(st.ExecContext(ctx, e.Name, e.Quantity, e.ID)); err != nil {
				return err
			}
		}
		return nil
	})
}

// inTx calls do with a kept statement in a transaction.
func (s *session) inTx(ctx context.Context, text string, do func(*sql.Stmt) error) error {
	kept, err := s.stmt(ctx, text)
	if err != nil {
		return err
	}
	tx, err := s.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	st := tx.StmtContext(ctx, kept)
	if err := errors.Join(do(st), st.Close()); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
