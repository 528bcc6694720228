package kin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// reverseSchool is a database with the classes 1A (Ann, Bob) and 1B (Cid),
// and an empty one, 1C.
func reverseSchool(t *testing.T) *kin.DB {
	t.Helper()
	ctx, db := t.Context(), open(t, fkRegistry())
	a, b, c := &fkClass{Name: "1A"}, &fkClass{Name: "1B"}, &fkClass{Name: "1C"}
	require.NoError(t, kin.Insert(ctx, db, a, b, c))
	require.NoError(t, kin.Insert(ctx, db,
		&fkStudent{Name: "Ann", Class: kin.To(a)}, &fkStudent{Name: "Bob", Class: kin.To(a)}, &fkStudent{Name: "Cid", Class: kin.To(b)}))
	return db
}

func reverseNames(students []*fkStudent) string {
	names := make([]string, len(students))
	for i, s := range students {
		names[i] = s.Name
	}
	return fmt.Sprint(names)
}

func TestReverse(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), reverseSchool(t)

	var none kin.Reverse[fkStudent]
	assert.False(t, none.Loaded())
	assert.True(t, none.IsZero())
	assert.Nil(t, none.All())
	assert.Zero(t, none.Len())
	assert.Equal(t, "[fkStudent(not loaded)]", none.String())
	for range none.Values() {
		assert.Fail(t, "nothing to iterate over")
	}
	_, err := none.Load(ctx, db)
	require.ErrorIs(t, err, kin.ErrUnbound)
	require.EqualError(t, err, "kin: a Reverse[fkStudent] does not know its row; read, insert or kin.Bind the row first")
	_, err = none.Query().Count(ctx, db)
	require.ErrorIs(t, err, kin.ErrUnbound)

	classes, err := kin.Query[fkClass]().OrderBy("name").All(ctx, db)
	require.NoError(t, err)
	require.Len(t, classes, 3)
	a, c := classes[0], classes[2]
	assert.False(t, a.Students.Loaded(), "no query has asked for them")
	students, err := a.Students.Load(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, "[Ann Bob]", reverseNames(students))
	assert.Equal(t, students, a.Students.All())
	assert.Equal(t, students, slices.Collect(a.Students.Values()))
	assert.Equal(t, 2, a.Students.Len())
	assert.Same(t, a, students[0].Class.Get(), "each leads back to its owner")
	for student := range a.Students.Values() {
		assert.Equal(t, "Ann", student.Name)
		break
	}
	empty, err := c.Students.Load(ctx, db)
	require.NoError(t, err)
	assert.Empty(t, empty)
	assert.True(t, c.Students.Loaded(), "loaded, and empty")
	assert.False(t, c.Students.IsZero())
	assert.Equal(t, "[]", c.Students.String())

	narrow, err := a.Students.Query().Filter("name__startswith", "B").All(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, "[Bob]", reverseNames(narrow))
	assert.Equal(t, 2, a.Students.Len(), "Query leaves what is loaded alone")
	n, err := classes[1].Students.Query().Count(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, int64(1), n)

	// Rows that were inserted know themselves; rows made by hand are bound.
	inserted := &fkClass{Name: "1D"}
	require.NoError(t, kin.Insert(ctx, db, inserted))
	_, err = inserted.Students.Load(ctx, db)
	require.NoError(t, err)
	assert.True(t, inserted.Students.Loaded())
	made := &fkClass{ID: a.ID}
	require.NoError(t, kin.Bind(db, made))
	_, err = made.Students.Load(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, "[Ann Bob]", reverseNames(made.Students.All()))
	unsaved := &fkClass{}
	require.NoError(t, kin.Bind(db, unsaved))
	_, err = unsaved.Students.Load(ctx, db)
	require.ErrorIs(t, err, kin.ErrUnsaved)
	require.EqualError(t, err, "kin: fkClass.Students: the fkClass is not saved: it has no primary key yet")
}

