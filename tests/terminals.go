package tests

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func terminalCases() []Case {
	return []Case{
		{"terminals/one row", testOneRow},
		{"terminals/pages of one row", testOneOfPage},
		{"terminals/count and exists", testCounting},
		{"terminals/Iter gives what All does", testIterLikeAll},
		{"terminals/a loop that ends early", testIterBreak},
		{"terminals/a context that is cancelled", testCancelled},
		{"terminals/errors of the database", testDatabaseErrors},
		{"terminals/in a transaction", testInTx},
		{"terminals/the zero query", testZeroQuery},
		{"terminals/queries do not change", testImmutable},
		{"terminals/one query and many goroutines", testShared},
	}
}

// classNames returns the names of classes.
func classNames(rows []*SchoolClass) []string {
	names := []string{}
	for _, row := range rows {
		names = append(names, row.Name)
	}
	return names
}

// testOneRow asks for one row of a query that has none, one or several, with
// each kind of load.
func testOneRow(t *testing.T, s *Suite) {
	ctx := t.Context()
	school := s.NewSchool(t, 4, 5, 3)
	for _, load := range [][]string{nil, {"students"}, {"students__category"}, {"students", "teachers__category"}} {
		q := kin.Query[SchoolClass]().SelectRelated(kin.Paths[SchoolClass](load...)...).OrderBy("-name")
		rows := func(classes int) int { // that are read for so many classes
			switch len(load) {
			case 0:
				return classes
			case 1:
				return classes * 5
			}
			return classes * (1 + 5 + 3)
		}
		check := func(row *SchoolClass, err error, want string) {
			t.Helper()
			require.NoError(t, err, load)
			require.Equal(t, want, row.Name, load)
			assert.Equal(t, load != nil, row.Students.Loaded())
			if load != nil {
				assert.Equal(t, 5, row.Students.Len(), "all children of the one row")
			}
			s.Wire.Want(t, 1, rows(1))
		}
		s.Wire.Reset()
		row, err := q.First(ctx, s.DB)
		check(row, err, "class 003")
		row, err = q.Last(ctx, s.DB)
		check(row, err, "class 000")
		row, err = q.Filter("name", "class 002").Get(ctx, s.DB)
		check(row, err, "class 002")
		row, err = q.Filter("students__name__startswith", "student", "id", school.Classes[1].ID).Get(ctx, s.DB)
		check(row, err, "class 001")

		row, err = q.Get(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrMultipleFound)
		require.NotErrorIs(t, err, kin.ErrNotFound)
		require.ErrorContains(t, err, "SchoolClass")
		assert.Nil(t, row)
		s.Wire.Want(t, 1, rows(2)) // not the others

		none := q.Filter("name", "none")
		for name, one := range map[string]func(context.Context, kin.Executor) (*SchoolClass, error){
			"Get": none.Get, "First": none.First, "Last": none.Last, "Last of a page": none.Limit(2).Offset(1).Last,
		} {
			row, err := one(ctx, s.DB)
			require.ErrorIs(t, err, kin.ErrNotFound, name)
			require.ErrorIs(t, err, sql.ErrNoRows, name)
			require.NotErrorIs(t, err, kin.ErrMultipleFound, name)
			require.ErrorContains(t, err, "SchoolClass", name)
			assert.Nil(t, row, name)
			s.Wire.Want(t, 1, 0)
		}
		all, err := none.All(ctx, s.DB)
		require.NoError(t, err)
		assert.Empty(t, all)
		s.Wire.Want(t, 1, 0)
	}
}

// testOneOfPage asks for one row of a query that has a limit or an offset.
func testOneOfPage(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 5, 2, 1)
	q := kin.Query[SchoolClass]().OrderBy("name")
	for _, c := range []struct {
		why              string
		q                kin.QuerySet[SchoolClass]
		first, last, get string // empty for ErrNotFound, "*" for ErrMultipleFound
		count            int64
	}{
		{"all", q, "class 000", "class 004", "*", 5},
		{"a limit", q.Limit(3), "class 000", "class 002", "*", 3},
		{"a limit of one", q.Limit(1), "class 000", "class 000", "class 000", 1},
		{"no row", q.Limit(0), "", "", "", 0},
		{"an offset", q.Offset(3), "class 003", "class 004", "*", 2},
		{"an offset to the last", q.Offset(4), "class 004", "class 004", "class 004", 1},
		{"an offset beyond", q.Offset(5), "", "", "", 0},
		{"both", q.Limit(2).Offset(2), "class 002", "class 003", "*", 2},
		{"more than there are", q.Limit(100).Offset(3), "class 003", "class 004", "*", 2},
		{"a later limit stands", q.Limit(1).Limit(2), "class 000", "class 001", "*", 2},
		{"a later offset stands", q.Offset(4).Offset(1).Limit(1), "class 001", "class 001", "class 001", 1},
		{"the largest numbers", q.Limit(1 << 62).Offset(1 << 62), "", "", "", 0},
		{"by key, down", kin.Query[SchoolClass]().OrderBy("-id").Limit(2), "class 004", "class 003", "*", 2},
	} {
		for _, load := range [][]string{nil, {"students"}, {"students", "teachers"}} {
			q := c.q.SelectRelated(kin.Paths[SchoolClass](load...)...)
			check := func(want string, one func(context.Context, kin.Executor) (*SchoolClass, error)) {
				t.Helper()
				row, err := one(ctx, s.DB)
				switch want {
				case "":
					require.ErrorIs(t, err, kin.ErrNotFound, c.why)
				case "*":
					require.ErrorIs(t, err, kin.ErrMultipleFound, c.why)
				default:
					require.NoError(t, err, c.why)
					assert.Equal(t, want, row.Name, c.why)
				}
			}
			check(c.first, q.First)
			check(c.last, q.Last)
			check(c.get, q.Get)
			n, err := q.Count(ctx, s.DB)
			require.NoError(t, err, c.why)
			assert.Equal(t, c.count, n, c.why)
			exists, err := q.Exists(ctx, s.DB)
			require.NoError(t, err, c.why)
			assert.Equal(t, c.count > 0, exists, c.why)
			all, err := q.All(ctx, s.DB)
			require.NoError(t, err, c.why)
			assert.Len(t, all, int(c.count), c.why)
		}
	}
}

