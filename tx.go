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
	// that it wrote, with connections of its own. If it was not, the error is
	// [ErrDisconnected]; without Verify, or if it fails, [ErrCommitUnknown].
	Verify func(ctx context.Context) (committed bool, err error)
}

// A Tx is a transaction; see [DB.Tx]. It may be used by one goroutine at a
// time, and not while rows of it are being read: that is [ErrTxBusy]. After
// its end, its use is [sql.ErrTxDone].
type Tx struct{ s session }

func (tx *Tx) session() *session { return &tx.s }

// A txState is a transaction, or a savepoint within one.
type txState struct {
	tx       *sql.Tx   // nil if it is the caller's own
	conn     *sql.Conn // that the transaction is on, if that is known
	pooled   bool      // whether conn is to be given back
	verify   func(ctx context.Context) (committed bool, err error)
	outer    *txState // of a savepoint
	depth    int      // of a savepoint; 0 when it has ended
	onCommit []func()
	onUndo   []func() // what gives rows in memory back what they had

	// Of the outermost, for all of them:
	open   int   // how many savepoints are there now
	broken error // why it cannot be committed any more
}

// outermost returns the transaction that a savepoint is in.
func (t *txState) outermost() *txState {
	for t.outer != nil {
		t = t.outer
	}
	return t
}

// undo is called when what the transaction did is undone.
func (t *txState) undo() {
	for _, f := range slices.Backward(t.onUndo) {
		f()
	}
	t.onUndo = nil
}

// Tx runs f in a transaction. It is committed if f returns nil, and rolled
// back if f returns an error, which Tx returns, or panics, which goes on. At
// most one TxOptions may be given. The context given to Begin and to each
// statement ends them; a transaction whose context has ended is rolled back.
// So is one that f leaves by [runtime.Goexit], as a test does that fails.
//
// Rows that f inserted have keys of rows that are not there, if it is rolled
// back: a function that is run again makes its rows anew.
//
// On a DB that was made of a *sql.Tx, Tx makes a savepoint, and takes no
// options.
func (db *DB) Tx(ctx context.Context, f func(tx *Tx) error, options ...TxOptions) error {
	if db.s.begin == nil {
		if len(options) > 0 {
			return errSavepointOptions
		}
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

var errSavepointOptions = errors.New("kin: within the caller's own transaction, a transaction is a savepoint and takes no options")

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
	err = tx.Commit(ctx)
	done = !errors.Is(err, ErrTxBusy) // else it goes on still
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
		return withCause(ctx, nil)
	}
}

// Begin begins a transaction that the caller ends with [Tx.Commit] or
// [Tx.Rollback]. [DB.Tx] does that by itself.
func (db *DB) Begin(ctx context.Context, options ...TxOptions) (*Tx, error) {
	if db.s.begin == nil {
		if len(options) > 0 {
			return nil, errSavepointOptions
		}
		return (&Tx{db.s}).Begin(ctx)
	}
	return db.s.beginTx(ctx, oneOption(options))
}

func (s *session) beginTx(ctx context.Context, o TxOptions) (*Tx, error) {
	state := &txState{verify: o.Verify}
	begin := s.begin
	switch b := begin.(type) {
	case *sql.DB:
		conn, err := b.Conn(ctx)
		if err != nil {
			return nil, fmt.Errorf("kin: begin: %w", s.fault(ctx, nil, err))
		}
		state.conn, state.pooled, begin = conn, true, conn
	case *sql.Conn:
		state.conn = b
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
	inner.Conn = state.conn
	if o.ReadOnly {
		inner.Wrote = nil
	}
	return &Tx{inner}, nil
}

func (t *txState) release() {
	if t.pooled {
		_ = t.conn.Close() // gives it back; an error is of no use to anyone
	}
	t.conn, t.pooled = nil, false
}

// discard keeps the connection from being used again, be it the caller's own:
// the database may hold that the transaction still goes on.
func (t *txState) discard() {
	if t.conn != nil {
		_ = t.conn.Raw(func(any) error { return driver.ErrBadConn }) // which is what closes it
	}
}

// Commit ends the transaction and keeps what it did. If ctx has ended, it is
// rolled back instead. While rows of it are being read, Commit is [ErrTxBusy],
// and the transaction goes on. Of a savepoint, what it did becomes part of the
// transaction around it.
func (tx *Tx) Commit(ctx context.Context) error {
	state := tx.s.tx
	switch {
	case state.outer == nil && state.tx == nil:
		return errors.New("kin: the transaction is not kin's to commit")
	case ctx.Err() != nil:
		return errors.Join(fmt.Errorf("kin: commit: %w", tx.s.fault(ctx, nil, withCause(ctx, nil))), tx.Rollback())
	case state.outer != nil:
		return tx.releaseSavepoint(ctx)
	case state.broken != nil:
		return errors.Join(fmt.Errorf("kin: commit: what was done cannot be kept: %w", state.broken), tx.Rollback())
	}
	if err := tx.s.Guard.Finish(); err != nil {
		return fmt.Errorf("kin: commit: %w", err)
	}
	err := state.tx.Commit()
	if err != nil {
		state.discard()
	}
	state.release()
	if err != nil {
		if err = state.committed(ctx, tx.s.fault(context.WithoutCancel(ctx), nil, err)); err != nil {
			state.undo()
			return fmt.Errorf("kin: commit: %w", err)
		}
	}
	for _, f := range state.onCommit {
		f()
	}
	return nil
}

// committed finds out what a COMMIT has done that failed with err.
func (t *txState) committed(ctx context.Context, err error) error {
	switch {
	case !errors.Is(err, ErrDisconnected):
		return err
	case t.verify == nil:
		return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	committed, verifyErr := t.verify(ctx)
	switch {
	case verifyErr != nil:
		return errors.Join(fmt.Errorf("%w: %w", ErrCommitUnknown, err), verifyErr)
	case committed:
		return nil
	}
	return err
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
	state.undo()
	err := state.tx.Rollback()
	if errors.Is(err, sql.ErrTxDone) {
		err = nil
	}
	if err != nil {
		state.discard()
	}
	state.release()
	if err != nil && state.broken == nil { // else there may be nothing to roll back
		return fmt.Errorf("kin: rollback: %w", tx.s.fault(context.Background(), nil, err))
	}
	return nil
}

// OnCommit has f called once the outermost transaction has been committed, in
// the order of the calls. It is forgotten if the transaction, or a savepoint
// around the call, is rolled back. If it panics, so does Commit, after the
// commit, and those that follow are not called. It is never called where the
// outermost transaction is the caller's own, of whose commit kin does not know.
func (tx *Tx) OnCommit(f func()) { tx.s.tx.onCommit = append(tx.s.tx.onCommit, f) }

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
	return s.toWrite(reflect.TypeFor[T]())
}

func (s *session) toWrite(t reflect.Type) (*schema.Graph, *schema.Model, error) {
	g, err := s.forWriting()
	if err != nil {
		return nil, nil, err
	}
	m, err := modelOf(g, t)
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

// whole is transact for an f that fails if any part of it does: what is
// undone with it needs no savepoint of its own.
func (s *session) whole(ctx context.Context, f func(*session) error) error {
	return s.transact(ctx, func(s *session) error {
		inner := *s
		inner.undone = true
		return f(&inner)
	})
}
