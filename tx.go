package kin

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/schema"
)

var (
	// ErrTxBusy says that a transaction was used while a statement of it was
	// still running: by another goroutine, or while rows are being read.
	ErrTxBusy = exec.ErrBusy
	// ErrCommitUnknown says that the connection was lost while a transaction
	// was being committed: it may have been, or not. See [TxOptions].
	ErrCommitUnknown = errors.New("kin: the connection was lost during commit; whether the transaction was committed is unknown")
	// ErrReadOnly says that a read-only transaction was asked to write.
	ErrReadOnly = errors.New("kin: the transaction is read-only")
)

// TxOptions change how a transaction runs. The zero value is a transaction
// that reads and writes, under the database's own isolation level, and that
// is not tried again.
type TxOptions struct {
	// Isolation is the isolation level. A level that the database does not
	// have is an error from it; SQLite's only one is the strictest, and serves
	// for all.
	Isolation sql.IsolationLevel
	// ReadOnly refuses writes, with [ErrReadOnly].
	ReadOnly bool
	// Retries is how often the whole function is run again after a
	// serialization failure, a deadlock or a lock that was not to be had
	// (SQLITE_BUSY is one). Before each time there is a pause that grows from
	// about 10 ms to a second, with jitter. The function must bear being run
	// again: what it did outside the transaction stays done.
	Retries int
	// Verify is asked when the connection was lost during commit. It reports
	// whether the transaction has been committed, by looking for something
	// that it wrote, with connections of its own. Without it, the error is
	// [ErrCommitUnknown].
	Verify func(ctx context.Context) (committed bool, err error)
}

// A Tx is a transaction; see [DB.Tx]. It may be used by one goroutine at a
// time, and not while rows of it are being read: that is [ErrTxBusy]. After
// its end, its use is [sql.ErrTxDone].
type Tx struct{ s session }

func (tx *Tx) session() *session { return &tx.s }

// A txState is a transaction, or a savepoint within one.
type txState struct {
	tx       *sql.Tx
	conn     *sql.Conn // to be given back, if the transaction has one of its own
	outer    *txState  // of a savepoint
	depth    int       // of savepoints
	onCommit []func()

	onRollback []func() // put values in memory back
}

// Tx runs f in a transaction. It is committed if f returns nil, and rolled
// back if f returns an error, which Tx returns, or panics, which goes on. At
// most one TxOptions may be given. The context given to Begin and to each
// statement ends them; a transaction whose context has ended is rolled back.
//
// On a DB that was made of a *sql.Tx, Tx makes a savepoint.
func (db *DB) Tx(ctx context.Context, f func(tx *Tx) error, options ...TxOptions) error {
	if db.s.begin == nil {
		return (&Tx{db.s}).Tx(ctx, f)
	}
	o := oneOption(options)
	for try := 0; ; try++ {
		err := db.s.once(ctx, f, o)
		if err == nil || try >= o.Retries || !db.s.retryable(err) {
			return err
		}
		if waitErr := pause(ctx, try); waitErr != nil {
			return errors.Join(err, waitErr)
		}
	}
}

func oneOption(options []TxOptions) TxOptions {
	if len(options) == 0 {
		return TxOptions{}
	}
	return options[0]
}

// once runs f in one transaction.
func (s *session) once(ctx context.Context, f func(tx *Tx) error, o TxOptions) (err error) {
	tx, err := s.beginTx(ctx, o)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // f failed or panicked
			err = errors.Join(err, tx.Rollback())
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	done = true
	err = tx.Commit(ctx)
	if errors.Is(err, ErrCommitUnknown) && o.Verify != nil {
		committed, verifyErr := o.Verify(ctx)
		switch {
		case verifyErr != nil:
			return errors.Join(err, verifyErr)
		case committed:
			return nil
		}
		return fmt.Errorf("%w: commit failed", ErrDisconnected)
	}
	return err
}

