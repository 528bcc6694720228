package kin

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
	"github.com/kin-orm/kin/internal/value"
)

// insertChunk is the most rows that one INSERT is given: more make it no
// faster, but its text longer.
const insertChunk = 500

// Insert writes new rows. All fields are written, zero values too; only a
// primary key that the database generates is left to it while it is zero, and
// is set on the row afterwards. Several rows are written in one transaction,
// or, if db is a transaction, behind a savepoint: all of them or none. If
// Insert fails, the rows are as they were before, and a transaction can go on.
//
// A foreign key to a row that is not saved is an error that says so.
func Insert[T any](ctx context.Context, db Executor, rows ...*T) error {
	s := db.session()
	_, m, err := toWrite[T](s)
	if err != nil {
		return err
	}
	return s.insert(ctx, m, anyRows(rows))
}

// insert is [Insert] for rows of the model m, which are *T.
func (s *session) insert(ctx context.Context, m *schema.Model, rows []any) error {
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("kin: insert of %s: row %d of %d is nil", m.Name, i+1, len(rows))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	in := inserter{model: m, rows: rows}
	return s.around(ctx, write{op: inserting, model: m, rows: rows}, func(s *session) error {
		if err := in.run(ctx, s); err != nil {
			return fmt.Errorf("kin: insert of %s: %w", m.Name, s.fault(ctx, m, err))
		}
		for i, row := range rows {
			if in.keys != nil && in.keys[i] != nil {
				if err := hydrate.SetGenerated(m, row, in.keys[i]); err != nil {
					return fmt.Errorf("kin: insert of %s: %w", m.Name, err)
				}
			}
			hydrate.Bind(m, row)
		}
		s.remember(m, rows, nil)
		return nil
	})
}

// An inserter inserts rows of one model.
type inserter struct {
	*session
	model  *schema.Model
	rows   []any
	values [][]driver.Value // by row, of all columns but the generated one
	keys   []driver.Value   // generated, by row
}

func (in *inserter) run(ctx context.Context, s *session) error {
	in.session = s
	var columns []*schema.Column
	for _, c := range in.model.Columns {
		if !c.Auto {
			columns = append(columns, c)
		}
	}
	scope, err := s.scopeOf(ctx, in.model)
	if err != nil {
		return err
	}
	var given, open []int // rows whose key is set, and those for which one is generated
	for i, row := range in.rows {
		values, err := hydrate.Values(nil, columns, row, s.dialect.Traits())
		if err != nil {
			return err
		}
		if err := outside(scope, columns, values); err != nil {
			return fmt.Errorf("row %d of %d %w", i+1, len(in.rows), err)
		}
		in.values = append(in.values, values)
		if in.model.Auto != nil && !hydrate.HasGenerated(in.model, row) {
			open = append(open, i)
		} else {
			given = append(given, i)
		}
	}
	work := func(s *session) error {
		in.session = s
		err := s.reseal(ctx, in.model, in.rows, columns)
		if err == nil {
			err = in.withKeys(ctx, columns, given)
		}
		if err == nil {
			err = in.generated(ctx, columns, open)
		}
		return s.fault(ctx, in.model, err) // before what undoing it may add
	}
	traits := s.dialect.Traits()
	advances := len(given) > 0 && in.model.Auto != nil && traits.Advance != ""
	if len(in.rows) == 1 && !advances && (s.tx == nil || !traits.FailureAborts) {
		return work(s)
	}
	return s.transact(ctx, work)
}

// withKeys inserts rows whose keys are their own.
func (in *inserter) withKeys(ctx context.Context, columns []*schema.Column, rows []int) error {
	if len(rows) == 0 {
		return nil
	}
	values := make([][]driver.Value, len(rows))
	for i, at := range rows {
		values[i] = in.values[at]
	}
	auto := in.model.Auto
	var highest int64
	if auto != nil {
		columns = append(slices.Clip(columns), auto)
		for i, at := range rows {
			v, err := hydrate.Values(nil, []*schema.Column{auto}, in.rows[at], in.dialect.Traits())
			if err != nil {
				return err
			}
			if n, ok := v[0].(int64); ok {
				highest = max(highest, n)
			}
			values[i] = append(values[i], v[0])
		}
	}
	err := in.insertAll(ctx, columns, values)
	if advance := in.dialect.Traits().Advance; err == nil && auto != nil && advance != "" {
		// A sequence does not know of keys that were not taken from it.
		_, err = in.column(ctx, advance, in.quoted(), auto.Name, highest)
	}
	return err
}

func (in *inserter) quoted() string { return string(in.dialect.AppendIdent(nil, in.model.Table)) }

// insertAll inserts rows that have all their values, key included.
func (in *inserter) insertAll(ctx context.Context, columns []*schema.Column, values [][]driver.Value) error {
	return in.chunks(columns, values, func(_ int, text sqlgen.Text) error {
		_, err := in.Exec(ctx, text.SQL, anys(text.Args))
		return err
	})
}

