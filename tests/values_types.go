package tests

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func valueTypeCases() []Case {
	return []Case{
		{"values/times", testTimes},
		{"values/times out of range", testTimesOutOfRange},
		{"values/UUIDs", testUUIDs},
		{"values/raw JSON", testRawJSON},
		{"values/the json option", testJSONOption},
		{"values/types with Scan and Value", testOwnTypes},
		{"values/embedded structs", testEmbedded},
		{"values/zero values are written over defaults", testZeroValues},
	}
}

// Named types of the kinds that enums have.
type (
	colour string
	level  int16
	flags  uint8
	ratio  float32
	yes    bool
	blob   []byte
)

func testNamedTypes(t *testing.T, s *Suite) {
	roundTrip(t, s, trip[bool]{}, true, false)
	roundTrip(t, s, trip[yes]{scan: func(rows *sql.Rows) (yes, error) {
		v, err := scanPlain[bool](rows) // database/sql knows no named booleans
		return yes(v), err
	}}, true, false)
	roundTrip(t, s, trip[colour]{}, "", "red", "RED", "it's")
	roundTrip(t, s, trip[level]{}, 0, -1, math.MaxInt16)
	roundTrip(t, s, trip[flags]{}, 0, 255)
	roundTrip(t, s, trip[ratio]{}, 0, 0.1)
	roundTrip(t, s, trip[blob]{scan: func(rows *sql.Rows) (blob, error) { return scanBytes(rows) }}, blob{}, blob{0, 1})
	roundTrip(t, s, trip[time.Duration]{}, 0, -1, time.Hour, math.MinInt64, math.MaxInt64)
	roundTrip(t, s, trip[time.Month]{}, time.January, time.December)
}

func testTimes(t *testing.T, s *Suite) {
	tokyo := time.FixedZone("JST", 9*60*60)
	odd := time.FixedZone("odd", -(4*60*60 + 30*60 + 15))
	now := time.Now() // has a monotonic reading
	sent := []time.Time{
		{},
		time.Unix(0, 0), now,
		time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2024, 2, 29, 12, 0, 0, 123_456_000, tokyo),
		time.Date(2024, 2, 29, 3, 0, 0, 123_456_000, time.UTC), // the same instant
		time.Date(2024, 2, 29, 3, 0, 0, 123_456_999, time.UTC), // in the same microsecond
		time.Date(2024, 2, 29, 3, 0, 0, 123_457_000, time.UTC),
		time.Date(2024, 2, 29, 3, 0, 0, 0, odd),
		time.Date(2024, 2, 29, 3, 0, 0, 100_000_000, time.UTC),
		time.Date(1582, 10, 10, 0, 0, 0, 0, time.UTC), // not in the Julian calendar
	}
	instant := func(v time.Time) time.Time { return v.UTC().Truncate(time.Microsecond) }
	roundTrip(t, s, trip[time.Time]{
		equal: func(a, b time.Time) bool { return instant(a).Equal(instant(b)) },
		scan: func(rows *sql.Rows) (time.Time, error) {
			v, err := scanTime(s)(rows)
			return v.V, err
		},
	}, sent...)

	s = s.modelsOf(kin.Register[Cell[time.Time]])
	got, err := kin.Query[Cell[time.Time]]().All(t.Context(), s.DB)
	require.NoError(t, err)
	require.Len(t, got, len(sent))
	for i, row := range got {
		// ==, not Equal: UTC, to the microsecond, without a monotonic reading.
		assert.Equal(t, instant(sent[i]).Round(0), row.V, "time %d", i)
		assert.Equal(t, time.UTC, row.V.Location())
	}
	assert.True(t, got[0].V.IsZero(), "the zero time is zero again")
	assert.NotContains(t, got[2].V.String(), "m=", "no monotonic reading")

	sorted, err := kin.Query[Cell[time.Time]]().OrderBy("v").All(t.Context(), s.DB)
	require.NoError(t, err)
	for i := range sorted[1:] {
		assert.False(t, sorted[i+1].V.Before(sorted[i].V), "order as instants, not as texts")
	}
}

