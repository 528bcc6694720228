package tests

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func setCases() []Case {
	return []Case{
		{"sets/update", testSetUpdate},
		{"sets/only rows of the query", testSetScope},
		{"sets/expressions", testSetExpressions},
		{"sets/delete", testSetDelete},
		{"sets/refused", testSetRefused},
		{"sets/values of other rows", testSetOthers},
		{"sets/by the dialect of another DB", testNewOfDialect},
		{"collections/other values of a row", testSameValues},
		{"insert/a row twice", testRowTwice},
		{"insert/a tree in parts", testInsertTree},
	}
}

func testSetUpdate(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = rowSuite(t, s)
	items, owners := newItems(t, s, 10)
	n, err := kin.Query[rowItem]().Filter("count__gte", 6).
		Update(ctx, s.DB, kin.Set("score", 1), kin.Set("note", "it's % new"), kin.Set("done", false), kin.Set("owner", owners[0]))
	require.NoError(t, err)
	s.Wire.Want(t, 1, 0)
	assert.EqualValues(t, 4, n)
	for _, x := range items[6:] {
		note := "it's % new"
		x.Score, x.Note, x.Done = 1, &note, false
		x.Owner.Set(owners[0])
	}
	assert.Equal(t, lines(items), s.table(t))

	n, err = kin.Query[rowItem]().Filter("id__in", []int64{items[0].ID, items[9].ID}).
		Update(ctx, s.DB, kin.Set("note", nil), kin.Set("owner", nil), kin.Set("score", 0))
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	for _, i := range []int{0, 9} {
		items[i].Note, items[i].Score = nil, 0
		items[i].Owner.Clear()
	}
	assert.Equal(t, lines(items), s.table(t))
	s.Wire.Reset()
	n, err = kin.Query[rowItem]().Filter("id__in", []int64{}).Update(ctx, s.DB, kin.Set("score", 5))
	require.NoError(t, err)
	assert.Zero(t, n)
	s.Wire.Want(t, 0, 0)
}

// testSetScope changes rows that are chosen by related rows, limits and
// orders; the others stay.
func testSetScope(t *testing.T, s *Suite) {
	ctx := t.Context()
	school := s.NewSchool(t, 4, 6, 2)
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[Student]
		want func(x *Student) bool
	}{
		{"a foreign key", kin.Query[Student]().Filter("class", school.Classes[1]), func(x *Student) bool { return x.Class.Get() == school.Classes[1] }},
		{"a row beyond it", kin.Query[Student]().Filter("class__name", "class 002"), func(x *Student) bool { return x.Class.Get().Name == "class 002" }},
		{"a to-many relation beyond it", kin.Query[Student]().Filter("class__teachers__category__name", "Music", "name__gt", "student 02"), func(x *Student) bool {
			for _, y := range school.Teachers {
				if y.Class.Get() == x.Class.Get() && y.Category.Get() != nil && y.Category.Get().Name == "Music" {
					return x.Name > "student 02"
				}
			}
			return false
		}},
		{"its complement", kin.Query[Student]().Exclude("class__teachers__category__name", "Music", "name__gt", "student 02"), func(x *Student) bool {
			for _, y := range school.Teachers {
				if y.Class.Get() == x.Class.Get() && y.Category.Get() != nil && y.Category.Get().Name == "Music" {
					return x.Name <= "student 02"
				}
			}
			return true
		}},
		{"a relation that leads back", kin.Query[Student]().Filter("class__students__name", "student 01"), func(*Student) bool { return true }},
		{"a limit in an order", kin.Query[Student]().OrderBy("-class__name", "name").Limit(4).Offset(1), func(x *Student) bool {
			return x.Class.Get() == school.Classes[3] && x.Name >= "student 01" && x.Name <= "student 04"
		}},
		{"a limit and a condition", kin.Query[Student]().Filter("class__name__ne", "class 003").OrderBy("-id").Limit(2), func(x *Student) bool {
			return x.ID == 18 || x.ID == 17
		}},
	} {
		t.Run(c.why, func(t *testing.T) {
			s.Exec(t, "UPDATE students SET category_id = NULL")
			s.Wire.Reset()
			n, err := c.q.Update(ctx, s.DB, kin.Set("category", school.Categories[0]))
			require.NoError(t, err)
			s.Wire.Want(t, 1, 0)
			changed := map[int64]bool{}
			rows, err := s.Pool().QueryContext(ctx, "SELECT id FROM students WHERE category_id IS NOT NULL")
			require.NoError(t, err)
			defer rows.Close()
			for rows.Next() {
				var id int64
				require.NoError(t, rows.Scan(&id))
				changed[id] = true
			}
			require.NoError(t, rows.Err())
			assert.EqualValues(t, len(changed), n)
			assert.NotEmpty(t, changed)
			for _, x := range school.Students {
				assert.Equal(t, c.want(x), changed[x.ID], "student %d", x.ID)
			}
		})
	}
}

