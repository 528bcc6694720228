package kin

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// insertChunk is the most rows that one INSERT is given: more make it no
// faster, but its text longer.
const insertChunk = 500

// Insert writes new rows. All fields are written, zero values too; only a
// primary key that the database generates is left to it while it is zero, and
// is set on the row afterwards, and so are fields tagged omitzero; fields tagged
// generated are always made by the database and set. Several rows are written in one transaction,
// or, if db is a transaction, behind a savepoint: all of them or none. If
// Insert fails, the rows are as they were before, and a transaction can go on.
//
// A foreign key to a row that is not saved is an error that says so.
func Insert[T any](ctx context.Context, db Executor, rows ...*T) error {
	return db.session().insertAll(ctx, reflect.TypeFor[T](), anyRows(rows))
}

// insertAll is [Insert] for rows of the type t, each a *T.
func (s *session) insertAll(ctx context.Context, t reflect.Type, rows []any) error {
	_, m, err := s.toWrite(t)
	if err != nil {
		return err
	}
	return s.insert(ctx, m, rows)
}

// insert is [Insert] for rows of the model m, which are *T.
func (s *session) insert(ctx context.Context, m *schema.Model, rows []any) error {
	if len(rows) == 0 {
		return nil
	}
	return s.batchWrite(inserting, m, rows, func(s *session, rows []any) error {
		in := inserter{model: m, rows: rows}
		if err := wholly(m, rows); err != nil {
			return fmt.Errorf("kin: insert of %s: %w", m.Name, err)
		}
		return s.around(ctx, write{op: inserting, model: m, rows: rows}, func(s *session) error {
			if err := in.runAll(ctx, s); err != nil {
				return fmt.Errorf("kin: insert of %s: %w", m.Name, s.fault(ctx, m, err))
			}
			if err := in.keep(); err != nil {
				return fmt.Errorf("kin: insert of %s: %w", m.Name, err)
			}
			s.remember(m, rows, nil)
			return nil
		})
	})
}

// An inserter inserts rows of one model.
type inserter struct {
	*session
	model   *schema.Model
	columns []*schema.Column // all but the generated one
	rows    []any
	fresh   []any            // those for which a key is generated
	keys    []driver.Value   // theirs
	left    []*schema.Column // that are left to the database
	first   []driver.Value   // of the first rows in columns, as they were checked
	arena   *hydrate.Arena   // of their values and those of others, or nil
	at      []int            // the places of rows in the call, or nil if they are all of its rows
	of      int              // how many those are
}

func (in *inserter) run(ctx context.Context, s *session) error {
	in.session = s
	in.columns = in.model.Inserted(in.left)
	if len(in.rows) > 1 {
		in.arena = &hydrate.Arena{}
	}
	scope, err := in.check(ctx)
	if err != nil {
		return err
	}
	given := in.given()
	returns := in.returns(scope)
	work := func(s *session) error {
		in.session = s
		err := s.reseal(ctx, in.model, in.rows, in.columns)
		if err == nil && returns {
			return s.fault(ctx, in.model, in.returning(ctx))
		}
		if err == nil {
			err = in.withKeys(ctx, given)
		}
		if err == nil {
			err = in.generated(ctx)
		}
		if err == nil {
			err = in.readBack(ctx, scope)
		}
		return s.fault(ctx, in.model, err) // before what undoing it may add
	}
	traits := s.dialect.Traits()
	rereads := !returns && len(in.made()) > 0
	advances := len(given) > 0 && in.model.Auto != nil && traits.Advance != ""
	if len(in.rows) == 1 && !advances && !rereads && (s.tx == nil || !traits.FailureAborts) {
		return work(s)
	}
	return s.transact(ctx, work)
}

// given returns the rows that have keys, and notes those for which they are to be
// generated: most often, one or the other is all of them.
func (in *inserter) given() []any {
	if in.model.Auto == nil {
		return in.rows
	}
	has := func(row any) bool { return hydrate.HasGenerated(in.model, row) }
	first := slices.IndexFunc(in.rows, has)
	if first < 0 {
		in.fresh = in.rows
		return nil
	}
	if first == 0 && !slices.ContainsFunc(in.rows, func(row any) bool { return !has(row) }) {
		return in.rows
	}
	var given []any
	for _, row := range in.rows {
		if has(row) {
			given = append(given, row)
		} else {
			in.fresh = append(in.fresh, row)
		}
	}
	return given
}

