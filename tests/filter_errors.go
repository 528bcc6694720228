package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// testOutOfRange compares columns with integers that they cannot hold. The
// answer is that of mathematics, and the database never sees the number.
func testOutOfRange(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 40)
	const above, below = uint64(math.MaxUint64), int64(math.MinInt64)
	for _, c := range []struct {
		field string
		given any
		value any
	}{
		{"small", 300, int64(300)},
		{"small", -300, int64(-300)},
		{"small", uint8(128), int64(128)},
		{"tiny", 128, int64(128)},
		{"tiny", int64(-129), int64(-129)},
		{"tiny", above, above},
		{"amount", above, above},
		{"amount", uint64(math.MaxInt64) + 1, uint64(math.MaxInt64) + 1},
		{"size", -1, int64(-1)},
		{"size", below, below},
		{"id", above, above},
	} {
		for _, op := range []string{"", "exact", "ne", "gt", "gte", "lt", "lte"} {
			for _, hops := range [][]string{nil, {"parent"}, {"parts"}} {
				cond := pickCond{hops: hops, field: c.field, op: op, value: c.value, given: c.given}
				w.check(t, s, cond)
				_, params, err := kin.Query[pickItem]().Filter(cond.lookup(), c.given).SQL(s.DB.Dialect())
				require.NoError(t, err)
				assert.Empty(t, params, cond.lookup())
			}
		}
		w.check(t, s, pickCond{field: c.field, op: "in", value: []any{c.value}, given: []any{c.given}})
	}
	n := w.check(t, s, pickCond{field: "small", op: "range", value: []any{int64(-300), int64(300)}, given: []int{-300, 300}})
	assert.Equal(t, 40, n, "all rows are between")
	assert.Positive(t, w.check(t, s, pickCond{field: "tiny", op: "range", value: []any{int64(0), int64(300)}, given: []int{0, 300}}))
	assert.Positive(t, w.check(t, s, pickCond{field: "tiny", op: "in", value: []any{int64(5), int64(300), nil}, given: []any{5, 300, nil}}))
	assert.Positive(t, w.check(t, s, pickCond{field: "tiny", op: "lt", value: int64(300), given: 300}), "rows without NULL")
	assert.Positive(t, w.check(t, s, pickCond{field: "tiny", op: "ne", value: int64(300), given: 300}), "rows with NULL too")
	// A related row with such a key is not there.
	for _, q := range []kin.QuerySet[pickItem]{
		kin.Query[pickItem]().Filter("box", above), kin.Query[pickItem]().Filter("parts__in", []uint64{above}),
	} {
		n, err := q.Count(t.Context(), s.DB)
		require.NoError(t, err)
		assert.Zero(t, n)
	}
	all, err := kin.Query[pickItem]().Filter("box__ne", above).Count(t.Context(), s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 40, all)
}

type pickFloat struct {
	ID    int64
	Ratio float32
}

type pickWide struct {
	ID   uint64                   `kin:",pk"`
	Next kin.ForeignKey[pickWide] `kin:",null,related_name=prevs"`
}