func testSetExpressions(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = rowSuite(t, s)
	items, owners := newItems(t, s, 12)
	before := time.Now().Add(-time.Minute)
	n, err := kin.Query[rowItem]().Everything().Update(ctx, s.DB,
		kin.Set("count", kin.F("count").Mul(3).Add(1).Sub(kin.F("id"))),
		kin.Set("score", kin.F("score").Div(2).Add(kin.F("score"))),
		kin.Set("name", kin.Concat(kin.F("name"), " of '", kin.Coalesce(kin.F("owner__title"), "none"), "'")),
		kin.Set("note", kin.Case().When("even", "done", true, "count__gt", 4).When(nil, "count", 1).Else(kin.F("name"))),
		kin.Set("at", kin.Now()),
	)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 0)
	assert.EqualValues(t, 12, n)
	got, err := kin.Query[rowItem]().All(ctx, s.DB)
	require.NoError(t, err)
	for i, x := range items {
		g := got[i]
		assert.EqualValues(t, int64(x.Count)*3+1-x.ID, g.Count)
		assert.InDelta(t, x.Score*1.5, g.Score, 1e-12)
		assert.Equal(t, x.Name+" of '"+x.Owner.Get().Title+"'", g.Name)
		assert.True(t, g.At.After(before) && g.At.Before(before.Add(time.Hour)), g.At)
		switch {
		case x.Done && x.Count > 4:
			assert.Equal(t, "even", *g.Note)
		case x.Count == 1:
			assert.Nil(t, g.Note)
		default:
			assert.Equal(t, x.Name, *g.Note, "the name before the statement")
		}
	}

	_, err = kin.Query[rowItem]().Filter("id", items[0].ID).Update(ctx, s.DB, kin.Set("count", 7), kin.Set("score", 7))
	require.NoError(t, err)
	_, err = kin.Query[rowItem]().Filter("id", items[0].ID).
		Update(ctx, s.DB, kin.Set("count", kin.F("count").Div(2)), kin.Set("score", kin.F("score").Div(2)))
	require.NoError(t, err)
	require.NoError(t, kin.Reload(ctx, s.DB, items[0]))
	assert.EqualValues(t, 3, items[0].Count, "integers are divided without rest")
	assert.InDelta(t, 3.5, items[0].Score, 0)
	_ = owners

	for why, setting := range map[string]*kin.Assignment{
		"calculates with text":          kin.Set("count", kin.F("name").Add(1)),
		"a wrong type":                  kin.Set("count", kin.F("count").Add("x")),
		"NULL for what cannot be":       kin.Set("name", nil),
		"an unknown column":             kin.Set("nme", 1),
		"an unknown path":               kin.Set("name", kin.F("owner__titel")),
		"the key":                       kin.Set("id", 1),
		"When without Case":             kin.Set("name", kin.F("name").When("x", "id", 1)),
		"a case without conditions":     kin.Set("name", kin.Case().Else("x")),
		"conditions that are not pairs": kin.Set("name", kin.Case().When("x", "id", 1, "name")),
		"a foreign key to another":      kin.Set("owner", items[0]),
	} {
		s.Wire.Reset()
		_, err := kin.Query[rowItem]().Filter("id", 1).Update(ctx, s.DB, setting)
		require.Error(t, err, why)
		s.Wire.Want(t, 0, 0)
	}
}

func testSetDelete(t *testing.T, s *Suite) {
	ctx := t.Context()
	school := s.NewSchool(t, 3, 4, 1)
	left := func() int64 {
		t.Helper()
		n, err := kin.Query[Student]().Count(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Reset()
		return n
	}
	n, err := kin.Query[Student]().Filter("class__name", "class 000", "name", "student 00").Delete(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, 0)
	assert.EqualValues(t, 1, n)
	assert.EqualValues(t, 11, left())
	n, err = kin.Query[Student]().OrderBy("-id").Limit(3).Delete(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	rows, err := kin.Query[Student]().All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, school.Students[8].ID, rows[len(rows)-1].ID)
	n, err = kin.Query[SchoolClass]().Filter("students__name", "student 01").Delete(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	assert.EqualValues(t, 1, left(), "students go with their classes")
	_, err = kin.Query[SchoolClass]().Everything().Delete(ctx, s.DB)
	require.NoError(t, err)
	n, err = kin.Query[Category]().Everything().Delete(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
}

func testSetRefused(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 1, 2, 1)
	_, err := kin.Query[Student]().Delete(ctx, s.DB)
	require.EqualError(t, err, "kin: delete of Student: the query has no condition and would touch every row; say Everything() if it is to")
	_, err = kin.Query[Student]().OrderBy("name").Update(ctx, s.DB, kin.Set("name", "x"))
	require.ErrorContains(t, err, "would touch every row")
	_, err = kin.Query[Student]().Filter("id", 1).Update(ctx, s.DB)
	require.ErrorContains(t, err, "nothing is set")
	s.Wire.Want(t, 0, 0)
	var key *kin.ForeignKeyError
	_, err = kin.Query[Student]().Filter("id", 1).Update(ctx, s.DB, kin.Set("class", 99))
	require.ErrorAs(t, err, &key, fmt.Sprint(err))
}
