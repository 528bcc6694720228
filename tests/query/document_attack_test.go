package query

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

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
