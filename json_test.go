package kin_test

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

type (
	jsonClass struct {
		ID       int64                    `json:"id"`
		Name     string                   `json:"name"`
		Students kin.Reverse[jsonStudent] `json:"students,omitzero"`
	}
	jsonStudent struct {
		ID    int64                     `json:"id"`
		Name  string                    `json:"name,omitempty"`
		Class kin.ForeignKey[jsonClass] `json:"class" kin:",null,related_name=students"`
	}
	jsonEmployee struct {
		ID      int64
		Name    string
		Manager kin.ForeignKey[jsonEmployee] `kin:",null"`
		Reports kin.Reverse[jsonEmployee]    // without omitzero
	}
)

func jsonSchool(t *testing.T) *kin.DB {
	t.Helper()
	var r kin.Registry
	kin.Register[jsonClass](&r)
	kin.Register[jsonStudent](&r)
	kin.Register[jsonEmployee](&r)
	ctx, db := t.Context(), open(t, &r)
	a, b := &jsonClass{Name: "1A"}, &jsonClass{Name: "1B"}
	require.NoError(t, kin.Insert(ctx, db, a, b))
	require.NoError(t, kin.Insert(ctx, db, &jsonStudent{Name: "Ann", Class: kin.To(a)}, &jsonStudent{Class: kin.To(a)}, &jsonStudent{Name: "Cid"}))
	boss := &jsonEmployee{Name: "Eva"}
	require.NoError(t, kin.Insert(ctx, db, boss))
	require.NoError(t, kin.Insert(ctx, db, &jsonEmployee{Name: "Max", Manager: kin.To(boss)}, &jsonEmployee{Name: "Ida", Manager: kin.To(boss)}))
	return db
}

func requireJSON(t *testing.T, want string, v any, why string) {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err, why)
	require.Equal(t, want, string(text), why)
}

func TestJSONOfQueries(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), jsonSchool(t)

	classes, err := kin.Query[jsonClass]().All(ctx, db)
	require.NoError(t, err)
	requireJSON(t, `[{"id":1,"name":"1A"},{"id":2,"name":"1B"}]`, classes, "what is not loaded is left out")

	students, err := kin.Query[jsonStudent]().All(ctx, db)
	require.NoError(t, err)
	requireJSON(t, `[{"id":1,"name":"Ann","class":1},{"id":2,"class":1},{"id":3,"name":"Cid","class":null}]`, students, "keys, and null")

	students, err = kin.Query[jsonStudent]().SelectRelated("class").All(ctx, db)
	require.NoError(t, err)
	requireJSON(t, `[{"id":1,"name":"Ann","class":{"id":1,"name":"1A"}},{"id":2,"class":{"id":1,"name":"1A"}},{"id":3,"name":"Cid","class":null}]`,
		students, "rows, where they are loaded, each time they come")

	classes, err = kin.Query[jsonClass]().SelectRelated("students").All(ctx, db)
	require.NoError(t, err)
	const graph = `[{"id":1,"name":"1A","students":[{"id":1,"name":"Ann","class":1},{"id":2,"class":1}]},{"id":2,"name":"1B","students":[]}]`
	requireJSON(t, graph, classes, "children lead back by key, and none are an empty array")
	requireJSON(t, graph, []jsonClass{*classes[0], *classes[1]}, "copies of rows too")
	requireJSON(t, graph[1:strings.Index(graph, `,{"id":2,"name":"1B"`)], classes[0], "a pointer")
	requireJSON(t, `[{"id":1,"name":"Ann","class":1},{"id":2,"class":1}]`, classes[0].Students, "the field alone: its owner is around it")
	ann := classes[0].Students.All()[0]
	requireJSON(t, `{"id":1,"name":"Ann","class":{"id":1,"name":"1A","students":[1,{"id":2,"class":1}]}}`, ann,
		"the same rows from a child: siblings are written, it itself is a key")

	classes, err = kin.Query[jsonClass]().SelectRelated("students__class__students").All(ctx, db)
	require.NoError(t, err)
	requireJSON(t, graph, classes, "a circle")

	staff, err := kin.Query[jsonEmployee]().SelectRelated("manager__reports", "reports__manager").All(ctx, db)
	require.NoError(t, err)
	require.Len(t, staff, 3)
	requireJSON(t, `{"ID":1,"Name":"Eva","Manager":null,"Reports":[`+
		`{"ID":2,"Name":"Max","Manager":1,"Reports":[]},{"ID":3,"Name":"Ida","Manager":1,"Reports":[]}]}`, staff[0], "a self reference, from the top")
	requireJSON(t, `{"ID":2,"Name":"Max","Manager":{"ID":1,"Name":"Eva","Manager":null,"Reports":[2,{"ID":3,"Name":"Ida","Manager":1,"Reports":[]}]},"Reports":[]}`,
		staff[1], "a self reference, from below")

	plain, err := kin.Query[jsonEmployee]().Filter("name", "Max").Get(ctx, db)
	require.NoError(t, err)
	requireJSON(t, `{"ID":2,"Name":"Max","Manager":1,"Reports":null}`, plain, "a Reverse without omitzero is null while it is not loaded")
}

