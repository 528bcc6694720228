package measure

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/db"
)

// Options say how long to measure.
type Options struct {
	Rounds int           // at most
	Sample time.Duration // the time of a round of one contender: the collector should run in it
	Budget time.Duration // of a workload on a database, after which no round begins but the first five
}

// least is how many rounds there are, however long they take.
const least = 5

// ballast is what the program keeps in memory besides, as servers do. With next to
// nothing, the collector would run every four megabytes and give memory back to the
// system each time, the less so the more contenders keep something.
const ballast = 16 << 20

// A runner is a contender in a workload.
type runner struct {
	*Result
	op      bench.Op
	session *bench.Session
	in      *db.Instance
	next    int // the number of the next run
	bytes   []float64
	allocs  []float64
	peaks   []float64
}

// Workload measures contenders beside each other. One that fails has an Error
// in its Result.
func Workload(ctx context.Context, target *db.Target, w bench.Workload, contenders []bench.Contender, o Options) (results []Result, err error) {
	if w.Kind == bench.Stream {
		if target.Name == "replay" { // a million rows are not kept in memory
			return nil, nil
		}
		o.Rounds, o.Sample = min(o.Rounds, 3), 0 // they are long enough
		if err := target.FillTicks(ctx, w.Rows); err != nil {
			return nil, err
		}
	}
	var all, running []*runner
	var held []byte
	if w.Kind != bench.Stream { // whose peak is to be its own
		held = make([]byte, ballast)
	}
	defer func() {
		runtime.KeepAlive(held)
		for _, r := range all {
			if r.session != nil {
				err = errors.Join(err, r.session.Close())
			}
		}
	}()
	for _, c := range contenders {
		r := &runner{Result: &Result{Database: target.Name, Workload: w.Name, Contender: c.Name}, in: target.Instance()}
		all = append(all, r)
		switch err := r.open(ctx, c, w, o); {
		case err != nil:
			r.Error = err.Error()
		case !r.Cannot:
			running = append(running, r)
		}
	}
	start := time.Now()
	for round := range o.Rounds {
		if round >= least && time.Since(start) > o.Budget || ctx.Err() != nil {
			break
		}
		// In another order each time, so that nobody always comes after the same one.
		rand.Shuffle(len(running), func(i, j int) { running[i], running[j] = running[j], running[i] })
		for _, r := range running {
			if err := r.round(ctx, w); err != nil && r.Error == "" {
				r.Error = err.Error()
			}
		}
		running = slices.DeleteFunc(running, func(r *runner) bool { return r.Error != "" })
	}
	for _, r := range all {
		if len(r.bytes) > 0 {
			r.Bytes, r.Allocs = SpreadOf(r.bytes).Median, SpreadOf(r.allocs).Median
		}
		if len(r.peaks) > 0 {
			r.Peak = SpreadOf(r.peaks).Median
		}
		results = append(results, *r.Result)
	}
	return results, ctx.Err()
}

// open connects, runs often enough that everything is prepared and recorded,
// and finds out how many runs a round needs.
func (r *runner) open(ctx context.Context, c bench.Contender, w bench.Workload, o Options) (err error) {
	if c.Databases != nil && !slices.Contains(c.Databases, r.in.Name) {
		r.Cannot = true
		return nil
	}
	if r.session, err = c.Open(ctx, r.in); err != nil {
		return err
	}
	op, can := r.session.Ops[w.Name]
	if !can {
		r.Cannot = true
		return nil
	}
	r.op = op
	if err := r.reset(ctx, w); err != nil {
		return err
	}
	warm := map[bench.Kind]int{bench.Stream: 1, bench.Insert: 2, bench.Update: 2}[w.Kind]
	if warm == 0 {
		warm = data.Cycle
	}
	for range warm {
		if err := r.run(ctx, 1); err != nil {
			return err
		}
	}
	r.in.Seal()
	for r.Runs = 1; ; r.Runs *= 2 {
		start := time.Now()
		if err := r.run(ctx, r.Runs); err != nil {
			return err
		}
		if took := time.Since(start); took >= o.Sample/2 {
			// The last doubling, no further than the sample needs.
			r.Runs = max(1, int(float64(r.Runs)*float64(o.Sample)/float64(max(took, 1))+0.5))
			return nil
		}
	}
}

// run does the workload n times.
func (r *runner) run(ctx context.Context, n int) error {
	for range n {
		if err := r.op.Run(ctx, r.next); err != nil {
			return fmt.Errorf("run %d: %w", r.next, err)
		}
		r.next++
	}
	return nil
}

// reset gives a write the rows that it expects. Tapes have them.
func (r *runner) reset(ctx context.Context, w bench.Workload) error {
	if w.Kind != bench.Insert && w.Kind != bench.Update || r.in.Name == "replay" && r.Runs > 0 {
		return nil
	}
	return r.in.Reset(ctx)
}

// round measures one round.
func (r *runner) round(ctx context.Context, w bench.Workload) error {
	if w.Kind == bench.Insert { // others have inserted, too
		if err := r.reset(ctx, w); err != nil {
			return err
		}
	}
	r.op.Forget()
	runtime.GC() // nobody pays for what another has left behind
	var peak *peak
	if w.Kind == bench.Stream {
		peak = watch()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, used := time.Now(), cpu()
	err := r.run(ctx, r.Runs)
	took := time.Since(start)
	used = cpu() - used
	runtime.ReadMemStats(&after)
	if peak != nil {
		r.peaks = append(r.peaks, float64(peak.stop()))
	}
	if err != nil {
		return err
	}
	n := float64(r.Runs)
	r.Rounds = append(r.Rounds, float64(took.Nanoseconds())/n)
	r.CPU = append(r.CPU, float64(used.Nanoseconds())/n)
	r.bytes = append(r.bytes, float64(after.TotalAlloc-before.TotalAlloc)/n)
	r.allocs = append(r.allocs, float64(after.Mallocs-before.Mallocs)/n)
	return nil
}
