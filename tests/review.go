package tests

import (
	"database/sql/driver"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func reviewCases() []Case {
	return []Case{
		{"review/binary keys of a custom type", testBinaryKeys},
		{"review/an order by one of two paths", testOrderOfTwoPaths},
		{"review/a query does not change with its arguments", testFrozenArguments},
		{"review/a composite foreign key for a value", testCompositeValue},
		{"review/a page reads by index", testPageByIndex},
	}
}

// reviewULID is sixteen bytes that are no text.
type reviewULID [16]byte

// Value implements [driver.Valuer].
func (u reviewULID) Value() (driver.Value, error) { return u[:], nil }

// Scan implements sql.Scanner.
func (u *reviewULID) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(u) {
		return fmt.Errorf("a ULID is sixteen bytes, not %T", v)
	}
	copy(u[:], b)
	return nil
}

type (
	reviewOwner struct {
		ID     reviewULID `kin:",pk,type=BINARY(16)"`
		Name   string
		Things kin.Reverse[reviewThing]
	}
	reviewThing struct {
		ID    int64
		Owner kin.ForeignKey[reviewOwner] `kin:",related_name=things"`
	}
)

func testBinaryKeys(t *testing.T, s *Suite) {
	ctx := t.Context()
	var r kin.Registry
	kin.Register[reviewOwner](&r)
	kin.Register[reviewThing](&r)
	s = s.With(kin.WithRegistry(&r))
	binary := map[string]string{"sqlite": "BLOB", "postgres": "BYTEA", "mysql": "BINARY(16)"}[s.Name]
	serial := map[string]string{"sqlite": "INTEGER PRIMARY KEY", "postgres": "SERIAL PRIMARY KEY", "mysql": "BIGINT AUTO_INCREMENT PRIMARY KEY"}[s.Name]
	s.Exec(t, "CREATE TABLE review_owners (id "+binary+" PRIMARY KEY, name VARCHAR(20) NOT NULL)")
	s.Exec(t, "CREATE TABLE review_things (id "+serial+", owner_id "+binary+" NOT NULL, FOREIGN KEY (owner_id) REFERENCES review_owners (id))")
	a, b := &reviewOwner{ID: reviewULID{0xff, 0, 0xc3, 0x28}, Name: "a"}, &reviewOwner{ID: reviewULID{0xff, 1}, Name: "b"}
	require.NoError(t, kin.Insert(ctx, s.DB, a, b))
	require.NoError(t, kin.Insert(ctx, s.DB, &reviewThing{Owner: kin.To(a)}, &reviewThing{Owner: kin.Key[reviewOwner](b.ID)}))
	owners, err := kin.Query[reviewOwner]().SelectRelated("things").OrderBy("name").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, owners, 2)
	assert.Equal(t, 1, owners[1].Things.Len())
	things, err := kin.Query[reviewThing]().Filter("owner", b).All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, things, 1)
	assert.Equal(t, b.ID, things[0].Owner.Ref().ID)
	owner, err := things[0].Owner.Load(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, "b", owner.Name)
}

func testOrderOfTwoPaths(t *testing.T, s *Suite) {
	s.NewSchool(t, 3, 5, 1)
	for _, q := range []kin.QuerySet[SchoolClass]{
		kin.Query[SchoolClass]().SelectRelated("students__class__students").OrderBy("-students__name"),
		kin.Query[SchoolClass]().SelectRelated("students", "teachers__class__students").OrderBy("-students__name"),
	} {
		classes, err := q.All(t.Context(), s.DB)
		require.NoError(t, err)
		require.Len(t, classes, 3)
		for _, c := range classes {
			require.Equal(t, 5, c.Students.Len())
			for i, x := range c.Students.All() {
				assert.Equal(t, fmt.Sprintf("student %02d", 4-i), x.Name)
			}
		}
	}
}

func testFrozenArguments(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 2, 2, 1)
	name := "class 000"
	q := kin.Query[SchoolClass]().Filter("name", &name, "name__in", []*string{&name})
	name = "none"
	n, err := q.Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
	rows, err := q.All(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, rows, 1)

	fresh := &SchoolClass{Name: "fresh"}
	by := kin.Query[Student]().Filter("class", fresh)
	_, err = by.Count(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrUnsaved)
	require.NoError(t, kin.Insert(ctx, s.DB, fresh))
	require.NoError(t, kin.Insert(ctx, s.DB, &Student{Name: "x", Class: kin.To(fresh)}))
	n, err = by.Count(ctx, s.DB)
	require.NoError(t, err, "saved in the meantime")
	assert.EqualValues(t, 1, n)
}

func testCompositeValue(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = rowSuite(t, s)
	items, owners := newItems(t, s, 4)
	for _, value := range []any{kin.To(owners[0]), kin.Key[rowOwner]("north", 1), items[0].Owner, &items[0].Owner} {
		n, err := kin.Query[rowItem]().Filter("owner", value).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)
	}
	n, err := kin.Query[rowItem]().Filter("owner__in", []kin.ForeignKey[rowOwner]{kin.To(owners[0]), {}}).Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	require.ErrorContains(t, kin.Query[Student]().Filter("class", kin.Key[Category](1)).Err(), "takes a SchoolClass")
}

// testPageByIndex looks at SQLite's plan: what is loaded with a page of roots
// is found by index, not by going through all of it.
func testPageByIndex(t *testing.T, s *Suite) {
	if s.Name != "sqlite" {
		return // the others' planners know how many keys there are
	}
	s.NewSchool(t, 50, 20, 3)
	text, args, err := kin.Query[SchoolClass]().SelectRelated("students", "teachers").Limit(2).SQL(s.DB.Dialect())
	require.NoError(t, err)
	rows, err := s.Pool().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
	require.NoError(t, err)
	defer rows.Close()
	searched := 0
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		assert.NotRegexp(t, `SCAN (SO|MV)`, detail, "a table is gone through")
		if assert.NotContains(t, detail, "AUTOMATIC") && len(detail) > 6 && detail[:6] == "SEARCH" {
			searched++
		}
	}
	require.NoError(t, rows.Err())
	assert.GreaterOrEqual(t, searched, 3)
}
