package growth

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/bench/db"
	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/dialect/mysql"
	"github.com/kin-orm/kin/dialect/postgres"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// The models, in tables of their own beside those of the bench.
type (
	class struct {
		ID       int64
		Name     string
		Students kin.Reverse[student]
		Teachers kin.Reverse[teacher]
	}
	category struct {
		ID   int64
		Name string
	}
	student struct {
		ID       int64
		Name     string
		Class    kin.ForeignKey[class]    `kin:",related_name=students"`
		Category kin.ForeignKey[category] `kin:",null"`
	}
	teacher struct {
		ID       int64
		Name     string
		Class    kin.ForeignKey[class]    `kin:",related_name=teachers"`
		Category kin.ForeignKey[category] `kin:",null"`
	}
	wide struct {
		ID, Quantity   int64
		Level          int32
		Name, Code     string
		Note           *string
		Active, Hidden bool
		Price, Ratio   float64
		Created        time.Time
		Updated        time.Time
	}
	row struct {
		ID   int64
		Name string
		N    int64
	}
)

func (class) KinTable() kin.Table    { return kin.Table{Name: "g_classes"} }
func (category) KinTable() kin.Table { return kin.Table{Name: "g_categories"} }
func (student) KinTable() kin.Table  { return kin.Table{Name: "g_students"} }
func (teacher) KinTable() kin.Table  { return kin.Table{Name: "g_teachers"} }
func (wide) KinTable() kin.Table     { return kin.Table{Name: "g_wides"} }
func (row) KinTable() kin.Table      { return kin.Table{Name: "g_rows"} }

// databases are those that have rows of their own: not replay.
var databases = []string{"sqlite", "postgres", "mysql"}

// open returns a database with scale times 50 classes, 1,000 students, 150
// teachers and 1,000 wide rows.
func open(t testing.TB, name string, scale int) *kin.DB {
	t.Helper()
	ctx := context.Background()
	target, err := db.Open(ctx, name)
	require.NoError(t, err)
	r := &kin.Registry{}
	kin.Register[class](r)
	kin.Register[category](r)
	kin.Register[student](r)
	kin.Register[teacher](r)
	kin.Register[wide](r)
	kin.Register[row](r)
	d := map[string]dialect.Dialect{"sqlite": sqlite.Dialect{}, "postgres": postgres.Dialect{}, "mysql": mysql.Dialect{}}[name]
	db := kin.New(target.Instance().Pool(), d, kin.WithRegistry(r))
	t.Cleanup(func() {
		require.NoError(t, db.Close())
		require.NoError(t, target.Close())
	})
	require.NoError(t, kin.CreateTables(ctx, db))
	categories := made(20, func(i int) *category { return &category{Name: fmt.Sprint("category ", i)} })
	classes := made(50*scale, func(i int) *class { return &class{Name: fmt.Sprint("class ", i)} })
	require.NoError(t, kin.Insert(ctx, db, categories...))
	require.NoError(t, kin.Insert(ctx, db, classes...))
	require.NoError(t, kin.Insert(ctx, db, made(1000*scale, func(i int) *student {
		return &student{Name: fmt.Sprint("student ", i), Class: kin.To(classes[i%len(classes)]), Category: kin.To(categories[i%20])}
	})...))
	require.NoError(t, kin.Insert(ctx, db, made(150*scale, func(i int) *teacher {
		return &teacher{Name: fmt.Sprint("teacher ", i), Class: kin.To(classes[i%len(classes)]), Category: kin.To(categories[i%20])}
	})...))
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	require.NoError(t, kin.Insert(ctx, db, made(1000*scale, func(i int) *wide {
		return &wide{
			Quantity: int64(i) * 1_000_003, Name: fmt.Sprint("row ", i), Code: "code", Active: i%2 == 0,
			Price: float64(i) + 0.25, Created: at.Add(time.Duration(i) * time.Minute), Updated: at,
		}
	})...))
	require.NoError(t, kin.Insert(ctx, db, rows(scale)...))
	return db
}

