package tests

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
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

// checkClasses compares classes, loaded with students and teachers and their
// categories, with what was inserted.
func (school *School) checkClasses(t *testing.T, classes []*SchoolClass) {
	t.Helper()
	require.Len(t, classes, len(school.Classes))
	students := map[int64][]*Student{}
	for _, x := range school.Students {
		students[x.Class.Ref().ID] = append(students[x.Class.Ref().ID], x)
	}
	teachers := map[int64][]*Teacher{}
	for _, x := range school.Teachers {
		teachers[x.Class.Ref().ID] = append(teachers[x.Class.Ref().ID], x)
	}
	categories := map[int64]*Category{}
	for i, class := range classes {
		want := school.Classes[i]
		require.Equal(t, want.ID, class.ID)
		assert.Equal(t, want.Name, class.Name)
		require.True(t, class.Students.Loaded())
		require.Len(t, class.Students.All(), len(students[class.ID]))
		for j, x := range class.Students.All() {
			w := students[class.ID][j]
			assert.Equal(t, w.ID, x.ID)
			assert.Equal(t, w.Name, x.Name)
			assert.Same(t, class, x.Class.Get())
			checkCategory(t, categories, w.Category, x.Category)
		}
		require.True(t, class.Teachers.Loaded())
		require.Len(t, class.Teachers.All(), len(teachers[class.ID]))
		for j, x := range class.Teachers.All() {
			w := teachers[class.ID][j]
			assert.Equal(t, w.ID, x.ID)
			assert.Equal(t, w.Name, x.Name)
			assert.Same(t, class, x.Class.Get())
			checkCategory(t, categories, w.Category, x.Category)
		}
	}
}

// checkCategory compares a loaded foreign key with what was inserted. One
// category is one value in the whole result.
func checkCategory(t *testing.T, seen map[int64]*Category, want, got kin.ForeignKey[Category]) {
	t.Helper()
	require.Equal(t, want.IsNull(), got.IsNull())
	if want.IsNull() {
		assert.Nil(t, got.Get())
		return
	}
	require.NotNil(t, got.Get())
	assert.Equal(t, want.Get().ID, got.Get().ID)
	assert.Equal(t, want.Get().Name, got.Get().Name)
	if before := seen[got.Get().ID]; before != nil {
		assert.Same(t, before, got.Get())
	}
	seen[got.Get().ID] = got.Get()
}