// TestSetLinksBothSides: what Set does to loaded rows on the other side.
func TestSetLinksBothSides(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), reverseSchool(t)
	read := func(t *testing.T) (a, b, c *fkClass) {
		t.Helper()
		classes, err := kin.Query[fkClass]().SelectRelated("students").OrderBy("name").All(ctx, db)
		require.NoError(t, err)
		require.Len(t, classes, 3)
		return classes[0], classes[1], classes[2]
	}
	look := func(classes ...*fkClass) string {
		var text strings.Builder
		for _, class := range classes {
			text.WriteString(reverseNames(class.Students.All()))
		}
		return text.String()
	}

	a, b, c := read(t)
	require.Equal(t, "[Ann Bob][Cid][]", look(a, b, c))
	ann := a.Students.All()[0]
	before := a.Students.All()
	ann.Class.Set(b)
	assert.Equal(t, "[Bob][Cid Ann][]", look(a, b, c), "from one to the other")
	assert.Equal(t, "[Ann Bob]", reverseNames(before), "a slice that was handed out is left alone")
	assert.Same(t, b, ann.Class.Get())
	ann.Class.Set(b)
	assert.Equal(t, "[Bob]", look(a), "again: nothing is there twice")
	assert.ElementsMatch(t, []string{"Cid", "Ann"}, []string{b.Students.All()[0].Name, b.Students.All()[1].Name})
	require.Equal(t, 2, b.Students.Len())
	ann.Class.Set(c)
	assert.Equal(t, "[Bob][Cid][Ann]", look(a, b, c), "into a loaded one that was empty")
	ann.Class.Clear()
	assert.Equal(t, "[Bob][Cid][]", look(a, b, c), "to nowhere")
	ann.Class.Set(a)
	assert.Equal(t, "[Bob Ann][Cid][]", look(a, b, c), "from nowhere")
	require.NoError(t, ann.Class.SetKey(b.ID))
	assert.Equal(t, "[Bob][Cid][]", look(a, b, c), "a key leads to no row at hand")
	require.Error(t, b.Students.All()[0].Class.SetKey("x"))
	assert.Equal(t, "[Bob][Cid][]", look(a, b, c), "a SetKey that fails changes nothing")
	require.NoError(t, b.Students.All()[0].Class.UnmarshalJSON([]byte("null")))
	assert.Equal(t, "[Bob][][]", look(a, b, c), "read from JSON")
	again, _, _ := read(t)
	assert.Equal(t, "[Ann Bob]", look(again), "the database is not changed")

	a, b, _ = read(t)
	copied := *a.Students.All()[0]
	copied.Class.Set(b)
	assert.Equal(t, "[Ann Bob][Cid]", look(a, b), "a copy of a row belongs to no class")
	loose := &fkStudent{Name: "Zoe"}
	loose.Class.Set(a)
	assert.Equal(t, "[Ann Bob]", look(a), "nor does a row that kin has not seen")
	require.NoError(t, kin.Bind(db, loose))
	loose.Class.Set(b)
	assert.Equal(t, "[Ann Bob][Cid Zoe]", look(a, b), "until it is bound")

	plain, err := kin.Query[fkClass]().Filter("name", "1C").Get(ctx, db)
	require.NoError(t, err)
	bob := a.Students.All()[1]
	bob.Class.Set(plain)
	assert.Equal(t, "[Ann]", look(a))
	assert.False(t, plain.Students.Loaded(), "what is not loaded stays so: there may be others")
	assert.Zero(t, plain.Students.Len())

	// A student read by itself has its class loaded, whose students are not.
	lone, err := kin.Query[fkStudent]().SelectRelated("class").Filter("name", "Ann").Get(ctx, db)
	require.NoError(t, err)
	old := lone.Class.Get()
	lone.Class.Set(b)
	assert.False(t, old.Students.Loaded())
	assert.Equal(t, "[Cid Zoe Ann]", look(b))
}

// TestCopies: a copied row has relation fields of its own.
func TestCopies(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), reverseSchool(t)
	class, err := kin.Query[fkClass]().SelectRelated("students").Filter("name", "1A").Get(ctx, db)
	require.NoError(t, err)
	copied := *class
	assert.Equal(t, "[Ann Bob]", reverseNames(copied.Students.All()))
	class.Students.All()[0].Class.Clear()
	assert.Equal(t, "[Bob]", reverseNames(class.Students.All()))
	assert.Equal(t, "[Ann Bob]", reverseNames(copied.Students.All()))
	students := copied.Students
	assert.Equal(t, 2, students.Len())
}

// TestPrintingEnds prints rows that lead to each other.
func TestPrintingEnds(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), reverseSchool(t)
	class, err := kin.Query[fkClass]().SelectRelated("students__class__students").Filter("name", "1A").Get(ctx, db)
	require.NoError(t, err)
	ann := class.Students.All()[0]
	require.Same(t, class, ann.Class.Get(), "a circle")
	for _, c := range []struct {
		format, want string
		value        any
	}{
		{"%v", "&{1 1A [fkStudent(1) fkStudent(2)]}", class},
		{"%+v", "&{ID:1 Name:1A Students:[fkStudent(1) fkStudent(2)]}", class},
		{"%#v", `&kin_test.fkClass{ID:1, Name:"1A", Students:[fkStudent(1) fkStudent(2)]}`, class},
		{"%v", "{1 Ann fkClass(1)}", *ann},
		{"%+v", "{ID:1 Name:Ann Class:fkClass(1)}", *ann},
		{"%#v", `kin_test.fkStudent{ID:1, Name:"Ann", Class:fkClass(1)}`, *ann},
		{"%v", "[fkStudent(1) fkStudent(2)]", class.Students},
		{"%#v", "[fkStudent(1) fkStudent(2)]", class.Students},
		{"%s", "fkClass(1)", ann.Class},
		{"%v", "[fkStudent(unsaved)]", reverseUnsaved(t)},
	} {
		assert.Equal(t, c.want, fmt.Sprintf(c.format, c.value), c.format)
	}
	for _, verb := range []string{"%d", "%x", "%q", "%T", "%p", "%t"} {
		assert.NotEmpty(t, fmt.Sprintf(verb, class), "other verbs come to an end too")
	}
}

func reverseUnsaved(t *testing.T) kin.Reverse[fkStudent] {
	t.Helper()
	var r kin.Reverse[fkStudent]
	require.NoError(t, r.UnmarshalJSON([]byte(`[{"Name":"Zoe"}]`)))
	return r
}
