package query

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// payloads are the payloads of Django's security releases, and of the tests that
// came with them: each has the word zq9 in it, which no statement may have.
func payloads() []string {
	return []string{
		`zq9"`, "zq9`", `zq9'`, "zq9]", "zq9[", "zq9;", "zq9 ", "zq9\t", "zq9\n", "zq9--", "zq9#", "zq9/*", "zq9*/", "zq9(", "zq9)", "zq9%", "zq9%s",
		"zq9\x00", "zq9\x01", "zq9\x0b", "zq9\x1f", "zq9\x7f", "zq9\u0080", "zq9\u009f", "zq9\u00a0", "zq9\u2028",
		"zq9.age", "students.zq9", `zq9"."age`, "zq9` FROM students; DROP TABLE students; #", `zq9" FROM students; DROP TABLE students; --`,
		"zq9 ASC", "zq9 DESC NULLS LAST", "zq9, (SELECT 1)", "zq9 COLLATE NOCASE", "(CASE WHEN zq9 THEN 1 ELSE 2 END)", "zq9::text", `{"zq9": 1}`,
		"zq9', (SELECT 1)) --", "year' FROM age)) OR 1 = 1;SELECT 1 --zq9", "day' FROM age) zq9", `", "zq9`, "zq9\\", "zq9$1", "zq9?", "zq9{0}",
	}
}

// TestDjangoCVEs tries what Django's security releases tell of at the matching
// places of kin: names resolve against the model or are refused, and all else is
// bound. CVE-2019-14234, CVE-2024-42005 and CVE-2024-53908, about keys of JSON
// documents, are beside the other tests of these.
func TestDjangoCVEs(t *testing.T) {
	t.Parallel()
	attacks := map[string]func(t *testing.T, s *harness.Suite){
		"CVE-2014-0474":  attackTypes,
		"CVE-2020-7471":  attackSeparators,
		"CVE-2020-9402":  attackNumbers,
		"CVE-2021-35042": attackOrders,
		"CVE-2022-28346": attackNames,
		"CVE-2022-28347": attackOptions,
		"CVE-2022-34265": attackParts,
		"CVE-2025-57833": attackPaths,
		"CVE-2025-59681": attackNames,
		"CVE-2025-64459": attackControls,
		"CVE-2025-13372": attackPaths,
		"CVE-2026-1207":  attackNumbers,
		"CVE-2026-1287":  attackNames,
		"CVE-2026-1312":  attackDots,
		"CVE-2026-15307": attackConstructors,
	}
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		for _, cve := range slices.Sorted(maps.Keys(attacks)) {
			t.Run(cve, func(t *testing.T) {
				s.Wire.Reset()
				attacks[cve](t, s)
				for _, text := range s.Wire.Statements() {
					require.NotContains(t, strings.ToLower(text), "zq9")
				}
				n, err := kin.Query[student]().Count(t.Context(), s.DB)
				require.NoError(t, err)
				assert.EqualValues(t, 5, n)
			})
		}
	})
}

// refused checks that a query fails before the database is asked.
func refused(t *testing.T, s *harness.Suite, q kin.QuerySet[student], attack string) {
	t.Helper()
	before := len(s.Wire.Statements())
	_, err := q.All(t.Context(), s.DB)
	require.Error(t, err, "%q", attack)
	require.Len(t, s.Wire.Statements(), before, "%q", attack)
}

