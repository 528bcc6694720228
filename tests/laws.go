package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// lawCases has a test for each of the nine laws, as the README states them.
// What they need in depth is in the other files.
func lawCases() []Case {
	return []Case{
		{"law 1/roots are never multiplied", testLawRoots},
		{"law 2/siblings are never multiplied", testTwoBranches},
		{"law 3/conditions keep or drop roots", testLawConditions},
		{"law 4/absence is a missing key", testLawAbsence},
		{"law 5/queries are immutable values", testLawImmutable},
		{"law 6/every value is bound", testLawBound},
		{"law 7/errors help and leave nothing half done", testLawErrors},
		{"law 8/the same answer on every dialect", testLawSame},
		{"law 9/no surprise writes", testLawWrites},
	}
}

func testLawRoots(t *testing.T, s *Suite) {
	ctx := t.Context()
	school := s.NewSchool(t, 12, 5, 3)
	for _, paths := range [][]string{nil, {"students"}, {"students__category"}, {"students", "teachers"}, {"students__class__teachers"}} {
		q := kin.Query[SchoolClass]().SelectRelated(kin.Paths[SchoolClass](paths...)...).Filter("students__name__startswith", "student").OrderBy("-name")
		all, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, all, 12, paths)
		for i, c := range all {
			assert.Equal(t, school.Classes[11-i].ID, c.ID, paths)
		}
		count, err := q.Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 12, count)
		page, err := q.Limit(5).Offset(4).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, page, 5, paths)
		assert.Equal(t, all[4].ID, page[0].ID)
		assert.Equal(t, all[8].ID, page[4].ID)
		count, err = q.Limit(5).Offset(10).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 2, count)
		one, err := q.Filter("name", "class 003").Get(ctx, s.DB)
		require.NoError(t, err, "a row with five children is one row")
		assert.Equal(t, school.Classes[3].ID, one.ID)
	}
}

func testLawConditions(t *testing.T, s *Suite) {
	ctx := t.Context()
	school := s.NewSchool(t, 6, 8, 1)
	q := kin.Query[SchoolClass]().SelectRelated("students")
	pick := []any{"students__name", "student 03", "students__category__name", "Maths"}

	// Expected by going through the rows that were inserted.
	both, either := map[int64]bool{}, [2]map[int64]bool{{}, {}}
	for _, x := range school.Students {
		maths := x.Category.Get() != nil && x.Category.Get().Name == "Maths"
		id := x.Class.Ref().ID
		both[id] = both[id] || x.Name == "student 03" && maths
		either[0][id] = either[0][id] || x.Name == "student 03"
		either[1][id] = either[1][id] || maths
	}
	in := func(q kin.QuerySet[SchoolClass]) map[int64]bool {
		t.Helper()
		rows, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		ids := map[int64]bool{}
		for _, c := range rows {
			ids[c.ID] = true
			assert.Equal(t, 8, c.Students.Len(), "what is loaded is not trimmed")
		}
		return ids
	}
	one := in(q.Filter(pick[0].(string), pick[1], pick[2:]...))
	not := in(q.Exclude(pick[0].(string), pick[1], pick[2:]...))
	two := in(q.Filter("students__name", "student 03").Filter("students__category__name", "Maths"))
	require.NotEmpty(t, one)
	require.NotEmpty(t, not)
	for _, c := range school.Classes {
		assert.Equal(t, both[c.ID], one[c.ID], "one call: one student is both")
		assert.Equal(t, !both[c.ID], not[c.ID], "Exclude is the complement")
		assert.Equal(t, either[0][c.ID] && either[1][c.ID], two[c.ID], "two calls: a student each")
	}
	assert.Greater(t, len(two), len(one))
}

type lawNote struct {
	ID    int64
	Text  *string
	Owner kin.ForeignKey[lawOwner] `kin:",null,related_name=notes"`
}

type lawOwner struct {
	ID    int64
	Size  int
	Notes kin.Reverse[lawNote]
}

