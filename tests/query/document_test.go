package query

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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
		assert.Greater(t, min(texts, numbers, wholes, truths, raws), 20, "the test finds values")
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

// TestJSONContains compares what random documents contain with PostgreSQL's
// rules in memory.
func TestJSONContains(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 6))
		s, docs := papers(t, s, random)
		contents := []any{nil, true, "x", 1, 1.0, []any{}, map[string]any{}, []any{"x"}, []any{[]any{}}, map[string]any{"a": map[string]any{}}, map[string]any{"a": []any{}}}
		list := make([]any, 0, len(docs))
		for id := range int64(len(docs)) {
			list = append(list, docs[id+1])
		}
		for range 60 {
			doc := list[random.IntN(len(list))]
			if doc == missing {
				continue
			}
			contents = append(contents, part(random, doc))
		}
		found := 0
		for _, content := range contents {
			if text := fmt.Sprint(content); strings.Contains(text, "e400") || strings.Contains(text, "e300") {
				continue // as a float, but not by its digits, it equals others
			}
			if _, text := content.(string); !text && dashed(s, content) {
				continue
			}
			for _, keys := range [][]any{nil, {"a"}} {
				cond := kin.JSONContains(kin.JSON[json.RawMessage](kin.F("meta"), keys...), content)
				rows, err := kin.Query[paper]().Where(cond).All(t.Context(), s.DB)
				require.NoError(t, err)
				n, err := kin.Query[paper]().Where(kin.Not(cond)).Count(t.Context(), s.DB)
				require.NoError(t, err)
				assert.EqualValues(t, len(docs), int64(len(rows))+n)
				met := map[int64]bool{}
				for _, r := range rows {
					met[r.ID] = true
				}
				for id, doc := range docs {
					x := at(doc, keys)
					list, isList := x.([]any)
					want := x != missing && (contains(x, content) || isList && scalar(content) && contains(list, []any{content}))
					require.Equal(t, want, met[id], "%v contains %v", x, content)
				}
				found += len(rows)
			}
		}
		assert.Greater(t, found, 500)
	})
}

// dashed reports whether something has a key that MariaDB does not find.
func dashed(s *harness.Suite, keys ...any) bool {
	return s.Name == "mysql" && slices.ContainsFunc(keys, func(key any) bool {
		switch key := key.(type) {
		case string:
			return strings.HasPrefix(key, "-")
		case map[string]any:
			for name, x := range key {
				if dashed(s, name, x) {
					return true
				}
			}
		case []any:
			return slices.ContainsFunc(key, func(x any) bool { _, text := x.(string); return !text && dashed(s, x) })
		}
		return false
	})
}

func scalar(x any) bool {
	k := reflect.ValueOf(x).Kind()
	return k != reflect.Map && k != reflect.Slice
}

// part takes out of a document what it still contains.
func part(random *rand.Rand, doc any) any {
	switch doc := doc.(type) {
	case map[string]any:
		some := map[string]any{}
		for key, x := range doc {
			if random.IntN(2) == 0 {
				some[key] = part(random, x)
			}
		}
		return some
	case []any:
		some := []any{}
		for _, x := range doc {
			if random.IntN(2) == 0 {
				some = append(some, part(random, x))
			}
		}
		return some
	}
	return doc
}

func contains(doc, content any) bool {
	switch content := content.(type) {
	case map[string]any:
		object, ok := doc.(map[string]any)
		for key, x := range content {
			inner, there := object[key]
			ok = ok && there && contains(inner, x)
		}
		return ok
	case []any:
		list, ok := doc.([]any)
		for _, x := range content {
			one := false
			for _, y := range list {
				one = one || contains(y, x)
			}
			ok = ok && one
		}
		return ok
	case int:
		return contains(doc, json.Number(strconv.Itoa(content)))
	case float64:
		return contains(doc, json.Number(fmt.Sprint(content)))
	case json.Number:
		n, ok := doc.(json.Number)
		if !ok {
			return false
		}
		if a, b := whole(n), whole(content); a != nil && b != nil {
			return *a == *b
		}
		a, b := number(n), number(content)
		if a != nil && (whole(n) != nil && *b >= 1<<63 || whole(content) != nil && *a >= 1<<63) {
			return false
		}
		return a != nil && b != nil && *a == *b
	}
	return scalar(doc) && doc == content
}

// attacks are keys of JSON documents that are SQL, or paths.
var attacks = append(slices.Clone(jsonKeys), `') = 'd') OR 1 = 1 OR ('d`, `a'||(SELECT 1)||'`, `"."`, `$."a"`, `$[*]`, `a') OR 1=1 -- `, `a' = 'b'; DELETE FROM papers; -- `)

// attacked checks that a condition with an attack in it is met by no row, and
// that the attack is in no statement.
func attacked(t *testing.T, s *harness.Suite, key string, conds ...*kin.Condition) {
	t.Helper()
	for _, cond := range conds {
		s.Wire.Reset()
		n, err := kin.Query[paper]().Where(cond).Count(t.Context(), s.DB)
		if dashed(s, key) && err != nil {
			continue
		}
		require.NoError(t, err, key)
		assert.Zero(t, n)
		for _, text := range s.Wire.Statements() {
			if len(key) > 6 {
				assert.NotContains(t, text, key)
			}
		}
	}
}

