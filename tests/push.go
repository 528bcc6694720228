package tests

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// The cases about rows that SQLite pushes while a statement runs. Other databases
// give the same answers.
func pushCases() []Case {
	return []Case{
		{"push/values", testPushValues},
		{"push/integers beside floats", testPushBeside},
		{"push/what fails", testPushFailing},
		{"push/a context that ends", testPushCancelled},
		{"push/transactions", testPushTx},
		{"push/connections that come and go", testPushTogether},
		{"push/others' statements", testPushOthers},
		{"push/what a driver makes of types", testPushTypes},
		{"push/what is traced", testPushTraced},
	}
}

// A pushRow has a column of each kind that SQLite has.
type pushRow struct {
	ID    int64
	Text  string `kin:",type=text"`
	Maybe *string
	N     int64
	U     uint32
	F     float64
	B     bool
	At    time.Time
	Data  []byte
}

func pushRows() []*pushRow {
	texts := []string{"", "007", "1e3", "-0.0", "é\u2028", "NULL", strings.Repeat("x", 3000), strings.Repeat("y", 20_000)}
	ns := []int64{0, 1, -1, 255, 256, math.MaxInt64, math.MinInt64, 1<<53 + 1}
	fs := []float64{0, 5, -2.5, math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53, 1e15, 0.1}
	rows := make([]*pushRow, 0, 64)
	for i := range cap(rows) {
		at := i % len(texts)
		x := &pushRow{
			ID: int64(i + 1), Text: texts[at], N: ns[(at+i)%8], U: uint32(i) * 1000, F: fs[(at*3+i)%8], B: i%3 == 0,
			At: time.Date(2026, 1, 1, 0, 0, i, i*1000, time.UTC), Data: []byte(texts[(at+3)%8]),
		}
		if i%4 > 0 {
			x.Maybe = &texts[(at+5)%8]
		}
		rows = append(rows, x)
	}
	return rows
}

// testPushValues reads what was written, time and again: the first time, it is not
// known how much comes.
func testPushValues(t *testing.T, s *Suite) {
	s = s.modelsOf(kin.Register[pushRow])
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	want := pushRows()
	require.NoError(t, kin.Insert(ctx, s.DB, want...))
	q := kin.Query[pushRow]().OrderBy("-id")
	var all [][]*pushRow
	for range 4 {
		s.Wire.Reset()
		got, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Want(t, 1, len(want))
		all = append(all, got)
		one, err := q.Filter("id", 7).Get(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, want[6].Data, one.Data)
	}
	runtime.GC()
	for _, got := range all { // what was read first is still as it was
		require.Len(t, got, len(want))
		for i, x := range want {
			assert.Equal(t, x, got[len(got)-1-i])
		}
	}
}

// The branches of a pushOwner have columns of other kinds at the same places.
type (
	pushOwner struct {
		ID     int64
		Counts kin.Reverse[pushCount]
		Prices kin.Reverse[pushPrice]
	}
	pushCount struct {
		ID    int64
		N     int64
		Yes   bool
		Owner kin.ForeignKey[pushOwner]
	}
	pushPrice struct {
		ID    int64
		F     float64
		G     float64
		Owner kin.ForeignKey[pushOwner]
	}
)

func testPushBeside(t *testing.T, s *Suite) {
	s = s.modelsOf(kin.Register[pushOwner], kin.Register[pushCount], kin.Register[pushPrice])
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	owner := &pushOwner{}
	require.NoError(t, kin.Insert(ctx, s.DB, owner))
	for i := range int64(3) {
		require.NoError(t, kin.Insert(ctx, s.DB, &pushCount{N: 1<<53 + 1 + i, Yes: i == 1, Owner: kin.To(owner)}))
		require.NoError(t, kin.Insert(ctx, s.DB, &pushPrice{F: float64(i), G: 1e300, Owner: kin.To(owner)}))
	}
	for _, load := range [][]string{{"counts", "prices"}, {"prices", "counts"}} {
		q := kin.Query[pushOwner]().SelectRelated(kin.Paths[pushOwner](load...)...)
		for range 3 {
			got, err := q.Get(ctx, s.DB)
			require.NoError(t, err)
			require.Equal(t, 3, got.Counts.Len())
			require.Equal(t, 3, got.Prices.Len())
			for i, c := range got.Counts.All() {
				assert.Equal(t, int64(1<<53+1+i), c.N)
				assert.Equal(t, i == 1, c.Yes)
			}
			for i, p := range got.Prices.All() {
				assert.InDelta(t, i, p.F, 0)
				assert.InDelta(t, 1e300, p.G, 0)
			}
		}
	}
}

// A pushScan calls a function of the test when it is read.
type pushScan string

// The functions of the tests that run, by the values that they wait for.
var pushScans sync.Map

func (x *pushScan) Scan(v any) error {
	text := fmt.Sprintf("%s", v)
	*x = pushScan(text)
	if f, ok := pushScans.Load(text); ok {
		return f.(func() error)()
	}
	return nil
}

