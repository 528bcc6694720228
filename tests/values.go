package tests

import (
	"database/sql"
	"fmt"
	"hash/fnv"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func valueCases() []Case {
	return slices.Concat([]Case{
		{"values/signed integers at their limits", testSigned},
		{"values/unsigned integers at their limits", testUnsigned},
		{"values/uint64 above the largest int64", testUint64},
		{"values/floats are exact", testFloats},
		{"values/NaN and the infinities", testSpecialFloats},
		{"values/texts come back byte for byte", testTexts},
		{"values/bytes", testBytes},
		{"values/booleans and named types", testNamedTypes},
		{"values/pointers", testPointers},
		{"values/sql.Null and its relatives", testNulls},
	}, valueTypeCases(), valueErrorCases(), valueListCases())
}

// A Cell is a model with one value. It is generic, so that every type goes
// through the same checks.
type Cell[T any] struct {
	ID int64
	V  T
}

// KinTable gives each type a table of its own.
func (Cell[T]) KinTable() kin.Table { return kin.Table{Name: tableFor[T]("cells")} }

// A NullCell is a Cell whose column takes NULL by its tag.
type NullCell[T any] struct {
	ID int64
	V  T `kin:",null"`
}

// KinTable gives each type a table of its own.
func (NullCell[T]) KinTable() kin.Table { return kin.Table{Name: tableFor[T]("null_cells")} }

func tableFor[T any](prefix string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(reflect.TypeFor[T]().String()))
	return fmt.Sprintf("%s_%08x", prefix, h.Sum32())
}

// tablesOf returns a Suite with the models that are given, such as
// kin.Register[Student], in a registry of their own, and makes their tables.
func (s *Suite) tablesOf(t testing.TB, register ...func(...*kin.Registry)) *Suite {
	t.Helper()
	with := s.modelsOf(register...)
	require.NoError(t, kin.CreateTables(t.Context(), with.DB))
	with.Wire.Reset()
	return with
}

// modelsOf is tablesOf without the tables.
func (s *Suite) modelsOf(register ...func(...*kin.Registry)) *Suite {
	registry := new(kin.Registry)
	for _, r := range register {
		r(registry)
	}
	return s.With(kin.WithRegistry(registry))
}

// quoted returns a name as SQL that is written by hand needs it.
func (s *Suite) quoted(name string) string {
	if s.Name == "mysql" {
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// arg returns the n-th placeholder, counted from one.
func (s *Suite) arg(n int) string {
	if s.Name == "postgres" {
		return fmt.Sprintf("$%d", n)
	}
	return "?"
}

// handOne reads the one value of a query that is written by hand.
func handOne[V any](t testing.TB, s *Suite, query string, args ...any) V {
	t.Helper()
	var v V
	require.NoError(t, s.Pool().QueryRowContext(t.Context(), query, args...).Scan(&v), query)
	return v
}

// handColumn reads the one column of a query that is written by hand.
func handColumn[V any](t testing.TB, s *Suite, query string, args ...any) []V {
	t.Helper()
	return handColumnBy(t, s, scanPlain[V], query, args...)
}

func handColumnBy[V any](t testing.TB, s *Suite, scan scanner[V], query string, args ...any) []V {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), query, args...)
	require.NoError(t, err, query)
	defer func() { require.NoError(t, rows.Close()) }()
	var values []V
	for rows.Next() {
		v, err := scan(rows)
		require.NoError(t, err, query)
		values = append(values, v)
	}
	require.NoError(t, rows.Err())
	return values
}

// A scanner reads the value of a row without kin.
type scanner[V any] func(rows *sql.Rows) (V, error)

func scanPlain[V any](rows *sql.Rows) (v V, err error) {
	err = rows.Scan(&v)
	return v, err
}

// scanBytes gives nil for NULL only: database/sql makes nil of an empty blob
// of SQLite too.
func scanBytes(rows *sql.Rows) ([]byte, error) {
	v, err := scanPlain[any](rows)
	if v == nil || err != nil {
		return nil, err
	}
	return append([]byte{}, v.([]byte)...), nil
}

// A trip says how values of one type are sent to the database and back.
type trip[T any] struct {
	equal func(a, b T) bool // assert.ObjectsAreEqual if nil
	scan  scanner[T]        // scanPlain if nil
	// unfiltered is whether the values cannot be compared by the database.
	unfiltered bool
}

