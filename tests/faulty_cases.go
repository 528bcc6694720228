package tests

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// faultyCases has each write's calls go wrong, one after the other: see
// [faultyOp] for how to add one.
func faultyCases() []Case {
	return []Case{
		{"faulty/rows", func(t *testing.T, s *Suite) { testFaulty(t, s, faultyRowOps()) }},
		{"faulty/upserts and finders", func(t *testing.T, s *Suite) { testFaulty(t, s, faultyUpsertOps()) }},
		{"faulty/sets", func(t *testing.T, s *Suite) { testFaulty(t, s, faultySetOps()) }},
		{"faulty/collections", func(t *testing.T, s *Suite) { testFaulty(t, s, faultyCollectionOps()) }},
		{"faulty/links", func(t *testing.T, s *Suite) { testFaulty(t, s, faultyLinkOps()) }},
		{"faulty/transactions", func(t *testing.T, s *Suite) { testFaulty(t, s, faultyTxOps()) }},
		{"faulty/commit unknown", testCommitUnknown},
	}
}

// A faultyOp is a write whose first call to the driver goes wrong, then its
// second, and so on until it has no so many, in each faultMode. Each time, all
// of it is done or nothing, the values in memory are as they were if it fails,
// and as always if not, the error says what went wrong, no connection is in
// use, and the same write, or another, works; in the end no goroutine is left.
//
// To add a write, add a line to a list in faulty_ops.go:
//
//	{name: "insert many", write: func(w *faultyWorld) faultyWrite {
//		rows := w.newItems(5)                                                // memory that is watched
//		return func(ctx context.Context) error { return kin.Insert(ctx, w.db, rows...) } // the write
//	}},
//
// What it changes must be in faultyTables, and the rows that it is given in the
// world, or new ones that are watched: w.watch. To bring a model of your own,
// register it in newFaultyWorld, fill its table in reset, load its rows in load
// and add a query to faultyTables.
type faultyOp struct {
	name  string
	write func(w *faultyWorld) faultyWrite
	// err is what the write ends with when nothing goes wrong, and same is
	// whether it leaves the tables as they are.
	err  error
	same bool
	// need is whether the target can do it at all; nil is yes.
	need func(s *Suite) bool
}

type faultyWrite func(ctx context.Context) error

// faultyTables read all that there is, but for generated keys, which are
// others each time.
var faultyTables = []string{
	"SELECT 'item', name, note, score, count, done, at, {blob}, owner_place, owner_number FROM row_items ORDER BY name",
	"SELECT 'owner', place, number, title FROM row_owners ORDER BY place, number",
	"SELECT 'book', title, shelf_id FROM books ORDER BY title",
	"SELECT 'label', text, shelf_id FROM shelf_labels ORDER BY text",
	"SELECT 'shelf', id FROM shelves ORDER BY id",
	"SELECT 'code', code, text, tag FROM upsert_codes ORDER BY code",
	"SELECT 'tags', p.title, g.name FROM link_posts_tags l JOIN link_posts p ON p.id = l.link_post_id JOIN link_tags g ON g.id = l.link_tag_id ORDER BY 2, 3",
	"SELECT 'tag', name FROM link_tags ORDER BY name",
	"SELECT 'member', p.name, c.name, m.role, m.since FROM link_memberships m JOIN link_people p ON p.id = m.person_id JOIN link_clubs c ON c.id = m.club_id ORDER BY 2, 3",
	"SELECT 'club', name FROM link_clubs ORDER BY name",
}

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
	w.pool = sql.OpenDB(w.faulty.Connector(w.Wire.Base))
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

// goroutinesOf counts the goroutines that have a label, which those have that
// were started by one that has it.
func goroutinesOf(t *testing.T, label string) int {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
	n := 0
	for block := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(block, strconv.Quote(label)) {
			n++
		}
	}
	return n
}

func testFaulty(t *testing.T, s *Suite, ops []faultyOp) {
	w := newFaultyWorld(t, s)
	for _, op := range ops {
		if op.need != nil && !op.need(s) {
			continue
		}
		t.Run(op.name, func(t *testing.T) { w.check(t, op) })
	}
}

// check lets all calls of a write go wrong.
func (w *faultyWorld) check(t *testing.T, op faultyOp) {
	t.Helper()
	w.load(t)
	before := w.tables(t)
	w.open()
	write := op.write(w)
	untouched := w.remember()
	err := write(t.Context())
	require.ErrorIs(t, err, op.err)
	after, done := w.tables(t), w.remember()
	require.NoError(t, w.pool.Close())
	if op.same {
		require.Equal(t, before, after)
	} else {
		require.NotEqual(t, before, after)
		w.reset(t)
	}
	if op.err != nil {
		assert.Equal(t, untouched.texts, done.texts)
	}
	for _, mode := range w.faultModes() {
		label := fmt.Sprint(t.Name(), " ", mode)
		pprof.Do(t.Context(), pprof.Labels("faulty", label), func(context.Context) {
			w.open()
			for n := 1; w.attempt(t, op, mode, n, before, after, done); n++ {
				require.Less(t, n, 100)
			}
			require.NoError(t, w.pool.Close())
		})
		require.Eventually(t, func() bool { return goroutinesOf(t, label) == 0 }, 20*time.Second, time.Millisecond, "a goroutine is left: %s", label)
	}
}

