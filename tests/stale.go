package tests

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func staleCases() []Case {
	return []Case{{"stale/a table that changes under a kept query", testStalePlan}}
}

// testStalePlan changes the type of a column under a query that the driver
// has prepared: the query goes on, outside a transaction.
func testStalePlan(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	require.NoError(t, kin.Insert(ctx, s.DB, &Category{Name: "a"}))
	s.Pool().SetMaxOpenConns(1) // so that it is the connection that has the plan
	q := kin.Query[Category]().Filter("id__gt", 0)
	for range 8 { // past the point at which drivers keep a plan
		rows, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, rows, 1)
	}
	switch s.Name {
	case "postgres":
		s.Exec(t, `ALTER TABLE categories ALTER COLUMN name TYPE varchar(50)`)
	case "mysql":
		s.Exec(t, "ALTER TABLE categories MODIFY name VARCHAR(50) NOT NULL")
	default:
		s.Exec(t, `ALTER TABLE categories ADD COLUMN more TEXT`)
	}
	rows, err := q.All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, "a", rows[0].Name)
}
