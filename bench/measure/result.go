// Package measure times contenders beside each other.
package measure

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A File is what a run of the bench has found.
type File struct {
	Date     time.Time         `json:"date"`
	Machine  string            `json:"machine"`
	Go       string            `json:"go"`
	Commit   string            `json:"commit,omitzero"`
	Took     string            `json:"took"`
	Load     string            `json:"load,omitzero"` // averages of runnable tasks, before and after
	Servers  map[string]string `json:"servers"`       // by the name of the database
	Versions map[string]string `json:"versions"`      // of contenders' modules
	Results  []Result          `json:"results"`
}

// A Result is what one contender needs for one workload on one database.
type Result struct {
	Database  string `json:"database"`
	Workload  string `json:"workload"`
	Contender string `json:"contender"`
	// Cannot is whether the contender cannot do it.
	Cannot bool `json:"cannot,omitzero"`
	// Error is what went wrong, if something did.
	Error string `json:"error,omitzero"`
	// Runs is how many runs a round has.
	Runs int `json:"runs,omitzero"`
	// Rounds has the nanoseconds of a run, for each round. The rounds of all
	// contenders are the same ones.
	Rounds []float64 `json:"rounds,omitzero"`
	// CPU has the nanoseconds of processor time of a run, without that of a
	// server: on a busy machine, it says more than the time.
	CPU []float64 `json:"cpu,omitzero"`
	// Bytes and Allocs are what a run allocates, in the median round.
	Bytes  float64 `json:"bytes,omitzero"`
	Allocs float64 `json:"allocs,omitzero"`
	// Peak is how much the heap has grown at most, of a stream.
	Peak float64 `json:"peak,omitzero"`
}

// Find returns the result of a contender, or nil.
func (f *File) Find(database, workload, contender string) *Result {
	for i := range f.Results {
		r := &f.Results[i]
		if r.Database == database && r.Workload == workload && r.Contender == contender {
			return r
		}
	}
	return nil
}

// A Spread is the median of several values, and their quartiles.
type Spread struct{ Median, Low, High float64 }

// Time returns the time of a run in nanoseconds.
func (r *Result) Time() Spread { return SpreadOf(r.Rounds) }

// Ratio returns the time relative to that of ref in the same round.
func (r *Result) Ratio(ref *Result) Spread { return ratio(r.Rounds, ref.Rounds) }

// CPURatio returns the processor time relative to that of ref in the same round.
func (r *Result) CPURatio(ref *Result) Spread { return ratio(r.CPU, ref.CPU) }

func ratio(times, refs []float64) Spread {
	var ratios []float64
	for i := range min(len(times), len(refs)) {
		ratios = append(ratios, times[i]/refs[i])
	}
	return SpreadOf(ratios)
}

// SpreadOf returns the spread of values; it is NaN if there are none.
func SpreadOf(values []float64) Spread {
	sorted := slices.SortedFunc(slices.Values(values), cmp.Compare)
	return Spread{quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75)}
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
