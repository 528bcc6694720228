package tests

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func valueListCases() []Case {
	return []Case{
		{"lists/integers", func(t *testing.T, s *Suite) {
			testLists(t, s, func(i int) *int64 { return new(int64(i) << 40) })
		}},
		{"lists/texts", func(t *testing.T, s *Suite) {
			texts := difficultTexts()
			testLists(t, s, func(i int) *string {
				if i < len(texts) && len(texts[i]) < 100 {
					return &texts[i]
				}
				return new("key " + strconv.Itoa(i))
			})
		}},
		{"lists/UUIDs", func(t *testing.T, s *Suite) {
			testLists(t, s, func(i int) *uuid.UUID { return new(uuid.NewSHA1(uuid.Nil, []byte(strconv.Itoa(i)))) })
		}},
		{"lists/times", func(t *testing.T, s *Suite) {
			start := time.Date(1969, 12, 31, 23, 59, 0, 0, time.UTC)
			testLists(t, s, func(i int) *time.Time { return new(start.Add(time.Duration(i) * 100 * time.Millisecond)) })
		}},
		{"lists/floats", func(t *testing.T, s *Suite) {
			testLists(t, s, func(i int) *float64 { return new(float64(i) / 10) })
		}},
		{"lists/booleans", testBoolLists},
		{"lists/composite keys", testKeyLists},
		{"lists/foreign keys", testForeignKeyLists},
	}
}

// testLists looks for lists of many sizes. The table has 70 values, of which
// every third is asked for, and a NULL; the rest of each list is not there.
func testLists[T any](t *testing.T, s *Suite, value func(i int) *T) {
	const there = 70
	s = s.tablesOf(t, kin.Register[Cell[*T]])
	rows := []*Cell[*T]{{}} // NULL
	for i := range there {
		rows = append(rows, &Cell[*T]{V: value(i)})
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	for _, size := range []int{0, 1, 2, 1000, 1001, 40_000, 100_000} {
		for _, withNull := range []bool{false, true} {
			in := map[int64]bool{}
			list := make([]*T, 0, size+1)
			for i := range size {
				at := there + i
				if i*3 < there {
					at = i * 3
					in[rows[at+1].ID] = true
				}
				list = append(list, value(at))
			}
			if withNull {
				list = append(list, nil)
				in[rows[0].ID] = true
			}
			var want, others []int64
			for _, r := range rows {
				if in[r.ID] {
					want = append(want, r.ID)
				} else {
					others = append(others, r.ID)
				}
			}
			t.Run(fmt.Sprintf("%d,null=%t", size, withNull), func(t *testing.T) {
				q := kin.Query[Cell[*T]]()
				got, err := q.Filter("v__in", list).All(t.Context(), s.DB)
				if listRefused(t, err, size) {
					return
				}
				assert.Equal(t, want, cellIDs(got))
				got, err = q.Exclude("v__in", list).All(t.Context(), s.DB)
				require.NoError(t, err)
				assert.Equal(t, others, cellIDs(got))
			})
		}
	}
}

// listRefused reports whether a list was too long for the database. That is an
// answer if the list is very long, and the error says what to do.
func listRefused(t *testing.T, err error, size int) bool {
	t.Helper()
	if err == nil {
		return false
	}
	require.GreaterOrEqual(t, size, 20_000, "%v", err)
	require.Regexp(t, `the statement has \d+ parameters; \w+ takes at most \d+: ask in several queries`, err.Error())
	return true
}

func testBoolLists(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[Cell[*bool]])
	require.NoError(t, kin.Insert(t.Context(), s.DB, &Cell[*bool]{}, &Cell[*bool]{V: new(false)}, &Cell[*bool]{V: new(true)}))
	for _, x := range []struct {
		list     []*bool
		in, rest []int64
	}{
		{nil, nil, []int64{1, 2, 3}},
		{[]*bool{nil}, []int64{1}, []int64{2, 3}},
		{[]*bool{new(true)}, []int64{3}, []int64{1, 2}},
		{[]*bool{new(true), new(false)}, []int64{2, 3}, []int64{1}},
		{[]*bool{new(true), nil, new(true)}, []int64{1, 3}, []int64{2}},
	} {
		got, err := kin.Query[Cell[*bool]]().Filter("v__in", x.list).All(t.Context(), s.DB)
		require.NoError(t, err)
		assert.Equal(t, x.in, cellIDs(got))
		got, err = kin.Query[Cell[*bool]]().Exclude("v__in", x.list).All(t.Context(), s.DB)
		require.NoError(t, err)
		assert.Equal(t, x.rest, cellIDs(got))
	}
}