// check looks for rows that cannot be written before any is sent: all of them
// if the model has filters, which it returns, and the first ones if there are
// very many.
func (in *inserter) check(ctx context.Context) (*plan.Scope, error) {
	scope, err := in.scopeOf(ctx, in.model)
	if err != nil || scope == nil && len(in.rows) == 1 { // which is sent last
		return scope, err
	}
	n := len(in.columns)
	keep := !slices.ContainsFunc(in.columns, func(c *schema.Column) bool { return c.Cipher != nil }) // which keys may change for
	first := make([]driver.Value, 0, min(len(in.rows), insertChunk)*n)
	var values []driver.Value
	for i, row := range in.rows {
		if scope == nil && i == insertChunk {
			break
		}
		if values, err = in.encode(values[:0], row, nil, i); err != nil {
			return nil, err
		}
		if err := outside(scope, in.columns, values); err != nil {
			return nil, fmt.Errorf("%s %w", in.place(i), err)
		}
		if keep && i < insertChunk {
			first = append(first, values...)
		}
	}
	in.first = first
	return scope, nil
}

// keep sets in memory what the database has made.
func (in *inserter) keep() error {
	if err := in.setKeys(); err != nil {
		return err
	}
	for _, row := range in.rows {
		hydrate.Bind(in.model, row)
	}
	return nil
}

func (in *inserter) setKeys() error {
	for i, row := range in.fresh {
		if err := hydrate.SetGenerated(in.model, row, in.keys[i]); err != nil {
			return err
		}
	}
	return nil
}

// withKeys inserts rows whose keys are their own.
func (in *inserter) withKeys(ctx context.Context, rows []any) error {
	auto := in.model.Auto
	if auto == nil || len(rows) == 0 {
		return in.insertAll(ctx, in.columns, rows, nil)
	}
	keys := make([]driver.Value, len(rows))
	var highest int64
	for i, row := range rows {
		v, err := hydrate.Values(nil, []*schema.Column{auto}, row, in.dialect.Traits())
		if err != nil {
			return err
		}
		keys[i] = v[0]
		if n, ok := v[0].(int64); ok {
			highest = max(highest, n)
		}
	}
	err := in.insertAll(ctx, append(slices.Clip(in.columns), auto), rows, keys)
	if advance := in.dialect.Traits().Advance; err == nil && advance != "" {
		// A sequence does not know of keys that were not taken from it.
		_, err = in.column(ctx, advance, in.quoted(in.model), auto.Name, highest)
	}
	return err
}

// encode appends the values of a row, and its key if that is apart.
func (in *inserter) encode(values []driver.Value, row any, keys []driver.Value, i int) ([]driver.Value, error) {
	var err error
	if n := len(in.columns); (i+1)*n <= len(in.first) && in.rows[i] == row {
		values = append(values, in.first[i*n:(i+1)*n]...)
	} else {
		values, err = in.arena.Values(values, in.columns, row, in.dialect.Traits())
	}
	if err == nil && keys != nil {
		values = append(values, keys[i])
	}
	return values, err
}

// insertAll inserts rows with all their values, of which the keys are apart if
// they are not nil.
func (in *inserter) insertAll(ctx context.Context, columns []*schema.Column, rows []any, keys []driver.Value) error {
	switch copies, err := in.canCopy(ctx, in.model, columns, len(rows)); {
	case err != nil:
		return err
	case copies:
		return in.copyAll(ctx, columns, rows, keys)
	}
	return in.chunks(columns, rows, keys, func(_ int, text string, values []driver.Value) error {
		_, err := in.Exec(ctx, text, values)
		return err
	})
}

// copyAll is insertAll by the driver's own way.
func (in *inserter) copyAll(ctx context.Context, columns []*schema.Column, rows []any, keys []driver.Value) error {
	size := in.most(len(rows))
	values := make([]driver.Value, 0, len(columns))
	for from := 0; from < len(rows); from += size {
		i, to := from, min(from+size, len(rows))
		err := in.copyFrom(ctx, in.model, columns, func() ([]driver.Value, error) {
			if (i-from)%insertChunk == 0 && i > from {
				in.sent(insertChunk)
			}
			if i == to {
				return nil, io.EOF
			}
			v, err := in.encode(values, rows[i], keys, i)
			i++
			return v, err
		})
		if err != nil {
			return err
		}
		in.sent((to - from) % insertChunk)
	}
	return nil
}

// chunks calls run with an INSERT for each chunk of rows, its values, and where it
// begins.
// Rows are encoded chunk by chunk, so that there are never more of them at once.
func (in *inserter) chunks(columns []*schema.Column, rows []any, keys []driver.Value, run func(from int, text string, values []driver.Value) error) error {
	size := in.chunk(len(columns))
	if len(columns) == 0 {
		size = 1
	}
	size = min(size, len(rows))
	flat := make([]driver.Value, 0, size*len(columns))
	var text string
	for from, of := 0, 0; from < len(rows); from += size {
		flat = flat[:0]
		n := min(size, len(rows)-from)
		for i := from; i < from+n; i++ {
			var err error
			if flat, err = in.encode(flat, rows[i], keys, i); err != nil {
				return err
			}
		}
		if n != of { // else the text is that of the chunk before
			var err error
			if text, err = in.insertText(in.model, columns, nil, n); err != nil {
				return err
			}
			of = n
		}
		if err := run(from, text, flat); err != nil {
			return err
		}
		in.sent(n)
	}
	return nil
}
