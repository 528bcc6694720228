package bench_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/bench"
	"github.com/kin-orm/kin/bench/contenders"
	"github.com/kin-orm/kin/bench/data"
	"github.com/kin-orm/kin/bench/db"
)

// ticks is how many rows a stream has in the tests.
const ticks = 2500

// openTarget opens a database, or skips the test if its server does not answer.
func openTarget(tb testing.TB, name string) *db.Target {
	tb.Helper()
	if port := map[string]string{"postgres": "5432", "mysql": "3306"}[name]; port != "" {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(tb.Context(), "tcp", "127.0.0.1:"+port)
		if err != nil {
			if slices.Contains(strings.Split(os.Getenv("KIN_REQUIRE"), ","), name) {
				tb.Fatal(err)
			}
			tb.Skip("no server: ", err)
		}
		require.NoError(tb, c.Close())
	}
	target, err := db.Open(context.WithoutCancel(tb.Context()), name)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, target.Close()) })
	require.NoError(tb, target.FillTicks(tb.Context(), ticks))
	return target
}

// TestConformance: every contender loads and writes exactly what package data
// says, so that all of them do the same work.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, name := range db.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := openTarget(t, name)
			for _, c := range contenders.All() {
				if c.Databases != nil && !slices.Contains(c.Databases, name) {
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					for _, w := range bench.Workloads() {
						t.Run(w.Name, func(t *testing.T) { conforms(t, target, c, w) })
					}
				})
			}
		})
	}
}

func conforms(t *testing.T, target *db.Target, c bench.Contender, w bench.Workload) {
	t.Helper()
	ctx := t.Context()
	in := target.Instance()
	s, err := c.Open(ctx, in)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	op, can := s.Ops[w.Name]
	if !can {
		t.Skip("cannot")
	}
	if w.Kind == bench.Insert || w.Kind == bench.Update {
		require.NoError(t, target.Reset(ctx))
	}
	for run := range 3 {
		require.NoError(t, op.Run(ctx, run))
		got := op.Result()
		switch w.Kind {
		case bench.Insert:
			first := data.Entries + 1
			if target.Name != "replay" { // where the first insert is the only one
				first += run * w.Rows
			}
			want := data.NewWides(data.Entries+1, w.Rows)
			for i := range want {
				want[i].ID = int64(first + i)
			}
			same(t, want, got)
			entries, err := target.Entries(ctx)
			require.NoError(t, err)
			same(t, data.NewWides(1, data.Entries), entries[:data.Entries])
			same(t, want, entries[first-1:])
		case bench.Update:
			entries, err := target.Entries(ctx)
			require.NoError(t, err)
			last := run
			if target.Name == "replay" {
				last = min(run, 1) // the third run is the first again
			}
			same(t, edited(w, last), entries)
		case bench.Text:
			require.NotEmpty(t, got)
		default:
			same(t, wanted(w, run), got)
		}
	}
	in.Seal()
	require.NoError(t, op.Run(ctx, 0))
	op.Forget()
}

// same fails unless want and got are equal. Of lists it shows the first element
// that differs, as they may have thousands.
func same(t *testing.T, want, got any) {
	t.Helper()
	if reflect.DeepEqual(want, got) {
		return
	}
	w, g := reflect.ValueOf(want), reflect.ValueOf(got)
	if w.Kind() != reflect.Slice || g.Kind() != reflect.Slice {
		t.Fatalf("want %.1000s\ngot %.1000s", fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got))
	}
	for i := range min(w.Len(), g.Len()) {
		if a, b := w.Index(i).Interface(), g.Index(i).Interface(); !reflect.DeepEqual(a, b) {
			t.Fatalf("element %d of %d and %d: want %.1000s\ngot %.1000s", i, w.Len(), g.Len(), fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b))
		}
	}
	t.Fatalf("want %d elements, got %d", w.Len(), g.Len())
}

// edited returns entries as the run-th update leaves them.
func edited(w bench.Workload, run int) []data.Wide {
	list := data.NewWides(1, data.Entries)
	first := 1
	if w.Rows == 1 {
		first = 7
	}
	for _, e := range data.Edits(first, w.Rows)(run) {
		list[e.ID-1].Name, list[e.ID-1].Quantity = e.Name, e.Quantity
	}
	return list
}

// wanted returns what the run-th run of a read finds.
func wanted(w bench.Workload, run int) any {
	parameter := run % data.Cycle
	switch w.Name {
	case "read-one":
		return data.NewWide(parameter + 1)
	case "wide-100":
		return data.NewWides(parameter*100+1, 100)
	case "wide-10000":
		return data.NewWides(1, data.Wides)
	case "students-joined":
		return data.People()
	case "classes-joined", "classes-prefetched":
		return data.Schools(false)
	case "seed-cartesian", "seed-split", "seed-prefetched":
		return data.Schools(true)
	case "filter-count":
		return data.InCategory(int64(parameter + 1))
	case "filter-list":
		list := data.PeopleOf(int64(parameter + 1))
		for i := range list { // of which only the keys are read
			list[i].Class.Name, list[i].Category.Name = "", ""
		}
		return list
	case "stream":
		var sum data.Sum
		for i := range ticks {
			sum.Add(int64(i+1), "tick "+strconv.Itoa(i+1))
		}
		return sum
	}
	panic("no workload " + w.Name)
}
