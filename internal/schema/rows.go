package schema

import "reflect"

// RowsOf returns a model of rows of the struct type t that no table has: those of
// a query. Its columns have lookup names, and the types of values.
func RowsOf(t reflect.Type, table string, columns []*Column) *Model {
	m := &Model{Name: t.Name(), Type: t, Table: table, Struct: &Struct{Name: t.Name(), Type: t}, members: map[string]Member{}}
	for _, c := range columns {
		own := *c
		own.Model, own.Nullable = m, true
		own.Source = &own
		m.Columns = append(m.Columns, &own)
		m.members[own.Lookup] = Member{Column: &own}
	}
	return m
}
