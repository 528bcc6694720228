// Package docs has the programs of docs/queries.md, and writes it: each program
// is run on every database, and its statements are printed beside it.
package docs

import (
	"time"

	"github.com/kin-orm/kin"
)

// The models.
type (
	// SchoolClass has many students and teachers.
	SchoolClass struct {
		ID       int64
		Name     string
		Students kin.Reverse[Student]
		Teachers kin.Reverse[Teacher]
	}

	// Category is what a student learns.
	Category struct {
		ID   int64
		Name string
	}

	// Student may be in clubs.
	Student struct {
		ID       int64
		Name     string
		Score    *int64
		Born     time.Time
		Class    kin.ForeignKey[SchoolClass] `kin:",related_name=students"`
		Category kin.ForeignKey[Category]    `kin:",null"`
		Clubs    kin.ManyToMany[Club]
	}

	// Teacher may report to another one.
	Teacher struct {
		ID        int64
		Name      string
		Pay       int64
		Class     kin.ForeignKey[SchoolClass] `kin:",related_name=teachers"`
		ReportsTo kin.ForeignKey[Teacher]     `kin:",null,related_name=staff"`
	}

	// Club has many students.
	Club struct {
		ID   int64
		Name string
	}

	// Lesson has a document, and words that are searched.
	Lesson struct {
		kin.Tracked

		ID    int64
		Title string
		Text  string
		Meta  map[string]any              `kin:",json"`
		Class kin.ForeignKey[SchoolClass] `kin:",related_name=lessons"`
	}

	// Tagged has a list in a column: on PostgreSQL alone.
	Tagged struct {
		ID   int64
		Tags []string
	}
)

// KinTable gives the table of lessons a full-text index.
func (Lesson) KinTable() kin.Table {
	return kin.Table{SpecialIndexes: []kin.Index{{Name: "lesson_words", Columns: []string{"title", "text"}, FullText: true}}}
}

// columns: the typed columns of the models, declared once.
var (
	classStudents = kin.Rel(func(c *SchoolClass) *Student { return c.Students.Any() })
	studentName   = kin.Col(func(s *Student) *string { return &s.Name })
	studentScore  = kin.Col(func(s *Student) *int64 { return s.Score })
	studentClass  = kin.Col(func(s *Student) *string { return &s.Class.Get().Name })
	studentID     = kin.Col(func(s *Student) *int64 { return &s.ID })
	studentOf     = kin.Rel(func(s *Student) *SchoolClass { return s.Class.Get() })
	categoryName  = kin.Col(func(s *Student) *string { return &s.Category.Get().Name })
	className     = kin.Col(func(c *SchoolClass) *string { return &c.Name })
	tags          = kin.Col(func(t *Tagged) *[]string { return &t.Tags })
)

// registry returns the models that a database can have.
func registry(database string) *kin.Registry {
	var r kin.Registry
	kin.Register[SchoolClass](&r)
	kin.Register[Category](&r)
	kin.Register[Student](&r)
	kin.Register[Teacher](&r)
	kin.Register[Club](&r)
	kin.Register[Lesson](&r)
	if database == "postgres" {
		kin.Register[Tagged](&r)
	}
	return &r
}
