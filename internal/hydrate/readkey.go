package hydrate

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A keyReader reads a key from where it is in a row.
type keyReader struct {
	slots []int
	types []dialect.Type
	whole int // of a key that is one int64, the slot and one; else 0
}

func newKeyReader(slots []int, columns []*schema.Column) keyReader {
	k := keyReader{slots: slots, types: types(columns)}
	if len(slots) == 1 && k.types[0].Kind == dialect.Int {
		k.whole = slots[0] + 1
	}
	return k
}

// read sets the key, which is zero, to that of a row, and reports whether a part
// of it is NULL. Most keys are one int64, which is not copied about.
func (k *keyReader) read(key *rel.Key, row []driver.Value) (null bool, err error) {
	if k.whole > 0 {
		if n, ok := row[k.whole-1].(int64); ok {
			key.N[0] = uint64(n)
			return false, nil
		}
	}
	return k.readAny(key, row)
}

func (k *keyReader) readAny(key *rel.Key, row []driver.Value) (null bool, err error) {
	if len(k.slots) == 1 {
		v := row[k.slots[0]]
		if v == nil {
			return true, nil
		}
		*key, err = rel.ReadKey(k.types[0], v)
		return false, err
	}
	parts := make([]rel.Key, len(k.slots))
	for i, slot := range k.slots {
		if row[slot] == nil {
			return true, nil
		}
		if parts[i], err = rel.ReadKey(k.types[i], row[slot]); err != nil {
			return false, err
		}
	}
	*key = rel.Join(parts)
	return false, nil
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
