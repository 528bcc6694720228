package kin

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/kin-orm/kin/internal/rel"
)

// A RepeatedLoad is a place in a program that loads one relation row by row,
// with a statement each: what [QuerySet.SelectRelated], [QuerySet.Prefetch] or
// [QuerySet.FetchPeers] do in one. See [WithRepeatedLoads].
type RepeatedLoad struct {
	// Relation is what was loaded, such as "Student.Class".
	Relation string
	// Count is how often.
	Count int
	// Function, File and Line are where Load was called.
	Function string
	File     string
	Line     int
}

// String says what was found, and what to do.
func (l RepeatedLoad) String() string {
	return fmt.Sprintf("%s was loaded %d times, with a statement each, at %s:%d: load it with the rows, by SelectRelated or Prefetch",
		l.Relation, l.Count, l.File, l.Line)
}

// WithRepeatedLoads calls report when a line of the program has loaded a
// relation row by row, by Load, at least so many times with one context, in a
// row and without a pause of a second. It is called once for each such run.
// Looking for it costs each Load about a microsecond. report may be called by
// several goroutines at once.
//
//	kin.WithRepeatedLoads(10, func(ctx context.Context, l kin.RepeatedLoad) { slog.WarnContext(ctx, l.String()) })
func WithRepeatedLoads(least int, report func(context.Context, RepeatedLoad)) Option {
	return func(db *DB) { db.s.loads = &loadWatch{least: least, report: report, clock: time.Now} }
}

// A TestingT is a *testing.T, or what stands for one.
type TestingT interface {
	Helper()
	Errorf(format string, args ...any)
}

// NoRepeatedLoads fails a test in which a line loads a relation row by row,
// twice or more.
//
//	db := kin.New(pool, dialect, kin.NoRepeatedLoads(t))
func NoRepeatedLoads(t TestingT) Option {
	return WithRepeatedLoads(2, func(_ context.Context, l RepeatedLoad) {
		t.Helper()
		t.Errorf("%s", l.String())
	})
}

const (
	loadPause    = time.Second // which ends a run of loads
	loadContexts = 16          // that are told apart at one place
)

// A loadWatch counts single loads by where they are called.
type loadWatch struct {
	least  int
	report func(context.Context, RepeatedLoad)
	clock  func() time.Time

	mu    sync.Mutex
	sites map[loadSite][]loadRun
}

type loadSite struct {
	relation string
	pc       uintptr
}

// A loadRun is the loads with one context. It keeps the context until others
// take its place.
type loadRun struct {
	ctx   context.Context //nolint:containedctx // to be told from others
	count int
	last  time.Time
}

// single notes that a relation field loads its rows by a statement.
func (s *session) single(ctx context.Context, link rel.Link, otherwise string) {
	if s.loads == nil {
		return
	}
	name := otherwise
	if link.Relation != nil {
		name = link.Relation.GoName()
	}
	s.loads.note(ctx, name)
}

func (w *loadWatch) note(ctx context.Context, name string) {
	frame := caller()
	site := loadSite{name, frame.PC}
	w.mu.Lock()
	if w.sites == nil {
		w.sites = map[loadSite][]loadRun{}
	}
	count := w.count(ctx, site)
	w.mu.Unlock()
	if count == w.least {
		w.report(ctx, RepeatedLoad{Relation: name, Count: count, Function: frame.Function, File: frame.File, Line: frame.Line})
	}
}

func (w *loadWatch) count(ctx context.Context, site loadSite) int {
	runs, now := w.sites[site], w.clock()
	for i := range runs {
		r := &runs[i]
		if r.ctx != ctx {
			continue
		}
		if now.Sub(r.last) > loadPause {
			r.count = 0
		}
		r.count++
		r.last = now
		return r.count
	}
	if len(runs) == loadContexts {
		runs = append(runs[:0], runs[1:]...)
	}
	w.sites[site] = append(runs, loadRun{ctx, 1, now})
	return 1
}

// caller returns where kin was called from.
func caller() runtime.Frame {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !more || !strings.HasPrefix(f.Function, "github.com/kin-orm/kin.") {
			return f
		}
	}
}
