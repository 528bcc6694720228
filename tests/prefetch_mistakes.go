package tests

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func testPrefetchMistakes(t *testing.T, s *Suite) {
	s.NewSchool(t, 2, 2, 1)
	ctx := t.Context()
	q, students := kin.Query[SchoolClass](), kin.Query[Student]()
	for _, x := range []struct {
		why  string
		q    kin.QuerySet[SchoolClass]
		want string
	}{
		{"a path", q.Prefetch("studnts"), `kin: SchoolClass has no relation "studnts"; did you mean "students"?`},
		{"a path below", q.Prefetch("students__categry"), `kin: Student has no relation "categry" (in "students__categry"); did you mean "category"?`},
		{"a field", q.Prefetch("name"), `kin: SchoolClass has no relation "name"`},
		{"no home", q.Prefetch("students__category__students"), `kin: Category has no field to load "students" into; add`},
		{"a model", q.Prefetch("students", kin.Query[Teacher]()), `kin: Prefetch("students") of SchoolClass loads rows of Student, and its subquery has rows of Teacher: take kin.Query[tests.Student]()`},
		{"two", q.Prefetch("students", students, students), `kin: a query on SchoolClass: Prefetch("students") takes one subquery, not 2`},
		{"nil", q.Prefetch("students", nil), `kin: a query on SchoolClass: the subquery of Prefetch("students") is nil`},
		{"a wrong subquery", q.Prefetch("students", students.Limit(-1)), `kin: a query on SchoolClass: the subquery of Prefetch("students"): a query on Student: the limit -1 is negative`},
		{"a wrong filter", q.Prefetch("students", students.Filter("nam", 1)), `kin: the subquery of Prefetch("students"): Student has no field or relation "nam"; did you mean "name"?`},
		{"twice", q.Prefetch("students", students.Limit(1)).Prefetch("students", students.Limit(2)), `kin: SchoolClass.Students is loaded by two Prefetch with different subqueries, "students" and "students"; a field can hold one`},
		{"twice, once all", q.Prefetch("students").Prefetch("students", students.Limit(2)), `a field can hold one`},
		{"joined and prefetched", q.SelectRelated("students__category").Prefetch("students"), `kin: SchoolClass.Students is loaded by SelectRelated and by Prefetch("students"); a field can hold one: take one of them`},
		{"joined within", q.Prefetch("students", students.SelectRelated("category")).Prefetch("students__category"), `kin: Student.Category is loaded by SelectRelated and by Prefetch("students__category")`},
		{"within, and twice", q.Prefetch("students", students.Prefetch("category", kin.Query[Category]().Filter("name", "x"))).Prefetch("students__category"), `kin: Student.Category is loaded by two Prefetch`},
		{"a limit to one", q.Prefetch("students__category", kin.Query[Category]().Limit(1)), `kin: Prefetch of Student.Category has a limit or an offset, but it leads to one row for each`},
	} {
		_, err := x.q.All(ctx, s.DB)
		require.ErrorContains(t, err, x.want, x.why)
		require.ErrorContains(t, x.q.Err(), x.want, x.why)
		for _, err := range x.q.Iter(ctx, s.DB) {
			require.ErrorContains(t, err, x.want, x.why)
		}
	}
	_, err := q.Prefetch("studnts").Count(ctx, s.DB)
	require.ErrorContains(t, err, "did you mean")
	_, err = q.Prefetch("studnts").Filter("id__in", []int{}).All(ctx, s.DB)
	require.ErrorContains(t, err, "did you mean")
	s.Wire.Want(t, 0, 0)
	var path *kin.PathError
	require.ErrorAs(t, q.Prefetch("students", students.Filter("nam", 1)).Err(), &path)
}
