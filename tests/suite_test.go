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
	tests.Run(t, tests.SQLitePushed())
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	tests.Run(t, tests.Postgres())
}

func TestMySQL(t *testing.T) {
	t.Parallel()
	tests.Run(t, tests.MySQL())
}
