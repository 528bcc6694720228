package sqlgen

import (
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
)

// CreateTable writes the CREATE TABLE of a model, and the statements that
// make its indexes and comments. inline tells which foreign keys are part of it; the
// others are added by AddForeignKey.
func CreateTable(d dialect.Dialect, m *schema.Model, inline func(*schema.Relation) bool) ([]string, error) {
	w := writer{d: d, t: d.Traits()}
	strict := true
	w.text("CREATE TABLE ")
	w.ident(m.Table)
	for i, c := range m.Columns {
		w.separate(i, " (")
		own, err := w.columnDef(c)
		if err != nil {
			return nil, err
		}
		strict = strict && own
	}
	w.constraints(m, inline)
	w.text(")")
	w.text(w.t.TableSuffix)
	if comment := m.Struct.Table.Comment; comment != "" && w.t.InlineComments {
		w.text(" COMMENT=")
		w.literal(comment)
	}
	if strict {
		w.text(w.t.StrictSuffix)
	}
	statements := []string{string(w.b)}
	for _, columns := range indexes(m, w.t) {
		w.b = nil
		w.index(m, columns)
		statements = append(statements, string(w.b))
	}
	for _, ix := range m.Struct.Table.SpecialIndexes {
		if ix.FullText {
			made, err := w.fullText(m, ix)
			if err != nil {
				return nil, err
			}
			statements = append(statements, made...)
			continue
		}
		w.b = nil
		if err := w.specialIndex(m, ix); err != nil {
			return nil, err
		}
		statements = append(statements, string(w.b))
	}
	return append(statements, w.commentsOn(m)...), nil
}

// columnDef writes a column, and reports whether its type is of the
// dialect's own making.
func (w *writer) columnDef(c *schema.Column) (own bool, err error) {
	w.ident(c.Name)
	w.text(" ")
	tag := c.Field.Tag
	typ := tag.Type
	if typ == "" {
		typ = c.Source.Field.Tag.Type
	}
	if typ == "" {
		own = true
		if typ, err = w.d.ColumnType(c.Value); err != nil {
			return false, err
		}
	}
	w.text(typ)
	if c.Auto {
		w.text(" " + w.t.Generated)
		if w.t.GeneratedIsKey {
			return own, nil
		}
	}
	if c.Computed {
		w.text(" GENERATED ALWAYS AS (" + tag.Generated + ") STORED")
	}
	if !c.Nullable && (!c.Computed || !w.t.CheckGenerated) {
		w.text(" NOT NULL")
	}
	if tag.Default != "" {
		w.text(" DEFAULT (" + tag.Default + ")")
	}
	if alone := c.Key && len(c.Model.Key) == 1; c.Unique && !alone {
		w.text(" UNIQUE")
	}
	if w.t.CheckSize && c.Value.Size > 0 {
		w.text(" CHECK (length(")
		w.ident(c.Name)
		w.text(") <= " + strconv.Itoa(c.Value.Size) + ")")
	}
	if tag.Comment != "" && w.t.InlineComments {
		w.text(" COMMENT ")
		w.literal(tag.Comment)
	}
	if c.Computed && !c.Nullable && w.t.CheckGenerated {
		w.text(" CHECK (")
		w.ident(c.Name)
		w.text(" IS NOT NULL)")
	}
	return own, nil
}

func (w *writer) constraints(m *schema.Model, inline func(*schema.Relation) bool) {
	if m.Auto == nil || !w.t.GeneratedIsKey {
		w.text(", PRIMARY KEY ")
		w.names(m.Key)
	}
	for _, r := range m.Keys {
		if len(r.FromColumns) > 1 && r.Field.Tag.Unique {
			w.text(", UNIQUE ")
			w.names(r.FromColumns)
		}
	}
	for _, set := range m.Struct.Table.Unique {
		columns, _, _ := m.ColumnsOf(set)
		w.text(", CONSTRAINT ")
		w.ident(w.constraintName("uq", m, columns))
		w.text(" UNIQUE ")
		w.names(columns)
	}
	for i, check := range m.Struct.Table.Checks {
		w.text(", CONSTRAINT ")
		w.ident(w.shorten("ck_" + m.Table + "_" + strconv.Itoa(i+1)))
		w.text(" CHECK (" + check + ")")
	}
	for _, r := range m.Keys {
		if inline(r) {
			w.text(", ")
			w.foreignKey(r)
		}
	}
}

func (w *writer) foreignKey(r *schema.Relation) {
	w.text("CONSTRAINT ")
	w.ident(w.constraintName("fk", r.From, r.FromColumns))
	w.text(" FOREIGN KEY ")
	w.names(r.FromColumns)
	w.text(" REFERENCES ")
	w.ident(r.To.Table)
	w.text(" ")
	w.names(r.ToColumns)
	if r.OnDelete != "" {
		w.text(" ON DELETE " + r.OnDelete)
	}
	if r.OnUpdate != "" {
		w.text(" ON UPDATE " + r.OnUpdate)
	}
}

