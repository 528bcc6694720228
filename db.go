package kin

import (
	"context"
	"database/sql"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/exec"
)

// An Executor runs queries: a [*DB] or a [*Tx].
type Executor interface{ session() *session }

// A session is what an Executor runs statements on.
type session struct {
	exec.Session
	dialect dialect.Dialect
	space   *space

	begin    beginner // begins transactions; nil within one
	tx       *txState // the transaction that the session is in, or nil
	readOnly bool
	undone   bool             // whether a caller undoes all if a part fails
	clock    func() time.Time // or nil
	filters  *filters         // nil if there are none
	loads    *loadWatch       // nil if nobody looks for repeated loads
	replicas *replicaSet      // nil if there are none
	maxRows  int64            // of what one statement of a query reads; 0 for any

	batch   *Batch   // or nil
	counter *counter // of the rows of a batch's call, or nil
}

// A Conn is what a [DB] can run on: a *sql.DB, a *sql.Conn or a *sql.Tx.
type Conn interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// A beginner is a Conn that begins transactions.
type beginner interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}

// A DB is a database: a pool of connections, its dialect, and the registry
// and naming of the models that are kept there. It is made by Open in package
// dialect/sqlite, dialect/postgres or dialect/mysql, or by [New]. It may be
// used by several goroutines at once.
type DB struct {
	s     session
	bound dialect.Dialect // what Dialect returns
}

// An Event is a statement that has run; see [WithTrace]. Its fields are:
//
//	SQL      string        // its text; values are not in it
//	Params   int           // how many parameters it had
//	Rows     int64         // how many rows were read, or changed
//	Duration time.Duration // until the last row was read
//	Err      error         // what went wrong
type Event = exec.Event

// An Option changes what [New] and the dialects' Open return: [WithRegistry],
// [WithNaming], [WithKeyring], [WithTrace] and [WithClock] are Options.
type Option func(*DB)

// WithRegistry makes the database use the models of r, not the default
// registry's.
func WithRegistry(r *Registry) Option {
	return func(db *DB) { db.s.space.registry = r }
}

// WithNaming names tables and columns for this database, so that one set of
// models fits schemas that are named differently. Names in tags and in
// [Table] go before it.
func WithNaming(n Naming) Option {
	return func(db *DB) { db.s.space.naming = n }
}

// WithTrace calls trace after each statement: its text, how many parameters
// and rows it had, and how long it took. Values are not in it. trace may be
// called by several goroutines at once.
func WithTrace(trace func(context.Context, Event)) Option {
	return func(db *DB) { db.s.Report = trace }
}

// New returns a DB that runs on the caller's own pool, connection or
// transaction. It leaves its sessions as they are: for what they need, see the
// dialects' Open. It is fastest on a pool of connections that keep statements, as
// those of the dialects' NewConnector do: see [dialect.KeepStatements]. On a *sql.Tx, [DB.Tx] makes savepoints. With the [DB.Dialect]
// of another DB, it has that one's registry and naming, unless options say
// otherwise.
func New(conn Conn, d dialect.Dialect, options ...Option) *DB {
	models := &space{registry: Relations()}
	if b, ok := d.(boundDialect); ok {
		d, models.registry, models.naming = b.Dialect, b.session.space.registry, b.session.space.naming
	}
	db := &DB{
		s:     session{Session: exec.Session{Runner: conn}, dialect: d, space: models},
		bound: boundDialect{d, &session{dialect: d, space: models}},
	}
	if c, ok := d.(dialect.Classifier); ok {
		db.s.Stale = func(err error) bool { return c.Classify(err).Kind == dialect.StalePlan }
	}
	if pool, ok := conn.(*sql.DB); ok && d.Traits().KeepPrepared {
		db.s.Kept = exec.NewKept(pool)
	}
	db.s.NotDirect = d.Traits().BinaryPrepared
	if b, ok := conn.(beginner); ok {
		db.s.begin = b
	} else {
		db.s.Stale = nil // it is the caller's transaction
		db.s.tx = &txState{}
		db.s.Guard = &exec.Guard{}
	}
	for _, o := range options {
		o(db)
	}
	return db
}

func (db *DB) session() *session { return &db.s }

// SQL returns the pool that db runs on, or nil if it runs on a connection or a
// transaction.
func (db *DB) SQL() *sql.DB {
	pool, _ := db.s.Runner.(*sql.DB)
	return pool
}

// Dialect returns the dialect, which also knows the registry and the naming
// of db: [QuerySet.SQL] gives with it what db would run.
func (db *DB) Dialect() dialect.Dialect { return db.bound }

// Close closes the pool. A connection or a transaction is its owner's to end.
func (db *DB) Close() error {
	if pool := db.SQL(); pool != nil {
		return pool.Close()
	}
	return nil
}

// A boundDialect is a dialect and the models that it is for.
type boundDialect struct {
	dialect.Dialect
	session *session // which can write statements, and run none
}
