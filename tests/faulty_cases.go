package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func faultyCases() []Case {
	return []Case{
		{"faulty/writes are all or nothing", testFaultyWrites},
		{"faulty/commit unknown", testCommitUnknown},
	}
}

// A faultyWrite is a write, over the items that were there before it. It
// returns the rows that it makes.
type faultyWrite struct {
	name string
	run  func(ctx context.Context, db *kin.DB, items []*rowItem, owners []*rowOwner) ([]*rowItem, error)
}

func freshItems(n int) []*rowItem {
	var items []*rowItem
	for i := range n {
		items = append(items, &rowItem{Name: fmt.Sprintf("fresh %d", i), At: time.Unix(int64(i), 0), Blob: []byte{1}})
	}
	return items
}

func faultyWrites() []faultyWrite {
	return []faultyWrite{
		{"insert one", func(ctx context.Context, db *kin.DB, _ []*rowItem, _ []*rowOwner) ([]*rowItem, error) {
			rows := freshItems(1)
			return rows, kin.Insert(ctx, db, rows...)
		}},
		{"insert many", func(ctx context.Context, db *kin.DB, _ []*rowItem, _ []*rowOwner) ([]*rowItem, error) {
			rows := freshItems(5)
			return rows, kin.Insert(ctx, db, rows...)
		}},
		{"update many", func(ctx context.Context, db *kin.DB, items []*rowItem, owners []*rowOwner) ([]*rowItem, error) {
			change(items, owners)
			return nil, kin.UpdateAll(ctx, db, items)
		}},
		{"delete many", func(ctx context.Context, db *kin.DB, items []*rowItem, _ []*rowOwner) ([]*rowItem, error) {
			return nil, kin.DeleteAll(ctx, db, items[1:])
		}},
		{"save", func(ctx context.Context, db *kin.DB, items []*rowItem, owners []*rowOwner) ([]*rowItem, error) {
			change(items, owners)
			fresh := freshItems(2)
			return fresh, kin.Save(ctx, db, append(fresh, items...)...)
		}},
		{"upsert", func(ctx context.Context, db *kin.DB, items []*rowItem, _ []*rowOwner) ([]*rowItem, error) {
			fresh := freshItems(3)
			fresh[2].Name = items[0].Name
			return fresh, kin.Upsert(ctx, db, fresh, kin.OnConflict("name").Update("score", "count"))
		}},
		{"set of rows", func(ctx context.Context, db *kin.DB, _ []*rowItem, _ []*rowOwner) ([]*rowItem, error) {
			_, err := kin.Query[rowItem]().Filter("owner__title", "a").Update(ctx, db, kin.Set("count", kin.F("count").Add(1)))
			return nil, err
		}},
		{"collection", func(ctx context.Context, db *kin.DB, items []*rowItem, owners []*rowOwner) ([]*rowItem, error) {
			fresh := freshItems(2)
			return fresh, owners[0].Items.Set(ctx, db, fresh[0], items[1], fresh[1])
		}},
		{"transaction", func(ctx context.Context, db *kin.DB, items []*rowItem, _ []*rowOwner) ([]*rowItem, error) {
			fresh := freshItems(2)
			return fresh, db.Tx(ctx, func(tx *kin.Tx) error {
				if err := kin.Insert(ctx, tx, fresh...); err != nil {
					return err
				}
				return tx.Tx(ctx, func(tx *kin.Tx) error { return kin.Delete(ctx, tx, items[0]) })
			})
		}},
	}
}

// testFaultyWrites lets the first, the second, the third call of each write
// go wrong, and so on, until the write has no so many: each time all is done
// or nothing, no connection is left in use, and the next write works.
func testFaultyWrites(t *testing.T, s *Suite) {
	s = rowSuite(t, s)
	faulty := &Faulty{}
	pool := sql.OpenDB(faulty.Connector(s.Wire.Base))
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	var r kin.Registry
	kin.Register[rowItem](&r)
	kin.Register[rowOwner](&r)
	db := kin.New(pool, s.Dialect(), kin.WithRegistry(&r))

	reset := func() ([]*rowItem, []*rowOwner) {
		s.Exec(t, "DELETE FROM row_items")
		s.Exec(t, "DELETE FROM row_owners")
		return newItems(t, s, 4)
	}
	for _, w := range faultyWrites() {
		items, owners := reset()
		before := s.withoutIDs(t)
		_, err := w.run(t.Context(), db, items, owners)
		require.NoError(t, err, w.name)
		after := s.withoutIDs(t)
		require.NotEqual(t, before, after, w.name)
		modes := []faultMode{faultError, faultBadConn, faultCancel, faultLost}
		if s.Name == "sqlite" {
			modes = modes[:3] // what is embedded has no connection to lose
		}
		for _, mode := range modes {
			for n := 1; ; n++ {
				require.Less(t, n, 60)
				what := fmt.Sprintf("%s, call %d, %s", w.name, n, mode)
				items, owners := reset()
				ctx, cancel := context.WithCancel(t.Context())
				faulty.arm(mode, n, cancel)
				fresh, err := w.run(ctx, db, items, owners)
				fired, commit := faulty.disarm()
				cancel()
				s.checkFaulty(t, what, before, after, fresh, err, mode, commit)
				assert.Zero(t, pool.Stats().InUse, what)
				_, err = kin.Query[rowItem]().Count(t.Context(), db)
				require.NoError(t, err, what)
				if !fired {
					break
				}
			}
		}
	}
}

