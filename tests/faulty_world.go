package tests

import (
	"database/sql"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// A faultyWorld is what the writes are done to, in the database and in memory.
type faultyWorld struct {
	*Suite
	registry *kin.Registry
	faulty   Faulty
	pool     *sql.DB // whose calls go wrong
	db       *kin.DB // on that pool, with chunks of three items

	owners  []*rowOwner
	items   []*rowItem // those of the owners: two and two
	shelves []*shelf   // the first has the books a, b and c and a label
	codes   []*upsertCode
	faultyLinked
	watched []any   // pointers to rows
	undo    *kin.DB // of which all tables are dropped after the write, if it is not nil
}

func newFaultyWorld(t *testing.T, s *Suite) *faultyWorld {
	t.Helper()
	r := &kin.Registry{}
	kin.Register[rowItem](r)
	kin.Register[rowOwner](r)
	kin.Register[shelf](r)
	kin.Register[book](r)
	kin.Register[shelfLabel](r)
	kin.Register[upsertCode](r)
	registerLinked(r)
	w := &faultyWorld{Suite: s.With(kin.WithRegistry(r)), registry: r}
	require.NoError(t, kin.CreateTables(t.Context(), w.DB))
	w.reset(t)
	return w
}

// open makes a new pool, and close closes it.
func (w *faultyWorld) open() {
	w.pool = sql.OpenDB(w.Keeping(w.faulty.Connector(w.Wire.Base)))
	const columns = 10 // of an item
	w.db = kin.New(w.pool, w.tinyDialect(3*columns), kin.WithRegistry(w.registry))
}

// reset fills the tables anew. The keys are far from those that are generated.
func (w *faultyWorld) reset(t *testing.T) {
	t.Helper()
	if w.undo != nil {
		require.NoError(t, kin.DropTables(t.Context(), w.undo))
	}
	tx, err := w.Pool().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	run := func(query string, args ...any) {
		_, err := tx.ExecContext(t.Context(), w.bind(w.idents(query)), args...)
		require.NoError(t, err, query)
	}
	for _, table := range []string{"row_items", "row_owners", "books", "shelf_labels", "shelves", "upsert_codes"} {
		run("DELETE FROM " + table)
	}
	run("INSERT INTO row_owners (place, number, title) VALUES ('north', 1, 'a'), ('north', 2, 'b')")
	for i := range 4 {
		run("INSERT INTO row_items (id, name, score, count, done, at, {blob}, owner_place, owner_number) VALUES (?, ?, ?, ?, ?, '2026-01-01 00:00:00', ?, 'north', ?)",
			faultyID+i, fmt.Sprint("item ", i), float64(i)/4, i, i%2 == 0, []byte{byte(i)}, i%2+1)
	}
	run("INSERT INTO shelves (id) VALUES (?), (?)", faultyID, faultyLast)
	run("INSERT INTO books (id, title, shelf_id) VALUES (?, 'a', ?), (?, 'b', ?), (?, 'c', ?)", faultyID, faultyID, faultyID+1, faultyID, faultyLast, faultyID)
	run("INSERT INTO shelf_labels (id, text, shelf_id) VALUES (?, 'x', ?)", faultyLast, faultyID)
	run("INSERT INTO upsert_codes (code, text, tag) VALUES ('a', '1', 't1'), ('b', '2', 't2')")
	fillLinked(run)
	require.NoError(t, tx.Commit())
}

// The first and the last key of the rows that are there before a write, in
// each table that generates keys.
const faultyID, faultyLast = 1_000_001, 1_000_004

// load reads the rows anew, on the pool whose calls do not go wrong.
func (w *faultyWorld) load(t *testing.T) {
	t.Helper()
	var err error
	w.owners, err = kin.Query[rowOwner]().SelectRelated("items").All(t.Context(), w.DB)
	require.NoError(t, err)
	w.items = append(append([]*rowItem{}, w.owners[0].Items.All()...), w.owners[1].Items.All()...)
	w.shelves, err = kin.Query[shelf]().SelectRelated("books", "labels").All(t.Context(), w.DB)
	require.NoError(t, err)
	w.codes, err = kin.Query[upsertCode]().All(t.Context(), w.DB)
	require.NoError(t, err)
	w.watched = nil
	watch(w, w.owners)
	watch(w, w.items)
	watch(w, w.shelves)
	for _, x := range w.shelves {
		watch(w, x.Books.All())
		watch(w, x.Labels.All())
	}
	watch(w, w.codes)
	w.loadLinked(t)
}

// watch has rows compared before and after.
func watch[T any](w *faultyWorld, rows []*T) {
	for _, row := range rows {
		w.watched = append(w.watched, row)
	}
}

// newItems makes new items, which are watched.
func (w *faultyWorld) newItems(n int) []*rowItem {
	rows := freshItems(n)
	watch(w, rows)
	return rows
}

func (w *faultyWorld) newBooks(titles ...string) []*book {
	var rows []*book
	for _, title := range titles {
		rows = append(rows, &book{Title: title})
	}
	watch(w, rows)
	return rows
}

func freshItems(n int) []*rowItem {
	var items []*rowItem
	for i := range n {
		items = append(items, &rowItem{Name: fmt.Sprintf("fresh %d", i), At: time.Unix(int64(i), 0).UTC(), Blob: []byte{1}})
	}
	return items
}

// tables returns all that is in the database, read by hand.
func (w *faultyWorld) tables(t *testing.T) []string {
	t.Helper()
	var lines []string
	for _, query := range faultyTables {
		lines = append(lines, w.dump(t, w.idents(query))...)
	}
	return append(lines, w.tableNames(t)...)
}

// idents quotes the names in braces, which are words of SQL somewhere.
func (s *Suite) idents(query string) string {
	return regexp.MustCompile(`\{(\w+)\}`).ReplaceAllStringFunc(query, func(name string) string {
		return string(s.Dialect().AppendIdent(nil, strings.Trim(name, "{}")))
	})
}

// dump returns the rows of a query as text.
func (s *Suite) dump(t *testing.T, query string) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), query)
	require.NoError(t, err, query)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	lines := []string{}
	for rows.Next() {
		row, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			dest[i] = &row[i]
		}
		require.NoError(t, rows.Scan(dest...))
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = string(b)
			}
		}
		lines = append(lines, fmt.Sprintf("%q", row))
	}
	require.NoError(t, rows.Err())
	return lines
}

