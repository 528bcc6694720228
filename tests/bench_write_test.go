package tests_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests"
)

// Writes are measured beside what a person would write by hand: one statement
// for a row, and rows of 500 in one statement, in a transaction.

func BenchmarkInsert(b *testing.B) {
	for _, rows := range []int{1, 1000} {
		b.Run(strconv.Itoa(rows), func(b *testing.B) {
			race(b, func(s *tests.Suite) { s.NewSchool(b, 1, 1, 1) }, rows,
				contender{"sql", func(t testing.TB, s *tests.Suite) int { return sqlInsert(t, s, rows) }},
				contender{"kin", func(t testing.TB, s *tests.Suite) int {
					categories := make([]*tests.Category, rows)
					for i := range categories {
						categories[i] = &tests.Category{Name: "category"}
					}
					require.NoError(t, kin.Insert(t.Context(), s.DB, categories...))
					return len(categories)
				}},
			)
		})
	}
}

func sqlInsert(t testing.TB, s *tests.Suite, rows int) int {
	t.Helper()
	tx, err := s.Pool().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for left := rows; left > 0; {
		n := min(left, 500)
		left -= n
		var text strings.Builder
		text.WriteString("INSERT INTO categories (name) VALUES ")
		args := make([]any, n)
		for i := range n {
			if i > 0 {
				text.WriteString(", ")
			}
			text.WriteString("(")
			text.Write(s.Dialect().AppendParam(nil, i+1))
			text.WriteString(")")
			args[i] = "category"
		}
		_, err := tx.ExecContext(t.Context(), text.String(), args...)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
	return rows
}

func BenchmarkUpdateMany(b *testing.B) {
	const rows = 1000
	race(b, func(s *tests.Suite) { s.NewSchool(b, 50, 20, 1) }, rows,
		contender{"sql", func(t testing.TB, s *tests.Suite) int {
			tx, err := s.Pool().BeginTx(t.Context(), nil)
			require.NoError(t, err)
			d := s.Dialect()
			stmt, err := tx.PrepareContext(t.Context(), fmt.Sprintf("UPDATE students SET name = %s WHERE id = %s", d.AppendParam(nil, 1), d.AppendParam(nil, 2)))
			require.NoError(t, err)
			defer stmt.Close()
			for i := range rows {
				_, err := stmt.ExecContext(t.Context(), fmt.Sprint("name ", i), i+1)
				require.NoError(t, err)
			}
			require.NoError(t, tx.Commit())
			return rows
		}},
		contender{"kin", func(t testing.TB, s *tests.Suite) int {
			students := make([]*tests.Student, rows)
			for i := range students {
				students[i] = &tests.Student{ID: int64(i + 1), Name: fmt.Sprint("name ", i)}
			}
			require.NoError(t, kin.UpdateAll(t.Context(), s.DB, students, "name"))
			return rows
		}},
	)
}

// BenchmarkSaveGraph saves classes with ten new students each, at once and
// row by row.
func BenchmarkSaveGraph(b *testing.B) {
	const classes, students = 100, 10
	graph := func() []*tests.SchoolClass {
		list := make([]*tests.SchoolClass, classes)
		for i := range list {
			rows := make([]*tests.Student, students)
			for j := range rows {
				rows[j] = &tests.Student{Name: "student"}
			}
			list[i] = &tests.SchoolClass{Name: "class", Students: kin.From(rows...)}
		}
		return list
	}
	race(b, func(s *tests.Suite) { s.NewSchool(b, 1, 1, 1) }, classes*(1+students),
		contender{"row by row", func(t testing.TB, s *tests.Suite) int {
			require.NoError(t, s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
				for _, class := range graph() {
					require.NoError(t, kin.Insert(t.Context(), tx, class))
					for _, student := range class.Students.All() {
						student.Class = kin.To(class)
						require.NoError(t, kin.Insert(t.Context(), tx, student))
					}
				}
				return nil
			}))
			return classes * (1 + students)
		}},
		contender{"graph", func(t testing.TB, s *tests.Suite) int {
			saved, err := kin.SaveGraph(t.Context(), s.DB, graph()...)
			require.NoError(t, err)
			n := 0
			for _, model := range saved {
				n += model.Inserted
			}
			return n
		}},
	)
}
