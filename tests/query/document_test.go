package query

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type paper struct {
	ID   int64
	Meta json.RawMessage       `kin:",null"`
	Tags map[string]any        `kin:",json"`
	Next kin.ForeignKey[paper] `kin:",null"`
}

// jsonKeys are names that would mean something in a path, in SQL or in JSON.
var jsonKeys = []string{
	"a", "b", "A", "0", "1", "", " ", "a.b", "$", "*", "**", "[0]", "a[0]", `"`, `a"b`, `\`, `a\`, `\"`, "'", "''", "`", "%", "{j}", "{p}", "?", "<b>", "&", "é", "\u2028",
	"😀", "\n", "\t", "\x01", "\x7f", "\u009f", "'); DROP TABLE papers; --", `a" = 'x') OR 1 = 1 OR ("a`, "#", "--", "/*", "*/", "#-", "last", "a__b", "null", "-1",
}

func anyDocument(random *rand.Rand, depth int) any {
	switch n := random.IntN(14); {
	case n < 4 && depth > 0:
		object := map[string]any{}
		for range random.IntN(5) {
			object[jsonKeys[random.IntN(len(jsonKeys))]] = anyDocument(random, depth-1)
		}
		object["a"] = anyDocument(random, depth-1)
		return object
	case n < 6 && depth > 0:
		list := make([]any, random.IntN(4))
		for i := range list {
			list[i] = anyDocument(random, depth-1)
		}
		return list
	}
	return []any{
		nil, true, false, "", "x", "1", "true", "null", "<é\"\\'\n>", "😀", json.Number("0"), json.Number("1"), json.Number("1.0"), json.Number("-2.5"), json.Number("1e2"),
		json.Number("9007199254740993"), json.Number("9223372036854775807"), json.Number("-9223372036854775808"), json.Number("9223372036854775808"), json.Number("1e300"),
		json.Number("0.1"), json.Number("1e-7"), json.Number("123456789.125"), json.Number("1e400"), json.Number("-0"),
	}[random.IntN(25)]
}

