package hydrate

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// readKey returns the key that the slots of a row have, or that one of them is
// NULL.
func readKey(row []driver.Value, slots []int, types []dialect.Type) (key rel.Key, null bool, err error) {
	if len(slots) == 1 {
		v := row[slots[0]]
		if n, ok := v.(int64); ok && types[0].Kind == dialect.Int {
			key.N[0] = uint64(n)
			return key, false, nil
		}
		if v == nil {
			return key, true, nil
		}
		key, err = rel.ReadKey(types[0], v)
		return key, false, err
	}
	parts := make([]rel.Key, len(slots))
	for i, slot := range slots {
		if row[slot] == nil {
			return key, true, nil
		}
		if parts[i], err = rel.ReadKey(types[i], row[slot]); err != nil {
			return key, false, err
		}
	}
	return rel.Join(parts), false, nil
}

// columnError says which column err is about.
func columnError(c *schema.Column, err error) error {
	if wrong, ok := errors.AsType[*DecryptError](err); ok {
		return wrong
	}
	at := fmt.Sprintf("%s (column %q of %q)", c.GoName(), c.Name, c.Model.Table)
	if errors.Is(err, errNull) {
		return fmt.Errorf("%s is NULL, which %s cannot hold; take a *%s or sql.Null[%s] for the field",
			at, c.Field.Type, c.Field.Base, c.Field.Base)
	}
	return fmt.Errorf("%s: %w", at, err)
}
