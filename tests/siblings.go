package tests

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func siblingCases() []Case {
	return []Case{
		{"siblings/two branches cost their sum", testTwoBranches},
	}
}

func testTwoBranches(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 50, 20, 3)
	classes, err := kin.Query[SchoolClass]().
		SelectRelated("students__category", "teachers__category").All(t.Context(), s.DB)
	require.NoError(t, err)
	// A row for each class, student and teacher; the product would be 3,000.
	s.Wire.Want(t, 1, 50+50*20+50*3)
	school.checkClasses(t, classes)
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
