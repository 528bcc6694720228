// Command bench measures contenders beside each other, and writes what it has
// found to a file, for cmd/report. Without flags it runs all, in under 25 minutes.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders"
	"github.com/kin-orm/kin/bench/db"
	"github.com/kin-orm/kin/bench/measure"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	var (
		databases = flag.String("db", "", "databases, by parts of their names, separated by commas: sqlite, postgres, mysql, replay")
		names     = flag.String("contender", "", "contenders besides the reference, by parts of their names")
		workloads = flag.String("workload", "", "workloads, by parts of their names; -list names them")
		quick     = flag.Bool("quick", false, "only a look: few and short rounds")
		list      = flag.Bool("list", false, "name workloads and contenders")
		out       = flag.String("out", "results.json", "the file to write")
		rounds    = flag.Int("rounds", 0, "how many rounds there are at most, if not as usual")
		profile   = flag.String("cpuprofile", "", "a file for a profile of it all")
	)
	flag.Parse()
	if *list {
		for _, w := range bench.Workloads() {
			fmt.Printf("%-20s %s\n", w.Name, w.Title)
		}
		for _, c := range contenders.All() {
			fmt.Printf("%-20s %s\n", c.Name, c.Title)
		}
		return nil
	}
	o := measure.Options{Rounds: 15, Sample: 60 * time.Millisecond, Budget: 12 * time.Second}
	if *quick {
		o = measure.Options{Rounds: 7, Sample: 20 * time.Millisecond, Budget: 2 * time.Second}
	}
	if *rounds > 0 {
		o.Rounds = *rounds
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	start := time.Now()
	picked := bench.Select(contenders.All(), *names, func(c bench.Contender) string { return c.Name })
	if picked[0].Name != bench.Reference {
		picked = append(contenders.All()[:1], picked...)
	}
	f := describe(ctx, start)
	busy := load()
	for _, name := range bench.Select(db.Names(), *databases, strings.Clone) {
		if err := f.database(ctx, name, *workloads, picked, o); err != nil {
			return err
		}
	}
	f.Took = time.Since(start).Round(time.Second).String()
	if busy != "" {
		f.Load = busy + " before, " + load() + " after"
	}
	text, err := json.MarshalIndent(f.File, "", "\t")
	if err != nil {
		return err
	}
	fmt.Printf("%s, written to %s\n", f.Took, *out)
	return os.WriteFile(*out, append(text, '\n'), 0o644)
}

// A file is a [measure.File] that is being written.
type file struct{ measure.File }

// database measures all workloads on a database.
func (f *file) database(ctx context.Context, name, workloads string, picked []bench.Contender, o measure.Options) (err error) {
	target, err := db.Open(ctx, name)
	if err != nil {
		return err
	}
	defer func() {
		if closed := target.Close(); err == nil {
			err = closed
		}
	}()
	f.Servers[name] = target.Version
	for _, w := range bench.Select(bench.Workloads(), workloads, func(w bench.Workload) string { return w.Name }) {
		results, err := measure.Workload(ctx, target, w, picked, o)
		if err != nil {
			return err
		}
		f.Results = append(f.Results, results...)
		show(results)
	}
	return nil
}

// show prints results as they come.
func show(results []measure.Result) {
	for i := range results {
		r := &results[i]
		switch {
		case r.Error != "":
			fmt.Printf("%-8s %-18s %-10s FAILED: %s\n", r.Database, r.Workload, r.Contender, r.Error)
		case r.Cannot:
			fmt.Printf("%-8s %-18s %-10s cannot\n", r.Database, r.Workload, r.Contender)
		default:
			ratio := r.Ratio(&results[0])
			fmt.Printf("%-8s %-18s %-10s %12.1f µs  ×%5.2f [%5.2f %5.2f] cpu ×%5.2f %10.0f B %8.0f allocs", r.Database, r.Workload, r.Contender,
				r.Time().Median/1e3, ratio.Median, ratio.Low, ratio.High, r.CPURatio(&results[0]).Median, r.Bytes, r.Allocs)
			if r.Peak > 0 {
				fmt.Printf(" %8.1f MB peak", r.Peak/1e6)
			}
			fmt.Println()
		}
	}
}

// load returns how many tasks were runnable in the last minute, on average, or "".
// The bench itself is one of them at the end.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}

// describe says where and with what the bench runs.
func describe(ctx context.Context, now time.Time) *file {
	f := &file{measure.File{Date: now.UTC(), Go: runtime.Version(), Servers: map[string]string{}, Versions: map[string]string{}}}
	f.Machine = fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, model, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
				f.Machine = strings.TrimSpace(model) + ", " + f.Machine
				break
			}
		}
	}
	if commit, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output(); err == nil {
		f.Commit = strings.TrimSpace(string(commit))
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			f.Versions[m.Path] = m.Version
		}
	}
	return f
}
