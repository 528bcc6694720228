package tests

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// testImmutable derives queries from one base, in turns and at the same
// time, with slices that have room to be written over.
func testImmutable(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 9, 2, 1)
	base := kin.Query[SchoolClass]().Filter("id__gt", 0).Filter("name__startswith", "class").Filter("name__ne", "x").
		SelectRelated("teachers").SelectRelated("teachers__category").OrderBy("name", "id")
	var derived [9]kin.QuerySet[SchoolClass]
	for i := range derived {
		derived[i] = base.Filter("name__endswith", strconv.Itoa(i))
		if i%2 == 0 {
			derived[i] = derived[i].SelectRelated("students")
		}
		if i%3 == 0 {
			derived[i] = derived[i].OrderBy("-name").Limit(1)
		}
	}
	for range 2 {
		for i := range derived {
			rows, err := derived[i].All(ctx, s.DB)
			require.NoError(t, err)
			require.Equal(t, []string{fmt.Sprintf("class %03d", i)}, classNames(rows))
			assert.Equal(t, i%2 == 0, rows[0].Students.Loaded())
			assert.True(t, rows[0].Teachers.Loaded())
		}
		rows, err := base.All(ctx, s.DB)
		require.NoError(t, err)
		assert.Len(t, rows, 9)
		assert.False(t, rows[0].Students.Loaded())
	}
	paths := []string{"students", "teachers"}
	q := kin.Query[SchoolClass]().SelectRelated(kin.Paths[SchoolClass](paths...)...)
	orders := []string{"-name"}
	o := kin.Query[SchoolClass]().OrderBy(kin.Paths[SchoolClass](orders...)...)
	more := []any{"name__endswith", "1"}
	f := kin.Query[SchoolClass]().Filter("id__gt", 0, more...)
	paths[0], orders[0], more[1] = "nothing", "nothing", "2"
	require.NoError(t, q.Err(), "the paths were copied")
	require.NoError(t, o.Err(), "so were the orders")
	rows, err := f.All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []string{"class 001"}, classNames(rows), "and the conditions")
}

// sharedQuery is initialised before any init function has registered a model,
// and shared by tests on all databases.
var sharedQuery = kin.Query[SchoolClass]().SelectRelated("students__category", "teachers").
	Filter("students__category__name__icontains", "MUS").OrderBy("-name")

func testShared(t *testing.T, s *Suite) {
	ctx := t.Context()
	school := s.NewSchool(t, 8, 5, 2)
	with := map[int64]bool{}
	for _, x := range school.Students {
		if x.Category.Get() != nil && x.Category.Get().Name == "Music" {
			with[x.Class.Ref().ID] = true
		}
	}
	var want []string
	for _, c := range slices.Backward(school.Classes) {
		if with[c.ID] {
			want = append(want, c.Name)
		}
	}
	require.NotEmpty(t, want)
	require.NoError(t, sharedQuery.Err())
	s.Pool().SetMaxOpenConns(8)
	// once runs the query in each way. It returns what it found, and leaves
	// it to the test's own goroutine to judge.
	once := func(name string) (found []string, err error) {
		rows, err := sharedQuery.All(ctx, s.DB)
		if err != nil {
			return nil, err
		}
		narrow, err := sharedQuery.Filter("name", name).Limit(3).Get(ctx, s.DB)
		if err != nil {
			return nil, err
		}
		n, err := sharedQuery.Count(ctx, s.DB)
		if err != nil {
			return nil, err
		}
		first, err := sharedQuery.First(ctx, s.DB)
		if err != nil {
			return nil, err
		}
		found = append(classNames(rows), narrow.Name, strconv.FormatInt(n, 10), first.Name)
		for c, err := range sharedQuery.Iter(ctx, s.DB) {
			if err != nil {
				return nil, err
			}
			found = append(found, c.Name)
		}
		return found, nil
	}
	const goroutines, times = 16, 3
	var found [goroutines][times][]string
	var errs [goroutines][times]error
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			for j := range times {
				found[i][j], errs[i][j] = once(want[i%len(want)])
			}
		})
	}
	wg.Wait()
	for i := range goroutines {
		for j := range times {
			require.NoError(t, errs[i][j])
			all := slices.Concat(want, []string{want[i%len(want)], strconv.Itoa(len(want)), want[0]}, want)
			require.Equal(t, all, found[i][j])
		}
	}
	assert.Zero(t, s.Pool().Stats().InUse)
}
