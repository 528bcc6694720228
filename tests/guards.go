package tests

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func guardCases() []Case {
	return []Case{
		{"guard/allowed paths", testAllow},
		{"guard/paths that look alike", testAllowAlike},
		{"guard/caps", testCaps},
		{"guard/secret fields", testSecret},
		{"guard/attacks", testGuardAttacks},
		{"guard/a budget of rows", testMaxRows},
	}
}

func testAllow(t *testing.T, s *Suite) {
	s.NewSchool(t, 2, 4, 1)
	ctx := t.Context()
	base := kin.Query[Student]().Filter("class__name", "class 000").SelectRelated("class").OrderBy("-class__name")
	q := base.Allow("name", "category__name__icontains", "category", "id__in")
	s.Wire.Reset()
	for _, bad := range []kin.QuerySet[Student]{
		q.Filter("class__name", "x"), q.Exclude("class__name", "x"), q.Filter("category__name", "x"), q.Filter("category__name__contains", "x"),
		q.Filter("id", 1), q.Filter("id__gt", 1), q.Filter("class", 1), q.Filter("name", "x", "class__id", 1), q.Filter("pk", 1),
		q.OrderBy("class__name"), q.OrderBy("name", "-id"), q.SelectRelated("class"), q.SelectRelated("class__students"),
		q.OrderBy("category__name"), q.Filter("category__students__name", "x"), q.Allow("class").Filter("class", 1), q.Allow("class").Filter("name", "x"),
		q.Allow().Filter("name", "x"), q.Allow(nil...).OrderBy("name"),
	} {
		_, err := bad.All(ctx, s.DB)
		require.ErrorContains(t, err, "kin: ")
		require.ErrorContains(t, err, "allowed are ")
		_, err = bad.Count(ctx, s.DB)
		require.ErrorContains(t, err, "allowed are ")
	}
	require.EqualError(t, q.Filter("class__name", "x").Err(), `kin: "class__name" may not be asked of Student; allowed are name, category__name__icontains, category, id__in`)
	require.ErrorContains(t, base.Allow("nme").Filter("name", "x").Err(), `kin: Allow: Student has no field or relation "nme"; did you mean "name"?`)
	require.ErrorContains(t, q.Filter("nme", "x").Err(), `did you mean "name"?`)
	s.Wire.Want(t, 0, 0)
	for _, good := range []kin.QuerySet[Student]{
		q, q.Filter("name__startswith", "student"), q.Exclude("name", "x"), q.Filter("category__name__icontains", "mus"), q.Filter("category__isnull", true),
		q.Filter("id__in", []int{1, 2}), q.Filter("pk__in", []int{1, 2}), q.OrderBy("-name", "category"), q.SelectRelated("category"),
		q.Allow("name").Filter("name__ne", "x"), base.Filter("class__id", 1), q.FilterRaw("students.class_id > ?", 0),
	} {
		rows, err := good.All(ctx, s.DB)
		require.NoError(t, err)
		assert.NotEmpty(t, rows)
	}
}

type (
	guardBand struct {
		ID    int64
		Range int
		In    string
		Price float64
		Items kin.Reverse[guardItem]
	}
	guardItem struct {
		ID       int64
		Name     string
		Password string                    `kin:",secret,unique,size=50"`
		Band     kin.ForeignKey[guardBand] `kin:",related_name=items"`
		Vault    kin.ForeignKey[guardBand] `kin:",secret,related_name=vaulted,null"`
	}
)

func guardSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	var r kin.Registry
	kin.Register[guardBand](&r)
	kin.Register[guardItem](&r)
	s = s.With(kin.WithRegistry(&r))
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	band := &guardBand{Range: 5, In: "x"}
	require.NoError(t, kin.Insert(ctx, s.DB, band))
	require.NoError(t, kin.Insert(ctx, s.DB, &guardItem{Name: "a", Password: "p", Band: kin.To(band)}, &guardItem{Name: "b", Password: "q", Band: kin.To(band)}))
	s.Wire.Reset()
	return s
}

