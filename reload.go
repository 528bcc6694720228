package kin

import (
	"context"
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// Reload reads rows anew: all columns, into the same values. Relations that
// are loaded stay so, but for foreign keys that have changed. If a row is not
// in the database any more, the error is [ErrNotFound], and no row is
// touched. Rows that are softly deleted are found.
func Reload[T any](ctx context.Context, db Executor, rows ...*T) error {
	s := db.session()
	ctx = s.onPrimary(ctx)
	g, err := s.space.graph()
	if err != nil {
		return err
	}
	m, err := modelOf(g, reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	keys := make([]rel.Key, len(rows))
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("kin: reload of %s: row %d of %d is nil", m.Name, i+1, len(rows))
		}
		if keys[i], err = hydrate.KeyOf(m.Struct.Key(), row); err != nil {
			return fmt.Errorf("kin: reload of %s: row %d of %d %w", m.Name, i+1, len(rows), err)
		}
	}
	found := make(map[rel.Key]*T, len(rows))
	for from, size := 0, s.chunk(len(m.Key)); from < len(keys); from += size {
		q := QuerySet[T]{&query{keys: keys[from:min(from+size, len(keys))], deleted: true}}
		part, _, err := readRows(ctx, db, q) // the hooks are for rows, not for these
		if err != nil {
			return err
		}
		for _, row := range part {
			key, err := hydrate.KeyOf(m.Struct.Key(), row)
			if err != nil {
				return err
			}
			found[key] = row
		}
	}
	for _, key := range keys {
		if found[key] == nil {
			return fmt.Errorf("kin: reload of %s: %w: %s", m.Name, ErrNotFound, keyText(m.Type, key, false, nil))
		}
	}
	renew := func() {
		for i, row := range rows {
			hydrate.Copy(m, row, found[keys[i]])
		}
	}
	if !m.Struct.Hooks.Has(schema.AfterLoad) {
		renew()
		return nil
	}
	return restoring(anyRows(rows), func() error {
		renew()
		return afterLoad(ctx, anyRows(rows))
	})
}
