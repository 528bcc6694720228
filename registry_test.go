package kin_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect/sqlite"
)

// registryEarlyQuery is made before any init function has run.
var registryEarlyQuery = kin.Query[registryPupil]().SelectRelated("grade").Filter("grade__name", "1A").OrderBy("-name")

var registryEarly kin.Registry

func init() {
	kin.Register[registryPupil](&registryEarly) // before what it refers to
	kin.Register[registryGrade](&registryEarly)
}

type (
	registryGrade struct {
		ID     int64
		Name   string
		Pupils kin.Reverse[registryPupil] // another name than the related name
	}
	registryPupil struct {
		ID     int64
		Name   string
		Grade  kin.ForeignKey[registryGrade] `kin:",related_name=members"`
		Friend kin.ForeignKey[registryPupil] `kin:",null"`
	}
	registryLesson struct {
		ID    int64
		Name  string
		Grade kin.ForeignKey[registryGrade] `kin:"grade_no"`
	}
	registryMatch struct {
		ID    int64
		Home  kin.ForeignKey[registryGrade] `kin:",related_name=home_matches"`
		Guest kin.ForeignKey[registryGrade] `kin:",related_name=guest_matches"`
	}
	registrySeat struct {
		Row    string `kin:",pk"`
		Number int    `kin:"no,pk"`
	}
	registryTicket struct {
		ID   int64
		Seat kin.ForeignKey[registrySeat]
	}
	registryOdd struct{ ID int64 }
)

func (registryOdd) KinTable() kin.Table { return kin.Table{Name: `odd "one"`} }

func registrySchool() *kin.Registry {
	var r kin.Registry
	kin.Register[registryLesson](&r)
	kin.Register[registryPupil](&r)
	kin.Register[registryGrade](&r)
	kin.Register[registryMatch](&r)
	kin.Register[registryTicket](&r)
	kin.Register[registrySeat](&r)
	return &r
}

// open returns an empty database in memory for the models of a registry.
func open(t *testing.T, r *kin.Registry) *kin.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), ":memory:", kin.WithRegistry(r))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	require.NoError(t, kin.CreateTables(t.Context(), db))
	return db
}

func TestEmptyRegistry(t *testing.T) {
	t.Parallel()
	var r kin.Registry
	require.NoError(t, r.Check())
	names, err := r.Models()
	require.NoError(t, err)
	assert.Empty(t, names)
	text, err := r.Mermaid()
	require.NoError(t, err)
	assert.Equal(t, "erDiagram\n", text)
}

func TestModels(t *testing.T) {
	t.Parallel()
	r := registrySchool()
	kin.Register[registryGrade](r) // twice is once
	require.NoError(t, r.Check())
	names, err := r.Models()
	require.NoError(t, err)
	assert.Equal(t, []string{"registryGrade", "registryLesson", "registryMatch", "registryPupil", "registrySeat", "registryTicket"}, names)
}

func TestRegistriesAreApart(t *testing.T) {
	t.Parallel()
	first := kin.Relations()
	assert.Same(t, first, kin.Relations(), "the default registry is one")
	names, err := kin.Relations().Models()
	require.NoError(t, err)
	assert.NotContains(t, names, "registryGrade", "it has no models of private ones")

	// One model may be in several registries, and its relations differ there.
	var grades, both kin.Registry
	kin.Register[registrySeat](&grades, &both)
	kin.Register[registryTicket](&both)
	_, err = grades.ResolveRelationJoin("registrySeat", "registryTicket")
	require.EqualError(t, err, `kin: no model has the table or the name "registryTicket"; there are registry_seats`)
	_, err = both.ResolveRelationJoin("registrySeat", "registryTicket")
	require.NoError(t, err)

	// A model that a query needs and its database does not know.
	_, err = kin.Query[registryTicket]().All(t.Context(), open(t, &grades))
	require.EqualError(t, err, "kin: registryTicket is not registered; add kin.Register[registryTicket]() to an init function (registered are: registrySeat)")
}