// papers makes rows of random documents, some of them NULL.
func papers(t *testing.T, s *harness.Suite, random *rand.Rand) (*harness.Suite, map[int64]any) {
	t.Helper()
	var r kin.Registry
	kin.Register[paper](&r)
	s = s.With(kin.WithRegistry(&r))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	var rows []*paper
	var docs []any
	for i := range 250 {
		p := &paper{Tags: map[string]any{"n": i}}
		var doc any = missing
		if i%9 > 0 {
			doc = anyDocument(random, 3)
			text, err := json.Marshal(doc)
			require.NoError(t, err)
			if i%2 == 0 { // other escapes of the same
				text = []byte(strings.ReplaceAll(string(text), "é", `\u00e9`))
			}
			p.Meta = text
		}
		rows, docs = append(rows, p), append(docs, doc)
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	byID := map[int64]any{}
	for i, p := range rows {
		byID[p.ID] = docs[i]
	}
	return s, byID
}

// missing stands for what is not there.
const missing = kindOfNothing(0)

type kindOfNothing int

func at(doc any, keys []any) any {
	for _, key := range keys {
		switch x := doc.(type) {
		case map[string]any:
			name, ok := key.(string)
			v, there := x[name]
			if !ok || !there {
				return missing
			}
			doc = v
		case []any:
			i, ok := key.(int)
			if !ok || i >= len(x) {
				return missing
			}
			doc = x[i]
		default:
			return missing
		}
	}
	return doc
}

func anyKeys(random *rand.Rand) []any {
	keys := []any{}
	for range random.IntN(4) {
		switch random.IntN(3) {
		case 0:
			keys = append(keys, random.IntN(3))
		case 1:
			keys = append(keys, jsonKeys[random.IntN(len(jsonKeys))])
		default:
			keys = append(keys, "a")
		}
	}
	return keys
}

type digged[V any] struct {
	ID int64
	V  *V
}

// digs reads a value of all documents and compares it with what is in memory.
func digs[V any](t *testing.T, s *harness.Suite, docs map[int64]any, keys []any, want func(any) *V) int {
	t.Helper()
	rows, err := kin.Select[digged[V]](kin.Query[paper]().Annotate("v", kin.JSON[V](kin.F("meta"), keys...))).All(t.Context(), s.DB)
	require.NoError(t, err, "%q", keys)
	require.Len(t, rows, len(docs))
	found := 0
	for _, r := range rows {
		require.Equal(t, want(at(docs[r.ID], keys)), r.V, "%q of %v", keys, docs[r.ID])
		if r.V != nil {
			found++
		}
	}
	return found
}

func text(x any) *string {
	if v, ok := x.(string); ok {
		return &v
	}
	return nil
}

func truth(x any) *bool {
	if v, ok := x.(bool); ok {
		return &v
	}
	return nil
}

func number(x any) *float64 {
	if n, ok := x.(json.Number); ok {
		if v, err := n.Float64(); err == nil {
			v += 0 // of -0
			return &v
		}
	}
	return nil
}

func whole(x any) *int64 {
	n, ok := x.(json.Number)
	if !ok {
		return nil
	}
	if v, err := n.Int64(); err == nil {
		return &v
	}
	if v, err := n.Float64(); err == nil && v == math.Trunc(v) && math.Abs(v) < 1<<63 {
		return new(int64(v))
	}
	return nil
}

// TestJSONValues reads values of each type at random places of random documents.
func TestJSONValues(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 5))
		s, docs := papers(t, s, random)
		texts, numbers, wholes, truths, raws := 0, 0, 0, 0, 0
		for i := range 60 {
			keys := anyKeys(random)
			if i < len(jsonKeys) {
				keys = []any{jsonKeys[i]}
			}
			if dashed(s, keys...) {
				_, err := kin.Query[paper]().Where(kin.JSONHas(kin.F("meta"), keys...)).Count(t.Context(), s.DB)
				require.ErrorContains(t, err, "begins with a -")
				continue
			}
			texts += digs(t, s, docs, keys, text)
			numbers += digs(t, s, docs, keys, number)
			wholes += digs(t, s, docs, keys, whole)
			truths += digs(t, s, docs, keys, truth)
			rows, err := kin.Select[digged[json.RawMessage]](kin.Query[paper]().Annotate("v", kin.JSON[json.RawMessage](kin.F("meta"), keys...))).All(t.Context(), s.DB)
			require.NoError(t, err)
			for _, r := range rows {
				want := at(docs[r.ID], keys)
				require.Equal(t, want == missing, r.V == nil, "%q of %v", keys, docs[r.ID])
				if r.V != nil {
					raws++
					text, err := json.Marshal(want)
					require.NoError(t, err)
					if !strings.Contains(string(text), "e400") && !strings.Contains(string(text), "1e2") && !strings.Contains(string(text), "-0") { // which PostgreSQL writes out
						assert.JSONEq(t, string(text), string(*r.V))
					}
				}
			}
			has, err := kin.Query[paper]().Where(kin.JSONHas(kin.F("meta"), keys...)).Count(t.Context(), s.DB)
			require.NoError(t, err)
			hasNot, err := kin.Query[paper]().Where(kin.Not(kin.JSONHas(kin.F("meta"), keys...))).Count(t.Context(), s.DB)
			require.NoError(t, err)
			n := 0
			for _, doc := range docs {
				if at(doc, keys) != missing {
					n++
				}
			}
			assert.EqualValues(t, n, has, "%q", keys)
			assert.EqualValues(t, len(docs)-n, hasNot)
		}
		assert.Greater(t, min(texts, numbers, wholes, truths, raws), 5, "the test finds values")
	})
}