// testAllowAlike: a field may be called as an operator is. To allow the
// foreign key is not to allow it.
func testAllowAlike(t *testing.T, s *Suite) {
	s = guardSuite(t, s)
	err := func(q kin.QuerySet[guardItem]) error {
		_, err := q.All(t.Context(), s.DB)
		return err
	}
	q := kin.Query[guardItem]().Allow("band")
	require.NoError(t, err(q.Filter("band__lte", 5)))
	require.ErrorContains(t, err(q.Filter("band__range", 5)), "may not be asked")
	require.ErrorContains(t, err(q.Filter("band__in", "x")), "may not be asked")
	q = kin.Query[guardItem]().Allow("band__range", "name__exact")
	require.NoError(t, err(q.Filter("band__range", 5, "band__range__gt", 1)))
	require.NoError(t, err(q.Filter("name", "a", "name__exact", "a")))
	require.ErrorContains(t, err(q.Filter("name__ne", "a")), "may not be asked")
	require.ErrorContains(t, err(q.Filter("band", 1)), "may not be asked")
}

func testCaps(t *testing.T, s *Suite) {
	s.NewSchool(t, 1, 2, 0)
	ctx := t.Context()
	base := kin.Query[Student]().Filter("class__students__class__name", "class 000", "id__in", make([]int, 50))
	q := base.Cap(kin.Caps{Hops: 1, Conditions: 3, List: 10})
	err := func(q kin.QuerySet[Student]) error {
		_, err := q.Count(ctx, s.DB)
		return err
	}
	require.NoError(t, err(q.Filter("class__name", "x", "id", 1).Filter("name__in", make([]string, 10))))
	require.EqualError(t, err(q.Filter("class__students__name", "x")), `kin: the path "class__students__name" follows 2 relations; at most 1 may be asked for (Cap)`)
	require.EqualError(t, err(q.OrderBy("-class__students__class__name")), `kin: the path "class__students__class__name" follows 3 relations; at most 1 may be asked for (Cap)`)
	require.EqualError(t, err(q.Filter("id", 1, "id", 2, "id", 3, "id", 4)), "kin: the query on Student has more than the 3 conditions that may be asked for (Cap)")
	require.EqualError(t, err(q.Filter("id", 1).Exclude("id", 2).Filter("id", 3).Filter("id", 4)), "kin: the query on Student has more than the 3 conditions that may be asked for (Cap)")
	require.EqualError(t, err(q.Filter("id__in", make([]int64, 11))), `kin: "id__in": a list of 11 values; at most 10 may be asked for (Cap)`)
	require.ErrorContains(t, err(q.Cap(kin.Caps{List: 1000}).Filter("id__in", make([]int64, 11))), "at most 10", "caps are not raised")
	require.ErrorContains(t, err(q.Cap(kin.Caps{List: 2}).Filter("id__in", make([]int64, 3))), "at most 2")
	require.ErrorContains(t, kin.Query[Student]().Cap(kin.Caps{Hops: -1}).Err(), "a cap is negative")
	// Those that Allow brings.
	q = kin.Query[Student]().Allow("id")
	require.ErrorContains(t, err(q.Filter("id__in", make([]int64, 1001))), "at most 1000")
	for range 100 {
		q = q.Filter("id__gt", 0)
	}
	require.NoError(t, err(q))
	require.ErrorContains(t, err(q.Filter("id__gt", 0)), "more than the 100 conditions")
	wide := kin.Query[Student]().Cap(kin.Caps{List: 5000}).Allow("id")
	require.NoError(t, err(wide.Filter("id__in", make([]int64, 5000))))
	require.ErrorContains(t, err(wide.Filter("id__in", make([]int64, 5001))), "at most 5000")
}

