package harness

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"testing"

	gomysql "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/dialect/mysql"
	"github.com/kin-orm/kin/dialect/postgres"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// database creates a database for one test, which is dropped when the test
// ends, and returns a connector to it.
func (target Target) database(t testing.TB) driver.Connector {
	t.Helper()
	name := fmt.Sprintf("kin_%016x", rand.Uint64())
	var connector driver.Connector
	var err error
	switch target.Name {
	case "postgres":
		target.create(t, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8'", "DROP DATABASE "+name+" WITH (FORCE)")
		// What is lost if the machine stops is no concern of the tests.
		target.alter(t, "ALTER DATABASE "+name+" SET synchronous_commit TO off")
		config, parseErr := pgx.ParseConfig(target.DSN)
		require.NoError(t, parseErr)
		dsn := fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=disable", config.Host, config.Port, config.User, name)
		if config.Password != "" {
			dsn += " password='" + config.Password + "'"
		}
		connector, err = postgres.NewConnector(dsn)
	case "mysql":
		// latin1 is the default of older servers: kin must not depend on it.
		target.create(t, "CREATE DATABASE "+name+" DEFAULT CHARACTER SET latin1", "DROP DATABASE "+name)
		config, parseErr := gomysql.ParseDSN(target.DSN)
		require.NoError(t, parseErr)
		config.DBName = name
		connector, err = mysql.NewConnector(config.FormatDSN())
	default:
		connector, err = sqlite.NewConnector(t.Context(), t.TempDir()+"/kin.db")
	}
	require.NoError(t, err)
	return connector
}

func (target Target) create(t testing.TB, create, drop string) {
	t.Helper()
	target.alter(t, create)
	t.Cleanup(func() { target.alter(t, drop) })
}

// alter runs a statement on the target's server.
func (target Target) alter(t testing.TB, query string) {
	t.Helper()
	require.NoError(t, target.admin(func(pool *sql.DB) error {
		_, err := pool.Exec(query)
		return err
	}))
}