// testBeyondDatabase compares with numbers that the columns' types have and
// the databases have not: uint64 above int64, and float64 above float32.
func testBeyondDatabase(t *testing.T, s *Suite) {
	var r kin.Registry
	kin.Register[pickWide](&r)
	kin.Register[pickFloat](&r)
	s = s.With(kin.WithRegistry(&r))
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	one := &pickWide{ID: 1}
	require.NoError(t, kin.Insert(ctx, s.DB, one))
	require.NoError(t, kin.Insert(ctx, s.DB, &pickWide{ID: 2, Next: kin.To(one)}))
	far := &pickWide{ID: math.MaxUint64}
	q := kin.Query[pickWide]()
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[pickWide]
		want string
	}{
		{"no row has it", q.Filter("id", far.ID), "[]"},
		{"all others", q.Filter("id__ne", far.ID), "[1 2]"},
		{"all are below", q.Filter("id__lt", far.ID), "[1 2]"},
		{"none is above", q.Filter("id__gte", far.ID), "[]"},
		{"in a list", q.Filter("id__in", []uint64{far.ID, 2}), "[2]"},
		{"a row", q.Filter("next", far), "[]"},
		{"not the row", q.Filter("next__ne", far), "[1 2]"},
		{"a key", q.Exclude("next", kin.Key[pickWide](far.ID)), "[1 2]"},
		{"rows", q.Filter("next__in", []*pickWide{far, one}), "[2]"},
		{"rows there and back", q.Filter("prevs", far), "[]"},
	} {
		rows, err := c.q.All(ctx, s.DB)
		require.NoError(t, err, c.why)
		ids := []uint64{}
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		assert.Equal(t, c.want, fmt.Sprint(ids), c.why)
	}
	require.NoError(t, kin.Insert(ctx, s.DB, &pickFloat{Ratio: 0.1}, &pickFloat{Ratio: -3}))
	f := kin.Query[pickFloat]()
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[pickFloat]
		want int64
	}{
		{"the number itself", f.Filter("ratio", float32(0.1)), 1},
		{"written as a float64", f.Filter("ratio", 0.1), 1},
		{"in a list", f.Filter("ratio__in", []float32{0.1, 7}), 1},
		{"less than what a float32 can be", f.Filter("ratio__lt", 1e300), 2},
		{"more than that", f.Filter("ratio__gt", -1e300), 2},
		{"equal to what it cannot be", f.Filter("ratio", 1e300), 0},
		{"not so", f.Filter("ratio__ne", 1e300), 2},
		{"a range that is wider", f.Filter("ratio__range", []float64{-1e300, 0}), 1},
	} {
		n, err := c.q.Count(ctx, s.DB)
		require.NoError(t, err, c.why)
		assert.Equal(t, c.want, n, c.why)
	}
}

// refused runs the query in every way: each returns the error, and no
// statement is run. err is the query's own error, without a database.
func refused[T any](t *testing.T, s *Suite, q kin.QuerySet[T], err error, parts ...string) {
	t.Helper()
	s.Wire.Reset()
	require.Error(t, err, parts)
	for _, part := range parts {
		require.ErrorContains(t, err, part)
	}
	assert.Less(t, len(err.Error()), 1200)
	want := err.Error()
	ctx := t.Context()
	rows, err := q.All(ctx, s.DB)
	require.EqualError(t, err, want)
	assert.Nil(t, rows)
	for _, one := range []func(context.Context, kin.Executor) (*T, error){q.Get, q.First, q.Last, q.Limit(2).Last} {
		row, err := one(ctx, s.DB)
		require.EqualError(t, err, want)
		assert.Nil(t, row)
	}
	_, err = q.Count(ctx, s.DB)
	require.EqualError(t, err, want)
	_, err = q.Exists(ctx, s.DB)
	require.EqualError(t, err, want)
	n := 0
	for row, err := range q.Iter(ctx, s.DB) {
		n++
		assert.Nil(t, row)
		require.EqualError(t, err, want)
	}
	assert.Equal(t, 1, n, "Iter yields the error")
	s.Wire.Want(t, 0, 0)
}

