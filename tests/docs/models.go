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
)

// columns: the typed columns of the models, declared once.
var (
	classStudents = kin.Rel(func(c *SchoolClass) *Student { return c.Students.Any() })
	studentName   = kin.Col(func(s *Student) *string { return &s.Name })
	studentScore  = kin.Col(func(s *Student) *int64 { return s.Score })
	studentClass  = kin.Col(func(s *Student) *string { return &s.Class.Get().Name })
	studentID     = kin.Col(func(s *Student) *int64 { return &s.ID })
)

func registry() *kin.Registry {
	var r kin.Registry
	kin.Register[SchoolClass](&r)
	kin.Register[Category](&r)
	kin.Register[Student](&r)
	kin.Register[Teacher](&r)
	kin.Register[Club](&r)
	return &r
}
