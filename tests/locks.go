package tests

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func lockCases() []Case {
	return []Case{
		{"lock/a queue with eight workers", testLockQueue},
		{"lock/whom it keeps out", testLockKeepsOut},
		{"lock/with what is loaded", testLockLoads},
		{"lock/of paths", testLockOf},
		{"lock/mistakes", testLockMistakes},
		{"lock/not on SQLite", testLockSQLite},
	}
}

func locks(s *Suite) bool { return s.Name != "sqlite" }

type lockJob struct {
	ID    int64
	Done  bool
	Takes int
	Owner kin.ForeignKey[lockOwner] `kin:",null"`
}

type lockOwner struct {
	ID   int64
	Name string
}

func lockSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	var r kin.Registry
	kin.Register[lockJob](&r)
	kin.Register[lockOwner](&r)
	s = s.With(kin.WithRegistry(&r))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	return s
}

// testLockQueue has eight workers take jobs from a table until there are none:
// each is taken once, and they do not wait for each other.
func testLockQueue(t *testing.T, s *Suite) {
	if !locks(s) {
		t.Skip("SQLite has no locks on rows")
	}
	s = lockSuite(t, s)
	ctx := t.Context()
	const jobs, workers = 120, 8
	owner := &lockOwner{Name: "all"}
	require.NoError(t, kin.Insert(ctx, s.DB, owner))
	var rows []*lockJob
	for range jobs {
		rows = append(rows, &lockJob{Owner: kin.To(owner)})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, rows...))
	next := kin.Query[lockJob]().SelectRelated("owner").Filter("done", false).OrderBy("id").ForUpdate(kin.SkipLocked).Limit(3)
	var mu sync.Mutex
	taken := map[int64]int{}
	busy := make([]int, workers)
	work := func(worker int) error {
		for {
			left := int64(0)
			err := s.DB.Tx(ctx, func(tx *kin.Tx) error {
				batch, err := next.All(ctx, tx)
				if err != nil {
					return err
				}
				for _, job := range batch {
					mu.Lock()
					taken[job.ID]++
					busy[worker]++
					mu.Unlock()
					job.Done = true
					job.Takes++
					if err := kin.Update(ctx, tx, job); err != nil {
						return err
					}
				}
				if len(batch) == 0 {
					left, err = kin.Query[lockJob]().Filter("done", false).Count(ctx, s.DB)
				} else {
					left = 1
				}
				return err
			})
			if err != nil || left == 0 {
				return err
			}
		}
	}
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { errs[i] = work(i) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, taken, jobs)
	for id, n := range taken {
		require.Equal(t, 1, n, "job %d", id)
	}
	n, err := kin.Query[lockJob]().Filter("done", true, "takes", 1).Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, jobs, n)
	t.Logf("jobs by worker: %v", busy)
}

// within runs f in a transaction, and another in a second one meanwhile.
func within(t *testing.T, s *Suite, f, meanwhile func(ctx context.Context, tx *kin.Tx)) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		f(ctx, tx)
		second, err := s.DB.Begin(ctx)
		require.NoError(t, err)
		defer func() { require.NoError(t, second.Rollback()) }()
		meanwhile(ctx, second)
		return nil
	}))
}

// locked reports whether another transaction cannot have the rows of q.
func locked[T any](t *testing.T, s *Suite, q kin.QuerySet[T]) bool {
	t.Helper()
	tx, err := s.DB.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	rows, err := q.ForUpdate(kin.NoWait).All(t.Context(), tx)
	if err != nil {
		require.ErrorIs(t, err, kin.ErrLockTimeout)
		return true
	}
	require.NotEmpty(t, rows)
	return false
}

