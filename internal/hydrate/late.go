package hydrate

import (
	"bytes"
	"database/sql/driver"
	"slices"
)

// The lateRows are those whose parents had not come when they did.
type lateRows [][]driver.Value

// add keeps the current row.
func (l *lateRows) add(row []driver.Value) {
	row = slices.Clone(row)
	for i, v := range row {
		if b, ok := v.([]byte); ok {
			row[i] = bytes.Clone(b) // it is the driver's
		}
	}
	*l = append(*l, row)
}

// take calls read with each row until no more parents come. What is left has a
// foreign key that leads nowhere.
func (l *lateRows) take(read func([]driver.Value) error) error {
	for len(*l) > 0 {
		rows := *l
		*l = nil
		for _, row := range rows {
			if err := read(row); err != nil {
				return err
			}
		}
		if len(*l) == len(rows) {
			*l = nil
		}
	}
	return nil
}
