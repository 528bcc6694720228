// Package push has SQLite hand the rows of a statement to a function in Go while
// it runs, in place of giving them to who asks for the next.
//
// A row that is asked for costs its driver two calls for each value, each of which
// takes and leaves the connection's lock, and a call for the step to it. The
// arguments of a function have neither. So a query is made the source of an
// aggregate function that is given all its columns, and whose one result is nothing:
// on a table of twelve columns, that is twice as fast.
//
// SQLite keeps the order of a subquery for an aggregate that is not one of its own:
// see SF_OrderByReqd in its select.c.
package push

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/stmts"
)

const (
	function = "kin_push"
	// mostColumns keeps from SQLite's bound on the arguments of a function, of
	// which one is the sink's.
	mostColumns = 100
	// values is from how many on it has been measured as faster to have them pushed.
	values = 8
)

func init() { //nolint:gochecknoinits // the driver asks for this before connections are opened
	sqlite.MustRegisterFunction(function, &sqlite.FunctionImpl{
		NArgs:         -1,
		MakeAggregate: func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return new(aggregate), nil },
		VolatileArgs:  true, // texts are copied here: the driver's own way ends them at a NUL
	})
}

// Connector returns a connector of SQLite whose connections keep statements, and
// push their rows if that is faster.
func Connector(c driver.Connector) driver.Connector { return stmts.Pushing(c, pusher{}, values) }

// Always returns a connector as Connector, whose connections push all rows that
// can be pushed: for tests.
func Always(c driver.Connector) driver.Connector { return stmts.Pushing(c, pusher{always: true}, 0) }

type pusher struct{ always bool }

// pushes is whether a statement pushes its rows. The driver finds functions, and
// aggregates for each row, under a lock of the process, by which two that push would
// wait for each other: on two processors, each takes as long as one that does not.
// So it is one at a time, and others ask for their rows meanwhile.
//
//nolint:gochecknoglobals // as is the driver's lock
var pushes atomic.Bool

// Begin implements [stmts.Pusher].
func (p pusher) Begin() bool { return p.always || pushes.CompareAndSwap(false, true) }

// End implements [stmts.Pusher].
func (p pusher) End() {
	if !p.always {
		pushes.Store(false)
	}
}

// Text implements [stmts.Pusher].
func (pusher) Text(conn driver.Conn, query string, columns int) string {
	if columns > mostColumns || converts(conn, query) {
		return ""
	}
	names := make([]string, columns)
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
	}
	list := strings.Join(names, ", ")
	// The line may end with a comment.
	return "WITH kin_rows (" + list + ") AS (" + query + "\n) SELECT " + function + "(?, " + list + ") FROM kin_rows"
}

// converts reports whether the driver may make something else of a value, by the
// type that a column is declared with, when it is asked for rows: it makes times of
// texts. What it gives to a user's Scan does not hang on the way that it comes.
func converts(conn driver.Conn, query string) bool {
	c, ok := conn.(interface {
		ColumnInfo(query string) ([]sqlite.ColumnInfo, error)
	})
	if !ok {
		return true
	}
	columns, err := c.ColumnInfo(query)
	return err != nil || slices.ContainsFunc(columns, func(c sqlite.ColumnInfo) bool {
		return hydrate.DriverTime(c.DeclType)
	})
}

// Query returns the query that a text was made of, if it was.
func Query(text string) (query string, ok bool) {
	_, query, begins := strings.Cut(text, ") AS (")
	at := strings.LastIndex(query, "\n) SELECT "+function+"(")
	if !begins || at < 0 || !strings.HasPrefix(text, "WITH kin_rows (") {
		return "", false
	}
	return query[:at], true
}

// Sink implements [stmts.Pusher].
func (pusher) Sink() stmts.Sink {
	if s := open(); s != nil {
		return s
	}
	return nil
}

// sinks are those of all connections. Who looks one up takes no lock.
//
//nolint:gochecknoglobals // functions are the driver's, for all connections
var sinks struct {
	sync.Mutex
	all atomic.Pointer[[]*sink] // not changed; nil where a place is free
}

