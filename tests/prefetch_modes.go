package tests

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func fetchModeCases() []Case {
	return []Case{
		{"prefetch/texts", testPrefetchTexts},
		{"prefetch/random", testPrefetchRandom},
		{"prefetch/Iter by chunks", testPrefetchIter},
		{"prefetch/concurrent", testPrefetchConcurrent},
		{"prefetch/snapshot", testPrefetchSnapshot},
		{"prefetch/strict", testPrefetchStrict},
		{"prefetch/hooks", testPrefetchHooks},
		{"prefetch/peers", testPrefetchPeers},
		{"prefetch/peers of all relations", testPrefetchPeersOfAll},
		{"prefetch/peers at once", testPrefetchPeersRace},
		{"prefetch/peers are not kept", testPrefetchPeersWeak},
		{"prefetch/repeated loads", testRepeatedLoads},
	}
}

func testPrefetchIter(t *testing.T, s *Suite) {
	const n = 1201
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	music := &Category{Name: "Music"}
	require.NoError(t, kin.Insert(ctx, s.DB, music))
	classes := make([]*SchoolClass, n)
	for i := range classes {
		classes[i] = &SchoolClass{Name: "c"}
	}
	require.NoError(t, kin.Insert(ctx, s.DB, classes...))
	students := make([]*Student, n)
	for i, c := range classes {
		students[i] = &Student{Name: fmt.Sprint("s", i), Class: kin.To(c), Category: kin.To(music)}
	}
	require.NoError(t, kin.Insert(ctx, s.DB, students...))
	require.NoError(t, kin.Insert(ctx, s.DB, &Teacher{Name: "t", Class: kin.To(classes[7])}))

	check := func(db kin.Executor, q kin.QuerySet[SchoolClass], statements, rows int) {
		t.Helper()
		s.Wire.Reset()
		i := 0
		for c, err := range q.Iter(ctx, db) {
			require.NoError(t, err)
			require.Equal(t, classes[i].ID, c.ID)
			require.Equal(t, 1, c.Students.Len())
			require.Equal(t, "Music", c.Students.All()[0].Category.Get().Name)
			require.Same(t, c, c.Students.All()[0].Class.Get())
			i++
		}
		require.Equal(t, n, i)
		var texts []string
		for _, text := range s.Wire.Statements() {
			if strings.HasPrefix(text, "SELECT") || strings.HasPrefix(text, "WITH") {
				texts = append(texts, text)
			}
		}
		assert.Len(t, texts, statements)
		assert.Equal(t, rows, s.Wire.Rows())
	}
	prefetched := kin.Query[SchoolClass]().Prefetch("students__category")
	mixed := kin.Query[SchoolClass]().SelectRelated("students", "teachers").Prefetch("students__category")
	// Three chunks, with the levels of each.
	check(s.DB, prefetched, 1+3*2, n+n+3)
	check(s.DB, mixed, 1+3, n+n+1+3)
	check(s.DB, prefetched.Snapshot(), 1+3*2, n+n+3)
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		check(tx, prefetched, 1+3*2, n+n+3)
		return nil
	}))
	one := sql.OpenDB(s.Wire.Base)
	defer one.Close()
	one.SetMaxOpenConns(1)
	i := 0
	for c, err := range mixed.Iter(ctx, kin.New(one, s.Dialect())) {
		require.NoError(t, err)
		assert.NotNil(t, c.Students.All()[0].Category.Get())
		i++
	}
	assert.Equal(t, n, i)

	s.Wire.Reset()
	for _, err := range prefetched.Iter(ctx, s.DB) {
		require.NoError(t, err)
		break
	}
	assert.Len(t, s.Wire.Statements(), 3, "what is not asked for is not loaded")
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testPrefetchConcurrent(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 6, 5, 4)
	ctx := t.Context()
	q := kin.Query[SchoolClass]().Prefetch("students__category").Prefetch("teachers__category").Concurrent()
	for range 20 {
		classes, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		school.checkClasses(t, classes)
		s.Wire.Want(t, 5, 6+30+3+24+3)
	}
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		classes, err := q.All(ctx, tx)
		require.NoError(t, err)
		school.checkClasses(t, classes)
		return nil
	}))
	small := sql.OpenDB(s.Wire.Base)
	defer small.Close()
	small.SetMaxOpenConns(2)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				classes, err := q.All(ctx, kin.New(small, s.Dialect()))
				if assert.NoError(t, err) {
					assert.Len(t, classes, 6)
				}
			}
		})
	}
	wg.Wait()

	// One that fails ends the others.
	s.Exec(t, "ALTER TABLE teachers RENAME TO former_teachers")
	classes, err := q.All(ctx, s.DB)
	require.ErrorContains(t, err, `kin: query on SchoolClass: prefetch of "teachers": `)
	require.NotErrorIs(t, err, context.Canceled)
	assert.Nil(t, classes)
	_, err = kin.Query[SchoolClass]().Prefetch("students__category").Prefetch("teachers").All(ctx, s.DB)
	require.ErrorContains(t, err, `kin: query on SchoolClass: prefetch of "teachers": `)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = q.All(canceled, s.DB)
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testPrefetchSnapshot(t *testing.T, s *Suite) {
	s.NewSchool(t, 2, 2, 1)
	ctx := t.Context()
	// After the roots are read, and before their students are, somebody adds one.
	var added sync.Once
	count := func(snapshot bool) int {
		added = sync.Once{}
		trace := kin.WithTrace(func(_ context.Context, e kin.Event) {
			if strings.Contains(e.SQL, "school_classes") && strings.HasPrefix(e.SQL, "SELECT") {
				added.Do(func() {
					if s.Name != "sqlite" || !snapshot { // where a reader may wait for a writer
						s.Exec(t, "INSERT INTO students (name, class_id) VALUES ('new', 1)")
						return
					}
					s.Exec(t, "INSERT INTO students (name, class_id) VALUES ('new', 1)")
				})
			}
		})
		q := kin.Query[SchoolClass]().Prefetch("students")
		if snapshot {
			q = q.Snapshot()
		}
		classes, err := q.All(ctx, s.With(trace).DB)
		require.NoError(t, err)
		return classes[0].Students.Len()
	}
	assert.Equal(t, 3, count(false), "another statement sees more")
	assert.Equal(t, 3, count(true), "one snapshot does not")
	assert.Equal(t, 5, count(false))
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testPrefetchStrict(t *testing.T, s *Suite) {
	s.NewSchool(t, 2, 3, 1)
	ctx := t.Context()
	classes, err := kin.Query[SchoolClass]().Strict().SelectRelated("students").All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Reset()
	_, err = classes[0].Teachers.Load(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrNotLoaded)
	require.EqualError(t, err, `kin: SchoolClass.Teachers is not loaded, and the query that read the row is Strict: add SelectRelated("teachers") or Prefetch("teachers") to it`)
	student := classes[0].Students.All()[0]
	_, err = student.Category.Load(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrNotLoaded)
	assert.Nil(t, student.Category.Get())
	class, err := student.Class.Load(ctx, s.DB)
	require.NoError(t, err, "it is loaded")
	assert.Same(t, classes[0], class)
	s.Wire.Want(t, 0, 0)
	_, err = classes[0].Students.Load(ctx, s.DB)
	require.NoError(t, err, "it is loaded, and loaded again")

	classes, err = kin.Query[SchoolClass]().Strict().Prefetch("students").All(ctx, s.DB)
	require.NoError(t, err)
	_, err = classes[1].Students.All()[1].Category.Load(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrNotLoaded, "of rows that are prefetched, too")
	for c, err := range kin.Query[SchoolClass]().Strict().Iter(ctx, s.DB) {
		require.NoError(t, err)
		_, err = c.Teachers.Load(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrNotLoaded)
	}
	// What is written is not read.
	require.NoError(t, classes[0].Teachers.Create(ctx, s.DB, &Teacher{Name: "new"}))
}

func testRepeatedLoads(t *testing.T, s *Suite) {
	s.NewSchool(t, 12, 2, 1)
	ctx := t.Context()
	var found []kin.RepeatedLoad
	watched := s.With(kin.WithRepeatedLoads(10, func(_ context.Context, l kin.RepeatedLoad) { found = append(found, l) }))
	classes, err := kin.Query[SchoolClass]().All(ctx, watched.DB)
	require.NoError(t, err)
	for _, c := range classes {
		students, err := c.Students.Load(ctx, watched.DB)
		require.NoError(t, err)
		_, err = students[0].Class.Load(ctx, watched.DB) // which is loaded
		require.NoError(t, err)
	}
	require.Len(t, found, 1)
	assert.Equal(t, "SchoolClass.Students", found[0].Relation)
	assert.Equal(t, 10, found[0].Count)
	assert.True(t, strings.HasSuffix(found[0].File, "tests/prefetch_modes.go"), found[0].File)
	assert.Contains(t, found[0].Function, "testRepeatedLoads")
	assert.Contains(t, found[0].String(), "SchoolClass.Students was loaded 10 times, with a statement each, at ")

	// Not what is loaded with the rows, or for all at once, or by others.
	found = nil
	for _, q := range []kin.QuerySet[SchoolClass]{kin.Query[SchoolClass]().FetchPeers(), kin.Query[SchoolClass]()} {
		classes, err = q.All(ctx, watched.DB)
		require.NoError(t, err)
		for i, c := range classes {
			if i%2 == 0 {
				_, err = c.Teachers.Load(ctx, watched.DB)
			} else {
				_, err = c.Teachers.Load(ctx, watched.DB)
			}
			require.NoError(t, err)
		}
	}
	for _, c := range classes {
		other, cancel := context.WithCancel(ctx)
		_, err = c.Students.Load(other, watched.DB)
		require.NoError(t, err)
		cancel()
	}
	assert.Empty(t, found)

	told := &tellT{}
	strict := s.With(kin.NoRepeatedLoads(told))
	for _, c := range classes[:3] {
		_, err = c.Students.Load(ctx, strict.DB)
		require.NoError(t, err)
	}
	require.Len(t, told.errors, 1)
	assert.Contains(t, told.errors[0], "SchoolClass.Students was loaded 2 times")
}

// A tellT notes what a test would be told.
type tellT struct{ errors []string }

func (*tellT) Helper() {}

func (t *tellT) Errorf(format string, args ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}
