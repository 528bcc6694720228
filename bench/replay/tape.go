// Package replay is a database/sql driver that asks a real database each
// question once, and answers from memory from then on. What a benchmark
// measures over it is the cost of the library above the driver, free of the
// noise of a database.
//
// A question is the text of a statement and its parameters. The answers are the
// real driver's own values: columns, rows, and what an exec returned.
package replay

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// ErrNotRecorded says that a sealed [Tape] was asked something new.
var ErrNotRecorded = errors.New("replay: not recorded")

var (
	_ driver.Connector = (*Tape)(nil)
	_ driver.Driver    = tapeDriver{}
)

// A Tape holds what a database has answered. It is a [driver.Connector], for
// [database/sql.OpenDB], and may be used by several goroutines at once.
//
// Until [Tape.Seal], what is not on the tape is asked of the real database, in
// real transactions. What is on the tape is not asked again, writes included:
// one tape should serve one program that does the same things again and again.
type Tape struct {
	source driver.Connector
	seed   maphash.Seed
	sealed atomic.Bool

	mu    sync.RWMutex // not taken once the tape is sealed
	texts map[string]*text
}

// NewTape returns an empty tape, for the database that source connects to.
func NewTape(source driver.Connector) *Tape {
	return &Tape{source: source, seed: maphash.MakeSeed(), texts: map[string]*text{}}
}

// Seal ends the recording: the real database is not asked any more, and what is
// not on the tape is [ErrNotRecorded]. No statement may be running.
func (t *Tape) Seal() {
	t.mu.Lock() // waits for those who write to the tape
	defer t.mu.Unlock()
	t.sealed.Store(true)
}

// Connect implements [driver.Connector].
func (t *Tape) Connect(ctx context.Context) (driver.Conn, error) {
	c := &conn{tape: t}
	if t.sealed.Load() {
		return c, nil
	}
	source, err := t.source.Connect(ctx)
	if err != nil {
		return nil, err
	}
	r, ok := source.(realConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("replay: %T lacks interfaces of package driver", source), source.Close())
	}
	c.real = r
	return c, nil
}

// Driver implements [driver.Connector].
func (t *Tape) Driver() driver.Driver { return tapeDriver{} }

// A tapeDriver only exists because a connector has to have a driver.
type tapeDriver struct{}

func (tapeDriver) Open(string) (driver.Conn, error) {
	return nil, errors.New("replay: a tape is opened by sql.OpenDB")
}

// text returns what is known of a statement.
func (t *Tape) text(query string) *text {
	if t.sealed.Load() { // nobody writes to the map
		if x := t.texts[query]; x != nil {
			return x
		}
		return &text{tape: t, query: query}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.texts[query]
	if x == nil {
		x = &text{tape: t, query: query, answers: map[uint64]*answer{}, results: map[uint64]driver.Result{}}
		t.texts[query] = x
	}
	return x
}

// A text is a statement, and what has been answered to it, by the hash of its
// parameters.
type text struct {
	tape  *Tape
	query string

	// The tape's mutex guards them until it is sealed.
	answers map[uint64]*answer
	results map[uint64]driver.Result
}

// known returns what m has for a hash.
func known[V any](t *Tape, m map[uint64]V, hash uint64) (v V, found bool) {
	if t.sealed.Load() {
		v, found = m[hash]
		return v, found
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	v, found = m[hash]
	return v, found
}

// keep adds to m, unless the tape was sealed in the meantime.
func keep[V any](t *Tape, m map[uint64]V, hash uint64, v V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.sealed.Load() {
		m[hash] = v
	}
}

func (x *text) rows(ctx context.Context, c *conn, args []driver.NamedValue) (driver.Rows, error) {
	hash, err := x.tape.hash(args)
	if err != nil {
		return nil, err
	}
	a, found := known(x.tape, x.answers, hash)
	if !found {
		if x.tape.sealed.Load() {
			return nil, fmt.Errorf("%w: %.200s", ErrNotRecorded, x.query)
		}
		rows, err := c.real.QueryContext(ctx, x.query, args)
		if err != nil {
			return nil, err
		}
		if a, err = record(rows); err != nil {
			return nil, err
		}
		keep(x.tape, x.answers, hash, a)
	}
	return &rows{answer: a}, nil
}

func (x *text) exec(ctx context.Context, c *conn, args []driver.NamedValue) (driver.Result, error) {
	hash, err := x.tape.hash(args)
	if err != nil {
		return nil, err
	}
	r, found := known(x.tape, x.results, hash)
	if found {
		return r, nil
	}
	if x.tape.sealed.Load() {
		return nil, fmt.Errorf("%w: %.200s", ErrNotRecorded, x.query)
	}
	if r, err = c.real.ExecContext(ctx, x.query, args); err != nil {
		return nil, err
	}
	keep(x.tape, x.results, hash, r)
	return r, nil
}
