package sqlgen

import (
	"fmt"
	"strings"

	"github.com/kin-orm/kin/internal/schema"
)

// specialIndex writes an index, or returns an error if the database has none
// of its kind.
func (w *writer) specialIndex(m *schema.Model, ix schema.Index) error {
	parts, _, _ := m.PartsOf(ix)
	if ix.Where != "" && !w.t.PartialIndexes {
		return fmt.Errorf("the index %q of %s has a condition (Where), which %s does not support; "+
			"index a field tagged generated that is NULL for the other rows, or take off the condition", ix.Name, m.Name, w.d.Name())
	}
	w.text("CREATE ")
	if ix.Unique {
		w.text("UNIQUE ")
	}
	w.text("INDEX ")
	w.ident(ix.Name)
	w.text(" ON ")
	w.ident(m.Table)
	for i, p := range parts {
		w.separate(i, " (")
		switch {
		case p.Column == nil && !w.t.ExpressionIndexes:
			return fmt.Errorf("the index %q of %s has the expression %s, which %s does not support; "+
				"index a field tagged generated=%[3]s instead", ix.Name, m.Name, p.Expression, w.d.Name())
		case p.Column == nil:
			w.text(p.Expression)
		default:
			w.indexColumn(p.Column, p.Descending)
		}
	}
	w.text(")")
	if ix.Where != "" {
		w.text(" WHERE " + ix.Where)
	}
	return nil
}

// indexColumn writes a column of an index, in kin's order: NULL comes before
// all values, or after them if it is descending.
func (w *writer) indexColumn(c *schema.Column, descending bool) {
	w.ident(c.Name)
	nulls := " NULLS FIRST"
	if descending {
		w.text(" DESC")
		nulls = " NULLS LAST"
	}
	if c.Nullable && w.t.NullsFirstIndex {
		w.text(nulls)
	}
}

// commentsOn returns the statements that comment on a table and its columns,
// where comments are statements.
func (w *writer) commentsOn(m *schema.Model) (statements []string) {
	if !w.t.CommentOn {
		return nil
	}
	if comment := m.Struct.Table.Comment; comment != "" {
		w.b = nil
		w.text("COMMENT ON TABLE ")
		w.ident(m.Table)
		w.text(" IS ")
		w.literal(comment)
		statements = append(statements, string(w.b))
	}
	for _, c := range m.Columns {
		if c.Field.Tag.Comment == "" {
			continue
		}
		w.b = nil
		w.text("COMMENT ON COLUMN ")
		w.ident(m.Table)
		w.text(".")
		w.ident(c.Name)
		w.text(" IS ")
		w.literal(c.Field.Tag.Comment)
		statements = append(statements, string(w.b))
	}
	return statements
}

// literal writes a text where a statement takes no parameter. Whether a
// backslash escapes is a setting on some servers: it is doubled only where it
// does, or if the text says that it does.
func (w *writer) literal(s string) {
	if strings.Contains(s, `\`) {
		s = strings.ReplaceAll(s, `\`, `\\`)
		if !w.t.InlineComments {
			w.text("E")
		}
	}
	w.text("'" + strings.ReplaceAll(s, "'", "''") + "'")
}