// TestJSONInQueries has values of documents in conditions, orders, groups and
// updates.
func TestJSONInQueries(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		ctx := t.Context()
		var r kin.Registry
		kin.Register[paper](&r)
		s = s.With(kin.WithRegistry(&r))
		require.NoError(t, kin.CreateTables(ctx, s.DB))
		doc := func(text string) *paper { return &paper{Meta: json.RawMessage(text), Tags: map[string]any{}} }
		rows := []*paper{
			doc(`{"address":{"city":"Berlin"},"n":2,"ok":true}`), doc(`{"address":{"city":"bern"},"n":10,"ok":false}`),
			doc(`{"address":{"city":"Ulm"},"n":2.5}`), doc(`{"address":null,"n":"2"}`), doc(`["Berlin"]`),
			{Tags: map[string]any{"a": map[string]any{"b": []int{7, 8}}}},
		}
		require.NoError(t, kin.Insert(ctx, s.DB, rows...))
		rows[5].Next = kin.To(rows[1])
		require.NoError(t, kin.Save(ctx, s.DB, rows[5]))
		meta := kin.F("meta")
		city := kin.JSON[string](meta, "address", "city")
		q := kin.Query[paper]().Annotate("city", city).Annotate("n", kin.JSON[float64](meta, "n"))
		ids := func(q kin.QuerySet[paper]) []int64 {
			t.Helper()
			found, err := q.All(ctx, s.DB)
			require.NoError(t, err)
			list := []int64{}
			for _, p := range found {
				list = append(list, p.ID)
			}
			return list
		}
		assert.Equal(t, []int64{1}, ids(q.Filter("city", "Berlin")))
		assert.Equal(t, []int64{1, 2}, ids(q.Filter("city__istartswith", "ber")))
		assert.Equal(t, []int64{2}, ids(q.Filter("city__regex", "n$", "n__gt", 2)))
		assert.Equal(t, []int64{1, 3}, ids(q.Where(kin.JSON[float64](meta, "n").In(2, 2.5))))
		assert.Equal(t, []int64{2}, ids(q.Where(kin.JSON[bool](meta, "ok").Eq(false))))
		assert.Equal(t, []int64{1, 3, 4, 5, 6}, ids(q.Where(kin.JSON[bool](meta, "ok").Ne(false))))
		assert.Equal(t, []int64{4, 5, 6}, ids(q.Where(city.IsNull())), "missing, null and NULL are NULL")
		assert.Equal(t, []int64{4, 5, 6, 1, 3, 2}, ids(q.OrderBy("n", "city", "pk")))
		assert.Equal(t, []int64{6}, ids(q.Where(kin.JSON[int](kin.F("tags"), "a", "b", 1).Eq(8))))
		assert.Equal(t, []int64{6}, ids(q.Where(kin.JSON[string](kin.F("next__meta"), "address", "city").Eq("bern"))), "over a foreign key")
		assert.Equal(t, []int64{5}, ids(q.Where(kin.JSON[string](meta, 0).Eq("Berlin"))))
		assert.Empty(t, ids(q.Where(kin.JSON[string](meta, "0").Eq("Berlin"))), "a name is no place in an array")
		assert.Equal(t, []int64{2}, ids(q.Where(kin.JSON[string](kin.JSON[json.RawMessage](meta, "address"), "city").Eq("bern"))))
		type group struct {
			City  *string
			Count int64 `kin:"count(*)"`
		}
		groups, err := kin.Select[group](q.Where(kin.Not(city.IsNull()))).OrderBy("city").All(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, []group{{new("Berlin"), 1}, {new("Ulm"), 1}, {new("bern"), 1}}, groups)
		sum, err := kin.Value[int64](ctx, s.DB, kin.Query[paper]().Filter("pk", 1), kin.JSON[int64](meta, "n").Add(1))
		require.NoError(t, err)
		assert.EqualValues(t, 3, sum)
	})
}