// retryable reports whether a transaction that ended with err may succeed if
// it is run again.
func (s *session) retryable(err error) bool {
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrDeadlock) || errors.Is(err, ErrLockTimeout) {
		return true
	}
	if c, ok := s.dialect.(dialect.Classifier); ok {
		switch c.Classify(err).Kind {
		case dialect.Conflict, dialect.Deadlock, dialect.LockTimeout:
			return true
		default:
		}
	}
	return false
}

// pause waits before a transaction is run again: a random part of a time that
// doubles (exponential backoff with full jitter).
func pause(ctx context.Context, try int) error {
	const first, most = 10 * time.Millisecond, time.Second
	limit := min(first<<min(try, 10), most)
	timer := time.NewTimer(time.Millisecond + rand.N(limit)) //nolint:gosec // no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Begin begins a transaction that the caller ends with [Tx.Commit] or
// [Tx.Rollback]. [DB.Tx] does that by itself.
func (db *DB) Begin(ctx context.Context, options ...TxOptions) (*Tx, error) {
	if db.s.begin == nil {
		return (&Tx{db.s}).Begin(ctx)
	}
	return db.s.beginTx(ctx, oneOption(options))
}

func (s *session) beginTx(ctx context.Context, o TxOptions) (*Tx, error) {
	state := &txState{}
	begin := s.begin
	if pool, ok := begin.(*sql.DB); ok {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return nil, fmt.Errorf("kin: begin: %w", s.fault(ctx, nil, err))
		}
		state.conn, begin = conn, conn
	}
	level := o.Isolation
	if s.dialect.Traits().SerialOnly {
		level = sql.LevelDefault
	}
	// The transaction's own context never ends: COMMIT is either sent or not,
	// and a rollback is always possible. Statements have the caller's.
	tx, err := begin.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{Isolation: level, ReadOnly: o.ReadOnly})
	if err != nil {
		state.release()
		return nil, fmt.Errorf("kin: begin: %w", s.fault(ctx, nil, err))
	}
	state.tx = tx
	inner := *s
	inner.Runner, inner.begin, inner.tx, inner.readOnly = tx, nil, state, o.ReadOnly
	inner.Guard = &exec.Guard{}
	return &Tx{inner}, nil
}

// rolledBack puts values in memory back that a transaction has changed.
func (t *txState) rolledBack() {
	for _, f := range slices.Backward(t.onRollback) {
		f()
	}
	t.onRollback = nil
}

func (t *txState) release() {
	if t.conn != nil {
		_ = t.conn.Close() // gives it back; an error is of no use to anyone
		t.conn = nil
	}
}

// discard keeps the transaction's own connection from being used again: the
// database may hold that the transaction still goes on.
func (t *txState) discard() {
	if t.conn != nil {
		_ = t.conn.Raw(func(any) error { return driver.ErrBadConn }) // which is what closes it
	}
}

// Commit ends the transaction and keeps what it did. If ctx has ended, it is
// rolled back instead. Of a savepoint, what it did becomes part of the
// transaction around it.
func (tx *Tx) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return errors.Join(context.Cause(ctx), tx.Rollback())
	}
	state := tx.s.tx
	if state.outer != nil {
		return tx.releaseSavepoint(ctx)
	}
	if state.tx == nil {
		return errors.New("kin: the transaction is not kin's to commit")
	}
	tx.s.Guard.End()
	err := state.tx.Commit()
	if err != nil {
		state.rolledBack()
		state.discard()
	}
	state.release()
	if err != nil {
		err = tx.s.fault(context.WithoutCancel(ctx), nil, err)
		if errors.Is(err, ErrDisconnected) {
			return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
		}
		return fmt.Errorf("kin: commit: %w", err)
	}
	for _, f := range state.onCommit {
		f()
	}
	return nil
}

// Rollback ends the transaction and undoes what it did. After the end of the
// transaction it does nothing, so that it may be deferred.
func (tx *Tx) Rollback() error {
	state := tx.s.tx
	if state.outer != nil {
		return tx.undoSavepoint()
	}
	if state.tx == nil {
		return errors.New("kin: the transaction is not kin's to roll back")
	}
	tx.s.Guard.End()
	state.rolledBack()
	err := state.tx.Rollback()
	if err != nil && !errors.Is(err, sql.ErrTxDone) {
		state.discard()
	}
	state.release()
	if err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("kin: rollback: %w", err)
	}
	return nil
}