func testTimesOutOfRange(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[Cell[time.Time]])
	for _, v := range []time.Time{
		time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(-44, 3, 15, 0, 0, 0, 0, time.UTC),
		// In the year 9999 where it is, in 10000 in UTC.
		time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("west", -2*60*60)),
	} {
		err := kin.Insert(t.Context(), s.DB, &Cell[time.Time]{}, &Cell[time.Time]{V: v})
		require.Error(t, err, v)
		assert.Contains(t, err.Error(), "Cell[time.Time].V is a time in the year ")
		assert.Contains(t, err.Error(), "databases hold the years 1 to 9999")
		_, err = kin.Query[Cell[time.Time]]().Filter("v", v).All(t.Context(), s.DB)
		require.Error(t, err, v)
		assert.Contains(t, err.Error(), "databases hold the years 1 to 9999")
	}
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM "+s.quoted(Cell[time.Time]{}.KinTable().Name)))
}

func testUUIDs(t *testing.T, s *Suite) {
	values := []uuid.UUID{uuid.Nil, uuid.Max, uuid.MustParse("00000000-0000-0000-0000-0000000000ff"), uuid.MustParse("ABCDEF00-0000-4000-8000-00000000000F")}
	roundTrip(t, s, trip[uuid.UUID]{}, values...)
	table := s.quoted(Cell[uuid.UUID]{}.KinTable().Name)
	assert.Equal(t, "abcdef00-0000-4000-8000-00000000000f", handOne[string](t, s, "SELECT v FROM "+table+" WHERE id = 4"), "the usual text")

	s = s.modelsOf(kin.Register[Cell[uuid.UUID]])
	found, err := kin.Query[Cell[uuid.UUID]]().Filter("v", "ABCDEF00-0000-4000-8000-00000000000F").All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, values[3:], vs(found), "a text is a UUID, whatever its case")
	_, err = kin.Query[Cell[uuid.UUID]]().Filter("v", "no uuid").All(t.Context(), s.DB)
	require.ErrorContains(t, err, "UUID")
}

