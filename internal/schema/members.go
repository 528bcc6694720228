package schema

// ColumnsOf returns the columns of the members with the given lookup names.
// If one has none, it returns its name and false.
func (m *Model) ColumnsOf(lookups []string) (columns []*Column, bad string, ok bool) {
	columns = make([]*Column, 0, len(lookups)+1) // and the version
	for _, name := range lookups {
		mem, found := m.Member(name)
		switch {
		case found && mem.Column != nil:
			columns = append(columns, mem.Column)
		case found && mem.Relation.Kind == ToOne:
			columns = append(columns, mem.Relation.FromColumns...)
		default:
			return nil, name, false
		}
	}
	return columns, "", true
}

// FieldOf returns the field that holds the column, or the foreign key, that the
// lookup name names, or nil.
func (m *Model) FieldOf(name string) *Field {
	switch mem, _ := m.Member(name); {
	case mem.Column != nil:
		return mem.Column.Field
	case mem.Relation != nil && mem.Relation.Kind == ToOne:
		return mem.Relation.Field
	default:
		return nil
	}
}

// ColumnNames returns the names of columns in the database.
func ColumnNames(columns []*Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}
