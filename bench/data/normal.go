package data

import (
	"cmp"
	"slices"
)

// A Person is a student or a teacher with what was loaded beside it, as results
// are compared.
type Person struct {
	ID       int64
	Name     string
	Class    Named
	Category Named // zero if there is none
}

// A Named is a class or a category.
type Named struct {
	ID   int64
	Name string
}

// A School is a class with its students and teachers, as results are compared.
type School struct {
	Named
	Students []Person
	Teachers []Person
}

// People returns all students with class and category, by their keys.
func People() []Person {
	list := make([]Person, Students)
	for i := range list {
		list[i] = person(Student(i + 1))
	}
	return list
}

// PeopleOf returns the students of a class.
func PeopleOf(class int64) []Person {
	return slices.DeleteFunc(People(), func(p Person) bool { return p.Class.ID != class })
}

// InCategory returns how many students have a category.
func InCategory(category int64) (n int64) {
	for _, p := range People() {
		if p.Category.ID == category {
			n++
		}
	}
	return n
}

// Schools returns all classes with their students, and their teachers if asked.
func Schools(teachers bool) []School {
	list := make([]School, Classes)
	for i := range list {
		list[i].Named = Named{int64(i + 1), ClassName(i + 1)}
	}
	for _, p := range People() {
		list[p.Class.ID-1].Students = append(list[p.Class.ID-1].Students, p)
	}
	for i := range Teachers {
		if p := person(Teacher(i + 1)); teachers {
			list[p.Class.ID-1].Teachers = append(list[p.Class.ID-1].Teachers, p)
		}
	}
	return list
}

func person(m Member) Person {
	p := Person{ID: m.ID, Name: m.Name, Class: Named{m.Class, ClassName(int(m.Class))}}
	if m.Category != 0 {
		p.Category = Named{m.Category, CategoryName(int(m.Category))}
	}
	return p
}

// Sorted returns schools as they are compared: those that a relation leads to
// have no order of their own.
func Sorted(schools []School) []School {
	byID := func(a, b Person) int { return cmp.Compare(a.ID, b.ID) }
	for _, s := range schools {
		slices.SortFunc(s.Students, byID)
		slices.SortFunc(s.Teachers, byID)
	}
	return schools
}

// UTC returns a Wide whose times are in UTC, as they are compared.
func (w Wide) UTC() Wide {
	w.Created, w.Updated = w.Created.UTC(), w.Updated.UTC()
	return w
}

// A Sum is what is known of the rows of a stream.
type Sum struct{ Rows, Keys, Letters int64 }

// Add counts a row.
func (s *Sum) Add(id int64, name string) {
	s.Rows++
	s.Keys += id
	s.Letters += int64(len(name))
}
