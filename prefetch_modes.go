package kin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// ErrNotLoaded says that a relation is not loaded, and that the query that read
// its row was [QuerySet.Strict].
var ErrNotLoaded = errors.New("is not loaded")

// How what is loaded is asked for, and what was not asked for.
type fetchMode struct {
	concurrent bool
	snapshot   bool
	strict     bool
	peers      bool
}

// fetching returns the query with a mode too. Strict and FetchPeers replace each
// other.
func (q *query) fetching(m fetchMode) *query {
	q = q.derived()
	q.fetch.concurrent = q.fetch.concurrent || m.concurrent
	q.fetch.snapshot = q.fetch.snapshot || m.snapshot
	if m.strict || m.peers {
		q.fetch.strict, q.fetch.peers = m.strict, m.peers
	}
	return q
}

// Concurrent runs statements of [QuerySet.Prefetch] that do not need each
// other's rows at the same time, on several connections of the pool. Within a
// transaction, which has one connection, they run one after another all the
// same, and so they do for a query that is [QuerySet.Snapshot] too.
func (qs QuerySet[T]) Concurrent() QuerySet[T] {
	return QuerySet[T]{qs.q.fetching(fetchMode{concurrent: true})}
}

// Snapshot runs all statements of the query in one read-only transaction that
// sees the database as it was when the first one began: REPEATABLE READ on
// PostgreSQL and MariaDB, and the only level that SQLite has. Within a
// transaction of the caller's, they run there, and see what its isolation
// level lets them see.
func (qs QuerySet[T]) Snapshot() QuerySet[T] {
	return QuerySet[T]{qs.q.fetching(fetchMode{snapshot: true})}
}

// Strict makes it an error to load, one by one, what the query has not: Load of
// a relation that is not loaded, of any row in the result, is [ErrNotLoaded].
// Reading a field gives what is there, as ever, and asks nothing.
func (qs QuerySet[T]) Strict() QuerySet[T] {
	return QuerySet[T]{qs.q.fetching(fetchMode{strict: true})}
}

// FetchPeers makes Load of a relation, on one row of the result, load it for
// all rows of its model in the result at once: a loop that loads row by row
// runs one statement. The other rows are not changed; their own Load finds
// what has been loaded. Rows that are not referred to any more are not kept,
// and not loaded for. Load may be called for several rows at the same time.
//
// What is loaded is as it was at that time, and goes by the keys that rows had
// when they were read. Loading a relation again asks for the one row.
func (qs QuerySet[T]) FetchPeers() QuerySet[T] {
	return QuerySet[T]{qs.q.fetching(fetchMode{peers: true})}
}

// A fetching is what a relation field does if it is not loaded: the Mode of
// its relation.
type fetching struct {
	strict bool
	peers  *peers
}

// fetchingOf returns what the field does, or nil if it loads its own row.
func fetchingOf(link rel.Link) *fetching {
	if link.Relation == nil || link.Relation.Mode == nil {
		return nil
	}
	f, _ := link.Relation.Mode.(*fetching)
	return f
}

// strictly returns an error if the field may not be loaded.
func strictly(link rel.Link) error {
	if f := fetchingOf(link); f != nil && f.strict {
		name := link.Relation.Name
		return fmt.Errorf("kin: %s %w, and the query that read the row is Strict: add SelectRelated(%q) or Prefetch(%q) to it",
			link.Relation.GoName(), ErrNotLoaded, name, name)
	}
	return nil
}

// withMode returns a copy of the relation that loads in another way.
func withMode(r *schema.Relation, f *fetching) *schema.Relation {
	other := *r
	other.Mode = f
	return &other
}

// marked returns what relation fields are told of their relations by the
// readers of one result, or nil if they load by themselves.
func (m fetchMode) marked(readers []*hydrate.Reader) {
	switch {
	case m.strict:
		copies := map[*schema.Relation]*schema.Relation{}
		strict := &fetching{strict: true}
		for _, r := range readers {
			r.Mark(func(r *schema.Relation) *schema.Relation {
				if copies[r] == nil {
					copies[r] = withMode(r, strict)
				}
				return copies[r]
			})
		}
	case m.peers:
		all := newPeerRows(readers)
		copies := map[*schema.Relation]*schema.Relation{}
		for _, r := range readers {
			r.Mark(func(r *schema.Relation) *schema.Relation {
				if copies[r] == nil {
					copies[r] = withMode(r, &fetching{peers: newPeers(r, all[r.From])})
				}
				return copies[r]
			})
		}
	}
}

// snapshot runs f so that all its statements see the same.
func (s *session) snapshot(ctx context.Context, f func(s *session) error) error {
	if s.begin == nil {
		return f(s)
	}
	return s.once(ctx, func(tx *Tx) error { return f(&tx.s) }, TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
}

// concurrentLevels is how many statements of one query run at the same time.
const concurrentLevels = 8

// An openLevel is a statement of a level that has begun.
type openLevel struct {
	*levelTask

	rows *exec.Rows
	err  error
}

// A levelTask is a level that is being read.
type levelTask struct {
	level  *level
	reader *hydrate.LevelReader
	left   int // statements
}

// concurrently reads all levels below the first one. Statements wait for the
// database at the same time; their rows are read one after another, so that one
// row of the database is one value.
func (g *graphRows) concurrently(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opened := make(chan openLevel)
	slots := make(chan struct{}, concurrentLevels)
	running := 0
	begin := func(task *levelTask, keys []rel.Key) {
		running++
		task.left++
		go func() {
			slots <- struct{}{}
			rows, err := g.open(ctx, task.level, keys)
			opened <- openLevel{task, rows, err}
		}()
	}
	follow := func(above *level, r *hydrate.LevelReader) {
		for _, l := range above.below {
			if l.statement.Empty {
				r.Nothing(l.Level)
				continue
			}
			keys := r.Parents(l.Level)
			task := &levelTask{level: l, reader: r.Below(l.Level, l.hint(len(keys)))}
			for rest := keys; len(rest) > 0; {
				n := g.atOnce(l, len(rest))
				begin(task, rest[:n])
				rest = rest[n:]
			}
		}
	}
	follow(g.query.first, g.first)
	var failed error
	for ; running > 0; running-- {
		o := <-opened
		err := o.err
		if err == nil {
			err = o.rows.Each(o.level.Shape.Width, rowReader(o.reader.Reader, g.budget()))
		}
		<-slots
		if o.left--; o.left == 0 && err == nil && failed == nil {
			if err = o.reader.Finish(); err == nil {
				g.readers = append(g.readers, o.reader)
				follow(o.level, o.reader)
			}
		}
		if err != nil && failed == nil {
			failed = g.session.levelError(ctx, o.level, err)
			cancel()
		}
	}
	return failed
}