// TestJSONByHand has rows that lead to each other and that kin has not seen.
func TestJSONByHand(t *testing.T) {
	t.Parallel()
	own := &jsonEmployee{ID: 1, Name: "Eva"}
	own.Manager.Set(own)
	text, err := json.Marshal(own)
	require.NoError(t, err)
	assert.JSONEq(t, `{"ID":1,"Name":"Eva","Manager":{"ID":1,"Name":"Eva","Manager":1,"Reports":null},"Reports":null}`, string(text))
	other := &jsonEmployee{ID: 2, Manager: kin.To(own)}
	own.Manager.Set(other)
	text, err = json.Marshal(own)
	require.NoError(t, err)
	assert.True(t, json.Valid(text))
	assert.Less(t, len(text), 300, "it ends soon")
}

func TestJSONRead(t *testing.T) {
	t.Parallel()
	var s jsonStudent
	require.NoError(t, json.Unmarshal([]byte(`{"id":5,"name":"Zoe","class": 7 }`), &s))
	assert.Equal(t, "jsonClass(7)", s.Class.String())
	assert.False(t, s.Class.Loaded())
	require.NoError(t, json.Unmarshal([]byte(`{"class":{"id":8,"name":"1X"}}`), &s))
	assert.Equal(t, &jsonClass{ID: 8, Name: "1X"}, s.Class.Get())
	require.NoError(t, json.Unmarshal([]byte(`{"name":"Zoe"}`), &s))
	assert.True(t, s.Class.Loaded(), "what is not mentioned stays")
	require.NoError(t, json.Unmarshal([]byte(`{"class":null}`), &s))
	assert.True(t, s.Class.IsNull())
	require.NoError(t, json.Unmarshal([]byte(`{"class":{"name":"new"}}`), &s))
	assert.Equal(t, "jsonClass(unsaved)", s.Class.String(), "an object without a key is a new row")

	var c jsonClass
	require.NoError(t, json.Unmarshal([]byte(`{"id":7,"students":[{"id":1,"class":7},{"id":2,"class":{"id":7}}]}`), &c))
	require.Equal(t, 2, c.Students.Len())
	assert.Equal(t, int64(7), c.Students.All()[0].Class.Ref().ID)
	require.NoError(t, json.Unmarshal([]byte(`{"students":[]}`), &c))
	assert.True(t, c.Students.Loaded())
	assert.Zero(t, c.Students.Len())
	require.NoError(t, json.Unmarshal([]byte(`{"students":null}`), &c))
	assert.False(t, c.Students.Loaded())

	kept := jsonStudent{Class: kin.Key[jsonClass](3)}
	for text, want := range map[string]string{
		`{"class":"x"}`:                 "kin: a key of jsonClass: takes int64, not string",
		`{"class":true}`:                "kin: a key of jsonClass: takes int64, not bool",
		`{"class":7.5}`:                 "invalid syntax",
		`{"class":1e400}`:               "kin: a key of jsonClass",
		`{"class":9223372036854775808}`: "out of range",
		`{"class":[1,2]}`:               "kin: a key of jsonClass: has 1 parts, not 2",
		`{"class":[]}`:                  "kin: a key of jsonClass: has 1 parts, not 0",
		`{"class":[null]}`:              "kin: a key of jsonClass: is NULL",
		`{"class":[[1]]}`:               "kin: a key of jsonClass",
		`{"class":{"id":"x"}}`:          "cannot unmarshal",
	} {
		require.ErrorContains(t, json.Unmarshal([]byte(text), &kept), want, text)
		assert.Equal(t, "jsonClass(3)", kept.Class.String(), "%s changes nothing", text)
	}
}

