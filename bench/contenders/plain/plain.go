// Package plain has models as one writes them for libraries that leave relations
// to the program.
package plain

import (
	"database/sql"

	"github.com/kin-orm/kin/bench/data"
)

// A Class has students and teachers.
type Class struct {
	ID       int64
	Name     string
	Students []*Student `db:"-"`
	Teachers []*Student `db:"-"`
}

// A Category is what students and teachers have one of, or none.
type Category struct {
	ID   int64
	Name string
}

// A Student is a student, or a teacher, of which the same is known. Class and
// Category are one value for each row of the database.
type Student struct {
	ID         int64
	Name       string
	ClassID    int64         `db:"class_id"`
	CategoryID sql.NullInt64 `db:"category_id"`
	Class      *Class        `db:"-"`
	Category   *Category     `db:"-"`
}

// Categories are those that were read so far.
type Categories map[int64]*Category

// Of returns the one value of a category that may be NULL.
func (known Categories) Of(id sql.NullInt64, name sql.NullString) *Category {
	if !id.Valid {
		return nil
	}
	k := known[id.Int64]
	if k == nil {
		k = &Category{id.Int64, name.String}
		known[id.Int64] = k
	}
	return k
}

// A Member is what a row of a join says of a student or a teacher, all NULL if
// there is none.
type Member struct {
	ID         sql.NullInt64
	Name       sql.NullString
	CategoryID sql.NullInt64
	Category   sql.NullString
}

// Add adds the member to those of a class, unless it is there. Rows must come
// by class, student and teacher: then a student is new if it is not the last one,
// and a teacher if it is beyond the last one.
func (m *Member) Add(to []*Student, c *Class, categories Categories) []*Student {
	if !m.ID.Valid || len(to) > 0 && m.ID.Int64 <= to[len(to)-1].ID {
		return to
	}
	return append(to, &Student{
		ID: m.ID.Int64, Name: m.Name.String, ClassID: c.ID, CategoryID: m.CategoryID,
		Class: c, Category: categories.Of(m.CategoryID, m.Category),
	})
}

// Cartesian is a join of both branches: it multiplies students by teachers.
const Cartesian = `SELECT c.id, c.name, s.id, s.name, s.category_id, sk.name, t.id, t.name, t.category_id, tk.name
	FROM school_classes c
	LEFT JOIN students s ON s.class_id = c.id LEFT JOIN categories sk ON sk.id = s.category_id
	LEFT JOIN teachers t ON t.class_id = c.id LEFT JOIN categories tk ON tk.id = t.category_id
	ORDER BY c.id, s.id, t.id`

// Wides returns rows as they are compared.
func Wides(list []*data.Wide) any {
	var normal []data.Wide
	for _, w := range list {
		normal = append(normal, w.UTC())
	}
	return normal
}

// Wide returns a row as it is compared.
func Wide(w *data.Wide) any { return w.UTC() }

// Students returns students with class and category as they are compared.
func Students(list []*Student) any { return people(list) }

func people(list []*Student) (normal []data.Person) {
	for _, x := range list {
		p := data.Person{ID: x.ID, Name: x.Name, Class: data.Named{ID: x.Class.ID, Name: x.Class.Name}}
		if x.Category != nil {
			p.Category = data.Named{ID: x.Category.ID, Name: x.Category.Name}
		}
		normal = append(normal, p)
	}
	return normal
}

// Bare returns students of which only the keys of class and category were read,
// as they are compared.
func Bare(list []*Student) any {
	var normal []data.Person
	for _, x := range list {
		normal = append(normal, data.Person{
			ID: x.ID, Name: x.Name,
			Class: data.Named{ID: x.ClassID}, Category: data.Named{ID: x.CategoryID.Int64},
		})
	}
	return normal
}

// Schools returns classes with their students and teachers, as they are compared.
func Schools(list []*Class) any {
	var normal []data.School
	for _, c := range list {
		normal = append(normal, data.School{
			Named:    data.Named{ID: c.ID, Name: c.Name},
			Students: people(c.Students), Teachers: people(c.Teachers),
		})
	}
	return data.Sorted(normal)
}