// attackTypes compares texts with numbers, and numbers with texts: MySQL makes
// a number of the text, and 0 equals all that are none.
func attackTypes(t *testing.T, s *harness.Suite) {
	students := kin.Query[student]()
	for _, x := range []any{0, 1, 0.0, true, int64(0), []byte("Ada")} {
		refused(t, s, students.Filter("name", x), fmt.Sprint(x))
		refused(t, s, students.Filter("name__in", []any{x}), fmt.Sprint(x))
	}
	for _, x := range []any{"0", "10", "10abc", "zq9", true} {
		refused(t, s, students.Filter("age", x), fmt.Sprint(x))
		refused(t, s, students.Filter("class", x), fmt.Sprint(x))
	}
	rows, err := students.Filter("name", "0").All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Empty(t, rows, "a text is compared as one")
	n, err := students.Filter("age", 10).Count(t.Context(), s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
}

// attackSeparators gives functions texts that are SQL.
func attackSeparators(t *testing.T, s *harness.Suite) {
	type row struct {
		Name  string
		Names string
	}
	for _, p := range payloads() {
		rows, err := kin.Select[row](kin.Query[class]().Filter("name", "a").Annotate("names", kin.StringAgg("students__name", p))).All(t.Context(), s.DB)
		if strings.Contains(p, "\x00") && s.Name == "postgres" { // which it takes in no text
			require.Error(t, err)
			continue
		}
		require.NoError(t, err, "%q", p)
		assert.Equal(t, []row{{"a", "Ada" + p + "Bob"}}, rows)
		if strings.Contains(p, "\x00") { // which kin has no column hold, nor compares with
			continue
		}
		n, err := kin.Query[student]().Where(kin.Replace(kin.F("name"), "Ada", p).Eq(p)).Count(t.Context(), s.DB)
		require.NoError(t, err, "%q", p)
		assert.EqualValues(t, 1, n, "%q", p)
	}
}

// attackNumbers is about numbers that came as texts: there is no place for one.
// What a number is for takes a Go integer.
func attackNumbers(t *testing.T, s *harness.Suite) {
	for _, f := range []any{kin.Round, kin.Substr, kin.Lag, kin.Lead, kin.Query[student]().Limit, kin.Query[student]().Offset, kin.Query[student]().MaxRows} {
		of := reflect.TypeOf(f)
		for in := range of.Ins() {
			assert.NotEqual(t, reflect.String, in.Kind(), of)
		}
		assert.Equal(t, reflect.Int, of.In(of.NumIn()-1).Kind(), of)
	}
	for _, p := range payloads() {
		refused(t, s, kin.Query[student]().Where(kin.Abs(kin.F("age")).Eq(p)), p)
		refused(t, s, kin.Query[student]().Where(kin.Round(kin.F("score"), 1).Gt(p)), p)
		refused(t, s, kin.Query[student]().Where(kin.F("age").Add(p).Gt(1)), p)
	}
}

// attackOrders sorts by what a request says.
func attackOrders(t *testing.T, s *harness.Suite) {
	for _, p := range payloads() {
		for _, path := range []string{p, "-" + p, "--" + p, "age " + p, "class__" + p, "class__name" + p, p + "__name"} {
			refused(t, s, kin.Query[student]().OrderBy(kin.Path[student](path)), path)
			before := len(s.Wire.Statements())
			type row struct{ Name string }
			_, err := kin.Select[row](kin.Query[student]()).OrderBy(path).All(t.Context(), s.DB)
			require.Error(t, err, "%q", path)
			_, err = kin.Query[student]().OrderBy(kin.Path[student](path)).First(t.Context(), s.DB)
			require.Error(t, err, "%q", path)
			require.Len(t, s.Wire.Statements(), before, "%q", path)
		}
	}
}

// attackNames gives annotations names that are SQL.
func attackNames(t *testing.T, s *harness.Suite) {
	for _, p := range payloads() {
		q := kin.Query[student]().Annotate(p, kin.Count("clubs"))
		refused(t, s, q, p)
		refused(t, s, q.OrderBy(kin.Path[student](p)), p)
		refused(t, s, q.Filter(p, 1), p)
		refused(t, s, q.Filter(p+"__gt", 1), p)
		refused(t, s, kin.Query[student]().Where(kin.F(p).Eq(1)), p)
		refused(t, s, kin.Query[student]().Where(kin.Sum(p).Gt(1)), p)
	}
	rows, err := kin.Query[student]().Annotate("many", kin.Count("clubs")).OrderBy("-many").All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, "Ada", rows[0].Name)
}

// attackOptions asks for a plan: what its options may be is no text.
func attackOptions(t *testing.T, s *harness.Suite) {
	for field := range reflect.TypeFor[kin.ExplainOptions]().Fields() {
		assert.Equal(t, reflect.Bool, field.Type.Kind(), field.Name)
	}
	for _, p := range payloads() {
		if strings.Contains(p, "\x00") {
			continue
		}
		_, err := kin.Query[student]().Filter("name", p).Explain(t.Context(), s.DB)
		require.NoError(t, err, "%q", p)
	}
}

