package tests_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests"
)

// Each benchmark asks one question twice: with kin, and with database/sql as
// a careful person would write it. Their bodies run as tests too, so that
// what is measured is known to be right.

func targets(b testing.TB) map[string]tests.Target {
	b.Helper()
	return map[string]tests.Target{"sqlite": tests.SQLite(), "postgres": tests.Postgres(), "mysql": tests.MySQL()}
}

// A contender answers a question and returns how many rows it made of it.
type contender struct {
	name string
	run  func(t testing.TB, s *tests.Suite) int
}

func race(b *testing.B, setUp func(*tests.Suite), want int, contenders ...contender) {
	b.Helper()
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		b.Run(name, func(b *testing.B) {
			target := targets(b)[name]
			target.Need(b)
			s := tests.New(b, target)
			setUp(s)
			for _, c := range contenders {
				b.Run(c.name, func(b *testing.B) {
					require.Equal(b, want, c.run(b, s))
					b.ReportAllocs()
					for b.Loop() {
						c.run(b, s)
					}
				})
			}
		})
	}
}

func BenchmarkJoin(b *testing.B) {
	q := kin.Query[tests.Student]().SelectRelated("class", "category")
	race(b, func(s *tests.Suite) { s.NewSchool(b, 50, 20, 3) }, 1000,
		contender{"sql", func(t testing.TB, s *tests.Suite) int { return len(sqlStudents(t, s.Pool())) }},
		contender{"kin", func(t testing.TB, s *tests.Suite) int {
			students, err := q.All(t.Context(), s.DB)
			require.NoError(t, err)
			return len(students)
		}},
	)
}

func BenchmarkBranches(b *testing.B) {
	q := kin.Query[tests.SchoolClass]().SelectRelated("students__category", "teachers__category")
	count := func(classes []*tests.SchoolClass) int {
		n := len(classes)
		for _, c := range classes {
			n += c.Students.Len() + c.Teachers.Len()
		}
		return n
	}
	race(b, func(s *tests.Suite) { s.NewSchool(b, 50, 20, 3) }, 50+1000+150,
		contender{"sql split", func(t testing.TB, s *tests.Suite) int { return sqlSplit(t, s.Pool()) }},
		contender{"kin", func(t testing.TB, s *tests.Suite) int {
			classes, err := q.All(t.Context(), s.DB)
			require.NoError(t, err)
			return count(classes)
		}},
	)
}

func BenchmarkOne(b *testing.B) {
	race(b, func(s *tests.Suite) { s.NewSchool(b, 5, 20, 3) }, 1,
		contender{"sql", func(t testing.TB, s *tests.Suite) int {
			var x sqlStudent
			err := s.Pool().QueryRowContext(t.Context(), "SELECT id, name, class_id, category_id FROM students WHERE id = 7").
				Scan(&x.id, &x.name, &x.classID, &x.categoryID)
			require.NoError(t, err)
			return 1
		}},
		contender{"kin", func() func(t testing.TB, s *tests.Suite) int {
			q := kin.Query[tests.Student]().Filter("id", 7)
			return func(t testing.TB, s *tests.Suite) int {
				_, err := q.Get(t.Context(), s.DB)
				require.NoError(t, err)
				return 1
			}
		}()},
	)
}

type sqlClass struct {
	id       int64
	name     string
	students []*sqlStudent
	teachers []*sqlStudent
}

type sqlCategory struct {
	id   int64
	name string
}

type sqlStudent struct {
	id         int64
	name       string
	classID    int64
	categoryID sql.NullInt64
	class      *sqlClass
	category   *sqlCategory
}

func sqlStudents(t testing.TB, pool *sql.DB) []*sqlStudent {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), `SELECT s.id, s.name, s.class_id, s.category_id, c.name, k.name
		FROM students s LEFT JOIN school_classes c ON c.id = s.class_id LEFT JOIN categories k ON k.id = s.category_id ORDER BY s.id`)
	require.NoError(t, err)
	defer rows.Close()
	var students []*sqlStudent
	classes, categories := map[int64]*sqlClass{}, map[int64]*sqlCategory{}
	for rows.Next() {
		var x sqlStudent
		var class, category sql.NullString
		if err := rows.Scan(&x.id, &x.name, &x.classID, &x.categoryID, &class, &category); err != nil {
			require.NoError(t, err)
		}
		if x.class = classes[x.classID]; x.class == nil {
			x.class = &sqlClass{id: x.classID, name: class.String}
			classes[x.classID] = x.class
		}
		if x.categoryID.Valid {
			if x.category = categories[x.categoryID.Int64]; x.category == nil {
				x.category = &sqlCategory{id: x.categoryID.Int64, name: category.String}
				categories[x.categoryID.Int64] = x.category
			}
		}
		students = append(students, &x)
	}
	require.NoError(t, rows.Err())
	return students
}

// sqlSplit loads classes, students, teachers and categories in a query each.
func sqlSplit(t testing.TB, pool *sql.DB) int {
	t.Helper()
	n := 0
	var classes []*sqlClass
	byID, categories := map[int64]*sqlClass{}, map[int64]*sqlCategory{}
	each := func(query string, f func(rows *sql.Rows) error) {
		rows, err := pool.QueryContext(t.Context(), query)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			if err := f(rows); err != nil {
				require.NoError(t, err)
			}
		}
		require.NoError(t, rows.Err())
	}
	each("SELECT id, name FROM school_classes ORDER BY id", func(rows *sql.Rows) error {
		c := &sqlClass{}
		classes = append(classes, c)
		err := rows.Scan(&c.id, &c.name)
		byID[c.id] = c
		n++
		return err
	})
	each("SELECT id, name FROM categories", func(rows *sql.Rows) error {
		c := &sqlCategory{}
		err := rows.Scan(&c.id, &c.name)
		categories[c.id] = c
		return err
	})
	for _, table := range []string{"students", "teachers"} {
		each(fmt.Sprintf("SELECT id, name, class_id, category_id FROM %s ORDER BY id", table), func(rows *sql.Rows) error {
			x := &sqlStudent{}
			err := rows.Scan(&x.id, &x.name, &x.classID, &x.categoryID)
			x.class, x.category = byID[x.classID], categories[x.categoryID.Int64]
			if table == "students" {
				x.class.students = append(x.class.students, x)
			} else {
				x.class.teachers = append(x.class.teachers, x)
			}
			n++
			return err
		})
	}
	return n
}