// chunks calls run with an INSERT for each chunk of rows, and where it begins.
func (in *inserter) chunks(columns []*schema.Column, values [][]driver.Value, run func(from int, text sqlgen.Text) error) error {
	size := in.chunk(len(columns))
	if len(columns) == 0 {
		size = 1
	}
	for from := 0; from < len(values); from += size {
		to := min(from+size, len(values))
		text := sqlgen.Insert(in.dialect, in.model.Table, columns, values[from:to], nil)
		if text.Err != nil {
			return text.Err
		}
		if err := run(from, text); err != nil {
			return err
		}
	}
	return nil
}

// generated inserts rows whose keys the database generates. No database
// promises that RETURNING keeps the order of several rows, so the keys of
// those are found in ways that do: taken from the sequence beforehand, counted
// on from the last one where the transaction keeps all others from writing,
// counted from the first one where the server guarantees that they are
// consecutive, or else row by row.
func (in *inserter) generated(ctx context.Context, columns []*schema.Column, rows []int) error {
	if len(rows) == 0 {
		return nil
	}
	in.keys = make([]driver.Value, len(in.rows))
	if len(rows) > 1 {
		keys, err := in.reserve(ctx, len(rows))
		if err != nil {
			return err
		}
		if keys != nil {
			return in.withGenerated(ctx, columns, rows, keys)
		}
		if in.dialect.Traits().Consecutive != "" {
			return in.consecutive(ctx, columns, rows)
		}
	}
	return in.oneByOne(ctx, columns, rows)
}

// reserve returns n generated keys that no other row has or will get, or none
// if the database cannot tell them beforehand. It must run in a transaction.
func (in *inserter) reserve(ctx context.Context, n int) ([]driver.Value, error) {
	switch traits := in.dialect.Traits(); {
	case traits.Sequence != "":
		keys, err := in.column(ctx, traits.Sequence, in.quoted(), in.model.Auto.Name, int64(n))
		if err != nil || len(keys) != n || keys[0] == nil {
			return nil, err // the column has no sequence
		}
		return keys, nil
	case traits.LastKeys != nil:
		return in.afterLast(ctx, n)
	}
	return nil, nil
}

// afterLast returns the n keys that follow the highest one so far, or none if
// there are not so many.
func (in *inserter) afterLast(ctx context.Context, n int) (keys []driver.Value, err error) {
	column := string(in.dialect.AppendIdent(nil, in.model.Auto.Name))
	names := strings.NewReplacer("{t}", in.quoted(), "{c}", column)
	var found []driver.Value
	for _, query := range in.dialect.Traits().LastKeys {
		if found, err = in.column(ctx, names.Replace(query), in.model.Table); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	last, err := value.Int(found[0])
	if err != nil || last > math.MaxInt64-int64(n) {
		return nil, err
	}
	for i := range n {
		keys = append(keys, last+int64(i)+1)
	}
	return keys, nil
}

// withGenerated inserts rows with keys that no other row has or will get.
func (in *inserter) withGenerated(ctx context.Context, columns []*schema.Column, rows []int, keys []driver.Value) error {
	columns = append(slices.Clip(columns), in.model.Auto)
	values := make([][]driver.Value, len(rows))
	for i, at := range rows {
		in.keys[at] = keys[i]
		values[i] = append(in.values[at], keys[i])
	}
	return in.insertAll(ctx, columns, values)
}

// consecutive inserts rows chunk by chunk: the keys of one INSERT follow the
// first one at a distance that the session knows.
func (in *inserter) consecutive(ctx context.Context, columns []*schema.Column, rows []int) error {
	step, err := in.column(ctx, in.dialect.Traits().Consecutive)
	if err != nil {
		return err
	}
	distance, err := value.Int(step[0])
	if err != nil {
		return err
	}
	values := make([][]driver.Value, len(rows))
	for i, at := range rows {
		values[i] = in.values[at]
	}
	return in.chunks(columns, values, func(from int, text sqlgen.Text) error {
		result, err := in.Exec(ctx, text.SQL, anys(text.Args))
		if err != nil {
			return err
		}
		first, err := result.LastInsertId()
		if err != nil {
			return err
		}
		for i := range min(len(rows)-from, len(text.Args)/max(1, len(columns))) {
			in.keys[rows[from+i]] = first + int64(i)*distance
		}
		if len(columns) == 0 {
			in.keys[rows[from]] = first
		}
		return nil
	})
}

// oneByOne inserts rows in a statement each.
func (in *inserter) oneByOne(ctx context.Context, columns []*schema.Column, rows []int) error {
	returning := in.model.Auto
	if !in.dialect.Traits().Returning {
		returning = nil
	}
	for _, at := range rows {
		text := sqlgen.Insert(in.dialect, in.model.Table, columns, in.values[at:at+1], returning)
		if returning != nil {
			keys, err := in.column(ctx, text.SQL, anys(text.Args)...)
			if err != nil {
				return err
			}
			in.keys[at] = keys[0]
			continue
		}
		result, err := in.Exec(ctx, text.SQL, anys(text.Args))
		if err != nil {
			return err
		}
		if in.keys[at], err = result.LastInsertId(); err != nil {
			return err
		}
	}
	return nil
}

func anys(values []driver.Value) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}
