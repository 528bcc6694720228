package sqlgen

import (
	"fmt"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/schema"
)

// MariaDB indexes no words of fewer than three letters, and leaves out the most
// common ones. Each word has this before it, with which none is of those.
const wordMark = "kq"

// fullText returns the statements that make a full-text index.
func (w *writer) fullText(m *schema.Model, ix schema.Index) ([]string, error) {
	columns, err := fullTextColumns(m, ix)
	if err != nil {
		return nil, err
	}
	w.b = nil
	switch w.t.FullText {
	case dialect.TextTable:
		return w.textTable(m, ix, columns)
	case dialect.TextVector:
		w.text("CREATE INDEX ")
		w.ident(ix.Name)
		w.text(" ON ")
		w.ident(m.Table)
		w.text(" USING gin (")
		w.vector("", columns)
		w.text(")")
	case dialect.TextColumn:
		w.text("ALTER TABLE ")
		w.ident(m.Table)
		w.text(" ADD COLUMN ")
		w.ident(w.textColumn(ix))
		w.text(" LONGTEXT CHARACTER SET utf8mb4 COLLATE " + w.t.Collation + " GENERATED ALWAYS AS (CONCAT('" + wordMark + "', REGEXP_REPLACE(")
		w.each(w.t.Functions["lower"], "{0}", func() {
			w.text("CONCAT_WS(' '")
			for _, c := range columns {
				w.text(", ")
				w.ident(c.Name)
			}
			w.text(")")
		})
		w.text(`, '[^\\p{L}\\p{N}]+', ' ` + wordMark + `'))) STORED INVISIBLE, ADD FULLTEXT INDEX `)
		w.ident(ix.Name)
		w.text(" (")
		w.ident(w.textColumn(ix))
		w.text(")")
	}
	return []string{string(w.b)}, nil
}

func fullTextColumns(m *schema.Model, ix schema.Index) ([]*schema.Column, error) {
	parts, _, _ := m.PartsOf(ix)
	columns := make([]*schema.Column, len(parts))
	for i, p := range parts {
		if columns[i] = p.Column; p.Column == nil {
			return nil, fmt.Errorf("the full-text index %q of %s has an expression", ix.Name, m.Name)
		}
	}
	return columns, nil
}

// textColumn names the column that has the texts of an index.
func (w *writer) textColumn(ix schema.Index) string { return w.shorten("kin_" + ix.Name) }

// textTable makes a table of FTS5, which has the words of the texts and not
// the texts themselves, and triggers that keep it as they are.
func (w *writer) textTable(m *schema.Model, ix schema.Index, columns []*schema.Column) ([]string, error) {
	if k := m.Key; len(k) != 1 || k[0].Value.Kind != dialect.Int && k[0].Value.Kind != dialect.Uint {
		return nil, fmt.Errorf("the full-text index %q of %s needs a primary key that is one integer, on %s", ix.Name, m.Name, w.d.Name())
	}
	w.text("CREATE VIRTUAL TABLE ")
	w.ident(ix.Name)
	w.text(" USING fts5(texts, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0')")
	statements := []string{string(w.b)}
	remove := func() {
		w.text("DELETE FROM ")
		w.ident(ix.Name)
		w.text(" WHERE rowid = old.")
		w.ident(m.Key[0].Name)
		w.text("; ")
	}
	add := func() {
		w.text("INSERT INTO ")
		w.ident(ix.Name)
		w.text(" (rowid, texts) VALUES (new.")
		w.ident(m.Key[0].Name)
		w.text(", ")
		w.texts("new", columns)
		w.text("); ")
	}
	for _, event := range []string{"INSERT", "UPDATE", "DELETE"} {
		w.b = nil
		w.text("CREATE TRIGGER ")
		w.ident(w.shorten("kin_" + ix.Name + "_" + strings.ToLower(event)))
		w.text(" AFTER " + event)
		if event == "UPDATE" {
			for i, c := range append([]*schema.Column{m.Key[0]}, columns...) {
				w.separate(i, " OF ")
				w.ident(c.Name)
			}
		}
		w.text(" ON ")
		w.ident(m.Table)
		w.text(" BEGIN ")
		if event != "INSERT" {
			remove()
		}
		if event != "DELETE" {
			add()
		}
		w.text("END")
		statements = append(statements, string(w.b))
	}
	return statements, nil
}