func testSecret(t *testing.T, s *Suite) {
	s = guardSuite(t, s)
	ctx := t.Context()
	q, bands := kin.Query[guardItem](), kin.Query[guardBand]()
	for _, err := range []error{
		errOf(q.Filter("password", "p").All(ctx, s.DB)), errOf(q.Exclude("password__startswith", "p").Count(ctx, s.DB)),
		errOf(q.OrderBy("password").All(ctx, s.DB)), errOf(q.OrderBy("name", "-password").First(ctx, s.DB)),
		errOf(bands.Filter("items__password__contains", "p").Exists(ctx, s.DB)), errOf(q.Filter("band__items__password__isnull", false).All(ctx, s.DB)),
		errOf(q.Filter("vault", 1).All(ctx, s.DB)), errOf(q.Filter("vault__price", 1).All(ctx, s.DB)), errOf(bands.Filter("vaulted__name", "a").All(ctx, s.DB)),
		errOf(q.OrderBy("vault__price").All(ctx, s.DB)), errOf(q.Allow("password", "name").Filter("password__gt", "a").All(ctx, s.DB)),
		errOf(q.Filter("password", "p").Delete(ctx, s.DB)), errOf(q.Everything().Update(ctx, s.DB, kin.Set("name", kin.Case().When("x", "password__gt", "m").Else("y")))),
	} {
		require.ErrorContains(t, err, " is secret: it cannot be filtered or ordered by through a text")
		require.ErrorContains(t, err, "kin: ")
	}
	s.Wire.Want(t, 0, 0)
	// The program reads and writes it as any other.
	row, err := q.Filter("name", "a").Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, "p", row.Password)
	found, created, err := kin.GetOrCreate(ctx, s.DB, &guardItem{Name: "c", Password: "q", Band: row.Band}, "password")
	require.NoError(t, err)
	assert.False(t, created)
	assert.Equal(t, "b", found.Name)
	n, err := q.FilterRaw("guard_items.password = ?", "p").Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
}

func errOf[V any](_ V, err error) error { return err }

// testGuardAttacks: keys of a request as lookups (CVE-2025-64459 and others).
// What is not in the list is refused before the database is asked.
func testGuardAttacks(t *testing.T, s *Suite) {
	s.NewSchool(t, 1, 1, 0)
	q := kin.Query[Student]().Allow("name", "category__name")
	s.Wire.Reset()
	for _, p := range append(payloads(), "_negated", "_connector", "class__students__class__students__name", strings.Repeat("class__students__", 5000)+"name", strings.Repeat("x", 1<<20)) {
		for _, name := range []string{p, "name__" + p, "category__" + p, "class__" + p, "-" + p} {
			err := errOf(q.Filter(name, "x").All(t.Context(), s.DB))
			require.Error(t, err, "%.100q", name)
			require.Less(t, len(err.Error()), 700)
			require.Error(t, errOf(q.OrderBy(kin.Path[Student](name)).All(t.Context(), s.DB)))
			require.Error(t, errOf(q.SelectRelated(kin.Path[Student](name)).All(t.Context(), s.DB)))
		}
	}
	s.Wire.Want(t, 0, 0)
}

func testMaxRows(t *testing.T, s *Suite) {
	s.NewSchool(t, 10, 4, 2)
	ctx := t.Context()
	students, classes := kin.Query[Student](), kin.Query[SchoolClass]()
	iter := func(q kin.QuerySet[Student]) (n int, err error) {
		for _, err := range q.Iter(ctx, s.DB) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	s.Wire.Reset()
	rows, err := students.MaxRows(39).All(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrMaxRows)
	require.EqualError(t, err, "kin: query on Student: kin: the query has more rows than MaxRows (39); give it a limit or conditions, or a larger budget")
	assert.Nil(t, rows)
	s.Wire.Want(t, 1, 40)
	_, err = students.MaxRows(1).All(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrMaxRows)
	s.Wire.Want(t, 1, 2) // and not 40
	n, err := iter(students.MaxRows(39))
	require.ErrorIs(t, err, kin.ErrMaxRows)
	assert.Less(t, n, 40)
	for _, q := range []kin.QuerySet[Student]{students.MaxRows(40), students.Limit(40).MaxRows(40), students.Limit(3).MaxRows(3), students.SelectRelated("class", "category").MaxRows(40), students.MaxRows(3).MaxRows(50)} {
		want, err := q.Count(ctx, s.DB)
		require.NoError(t, err)
		rows, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		assert.Len(t, rows, int(want))
		n, err := iter(q)
		require.NoError(t, err)
		assert.Equal(t, int(want), n)
	}
	_, err = classes.SelectRelated("students").MaxRows(40).All(ctx, s.DB)
	require.NoError(t, err)
	_, err = classes.SelectRelated("students").MaxRows(39).All(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrMaxRows)
	_, err = classes.SelectRelated("students", "teachers").MaxRows(70).All(ctx, s.DB)
	require.NoError(t, err)
	_, err = classes.SelectRelated("students", "teachers").MaxRows(69).All(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrMaxRows)
	require.ErrorContains(t, students.MaxRows(0).Err(), "a budget of 0 rows")
	assert.Zero(t, s.Pool().Stats().InUse)
}
