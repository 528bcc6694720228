package tests_test

import (
	"database/sql"
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
	each := func(query string, args []any, f func(rows *sql.Rows) error) {
		rows, err := pool.QueryContext(ctx, query, args...)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			if err := f(rows); err != nil {
				require.NoError(t, err)
			}
		}
		require.NoError(t, rows.Err())
	}
	var classes []*sqlClass
	byID := map[int64]*sqlClass{}
	var keys []any
	each("SELECT id, name FROM school_classes ORDER BY id", nil, func(rows *sql.Rows) error {
		c := &sqlClass{}
		err := rows.Scan(&c.id, &c.name)
		classes, byID[c.id], keys = append(classes, c), c, append(keys, c.id)
		return err
	})
	var students []*sqlStudent
	seen := map[int64]bool{}
	var categoryKeys []any
	query := "SELECT id, name, class_id, category_id FROM students WHERE class_id IN (" + params(len(keys)) + ") ORDER BY id"
	each(query, keys, func(rows *sql.Rows) error {
		x := &sqlStudent{}
		err := rows.Scan(&x.id, &x.name, &x.classID, &x.categoryID)
		x.class = byID[x.classID]
		x.class.students = append(x.class.students, x)
		if x.categoryID.Valid && !seen[x.categoryID.Int64] {
			seen[x.categoryID.Int64] = true
			categoryKeys = append(categoryKeys, x.categoryID.Int64)
		}
		students = append(students, x)
		return err
	})
	categories := map[int64]*sqlCategory{}
	query = "SELECT id, name FROM categories WHERE id IN (" + params(len(categoryKeys)) + ")"
	each(query, categoryKeys, func(rows *sql.Rows) error {
		c := &sqlCategory{}
		err := rows.Scan(&c.id, &c.name)
		categories[c.id] = c
		return err
	})
	for _, x := range students {
		x.category = categories[x.categoryID.Int64]
	}
	return len(classes) + len(students)
}
