package hydrate

import (
	"bytes"
	"database/sql/driver"
	"slices"
)

// The lateRows are those whose parents had not come when they did.
type lateRows struct {
	missed bool // whether the current row is one
	rows   [][]driver.Value
}

// add keeps the current row.
func (l *lateRows) add(row []driver.Value) {
	l.missed = false
	row = slices.Clone(row)
	for i, v := range row {
		if b, ok := v.([]byte); ok {
			row[i] = bytes.Clone(b) // it is the driver's
		}
	}
	l.rows = append(l.rows, row)
}

// take calls read with each row until no more parents come. What is left has a
// foreign key that leads nowhere.
func (l *lateRows) take(read func([]driver.Value) error) error {
	for len(l.rows) > 0 {
		rows := l.rows
		l.rows = nil
		for _, row := range rows {
			if err := read(row); err != nil {
				return err
			}
		}
		if len(l.rows) == len(rows) {
			l.rows = nil
		}
	}
	return nil
}