// tableNames returns the names of the tables that there are.
func (s *Suite) tableNames(t *testing.T) []string {
	t.Helper()
	return s.dump(t, map[string]string{
		"sqlite":   "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1",
		"postgres": "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
		"mysql":    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1",
	}[s.Name])
}

// A memory is what rows were at a time.
type memory struct {
	copies []any // of the structs
	texts  []string
}

func (w *faultyWorld) remember() memory {
	var m memory
	for _, p := range w.watched {
		v := reflect.ValueOf(p).Elem()
		c := reflect.New(v.Type())
		c.Elem().Set(v)
		m.copies = append(m.copies, c.Interface())
		m.texts = append(m.texts, describe(v))
	}
	return m
}

// A keyText is a key within a text.
var keyText = regexp.MustCompile(`(ID=|[a-z])\(\d+\)`)

// describe returns a row as text, with what its relations know, but without
// keys that were generated.
func describe(v reflect.Value) string {
	var b strings.Builder
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() == reflect.Pointer && !f.IsNil() {
			f = f.Elem()
		}
		fmt.Fprintf(&b, "%s=(%v) ", v.Type().Field(i).Name, f.Interface())
	}
	return keyText.ReplaceAllStringFunc(b.String(), func(s string) string {
		name, key, _ := strings.Cut(s, "(")
		if n, err := strconv.Atoi(strings.TrimSuffix(key, ")")); err != nil || n >= faultyID && n <= faultyLast || n == 0 {
			return s
		}
		return name + "(new)"
	})
}
