// Package report writes what package measure has found for people: tables in
// Markdown, and a chart.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/db"
	"github.com/kin-orm/kin/bench/measure"
)

// Markdown returns the page. chart is the path of the chart from there.
func Markdown(f *measure.File, contenders []bench.Contender, chart string) string {
	p := page{File: f}
	for _, c := range contenders {
		if slices.ContainsFunc(f.Results, func(r measure.Result) bool { return r.Contender == c.Name }) {
			p.contenders = append(p.contenders, c)
		}
	}
	p.head(chart)
	p.bounds()
	for _, name := range db.Names() {
		if slices.ContainsFunc(f.Results, func(r measure.Result) bool { return r.Database == name }) {
			p.database(name)
		}
	}
	return p.String()
}

// A page is being written.
type page struct {
	*measure.File
	strings.Builder
	contenders []bench.Contender
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

func (p *page) head(chart string) {
	p.printf("# Performance\n\n")
	p.printf("Written by `go run ./cmd/report` in [bench](../bench), from a run of `go run ./cmd/bench` that took %s.\n\n", p.Took)
	p.printf("| | |\n|---|---|\n| date | %s |\n| machine | %s |\n| Go | %s |\n", p.Date.Format("2006-01-02 15:04 MST"), p.Machine, p.Go)
	if p.Load != "" {
		p.printf("| load | %s |\n", p.Load)
	}
	if p.Commit != "" {
		p.printf("| commit | %s |\n", p.Commit)
	}
	for _, name := range slices.SortedFunc(maps.Keys(p.Servers), cmp.Compare) {
		p.printf("| %s | %s |\n", name, short(p.Servers[name]))
	}
	for _, c := range p.contenders {
		var modules []string
		for _, m := range c.Modules {
			modules = append(modules, m+" "+p.Versions[m])
		}
		title := c.Title
		if modules != nil {
			title += " (" + strings.Join(modules, ", ") + ")"
		}
		p.printf("| %s | %s |\n", c.Name, title)
	}
	p.printf("\nTimes are relative to `%s` in the same round: the median of all rounds and, in brackets, its quartiles. "+
		"Less is better. All contenders run in each round, in a new order. On `replay`, what SQLite has answered is served from memory, "+
		"so that only the library is measured. \"cannot\" is a thing that a library has no way to do.\n", bench.Reference)
	p.printf("\n![Times relative to hand-written database/sql](%s)\n", chart)
}

// short cuts off what a server says of its compiler.
func short(version string) string {
	version, _, _ = strings.Cut(version, " on x86_64")
	return version
}

func (p *page) database(name string) {
	contenders := slices.DeleteFunc(slices.Clone(p.contenders), func(c bench.Contender) bool {
		return c.Databases != nil && !slices.Contains(c.Databases, name)
	})
	p.printf("\n## %s\n\n| workload | %s |", name, bench.Reference)
	for _, c := range contenders[1:] {
		p.printf(" %s |", c.Name)
	}
	p.printf("\n|---|%s\n", strings.Repeat("---|", len(contenders)))
	for _, w := range bench.Workloads() {
		ref := p.Find(name, w.Name, bench.Reference)
		if ref == nil {
			continue
		}
		p.printf("| %s |", w.Title)
		for _, c := range contenders {
			p.printf(" %s |", timeCell(w, p.Find(name, w.Name, c.Name), ref))
		}
		p.printf("\n")
	}
	p.printf("\nAllocations of a run, and their bytes; of a stream, the most by which the heap has grown:\n\n| workload |")
	for _, c := range contenders {
		p.printf(" %s |", c.Name)
	}
	p.printf("\n|---|%s\n", strings.Repeat("---|", len(contenders)))
	for _, w := range bench.Workloads() {
		if p.Find(name, w.Name, bench.Reference) == nil {
			continue
		}
		p.printf("| %s |", w.Title)
		for _, c := range contenders {
			p.printf(" %s |", allocCell(w, p.Find(name, w.Name, c.Name)))
		}
		p.printf("\n")
	}
}

// missing says why there is nothing to show, if so.
func missing(r *measure.Result) string {
	switch {
	case r == nil:
		return "–"
	case r.Cannot:
		return "cannot"
	case r.Error != "" || len(r.Rounds) == 0:
		return "failed"
	}
	return ""
}

func timeCell(w bench.Workload, r, ref *measure.Result) string {
	if why := missing(r); why != "" {
		return why
	}
	if r == ref || w.Kind == bench.Text || missing(ref) != "" {
		return duration(r.Time().Median)
	}
	s := r.Ratio(ref)
	return fmt.Sprintf("**%.2f** (%.2f–%.2f)", s.Median, s.Low, s.High)
}

func allocCell(w bench.Workload, r *measure.Result) string {
	if why := missing(r); why != "" {
		return why
	}
	if w.Kind == bench.Stream {
		return bytes(r.Peak)
	}
	return fmt.Sprintf("%.0f, %s", r.Allocs, bytes(r.Bytes))
}

// duration writes nanoseconds with three digits.
func duration(ns float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if ns >= unit.size {
			return digits(ns/unit.size) + " " + unit.name
		}
	}
	return digits(ns) + " ns"
}

// bytes writes a number of bytes with three digits.
func bytes(n float64) string {
	switch {
	case n >= 1e6:
		return digits(n/1e6) + " MB"
	case n >= 1e3:
		return digits(n/1e3) + " kB"
	}
	return digits(n) + " B"
}

func digits(x float64) string {
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Log10(max(x, 1)))), x)
}
