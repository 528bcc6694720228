package schema

import (
	"fmt"
	"slices"
)

// fullText checks a full-text index of m.
func (r *resolver) fullText(m *Model, ix Index, parts []IndexPart) {
	if ix.Unique || ix.Where != "" {
		r.problem(m, "", "has the full-text index %q, which takes neither Unique nor Where", ix.Name)
	}
	for _, p := range parts {
		switch {
		case p.Column == nil || p.Descending:
			r.problem(m, "", "has the full-text index %q, whose columns are texts, without SQL or order", ix.Name)
		case !p.Column.IsText():
			r.problem(m, "", "has the full-text index %q of %s, a %s; it takes texts", ix.Name, p.Column.GoName(), p.Column.Source.Field.Type)
		}
	}
}

// FullText returns the full-text index of m with the columns, in any order, or
// its only one if there are none.
func (m *Model) FullText(columns []*Column) (Index, []*Column, error) {
	var known []string
	var found Index
	var parts []*Column
	for _, ix := range m.Struct.Table.SpecialIndexes {
		if !ix.FullText {
			continue
		}
		known = append(known, fmt.Sprintf("%s of %s", ix.Name, ix.Columns))
		of, _ := m.plainColumns(ix)
		if len(columns) == 0 || len(of) == len(columns) && !slices.ContainsFunc(columns, func(c *Column) bool { return !slices.Contains(of, c) }) {
			found, parts = ix, of
		}
	}
	switch {
	case len(known) == 0:
		return found, nil, fmt.Errorf("kin: %s has no full-text index, without which it cannot be searched; "+
			`declare kin.Index{Name: …, Columns: …, FullText: true} in KinTable`, m.Name)
	case len(columns) == 0 && len(known) > 1:
		return found, nil, fmt.Errorf("kin: %s has several full-text indexes, %q; name the columns of one", m.Name, known)
	case parts == nil:
		return found, nil, fmt.Errorf("kin: %s has no full-text index of %q; it has %q", m.Name, ColumnNames(columns), known)
	}
	return found, parts, nil
}
