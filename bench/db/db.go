// Package db opens the databases of the bench, with the tables and rows that all
// contenders share.
package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/kin-orm/kin/bench/replay"
	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/dialect/mysql"
	"github.com/kin-orm/kin/dialect/postgres"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// Names returns the names of all databases.
func Names() []string { return []string{"sqlite", "postgres", "mysql", "replay"} }

//nolint:gochecknoglobals // so that no two databases of a process share a name
var opened atomic.Int64

func newName() string { return fmt.Sprintf("kin_bench_%d_%d", os.Getpid(), opened.Add(1)) }

// A Target is a database with its rows.
type Target struct {
	Name    string // one of Names
	Dialect string // "sqlite", "postgres" or "mysql"
	Version string // of the server
	DSN     string // for drivers other than that of database/sql

	source driver.Connector
	pool   *sql.DB // for what is not measured
	undo   []func() error
	ticks  int // rows in ticks
}

// Open creates a database, which Close removes, and fills it.
func Open(ctx context.Context, name string) (t *Target, err error) {
	t = &Target{Name: name, Dialect: name}
	defer func() {
		if err != nil {
			err = fmt.Errorf("bench: open %s: %w", name, errors.Join(err, t.Close()))
		}
	}()
	switch name {
	case "sqlite", "replay":
		t.Dialect = "sqlite"
		err = t.openSQLite(ctx)
	case "postgres":
		err = t.openPostgres(ctx)
	case "mysql":
		err = t.openMySQL(ctx)
	default:
		err = errors.New("there is no such database")
	}
	if err != nil {
		return t, err
	}
	t.pool = sql.OpenDB(t.source)
	t.undo = append(t.undo, t.pool.Close)
	version := "SELECT version()"
	if t.Dialect == "sqlite" {
		version = "SELECT 'SQLite ' || sqlite_version()"
	}
	if err := t.pool.QueryRowContext(ctx, version).Scan(&t.Version); err != nil {
		return t, err
	}
	if err := t.run(ctx, schema(t.Dialect)...); err != nil {
		return t, err
	}
	return t, t.fill(ctx)
}

func (t *Target) openSQLite(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "kin-bench-")
	if err != nil {
		return err
	}
	t.undo = append(t.undo, func() error { return os.RemoveAll(dir) })
	// Times that the driver writes can be read by all: its own default cannot.
	t.DSN = filepath.Join(dir, "bench.db") + "?_time_format=sqlite"
	t.source, err = sqlite.NewConnector(ctx, t.DSN)
	return err
}

func (t *Target) openPostgres(ctx context.Context) error {
	const server = "postgres://postgres@127.0.0.1:5432/"
	name := newName()
	if err := t.create(ctx, name, func(name string) (driver.Connector, error) {
		return postgres.NewConnector(server + name + "?sslmode=disable")
	}, "postgres", " WITH (FORCE)"); err != nil {
		return err
	}
	t.DSN = server + name + "?sslmode=disable&timezone=UTC"
	return nil
}

func (t *Target) openMySQL(ctx context.Context) error {
	const server = "root@tcp(127.0.0.1:3306)/"
	name := newName()
	t.DSN = server + name
	return t.create(ctx, name, func(name string) (driver.Connector, error) {
		return mysql.NewConnector(server + name)
	}, "", "")
}

// create creates the database name on a server, from another one that is there.
func (t *Target) create(ctx context.Context, name string, connector func(name string) (driver.Connector, error), other, force string) error {
	c, err := connector(other)
	if err != nil {
		return err
	}
	admin := sql.OpenDB(c)
	t.undo = append(t.undo, admin.Close)
	for _, text := range []string{"DROP DATABASE IF EXISTS " + name + force, "CREATE DATABASE " + name} {
		if _, err := admin.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	t.undo = append(t.undo, func() error {
		_, err := admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name+force)
		return err
	})
	t.source, err = connector(name)
	return err
}

// Close removes the database.
func (t *Target) Close() (err error) {
	for _, undo := range slices.Backward(t.undo) {
		err = errors.Join(err, undo())
	}
	t.undo = nil
	return err
}

// Rebind returns a statement with question marks as the dialect writes it.
func (t *Target) Rebind(query string) string {
	if t.Dialect != "postgres" {
		return query
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// An Instance is a Target as one contender opens it.
type Instance struct {
	*Target
	tape *replay.Tape // nil unless the target is replay
}

// Instance returns the database for one contender and one workload.
func (t *Target) Instance() *Instance {
	in := &Instance{Target: t}
	if t.Name == "replay" {
		in.tape = replay.NewTape(t.source)
	}
	return in
}

// Pool opens a pool, which the caller closes.
func (in *Instance) Pool() *sql.DB {
	source := in.source
	if in.tape != nil {
		source = dialect.KeepStatements(in.tape) // as those of NewConnector do
	}
	pool := sql.OpenDB(source)
	pool.SetMaxIdleConns(8) // two by default: others would be opened again and again
	return pool
}

// Seal says that the workload has run as it will be measured: from now on,
// replay answers from memory alone.
func (in *Instance) Seal() {
	if in.tape != nil {
		in.tape.Seal()
	}
}