// texts writes the columns of a table as one text.
func (w *writer) texts(table string, columns []*schema.Column) {
	for i, c := range columns {
		if i > 0 {
			w.text(" || ' ' || ")
		}
		w.text("coalesce(")
		if table != "" {
			w.ident(table)
			w.text(".")
		}
		w.ident(c.Name)
		w.text(", '')")
	}
}

// vector writes the words of columns as PostgreSQL has them: without what it
// takes for hosts, paths and the like.
func (w *writer) vector(table string, columns []*schema.Column) {
	w.text("to_tsvector('simple', regexp_replace(")
	w.each(w.t.Functions["letters"], "{0}", func() { w.texts(table, columns) })
	w.text(", '[^[:alnum:]]+', ' ', 'g'))")
}

// DropIndexes returns the statements that drop what does not go with a table.
func DropIndexes(d dialect.Dialect, m *schema.Model) []string {
	w := writer{d: d, t: d.Traits()}
	var statements []string
	for _, ix := range m.Struct.Table.SpecialIndexes {
		if ix.FullText && w.t.FullText == dialect.TextTable {
			w.b = nil
			w.text("DROP TABLE IF EXISTS ")
			w.ident(ix.Name)
			statements = append(statements, string(w.b))
		}
	}
	return statements
}

// match writes a search as the database takes it: with each word in quotes.
func (w *writer) match(s *plan.Search) {
	var b strings.Builder
	for i, word := range s.Words {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch w.t.FullText {
		case dialect.TextTable:
			b.WriteString(`"` + word + `"`)
		case dialect.TextVector:
			b.WriteString(word)
		case dialect.TextColumn:
			b.WriteString(`+"` + wordMark + word + `"`)
		}
	}
	w.param(b.String())
}

// found writes the condition that a row is found.
func (w *writer) found(s *plan.Search) {
	switch w.t.FullText {
	case dialect.TextTable:
		w.expr(plan.Ref{Table: s.Table, Column: s.Table.Model.Key[0]})
		w.text(" IN (SELECT rowid FROM ")
		w.matching(s)
		w.text(")")
	case dialect.TextVector:
		w.vector(s.Table.Alias, s.Columns)
		w.text(" @@ plainto_tsquery('simple', CAST(")
		w.match(s)
		w.text(" AS text))")
	case dialect.TextColumn:
		w.text("MATCH (")
		w.ident(s.Table.Alias)
		w.text(".")
		w.ident(w.textColumn(s.Index))
		w.text(") AGAINST (")
		w.match(s)
		w.text(" IN BOOLEAN MODE)")
	}
}

func (w *writer) matching(s *plan.Search) {
	w.ident(s.Index.Name)
	w.text(" WHERE ")
	w.ident(s.Index.Name)
	w.text(" MATCH ")
	w.match(s)
}

// rank writes how well a row is found.
func (w *writer) rank(s *plan.Search) {
	switch w.t.FullText {
	case dialect.TextTable:
		w.text("coalesce((SELECT -bm25(")
		w.ident(s.Index.Name)
		w.text(") FROM ")
		w.matching(s)
		w.text(" AND rowid = ")
		w.expr(plan.Ref{Table: s.Table, Column: s.Table.Model.Key[0]})
		w.text("), 0.0)")
	case dialect.TextVector:
		w.text("CASE WHEN ")
		w.found(s)
		w.text(" THEN CAST(ts_rank(")
		w.vector(s.Table.Alias, s.Columns)
		w.text(", plainto_tsquery('simple', CAST(")
		w.match(s)
		w.text(" AS text))) AS double precision) ELSE 0 END")
	case dialect.TextColumn:
		w.found(s)
	}
}