func testRawJSON(t *testing.T, s *Suite) {
	scan := func(rows *sql.Rows) (v json.RawMessage, err error) {
		var text string
		err = rows.Scan(&text)
		return json.RawMessage(text), err
	}
	sameJSON := func(a, b json.RawMessage) bool {
		var x, y any
		return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && assert.ObjectsAreEqual(x, y)
	}
	roundTrip(t, s, trip[json.RawMessage]{equal: sameJSON, scan: scan, unfiltered: true},
		json.RawMessage(`null`), json.RawMessage(`{}`), json.RawMessage(`[]`), json.RawMessage(`"it's \"\\ \ud83d\ude00"`),
		json.RawMessage(`{"a":[1,2,{"b":null}],"c":0.1}`), json.RawMessage(`9007199254740993`),
		json.RawMessage(`"`+strings.Repeat("x", 200_000)+`"`))

	s = s.tablesOf(t, kin.Register[Cell[json.RawMessage]], kin.Register[NullCell[json.RawMessage]])
	before := handOne[int](t, s, "SELECT COUNT(*) FROM "+s.quoted(Cell[json.RawMessage]{}.KinTable().Name))
	for _, bad := range []string{"", "{", "nul", "{} {}", "{'a':1}"} {
		err := kin.Insert(t.Context(), s.DB, &Cell[json.RawMessage]{V: json.RawMessage(bad)})
		require.ErrorContains(t, err, "Cell[encoding/json.RawMessage].V is no valid JSON", bad)
	}
	assert.Equal(t, before, handOne[int](t, s, "SELECT COUNT(*) FROM "+s.quoted(Cell[json.RawMessage]{}.KinTable().Name)))

	rows := []*NullCell[json.RawMessage]{{}, {V: json.RawMessage("null")}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	assert.Equal(t, []bool{true, false}, handColumn[bool](t, s, "SELECT v IS NULL FROM "+s.quoted(rows[0].KinTable().Name)+" ORDER BY id"))
	back, err := kin.Query[NullCell[json.RawMessage]]().All(t.Context(), s.DB)
	require.NoError(t, err)
	require.Len(t, back, 2)
	assert.Nil(t, back[0].V)
	assert.Equal(t, "null", string(back[1].V))
}

type address struct {
	Street string         `json:"street"`
	Tags   []string       `json:"tags"`
	More   map[string]any `json:"more,omitempty"`
}

// A document has values of many types that are kept as JSON.
type document struct {
	ID      int64
	Struct  address           `kin:",json"`
	Map     map[string]int    `kin:",json"`
	Slice   []float64         `kin:",json"`
	Pointer *address          `kin:",json"`
	NullMap map[string]string `kin:",json,null"`
	Text    string            `kin:",json"`
	Array   [2]bool           `kin:",json"`
}

func testJSONOption(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[document])
	docs := []*document{
		{
			Struct: address{"it's \"\\\" \U0001F600 </p>", []string{"a", ""}, map[string]any{"x": "y"}}, Map: map[string]int{"": 0, "k": -1},
			Slice: []float64{0.1, 1e300}, Pointer: &address{Street: "s"}, NullMap: map[string]string{"a": "b"}, Text: "t", Array: [2]bool{true, false},
		},
		{},
		{Map: map[string]int{}, Slice: []float64{}, NullMap: map[string]string{}, Pointer: &address{}},
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, docs...))
	got, err := kin.Query[document]().All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, docs, got)

	type row struct{ pointerNull, mapNull, sliceNull bool }
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT pointer IS NULL, null_map IS NULL, slice IS NULL FROM documents ORDER BY id")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var nulls []row
	for rows.Next() {
		var r row
		require.NoError(t, rows.Scan(&r.pointerNull, &r.mapNull, &r.sliceNull))
		nulls = append(nulls, r)
	}
	require.NoError(t, rows.Err())
	assert.Equal(t, []row{{}, {pointerNull: true, mapNull: true}, {}}, nulls)
	assert.JSONEq(t, `{"": 0, "k": -1}`, handOne[string](t, s, "SELECT map FROM documents WHERE id = 1"))
	assert.JSONEq(t, `null`, handOne[string](t, s, "SELECT slice FROM documents WHERE id = 2"))

	err = kin.Insert(t.Context(), s.DB, &document{Slice: []float64{math.NaN()}})
	require.ErrorContains(t, err, "document.Slice")
	// PostgreSQL holds no U+0000 in JSON, and invalid UTF-8 would be replaced in silence.
	err = kin.Insert(t.Context(), s.DB, &document{Text: "a\x00b"})
	require.ErrorContains(t, err, "document.Text")
	err = kin.Insert(t.Context(), s.DB, &document{Struct: address{Tags: []string{"a\xffb"}}})
	require.ErrorContains(t, err, "document.Struct")
	require.NoError(t, kin.Insert(t.Context(), s.DB, &document{Text: `a\u0000b`}), "a backslash and letters are no U+0000")
	assert.Equal(t, 4, handOne[int](t, s, "SELECT COUNT(*) FROM documents"))
}

// A point is kept as a text of its own.
type point struct{ X, Y int }

func (p point) Value() (driver.Value, error) { return fmt.Sprintf("%d,%d", p.X, p.Y), nil }

func (p *point) Scan(v any) error {
	text := fmt.Sprintf("%s", v) // a string or bytes
	x, y, ok := strings.Cut(text, ",")
	if !ok {
		return fmt.Errorf("%q is no point", text)
	}
	var err error
	if p.X, err = strconv.Atoi(x); err != nil {
		return err
	}
	p.Y, err = strconv.Atoi(y)
	return err
}

// pennies are kept as an integer, under a type that the tag names.
type pennies struct{ n int64 }

