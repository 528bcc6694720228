package kin

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/plan"
)

// A LockWait says what a query that locks rows does about those that others
// have locked. Without one, it waits.
type LockWait uint8

const (
	// NoWait makes it an error, [ErrLockTimeout].
	NoWait = LockWait(plan.NoWait)
	// SkipLocked leaves them out: several workers take jobs from one table, and
	// each job is taken once.
	SkipLocked = LockWait(plan.SkipLocked)
)

// ForUpdate locks the rows of the query that are read, until the transaction
// ends: others can neither change them, nor lock them themselves, and what is
// read is what they are now. Outside a transaction it is [ErrNoTx]. SQLite has
// no locks on rows, and refuses it.
//
//	job, err := kin.Query[Job]().Filter("done", false).OrderBy("id").ForUpdate(kin.SkipLocked).First(ctx, tx)
//
// Rows that are loaded beside the query's own are not locked ([QuerySet.LockOf]
// is for them). MariaDB also locks rows that conditions or an order look at
// through foreign keys, and InnoDB those that it passes on its way to the
// query's, unless the transaction's isolation is READ COMMITTED. A query that
// loads several relations to many rows cannot lock. Count and Exists lock
// nothing.
func (qs QuerySet[T]) ForUpdate(wait ...LockWait) QuerySet[T] {
	return QuerySet[T]{qs.q.locked(reflect.TypeFor[T](), plan.Update, wait)}
}

// ForShare is [QuerySet.ForUpdate], but others may lock the rows for share
// too: it keeps them as they are without having them alone.
func (qs QuerySet[T]) ForShare(wait ...LockWait) QuerySet[T] {
	return QuerySet[T]{qs.q.locked(reflect.TypeFor[T](), plan.Share, wait)}
}

// LockOf has [QuerySet.ForUpdate] or [QuerySet.ForShare] lock the rows at the
// ends of the paths, too. They lead through foreign keys that cannot be NULL.
// MariaDB cannot tell apart which tables' rows are locked, and refuses it;
// MySQL can.
func (qs QuerySet[T]) LockOf(paths ...string) QuerySet[T] {
	return QuerySet[T]{qs.q.lockingOf(paths)}
}

func (q *query) lockingOf(paths []string) *query {
	q = q.derived()
	l := q.locking()
	l.Of = slices.Concat(l.Of, paths)
	return q
}

// locking returns a copy of what the query locks, which is the query's own.
func (q *query) locking() *plan.Lock {
	l := &plan.Lock{}
	if q.reads.lock != nil {
		*l = *q.reads.lock
	}
	q.reads.lock = l
	return l
}

func (q *query) locked(t reflect.Type, strength plan.Strength, wait []LockWait) *query {
	q = q.derived()
	l := q.locking()
	l.Strength, l.Wait = strength, plan.Waits
	for i, w := range wait {
		if i > 0 || w != NoWait && w != SkipLocked {
			q.fail(fmt.Errorf("kin: a query on %s: a lock takes NoWait or SkipLocked, or neither", t.Name()))
		}
		l.Wait = plan.Wait(w)
	}
	return q
}
