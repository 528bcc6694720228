package kin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/plan"
)

// A reading is how a query's rows are read, beside which they are. It is
// comparable, and what it points to does not change.
type reading struct {
	lock *plan.Lock
	tags string // a comment

	maxRows    int64       // 0 if there is no budget
	guard      *plan.Guard // of what is added to the query
	orderGuard *plan.Guard // of the order that it has
}

// ask runs a query's statement, which reads: on a replica, if there are any
// and the call may.
func (s *session) ask(ctx context.Context, db Executor, c *compiled, args []driver.Value) (*exec.Rows, error) {
	reader, err := s.reader(ctx, db, c.locks)
	if err != nil {
		return nil, err
	}
	return reader.Query(ctx, c.sql, args)
}

// each runs the statement and calls f for every row.
func (s *session) each(ctx context.Context, db Executor, c *compiled, args []driver.Value, width int, f func(row []driver.Value) error) error {
	reader, err := s.reader(ctx, db, c.locks)
	if err != nil {
		return err
	}
	return c.size.each(ctx, &reader.Session, c.sql, args, width, f)
}

// A readSize is how much a statement has read the last time. It may be used by
// several goroutines at once.
type readSize struct{ values atomic.Int64 }

// each calls f for every row of a statement.
func (s *readSize) each(ctx context.Context, on *exec.Session, sql string, args []driver.Value, width int, f func(row []driver.Value) error) error {
	last := s.values.Load()
	rows, err := on.Each(ctx, sql, args, width, last, f)
	if n := rows * int64(width); n != last {
		s.values.Store(n)
	}
	return err
}

// reader returns the session by which a query that reads, and perhaps locks rows,
// is run with all that it loads: that of a replica, if there are any and the call
// may.
func (s *session) reader(ctx context.Context, db Executor, locks bool) (*session, error) {
	if locks {
		if err := s.mayLock(); err != nil {
			return nil, err
		}
	}
	if s.replicas == nil {
		return s, nil
	}
	reader := *s
	reader.Wrote = nil
	if _, pool := db.(*DB); pool && s.tx == nil && !locks {
		replica, err := s.replicas.runner(ctx)
		if err != nil {
			return nil, err
		}
		if replica != nil {
			reader.Runner, reader.Kept, reader.begin = replica.Runner, replica.Kept, replica.begin
		}
	}
	return &reader, nil
}

// ErrNoTx says that rows were to be locked outside a transaction, whose end
// is that of a lock.
var ErrNoTx = errors.New("kin: ForUpdate and ForShare lock rows until the transaction ends, and there is none; run the query within DB.Tx")

func (s *session) mayLock() error {
	switch {
	case s.tx == nil:
		return ErrNoTx
	case s.readOnly:
		return fmt.Errorf("%w, and locks are for those that write", ErrReadOnly)
	}
	return nil
}

// WithReplicas has queries and selections read from the replicas, in turn, which are
// databases with the same tables as this one, the primary, and follow it with
// some delay. They stay the caller's to close.
// All statements of one query are read from one of them.
//
// All that runs in a transaction, locks rows, writes, or belongs to a write
// ([GetOrCreate], [Reload] and the like) is on the primary, and so is [Raw].
// What others have written is seen when the replica has it: see
// [ReadYourWrites] for what the caller has, and [OnPrimary].
func WithReplicas(replicas ...*DB) Option {
	return func(db *DB) {
		if len(replicas) == 0 {
			return
		}
		rs := &replicaSet{}
		for i, r := range replicas {
			switch {
			case r == nil || r.s.begin == nil:
				rs.err = fmt.Errorf("kin: replica %d of %d is no pool of connections", i+1, len(replicas))
			case r.s.dialect.Name() != db.s.dialect.Name():
				rs.err = fmt.Errorf("kin: replica %d of %d is a database of %s, and the primary one of %s", i+1, len(replicas), r.s.dialect.Name(), db.s.dialect.Name())
			default:
				rs.runners = append(rs.runners, &r.s)
			}
		}
		db.s.replicas = rs
		db.s.Wrote = rs.wrote
	}
}

// A replicaSet is the replicas of a database.
type replicaSet struct {
	runners []*session
	err     error
	next    atomic.Uint64
}

// runner returns where a query is to run, or nil for the primary.
func (rs *replicaSet) runner(ctx context.Context) (*session, error) {
	if rs.err != nil {
		return nil, rs.err
	}
	if sticks, _ := ctx.Value(stickyKey{}).(*sticky); sticks != nil {
		if _, wrote := sticks.wrote.Load(rs); wrote || sticks.always {
			return nil, nil
		}
	}
	return rs.runners[rs.next.Add(1)%uint64(len(rs.runners))], nil
}

// wrote notes that a statement ran on the primary that may write.
func (rs *replicaSet) wrote(ctx context.Context) {
	sticks, _ := ctx.Value(stickyKey{}).(*sticky)
	for ; sticks != nil; sticks = sticks.outer {
		sticks.wrote.Store(rs, true)
	}
}

type stickyKey struct{}

// A sticky is what a context knows of what was written with it.
type sticky struct {
	always bool
	wrote  sync.Map // the replicaSets whose primary was written to
	outer  *sticky  // that of the context around, or nil
}

// ReadYourWrites returns a context in which reads follow writes: until
// something is written with it, or one made from it, queries go to the
// replicas of [WithReplicas], and from then on to the primary. Make one for
// each request that may write.
func ReadYourWrites(ctx context.Context) context.Context {
	return stick(ctx, false)
}

// OnPrimary returns a context in which no query goes to a replica.
func OnPrimary(ctx context.Context) context.Context {
	return stick(ctx, true)
}

func stick(ctx context.Context, always bool) context.Context {
	outer, _ := ctx.Value(stickyKey{}).(*sticky)
	return context.WithValue(ctx, stickyKey{}, &sticky{always: always, outer: outer})
}

// onPrimary is [OnPrimary] if there are replicas.
func (s *session) onPrimary(ctx context.Context) context.Context {
	if s.replicas == nil {
		return ctx
	}
	return OnPrimary(ctx)
}