// checkFaulty compares the table and the rows in memory after a write in
// which a call went wrong.
func (s *Suite) checkFaulty(t *testing.T, what string, before, after []string, fresh []*rowItem, err error, mode faultMode, commit bool) {
	t.Helper()
	table := s.withoutIDs(t)
	if err == nil {
		assert.Equal(t, after, table, what)
		for _, x := range fresh {
			assert.NotZero(t, x.ID, what)
		}
		return
	}
	switch {
	case mode == faultLost && (commit || len(table) == len(after) && fmt.Sprint(table) == fmt.Sprint(after)):
		// Nobody can know; but it is all or nothing.
		assert.Contains(t, []string{fmt.Sprint(before), fmt.Sprint(after)}, fmt.Sprint(table), what)
		if commit {
			require.ErrorIs(t, err, kin.ErrCommitUnknown, what)
		}
	default:
		assert.Equal(t, before, table, "%s: %v", what, err)
	}
	switch mode {
	case faultError:
		require.ErrorIs(t, err, errInjected, what)
	case faultCancel:
		require.ErrorIs(t, err, context.Canceled, what)
	case faultBadConn, faultLost:
		require.ErrorIs(t, err, kin.ErrDisconnected, what)
	}
}

// withoutIDs returns the items as text, without their generated keys, which
// are others each time.
func (s *Suite) withoutIDs(t *testing.T) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT name, note, score, count, done, owner_number FROM row_items ORDER BY name")
	require.NoError(t, err)
	defer rows.Close()
	table := []string{}
	for rows.Next() {
		var name string
		var note *string
		var score float64
		var count int64
		var done bool
		var owner *int64
		require.NoError(t, rows.Scan(&name, &note, &score, &count, &done, &owner))
		number := int64(0)
		if owner != nil {
			number = *owner
		}
		table = append(table, fmt.Sprint(name, " ", text(note), " ", score, " ", count, " ", done, " ", number))
	}
	require.NoError(t, rows.Err())
	return table
}

func testCommitUnknown(t *testing.T, s *Suite) {
	if s.Name == "sqlite" {
		return // what is embedded has no connection to lose
	}
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	faulty := &Faulty{}
	pool := sql.OpenDB(faulty.Connector(s.Wire.Base))
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	db := kin.New(pool, s.Dialect())
	asked := 0
	run := func(o kin.TxOptions) error {
		// The calls are BEGIN, the INSERT and COMMIT, and on PostgreSQL the
		// savepoint around the INSERT and its release.
		commit := 3
		if s.Dialect().Traits().FailureAborts {
			commit = 5
		}
		if s.Dialect().Traits().Advance != "" {
			commit++ // the key is given, and the sequence told of it
		}
		faulty.arm(faultLost, commit, func() {})
		defer faulty.disarm()
		return db.Tx(t.Context(), func(tx *kin.Tx) error {
			return kin.Insert(t.Context(), tx, &SchoolClass{ID: int64(asked) + 1, Name: "x"})
		}, o)
	}
	require.ErrorIs(t, run(kin.TxOptions{}), kin.ErrCommitUnknown)
	asked++
	require.NoError(t, run(kin.TxOptions{Verify: func(context.Context) (bool, error) { return true, nil }}))
	asked++
	err := run(kin.TxOptions{Verify: func(context.Context) (bool, error) { return false, nil }})
	require.ErrorIs(t, err, kin.ErrDisconnected)
	require.NotErrorIs(t, err, kin.ErrCommitUnknown)
	asked++
	no := errors.New("cannot look")
	err = run(kin.TxOptions{Verify: func(context.Context) (bool, error) { return false, no }})
	require.ErrorIs(t, err, kin.ErrCommitUnknown)
	require.ErrorIs(t, err, no)
}