// attempt does a write whose n-th call goes wrong. It reports whether it has
// so many calls.
func (w *faultyWorld) attempt(t *testing.T, op faultyOp, mode faultMode, n int, before, after []string, done memory) bool {
	t.Helper()
	what := fmt.Sprintf("call %d, %s", n, mode)
	w.load(t)
	write := op.write(w)
	was := w.remember()
	ctx, cancel := context.WithCancel(t.Context())
	// The first call on a new pool connects. Later ones find a connection.
	at := n
	if n > 1 {
		require.NoError(t, w.pool.PingContext(ctx), what)
		at--
	}
	w.faulty.arm(mode, at, cancel)
	err := write(ctx)
	hit := w.faulty.disarm()
	cancel()
	require.Zero(t, w.pool.Stats().InUse, what)
	require.LessOrEqual(t, w.pool.Stats().OpenConnections, 2, what)
	table := w.tables(t)
	if errors.Is(err, op.err) && !errors.Is(err, errInjected) {
		require.Equal(t, after, table, what)
		require.Equal(t, done.texts, w.remember().texts, what)
	} else {
		checkFault(t, what, err, mode, hit)
		if !hit.maybeDone(mode) || fmt.Sprint(table) != fmt.Sprint(after) {
			require.Equal(t, before, table, "%s: %v", what, err)
		}
		now := w.remember()
		require.Equal(t, was.texts, now.texts, what)
		require.True(t, reflect.DeepEqual(was.copies, now.copies), "values in memory: %s", what)
		if (mode == faultError || mode == faultLost) && fmt.Sprint(table) == fmt.Sprint(before) {
			require.ErrorIs(t, write(t.Context()), op.err, "again: %s", what)
			table = w.tables(t)
			require.Equal(t, after, table, what)
			require.Equal(t, done.texts, w.remember().texts, "again: %s", what)
		}
	}
	_, err = kin.Query[rowItem]().Count(t.Context(), w.db)
	require.NoError(t, err, what)
	require.Zero(t, w.pool.Stats().InUse, what)
	if fmt.Sprint(table) != fmt.Sprint(before) {
		w.reset(t)
	}
	return hit.fired
}

// maybeDone reports whether a write may have been done although its call went
// wrong: if it was not in a transaction, or its COMMIT, and not refused
// beforehand. Nobody can know then; but it is all or nothing.
func (h hit) maybeDone(mode faultMode) bool {
	switch {
	case h.kind == nextCall:
		return !h.inTx
	case mode == faultAfter || mode == faultLost || mode == faultCancelAfter:
		return h.kind == commitCall || h.kind == statementCall && !h.inTx
	}
	return false
}

// checkFault compares an error with what went wrong.
func checkFault(t *testing.T, what string, err error, mode faultMode, hit hit) {
	t.Helper()
	require.True(t, hit.fired, what)
	switch mode {
	case faultError, faultAfter:
		require.ErrorIs(t, err, errInjected, what)
	case faultCancel, faultCancelAfter:
		require.ErrorIs(t, err, context.Canceled, what)
		require.ErrorIs(t, err, kin.ErrCanceled, what)
	case faultBadConn, faultLost:
		require.ErrorIs(t, err, kin.ErrDisconnected, what)
	}
	require.Equal(t, hit.kind == commitCall && (mode == faultLost || mode == faultBadConn), errors.Is(err, kin.ErrCommitUnknown), what)
}

func testCommitUnknown(t *testing.T, s *Suite) {
	if s.Name == "sqlite" {
		return // what is embedded has no connection to lose
	}
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	faulty := &Faulty{}
	pool := sql.OpenDB(faulty.Connector(s.Wire.Base))
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	require.NoError(t, pool.PingContext(t.Context()))
	db := kin.New(pool, s.Dialect())
	asked, called := 0, 0
	run := func(o kin.TxOptions) error {
		asked++
		require.NoError(t, pool.PingContext(t.Context()))
		cancel := func() {}
		return db.Tx(t.Context(), func(tx *kin.Tx) error {
			tx.OnCommit(func() { called++ })
			err := kin.Insert(t.Context(), tx, &SchoolClass{ID: int64(asked), Name: "x"})
			faulty.arm(faultLost, 1, cancel) // COMMIT
			return err
		}, o)
	}
	err := run(kin.TxOptions{})
	require.ErrorIs(t, err, kin.ErrCommitUnknown)
	require.ErrorIs(t, err, kin.ErrDisconnected)
	assert.Zero(t, called)
	require.NoError(t, run(kin.TxOptions{Verify: func(context.Context) (bool, error) { return true, nil }}))
	assert.Equal(t, 1, called, "it was committed after all")
	err = run(kin.TxOptions{Verify: func(context.Context) (bool, error) { return false, nil }})
	require.ErrorIs(t, err, kin.ErrDisconnected)
	require.NotErrorIs(t, err, kin.ErrCommitUnknown)
	no := errors.New("cannot look")
	err = run(kin.TxOptions{Verify: func(context.Context) (bool, error) { return false, no }})
	require.ErrorIs(t, err, kin.ErrCommitUnknown)
	require.ErrorIs(t, err, no)

	// By what was written, with a connection of its own.
	id := int64(asked + 1)
	require.NoError(t, run(kin.TxOptions{Verify: func(ctx context.Context) (bool, error) {
		return kin.Query[SchoolClass]().Filter("id", id).Exists(ctx, s.DB)
	}}))
	assert.Equal(t, 2, called)

	// A transaction that is begun by hand asks too.
	tx, err := db.Begin(t.Context(), kin.TxOptions{Verify: func(context.Context) (bool, error) { return true, nil }})
	require.NoError(t, err)
	faulty.arm(faultLost, 1, func() {})
	require.NoError(t, tx.Commit(t.Context()))
	assert.Equal(t, []string{"[\"5\"]"}, s.dump(t, "SELECT CAST(COUNT(*) AS CHAR(1)) FROM school_classes"))
	assert.Zero(t, pool.Stats().InUse)
}