// OnCommit has f called once the outermost transaction has been committed, in
// the order of the calls. It is forgotten if the transaction, or a savepoint
// around the call, is rolled back.
func (tx *Tx) OnCommit(f func()) { tx.s.tx.onCommit = append(tx.s.tx.onCommit, f) }

// Tx runs f within a savepoint: what it does is undone if f returns an error,
// which Tx returns, or panics, and the transaction goes on.
func (tx *Tx) Tx(ctx context.Context, f func(tx *Tx) error) (err error) {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, inner.Rollback())
		}
	}()
	if err := f(inner); err != nil {
		return err
	}
	done = true
	return inner.Commit(ctx)
}

// Begin makes a savepoint, which the caller ends with Commit or Rollback.
func (tx *Tx) Begin(ctx context.Context) (*Tx, error) {
	inner := tx.s
	inner.tx = &txState{tx: tx.s.tx.tx, outer: tx.s.tx, depth: tx.s.tx.depth + 1}
	if _, err := inner.Exec(ctx, "SAVEPOINT "+inner.tx.savepoint(), nil); err != nil {
		return nil, fmt.Errorf("kin: savepoint: %w", inner.fault(ctx, nil, err))
	}
	return &Tx{inner}, nil
}

func (t *txState) savepoint() string { return "kin_" + strconv.Itoa(t.depth) }

func (tx *Tx) releaseSavepoint(ctx context.Context) error {
	state := tx.s.tx
	if state.depth == 0 {
		return sql.ErrTxDone
	}
	if _, err := tx.s.Exec(ctx, "RELEASE SAVEPOINT "+state.savepoint(), nil); err != nil {
		return errors.Join(fmt.Errorf("kin: release savepoint: %w", tx.s.fault(ctx, nil, err)), tx.Rollback())
	}
	state.depth = 0
	state.outer.onCommit = append(state.outer.onCommit, state.onCommit...)
	state.outer.onRollback = append(state.outer.onRollback, state.onRollback...)
	tx.end()
	return nil
}

func (tx *Tx) undoSavepoint() error {
	state := tx.s.tx
	if state.depth == 0 {
		return nil
	}
	name := state.savepoint()
	state.depth = 0
	state.rolledBack()
	ctx := context.Background() // what ended f may be its context
	for _, text := range []string{"ROLLBACK TO SAVEPOINT " + name, "RELEASE SAVEPOINT " + name} {
		if _, err := tx.s.Exec(ctx, text, nil); err != nil {
			tx.end()
			return fmt.Errorf("kin: rollback to savepoint: %w", err)
		}
	}
	tx.end()
	return nil
}

// end makes the use of an ended savepoint an error, and leaves the
// transaction around it as it is.
func (tx *Tx) end() {
	tx.s.Guard = &exec.Guard{}
	tx.s.Guard.End()
}

// forWriting returns the graph for a call that writes.
func (s *session) forWriting() (*schema.Graph, error) {
	if s.readOnly {
		return nil, ErrReadOnly
	}
	g, err := s.space.graph()
	if err != nil {
		return nil, err
	}
	return g, checkNames(g, s.dialect)
}

// toWrite returns the graph and the model of T for a call that writes.
func toWrite[T any](s *session) (*schema.Graph, *schema.Model, error) {
	g, err := s.forWriting()
	if err != nil {
		return nil, nil, err
	}
	m, err := modelOf(g, reflect.TypeFor[T]())
	return g, m, err
}

// transact runs f so that all it does is done, or nothing: in a transaction
// of its own, or within one in a savepoint.
func (s *session) transact(ctx context.Context, f func(*session) error) error {
	if s.undone {
		return f(s)
	}
	run := func(tx *Tx) error { return f(&tx.s) }
	if s.begin == nil {
		return (&Tx{*s}).Tx(ctx, run)
	}
	return s.once(ctx, run, TxOptions{})
}