func (x pushScan) Value() (driver.Value, error) { return string(x), nil }

type pushScanned struct {
	ID   int64
	Name pushScan `kin:",type=varchar(40)"`
}

// scannedSuite has n rows, of whose names those that begin with the prefix are the
// test's own.
func scannedSuite(t *testing.T, s *Suite, n int) (_ *Suite, prefix string) {
	t.Helper()
	s = s.modelsOf(kin.Register[pushScanned])
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	prefix = fmt.Sprintf("%p ", s)
	rows := make([]*pushScanned, n)
	for i := range rows {
		rows[i] = &pushScanned{Name: pushScan(fmt.Sprint(prefix, i))}
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	return s, prefix
}

// testPushFailing: a row that cannot be read ends the statement, by its error or
// its panic, and the connection goes on.
func testPushFailing(t *testing.T, s *Suite) {
	s, prefix := scannedSuite(t, s, 100)
	ctx := t.Context()
	s.Pool().SetMaxOpenConns(1)
	why := errors.New("not this one")
	q := kin.Query[pushScanned]().OrderBy("id")
	works := func(db kin.Executor) {
		rows, err := q.All(ctx, db)
		require.NoError(t, err)
		assert.Len(t, rows, 100)
	}
	at := prefix + "50"
	fails := func(db kin.Executor) {
		for range 3 {
			works(db)
			pushScans.Store(at, func() error { return why })
			_, err := q.All(ctx, db)
			require.ErrorIs(t, err, why)
			require.ErrorContains(t, err, "pushScanned.Name")
			pushScans.Store(at, func() error { panic(why) })
			assert.PanicsWithValue(t, why, func() { _, _ = q.All(ctx, db) })
			pushScans.Delete(at)
		}
		works(db)
	}
	fails(s.DB)
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		fails(tx)
		return nil
	}))
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testPushCancelled(t *testing.T, s *Suite) {
	s, prefix := scannedSuite(t, s, 1000)
	q := kin.Query[pushScanned]().OrderBy("id")
	for range 3 {
		rows, err := q.All(t.Context(), s.DB)
		require.NoError(t, err)
		require.Len(t, rows, 1000)
		ctx, cancel := context.WithCancel(t.Context())
		pushScans.Store(prefix+"100", func() error { cancel(); return nil })
		s.Wire.Reset()
		_, err = q.All(ctx, s.DB)
		require.ErrorIs(t, err, context.Canceled)
		assert.Less(t, s.Wire.Rows(), 300, "rows read")
		pushScans.Delete(prefix + "100")
	}
}

func testPushTx(t *testing.T, s *Suite) {
	s.NewSchool(t, 4, 5, 2)
	ctx := t.Context()
	q := kin.Query[SchoolClass]().SelectRelated("students__category", "teachers").OrderBy("id")
	students := func(db kin.Executor) (n int) {
		classes, err := q.All(ctx, db)
		require.NoError(t, err)
		require.Len(t, classes, 4)
		for _, c := range classes {
			n += c.Students.Len()
		}
		return n
	}
	require.Equal(t, 20, students(s.DB))
	require.Equal(t, 20, students(s.DB))
	require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		for i := range 3 {
			n, err := kin.Query[Student]().Filter("id", i+1).Delete(ctx, tx)
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
			assert.Equal(t, 19-i, students(tx))
		}
		return errInjected
	}), errInjected)
	require.Equal(t, 20, students(s.DB))
}

// testPushTogether: connections that are opened and closed while others read do not
// get their rows.
func testPushTogether(t *testing.T, s *Suite) {
	s.NewSchool(t, 10, 6, 1)
	s.Pool().SetMaxOpenConns(6)
	s.Pool().SetMaxIdleConns(1)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			q := kin.Query[Student]().Filter("class", worker+1).OrderBy("id")
			for range 40 {
				rows, err := q.All(t.Context(), s.DB)
				if err != nil || len(rows) != 6 {
					t.Errorf("%d rows, %v", len(rows), err)
					return
				}
				for _, x := range rows {
					assert.EqualValues(t, worker+1, x.Class.Ref().ID)
				}
			}
		})
	}
	all.Wait()
}

// testPushOthers: the function that SQLite pushes rows to is not for others.
func testPushOthers(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 2, 3, 1)
	ctx := t.Context()
	for range 3 {
		rows, err := kin.Query[Student]().All(ctx, s.DB)
		require.NoError(t, err)
		assert.Len(t, rows, len(school.Students))
		if s.Name != "sqlite" {
			continue
		}
		for _, args := range []string{"", "0", "1, id", "-1, id", "99999, id", "'x', id", "NULL"} {
			_, err := s.Pool().ExecContext(ctx, "SELECT kin_push("+args+") FROM students")
			assert.ErrorContains(t, err, "kin's own statements", args)
		}
	}
}