// TestCVE201914234 is the attack of CVE-2019-14234: keys of a JSON document in a
// condition that are SQL. They are data, and no lookup leads into a document.
func TestCVE201914234(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, docs := papers(t, s, rand.New(rand.NewPCG(7, 7)))
		meta := kin.F("meta")
		for _, key := range attacks {
			attacked(t, s, key, kin.JSON[string](meta, "no such", key).Eq("x"), kin.JSON[int](meta, "no such", key).Gt(0),
				kin.JSONContains(meta, map[string]any{"no such": key}), kin.JSONContains(meta, map[string]any{"no such": map[string]any{key: 1}}))
			_, err := kin.Query[paper]().Filter("meta__"+key, "x").Count(t.Context(), s.DB)
			require.Error(t, err)
		}
		n, err := kin.Query[paper]().Count(t.Context(), s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, len(docs), n)
	})
}

// TestCVE202453908 is the attack of CVE-2024-53908: keys that are asked for.
func TestCVE202453908(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, _ = papers(t, s, rand.New(rand.NewPCG(7, 8)))
		for _, key := range attacks {
			attacked(t, s, key, kin.JSONHas(kin.F("meta"), "no such", key), kin.JSONHas(kin.JSON[json.RawMessage](kin.F("meta"), "no such"), key))
		}
	})
}

// TestCVE202442005 is the attack of CVE-2024-42005: keys by which values of a
// document are selected and sorted, and which made the names of columns.
func TestCVE202442005(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, docs := papers(t, s, rand.New(rand.NewPCG(7, 9)))
		for _, key := range attacks {
			q := kin.Query[paper]().Annotate("v", kin.JSON[string](kin.F("meta"), "no such", key)).OrderBy("v", "pk")
			rows, err := kin.Select[digged[string]](q).All(t.Context(), s.DB)
			if dashed(s, key) {
				require.ErrorContains(t, err, "begins with a -")
				continue
			}
			require.NoError(t, err)
			assert.Len(t, rows, len(docs))
			_, err = kin.Query[paper]().OrderBy(kin.Path[paper]("meta__"+key)).All(t.Context(), s.DB)
			require.Error(t, err)
		}
	})
}

// TestCVE20140474 is the attack of CVE-2014-0474: MySQL finds 'abc' equal to 0.
// A number is no text in a document either.
func TestCVE20140474(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, docs := papers(t, s, rand.New(rand.NewPCG(7, 10)))
		meta := kin.F("meta")
		count := func(cond *kin.Condition) (n int) {
			t.Helper()
			got, err := kin.Query[paper]().Where(cond).Count(t.Context(), s.DB)
			require.NoError(t, err)
			return int(got)
		}
		zeros, texts := 0, 0
		for _, doc := range docs {
			if n := number(at(doc, []any{"a"})); n != nil && *n == 0 {
				zeros++
			}
			if x := text(at(doc, []any{"a"})); x != nil && *x == "1" {
				texts++
			}
		}
		assert.Equal(t, zeros, count(kin.JSON[int](meta, "a").Eq(0)), "and no text")
		assert.Equal(t, zeros, count(kin.JSON[float64](meta, "a").Eq(0)))
		assert.Equal(t, texts, count(kin.JSON[string](meta, "a").Eq("1")))
		_, err := kin.Query[paper]().Where(kin.JSON[string](meta, "a").Eq(0)).Count(t.Context(), s.DB)
		require.ErrorContains(t, err, "takes string, not int")
	})
}

func TestJSONMistakes(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, _ = papers(t, s, rand.New(rand.NewPCG(8, 8)))
		meta := kin.F("meta")
		deep := make([]any, 101)
		for i := range deep {
			deep[i] = "a"
		}
		for want, cond := range map[string]*kin.Condition{
			"paper.ID is a int64, and no JSON":            kin.JSON[string](kin.F("id"), "a").Eq("x"),
			"but no time.Time":                            kin.JSON[time.Time](meta, "a").IsNull(),
			"whole numbers from 0":                        kin.JSON[string](meta, -1).IsNull(),
			"the key 1.5 of a JSON document is a float64": kin.JSON[string](meta, 1.5).IsNull(),
			"U+0000":                          kin.JSONHas(meta, "a\x00"),
			"101 keys":                        kin.JSONHas(meta, deep...),
			"JSON does not compare":           kin.JSON[json.RawMessage](meta, "a").Eq(json.RawMessage("1")),
			"a document of 1002 values":       kin.JSONContains(meta, make([]any, 1001)),
			"a func() json: unsupported type": kin.JSONContains(meta, func() {}),
			"no operator \"a\"":               kin.Q("meta__a", 1),
		} {
			s.Wire.Reset()
			_, err := kin.Query[paper]().Where(cond).Count(t.Context(), s.DB)
			require.ErrorContains(t, err, want)
			s.Wire.Want(t, 0, 0)
		}
		_, err := kin.Query[paper]().Annotate("a", kin.JSON[json.RawMessage](meta, "a")).OrderBy("a").All(t.Context(), s.DB)
		require.ErrorContains(t, err, "JSON does not compare")
	})
}
