package replay_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/bench/replay"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// open returns a real database with one table, and a tape and a pool over it.
func open(t *testing.T) (db *sql.DB, tape *replay.Tape, pool *sql.DB) {
	t.Helper()
	connector, err := sqlite.NewConnector(t.Context(), filepath.Join(t.TempDir(), "replay.db"))
	require.NoError(t, err)
	db = sql.OpenDB(connector)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.ExecContext(t.Context(), "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, blob BLOB, at DATETIME)")
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "INSERT INTO t VALUES (1, 'one', x'01', '2024-05-06 07:08:09'), (2, NULL, NULL, NULL)")
	require.NoError(t, err)
	tape = replay.NewTape(connector)
	pool = sql.OpenDB(tape)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return db, tape, pool
}

func texts(t *testing.T, pool *sql.DB, id int) (found []string) {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), "SELECT id, name, blob, at FROM t WHERE id >= ? ORDER BY id", id)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var id int64
		var name sql.NullString
		var blob []byte
		var at sql.NullTime
		require.NoError(t, rows.Scan(&id, &name, &blob, &at))
		found = append(found, name.String+string(blob)+at.Time.String())
	}
	require.NoError(t, rows.Err())
	return found
}

// TestRows: what was asked once is not asked again, and parameters tell
// questions apart.
func TestRows(t *testing.T) {
	t.Parallel()
	db, tape, pool := open(t)
	all, second := texts(t, pool, 1), texts(t, pool, 2)
	require.Equal(t, texts(t, db, 1), all)
	require.Len(t, second, 1)
	_, err := db.ExecContext(t.Context(), "DELETE FROM t")
	require.NoError(t, err)
	require.Equal(t, all, texts(t, pool, 1), "still recording, but known")
	tape.Seal()
	require.Equal(t, all, texts(t, pool, 1))
	require.Equal(t, second, texts(t, pool, 2))
	_, err = pool.QueryContext(t.Context(), "SELECT id, name, blob, at FROM t WHERE id >= ? ORDER BY id", 3) //nolint:rowserrcheck // it fails
	require.ErrorIs(t, err, replay.ErrNotRecorded)
}

// TestWrites: a write happens once, in a real transaction, prepared or not.
func TestWrites(t *testing.T) {
	t.Parallel()
	db, tape, pool := open(t)
	write := func() {
		tx, err := pool.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		stmt, err := tx.PrepareContext(t.Context(), "INSERT INTO t (name) VALUES (?)")
		require.NoError(t, err)
		for i, name := range []string{"three", "four"} {
			r, err := stmt.ExecContext(t.Context(), name)
			require.NoError(t, err)
			id, err := r.LastInsertId()
			require.NoError(t, err)
			require.EqualValues(t, 3+i, id)
		}
		require.NoError(t, stmt.Close())
		require.NoError(t, tx.Commit())
	}
	write()
	write()
	tape.Seal()
	write()
	require.Len(t, texts(t, db, 1), 4)
}

// TestColumnTypes: what the real driver says of columns is on the tape.
func TestColumnTypes(t *testing.T) {
	t.Parallel()
	db, tape, pool := open(t)
	types := func(pool *sql.DB) (names []string) {
		rows, err := pool.QueryContext(t.Context(), "SELECT id, name, at FROM t")
		require.NoError(t, err)
		defer rows.Close()
		require.True(t, rows.Next())
		columns, err := rows.ColumnTypes()
		require.NoError(t, err)
		for _, c := range columns {
			names = append(names, c.Name()+" "+c.DatabaseTypeName()+" "+c.ScanType().String())
		}
		require.NoError(t, rows.Err())
		return names
	}
	want := types(db)
	require.Equal(t, want, types(pool))
	tape.Seal()
	require.Equal(t, want, types(pool))
}
