package tests

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// What follows is about SQLite alone: databases in memory, and their names.

func memoryDB(t *testing.T, name string) *kin.DB {
	t.Helper()
	var r kin.Registry
	kin.Register[Cell[string]](&r)
	db, err := sqlite.Open(t.Context(), name, kin.WithRegistry(&r))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestMemoryIsOneDatabase(t *testing.T) {
	t.Parallel()
	db := memoryDB(t, ":memory:")
	require.NoError(t, kin.CreateTables(t.Context(), db))
	require.NoError(t, kin.Insert(t.Context(), db, &Cell[string]{V: "x"}))
	const many = 8
	open := make(chan *sql.Conn, many)
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			conn, err := db.SQL().Conn(t.Context())
			if assert.NoError(t, err) {
				open <- conn
			}
		})
	}
	all.Wait()
	close(open)
	assert.Equal(t, many, db.SQL().Stats().OpenConnections, "all at once")
	table := Cell[string]{}.KinTable().Name
	var conns []*sql.Conn
	for conn := range open {
		conns = append(conns, conn)
		var n, foreignKeys int
		require.NoError(t, conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n))
		assert.Equal(t, len(conns), n, "a connection sees what the others have written")
		require.NoError(t, conn.QueryRowContext(t.Context(), "PRAGMA foreign_keys").Scan(&foreignKeys))
		assert.Equal(t, 1, foreignKeys)
		_, err := conn.ExecContext(t.Context(), "INSERT INTO "+table+" (v) VALUES ('y')")
		require.NoError(t, err)
	}
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	// The pool forgets all its connections, and the database is still there.
	db.SQL().SetMaxIdleConns(-1)
	require.Zero(t, db.SQL().Stats().OpenConnections)
	n, err := kin.Query[Cell[string]]().Count(t.Context(), db)
	require.NoError(t, err)
	assert.EqualValues(t, many+1, n)
}

func TestMemoryTakesConcurrentWriters(t *testing.T) {
	t.Parallel()
	db := memoryDB(t, ":memory:")
	require.NoError(t, kin.CreateTables(t.Context(), db))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				assert.NoError(t, kin.Insert(t.Context(), db, &Cell[string]{V: "a"}, &Cell[string]{V: "b"}))
			}
		})
	}
	all.Wait()
	var n int
	require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+Cell[string]{}.KinTable().Name).Scan(&n))
	assert.Equal(t, 8*10*2, n)
}

func TestMemoriesAreApart(t *testing.T) {
	t.Parallel()
	first, second := memoryDB(t, ":memory:"), memoryDB(t, ":memory:")
	require.NoError(t, kin.CreateTables(t.Context(), first))
	require.NoError(t, kin.Insert(t.Context(), first, &Cell[string]{V: "x"}))
	_, err := kin.Query[Cell[string]]().All(t.Context(), second)
	require.ErrorContains(t, err, "no such table")
	require.NoError(t, kin.CreateTables(t.Context(), second))
	n, err := kin.Query[Cell[string]]().Count(t.Context(), second)
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ name, file, why string }{
		{"plain.db", "plain.db", "a name like any"},
		{"has spaces.db", "has spaces.db", "spaces"},
		{"hash#tag.db", "hash#tag.db", "a URI would end at the hash"},
		{"per%20cent.db", "per%20cent.db", "a URI would read it as a space"},
		{"größe \U0001F600.db", "größe \U0001F600.db", "Unicode"},
		{"a&b=c;d.db", "a&b=c;d.db", "what parts parameters"},
		{"params.db?_pragma=cache_size(77)", "params.db", "parameters follow the question mark"},
	} {
		dir := t.TempDir()
		checkFile(t, filepath.Join(dir, "")+"/"+x.name, dir, x.file, x.why)
	}
	// In the driver's own form, a question mark can be part of the name.
	dir := t.TempDir()
	checkFile(t, "file:"+dir+"/what%3f%23.db?_pragma=cache_size(77)", dir, "what?#.db", "an escaped question mark")
}

func checkFile(t *testing.T, name, dir, file, why string) {
	t.Helper()
	db := memoryDB(t, name)
	require.NoError(t, kin.CreateTables(t.Context(), db), why)
	require.NoError(t, kin.Insert(t.Context(), db, &Cell[string]{V: "x"}), why)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.ElementsMatch(t, []string{file, file + "-wal", file + "-shm"}, names, why)
	var mode string
	require.NoError(t, db.SQL().QueryRowContext(context.Background(), "PRAGMA journal_mode").Scan(&mode))
	assert.Equal(t, "wal", mode, why)
}
