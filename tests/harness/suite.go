// Package harness finds the servers that kin is tested on, makes a database for
// each test and counts what goes over its wire. It imports kin and none of the
// suites, so that a small one compiles fast.
package harness

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/dialect/mysql"
	"github.com/kin-orm/kin/dialect/postgres"
	"github.com/kin-orm/kin/dialect/sqlite"
	"github.com/kin-orm/kin/internal/push"
)

// A Target is a server to run the suite against.
type Target struct {
	// Name is "sqlite", "postgres" or "mysql".
	Name string
	// DSN leads to a server on which databases may be created and dropped.
	// SQLite has none.
	DSN string
	// Pushed is whether SQLite pushes the rows of all queries, and not only those
	// that had some the last time.
	Pushed bool
}

// SQLite returns the embedded database.
func SQLite() Target { return Target{Name: "sqlite"} }

// SQLitePushed returns the embedded database, pushing all rows.
func SQLitePushed() Target { return Target{Name: "sqlite", Pushed: true} }

// String tells targets apart.
func (target Target) String() string {
	if target.Pushed {
		return target.Name + " pushed"
	}
	return target.Name
}

// Postgres returns the server at KIN_POSTGRES_DSN, or the one that is on this
// machine.
func Postgres() Target {
	return Target{Name: "postgres", DSN: Env("KIN_POSTGRES_DSN", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")}
}

// MySQL returns the server at KIN_MYSQL_DSN, or the one that is on this
// machine.
func MySQL() Target {
	return Target{Name: "mysql", DSN: Env("KIN_MYSQL_DSN", "root@tcp(127.0.0.1:3306)/")}
}

// Env returns a variable of the environment, or what is given in its place.
func Env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// A Suite is what a case is run with: a database of its own.
type Suite struct {
	Target
	// DB has the models of the default registry, and no tables yet.
	DB *kin.DB
	// Wire counts what goes over the connections of DB.
	Wire *Wire

	pool *sql.DB
}

// Run runs a test against each target, in parallel, with a database of its own
// for each. If a server does not answer, the test is skipped with a line that
// says so, or fails if KIN_REQUIRE has the target's name.
func Run(t *testing.T, test func(t *testing.T, s *Suite)) {
	t.Helper()
	targets := []Target{SQLite(), Postgres(), MySQL()}
	if !Race { // which shows nothing new of how rows come, and takes long
		targets = append(targets, SQLitePushed())
	}
	for _, target := range targets {
		t.Run(target.String(), func(t *testing.T) {
			t.Parallel()
			target.Need(t)
			test(t, New(t, target))
		})
	}
}

// Need skips the test if the target's server does not answer, or fails it if
// KIN_REQUIRE has the target's name.
func (target Target) Need(t testing.TB) {
	t.Helper()
	err := target.admin(func(*sql.DB) error { return nil })
	if err == nil {
		return
	}
	for name := range strings.SplitSeq(os.Getenv("KIN_REQUIRE"), ",") {
		if strings.TrimSpace(name) == target.Name {
			t.Fatalf("KIN_REQUIRE asks for %s, which does not answer: %v", target.Name, err)
		}
	}
	t.Skipf("%s does not answer and is not tested: %v", target.Name, err)
}

// admin runs f on the target's server.
func (target Target) admin(f func(*sql.DB) error) error {
	driver := map[string]string{"postgres": "pgx", "mysql": "mysql"}[target.Name]
	if driver == "" {
		return nil
	}
	pool, err := sql.Open(driver, target.DSN)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := pool.PingContext(context.Background()); err != nil {
		return err
	}
	return f(pool)
}

// New returns a Suite with a fresh database, which goes when the test ends.
func New(t testing.TB, target Target, options ...kin.Option) *Suite {
	t.Helper()
	s := &Suite{Target: target, Wire: &Wire{}}
	s.pool = sql.OpenDB(target.Keeping(s.Wire.Connector(target.database(t))))
	s.DB = kin.New(s.pool, target.Dialect(), options...)
	t.Cleanup(func() { require.NoError(t, s.DB.Close()) })
	return s
}

// With returns a Suite on the same database, with options of its own.
func (s *Suite) With(options ...kin.Option) *Suite {
	other := *s
	other.DB = kin.New(s.pool, s.Dialect(), options...)
	return &other
}

// Keeping returns a connector as those of the dialects' NewConnector are, where
// something stands between: one whose connections keep statements, but for
// PostgreSQL, whose driver does.
func (target Target) Keeping(c driver.Connector) driver.Connector {
	switch {
	case target.Name == "postgres":
		return c
	case target.Pushed:
		return push.Always(c)
	case target.Name == "sqlite":
		return push.Connector(c)
	}
	return dialect.KeepStatements(c)
}

// Dialect returns the dialect of the target.
func (target Target) Dialect() dialect.Dialect {
	switch target.Name {
	case "postgres":
		return postgres.Dialect{}
	case "mysql":
		return mysql.Dialect{}
	}
	return sqlite.Dialect{}
}

// Exec runs SQL that the test has written itself.
func (s *Suite) Exec(t testing.TB, query string, args ...any) {
	t.Helper()
	_, err := s.pool.ExecContext(t.Context(), query, args...)
	require.NoError(t, err, query)
}

// Pool returns the pool of connections, for SQL written by hand.
func (s *Suite) Pool() *sql.DB { return s.pool }

// Bind writes the parameters of a statement, which are question marks, as
// the target does.
func (s *Suite) Bind(query string) string {
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r != '?' {
			b.WriteRune(r)
			continue
		}
		n++
		b.Write(s.Dialect().AppendParam(nil, n))
	}
	return b.String()
}
