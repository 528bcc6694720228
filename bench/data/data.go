// Package data has the rows that every contender reads and writes, as functions
// of their number, so that nothing has to be kept to know what is right; and the
// forms in which results are compared.
package data

import (
	"fmt"
	"sync"
	"time"
)

// How many rows there are.
const (
	Classes    = 50
	Students   = 1000
	Teachers   = 150
	Categories = 20
	Wides      = 10_000
	Entries    = 1000 // that may be changed; those after them are inserted
)

// Cycle is how many different parameters the runs of a read go through: few
// enough to be recorded, too many for a library to get away with one statement
// for each.
const Cycle = 16

// A Wide is a row with twelve columns: of the table wides, which is read, or of
// entries, which is written.
type Wide struct {
	ID       int64
	Quantity int64
	Level    int32
	Name     string
	Code     string
	Note     *string // nil is NULL
	Active   bool
	Hidden   bool
	Price    float64
	Ratio    float64
	Created  time.Time
	Updated  time.Time
}

// Columns are the columns of a Wide, the key first.
func Columns() []string {
	return []string{
		"id", "quantity", "level", "name", "code", "note",
		"active", "hidden", "price", "ratio", "created", "updated",
	}
}

// NewWide returns the i-th Wide, from 1 on. Its key is i.
func NewWide(i int) Wide {
	w := Wide{
		ID:       int64(i),
		Quantity: int64(i) * 1_000_003,
		Level:    int32(i % 977), //nolint:gosec // it is small
		Name:     fmt.Sprintf("The name of row %d", i),
		Code:     fmt.Sprintf("C%06d", i),
		Active:   i%2 == 0,
		Hidden:   i%5 == 0,
		Price:    float64(i) + 0.25,
		Ratio:    1 / float64(i),
		Created:  time.Date(2024, 1, 1, 0, 0, 0, 123_000_000, time.UTC).Add(time.Duration(i) * 61 * time.Second),
		Updated:  time.Date(2025, 6, 1, 12, 0, 0, 456_789_000, time.UTC).Add(time.Duration(i) * 59 * time.Second),
	}
	if i%3 != 0 {
		note := fmt.Sprintf("a note, the %d-th", i)
		w.Note = &note
	}
	return w
}

// Inserted returns the n rows that an insert is given; their keys are zero. They
// are made by the first call, so that they are only in memory where they are used.
func Inserted(n int) func() []Wide {
	return sync.OnceValue(func() []Wide {
		list := NewWides(Entries+1, n)
		for i := range list {
			list[i].ID = 0
		}
		return list
	})
}

// NewWides returns n Wides from the first-th on.
func NewWides(first, n int) []Wide {
	list := make([]Wide, n)
	for i := range list {
		list[i] = NewWide(first + i)
	}
	return list
}

// An Edit is what an update writes to a row of entries.
type Edit struct {
	ID       int64
	Name     string
	Quantity int64
}

// Edits returns what updates of rows write, n of them from the first-th on, by the
// number of the run. Two runs in succession write different values, so that no
// database can skip a row. The lists are made beforehand, and must not be changed.
func Edits(first, n int) func(run int) []Edit {
	var both [2][]Edit
	for run := range both {
		for key := first; key < first+n; key++ {
			both[run] = append(both[run], Edit{int64(key), fmt.Sprintf("edited %d %d", run, key), int64(key*10 + run)})
		}
	}
	return func(run int) []Edit { return both[run%2] }
}

// names are made beforehand, as they are asked for while time is measured.
//
//nolint:gochecknoglobals // immutable facts
var names = func() (names struct{ classes, categories []string }) {
	for i := range Classes {
		names.classes = append(names.classes, fmt.Sprintf("%d%c", i/5+1, 'A'+i%5))
	}
	for i := range Categories {
		names.categories = append(names.categories, fmt.Sprintf("category %02d", i+1))
	}
	return names
}()

// ClassName returns the name of a class, from 1 on.
func ClassName(class int) string { return names.classes[class-1] }

// CategoryName returns the name of a category, from 1 on.
func CategoryName(category int) string { return names.categories[category-1] }

// A Member is a row of students or teachers.
type Member struct {
	ID       int64
	Name     string
	Class    int64
	Category int64 // 0 is NULL
}

// Student returns the i-th student, from 1 on. One in twenty has no category.
func Student(i int) Member { return member("Student", i) }

// Teacher returns the i-th teacher, from 1 on.
func Teacher(i int) Member { return member("Teacher", i) }

func member(what string, i int) Member {
	m := Member{ID: int64(i), Name: fmt.Sprintf("%s %04d", what, i), Class: int64((i-1)%Classes + 1)}
	if i%20 != 0 {
		m.Category = int64((i*7)%Categories + 1)
	}
	return m
}
