package tests_test

import (
	"testing"

	"github.com/kin-orm/kin/tests"
	"github.com/kin-orm/kin/tests/harness"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	tests.Run(t, tests.SQLite())
}

func TestSQLitePushed(t *testing.T) {
	t.Parallel()
	// Left out is what takes long and is about parameters, not about rows; with the
	// race detector, what is about other things than loading, too. CI runs that
	// without it.
	but := []string{"conditions/", "injection/", "lists/"}
	if harness.Race {
		but = append(but, "batch/", "cursor/", "ddl/", "encrypted/", "faults/", "faulty/", "filter/", "graph/", "insert/", "limits/", "partition/", "tx/", "upsert/", "version/")
	}
	tests.Run(t, tests.SQLitePushed(), but...)
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	tests.Run(t, tests.Postgres())
}

func TestMySQL(t *testing.T) {
	t.Parallel()
	tests.Run(t, tests.MySQL())
}
