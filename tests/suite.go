// Package tests is the suite that every database passes: each behaviour of
// kin is tested once, and run on SQLite, PostgreSQL and MariaDB. It is a
// package of its own, and not of tests, so that others can run it against a
// server of theirs, as the module in the folder docker does.
package tests

import (
	"slices"
	"strings"
	"testing"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// A Target is a server to run the suite against.
type Target = harness.Target

// A Wire counts what goes over the connections of a database.
type Wire = harness.Wire

// SQLite returns the embedded database.
func SQLite() Target { return harness.SQLite() }

// SQLitePushed returns the embedded database, pushing all rows.
func SQLitePushed() Target { return harness.SQLitePushed() }

// Postgres returns the server at KIN_POSTGRES_DSN, or the one that is on this
// machine.
func Postgres() Target { return harness.Postgres() }

// MySQL returns the server at KIN_MYSQL_DSN, or the one that is on this
// machine.
func MySQL() Target { return harness.MySQL() }

// A Case is a part of the suite.
type Case struct {
	Name string
	Run  func(t *testing.T, s *Suite)
}

// A Suite is what a case is run with: a database of its own, with the models of
// the default registry and no tables yet.
type Suite struct{ *harness.Suite }

// Run runs the suite against a target. If its server does not answer, the
// test is skipped with a line that says so, or fails if KIN_REQUIRE has the
// target's name. Cases whose names begin with one of but are left out.
func Run(t *testing.T, target Target, but ...string) {
	t.Helper()
	target.Need(t)
	for _, c := range Cases() {
		if slices.ContainsFunc(but, func(name string) bool { return strings.HasPrefix(c.Name, name) }) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			c.Run(t, New(t, target))
		})
	}
}

// New returns a Suite with a fresh database, which goes when the test ends.
func New(t testing.TB, target Target, options ...kin.Option) *Suite {
	t.Helper()
	return &Suite{harness.New(t, target, options...)}
}

// With returns a Suite on the same database, with options of its own.
func (s *Suite) With(options ...kin.Option) *Suite { return &Suite{s.Suite.With(options...)} }

// bind writes the parameters of a statement, which are question marks, as
// the target does.
func (s *Suite) bind(query string) string { return s.Bind(query) }

func env(name, otherwise string) string { return harness.Env(name, otherwise) }