func (c pennies) Value() (driver.Value, error) { return c.n, nil }

func (c *pennies) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("%T is no integer", v)
	}
	c.n = n
	return nil
}

type purchase struct {
	ID    int64
	Price pennies `kin:",type=bigint"`
	At    point
	Maybe sql.Null[point]
}

func testOwnTypes(t *testing.T, s *Suite) {
	roundTrip(t, s, trip[point]{}, point{}, point{1, 2}, point{-1, math.MaxInt})

	s = s.tablesOf(t, kin.Register[purchase])
	rows := []*purchase{{Price: pennies{-5}, At: point{1, 2}}, {Price: pennies{7}, Maybe: sqlNull(point{3, 4})}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	for _, q := range []kin.QuerySet[purchase]{kin.Query[purchase](), kin.Query[purchase]().Filter("id__gt", 0)} {
		got, err := q.All(t.Context(), s.DB)
		require.NoError(t, err)
		assert.Equal(t, rows, got)
	}
	assert.Equal(t, int64(2), handOne[int64](t, s, "SELECT SUM(price) FROM purchases"))
	got, err := kin.Query[purchase]().Filter("price", pennies{7}).All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, rows[1:], got)

	s.Exec(t, "UPDATE purchases SET at = 'nonsense' WHERE id = 1")
	_, err = kin.Query[purchase]().All(t.Context(), s.DB)
	require.ErrorContains(t, err, `purchase.At (column "at" of "purchases"): "nonsense" is no point`)
}

// Stamps and Audit are mixins, one in the other.
type (
	// Stamps has the times of a row.
	Stamps struct {
		CreatedAt time.Time
		UpdatedAt *time.Time
	}
	// Audit says who made a row, and when.
	Audit struct {
		By string `kin:"made_by,size=40"`
		Stamps
	}
	note struct {
		ID int64
		Audit
		Text string
	}
)

func testEmbedded(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[note])
	at := time.Date(2024, 5, 6, 7, 8, 9, 10_000, time.UTC)
	rows := []*note{
		{Text: "a", Audit: Audit{"x", Stamps{CreatedAt: at}}},
		{Text: "b", Audit: Audit{"y", Stamps{at.Add(time.Hour), &at}}},
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	got, err := kin.Query[note]().OrderBy("-created_at").Filter("by__in", []string{"x", "y"}).All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, []*note{rows[1], rows[0]}, got)
	assert.Equal(t, []string{"xa", "yb"}, handColumn[string](t, s, map[bool]string{
		true: "SELECT CONCAT(made_by, text) FROM notes ORDER BY id", false: "SELECT made_by || text FROM notes ORDER BY id",
	}[s.Name == "mysql"]))
}

// A defaulted has a default in every column, which no insert of kin uses.
type defaulted struct {
	ID   int64
	I    int       `kin:",default=5"`
	S    string    `kin:",default='five'"`
	F    float64   `kin:",default=5.5"`
	B    bool      `kin:",default=true"`
	P    *int      `kin:",default=5"`
	Time time.Time `kin:"at,default='2024-01-01 00:00:00'"`
}

func testZeroValues(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[defaulted])
	row := &defaulted{}
	require.NoError(t, kin.Insert(t.Context(), s.DB, row))
	var i int
	var f float64
	var text string
	var b, null bool
	require.NoError(t, s.Pool().QueryRowContext(t.Context(), "SELECT i, s, f, b, p IS NULL FROM defaulteds").Scan(&i, &text, &f, &b, &null))
	assert.Equal(t, []any{0, "", 0.0, false, true}, []any{i, text, f, b, null})
	got, err := kin.Query[defaulted]().Get(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, row, got)

	// The defaults are there for those who write without kin.
	s.Exec(t, "INSERT INTO defaulteds (id) VALUES (77)")
	got, err = kin.Query[defaulted]().Filter("id", 77).Get(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, &defaulted{77, 5, "five", 5.5, true, new(5), time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}, got)
}