func testLawAbsence(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[lawNote], kin.Register[lawOwner])
	none, zero := &lawOwner{}, &lawOwner{}
	require.NoError(t, kin.Insert(ctx, s.DB, none, zero))
	require.NoError(t, kin.Insert(ctx, s.DB, &lawNote{Owner: kin.To(zero)}, &lawNote{}))
	s.Wire.Reset()

	owners, err := kin.Query[lawOwner]().SelectRelated("notes").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, owners, 2)
	assert.True(t, owners[0].Notes.Loaded())
	assert.Zero(t, owners[0].Notes.Len(), "no row")
	require.Equal(t, 1, owners[1].Notes.Len(), "a row whose fields are all zero is a row")
	assert.Nil(t, owners[1].Notes.All()[0].Text)

	notes, err := kin.Query[lawNote]().All(ctx, s.DB)
	require.NoError(t, err)
	loaded, err := kin.Query[lawNote]().SelectRelated("owner").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Reset()
	key, null := &notes[0].Owner, &notes[1].Owner
	assert.False(t, key.IsNull())
	assert.False(t, key.Loaded())
	assert.Nil(t, key.Get())
	assert.Equal(t, zero.ID, key.Ref().ID)
	assert.True(t, null.IsNull())
	assert.Nil(t, null.Ref())
	assert.True(t, loaded[0].Owner.Loaded())
	assert.Equal(t, zero.ID, loaded[0].Owner.Get().ID)
	assert.True(t, loaded[1].Owner.IsNull())
	s.Wire.Want(t, 0, 0) // nothing asks the database because a field was read

	row, err := key.Load(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, zero.ID, row.ID)
	s.Wire.Want(t, 1, 1)
	_, err = key.Load(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 0, 0)
}

func testLawImmutable(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 4, 2, 1)
	base := kin.Query[SchoolClass]().Filter("id__gt", 0).OrderBy("name")
	a := base.Filter("name", "class 001")
	b := base.Filter("name__ne", "class 001").Limit(2)
	for range 2 { // the second time from what the queries remember
		for _, want := range []struct {
			q kin.QuerySet[SchoolClass]
			n int
		}{{base, 4}, {a, 1}, {b, 2}} {
			rows, err := want.q.All(ctx, s.DB)
			require.NoError(t, err)
			assert.Len(t, rows, want.n)
		}
	}
	s.Wire.Want(t, 6, 14)
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		rows, err := a.All(ctx, tx)
		assert.Len(t, rows, 1)
		return err
	}))
}

func testLawBound(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 2, 2, 1)
	const evil = `'"` + "`" + `; DROP TABLE students; -- \ %_ $1 ? {p}`
	class := &SchoolClass{Name: evil}
	require.NoError(t, kin.Insert(ctx, s.DB, class))
	got, err := kin.Query[SchoolClass]().Filter("name", evil, "name__contains", evil, "name__in", []string{evil, "x"}).Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, class.ID, got.ID)
	for _, text := range s.Wire.Statements() {
		assert.NotContains(t, text, "DROP")
	}
	for _, q := range []kin.QuerySet[SchoolClass]{
		kin.Query[SchoolClass]().Filter(evil, 1), kin.Query[SchoolClass]().OrderBy(evil), kin.Query[SchoolClass]().SelectRelated(evil),
	} {
		var path *kin.PathError
		require.ErrorAs(t, q.Err(), &path)
	}
}

func testLawErrors(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 2, 2, 1)
	_, err := kin.Query[SchoolClass]().SelectRelated("studnts__category").All(ctx, s.DB)
	require.EqualError(t, err, `kin: SchoolClass has no relation "studnts" (in "studnts__category"); did you mean "students"?`)
	_, err = kin.Query[SchoolClass]().Filter("name", "none").Get(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrNotFound)
	require.ErrorIs(t, err, sql.ErrNoRows)
	_, err = kin.Query[SchoolClass]().Get(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrMultipleFound)

	// A failed insert leaves nothing behind, in the table or in the values.
	rows := []*Student{
		{Name: "good", Class: kin.Key[SchoolClass](1)}, {Name: "bad", Class: kin.Key[SchoolClass](1 << 40)},
	}
	require.Error(t, kin.Insert(ctx, s.DB, rows...))
	assert.Zero(t, rows[0].ID)
	assert.Zero(t, rows[1].ID)
	n, err := kin.Query[Student]().Filter("name__in", []string{"good", "bad"}).Count(ctx, s.DB)
	require.NoError(t, err)
	assert.Zero(t, n)

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	none, err := kin.Query[SchoolClass]().All(cancelled, s.DB)
	require.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, none)
}

