package db_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/db"
)

// TestReset: entries are what package data says, also after they were changed.
func TestReset(t *testing.T) {
	t.Parallel()
	target, err := db.Open(t.Context(), "sqlite")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, target.Close()) })
	pool := target.Instance().Pool()
	_, err = pool.ExecContext(t.Context(), "UPDATE entries SET name = ''")
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	require.NoError(t, target.Reset(t.Context()))
	entries, err := target.Entries(t.Context())
	require.NoError(t, err)
	require.Equal(t, data.NewWides(1, data.Entries), entries)
}