func TestLookupNames(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := open(t, registrySchool())
	grade := &registryGrade{Name: "1A"}
	require.NoError(t, kin.Insert(ctx, db, grade, &registryGrade{Name: "1B"}))
	pupil := &registryPupil{Name: "Ann", Grade: kin.To(grade)}
	require.NoError(t, kin.Insert(ctx, db, pupil))
	require.NoError(t, kin.Insert(ctx, db, &registryPupil{Name: "Bob", Grade: kin.To(grade), Friend: kin.To(pupil)}))
	require.NoError(t, kin.Insert(ctx, db, &registryLesson{Name: "music", Grade: kin.To(grade)}))

	for _, c := range []struct{ lookup, value, why string }{
		{"members__name", "Ann", "the related name"},
		{"pupils__name", "Ann", "the name of the field, which is another"},
		{"registrylessons__name", "music", "the default: the child in lower case and an s; no field is needed"},
		{"members__friend__name", "Ann", "a foreign key to its own model"},
		{"members__registrypupils__name", "Bob", "and its reverse"},
	} {
		found, err := kin.Query[registryGrade]().Filter(c.lookup, c.value).All(ctx, db)
		require.NoError(t, err, c.why)
		require.Len(t, found, 1, c.why)
		assert.Equal(t, "1A", found[0].Name, c.why)
	}
	for _, path := range []string{"members", "pupils"} {
		found, err := kin.Query[registryGrade]().SelectRelated(kin.Path[registryGrade](path)).OrderBy("name").All(ctx, db)
		require.NoError(t, err)
		require.Len(t, found, 2)
		assert.Equal(t, 2, found[0].Pupils.Len(), path)
		assert.True(t, found[1].Pupils.Loaded(), path)
		assert.Zero(t, found[1].Pupils.Len(), path)
	}
	_, err := kin.Query[registryGrade]().SelectRelated("pupls").All(ctx, db)
	require.EqualError(t, err, `kin: registryGrade has no relation "pupls"; did you mean "pupils"?`)
	_, err = kin.Query[registryGrade]().SelectRelated("nothing").All(ctx, db)
	require.EqualError(t, err, `kin: registryGrade has no relation "nothing"; there are guest_matches, home_matches, members, pupils, registrylessons`)
	_, err = kin.Query[registryGrade]().SelectRelated("registrylessons").All(ctx, db)
	require.ErrorContains(t, err, "registrylessons", "loading needs a field")
	require.ErrorContains(t, err, "kin.Reverse[registryLesson]", "the line to add")
}

func TestLateRegistration(t *testing.T) {
	t.Parallel()
	var r kin.Registry
	kin.Register[registryPupil](&r)
	require.EqualError(t, r.Check(), "kin: registryPupil.Grade refers to registryGrade, which is not registered; add kin.Register[registryGrade]() to an init function")
	kin.Register[registryGrade](&r)
	require.NoError(t, r.Check(), "the next use resolves anew")
	before, err := r.ResolveRelationJoin("registryGrade", "registryPupil")
	require.NoError(t, err)

	db := open(t, &r)
	query := kin.Query[registryGrade]().SelectRelated("pupils")
	_, err = query.All(t.Context(), db)
	require.NoError(t, err)
	_, err = r.ResolveRelationJoin("registry_lessons", "registry_grades")
	require.Error(t, err)
	kin.Register[registryLesson](&r)
	_, err = r.ResolveRelationJoin("registry_lessons", "registry_grades")
	require.NoError(t, err)
	after, err := r.ResolveRelationJoin("registryGrade", "registryPupil")
	require.NoError(t, err)
	assert.Equal(t, before, after, "a relation keeps its alias")
	_, err = query.Filter("registrylessons__name", "music").All(t.Context(), db)
	require.ErrorContains(t, err, "no such table", "the query knows the new relation, if not the database")
	_, err = query.All(t.Context(), db)
	require.NoError(t, err, "a query that has run before runs on the new graph")
}

func TestEarlyQuery(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := open(t, &registryEarly)
	grade := &registryGrade{Name: "1A"}
	require.NoError(t, kin.Insert(ctx, db, grade))
	require.NoError(t, kin.Insert(ctx, db, &registryPupil{Name: "Ann", Grade: kin.To(grade)}, &registryPupil{Name: "Bob", Grade: kin.To(grade)}))
	found, err := registryEarlyQuery.All(ctx, db)
	require.NoError(t, err)
	require.Len(t, found, 2)
	assert.Equal(t, "Bob", found[0].Name)
	assert.Equal(t, "1A", found[0].Grade.Get().Name)
	assert.Same(t, found[0].Grade.Get(), found[1].Grade.Get())
}

