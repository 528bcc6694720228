package tests

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// A slowRow comes out of a view that takes its time.
type (
	slowRow  struct{ ID, V int64 }
	slowPart struct {
		ID   int64
		N    int
		Slow kin.ForeignKey[slowRow] `kin:",null"`
	}
)

func slowSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	s.Exec(t, "CREATE TABLE slow_parts (id int PRIMARY KEY, n int NOT NULL, slow_id int)")
	s.Exec(t, "INSERT INTO slow_parts VALUES (1, 1, 1)")
	s.Exec(t, map[string]string{
		"sqlite":   "CREATE VIEW slow_rows AS WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10000000000) SELECT x AS id, x AS v FROM c WHERE x % 7 = 3",
		"postgres": "CREATE VIEW slow_rows AS SELECT 1::bigint AS id, 9::bigint AS v FROM pg_sleep(600)",
		"mysql":    "CREATE VIEW slow_rows AS SELECT 1 + SLEEP(600) AS id, 9 AS v",
	}[s.Name])
	return s.modelsOf(kin.Register[slowRow], kin.Register[slowPart])
}

// slowWrites are calls that would never end.
func slowWrites() map[string]func(ctx context.Context, db kin.Executor) error {
	return map[string]func(ctx context.Context, db kin.Executor) error{
		"a query": func(ctx context.Context, db kin.Executor) error {
			_, err := kin.Query[slowRow]().Count(ctx, db)
			return err
		},
		"an update": func(ctx context.Context, db kin.Executor) error {
			_, err := kin.Query[slowPart]().Filter("slow__v__gt", 5).Update(ctx, db, kin.Set("n", 2))
			return err
		},
		"a delete": func(ctx context.Context, db kin.Executor) error {
			_, err := kin.Query[slowPart]().Filter("slow__v__gt", 5).Delete(ctx, db)
			return err
		},
	}
}

func testCancelledByContext(t *testing.T, s *Suite) {
	s = slowSuite(t, s)
	before := s.dump(t, "SELECT * FROM slow_parts")
	why := errors.New("the user has gone")
	for name, run := range slowWrites() {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		err := run(ctx, s.DB)
		cancel()
		require.ErrorIs(t, err, kin.ErrCanceled, name)
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
		require.NotErrorIs(t, err, context.Canceled, name)
		require.NotErrorIs(t, err, kin.ErrDisconnected, name)

		ctx, stop := context.WithCancelCause(t.Context())
		timer := time.AfterFunc(30*time.Millisecond, func() { stop(why) })
		err = run(ctx, s.DB)
		timer.Stop()
		require.ErrorIs(t, err, kin.ErrCanceled, name)
		require.ErrorIs(t, err, context.Canceled, name)
		require.ErrorIs(t, err, why, name)

		// It had ended before.
		err = run(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrCanceled, name)
		require.ErrorIs(t, err, context.Canceled, name)
		require.ErrorIs(t, err, why, name)
		assert.Equal(t, before, s.dump(t, "SELECT * FROM slow_parts"), name)
	}
	require.Eventually(t, func() bool { return s.Pool().Stats().InUse == 0 }, 20*time.Second, time.Millisecond)
}

// testCancelledByServer has the server cancel statements whose context goes on.
func testCancelledByServer(t *testing.T, s *Suite) {
	if s.Name == "sqlite" {
		return // which cancels nothing by itself
	}
	s = slowSuite(t, s)
	ctx := t.Context()
	limited := kin.New(s.conn(t, map[string]string{
		"postgres": "SET statement_timeout = '20ms'", "mysql": "SET SESSION max_statement_time = 0.02",
	}), s.DB.Dialect())
	for name, run := range slowWrites() {
		err := run(ctx, limited)
		require.ErrorIs(t, err, kin.ErrCanceled, name)
		require.NotErrorIs(t, err, context.Canceled, name)
		require.NotErrorIs(t, err, context.DeadlineExceeded, name)
		require.NotErrorIs(t, err, kin.ErrLockTimeout, name)
	}
	killer := s.conn(t, nil)
	for name, run := range slowWrites() {
		conn := s.conn(t, nil)
		id := s.idOf(t, conn)
		ended := make(chan error, 1)
		go func() { ended <- run(ctx, kin.New(conn, s.DB.Dialect())) }()
		running := map[string]string{
			"postgres": "SELECT COUNT(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query LIKE '%slow%'",
			"mysql":    "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ? AND state = 'User sleep'",
		}[s.Name]
		require.Eventually(t, func() bool {
			var n int
			return assert.NoError(t, killer.QueryRowContext(ctx, running, id).Scan(&n)) && n == 1
		}, 20*time.Second, time.Millisecond, name)
		// PostgreSQL may take a statement that it is still preparing for one that
		// runs, and forget that it was cancelled: it is told until it has ended.
		var err error
		for done := false; !done; {
			cancel := "SELECT pg_cancel_backend($1)"
			args := []any{id}
			if s.Name != "postgres" {
				cancel, args = fmt.Sprint("KILL QUERY ", id), nil
			}
			_, cancelErr := killer.ExecContext(ctx, cancel, args...)
			require.NoError(t, cancelErr)
			select {
			case err = <-ended:
				done = true
			case <-time.After(time.Second):
			}
		}
		require.ErrorIs(t, err, kin.ErrCanceled, name)
		require.NotErrorIs(t, err, context.Canceled, name)
		require.NotErrorIs(t, err, kin.ErrDisconnected, name)
	}
	assert.Len(t, s.dump(t, "SELECT * FROM slow_parts"), 1)
}

// testCancelledInTx goes on with a transaction after a statement of it was
// cancelled, and does not heed the error: nothing is kept by halves. SQLite has
// rolled it back if it wrote, PostgreSQL asks for a rollback, and the driver of
// MariaDB gives the connection up.
func testCancelledInTx(t *testing.T, s *Suite) {
	s = slowSuite(t, s)
	ctx := t.Context()
	for name, run := range slowWrites() {
		var later, again error
		err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
			require.NoError(t, kin.Insert(ctx, tx, &slowPart{ID: 2}), name)
			short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, run(short, tx), kin.ErrCanceled, name)
			later = kin.Insert(ctx, tx, &slowPart{ID: 3})
			again = kin.Insert(ctx, tx, &slowPart{ID: 4})
			return nil
		})
		if s.Name == "sqlite" && name == "a query" { // which has changed nothing
			require.NoError(t, errors.Join(err, later, again))
			assert.Len(t, s.dump(t, "SELECT * FROM slow_parts"), 4)
			s.Exec(t, "DELETE FROM slow_parts WHERE id > 1")
			continue
		}
		require.Error(t, err, name)
		require.Error(t, later, name)
		require.Error(t, again, name)
		assert.Len(t, s.dump(t, "SELECT * FROM slow_parts"), 1, name)
	}
	require.Eventually(t, func() bool { return s.Pool().Stats().InUse == 0 }, 20*time.Second, time.Millisecond)
	if s.Name != "sqlite" {
		return
	}
	// On the caller's own transaction, the caller's COMMIT says so.
	raw, err := s.Pool().BeginTx(ctx, nil)
	require.NoError(t, err)
	db := kin.New(raw, s.DB.Dialect())
	require.NoError(t, kin.Insert(ctx, db, &slowPart{ID: 2}))
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, slowWrites()["an update"](short, db), kin.ErrCanceled)
	require.Error(t, kin.Insert(ctx, db, &slowPart{ID: 3}))
	require.Error(t, raw.Commit())
	assert.Len(t, s.dump(t, "SELECT * FROM slow_parts"), 1)
}