func testCounting(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 6, 8, 3)
	q := kin.Query[SchoolClass]()
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[SchoolClass]
		want int64
	}{
		{"all", q, 6},
		{"loads do not count", q.SelectRelated("students__category", "teachers"), 6},
		{"nor do many related rows that meet it", q.Filter("students__name__contains", "student"), 6},
		{"some", q.Filter("name__gte", "class 004"), 2},
		{"none", q.Filter("name", "x"), 0},
		{"with an order", q.OrderBy("-name", "id").SelectRelated("students").OrderBy("students__name"), 6},
	} {
		s.Wire.Reset()
		n, err := c.q.Count(ctx, s.DB)
		require.NoError(t, err, c.why)
		assert.Equal(t, c.want, n, c.why)
		s.Wire.Want(t, 1, 1)
		exists, err := c.q.Exists(ctx, s.DB)
		require.NoError(t, err, c.why)
		assert.Equal(t, c.want > 0, exists, c.why)
		s.Wire.Want(t, 1, 1)
		all, err := c.q.All(ctx, s.DB)
		require.NoError(t, err, c.why)
		assert.Len(t, all, int(c.want), c.why)
	}
}

// testDatabaseErrors asks for a table that is not there.
func testDatabaseErrors(t *testing.T, s *Suite) {
	ctx := t.Context()
	q := kin.Query[SchoolClass]().SelectRelated("students", "teachers")
	_, err := q.All(ctx, s.DB)
	require.ErrorContains(t, err, "kin: ")
	require.ErrorContains(t, err, "SchoolClass")
	require.NotErrorIs(t, err, kin.ErrNotFound)
	_, err = q.Get(ctx, s.DB)
	require.Error(t, err)
	require.NotErrorIs(t, err, kin.ErrNotFound)
	_, err = q.Count(ctx, s.DB)
	require.ErrorContains(t, err, "SchoolClass")
	_, err = q.Exists(ctx, s.DB)
	require.ErrorContains(t, err, "SchoolClass")
	n := 0
	for row, err := range q.Iter(ctx, s.DB) {
		assert.Nil(t, row)
		require.ErrorContains(t, err, "SchoolClass")
		n++
	}
	assert.Equal(t, 1, n)
	assert.Zero(t, s.Pool().Stats().InUse)
}

// testInTx runs every terminal in a transaction, which sees its own rows.
func testInTx(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 3, 2, 1)
	q := kin.Query[SchoolClass]().SelectRelated("students", "teachers").OrderBy("-name")
	undo := errors.New("undo")
	err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
		if err := kin.Insert(ctx, tx, &SchoolClass{Name: "within"}); err != nil {
			return err
		}
		all, err := q.All(ctx, tx)
		require.NoError(t, err)
		assert.Equal(t, []string{"within", "class 002", "class 001", "class 000"}, classNames(all))
		first, err := q.First(ctx, tx)
		require.NoError(t, err)
		assert.Equal(t, "within", first.Name)
		last, err := q.Last(ctx, tx)
		require.NoError(t, err)
		assert.Equal(t, "class 000", last.Name)
		one, err := q.Filter("name", "within").Get(ctx, tx)
		require.NoError(t, err)
		assert.Equal(t, first.ID, one.ID)
		n, err := q.Count(ctx, tx)
		require.NoError(t, err)
		assert.EqualValues(t, 4, n)
		exists, err := q.Filter("name", "within").Exists(ctx, tx)
		require.NoError(t, err)
		assert.True(t, exists)
		for range q.Iter(ctx, tx) { // and left, after which the connection is free
			break
		}
		i := 0
		for c, err := range q.Iter(ctx, tx) {
			require.NoError(t, err)
			assert.Equal(t, all[i].Name, c.Name)
			i++
		}
		assert.Equal(t, 4, i)
		assert.Equal(t, 1, s.Pool().Stats().InUse, "all of it on one connection")
		return undo
	})
	require.ErrorIs(t, err, undo)
	n, err := q.Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testZeroQuery(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 3, 1, 1)
	var q kin.QuerySet[SchoolClass]
	require.NoError(t, q.Err())
	all, err := q.All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{"class 000", "class 001", "class 002"}, classNames(all))
	s.Wire.Want(t, 1, 3)
	first, err := q.First(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, "class 000", first.Name)
	last, err := q.Last(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, "class 002", last.Name)
	s.Wire.Want(t, 2, 2)
	_, err = q.Get(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrMultipleFound)
	s.Wire.Want(t, 1, 2)
	n, err := q.Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	exists, err := q.Exists(ctx, s.DB)
	require.NoError(t, err)
	assert.True(t, exists)
	s.Wire.Want(t, 2, 2)
	i := 0
	for c, err := range q.Iter(ctx, s.DB) {
		require.NoError(t, err)
		assert.Equal(t, all[i].Name, c.Name)
		i++
	}
	assert.Equal(t, 3, i)
	more, err := q.Filter("name", "class 001").SelectRelated("students").OrderBy("-id").Limit(1).All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{"class 001"}, classNames(more), "and can be derived from")
}