// jsonCode is a key with methods of its own, for the database and for JSON.
type jsonCode struct{ text string }

func (c jsonCode) Value() (driver.Value, error) { return "db:" + c.text, nil }

func (c *jsonCode) Scan(v any) error {
	c.text = strings.TrimPrefix(fmt.Sprintf("%s", v), "db:")
	return nil
}

func (c jsonCode) MarshalText() ([]byte, error) { return []byte("json:" + c.text), nil }

func (c *jsonCode) UnmarshalText(text []byte) error {
	c.text = strings.TrimPrefix(string(text), "json:")
	return nil
}

// jsonNumber is a key that the database keeps as a number, without JSON methods.
type jsonNumber struct{ N int64 }

func (n jsonNumber) Value() (driver.Value, error) { return n.N, nil }

func (n *jsonNumber) Scan(v any) error {
	i, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a %T is no number", v)
	}
	n.N = i
	return nil
}

// A jsonKeyed is a model whose primary key is a K.
type jsonKeyed[K any] struct {
	Key  K `kin:",pk"`
	Name string
}

type jsonPair struct {
	A string              `kin:",pk"`
	B time.Time           `kin:",pk"`
	N jsonKeyedRef[int64] `kin:",pk"`
}

type jsonKeyedRef[K any] = kin.ForeignKey[jsonKeyed[K]]

// roundTrip writes a key as JSON, reads it, and writes it again.
func roundTrip[T any](t *testing.T, want string, parts ...any) {
	t.Helper()
	fk := kin.Key[T](parts...)
	text, err := json.Marshal(fk)
	require.NoError(t, err)
	assert.Equal(t, want, string(text))
	var read kin.ForeignKey[T]
	require.NoError(t, json.Unmarshal(text, &read), want)
	assert.Equal(t, fk.Ref(), read.Ref(), want)
	assert.Equal(t, fk.String(), read.String(), want)
	assert.False(t, read.IsNull() || read.Loaded())
}

func TestJSONKeys(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 12, 30, 45, 123456000, time.UTC)
	type level int8
	type word string
	roundTrip[jsonKeyed[int64]](t, `-7`, -7)
	roundTrip[jsonKeyed[int64]](t, `9007199254740993`, int64(1<<53+1)) // not through a float
	roundTrip[jsonKeyed[uint64]](t, `18446744073709551615`, uint64(1<<64-1))
	roundTrip[jsonKeyed[level]](t, `3`, level(3))
	roundTrip[jsonKeyed[string]](t, `"a\"b"`, `a"b`)
	roundTrip[jsonKeyed[string]](t, `"7"`, "7")
	roundTrip[jsonKeyed[string]](t, `"{"`, "{")
	roundTrip[jsonKeyed[string]](t, `"null"`, "null")
	roundTrip[jsonKeyed[word]](t, `"w"`, word("w"))
	roundTrip[jsonKeyed[bool]](t, `true`, true)
	roundTrip[jsonKeyed[float64]](t, `0.1`, 0.1)
	roundTrip[jsonKeyed[[]byte]](t, `"/wA="`, []byte{0xff, 0})
	roundTrip[jsonKeyed[uuid.UUID]](t, `"6ba7b810-9dad-11d1-80b4-00c04fd430c8"`, fkUUID)
	roundTrip[jsonKeyed[time.Time]](t, `"2024-02-29T12:30:45.123456Z"`, at)
	roundTrip[jsonKeyed[jsonCode]](t, `"json:x"`, jsonCode{"x"})
	roundTrip[jsonKeyed[jsonNumber]](t, `5`, jsonNumber{5})
	roundTrip[jsonPair](t, `["x","2024-02-29T12:30:45.123456Z",5]`, "x", at, 5)
	roundTrip[fkSeat](t, `["A",12]`, "A", 12)
	var pair kin.ForeignKey[jsonPair]
	require.EqualError(t, pair.UnmarshalJSON([]byte(`["x",null,5]`)), "kin: a key of jsonPair: is NULL")
	roundTrip[fkPlace](t, `["A",12]`, "A", 12)
}

