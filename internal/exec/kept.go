package exec

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kin-orm/kin/internal/stmts"
)

// keptStatements is the most statements that a pool keeps prepared, on each of
// its connections.
const keptStatements = 100

// A Kept keeps statements of a pool prepared whose connections do not do so
// themselves: those whose text has come twice. It is safe for concurrent use, and
// takes no lock where a statement is kept already. The pool closes its statements
// when it is closed.
type Kept struct {
	pool  *sql.DB
	plain atomic.Bool // whether the connections are known to keep nothing
	seen  *stmts.Seen
	all   atomic.Pointer[map[string]*kept]

	mu    sync.Mutex // of what follows, and of changes to all
	order []string   // oldest first
}

// NewKept returns a Kept of a pool.
func NewKept(pool *sql.DB) *Kept { return &Kept{pool: pool, seen: stmts.NewSeen()} }

// A kept is a prepared statement and how many use it, the Kept included. The
// last one closes it.
type kept struct {
	*sql.Stmt

	users atomic.Int64
}

func (k *kept) hold() bool {
	for {
		n := k.users.Load()
		if n == 0 {
			return false
		}
		if k.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave is called when the statement has run; its rows may still be open.
func (k *kept) leave() {
	if k.users.Add(-1) == 0 {
		_ = k.Close() // which gives memory back; nothing depends on it
	}
}

// take returns the statement with a text, for its caller to leave, or nil if it
// is not kept.
func (k *Kept) take(ctx context.Context, query string) *kept {
	if k == nil || !k.plain.Load() {
		return nil
	}
	if all := k.all.Load(); all != nil {
		if st := (*all)[query]; st != nil && st.hold() {
			return st
		}
	}
	if !k.seen.Again(query) {
		return nil
	}
	return k.prepare(ctx, query)
}

// prepare keeps a statement. One that cannot be prepared is left to whoever
// runs it, who will be told.
func (k *Kept) prepare(ctx context.Context, query string) *kept {
	stmt, err := k.pool.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	st := &kept{Stmt: stmt}
	st.users.Store(2)
	k.mu.Lock()
	defer k.mu.Unlock()
	all := map[string]*kept{}
	if before := k.all.Load(); before != nil {
		if other := (*before)[query]; other != nil && other.hold() {
			_ = stmt.Close() //nolint:sqlclosecheck // another was faster
			return other
		}
		all = maps.Clone(*before)
	}
	if len(k.order) == keptStatements {
		oldest := k.order[0]
		k.order = slices.Delete(k.order, 0, 1)
		defer all[oldest].leave()
		delete(all, oldest)
	}
	all[query] = st
	k.order = append(k.order, query)
	k.all.Store(&all)
	return st
}
