package tests_test

import (
	"testing"

	"github.com/kin-orm/kin/tests"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	tests.Run(t, tests.SQLite())
}

func TestSQLitePushed(t *testing.T) {
	t.Parallel()
	// Left out is what takes long and is about parameters, not about rows.
	tests.Run(t, tests.SQLitePushed(), "conditions/many", "injection/", "lists/")
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	tests.Run(t, tests.Postgres())
}

func TestMySQL(t *testing.T) {
	t.Parallel()
	tests.Run(t, tests.MySQL())
}
