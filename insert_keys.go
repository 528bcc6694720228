package kin

import (
	"context"
	"database/sql/driver"
	"math"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// generated inserts rows whose keys the database generates. No database
// promises that RETURNING keeps the order of several rows, so the keys of
// those are found in ways that do: taken from the sequence beforehand, counted
// on from the last one where the transaction keeps all others from writing,
// counted from the first one where the server guarantees that they are
// consecutive, or else row by row.
func (in *inserter) generated(ctx context.Context) error {
	n := len(in.fresh)
	if n > 1 {
		keys, err := in.reserve(ctx, n)
		if err != nil {
			return err
		}
		if keys != nil {
			in.keys = keys
			return in.insertAll(ctx, append(slices.Clip(in.columns), in.model.Auto), in.fresh, keys)
		}
		if in.dialect.Traits().Consecutive != "" {
			return in.consecutive(ctx)
		}
	}
	in.keys = make([]driver.Value, n)
	return in.oneByOne(ctx)
}

// reserve returns n generated keys that no other row has or will get, or none
// if the database cannot tell them beforehand. It must run in a transaction.
func (in *inserter) reserve(ctx context.Context, n int) ([]driver.Value, error) {
	switch traits := in.dialect.Traits(); {
	case traits.Sequence != "":
		keys, err := in.column(ctx, traits.Sequence, in.quoted(in.model), in.model.Auto.Name, int64(n))
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
	names := strings.NewReplacer("{t}", in.quoted(in.model), "{c}", column)
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
	keys = make([]driver.Value, n)
	for i := range keys {
		keys[i] = in.arena.Int(last + int64(i) + 1)
	}
	return keys, nil
}

// consecutive inserts rows chunk by chunk: the keys of one INSERT follow the
// first one at a distance that the session knows.
func (in *inserter) consecutive(ctx context.Context) error {
	step, err := in.column(ctx, in.dialect.Traits().Consecutive)
	if err != nil {
		return err
	}
	distance, err := value.Int(step[0])
	if err != nil {
		return err
	}
	in.keys = make([]driver.Value, len(in.fresh))
	return in.chunks(in.columns, in.fresh, nil, func(from int, text string, values []driver.Value) error {
		result, err := in.Exec(ctx, text, values)
		if err != nil {
			return err
		}
		first, err := result.LastInsertId()
		if err != nil {
			return err
		}
		n := 1
		if len(in.columns) > 0 {
			n = len(values) / len(in.columns)
		}
		for i := range n {
			in.keys[from+i] = in.arena.Int(first + int64(i)*distance)
		}
		return nil
	})
}

// oneByOne inserts rows in a statement each.
func (in *inserter) oneByOne(ctx context.Context) error {
	values := make([]driver.Value, 0, len(in.columns))
	for i, row := range in.fresh {
		var err error
		if values, err = in.encode(values[:0], row, nil, i); err != nil {
			return err
		}
		if in.keys[i], err = in.insertOne(ctx, values); err != nil {
			return err
		}
		in.sent(1)
	}
	return nil
}

// insertOne runs an INSERT of one row with values, and returns the key it has
// generated.
func (in *inserter) insertOne(ctx context.Context, values []driver.Value) (driver.Value, error) {
	var returned []*schema.Column
	if in.dialect.Traits().Returning {
		returned = []*schema.Column{in.model.Auto}
	}
	text, err := in.insertText(in.model, in.columns, returned, 1)
	if err != nil {
		return nil, err
	}
	if returned != nil {
		keys, err := in.column(ctx, text, values...)
		if err != nil {
			return nil, err
		}
		return keys[0], nil
	}
	result, err := in.Exec(ctx, text, values)
	if err != nil {
		return nil, err
	}
	return result.LastInsertId()
}
