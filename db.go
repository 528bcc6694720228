package kin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
	pool    *sql.DB // to begin a transaction on; nil within one
}

// A DB is a database: a pool of connections, its dialect, and the registry
// and naming of the models that are kept there. It is made by Open in package
// dialect/sqlite, dialect/postgres or dialect/mysql, or by [New]. It may be
// used by several goroutines at once.
type DB struct{ s session }

// An Event is a statement that has run; see [WithTrace].
type Event = exec.Event

// An Option changes what [New] and the dialects' Open return.
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

// New returns a DB that runs on a pool of the caller's own. It leaves the
// pool's sessions as they are: for what they need, see the dialects' Open.
// Close closes the pool.
func New(pool *sql.DB, d dialect.Dialect, options ...Option) *DB {
	db := &DB{session{Session: exec.Session{Runner: pool}, dialect: d, pool: pool, space: &space{registry: Relations()}}}
	for _, o := range options {
		o(db)
	}
	return db
}

func (db *DB) session() *session { return &db.s }

// SQL returns the pool that db runs on.
func (db *DB) SQL() *sql.DB { return db.s.pool }

// Dialect returns the dialect, which also knows the registry and the naming
// of db: [QuerySet.SQL] gives with it what db would run.
func (db *DB) Dialect() dialect.Dialect { return boundDialect{db.s.dialect, db.s.space} }

// Close closes the pool.
func (db *DB) Close() error { return db.s.pool.Close() }

// A boundDialect is a dialect and the models that it is for.
type boundDialect struct {
	dialect.Dialect
	space *space
}

// A Tx is a transaction; see [DB.Tx]. It may be used by one goroutine at a
// time, and not after its function has returned.
type Tx struct{ s session }

func (tx *Tx) session() *session { return &tx.s }

// Tx runs f in a transaction. It is committed if f returns nil, and rolled
// back if f returns an error, which Tx returns, or panics, which goes on.
func (db *DB) Tx(ctx context.Context, f func(tx *Tx) error) error {
	return db.s.transact(ctx, func(s *session) error { return f(&Tx{*s}) })
}

// transact runs f in a transaction: a new one, or within one a savepoint.
func (s *session) transact(ctx context.Context, f func(*session) error) (err error) {
	if s.pool == nil {
		return s.savepoint(ctx, f)
	}
	tx, err := s.pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("kin: begin: %w", err)
	}
	inner := *s
	inner.Runner, inner.pool = tx, nil
	done := false
	defer func() {
		if done {
			return
		}
		if back := tx.Rollback(); back != nil && !errors.Is(back, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("kin: rollback: %w", back))
		}
	}()
	if err := f(&inner); err != nil {
		return err
	}
	done = true
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("kin: commit: %w", err)
	}
	return nil
}

// savepoint runs f so that the transaction is as before if f fails.
func (s *session) savepoint(ctx context.Context, f func(*session) error) error {
	if _, err := s.Exec(ctx, "SAVEPOINT kin_savepoint", nil); err != nil {
		return fmt.Errorf("kin: savepoint: %w", err)
	}
	if err := f(s); err != nil {
		// The savepoint is undone although ctx may be what ended f.
		ctx = context.WithoutCancel(ctx)
		if _, back := s.Exec(ctx, "ROLLBACK TO SAVEPOINT kin_savepoint", nil); back != nil {
			err = errors.Join(err, fmt.Errorf("kin: rollback to savepoint: %w", back))
		}
		return err
	}
	if _, err := s.Exec(ctx, "RELEASE SAVEPOINT kin_savepoint", nil); err != nil {
		return fmt.Errorf("kin: release savepoint: %w", err)
	}
	return nil
}