// mostSinks is the first place that no sink has: a connection beyond it does not
// push.
const mostSinks = 1 << 16

// A sink is what is given the rows of a connection.
type sink struct {
	number   int64                      // its place, and what cannot be guessed: other SQL must not push rows to it
	row      func([]driver.Value) error // nil between statements
	err      error                      // of row
	rows     int64                      // of the statement that runs, or was the last
	panicked any                        // by row
	texts    hydrate.Arena              // what is left of it is for the next statement
}

// open returns a new sink, or nil if there are too many.
func open() *sink {
	sinks.Lock()
	defer sinks.Unlock()
	var all []*sink
	if old := sinks.all.Load(); old != nil {
		all = append(all, *old...)
	}
	at := slices.Index(all, nil)
	if at < 0 {
		at = len(all)
		all = append(all, nil)
	}
	if at >= mostSinks {
		return nil
	}
	s := &sink{number: rand.Int64()&^(mostSinks-1) | int64(at)}
	all[at] = s
	sinks.all.Store(&all)
	return s
}

// Close implements [stmts.Sink].
func (s *sink) Close() {
	sinks.Lock()
	defer sinks.Unlock()
	all := slices.Clone(*sinks.all.Load())
	if at := slices.Index(all, s); at >= 0 {
		all[at] = nil
		sinks.all.Store(&all)
	}
}

// find returns the sink that an argument names, or nil.
func find(arg driver.Value) *sink {
	number, ok := arg.(int64)
	all := sinks.all.Load()
	if !ok || all == nil {
		return nil
	}
	at := int(number & (mostSinks - 1))
	if at >= len(*all) || (*all)[at] == nil || (*all)[at].number != number {
		return nil
	}
	return (*all)[at]
}

// Rows returns how many rows have been pushed by the statement that runs, or was
// the last, on the connection whose sink an argument names.
func Rows(arg driver.Value) int64 {
	if s := find(arg); s != nil {
		return s.rows
	}
	return 0
}

// Arg implements [stmts.Sink].
func (s *sink) Arg() driver.Value { return s.number }

// Run implements [stmts.Sink].
func (s *sink) Run(row func([]driver.Value) error, statement func() error) error {
	s.row, s.rows = row, 0
	err := statement()
	failed, panicked := s.err, s.panicked
	s.row, s.err, s.panicked = nil, nil, nil
	switch {
	case panicked != nil:
		panic(panicked)
	case failed != nil:
		return failed // of which SQLite knows the text only
	}
	return err
}

var errPanic = errors.New("panic")

// take is given a row. A panic goes on when SQLite, which knows none, has ended.
func (s *sink) take(values []driver.Value) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked, err = p, errPanic
		}
	}()
	s.rows++
	for i, v := range values {
		if text, ok := v.(string); ok { // which is SQLite's memory
			values[i] = s.texts.Text(text)
		}
	}
	s.err = s.row(values)
	return s.err
}

// An aggregate is the function, while it is given the rows of a statement.
type aggregate struct{ to *sink }

// Step implements [sqlite.AggregateFunction].
func (a *aggregate) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if a.to == nil {
		if len(args) > 0 {
			a.to = find(args[0])
		}
		if a.to == nil || a.to.row == nil {
			return fmt.Errorf("kin: %s is for kin's own statements", function)
		}
	}
	return a.to.take(args[1:])
}

// WindowInverse implements [sqlite.AggregateFunction].
func (a *aggregate) WindowInverse(*sqlite.FunctionContext, []driver.Value) error {
	return fmt.Errorf("kin: %s is no window function", function)
}

// WindowValue implements [sqlite.AggregateFunction].
func (a *aggregate) WindowValue(*sqlite.FunctionContext) (driver.Value, error) { return nil, nil }

// Final implements [sqlite.AggregateFunction].
func (a *aggregate) Final(*sqlite.FunctionContext) {}