// Two models that many rows join, each way loaded: the output grows with the
// links, not with the paths through them.
type (
	jsonLeft struct {
		ID    int64
		Links kin.Reverse[jsonLink] `json:",omitzero"`
	}
	jsonRight struct {
		ID    int64
		Links kin.Reverse[jsonLink] `json:",omitzero"`
	}
	jsonLink struct {
		ID    int64
		Left  kin.ForeignKey[jsonLeft]  `kin:",related_name=links"`
		Right kin.ForeignKey[jsonRight] `kin:",related_name=links"`
	}
)

func TestJSONGrowth(t *testing.T) {
	t.Parallel()
	var r kin.Registry
	kin.Register[jsonLeft](&r)
	kin.Register[jsonRight](&r)
	kin.Register[jsonLink](&r)
	db, err := sqlite.Open(t.Context(), ":memory:", kin.WithRegistry(&r))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, kin.CreateTables(t.Context(), db))
	const n = 12
	var lefts []*jsonLeft
	var rights []*jsonRight
	for range n {
		lefts, rights = append(lefts, &jsonLeft{}), append(rights, &jsonRight{})
	}
	require.NoError(t, kin.Insert(t.Context(), db, lefts...))
	require.NoError(t, kin.Insert(t.Context(), db, rights...))
	for _, a := range lefts {
		for _, b := range rights {
			require.NoError(t, kin.Insert(t.Context(), db, &jsonLink{Left: kin.To(a), Right: kin.To(b)}))
		}
	}
	rows, err := kin.Query[jsonLeft]().SelectRelated("links__right__links__left").All(t.Context(), db)
	require.NoError(t, err)
	require.Len(t, rows, n)
	text, err := json.Marshal(rows[0])
	require.NoError(t, err)
	require.Less(t, len(text), 200*2*n*n, "two rows for each link, twice over")
	for i := range rights {
		require.Contains(t, string(text), fmt.Sprintf(`"Right":{"ID":%d`, i+1))
	}
}

// Rows that lead back to those that are being written are written as keys,
// and read as rows that have no more.
func TestJSONManyToMany(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := openLinks(ctx)
	defer db.Close()
	article := &Article{Title: "x"}
	require.NoError(t, kin.Insert(ctx, db, article))
	require.NoError(t, article.Topics.Add(ctx, db, &Topic{Name: "go"}, &Topic{Name: "sql"}))
	articles, err := kin.Query[Article]().SelectRelated("topics__articles").All(ctx, db)
	require.NoError(t, err)
	text, err := json.Marshal(articles)
	require.NoError(t, err)
	require.JSONEq(t, `[{"ID":1,"Title":"x","Topics":[{"ID":1,"Name":"go","Articles":[1]},{"ID":2,"Name":"sql","Articles":[1]}]}]`, string(text))
	var back []*Article
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, 2, back[0].Topics.Len())
	require.EqualValues(t, 1, back[0].Topics.All()[0].Articles.All()[0].ID)
	require.Error(t, json.Unmarshal([]byte(`[{"Topics":["x"]}]`), &back))
	require.Error(t, json.Unmarshal([]byte(`[{"Topics":{}}]`), &back))
}
