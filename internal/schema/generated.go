package schema

import (
	"slices"
	"strings"
)

// An Index is one that a list of columns cannot say; see the root package.
type Index struct {
	Name    string
	Columns []string
	Where   string
	Unique  bool

	FullText bool
}

// An IndexPart is one thing that an index sorts by: a column, or an expression
// in SQL, in parentheses.
type IndexPart struct {
	Column     *Column
	Expression string
	Descending bool
}

// PartsOf returns what an index sorts by: of a foreign key, all its columns. If
// a name in it is none of m's columns, it returns that and false.
func (m *Model) PartsOf(ix Index) (parts []IndexPart, bad string, ok bool) {
	for _, name := range ix.Columns {
		if strings.HasPrefix(name, "(") {
			parts = append(parts, IndexPart{Expression: name})
			continue
		}
		name, descending := strings.CutPrefix(name, "-")
		columns, bad, ok := m.ColumnsOf([]string{name})
		if !ok {
			return nil, bad, false
		}
		for _, c := range columns {
			parts = append(parts, IndexPart{Column: c, Descending: descending})
		}
	}
	return parts, "", true
}

// plainColumns returns the columns of an index, of which expressions are none,
// and whether they are all that it sorts by.
func (m *Model) plainColumns(ix Index) (columns []*Column, all bool) {
	parts, _, _ := m.PartsOf(ix)
	for _, p := range parts {
		if p.Column != nil {
			columns = append(columns, p.Column)
		}
	}
	return columns, len(columns) == len(parts)
}

// IndexColumns returns the columns of the unique special index of m that is
// called name, or nothing if there is none or it has expressions.
func (m *Model) IndexColumns(name string) []*Column {
	for _, ix := range m.Struct.Table.SpecialIndexes {
		if columns, all := m.plainColumns(ix); ix.Unique && all && ix.Name == name {
			return columns
		}
	}
	return nil
}

// IndexOver returns the name of the one unique special index of m that has the
// columns of the given names, or nothing if there is none, or something else
// that may be meant.
func (m *Model) IndexOver(names []string) (name string) {
	var over []*Column
	for _, c := range m.Columns {
		if slices.Contains(names, c.Name) {
			over = append(over, c)
		}
	}
	if len(over) == 0 || m.IsUnique(over) {
		return ""
	}
	for _, ix := range m.Struct.Table.SpecialIndexes {
		if columns, all := m.plainColumns(ix); ix.Unique && all && sameColumns(columns, over) {
			if name != "" {
				return ""
			}
			name = ix.Name
		}
	}
	return name
}

// mostIndexName is the length of a name in bytes beyond which PostgreSQL cuts
// it without a word.
const mostIndexName = 63

// specialIndexes checks the special indexes of m.
func (r *resolver) specialIndexes(m *Model) {
	for _, ix := range m.Struct.Table.SpecialIndexes {
		parts, bad, ok := m.PartsOf(ix)
		switch {
		case ix.Name == "":
			r.problem(m, "", "has a special index without a Name, by which errors speak of it; give it one")
			continue
		case !ok:
			r.problem(m, "", "has no column %q, which its index %q names%s", bad, ix.Name, Suggest(bad, m.Members()))
		case len(parts) == 0:
			r.problem(m, "", "has the index %q, which has no Columns", ix.Name)
		case len(ix.Name) > mostIndexName:
			r.problem(m, "", "has the index %q, whose name has more than %d bytes; shorten it", ix.Name, mostIndexName)
		}
		if other := r.indexes[ix.Name]; other != nil {
			r.problem(m, "", "has the index %q, and so has %s; the names of indexes are unique in the database", ix.Name, other.Name)
		}
		r.indexes[ix.Name] = m
		if ix.FullText {
			r.fullText(m, ix, parts)
			continue
		}
		for _, p := range parts {
			if p.Column != nil {
				p.Column.Value.Key = true // it is in an index, which cannot hold every type
			}
		}
	}
}

// generated checks the options of the field f that leave its value to the
// database.
func (s *Struct) generated(f *Field) {
	tag := f.Tag
	set := tag.AutoCreate || tag.AutoUpdate || tag.Version || tag.SoftDelete
	switch {
	case tag.Generated != "" && (tag.Key || tag.Auto):
		s.problem(f.Name, "has the tag option generated, but is a primary key, by which kin finds the row that it has written")
	case tag.Generated != "" && (tag.Default != "" || tag.OmitZero):
		s.problem(f.Name, "has the tag option generated, and default or omitzero too; a generated column is never written")
	case tag.Generated != "" && set:
		s.problem(f.Name, "has the tag option generated, and another by which kin sets its value; take off one")
	case tag.Generated != "" && f.Encrypted != nil:
		s.problem(f.Name, "has the tag option generated, but is a kin.Encrypted, which the database cannot encrypt")
	case tag.OmitZero && (tag.Key || tag.Auto):
		s.problem(f.Name, "has the tag option omitzero, but is a primary key; an integer is left to the database by auto, and others are made by a KinDefaults method")
	case tag.OmitZero && set:
		s.problem(f.Name, "has the tag option omitzero, and another by which kin sets its value; take off one")
	case tag.OmitZero && f.Encrypted != nil:
		s.problem(f.Name, "has the tag option omitzero, but is a kin.Encrypted, which the database cannot encrypt")
	}
}

// leaves notes that the database may make the value of the column c.
func (m *Model) leaves(c *Column) {
	switch tag := c.Field.Tag; {
	case tag.Generated != "":
		c.Computed = true
		m.Computed = append(m.Computed, c)
	case tag.OmitZero:
		m.Omits = append(m.Omits, c)
	}
}

// ReadsBack reports whether the database makes values of m's rows beside the
// primary key.
func (m *Model) ReadsBack() bool { return len(m.Computed)+len(m.Omits) > 0 }

// Inserted returns the columns that an insert writes: all but the generated
// key, those that the database computes, and those that are left to it. They are
// not to be changed.
func (m *Model) Inserted(left []*Column) []*Column {
	if len(left) > 0 {
		return m.insertedBut(left)
	}
	m.insertedOnce.Do(func() { m.inserted = slices.Clip(m.insertedBut(nil)) })
	return m.inserted
}

func (m *Model) insertedBut(left []*Column) []*Column {
	columns := make([]*Column, 0, len(m.Columns))
	for _, c := range m.Columns {
		if !c.Auto && !c.Computed && !slices.Contains(left, c) {
			columns = append(columns, c)
		}
	}
	return columns
}
