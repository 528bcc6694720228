package bench

import (
	"context"
	"strings"

	"github.com/kin-orm/kin/bench/db"
)

// Reference is the name of the contender that the others are compared with.
const Reference = "sql"

// A Contender is a way to talk to a database.
type Contender struct {
	Name    string
	Title   string   // for people
	Modules []string // whose versions the report names
	// Databases are those that it is for; nil is all.
	Databases []string
	// Open prepares what is to be kept between runs.
	Open func(ctx context.Context, in *db.Instance) (*Session, error)
}

// A Session is a contender that is connected to a database.
type Session struct {
	// Ops are what it can do, by the names of workloads.
	Ops   map[string]Op
	Close func() error
}

// An Op is a workload as one contender does it.
type Op struct {
	// Run does it. Runs are counted from 0, by which parameters are chosen: the
	// same number asks or writes the same.
	Run func(ctx context.Context, run int) error
	// Result returns what the latest Run has found, in the form of package data.
	Result func() any
	// Forget lets go of what the latest Run has found.
	Forget func()
}

// NewOp returns the Op whose runs return what normal makes comparable.
func NewOp[R any](run func(ctx context.Context, run int) (R, error), normal func(R) any) Op {
	var latest R
	return Op{
		Run: func(ctx context.Context, n int) (err error) {
			latest, err = run(ctx, n) // kept, so that it is not optimised away
			return err
		},
		Result: func() any { return normal(latest) },
		Forget: func() {
			var zero R
			latest = zero
		},
	}
}

// Same is for results that are comparable as they are.
func Same[R any](r R) any { return r }

// A Kind says how a workload is measured and checked.
type Kind uint8

// The kinds of workloads.
const (
	Read   Kind = iota
	Insert      // adds rows to entries, and finds their keys
	Update      // changes rows of entries
	Text        // only writes the text of a statement, which no two do alike
	Stream      // reads ticks, and is measured by its peak memory too
)

// A Workload is a thing to do.
type Workload struct {
	Name  string
	Title string
	Kind  Kind
	Rows  int // that are written or, of a Stream, read
}

// Workloads returns all workloads, in the order of the report.
func Workloads() []Workload {
	return []Workload{
		{"read-one", "read one wide row by its key", Read, 1},
		{"wide-100", "read 100 wide rows", Read, 100},
		{"wide-10000", "read 10,000 wide rows", Read, 10_000},
		{"students-joined", "1,000 students with class and category", Read, 0},
		{"classes-joined", "classes → students → category, one statement", Read, 0},
		{"classes-prefetched", "classes → students → category, prefetched", Read, 0},
		{"seed-cartesian", "classes with students and teachers and their categories, one statement; the reference joins both branches", Read, 0},
		{"seed-split", "the same, one statement; the reference has a query for each table", Read, 0},
		{"seed-prefetched", "the same, prefetched; the reference has a query for each table", Read, 0},
		{"filter-count", "count students by the name of their category", Read, 0},
		{"filter-list", "list students by the name of their class", Read, 0},
		{"insert-one", "insert one wide row and know its key", Insert, 1},
		{"insert-1000", "insert 1,000 wide rows and know their keys", Insert, 1000},
		{"insert-10000", "insert 10,000 wide rows and know their keys", Insert, 10_000},
		{"update-one", "update two columns of one row", Update, 1},
		{"update-1000", "update two columns of 1,000 rows with different values", Update, 1000},
		{"text-kept", "the text of a query that was kept", Text, 0},
		{"text-fresh", "the text of a new query over two hops with three conditions", Text, 0},
		{"stream", "stream 1,000,000 rows", Stream, 1_000_000},
	}
}

// Select returns the things whose names contain one of the texts in a
// comma-separated list, all if it is empty.
func Select[T any](list []T, wanted string, name func(T) string) []T {
	if wanted == "" {
		return list
	}
	var found []T
	for _, x := range list {
		for text := range strings.SplitSeq(wanted, ",") {
			if strings.Contains(name(x), text) {
				found = append(found, x)
				break
			}
		}
	}
	return found
}
