package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// bareLinks are the links of one row in a link table without struct.
type bareLinks struct {
	field hydrate.List
	via   *schema.Via
	owner rel.Key
}

func (b *bareLinks) hold(rows []any, _ []rel.Key) { b.field.Hold(rows) }

func (b *bareLinks) linkOf(rel.Key) any { return nil }

func (b *bareLinks) add(ctx context.Context, s *session, _ []any, keys []rel.Key) error {
	ours, theirs := b.via.Link.ToColumns, b.via.Target.FromColumns
	columns := slices.Concat(ours, theirs)
	seen := make(map[rel.Key]bool, len(keys))
	var rows [][]driver.Value
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		row, err := keyValues(nil, b.owner, ours, s)
		if err == nil {
			row, err = keyValues(row, key, theirs, s)
		}
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	for chunk := range slices.Chunk(rows, s.chunk(len(columns))) {
		text := sqlgen.Upsert(s.dialect, b.via.Link.To, columns, chunk, columns, nil, nil)
		err := b.run(ctx, s, text, nil)
		if _, gone := errors.AsType[*ForeignKeyError](err); gone {
			return fmt.Errorf("%w: one of the rows, or that which they are added to: %w", ErrNotFound, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keyValues appends the values of a key as columns have them.
func keyValues(row []driver.Value, key rel.Key, columns []*schema.Column, s *session) ([]driver.Value, error) {
	for i, part := range rel.Split(key, len(columns)) {
		v, err := hydrate.KeyValue(part, columns[i], s.dialect.Traits())
		if err != nil {
			return nil, err
		}
		row = append(row, v)
	}
	return row, nil
}

func (b *bareLinks) run(ctx context.Context, s *session, text sqlgen.Text, n *int64) error {
	if text.Err != nil {
		return text.Err
	}
	result, err := s.Exec(ctx, text.SQL, text.Args)
	if err != nil {
		return s.fault(ctx, b.via.Link.To, err)
	}
	if n == nil {
		return nil
	}
	changed, err := result.RowsAffected()
	*n += changed
	return err
}

func (b *bareLinks) remove(ctx context.Context, s *session, keys []rel.Key) (n int64, err error) {
	if _, err := s.forWriting(); err != nil {
		return 0, err
	}
	filter, err := s.filterRows(ctx)
	if err != nil {
		return 0, err
	}
	others := len(b.via.Link.ToColumns)
	if filter != nil {
		others += 100 // parameters of filters
	}
	size := max(1, (s.dialect.Traits().MaxParams-others)/len(b.via.Target.FromColumns))
	for from := 0; from == 0 || from < len(keys); from += size {
		where, err := plan.Links(b.via, b.owner, keys[from:min(from+size, len(keys))], s.dialect, filter)
		if err != nil {
			return n, err
		}
		if err := b.run(ctx, s, sqlgen.Delete(s.dialect, b.via.Link.To.Table, where), &n); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (b *bareLinks) keys(ctx context.Context, s *session) (keys []rel.Key, err error) {
	filter, err := s.filterRows(ctx)
	if err != nil {
		return nil, err
	}
	stmt, err := plan.LinkedKeys(b.via, b.owner, s.dialect, filter)
	if err != nil {
		return nil, err
	}
	text := sqlgen.Write(stmt, s.dialect)
	if text.Err != nil {
		return nil, text.Err
	}
	columns := b.via.Target.FromColumns
	_, err = s.Each(ctx, text.SQL, text.Args, len(columns), exec.Few, func(row []driver.Value) error {
		key, err := keyIn(columns, row)
		keys = append(keys, key)
		return err
	})
	if err != nil {
		return nil, s.fault(ctx, b.via.Link.To, err)
	}
	return keys, nil
}
