package tests

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func pageCases() []Case {
	return []Case{
		{"page/numbers and totals", testPages},
		{"page/of a limited query", testPagesOfLimit},
		{"page/mistakes", testPageMistakes},
		{"page/batches are the whole", testBatches},
		{"page/batches while rows change", testBatchesWhileWriting},
	}
}

// testPages puts pages together, with each kind of load, and counts the
// statements: the last page says how many rows there are.
func testPages(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 30)
	ctx := t.Context()
	want := rowKeys(w.ordered("-note", "live"))
	require.Len(t, want, len(w.items))
	for _, load := range [][]string{nil, {"box__shelf"}, {"tags__marks"}, {"tags", "parts__tags"}} {
		q := kin.Query[pickItem]().SelectRelated(kin.Paths[pickItem](load...)...).OrderBy("-note", "live")
		for _, size := range []int{1, 7, 50, len(want), 10_000} {
			var got []any
			pages := (len(want) + size - 1) / size
			for number := 1; number <= pages && (size > 1 || number < 4); number++ {
				s.Wire.Reset()
				page, err := q.Page(ctx, s.DB, number, size)
				require.NoError(t, err)
				statements := 2
				if number == pages && len(want)%size > 0 {
					statements = 1
				}
				require.Len(t, s.Wire.Statements(), statements)
				require.EqualValues(t, len(want), page.Total)
				assert.EqualValues(t, pages, page.Pages())
				assert.Equal(t, number < pages, page.HasNext())
				assert.Equal(t, number > 1, page.HasPrevious())
				assert.Equal(t, []int{number, size}, []int{page.Number, page.Size})
				for _, x := range page.Rows {
					got = append(got, x.ID)
					assert.Equal(t, slices.Contains(load, "tags__marks"), x.Tags.Loaded() && len(load) == 1)
				}
			}
			require.Equal(t, want[:len(got)], got)
			require.True(t, size == 1 || len(got) == len(want))
		}
	}
	after, err := kin.Query[pickItem]().Page(ctx, s.DB, 1000, 10)
	require.NoError(t, err)
	assert.Empty(t, after.Rows)
	assert.EqualValues(t, len(want), after.Total)
	assert.False(t, after.HasNext())
	assert.True(t, after.HasPrevious())
	s.Wire.Reset()
	none, err := kin.Query[pickItem]().Filter("id", -1).Page(ctx, s.DB, 1, 10)
	require.NoError(t, err)
	assert.Empty(t, none.Rows)
	assert.Zero(t, none.Total)
	assert.Zero(t, none.Pages())
	assert.False(t, none.HasNext() || none.HasPrevious())
	s.Wire.Want(t, 1, 0)
	none, err = kin.Query[pickItem]().Filter("id__in", []int64{}).Page(ctx, s.DB, 3, 10)
	require.NoError(t, err)
	assert.Zero(t, none.Total)
	assert.False(t, none.HasNext() || none.HasPrevious())
	s.Wire.Want(t, 0, 0)
}

// testPagesOfLimit cuts a query that has a limit and an offset into pages.
func testPagesOfLimit(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 60)
	all := rowKeys(w.ordered("name"))
	for _, c := range []struct {
		q    kin.QuerySet[pickItem]
		want []any
	}{
		{kin.Query[pickItem]().OrderBy("name").Limit(25).Offset(10), all[10:35]},
		{kin.Query[pickItem]().OrderBy("name").Limit(20), all[:20]},
		{kin.Query[pickItem]().OrderBy("name").Offset(50), all[50:]},
		{kin.Query[pickItem]().OrderBy("name").Limit(0), nil},
	} {
		var got []any
		for number := 1; number < 30; number++ {
			page, err := c.q.Page(t.Context(), s.DB, number, 10)
			require.NoError(t, err)
			require.EqualValues(t, len(c.want), page.Total, "page %d", number)
			for _, x := range page.Rows {
				got = append(got, x.ID)
			}
		}
		require.Equal(t, c.want, got)
	}
}

