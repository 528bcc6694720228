package query

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

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
