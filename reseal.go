package kin

import (
	"context"
	"database/sql/driver"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// reseal readies the table for rows whose written columns are about to be
// written: what is unique, and there already under an older key, is encrypted
// with the primary one, so that the database sees the conflict. It changes no
// value, and asks nothing unless the keyring has older keys.
func (s *session) reseal(ctx context.Context, m *schema.Model, rows []any, written []*schema.Column) error {
	rotating := func(c *schema.Column) bool {
		return c.Cipher != nil && c.Cipher.Deterministic() && c.Cipher.Older() > 0
	}
	if !slices.ContainsFunc(written, rotating) {
		return nil
	}
	for _, set := range m.UniqueSets() {
		if !slices.ContainsFunc(set, rotating) || !slices.ContainsFunc(set, func(c *schema.Column) bool { return slices.Contains(written, c) }) {
			continue
		}
		sealed := slices.DeleteFunc(slices.Clone(set), func(c *schema.Column) bool { return !rotating(c) })
		var all [][]driver.Value
		for _, row := range rows {
			values, err := hydrate.Values(nil, set, row, s.dialect.Traits())
			if err != nil || slices.Contains(values, nil) {
				continue // a column that was not read is not written either; NULL conflicts with nothing
			}
			if all, err = olderForms(all, set, sealed, values); err != nil {
				return err
			}
		}
		size := s.chunk(len(sealed) + len(set))
		for part := range slices.Chunk(all, size) {
			text := sqlgen.UpdateMany(s.dialect, m.Table, sealed, set, part, nil)
			if text.Err != nil {
				return text.Err
			}
			if _, err := s.Exec(ctx, text.SQL, text.Args); err != nil {
				return err
			}
		}
	}
	return nil
}

// olderForms appends, for each way in which values may stand in the table with
// an older key somewhere, what the sealed columns are to be, and the way.
func olderForms(all [][]driver.Value, set, sealed []*schema.Column, values []driver.Value) ([][]driver.Value, error) {
	forms := [][]driver.Value{values}
	for i, c := range set {
		if !slices.Contains(sealed, c) {
			continue
		}
		older, err := c.Cipher.Others(values[i].([]byte))
		if err != nil {
			return nil, err
		}
		for _, form := range slices.Clip(forms) {
			for _, ciphertext := range older {
				other := slices.Clone(form)
				other[i] = ciphertext
				forms = append(forms, other)
			}
		}
	}
	for _, form := range forms[1:] { // the first has no older key
		row := make([]driver.Value, 0, len(sealed)+len(set))
		for i, c := range set {
			if slices.Contains(sealed, c) {
				row = append(row, values[i])
			}
		}
		all = append(all, append(row, form...))
	}
	return all, nil
}