func testPageMistakes(t *testing.T, s *Suite) {
	s, _ = pickSuite(t, s, 3)
	ctx := t.Context()
	s.Wire.Reset()
	for _, c := range [][2]int{{0, 1}, {-1, 1}, {1, 0}, {1, -5}, {math.MinInt, math.MinInt}, {math.MaxInt, 2}, {3, math.MaxInt}} {
		_, err := kin.Query[pickItem]().Page(ctx, s.DB, c[0], c[1])
		require.ErrorContains(t, err, "kin: a page of pickItem: ", c)
	}
	_, err := kin.Query[pickItem]().Offset(-1).Page(ctx, s.DB, 1, 1)
	require.ErrorContains(t, err, "the offset -1 is negative")
	for _, size := range []int{0, -1} {
		n := 0
		for rows, err := range kin.Query[pickItem]().Batches(ctx, s.DB, size) {
			require.ErrorContains(t, err, "kin: batches of pickItem: a batch has at least one row")
			assert.Nil(t, rows)
			n++
		}
		assert.Equal(t, 1, n)
	}
	for _, err := range kin.Query[pickItem]().OrderBy("nme").Batches(ctx, s.DB, 5) {
		require.ErrorContains(t, err, `did you mean "name"?`)
	}
	s.Wire.Want(t, 0, 0)
}

// testBatches puts batches together, in orders with NULLs and ties, through
// foreign keys, and with each kind of load.
func testBatches(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 40)
	ctx := t.Context()
	for _, load := range [][]string{nil, {"box__shelf"}, {"tags__marks"}, {"tags", "parts__tags"}} {
		for _, orders := range [][]string{nil, {"-id"}, {"-note", "live"}, {"box__shelf__label", "-open"}, {"-parent__name"}} {
			want := w.ordered(orders...)
			q := kin.Query[pickItem]().SelectRelated(kin.Paths[pickItem](load...)...).OrderBy(kin.Paths[pickItem](orders...)...)
			for _, c := range []struct {
				q    kin.QuerySet[pickItem]
				want []*pickRow
			}{{q, want}, {q.Limit(20), want[:20]}, {q.Offset(13).Limit(17), want[13:30]}, {q.Offset(5), want[5:]}, {q.Limit(0), nil}} {
				var got []any
				s.Wire.Reset()
				batches := 0
				for rows, err := range c.q.Batches(ctx, s.DB, 9) {
					require.NoError(t, err)
					assert.Zero(t, s.Pool().Stats().InUse, "no connection is held")
					batches++
					for _, x := range rows {
						if len(load) > 0 && load[0] == "tags__marks" {
							checkChildren(t, c.want[len(got)].many["tags"], x.Tags.All())
						}
						got = append(got, x.ID)
					}
				}
				require.Equal(t, rowKeys(c.want), append([]any{}, got...), "%v %v", load, orders)
				assert.Equal(t, (len(c.want)+8)/9, batches)
				assert.LessOrEqual(t, len(s.Wire.Statements()), len(c.want)/9+1)
			}
		}
	}
	n := 0
	for range kin.Query[pickItem]().Batches(ctx, s.DB, 3) {
		if n++; n == 2 {
			break
		}
	}
	assert.Equal(t, 2, n)
}

// testBatchesWhileWriting deletes and adds rows within the loop, in one
// transaction.
func testBatchesWhileWriting(t *testing.T, s *Suite) {
	ctx := t.Context()
	school := s.NewSchool(t, 4, 10, 0)
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		var names []string
		for rows, err := range kin.Query[Student]().SelectRelated("class").OrderBy("-class__name", "name").Batches(ctx, tx, 7) {
			require.NoError(t, err)
			for _, x := range rows {
				names = append(names, x.Class.Get().Name+x.Name)
			}
			for _, x := range rows {
				require.NoError(t, kin.Delete(ctx, tx, x))
			}
			// One that has come by, and one that is still to come.
			require.NoError(t, kin.Insert(ctx, tx, &Student{Name: "a", Class: kin.To(school.Classes[3])}))
			if len(names) < 20 {
				require.NoError(t, kin.Insert(ctx, tx, &Student{Name: "z", Class: kin.To(school.Classes[0])}))
			}
		}
		require.Len(t, names, 42)
		assert.Equal(t, "class 000z", names[41])
		n, err := kin.Query[Student]().Count(ctx, tx)
		require.NoError(t, err)
		assert.EqualValues(t, 6, n, "those that were inserted before the place, one a batch")
		return nil
	}))
}