type lawValue struct {
	ID   int64
	Text *string
	Num  *float64
	When *time.Time
	Flag bool
}

// testLawSame asks questions whose answers are literals: each database gives
// the same.
func testLawSame(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[lawValue])
	at := time.Date(2026, 3, 29, 1, 30, 0, 123456789, time.FixedZone("there", 2*3600))
	for i, text := range []any{"b", "B", "ä", "Z", nil, "b ", "", "é", "É"} {
		row := &lawValue{Flag: i%2 == 0}
		if text, ok := text.(string); ok {
			row.Text = &text
			half := float64(i) / 2
			row.Num = &half
			when := at.Add(time.Duration(i) * time.Microsecond)
			row.When = &when
		}
		require.NoError(t, kin.Insert(ctx, s.DB, row))
	}
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[lawValue]
		want string
	}{
		{"text sorts by code point, NULL first", kin.Query[lawValue]().OrderBy("text"), "[5 7 2 4 1 6 9 3 8]"},
		{"and last in descending order", kin.Query[lawValue]().OrderBy("-text"), "[8 3 9 6 1 4 2 7 5]"},
		{"case and spaces count", kin.Query[lawValue]().Filter("text", "b"), "[1]"},
		{"unless they are not to", kin.Query[lawValue]().Filter("text__iexact", "É"), "[8 9]"},
		{"Latin or not", kin.Query[lawValue]().Filter("text__icontains", "Ä"), "[3]"},
		{"contains has case", kin.Query[lawValue]().Filter("text__contains", "B"), "[2]"},
		{"order by code point", kin.Query[lawValue]().Filter("text__gt", "Z"), "[1 3 6 8 9]"},
		{"NULL differs from a value", kin.Query[lawValue]().Filter("text__ne", "b"), "[2 3 4 5 6 7 8 9]"},
		{"numbers", kin.Query[lawValue]().Filter("num__range", []float64{0.5, 1.5}), "[2 3 4]"},
		{"instants to the microsecond", kin.Query[lawValue]().Filter("when", at.UTC()), "[1]"},
		{"instants in another zone", kin.Query[lawValue]().Filter("when__lte", at.Add(time.Microsecond).Local()), "[1 2]"},
		{"truth sorts too", kin.Query[lawValue]().OrderBy("-flag", "id"), "[1 3 5 7 9 2 4 6 8]"},
		{"NULL sorts first among times", kin.Query[lawValue]().OrderBy("when").Limit(2), "[5 1]"},
	} {
		rows, err := c.q.All(ctx, s.DB)
		require.NoError(t, err, c.why)
		ids := []int64{}
		for _, r := range rows {
			ids = append(ids, r.ID)
			if r.When != nil {
				assert.Equal(t, time.UTC, r.When.Location())
				assert.Equal(t, 123456+int(r.ID)-1, r.When.Nanosecond()/1000)
			}
		}
		assert.Equal(t, c.want, fmt.Sprint(ids), c.why)
	}
}

func testLawWrites(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	require.NoError(t, kin.Insert(ctx, s.DB, &Category{}))
	var name string
	require.NoError(t, s.Pool().QueryRowContext(ctx, "SELECT name FROM categories").Scan(&name))
	assert.Empty(t, name, "a zero value is written")
	err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
		if err := kin.Insert(ctx, tx, &Category{Name: "gone"}); err != nil {
			return err
		}
		return errors.New("no")
	})
	require.EqualError(t, err, "no")
	n, err := kin.Query[Category]().Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
}