// roundTrip inserts the values and reads them three times: by kin without
// parameters and with one, for which drivers use different protocols, and by
// SQL that is written by hand. Then it looks for each of them.
func roundTrip[T any](t *testing.T, s *Suite, how trip[T], values ...T) {
	t.Helper()
	require.NotEmpty(t, values)
	if how.equal == nil {
		how.equal = func(a, b T) bool { return assert.ObjectsAreEqual(a, b) }
	}
	if how.scan == nil {
		how.scan = scanPlain[T]
	}
	s = s.tablesOf(t, kin.Register[Cell[T]])
	rows := make([]*Cell[T], len(values))
	for i, v := range values {
		rows[i] = &Cell[T]{V: v}
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	check := func(by string, got []T) {
		t.Helper()
		require.Len(t, got, len(values), by)
		for i, want := range values {
			assert.True(t, how.equal(want, got[i]), "%s: value %d is %s, want %s", by, i, clipped(got[i]), clipped(want))
		}
	}
	q := kin.Query[Cell[T]]()
	for by, q := range map[string]kin.QuerySet[Cell[T]]{"text protocol": q, "binary protocol": q.Filter("id__gt", 0)} {
		got, err := q.All(t.Context(), s.DB)
		require.NoError(t, err, by)
		check(by, vs(got))
	}
	table := s.quoted(Cell[T]{}.KinTable().Name)
	check("by hand", handColumnBy(t, s, how.scan, "SELECT v FROM "+table+" ORDER BY id"))
	if how.unfiltered {
		return
	}
	for i, v := range values {
		var same, others []int64
		for j, other := range values {
			if how.equal(v, other) {
				same = append(same, rows[j].ID)
			} else {
				others = append(others, rows[j].ID)
			}
		}
		found, err := q.Filter("v", v).All(t.Context(), s.DB)
		require.NoError(t, err)
		assert.Equal(t, same, cellIDs(found), "filter for value %d, %s", i, clipped(v))
		found, err = q.Exclude("v", v).All(t.Context(), s.DB)
		require.NoError(t, err)
		assert.Equal(t, others, cellIDs(found), "exclude value %d, %s", i, clipped(v))
	}
}

func vs[T any](rows []*Cell[T]) []T {
	values := make([]T, len(rows))
	for i, r := range rows {
		values[i] = r.V
	}
	return values
}

func cellIDs[T any](rows []*Cell[T]) []int64 {
	var ids []int64
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func clipped(v any) string {
	s := fmt.Sprintf("%#v", v)
	return s[:min(len(s), 80)]
}

func testSigned(t *testing.T, s *Suite) {
	roundTrip(t, s, trip[int8]{}, 0, 1, -1, math.MinInt8, math.MaxInt8)
	roundTrip(t, s, trip[int16]{}, 0, 1, -1, math.MinInt16, math.MaxInt16)
	roundTrip(t, s, trip[int32]{}, 0, 1, -1, math.MinInt32, math.MaxInt32)
	roundTrip(t, s, trip[int]{}, 0, 1, -1, math.MinInt, math.MaxInt)
	// Neighbours above 2^53 are one float64: they show a detour through one.
	roundTrip(t, s, trip[int64]{}, 0, 1, -1, math.MinInt64, math.MinInt64+1, math.MaxInt64, math.MaxInt64-1, 1<<53, 1<<53+1)
}

func testUnsigned(t *testing.T, s *Suite) {
	roundTrip(t, s, trip[uint8]{}, 0, 1, math.MaxUint8)
	roundTrip(t, s, trip[uint16]{}, 0, 1, math.MaxUint16)
	roundTrip(t, s, trip[uint32]{}, 0, 1, math.MaxUint32)
	roundTrip(t, s, trip[uint]{}, 0, 1, math.MaxInt64)
	roundTrip(t, s, trip[uint64]{}, 0, 1, math.MaxInt64, math.MaxInt64-1)
}

func testUint64(t *testing.T, s *Suite) {
	const above = uint64(math.MaxInt64) + 1
	if s.Name == "mysql" {
		roundTrip(t, s, trip[uint64]{}, 0, math.MaxInt64, above, math.MaxUint64-1, math.MaxUint64)
		roundTrip(t, s, trip[uint]{}, 0, uint(above), math.MaxUint)
		found, err := kin.Query[Cell[uint64]]().Filter("v__gt", above).OrderBy("-v").
			All(t.Context(), s.modelsOf(kin.Register[Cell[uint64]]).DB)
		require.NoError(t, err)
		assert.Equal(t, []uint64{math.MaxUint64, math.MaxUint64 - 1}, vs(found))
		return
	}
	s = s.tablesOf(t, kin.Register[Cell[uint64]])
	err := kin.Insert(t.Context(), s.DB, &Cell[uint64]{V: 1}, &Cell[uint64]{V: above})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "Cell[uint64].V is out of range: it is 9223372036854775808; this database holds no integer above 9223372036854775807")
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM "+s.quoted(Cell[uint64]{}.KinTable().Name)))
}

func testFloats(t *testing.T, s *Suite) {
	tenth, fifth := 0.1, 0.2 // as variables: constants are added exactly
	roundTrip(t, s, trip[float64]{}, 0, 1, -1, tenth+fifth, 0.3, math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64,
		2.2250738585072014e-308, math.Pi, 1<<53+2, 1e21)
	roundTrip(t, s, trip[float32]{}, 0, 1, -1, 0.1, 0.3, math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32,
		16777217, 16777214, math.Pi, 3.4028233e38)
}

func testSpecialFloats(t *testing.T, s *Suite) {
	same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
	if s.Name == "postgres" {
		roundTrip(t, s, trip[float64]{equal: same}, 0, math.NaN(), math.Inf(1), math.Inf(-1))
		return
	}
	s = s.tablesOf(t, kin.Register[Cell[float64]], kin.Register[Cell[float32]])
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		err := kin.Insert(t.Context(), s.DB, &Cell[float64]{V: 1}, &Cell[float64]{V: v})
		require.Error(t, err)
		assert.Contains(t, err.Error(), fmt.Sprintf("Cell[float64].V is %v, which this database does not hold", v))
		err = kin.Insert(t.Context(), s.DB, &Cell[float32]{V: float32(v)})
		require.Error(t, err)
		assert.Contains(t, err.Error(), "Cell[float32].V is ")
		_, err = kin.Query[Cell[float64]]().Filter("v", v).All(t.Context(), s.DB)
		require.Error(t, err)
		assert.Contains(t, err.Error(), "Cell[float64].V is ")
	}
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM "+s.quoted(Cell[float64]{}.KinTable().Name)))
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM "+s.quoted(Cell[float32]{}.KinTable().Name)))
}

