package tests

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// graph returns what was loaded for a class, as text.
func graph(c *SchoolClass) string {
	var b strings.Builder
	fmt.Fprint(&b, c.ID, c.Name, c.Students.Loaded(), c.Teachers.Loaded())
	for _, x := range c.Students.All() {
		fmt.Fprint(&b, " s", x.ID, x.Name, x.Class.Get() == c, x.Category)
		if x.Category.Get() != nil {
			b.WriteString(x.Category.Get().Name)
		}
	}
	for _, x := range c.Teachers.All() {
		fmt.Fprint(&b, " t", x.ID, x.Name, x.Class.Get() == c, x.Category)
	}
	return b.String()
}

func testIterLikeAll(t *testing.T, s *Suite) {
	ctx := t.Context()
	school := s.NewSchool(t, 7, 6, 3)
	for _, load := range [][]string{nil, {"students"}, {"students__category"}, {"students__category", "teachers"}, {"teachers", "students"}} {
		for _, q := range []kin.QuerySet[SchoolClass]{
			kin.Query[SchoolClass](), kin.Query[SchoolClass]().OrderBy("-name"), kin.Query[SchoolClass]().OrderBy("-name").Limit(3).Offset(2),
		} {
			q = q.SelectRelated(kin.Paths[SchoolClass](load...)...)
			all, err := q.All(ctx, s.DB)
			require.NoError(t, err)
			require.NotEmpty(t, all)
			s.Wire.Reset()
			_, err = q.Filter("id__gt", 0).All(ctx, s.DB) // which is joined as for Iter
			require.NoError(t, err)
			rows := s.Wire.Rows()
			s.Wire.Reset()
			i := 0
			for c, err := range q.Iter(ctx, s.DB) {
				require.NoError(t, err)
				require.Equal(t, graph(all[i]), graph(c))
				i++
			}
			require.Len(t, all, i)
			s.Wire.Want(t, 1, rows)
			assert.Zero(t, s.Pool().Stats().InUse)
		}
	}
	// Rows that several roots refer to come with each of them.
	i := 0
	for x, err := range kin.Query[Student]().SelectRelated("class__teachers", "category").Iter(ctx, s.DB) {
		require.NoError(t, err)
		require.Equal(t, school.Students[i].ID, x.ID)
		require.Equal(t, school.Students[i].Class.Ref().ID, x.Class.Get().ID)
		require.Equal(t, 3, x.Class.Get().Teachers.Len())
		i++
	}
	require.Len(t, school.Students, i)
}

// testIterBreak leaves loops: the connection is given back each time.
func testIterBreak(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 30, 6, 3)
	for _, load := range [][]string{nil, {"students"}, {"students", "teachers"}} {
		seq := kin.Query[SchoolClass]().SelectRelated(kin.Paths[SchoolClass](load...)...).Iter(ctx, s.DB)
		s.Wire.Reset()
		for stop := range 4 {
			n := 0
			for _, err := range seq { // one sequence, run several times
				require.NoError(t, err)
				if n == stop {
					break
				}
				n++
			}
			assert.Equal(t, stop, n)
			assert.Zero(t, s.Pool().Stats().InUse, load)
		}
		assert.Len(t, s.Wire.Statements(), 4, "a statement for each loop")
		assert.Panics(t, func() {
			for range seq {
				panic("in the loop")
			}
		})
		assert.Zero(t, s.Pool().Stats().InUse, "after a panic")
		func() {
			for range seq {
				return
			}
		}()
		assert.Zero(t, s.Pool().Stats().InUse, "after a return")
	}
	s.Wire.Reset()
	_ = kin.Query[SchoolClass]().Iter(ctx, s.DB)
	s.Wire.Want(t, 0, 0) // nothing is asked before the loop
}

// testCancelled cancels the context before and within the reading of rows.
func testCancelled(t *testing.T, s *Suite) {
	s.NewSchool(t, 200, 3, 1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	q := kin.Query[SchoolClass]()
	_, err := q.All(gone, s.DB)
	require.ErrorIs(t, err, context.Canceled)
	_, err = q.Count(gone, s.DB)
	require.ErrorIs(t, err, context.Canceled)
	_, err = q.Exists(gone, s.DB)
	require.ErrorIs(t, err, context.Canceled)
	_, err = q.First(gone, s.DB)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, kin.ErrNotFound)
	n := 0
	for row, err := range q.Iter(gone, s.DB) {
		assert.Nil(t, row)
		require.ErrorIs(t, err, context.Canceled)
		n++
	}
	assert.Equal(t, 1, n)

	for _, load := range [][]string{nil, {"students"}, {"students", "teachers"}} {
		ctx, cancel := context.WithCancel(t.Context())
		rows, errs := 0, 0
		for row, err := range q.SelectRelated(kin.Paths[SchoolClass](load...)...).Iter(ctx, s.DB) {
			if err != nil {
				require.ErrorIs(t, err, context.Canceled, load)
				assert.Nil(t, row)
				errs++
				continue
			}
			rows++
			if rows == 3 {
				cancel()
			}
		}
		cancel()
		assert.Equal(t, 3, rows, "no row after that")
		assert.Equal(t, 1, errs, "an error, and not a short result")
		assert.Zero(t, s.Pool().Stats().InUse)
	}
	count, err := q.Count(t.Context(), s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 200, count, "the pool is as before")
}
