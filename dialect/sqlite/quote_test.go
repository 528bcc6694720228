package sqlite_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/dialect/sqlite"
)

// FuzzQuote has SQLite for a judge: a column under any quoted name is called
// exactly so. The other dialects quote by the same rule.
func FuzzQuote(f *testing.F) {
	db, err := sqlite.Open(f.Context(), ":memory:")
	require.NoError(f, err)
	f.Cleanup(func() { _ = db.Close() })
	for _, seed := range []string{"name", `"`, `""`, "`", "a.b", "per % cent", "[x]", "'; DROP TABLE x; --", "é", "?", ":a", "$1", " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || strings.ContainsRune(name, 0) {
			t.Skip("no database has such a name")
		}
		require.Equal(t, []string{name}, columns(t, db.SQL(), "SELECT 1 AS "+string(sqlite.Dialect{}.AppendIdent(nil, name))))
	})
}

func columns(t *testing.T, pool *sql.DB, query string) []string {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	require.NoError(t, rows.Err())
	return names
}
