package kin_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

func TestErrNotFound(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), reverseSchool(t)
	require.EqualError(t, kin.ErrNotFound, "kin: no row found")
	require.ErrorIs(t, kin.ErrNotFound, sql.ErrNoRows)
	require.NotErrorIs(t, sql.ErrNoRows, kin.ErrNotFound, "but not the other way round")
	require.NotErrorIs(t, kin.ErrNotFound, kin.ErrMultipleFound)

	none := kin.Query[fkClass]().Filter("name", "9Z")
	for name, run := range map[string]func() error{
		"Get":   func() error { _, err := none.Get(ctx, db); return err },
		"First": func() error { _, err := none.First(ctx, db); return err },
		"Last":  func() error { _, err := none.Last(ctx, db); return err },
		"Last of a page": func() error {
			_, err := kin.Query[fkClass]().Limit(5).Offset(100).Last(ctx, db)
			return err
		},
		"Get of what is known to be empty": func() error {
			_, err := kin.Query[fkClass]().Filter("name__in", []string{}).Get(ctx, db)
			return err
		},
	} {
		err := run()
		require.ErrorIs(t, err, kin.ErrNotFound, name)
		require.ErrorIs(t, err, sql.ErrNoRows, name)
		require.EqualError(t, err, "kin: no row found: fkClass", name)
	}

	_, err := kin.Query[fkClass]().Get(ctx, db)
	require.ErrorIs(t, err, kin.ErrMultipleFound)
	require.NotErrorIs(t, err, sql.ErrNoRows)
	require.EqualError(t, err, "kin: more than one row found: fkClass")
	one, err := kin.Query[fkClass]().Limit(1).Get(ctx, db)
	require.NoError(t, err, "a query that has one row by its limit has one")
	assert.Equal(t, "1A", one.Name)
}

func TestModelErrorText(t *testing.T) {
	t.Parallel()
	require.EqualError(t, &kin.ModelError{Model: "Student", Field: "Class", Text: "is wrong"}, "kin: Student.Class is wrong")
	require.EqualError(t, &kin.ModelError{Model: "Student", Text: "is wrong"}, "kin: Student is wrong")
	var r kin.Registry
	kin.Register[registryPupil](&r)
	var mistake *kin.ModelError
	require.ErrorAs(t, r.Check(), &mistake)
	assert.Equal(t, kin.ModelError{
		Model: "registryPupil", Field: "Grade",
		Text: "refers to registryGrade, which is not registered; add kin.Register[registryGrade]() to an init function",
	}, *mistake)
}

// TestMistakesReachEveryone: each use of models that are wrong says so.
func TestMistakesReachEveryone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var r kin.Registry
	kin.Register[registryPupil](&r)
	db, err := sqlite.Open(ctx, ":memory:", kin.WithRegistry(&r))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	query := kin.Query[registryPupil]()
	for name, run := range map[string]func() error{
		"All":          func() error { _, err := query.All(ctx, db); return err },
		"Count":        func() error { _, err := query.Count(ctx, db); return err },
		"SQL":          func() error { _, _, err := query.SQL(db.Dialect()); return err },
		"Insert":       func() error { return kin.Insert(ctx, db, &registryPupil{}) },
		"CreateTables": func() error { return kin.CreateTables(ctx, db) },
		"DropTables":   func() error { return kin.DropTables(ctx, db) },
		"Bind":         func() error { return kin.Bind(db, &registryPupil{}) },
		"Iter": func() (err error) {
			for _, e := range query.Iter(ctx, db) {
				err = e
			}
			return err
		},
		"Models":              func() error { _, err := r.Models(); return err },
		"ResolveRelationJoin": func() error { _, err := r.ResolveRelationJoin("a", "b"); return err },
	} {
		var mistake *kin.ModelError
		require.ErrorAs(t, run(), &mistake, name)
		assert.Equal(t, "Grade", mistake.Field, name)
	}
}

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), reverseSchool(t)
	classes, students := kin.Query[fkClass](), kin.Query[fkStudent]()
	all := func(q kin.QuerySet[fkClass]) error { _, err := q.All(ctx, db); return err }
	var path *kin.PathError
	for _, c := range []struct {
		err  error
		want string
		path bool
		why  string
	}{
		{all(classes.SelectRelated("studnts")), `kin: fkClass has no relation "studnts"; did you mean "students"?`, true, "a slip"},
		{
			all(classes.SelectRelated("studnts__class")), `kin: fkClass has no relation "studnts" (in "studnts__class"); did you mean "students"?`,
			true, "a slip on the way",
		},
		{all(classes.Limit(-1)), "kin: a query on fkClass: the limit -1 is negative", false, "a negative limit"},
		{all(classes.Offset(-2)), "kin: a query on fkClass: the offset -2 is negative", false, "a negative offset"},
		{all(classes.Limit(-1).Offset(-2)), "kin: a query on fkClass: the limit -1 is negative", false, "the first mistake is told"},
		{
			all(classes.Filter("name", "a", "id")),
			`kin: a query on fkClass: conditions are pairs of a lookup and a value; after "name" comes string, and no pair of text and value`,
			false, "a lookup without a value",
		},
		{
			all(classes.Exclude("name", "a", 5, "id")),
			`kin: a query on fkClass: conditions are pairs of a lookup and a value; after "name" comes int, and no pair of text and value`,
			false, "a lookup that is no text",
		},
		{kin.Insert(ctx, db, &fkClass{}, nil), "kin: insert of fkClass: row 2 of 2 is nil", false, "a row that is nil"},
		{
			kin.Insert(ctx, db, &jsonClass{}),
			"kin: jsonClass is not registered; add kin.Register[jsonClass]() to an init function (registered are: fkBadge, fkClass, fkCountry, fkPlace, fkSeat, fkStudent, fkTicket)",
			false, "a model of another registry",
		},
		{
			kin.Insert(ctx, db, &fkPlace{}),
			"kin: insert of fkPlace: fkPlace.Seat is NULL, which the column cannot hold; set it, or add the null option", false, "NULL where there may be none",
		},
		{
			kin.Insert(ctx, db, &fkStudent{Class: kin.To(&fkClass{})}),
			"kin: insert of fkStudent: fkStudent.Class leads to a fkClass that is not saved: it has no primary key yet", false, "a row that is not saved",
		},
		{
			kin.Insert(ctx, db, &fkStudent{Name: "a\x00b"}),
			"kin: insert of fkStudent: fkStudent.Name is a text with the character U+0000, which no text column holds; use []byte", false, "a text that no database holds",
		},
	} {
		require.EqualError(t, c.err, c.want, c.why)
		assert.Equal(t, c.path, errors.As(c.err, &path), c.why)
	}
	require.ErrorAs(t, all(classes.SelectRelated("studnts__class")), &path)
	assert.Equal(t, "fkClass", path.Model)
	assert.Equal(t, "studnts__class", path.Path)
	assert.Equal(t, "studnts", path.Step)
	assert.Contains(t, path.Known, "students")
	n, err := students.Count(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, int64(3), n, "nothing was written by what failed")
}
