package tests_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests"
)

// BenchmarkPrefetch loads classes, their students and the categories of these,
// with a statement for each level.
func BenchmarkPrefetch(b *testing.B) {
	q := kin.Query[tests.SchoolClass]().Prefetch("students__category")
	race(b, func(s *tests.Suite) { s.NewSchool(b, 50, 20, 3) }, 50+1000,
		contender{"sql", sqlPrefetch},
		contender{"kin", func(t testing.TB, s *tests.Suite) int {
			classes, err := q.All(t.Context(), s.DB)
			require.NoError(t, err)
			n := len(classes)
			for _, c := range classes {
				n += c.Students.Len()
			}
			return n
		}},
	)
}

// sqlPrefetch is what a careful person would write: three statements, with the
// keys of the rows before as parameters.
func sqlPrefetch(t testing.TB, s *tests.Suite) int {
	t.Helper()
	pool, ctx := s.Pool(), t.Context()
	params := func(n int) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			if s.Name == "postgres" {
				fmt.Fprintf(&b, "$%d", i+1)
			} else {
				b.WriteByte('?')
			}
		}
		return b.String()
	}
	var classes []*sqlClass
	byID := map[int64]*sqlClass{}
	var keys []any
	rows, err := pool.QueryContext(ctx, "SELECT id, name FROM school_classes ORDER BY id")
	require.NoError(t, err)
	for rows.Next() {
		c := &sqlClass{}
		if err := rows.Scan(&c.id, &c.name); err != nil {
			require.NoError(t, err)
		}
		classes, byID[c.id], keys = append(classes, c), c, append(keys, c.id)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())

	var students []*sqlStudent
	seen := map[int64]bool{}
	var categoryKeys []any
	rows, err = pool.QueryContext(ctx, "SELECT id, name, class_id, category_id FROM students WHERE class_id IN ("+params(len(keys))+") ORDER BY id", keys...)
	require.NoError(t, err)
	for rows.Next() {
		x := &sqlStudent{}
		if err := rows.Scan(&x.id, &x.name, &x.classID, &x.categoryID); err != nil {
			require.NoError(t, err)
		}
		x.class = byID[x.classID]
		x.class.students = append(x.class.students, x)
		if x.categoryID.Valid && !seen[x.categoryID.Int64] {
			seen[x.categoryID.Int64] = true
			categoryKeys = append(categoryKeys, x.categoryID.Int64)
		}
		students = append(students, x)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())

	categories := map[int64]*sqlCategory{}
	rows, err = pool.QueryContext(ctx, "SELECT id, name FROM categories WHERE id IN ("+params(len(categoryKeys))+")", categoryKeys...)
	require.NoError(t, err)
	for rows.Next() {
		c := &sqlCategory{}
		if err := rows.Scan(&c.id, &c.name); err != nil {
			require.NoError(t, err)
		}
		categories[c.id] = c
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	for _, x := range students {
		x.category = categories[x.categoryID.Int64]
	}
	return len(classes) + len(students)
}
