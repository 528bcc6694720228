package tests_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests"
)

// Writes are measured beside what a person would write by hand: one statement
// for a row, and rows of 500 in one statement, in a transaction.

func BenchmarkInsert(b *testing.B) {
	for _, rows := range []int{1, 1000, 10_000} {
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

// BenchmarkCopy is the insert of 10,000 rows by pgx's CopyFrom, which is told
// no keys, beside kin's.
func BenchmarkCopy(b *testing.B) {
	const rows = 10_000
	target := tests.Postgres()
	target.Need(b)
	s := tests.New(b, target)
	s.NewSchool(b, 1, 1, 1)
	b.Run("pgx", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			conn, err := s.Pool().Conn(b.Context())
			require.NoError(b, err)
			require.NoError(b, conn.Raw(func(c any) error {
				n, err := c.(copier).CopyFrom(b.Context(), pgx.Identifier{"categories"}, []string{"name"},
					pgx.CopyFromSlice(rows, func(int) ([]any, error) { return []any{"category"}, nil }))
				require.EqualValues(b, rows, n)
				return err
			}))
			require.NoError(b, conn.Close())
		}
	})
	b.Run("kin", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			categories := make([]*tests.Category, rows)
			for i := range categories {
				categories[i] = &tests.Category{Name: "category"}
			}
			require.NoError(b, kin.Insert(b.Context(), s.DB, categories...))
		}
	})
}

type copier interface {
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// BenchmarkUpsert writes 1,000 rows, of which half are there.
func BenchmarkUpsert(b *testing.B) {
	const rows = 1000
	set := func(s *tests.Suite) {
		s.NewSchool(b, 1, 1, 1)
		s.Exec(b, "DELETE FROM students")
		s.Exec(b, "DELETE FROM teachers")
		s.Exec(b, "DELETE FROM categories")
	}
	prune := func(t testing.TB, s *tests.Suite) { s.Exec(t, "DELETE FROM categories WHERE id > 500") }
	race(b, set, rows,
		contender{"sql", func(t testing.TB, s *tests.Suite) int {
			prune(t, s)
			return sqlUpsert(t, s, rows)
		}},
		contender{"kin", func(t testing.TB, s *tests.Suite) int {
			prune(t, s)
			categories := make([]*tests.Category, rows)
			for i := range categories {
				categories[i] = &tests.Category{ID: int64(i + 1), Name: fmt.Sprint("name ", i)}
			}
			require.NoError(t, kin.Upsert(t.Context(), s.DB, categories, kin.OnConflict("id").Update("name")))
			return len(categories)
		}},
	)
}

func sqlUpsert(t testing.TB, s *tests.Suite, rows int) int {
	t.Helper()
	tx, err := s.Pool().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for from := 0; from < rows; from += 500 {
		var text strings.Builder
		text.WriteString("INSERT INTO categories (id, name) VALUES ")
		var args []any
		for i := from; i < min(from+500, rows); i++ {
			if i > from {
				text.WriteString(", ")
			}
			text.WriteString("(")
			text.Write(s.Dialect().AppendParam(nil, len(args)+1))
			text.WriteString(", ")
			text.Write(s.Dialect().AppendParam(nil, len(args)+2))
			text.WriteString(")")
			args = append(args, i+1, fmt.Sprint("name ", i))
		}
		if s.Name == "mysql" {
			text.WriteString(" ON DUPLICATE KEY UPDATE name = VALUES(name)")
		} else {
			text.WriteString(" ON CONFLICT (id) DO UPDATE SET name = excluded.name")
		}
		_, err := tx.ExecContext(t.Context(), text.String(), args...)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
	return rows
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