// A seat has a primary key of two columns, a ticket may lead to one.
type (
	seat struct {
		Line   int    `kin:",pk"`
		Letter string `kin:",pk,size=3"`
	}
	ticket struct {
		ID   int64
		Seat kin.ForeignKey[seat] `kin:",null"`
	}
)

func testKeyLists(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[seat], kin.Register[ticket])
	seats := []*seat{{1, "A"}, {1, "B"}, {2, "A"}, {2, "B"}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, seats...))
	tickets := []*ticket{{}}
	for _, x := range seats {
		tickets = append(tickets, &ticket{Seat: kin.To(x)})
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, tickets...))
	for _, x := range []struct {
		list     []any
		in, rest []int64
		why      string
	}{
		{[]any{}, nil, []int64{1, 2, 3, 4, 5}, "empty"},
		{[]any{seats[1]}, []int64{3}, []int64{1, 2, 4, 5}, "a row"},
		{[]any{[]any{2, "A"}}, []int64{4}, []int64{1, 2, 3, 5}, "a key"},
		{[]any{seats[0], []any{2, "B"}}, []int64{2, 5}, []int64{1, 3, 4}, "not the product of the columns"},
		{[]any{nil, seats[0]}, []int64{1, 2}, []int64{3, 4, 5}, "NULL and a row"},
		{[]any{[]any{9, "Z"}, (*seat)(nil)}, []int64{1}, []int64{2, 3, 4, 5}, "a typed nil"},
	} {
		got, err := kin.Query[ticket]().Filter("seat__in", x.list).All(t.Context(), s.DB)
		require.NoError(t, err, x.why)
		assert.Equal(t, x.in, ticketIDs(got), x.why)
		got, err = kin.Query[ticket]().Exclude("seat__in", x.list).All(t.Context(), s.DB)
		require.NoError(t, err, x.why)
		assert.Equal(t, x.rest, ticketIDs(got), x.why)
	}
	for _, size := range []int{1000, 1001, 40_000, 100_000} {
		list := []any{[]any{2, "B"}, nil}
		for i := range size - len(list) {
			list = append(list, []any{i + 100, "A"})
		}
		got, err := kin.Query[ticket]().Filter("seat__in", list).All(t.Context(), s.DB)
		if listRefused(t, err, size) {
			continue
		}
		assert.Equal(t, []int64{1, 5}, ticketIDs(got), size)
		got, err = kin.Query[ticket]().Exclude("seat__in", list).All(t.Context(), s.DB)
		require.NoError(t, err)
		assert.Equal(t, []int64{2, 3, 4}, ticketIDs(got), size)
	}
}

func ticketIDs(rows []*ticket) []int64 {
	var ids []int64
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func testForeignKeyLists(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 3, 4, 1)
	for _, size := range []int{1000, 1001, 40_000, 100_000} {
		keys := []int64{school.Classes[0].ID, school.Classes[2].ID}
		for i := range size - len(keys) {
			keys = append(keys, int64(1_000_000+i))
		}
		n, err := kin.Query[Student]().Filter("class__in", keys).Count(t.Context(), s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 8, n)
		n, err = kin.Query[Student]().Exclude("class__in", keys).Count(t.Context(), s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 4, n)
		n, err = kin.Query[SchoolClass]().Filter("students__class__in", keys).Count(t.Context(), s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)
	}
}