// difficultTexts differ pairwise, though some only in case, in what follows
// the last letter or in how a character is composed.
func difficultTexts() []string {
	return []string{
		"", " ", "a", "A", "a ", " a", "a\t", "'", "''", `"`, "`", "%", "_", `\`, `\\`, `\'`, "%_", "100%", `a\%b`, "$1", "?", ":x",
		"; DROP TABLE cells --", "/* */", "\n", "\r\n", "\x01", "\x1a", "\x7f", "NULL", "null", "0", "00", "true", "{}", "[]", `{"a":1}`,
		"caf\u00e9", "cafe\u0301", "\u00e9", "e", "\u00df", "ss", "SS", "\u0130", "i", "\U0001F600", "\U0001F468\u200D\U0001F469\u200D\U0001F467", "\u2028", "\ufeffbom",
		"\uffff", "\U0010FFFF", "\u05e9\u05dc\u05d5\u05dd", "<a&b>", strings.Repeat("x", 200_000), strings.Repeat("\U0001F600", 50_000),
	}
}

func testTexts(t *testing.T, s *Suite) {
	roundTrip(t, s, trip[string]{}, difficultTexts()...)
}

func testBytes(t *testing.T, s *Suite) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	roundTrip(t, s, trip[[]byte]{scan: scanBytes}, []byte{}, []byte{0}, []byte{0, 0}, []byte("a"), []byte("A"), []byte("a "), all,
		[]byte{0xff, 0xfe}, []byte(`\x00`), []byte("'"), slices.Repeat([]byte{0xff}, 200_000))

	// A nil slice in a column that takes no NULL is no bytes.
	s = s.tablesOf(t, kin.Register[Cell[[]byte]], kin.Register[NullCell[[]byte]])
	empty := &Cell[[]byte]{}
	require.NoError(t, kin.Insert(t.Context(), s.DB, empty))
	got, err := kin.Query[Cell[[]byte]]().Filter("id", empty.ID).Get(t.Context(), s.DB)
	require.NoError(t, err)
	assert.NotNil(t, got.V)
	assert.Empty(t, got.V)

	// With the null option, a nil slice is NULL, and one without bytes is not.
	rows := []*NullCell[[]byte]{{}, {V: []byte{}}, {V: []byte{0}}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	table := s.quoted(rows[0].KinTable().Name)
	assert.Equal(t, []bool{true, false, false}, handColumn[bool](t, s, "SELECT v IS NULL FROM "+table+" ORDER BY id"))
	back, err := kin.Query[NullCell[[]byte]]().All(t.Context(), s.DB)
	require.NoError(t, err)
	require.Len(t, back, 3)
	assert.Nil(t, back[0].V)
	assert.Equal(t, []byte{}, back[1].V)
	assert.Equal(t, []byte{0}, back[2].V)
}