func (w *writer) names(columns []*schema.Column) {
	for i, c := range columns {
		w.separate(i, "(")
		w.ident(c.Name)
	}
	w.text(")")
}

// AddForeignKey writes the statement that adds a foreign key to its table,
// and DropForeignKey that which drops it.
func AddForeignKey(d dialect.Dialect, r *schema.Relation) string {
	w := writer{d: d, t: d.Traits()}
	w.text("ALTER TABLE ")
	w.ident(r.From.Table)
	w.text(" ADD ")
	w.foreignKey(r)
	return string(w.b)
}

// DropForeignKey writes the statement that drops a foreign key.
func DropForeignKey(d dialect.Dialect, r *schema.Relation) string {
	w := writer{d: d, t: d.Traits()}
	w.text("ALTER TABLE ")
	w.ident(r.From.Table)
	w.text(" " + w.t.DropConstraint + " ")
	w.ident(w.constraintName("fk", r.From, r.FromColumns))
	return string(w.b)
}

// DropTable writes the statement that drops a table.
func DropTable(d dialect.Dialect, table string) string {
	w := writer{d: d, t: d.Traits()}
	w.text("DROP TABLE ")
	w.ident(table)
	return string(w.b)
}

// indexes lists the columns of the indexes of a table: those asked for, and
// those of foreign keys, which every load of a reverse relation reads by.
func indexes(m *schema.Model, t *dialect.Traits) [][]*schema.Column {
	covered := [][]*schema.Column{m.Key}
	for _, set := range m.Struct.Table.Unique {
		columns, _, _ := m.ColumnsOf(set)
		covered = append(covered, columns)
	}
	var sets [][]*schema.Column
	add := func(columns []*schema.Column) {
		for _, have := range covered {
			if len(have) >= len(columns) && same(have[:len(columns)], columns) {
				return
			}
		}
		covered = append(covered, columns)
		sets = append(sets, columns)
	}
	for _, set := range m.Struct.Table.Indexes {
		columns, _, _ := m.ColumnsOf(set)
		add(columns)
	}
	for _, c := range m.Columns {
		if c.Index && c.Relation == nil && !c.Unique {
			add([]*schema.Column{c})
		}
	}
	for _, r := range m.Keys {
		if !r.Field.Tag.Unique && !t.IndexesKeys {
			add(r.FromColumns)
		}
	}
	return sets
}

func same(a, b []*schema.Column) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (w *writer) index(m *schema.Model, columns []*schema.Column) {
	w.text("CREATE INDEX ")
	w.ident(w.constraintName("ix", m, columns))
	w.text(" ON ")
	w.ident(m.Table)
	for i, c := range columns {
		w.separate(i, " (")
		w.indexColumn(c, false)
	}
	w.text(")")
}

func (w *writer) constraintName(prefix string, m *schema.Model, columns []*schema.Column) string {
	names := schema.ColumnNames(columns)
	// Names are unique in the whole database: user_group and owner_id must not
	// read like user and group_owner_id.
	between := "_"
	if strings.Contains(m.Table, "_") {
		between = "__"
	}
	return w.shorten(prefix + "_" + m.Table + between + strings.Join(names, "_"))
}

// shorten cuts a name that is too long for some database, and adds a hash so
// that it stays different from others with the same beginning.
func (w *writer) shorten(name string) string {
	const most = 63
	if len(name) <= most {
		return name
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	const hashed = 9 // "_" and eight hex digits
	cut := most - hashed
	for cut > 0 && name[cut]&0xc0 == 0x80 { // not inside a character
		cut--
	}
	text := strconv.FormatUint(uint64(h.Sum32())|1<<32, 16)[1:]
	return name[:cut] + "_" + text
}

// KeyName returns the name of the constraint of a foreign key.
func KeyName(d dialect.Dialect, r *schema.Relation) string {
	w := writer{d: d, t: d.Traits()}
	return w.constraintName("fk", r.From, r.FromColumns)
}

// ConstraintColumns returns the columns of the constraint of m that is called
// name: one that CreateTable names, or that the database names as it does.
func ConstraintColumns(m *schema.Model, name string) []string {
	var w writer
	if columns := m.IndexColumns(name); columns != nil {
		return schema.ColumnNames(columns)
	}
	if name == "PRIMARY" || name == m.Table+"_pkey" {
		return schema.ColumnNames(m.Key)
	}
	for _, set := range m.Struct.Table.Unique {
		if columns, _, _ := m.ColumnsOf(set); w.constraintName("uq", m, columns) == name {
			return schema.ColumnNames(columns)
		}
	}
	for _, r := range m.Keys {
		joined := strings.Join(schema.ColumnNames(r.FromColumns), "_")
		if w.constraintName("fk", m, r.FromColumns) == name || name == m.Table+"_"+joined+"_key" {
			return schema.ColumnNames(r.FromColumns)
		}
	}
	for _, c := range m.Columns {
		// MariaDB calls the index of a unique column as the column, and
		// PostgreSQL its constraint after table and column.
		if c.Unique && (name == c.Name || name == m.Table+"_"+c.Name+"_key") {
			return []string{c.Name}
		}
	}
	return nil
}