func testLockKeepsOut(t *testing.T, s *Suite) {
	if !locks(s) {
		t.Skip("SQLite has no locks on rows")
	}
	s.NewSchool(t, 3, 4, 0)
	students := kin.Query[Student]()
	first := students.Filter("id", 1)
	for _, q := range []kin.QuerySet[Student]{first.ForUpdate(), students.OrderBy("id").Limit(1).ForUpdate(), first.ForUpdate(kin.NoWait)} {
		within(t, s, func(ctx context.Context, tx *kin.Tx) {
			s.Wire.Reset()
			row, err := q.First(ctx, tx)
			require.NoError(t, err)
			require.EqualValues(t, 1, row.ID)
			s.Wire.Want(t, 1, 1)
		}, func(ctx context.Context, tx *kin.Tx) {
			rows, err := students.Filter("id__lte", 3).ForUpdate(kin.SkipLocked).All(ctx, tx)
			require.NoError(t, err)
			for _, row := range rows {
				require.NotEqual(t, int64(1), row.ID)
			}
			plain, err := first.First(ctx, tx)
			require.NoError(t, err, "reading does not wait")
			require.EqualValues(t, 1, plain.ID)
			assert.True(t, locked(t, s, first))
			_, err = first.ForShare(kin.NoWait).All(ctx, tx)
			require.ErrorIs(t, err, kin.ErrLockTimeout)
		})
		assert.False(t, locked(t, s, first), "the lock ends with the transaction")
	}
	within(t, s, func(ctx context.Context, tx *kin.Tx) {
		for row, err := range first.ForShare().Iter(ctx, tx) {
			require.NoError(t, err)
			require.EqualValues(t, 1, row.ID)
		}
	}, func(ctx context.Context, tx *kin.Tx) {
		rows, err := first.ForShare(kin.NoWait).All(ctx, tx)
		require.NoError(t, err, "those that share do not keep each other out")
		require.Len(t, rows, 1)
		assert.True(t, locked(t, s, first))
	})
	// What is counted is not locked, and a page is.
	within(t, s, func(ctx context.Context, tx *kin.Tx) {
		n, err := first.ForUpdate().Count(ctx, tx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		yes, err := first.ForUpdate().Exists(ctx, tx)
		require.NoError(t, err)
		require.True(t, yes)
	}, func(context.Context, *kin.Tx) { assert.False(t, locked(t, s, first)) })
	within(t, s, func(ctx context.Context, tx *kin.Tx) {
		for rows, err := range students.ForUpdate().Batches(ctx, tx, 2) {
			require.NoError(t, err)
			require.Len(t, rows, 2)
			break
		}
	}, func(context.Context, *kin.Tx) { assert.True(t, locked(t, s, first)) })
}

// testLockLoads locks the query's own rows, and none that are loaded with
// them.
func testLockLoads(t *testing.T, s *Suite) {
	if !locks(s) {
		t.Skip("SQLite has no locks on rows")
	}
	school := s.NewSchool(t, 3, 4, 2)
	student := kin.Query[Student]().Filter("id", 1)
	class := kin.Query[SchoolClass]().Filter("id", 1)
	for _, q := range []kin.QuerySet[Student]{student.SelectRelated("class", "category"), student.SelectRelated("class", "category").Limit(1)} {
		within(t, s, func(ctx context.Context, tx *kin.Tx) {
			rows, err := q.ForUpdate().All(ctx, tx)
			require.NoError(t, err)
			require.Len(t, rows, 1)
			assert.Equal(t, school.Classes[0].Name, rows[0].Class.Get().Name)
			assert.Equal(t, "Music", rows[0].Category.Get().Name)
		}, func(context.Context, *kin.Tx) {
			assert.True(t, locked(t, s, student))
			assert.False(t, locked(t, s, class), "the class is loaded, and not locked")
			assert.False(t, locked(t, s, kin.Query[Category]().Filter("name", "Music")))
		})
	}
	for _, q := range []kin.QuerySet[SchoolClass]{class.SelectRelated("students__category"), class.SelectRelated("students").Limit(1)} {
		within(t, s, func(ctx context.Context, tx *kin.Tx) {
			rows, err := q.ForUpdate().All(ctx, tx)
			require.NoError(t, err)
			require.Len(t, rows, 1)
			assert.Equal(t, 4, rows[0].Students.Len())
		}, func(context.Context, *kin.Tx) {
			assert.True(t, locked(t, s, class))
			assert.False(t, locked(t, s, student), "the students are loaded, and not locked")
		})
	}
	within(t, s, func(ctx context.Context, tx *kin.Tx) {
		s.Wire.Reset()
		rows, err := class.SelectRelated("students", "teachers").ForUpdate().All(ctx, tx)
		require.ErrorContains(t, err, "kin: the query on SchoolClass locks rows and loads several relations to many rows at once; lock the rows first")
		assert.Empty(t, rows)
		s.Wire.Want(t, 0, 0)
	}, func(context.Context, *kin.Tx) {})
}

func testLockOf(t *testing.T, s *Suite) {
	if !locks(s) {
		t.Skip("SQLite has no locks on rows")
	}
	s.NewSchool(t, 3, 4, 2)
	student := kin.Query[Student]().Filter("id", 1)
	class := kin.Query[SchoolClass]().Filter("id", 1)
	q := student.LockOf("class").ForUpdate()
	if s.Name == "mysql" {
		require.NoError(t, s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
			_, err := q.All(t.Context(), tx)
			require.ErrorContains(t, err, "LockOf, which is not supported by mysql")
			return nil
		}))
		return
	}
	for _, q := range []kin.QuerySet[Student]{q, q.SelectRelated("class", "category"), student.SelectRelated("class").ForUpdate().LockOf("class").OrderBy("class__name")} {
		within(t, s, func(ctx context.Context, tx *kin.Tx) {
			s.Wire.Reset()
			rows, err := q.All(ctx, tx)
			require.NoError(t, err)
			require.Len(t, rows, 1)
			assert.Contains(t, s.Wire.Statements()[0], " FOR UPDATE OF ")
		}, func(context.Context, *kin.Tx) {
			assert.True(t, locked(t, s, student))
			assert.True(t, locked(t, s, class))
			assert.False(t, locked(t, s, kin.Query[Category]().Filter("name", "Music")))
		})
	}
	for path, want := range map[string]string{
		"category":        `cannot lock "category": Student.Category may be NULL`,
		"class__students": `cannot lock "class__students": SchoolClass.Students leads to many rows`,
		"clss":            `did you mean "class"?`,
		"name":            "it is a field",
	} {
		require.ErrorContains(t, student.ForUpdate().LockOf(path).Err(), want)
	}
}