func TestResolveRelationJoin(t *testing.T) {
	t.Parallel()
	r := registrySchool()
	for _, c := range []struct {
		from, to string
		want     kin.RelationJoin
		sql, why string
	}{
		{
			"registry_pupils", "registry_grades",
			kin.RelationJoin{From: "registry_pupils", To: "registry_grades", Name: "grade", On: [][2]string{{"grade_id", "id"}}},
			`LEFT JOIN "registry_grades" AS "?" ON "?"."id" = "registry_pupils"."grade_id"`, "by tables",
		},
		{
			"registryGrade", "registryPupil",
			kin.RelationJoin{From: "registry_grades", To: "registry_pupils", Name: "members", ToMany: true, On: [][2]string{{"id", "grade_id"}}},
			`LEFT JOIN "registry_pupils" AS "?" ON "?"."grade_id" = "registry_grades"."id"`, "back, by models: another relation",
		},
		{
			"registryLesson", "registry_grades",
			kin.RelationJoin{From: "registry_lessons", To: "registry_grades", Name: "grade", On: [][2]string{{"grade_no", "id"}}},
			`LEFT JOIN "registry_grades" AS "?" ON "?"."id" = "registry_lessons"."grade_no"`, "one of each, and a column of another name",
		},
		{
			"registry_tickets", "registry_seats",
			kin.RelationJoin{From: "registry_tickets", To: "registry_seats", Name: "seat", On: [][2]string{{"seat_row", "row"}, {"seat_number", "no"}}},
			`LEFT JOIN "registry_seats" AS "?" ON "?"."row" = "registry_tickets"."seat_row" AND "?"."no" = "registry_tickets"."seat_number"`,
			"a key of two columns",
		},
	} {
		join, err := r.ResolveRelationJoin(c.from, c.to)
		require.NoError(t, err, c.why)
		assert.Regexp(t, `^[A-Z]{2}[0-9a-f]{4}$`, join.Alias, c.why)
		c.want.Alias = join.Alias
		assert.Equal(t, c.want, join, c.why)
		assert.Equal(t, strings.ReplaceAll(c.sql, "?", join.Alias), join.String(), c.why)
	}
	there, err := r.ResolveRelationJoin("registry_pupils", "registry_grades")
	require.NoError(t, err)
	back, err := r.ResolveRelationJoin("registry_grades", "registry_pupils")
	require.NoError(t, err)
	assert.NotEqual(t, there.Alias, back.Alias)

	for _, c := range []struct{ from, to, want, why string }{
		{
			"registry_pupil", "registry_grades",
			`kin: no model has the table or the name "registry_pupil"; did you mean "registry_pupils"?`, "a slip",
		},
		{
			"registry_pupils", "registryGrad",
			`kin: no model has the table or the name "registryGrad"; did you mean "registry_grades"?`, "a slip in the second name",
		},
		{
			"zzz", "registry_grades", `kin: no model has the table or the name "zzz"; there are registry_grades, ` +
				`registry_lessons, registry_matches, registry_pupils, registry_seats, registry_tickets`, "nothing like it: all there are",
		},
		{"registry_pupils", "registry_seats", "kin: no relation leads from registry_pupils to registry_seats", "no relation"},
		{"registry_pupils", "registry_lessons", "kin: no relation leads from registry_pupils to registry_lessons", "only by way of another"},
		{"registry_matches", "registry_grades", "kin: several relations lead from registry_matches to registry_grades: guest, home", "ambiguous"},
		{
			"registry_grades", "registry_matches",
			"kin: several relations lead from registry_grades to registry_matches: guest_matches, home_matches", "ambiguous, back",
		},
		{
			"registry_pupils", "registry_pupils",
			"kin: several relations lead from registry_pupils to registry_pupils: friend, registrypupils", "a self reference has two directions",
		},
	} {
		_, err := r.ResolveRelationJoin(c.from, c.to)
		require.EqualError(t, err, c.want, c.why)
	}
}

func TestRelationJoinQuotes(t *testing.T) {
	t.Parallel()
	type Owner struct {
		ID  int64
		Odd kin.ForeignKey[registryOdd] `kin:"'the \"odd\", one'"`
	}
	var r kin.Registry
	kin.Register[Owner](&r)
	kin.Register[registryOdd](&r)
	join, err := r.ResolveRelationJoin("Owner", "registryOdd")
	require.NoError(t, err)
	assert.Equal(t, strings.ReplaceAll(`LEFT JOIN "odd ""one""" AS "?" ON "?"."id" = "owners"."the ""odd"", one"`, "?", join.Alias), join.String())
}
