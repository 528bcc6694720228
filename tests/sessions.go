package tests

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func sessionCases() []Case {
	return []Case{
		{"sessions/every connection is set up", testSessions},
		{"sessions/foreign keys hold on every connection", testForeignKeysEverywhere},
	}
}

// eachConn runs f on several connections that are open at once.
func eachConn(t testing.TB, s *Suite, f func(conn *sql.Conn)) {
	t.Helper()
	var conns []*sql.Conn
	defer func() {
		for _, c := range conns {
			require.NoError(t, c.Close())
		}
	}()
	for range 5 {
		c, err := s.Pool().Conn(t.Context())
		require.NoError(t, err)
		conns = append(conns, c)
	}
	for _, c := range conns {
		f(c)
	}
}

func testSessions(t *testing.T, s *Suite) {
	settings := map[string]map[string]string{
		"sqlite": {
			"PRAGMA foreign_keys": "1", "PRAGMA busy_timeout": "5000", "PRAGMA journal_mode": "wal",
		},
		"postgres": {"SHOW timezone": "UTC"},
		"mysql": {
			"SELECT @@time_zone": "+00:00", "SELECT @@character_set_client": "utf8mb4", "SELECT @@character_set_results": "utf8mb4",
			"SELECT @@sql_mode LIKE '%STRICT_ALL_TABLES%'": "1", "SELECT @@sql_mode LIKE '%NO_ZERO_DATE%'": "1",
			"SELECT @@sql_mode LIKE '%ONLY_FULL_GROUP_BY%'": "1", "SELECT @@sql_mode LIKE '%ANSI%'": "0",
		},
	}[s.Name]
	require.NotEmpty(t, settings)
	s.Exec(t, "CREATE TABLE things (id int PRIMARY KEY, n int NOT NULL)")
	s.Exec(t, "INSERT INTO things VALUES (1, 1), (2, 2)")
	eachConn(t, s, func(conn *sql.Conn) {
		for query, want := range settings {
			var got string
			require.NoError(t, conn.QueryRowContext(t.Context(), query).Scan(&got), query)
			assert.Equal(t, want, got, query)
		}
		// Rows that match count, changed or not.
		result, err := conn.ExecContext(t.Context(), "UPDATE things SET n = n")
		require.NoError(t, err)
		n, err := result.RowsAffected()
		require.NoError(t, err)
		assert.EqualValues(t, 2, n, "matched rows")
		switch s.Name {
		case "sqlite":
			_, err = conn.ExecContext(t.Context(), `SELECT "no such column" FROM things`)
			require.Error(t, err, "a misspelt name is no text")
		case "mysql":
			_, err = conn.ExecContext(t.Context(), "UPDATE things SET n = 1e30")
			require.Error(t, err, "strict: a number is not cut down to what fits")
		}
	})
}

func testForeignKeysEverywhere(t *testing.T, s *Suite) {
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	insert := "INSERT INTO students (name, class_id) VALUES ('x', 12345)"
	eachConn(t, s, func(conn *sql.Conn) {
		_, err := conn.ExecContext(t.Context(), insert)
		require.Error(t, err)
	})
	// A transaction is on a connection of its own choice, too.
	err := s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
		return kin.Insert(t.Context(), tx, &Student{Name: "x", Class: kin.Key[SchoolClass](12345)})
	})
	require.Error(t, err)
	var n int
	require.NoError(t, s.Pool().QueryRowContext(context.Background(), "SELECT COUNT(*) FROM students").Scan(&n))
	assert.Zero(t, n)
}