func testLockMistakes(t *testing.T, s *Suite) {
	s.NewSchool(t, 1, 1, 0)
	ctx := t.Context()
	q := kin.Query[Student]()
	s.Wire.Reset()
	require.ErrorContains(t, q.LockOf("class").Err(), "LockOf, which goes with ForUpdate or ForShare")
	require.ErrorContains(t, q.ForUpdate(kin.NoWait, kin.SkipLocked).Err(), "a lock takes NoWait or SkipLocked, or neither")
	require.ErrorContains(t, q.ForShare(99).Err(), "a lock takes NoWait or SkipLocked, or neither")
	require.NoError(t, q.ForUpdate().Err())
	if locks(s) {
		_, err := q.ForUpdate().All(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrNoTx)
		_, err = q.ForShare().First(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrNoTx)
		for _, err := range q.ForShare().Iter(ctx, s.DB) {
			require.ErrorIs(t, err, kin.ErrNoTx)
		}
		s.Wire.Want(t, 0, 0)
		err = s.DB.Tx(ctx, func(tx *kin.Tx) error {
			_, err := q.ForUpdate().All(ctx, tx)
			return err
		}, kin.TxOptions{ReadOnly: true})
		require.ErrorIs(t, err, kin.ErrReadOnly)
		// A query without the lock is another, and stays as it is.
		text, _, err := q.SQL(s.DB.Dialect())
		require.NoError(t, err)
		assert.NotContains(t, text, "FOR ")
		assert.NotContains(t, text, "LOCK")
		text, _, err = q.ForShare(kin.SkipLocked).SQL(s.DB.Dialect())
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(text, " SKIP LOCKED"))
	}
}

func testLockSQLite(t *testing.T, s *Suite) {
	if locks(s) {
		t.Skip("it is another database")
	}
	s.NewSchool(t, 1, 1, 0)
	require.NoError(t, s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
		s.Wire.Reset()
		for _, q := range []kin.QuerySet[Student]{kin.Query[Student]().ForUpdate(), kin.Query[Student]().ForShare(kin.SkipLocked)} {
			_, err := q.All(t.Context(), tx)
			require.ErrorContains(t, err, "kin: the query on Student locks rows, which is not supported by sqlite")
		}
		s.Wire.Want(t, 0, 0)
		return nil
	}))
}