// attackParts takes parts of times by names that are SQL: the parts are
// constants of a type.
func attackParts(t *testing.T, s *harness.Suite) {
	for _, f := range []any{kin.Extract, kin.Trunc} {
		assert.Equal(t, reflect.TypeFor[kin.DatePart](), reflect.TypeOf(f).In(0))
	}
	for _, p := range append(payloads(), "", "lower", "abs", "trunc day", "YEAR", "year ", "years", "epoch") {
		part := reflect.ValueOf(p).Convert(reflect.TypeFor[kin.DatePart]()).Interface().(kin.DatePart)
		refused(t, s, kin.Query[student]().Where(kin.Extract(part, kin.F("age")).Eq(1)), p)
		refused(t, s, kin.Query[student]().Where(kin.Trunc(part, kin.F("age")).Eq(1)), p)
	}
}

// attackPaths gives relations names that are SQL, wherever there is a path of
// them: aliases of tables are kin's own.
func attackPaths(t *testing.T, s *harness.Suite) {
	for _, p := range payloads() {
		for _, path := range []kin.Path[student]{kin.Path[student](p), kin.Path[student]("class__" + p), kin.Path[student](p + "__class")} {
			refused(t, s, kin.Query[student]().SelectRelated(path), string(path))
			refused(t, s, kin.Query[student]().Prefetch(path), string(path))
			refused(t, s, kin.Query[student]().Where(kin.Has(string(path))), string(path))
			refused(t, s, kin.Query[student]().Where(kin.HasNo(string(path), kin.Q(p, 1))), string(path))
			refused(t, s, kin.Query[student]().Where(kin.Has("clubs", kin.Q(string(path), 1))), string(path))
			refused(t, s, kin.Query[student]().LockOf(string(path)).ForUpdate(), string(path))
			refused(t, s, kin.Query[student]().Ancestors(path), string(path))
		}
	}
	rows, err := kin.Query[student]().SelectRelated("class").Filter("class__name", "a").All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Len(t, rows, 2)
}

// attackControls gives lookups the names of Django's own arguments, and of what
// kin has inside.
func attackControls(t *testing.T, s *harness.Suite) {
	for _, name := range []string{
		"_connector", "_negated", "__connector", "negate", "how", "op", "where", "ask", "in", "exact", "ne", "isnull", "__in", "or", "and", "not",
		"OR", "AND", "XOR", "OR 1=1 OR", "0", "1", "-1", "", "_", "__", "t0", "t1", "kin_rows", "name__OR", "name____", "_name", "name__exact__exact",
	} {
		for _, x := range []any{"OR", true, 1, nil} {
			refused(t, s, kin.Query[student]().Filter(name, x), name)
			refused(t, s, kin.Query[student]().Exclude(name, x), name)
			refused(t, s, kin.Query[student]().Where(kin.Or(kin.Q("name", "Ada"), kin.Q(name, x))), name)
		}
	}
}

// attackDots uses names with a period, alone and as those of annotations.
func attackDots(t *testing.T, s *harness.Suite) {
	for _, p := range []string{"zq9.age", "students.age", "t0.age", "t0.zq9", "class.name", `t0"."age`, "t0`.`age", ".age", "age.", "students.age__gt"} {
		refused(t, s, kin.Query[student]().Annotate(p, kin.F("age")).OrderBy(kin.Path[student](p)), p)
		refused(t, s, kin.Query[student]().OrderBy(kin.Path[student]("-"+p)), p)
		refused(t, s, kin.Query[student]().Filter(p, 1), p)
	}
}

// attackConstructors gives lookups what a request in JSON may hold: it is
// refused, and nothing is made of it.
func attackConstructors(t *testing.T, s *harness.Suite) {
	for _, x := range []any{
		map[string]any{"zq9": 1},
		map[string]any{},
		[]any{1},
		[]any{"zq9"},
		[]map[string]any{{"zq9": "/vsimem/x"}},
		struct{ Path string }{"/etc/passwd"},
		func() {}, make(chan int), reflect.ValueOf(1), complex(1, 2), &struct{ ID int64 }{1},
		[2]int{1, 2},
		[][]byte{{1}},
	} {
		for _, name := range []string{"age", "age__gt", "name", "name__contains", "score", "class", "class__id", "class__name", "clubs", "clubs__name__ne"} {
			refused(t, s, kin.Query[student]().Filter(name, x), fmt.Sprintf("%s %T", name, x))
			refused(t, s, kin.Query[student]().Exclude(name, x), fmt.Sprintf("%s %T", name, x))
		}
		refused(t, s, kin.Query[student]().Where(kin.F("age").Eq(x)), fmt.Sprintf("%T", x))
		refused(t, s, kin.Query[student]().Where(kin.Lower(kin.F("name")).Eq(x)), fmt.Sprintf("%T", x))
	}
}
