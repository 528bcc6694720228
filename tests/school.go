package tests

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// The school, in the default registry, as a user would write it.
type (
	// SchoolClass has students and teachers.
	SchoolClass struct {
		ID       int64
		Name     string
		Students kin.Reverse[Student] `json:",omitzero"`
		Teachers kin.Reverse[Teacher] `json:",omitzero"`
	}

	// Category is what a student learns and a teacher teaches.
	Category struct {
		ID   int64
		Name string
	}

	// Student may have no category.
	Student struct {
		ID       int64
		Name     string
		Class    kin.ForeignKey[SchoolClass] `kin:"class_id,related_name=students,on_delete=cascade"`
		Category kin.ForeignKey[Category]    `kin:",null"`
	}

	// Teacher may have no category.
	Teacher struct {
		ID       int64
		Name     string
		Class    kin.ForeignKey[SchoolClass] `kin:"class_id,related_name=teachers,on_delete=cascade"`
		Category kin.ForeignKey[Category]    `kin:",null"`
	}
)

func init() {
	kin.Register[SchoolClass]()
	kin.Register[Student]()
	kin.Register[Teacher]()
	kin.Register[Category]()
}

// A School is the rows of the school, as they were inserted.
type School struct {
	Categories []*Category
	Classes    []*SchoolClass
	Students   []*Student
	Teachers   []*Teacher
}

// NewSchool fills a school: every class has as many students and teachers.
// Their categories go round, with none after the last, so that each class has
// some without.
func (s *Suite) NewSchool(t testing.TB, classes, students, teachers int) *School {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	school := &School{}
	for _, name := range []string{"Music", "Maths", "Sport"} {
		school.Categories = append(school.Categories, &Category{Name: name})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, school.Categories...))
	for i := range classes {
		school.Classes = append(school.Classes, &SchoolClass{Name: fmt.Sprintf("class %03d", i)})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, school.Classes...))
	category := func(i int) kin.ForeignKey[Category] {
		if i %= 4; i < len(school.Categories) {
			return kin.To(school.Categories[i])
		}
		return kin.ForeignKey[Category]{}
	}
	for i, class := range school.Classes {
		for j := range students {
			school.Students = append(school.Students, &Student{
				Name: fmt.Sprintf("student %02d", (i+j*7)%students), Class: kin.To(class), Category: category(i + j),
			})
		}
		for j := range teachers {
			school.Teachers = append(school.Teachers, &Teacher{
				Name: fmt.Sprintf("teacher %02d", j), Class: kin.To(class), Category: category(i + j + 1),
			})
		}
	}
	require.NoError(t, kin.Insert(ctx, s.DB, school.Students...))
	require.NoError(t, kin.Insert(ctx, s.DB, school.Teachers...))
	s.Wire.Reset()
	return school
}
