package report

import (
	"fmt"

	"github.com/kin-orm/kin/bench"
)

// A bound is what kin is to reach in a workload, relative to the reference; 0 is
// no bound.
type bound struct {
	workload                 string
	sqlite, postgres, replay float64
}

// bounds are those that kin has set itself.
func bounds() []bound {
	return []bound{
		{"read-one", 0.95, 1.00, 1.05},
		{"wide-10000", 0.75, 0.85, 0.90},
		{"students-joined", 0.75, 0.70, 0.60},
		{"classes-joined", 0.85, 0.85, 0.70},
		{"classes-prefetched", 0.70, 0.75, 0.50},
		{"seed-cartesian", 0.25, 0.25, 0.25},
		{"seed-split", 0.90, 1.00, 0.80},
		{"insert-10000", 1.00, 0.60, 1.15},
		{"update-1000", 1.10, 1.00, 1.20},
		{"insert-one", 1.05, 1.05, 1.30},
		{"update-one", 1.05, 1.05, 1.30},
		{"filter-count", 1.02, 1.02, 1.20},
	}
}

// bounds writes how kin does beside its bounds.
func (p *page) bounds() {
	p.printf("\n## What kin has set itself\n\nRatios and bounds. Of databases within the process, the ratio of processor time follows, " +
		"which other programs on the machine change less; of replay, allocations.\n\n| workload | SQLite | PostgreSQL | MariaDB | replay |\n|---|---|---|---|---|\n")
	for _, b := range bounds() {
		for _, w := range bench.Workloads() {
			if w.Name == b.workload {
				p.printf("| %s |", w.Title)
			}
		}
		p.printf(" %s | %s | %s | %s |\n", p.beside("sqlite", b.workload, b.sqlite), p.beside("postgres", b.workload, b.postgres),
			p.beside("mysql", b.workload, b.sqlite), p.beside("replay", b.workload, b.replay))
	}
}

func (p *page) beside(database, workload string, most float64) string {
	r, ref := p.Find(database, workload, "kin"), p.Find(database, workload, bench.Reference)
	if missing(r) != "" || missing(ref) != "" {
		return "–"
	}
	ratio := r.Ratio(ref).Median
	verdict := "✓"
	if ratio > most {
		verdict = "✗"
	}
	text := fmt.Sprintf("%s %.2f ≤ %.2f", verdict, ratio, most)
	if database == "sqlite" || database == "replay" {
		text += fmt.Sprintf(" (cpu %.2f)", r.CPURatio(ref).Median)
	}
	if database == "replay" {
		text += fmt.Sprintf(", %.0f / %.0f", r.Allocs, ref.Allocs)
	}
	return text
}
