package replay

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
)

var (
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
)

// An answer is a whole result.
type answer struct {
	columns []string
	types   []string
	scans   []reflect.Type
	rows    [][]driver.Value
}

// record reads rows to their end and closes them.
func record(from driver.Rows) (a *answer, err error) {
	defer func() { err = errors.Join(err, from.Close()) }()
	a = &answer{columns: from.Columns()}
	a.types = make([]string, len(a.columns))
	a.scans = make([]reflect.Type, len(a.columns))
	names, _ := from.(driver.RowsColumnTypeDatabaseTypeName)
	scans, _ := from.(driver.RowsColumnTypeScanType)
	describe := func() {
		for i := range a.columns {
			a.scans[i] = reflect.TypeFor[any]()
			if names != nil {
				a.types[i] = names.ColumnTypeDatabaseTypeName(i)
			}
			if scans != nil {
				if t := scans.ColumnTypeScanType(i); t != nil {
					a.scans[i] = t
				}
			}
		}
	}
	for {
		row := make([]driver.Value, len(a.columns))
		err := from.Next(row)
		if len(a.rows) == 0 {
			describe() // SQLite tells types of a row
		}
		if errors.Is(err, io.EOF) {
			return a, nil
		}
		if err != nil {
			return nil, err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = bytes.Clone(b)
			}
		}
		a.rows = append(a.rows, row)
	}
}

// A rows reads an answer from memory.
type rows struct {
	*answer
	next int
}

func (r *rows) Columns() []string { return r.columns }
func (r *rows) Close() error      { return nil }

// Next hands out the recorded values themselves, so that no copy is measured.
func (r *rows) Next(dest []driver.Value) error {
	if r.next == len(r.rows) {
		return io.EOF
	}
	copy(dest, r.rows[r.next])
	r.next++
	return nil
}

func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return r.types[i] }
func (r *rows) ColumnTypeScanType(i int) reflect.Type   { return r.scans[i] }