func made[T any](n int, row func(i int) *T) []*T {
	list := make([]*T, n)
	for i := range list {
		list[i] = row(i)
	}
	return list
}

func rows(scale int) []*row {
	return made(1000*scale, func(i int) *row { return &row{Name: fmt.Sprint("row ", i), N: int64(i)} })
}

// works are what is done, with the tables of a scale.
func works(db *kin.DB, scale int) map[string]func(context.Context) error {
	var (
		wides      = kin.Query[wide]()
		joined     = kin.Query[student]().SelectRelated("class", "category")
		chain      = kin.Query[class]().SelectRelated("students__category")
		branches   = kin.Query[class]().SelectRelated("students__category", "teachers__category")
		limited    = branches.Filter("id__gt", 0).OrderBy("-name") // which are not read whole
		prefetched = kin.Query[class]().Prefetch("students__category").Prefetch("teachers__category")
		list       = rows(scale)
		n          = int64(0)
	)
	return map[string]func(context.Context) error{
		"wide":                all(db, wides),
		"students joined":     all(db, joined),
		"classes joined":      all(db, chain),
		"branches":            all(db, branches),
		"branches, condition": all(db, limited),
		"prefetched":          all(db, prefetched),
		"stream": func(ctx context.Context) error {
			for _, err := range branches.Iter(ctx, db) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"insert": func(ctx context.Context) error {
			for _, x := range list {
				x.ID = 0
			}
			return kin.Insert(ctx, db, list...)
		},
		"update": func(ctx context.Context) error {
			n++
			for i, x := range list {
				x.ID, x.N = int64(i)+1, n+int64(i)
			}
			return kin.UpdateAll(ctx, db, list, "n")
		},
	}
}

func all[T any](db *kin.DB, q kin.QuerySet[T]) func(context.Context) error {
	return func(ctx context.Context) error {
		list, err := q.All(ctx, db)
		if err == nil && len(list) == 0 {
			err = fmt.Errorf("no rows")
		}
		return err
	}
}

// most is how much more ten times the rows may cost.
const most = 10.5

// TestGrowth holds that ten times the rows take no more than ten and a half times
// the memory. Allocations are only shown: Go has small numbers at hand, and the
// few rows have more of those.
func TestGrowth(t *testing.T) { //nolint:paralleltest // others would be counted
	for _, name := range databases {
		t.Run(name, func(t *testing.T) {
			small, large := open(t, name, 1), open(t, name, 10)
			tenfold := works(large, 10)
			for work, run := range works(small, 1) {
				bytes, allocs := cost(t, run)
				bytes10, allocs10 := cost(t, tenfold[work])
				t.Logf("%-20s %8d → %9d B %.2f  %6d → %7d allocations %.2f", work, bytes, bytes10, float64(bytes10)/float64(bytes),
					allocs, allocs10, float64(allocs10)/float64(allocs))
				assert.LessOrEqual(t, float64(bytes10), most*float64(bytes), work)
			}
		})
	}
}

// cost returns what a run takes, the least of a few.
func cost(t *testing.T, run func(context.Context) error) (bytes, allocs uint64) {
	t.Helper()
	for i := range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		require.NoError(t, run(t.Context()))
		runtime.ReadMemStats(&after)
		if b := after.TotalAlloc - before.TotalAlloc; i < 2 || b < bytes {
			bytes, allocs = b, after.Mallocs-before.Mallocs
		}
	}
	return bytes, allocs
}

// BenchmarkGrowth is each work with rows, and with ten times as many.
func BenchmarkGrowth(b *testing.B) {
	for _, name := range databases {
		small, large := open(b, name, 1), open(b, name, 10)
		tenfold := works(large, 10)
		for work, run := range works(small, 1) {
			for _, f := range []struct {
				rows string
				run  func(context.Context) error
			}{{"1", run}, {"10", tenfold[work]}} {
				b.Run(fmt.Sprintf("%s/%s/%s", name, strings.ReplaceAll(work, " ", "-"), f.rows), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						require.NoError(b, f.run(b.Context()))
					}
				})
			}
		}
	}
}
