package tests

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// unchecked runs statements while the database does not look at foreign keys, as
// in one that other programs have filled.
func unchecked(t *testing.T, s *Suite, statements ...string) {
	t.Helper()
	checks := map[string][2]string{ // off and on
		"sqlite":   {"PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"},
		"postgres": {"SET session_replication_role = replica", "RESET session_replication_role"},
		"mysql":    {"SET foreign_key_checks = 0", "SET foreign_key_checks = 1"},
	}[s.Name]
	c, err := s.Pool().Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	for _, text := range slices.Concat(checks[:1], statements, checks[1:]) {
		_, err := c.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
	s.Wire.Reset()
}

// testWholeDangling reads whole tables in which foreign keys lead nowhere: what
// a join would not find is not there, and what hangs on it neither.
func testWholeDangling(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 3, 4, 2)
	ctx := t.Context()
	unchecked(t, s, "UPDATE students SET class_id = 999 WHERE id = 1", "UPDATE students SET category_id = 998 WHERE id = 2",
		"UPDATE teachers SET class_id = 999 WHERE id = 1")

	students, err := kin.Query[Student]().SelectRelated("class__teachers", "category").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, students, len(school.Students))
	assert.Len(t, s.Wire.Statements(), 1)
	first, second := students[0], students[1]
	assert.False(t, first.Class.Loaded())
	assert.Nil(t, first.Class.Get())
	assert.Equal(t, "SchoolClass(999)", first.Class.String())
	assert.False(t, second.Category.Loaded())
	assert.Equal(t, "Category(998)", second.Category.String())
	for _, x := range students[1:] {
		require.True(t, x.Class.Loaded())
		assert.True(t, x.Class.Get().Teachers.Loaded())
	}

	classes, err := kin.Query[SchoolClass]().SelectRelated("students__category", "teachers").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, classes, 3)
	n, m := 0, 0
	for _, c := range classes {
		n, m = n+c.Students.Len(), m+c.Teachers.Len()
	}
	assert.Equal(t, []int{len(school.Students) - 1, len(school.Teachers) - 1}, []int{n, m})
}

// testWholeLikeJoined reads graphs of whole tables, and the same by a query that
// is joined since it has a condition.
func testWholeLikeJoined(t *testing.T, s *Suite) {
	s.NewSchool(t, 5, 6, 3)
	ctx := t.Context()
	for _, load := range [][]string{
		{"students"},
		{"students__category"},
		{"students__category", "teachers"},
		{"teachers__category", "students__category"},
		{"students__class"},
		{"students__class__teachers"},
		{"students__class__students__category"},
	} {
		for _, order := range []kin.Path[SchoolClass]{"id", "-id", "students__name", "-students__category__name"} {
			q := kin.Query[SchoolClass]().SelectRelated(kin.Paths[SchoolClass](load...)...).OrderBy(order)
			whole, err := q.All(ctx, s.DB)
			require.NoError(t, err)
			require.Len(t, whole, 5)
			joined, err := q.Filter("id__gt", 0).All(ctx, s.DB)
			require.NoError(t, err)
			require.Len(t, joined, 5)
			for i := range whole {
				require.Equal(t, graph(joined[i]), graph(whole[i]), "%v by %s", load, order)
			}
			statements := s.Wire.Statements()
			require.Len(t, statements, 2)
			s.Wire.Reset()
		}
	}
}