// testMistakes asks the models of the default registry, for which Err knows
// as much as a database.
func testMistakes(t *testing.T, s *Suite) {
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	q := kin.Query[SchoolClass]()
	type parts []string
	for _, c := range []struct {
		why   string
		q     kin.QuerySet[SchoolClass]
		path  bool // whether it is a PathError
		parts parts
	}{
		{"a field", q.Filter("nme", "x"), true, parts{`SchoolClass has no field or relation "nme"`, `did you mean "name"?`}},
		{"nothing like it", q.Filter("colour", "x"), true, parts{`"colour"`, "there are id, name, students, teachers"}},
		{"a relation", q.Filter("studnts__name", "x"), true, parts{`no relation "studnts" (in "studnts__name")`, `did you mean "students"?`}},
		{"a step on the way", q.Filter("students__categry__name", "x"), true, parts{`Student has no`, `"categry" (in "students__categry__name")`, `did you mean "category"?`}},
		{"a field at the end", q.Filter("students__category__nam", "x"), true, parts{`Category has no`, `"nam"`, `did you mean "name"?`}},
		{"an operator", q.Filter("name__contain", "x"), true, parts{`no operator "contain"`, `did you mean "contains"?`}},
		{"an operator like no other", q.Filter("name__between", "x"), true, parts{`no operator "between"`, "icontains", "range"}},
		{"an operator after an operator", q.Filter("name__exact__ne", "x"), true, parts{`"exact__ne"`}},
		{"a field of a field", q.Filter("name__id", 1), true, parts{`"id"`}},
		{"a relation after an operator", q.Filter("students__in__name", 1), true, parts{`"in__name"`}},
		{"an empty lookup", q.Filter("", 1), true, parts{`SchoolClass has no field or relation ""`}},
		{"an empty step", q.Filter("students____name", 1), true, parts{`Student has no`, `""`}},
		{"a step at the end", q.Filter("name__", 1), true, parts{`no operator ""`}},
		{"a single underscore", q.Filter("students_name", 1), true, parts{`no field or relation "students_name"`}},
		{"a Go name", q.Filter("Name", 1), true, parts{`did you mean "name"?`}},
		{"Exclude", q.Exclude("nme", "x"), true, parts{`did you mean "name"?`}},
		{"the second pair", q.Filter("name", "x", "nme", "x"), true, parts{`did you mean "name"?`}},
		{"a relation to load", q.SelectRelated("studnts__category"), true, parts{`SchoolClass has no relation "studnts"`, `did you mean "students"?`}},
		{"a field to load", q.SelectRelated("students__name"), true, parts{`Student has no relation "name"`, "category", "class"}},
		{"an operator to load", q.SelectRelated("students__in"), true, parts{`Student has no relation "in"`}},
		{"nothing to load", q.SelectRelated(""), true, parts{`no`, `""`}},
		{"an order", q.OrderBy("-nme"), true, parts{`did you mean "name"?`}},
		{"an order with two signs", q.OrderBy("--name"), true, parts{`"-name"`}},
		{"an order by a list", q.OrderBy("students"), true, parts{"SchoolClass cannot be ordered by", "many rows"}},
		{"an order by an operator", q.OrderBy("name__exact"), true, parts{`"exact"`}},
		{"an empty order", q.OrderBy(""), true, parts{`no field or relation ""`}},
		{"an order of rows that are not loaded", q.OrderBy("students__name"), false, parts{`"students__name"`, "SelectRelated", `"students"`}},
		{"an int for a text", q.Filter("name", 1), false, parts{`"name"`, "SchoolClass.Name", "takes string, not int"}},
		{"a text for an int", q.Filter("id", "1"), false, parts{`"id"`, "SchoolClass.ID", "takes int64, not string"}},
		{"a text for an int, on the way", q.Filter("students__category__id__gt", "1"), false, parts{`"students__category__id__gt"`, "Category.ID", "takes int64, not string"}},
		{"a time for an int", q.Filter("id__lt", time.Now()), false, parts{`"id__lt"`, "takes int64, not time.Time"}},
		{"a float for an int", q.Filter("id", 1.5), false, parts{"takes int64, not float64"}},
		{"a bool for a text", q.Filter("name", true), false, parts{"takes string, not bool"}},
		{"bytes for a text", q.Filter("name__contains", []byte("x")), false, parts{"takes string, not []uint8"}},
		{"a wrapped text for an int", q.Filter("id", sql.NullString{String: "1", Valid: true}), false, parts{"takes int64, not sql.NullString"}},
		{"text search in an int", q.Filter("id__contains", "1"), false, parts{`"id__contains"`, "contains searches text", "SchoolClass.ID is a int64"}},
		{"text search in a relation", q.Filter("students__icontains", "1"), false, parts{`"students__icontains"`, "searches text"}},
		{"isnull with a number", q.Filter("name__isnull", 1), false, parts{`"name__isnull"`, "isnull takes true or false, not a int"}},
		{"isnull with a text", q.Filter("students__isnull", "true"), false, parts{"isnull takes true or false, not a string"}},
		{"isnull with nil", q.Filter("students__category__isnull", nil), false, parts{"isnull takes true or false"}},
		{"in without a list", q.Filter("id__in", 1), false, parts{`"id__in"`, "in takes a slice, not a int"}},
		{"in with a text", q.Filter("name__in", "abc"), false, parts{"in takes a slice, not a string"}},
		{"in with nil", q.Filter("students__in", nil), false, parts{"in takes a slice"}},
		{"in with another type inside", q.Filter("id__in", []any{1, "2"}), false, parts{"takes int64, not string"}},
		{"range of one", q.Filter("id__range", []int{1}), false, parts{`"id__range"`, "range takes a slice of two values"}},
		{"range of three", q.Filter("id__range", []int{1, 2, 3}), false, parts{"range takes a slice of two values"}},
		{"range of no list", q.Filter("id__range", 1), false, parts{"range takes a slice of two values, not a int"}},
		{"range from nil", q.Filter("id__range", []any{nil, 1}), false, parts{"takes a value, not NULL"}},
		{"gt nil", q.Filter("name__gt", nil), false, parts{`"name__gt"`, "gt takes a value, not NULL"}},
		{"lte of a typed nil", q.Filter("id__lte", (*int)(nil)), false, parts{"lte takes a value, not NULL"}},
		{"contains nil", q.Filter("name__contains", nil), false, parts{"contains takes a value, not NULL"}},
		{"a relation and another model's row", q.Filter("students", &Teacher{ID: 1}), false, parts{`"students"`, "Student"}},
		{"a relation and another model's row, by value", q.Filter("students", Teacher{ID: 1}), false, parts{`"students"`, "Student"}},
		{"a relation and a row without a key", q.Filter("students", &Student{}), false, parts{`"students"`, "Student", "primary key"}},
		{"a relation and a text", q.Filter("students__category", "Music"), false, parts{"Category", "not string"}},
		{"a relation to nothing but values", q.Filter("students__in", []any{1, "x"}), false, parts{"Student"}},
		{"an odd number of arguments", q.Filter("name", "x", "id"), false, parts{"SchoolClass", `after "name" comes string`}},
		{"no text in a pair", q.Filter("name", "x", 7, 8), false, parts{"SchoolClass", `after "name" comes int`}},
		{"a negative limit", q.Limit(-1), false, parts{"SchoolClass", "-1"}},
		{"a negative offset", q.Offset(-1), false, parts{"SchoolClass", "-1"}},
	} {
		err := c.q.Err()
		require.Error(t, err, c.why)
		var path *kin.PathError
		if assert.Equal(t, c.path, errors.As(err, &path), "%s: a PathError: %v", c.why, err) && c.path {
			assert.NotEmpty(t, path.Model, c.why)
		}
		if c.why != "a negative limit" {
			refused(t, s, c.q, err, c.parts...)
		}
	}
	require.NoError(t, q.Filter("students__category__name__icontains", "x", "pk", 1).OrderBy("-name").SelectRelated("teachers").Err())
}

