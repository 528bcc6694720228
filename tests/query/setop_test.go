package query

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

func TestSets(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		type row struct {
			Name string
			Of   int64 `kin:"class"`
		}
		type person = row
		a := kin.Select[person](kin.Query[student]())
		young := kin.Select[person](kin.Query[student]().Filter("age__lt", 12))
		staff := kin.Select[person](kin.Query[teacher]())
		none := kin.Select[person](kin.Query[student]().Filter("id__in", []int{}))
		oldest := kin.Select[person](kin.Query[student]()).OrderBy("-name").Limit(1)
		for _, c := range []struct {
			why  string
			s    kin.Selection[row]
			want string
		}{
			{"a union", young.Union(staff), "[{Ada 1} {Cid 2} {Dan 2} {T 1} {U 1} {V 1} {W 2}]"},
			{"equal rows once", young.Union(a).Limit(3), "[{Ada 1} {Bob 1} {Cid 2}]"},
			{"equal rows twice", young.UnionAll(young).Limit(3), "[{Ada 1} {Ada 1} {Cid 2}]"},
			{"an intersection", a.Intersect(young), "[{Ada 1} {Cid 2} {Dan 2}]"},
			{"a difference", a.Except(young), "[{Bob 1} {Éva 2}]"},
			{"three", a.Except(young).Union(staff.Except(kin.Select[person](kin.Query[teacher]().Filter("pay__gt", 100)))), "[{Bob 1} {T 1} {Éva 2}]"},
			{"an order", a.Except(young).Union(staff).OrderBy("of", "-name"), "[{V 1} {U 1} {T 1} {Bob 1} {Éva 2} {W 2}]"},
			{"an order and an offset", a.Union(staff).OrderBy("-name").Offset(1).Limit(2), "[{W 2} {V 1}]"},
			{"a limit of a part", oldest.Union(staff), "[{T 1} {U 1} {V 1} {W 2} {Éva 2}]"},
			{"nothing on the left", none.Union(young), "[{Ada 1} {Cid 2} {Dan 2}]"},
			{"nothing on the right", young.Except(none), "[{Ada 1} {Cid 2} {Dan 2}]"},
			{"nothing in common", none.Intersect(young), "[]"},
			{"nothing to take from", none.Except(young), "[]"},
		} {
			s.Wire.Reset()
			rows, err := c.s.All(t.Context(), s.DB)
			require.NoError(t, err, c.why)
			assert.Equal(t, c.want, fmt.Sprint(rows), c.why)
			assert.LessOrEqual(t, len(s.Wire.Statements()), 1)
		}
		_, err := young.Union(staff).Distinct().All(t.Context(), s.DB)
		require.ErrorContains(t, err, "go with each part")
		_, err = young.Union(staff).OrderBy("x").All(t.Context(), s.DB)
		require.ErrorContains(t, err, "none of what is selected")
	})
}

// TestTagsOfSelections finds the tags of a query in the statement that reads its
// values.
func TestTagsOfSelections(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = fill(t, s)
		type row struct{ Name string }
		students := kin.Select[row](kin.Query[student]().Tag("of", "students"))
		teachers := kin.Select[row](kin.Query[teacher]().Tag("of", "teachers"))
		_, err := students.All(t.Context(), s.DB)
		require.NoError(t, err)
		_, err = students.Union(teachers).All(t.Context(), s.DB)
		require.NoError(t, err)
		texts := s.Wire.Statements()
		require.Len(t, texts, 2)
		assert.Contains(t, texts[0], "/*of='students'*/")
		assert.Contains(t, texts[1], "/*of='students'*/ /*of='teachers'*/")
	})
}
