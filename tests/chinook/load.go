package chinook

import (
	"compress/gzip"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Load makes the tables of Chinook in the database of the pool, whose dialect
// has the given name, and fills them. The data is looked for in the folder
// KIN_DATA, or else in ../shared/data/chinook, beside the repository. If it is
// not there, the test is skipped, or fails where KIN_REQUIRE is set.
func Load(t testing.TB, pool *sql.DB, dialect string) {
	t.Helper()
	file := map[string]string{
		"sqlite": "Chinook_Sqlite.sql.gz", "postgres": "Chinook_PostgreSql.sql.gz", "mysql": "Chinook_MySql.sql.gz",
	}[dialect]
	folder := os.Getenv("KIN_DATA")
	if folder == "" {
		folder = filepath.Join(root(t), "..", "shared", "data", "chinook")
	}
	script, err := unzip(filepath.Join(folder, file))
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("KIN_REQUIRE") == "" { // where a skip is a failure
		t.Skipf("Chinook is not tested: there is no %s in %s", file, folder)
	}
	require.NoError(t, err)

	tx, err := pool.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer tx.Rollback() // nothing is left to undo once it is committed
	if dialect == "mysql" {
		// The script's own CREATE DATABASE takes today's default.
		_, err := tx.ExecContext(t.Context(), "ALTER DATABASE CHARACTER SET utf8mb4")
		require.NoError(t, err)
	}
	for _, statement := range split(script, dialect == "mysql") {
		if elsewhere(statement) {
			continue
		}
		_, err := tx.ExecContext(t.Context(), statement)
		require.NoError(t, err, "%.200s", statement)
	}
	require.NoError(t, tx.Commit())
	if dialect == "mysql" {
		// As after any bulk load: for tables that it believes to be empty,
		// MariaDB plans joins that take seconds.
		_, err := pool.ExecContext(t.Context(), "ANALYZE TABLE Album, Artist, Customer, Employee, Genre, Invoice, "+
			"InvoiceLine, MediaType, Playlist, PlaylistTrack, Track")
		require.NoError(t, err)
	}
}

// elsewhere reports whether a statement makes a database of the script's own,
// or goes there.
func elsewhere(statement string) bool {
	for _, start := range []string{"DROP DATABASE ", "CREATE DATABASE ", "USE ", `\c `} {
		if strings.HasPrefix(statement, start) {
			return true
		}
	}
	return false
}

// root returns the folder of kin's own go.mod: a test is run in the folder of
// its package, which may be in a nested module.
func root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	require.NoError(t, err)
	for {
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/kin-orm/kin\n") {
			return folder
		}
		up := filepath.Dir(folder)
		require.NotEqual(t, folder, up, "no go.mod of kin above the test")
		folder = up
	}
}

func unzip(name string) (text string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(z)
	return string(b), err
}