// testKindMistakes gives each kind of column what it does not take.
func testKindMistakes(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(pickRegistry()))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	wrong := map[string][]any{
		"int":   {"1", 1.0, true, time.Now(), []int{1}, struct{}{}},
		"text":  {1, 1.5, false, time.Now(), []string{"a"}, map[string]int{}},
		"float": {"1", true, time.Now(), int64(1<<62 + 1)},
		"bool":  {"true", 1, 0.0, time.Now()},
		"time":  {"2026-01-01", 1, 1.5, true, time.Second},
		"uuid":  {"x", 1, true, [15]byte{}, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1"},
	}
	for _, field := range sortedKeys(pickFields()["item"]) {
		kind := pickFields()["item"][field]
		for _, value := range wrong[kind] {
			for _, op := range []string{"", "__ne", "__gt"} {
				for _, path := range []string{"", "parent__", "parts__"} {
					q := kin.Query[pickItem]().Filter(path+field+op, value)
					_, _, err := q.SQL(s.DB.Dialect())
					require.Error(t, err, "%s %T", path+field+op, value)
					_, allErr := q.All(t.Context(), s.DB)
					require.EqualError(t, allErr, err.Error())
					require.ErrorContains(t, err, fmt.Sprintf("%q", path+field+op))
					require.ErrorContains(t, err, "pickItem.")
				}
			}
		}
		if kind == "text" {
			continue
		}
		for _, op := range []string{"iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"} {
			q := kin.Query[pickItem]().Filter(field+"__"+op, "1")
			_, _, err := q.SQL(s.DB.Dialect())
			require.ErrorContains(t, err, op+" searches text, but pickItem.")
			refused(t, s, q, err)
		}
	}
	s.Wire.Want(t, 0, 0)
}
