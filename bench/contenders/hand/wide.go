package hand

import (
	"context"
	"database/sql"
	"strings"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders/plain"
	"github.com/kin-orm/kin/bench/data"
)

func (s *session) wideOps() map[string]bench.Op {
	columns := strings.Join(data.Columns(), ", ")
	var (
		one   = "SELECT " + columns + " FROM wides WHERE id = ?"
		some  = "SELECT " + columns + " FROM wides WHERE id > ? ORDER BY id LIMIT 100"
		all   = "SELECT " + columns + " FROM wides ORDER BY id"
		ticks = "SELECT id, name FROM ticks ORDER BY id"
	)
	return map[string]bench.Op{
		"read-one": bench.NewOp(func(ctx context.Context, run int) (*data.Wide, error) {
			st, err := s.stmt(ctx, one)
			if err != nil {
				return nil, err
			}
			w := &data.Wide{}
			return w, st.QueryRowContext(ctx, run%data.Cycle+1).Scan(fields(w)...)
		}, plain.Wide),
		"wide-100": bench.NewOp(func(ctx context.Context, run int) ([]*data.Wide, error) {
			return s.wides(ctx, make([]*data.Wide, 0, 100), some, run%data.Cycle*100)
		}, plain.Wides),
		"wide-10000": bench.NewOp(func(ctx context.Context, _ int) ([]*data.Wide, error) {
			return s.wides(ctx, nil, all)
		}, plain.Wides),
		"stream": bench.NewOp(func(ctx context.Context, _ int) (sum data.Sum, err error) {
			err = s.each(ctx, ticks, func(rows *sql.Rows) error {
				var id int64
				var name string
				err := rows.Scan(&id, &name)
				sum.Add(id, name)
				return err
			})
			return sum, err
		}, bench.Same),
	}
}

func (s *session) wides(ctx context.Context, list []*data.Wide, query string, args ...any) ([]*data.Wide, error) {
	err := s.each(ctx, query, func(rows *sql.Rows) error {
		w := &data.Wide{}
		list = append(list, w)
		return rows.Scan(&w.ID, &w.Quantity, &w.Level, &w.Name, &w.Code, &w.Note,
			&w.Active, &w.Hidden, &w.Price, &w.Ratio, &w.Created, &w.Updated)
	}, args...)
	return list, err
}

// fields returns where the columns of a Wide are scanned to.
func fields(w *data.Wide) []any {
	return []any{
		&w.ID, &w.Quantity, &w.Level, &w.Name, &w.Code, &w.Note,
		&w.Active, &w.Hidden, &w.Price, &w.Ratio, &w.Created, &w.Updated,
	}
}
