package tests

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
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
	for _, mode := range faultModes(w.Target) {
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
	pool := sql.OpenDB(s.Keeping(faulty.Connector(s.Wire.Base)))
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
