package tests

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func replicaCases() []Case {
	return []Case{
		{"replica/who reads where", testReplicas},
		{"replica/reads after a write", testReadYourWrites},
		{"replica/mistakes", testReplicaMistakes},
		{"tags/comments", testTags},
		{"tags/attacks", testTagAttacks},
	}
}

// replicaSuite returns a primary with one student called primary, and two
// replicas that never follow it, in which the same student has their names.
func replicaSuite(t *testing.T, s *Suite) (primary *Suite) {
	t.Helper()
	var replicas []*kin.DB
	for _, name := range []string{"one", "two"} {
		r := New(t, s.Target)
		r.NewSchool(t, 1, 1, 0)
		_, err := kin.Query[Student]().Everything().Update(t.Context(), r.DB, kin.Set("name", name))
		require.NoError(t, err)
		replicas = append(replicas, r.DB)
	}
	s.NewSchool(t, 1, 1, 0)
	_, err := kin.Query[Student]().Everything().Update(t.Context(), s.DB, kin.Set("name", "primary"))
	require.NoError(t, err)
	return s.With(kin.WithReplicas(replicas...))
}

func replicaName(ctx context.Context, t *testing.T, db kin.Executor) string {
	t.Helper()
	row, err := kin.Query[Student]().Get(ctx, db)
	require.NoError(t, err)
	return row.Name
}

func testReplicas(t *testing.T, s *Suite) {
	s = replicaSuite(t, s)
	ctx := t.Context()
	seen := map[string]int{}
	for range 10 {
		seen[replicaName(ctx, t, s.DB)]++
	}
	assert.Equal(t, map[string]int{"one": 5, "two": 5}, seen)
	q := kin.Query[Student]().Filter("name", "primary")
	for range 2 {
		n, err := q.Count(ctx, s.DB)
		require.NoError(t, err)
		assert.Zero(t, n)
		yes, err := q.Exists(ctx, s.DB)
		require.NoError(t, err)
		assert.False(t, yes)
		for range q.Iter(ctx, s.DB) {
			t.Error("a row of the primary")
		}
		page, err := q.Page(ctx, s.DB, 1, 5)
		require.NoError(t, err)
		assert.Empty(t, page.Rows)
		for range q.Batches(ctx, s.DB, 5) {
			t.Error("a row of the primary")
		}
	}
	assert.Equal(t, "primary", replicaName(kin.OnPrimary(ctx), t, s.DB))
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		assert.Equal(t, "primary", replicaName(ctx, t, tx))
		if locks(s) {
			row, err := kin.Query[Student]().ForUpdate().Get(ctx, tx)
			require.NoError(t, err)
			assert.Equal(t, "primary", row.Name)
		}
		return nil
	}))
	// What belongs to a write is on the primary.
	row, err := kin.Query[Student]().Get(ctx, s.DB)
	require.NoError(t, err)
	require.NoError(t, kin.Reload(ctx, s.DB, row))
	assert.Equal(t, "primary", row.Name)
	found, created, err := kin.GetOrCreate(ctx, s.DB, &Student{Name: "primary", Class: row.Class}, "name")
	require.NoError(t, err)
	assert.False(t, created)
	assert.Equal(t, row.ID, found.ID)
}

func testReadYourWrites(t *testing.T, s *Suite) {
	s = replicaSuite(t, s)
	for why, write := range map[string]func(ctx context.Context) error{
		"a row": func(ctx context.Context) error {
			row, err := kin.Query[Student]().Get(kin.OnPrimary(ctx), s.DB)
			require.NoError(t, err)
			return kin.Update(ctx, s.DB, row)
		},
		"a query": func(ctx context.Context) error {
			_, err := kin.Query[Student]().Filter("id", -1).Delete(ctx, s.DB)
			return err
		},
		"a transaction": func(ctx context.Context) error {
			return s.DB.Tx(ctx, func(tx *kin.Tx) error {
				_, err := kin.Query[Student]().Everything().Update(ctx, tx, kin.Set("name", "primary"))
				return err
			})
		},
		"with a context made from it": func(ctx context.Context) error {
			_, err := kin.Query[Student]().Filter("id", -1).Delete(kin.OnPrimary(context.WithoutCancel(ctx)), s.DB)
			return err
		},
	} {
		ctx, other := kin.ReadYourWrites(t.Context()), kin.ReadYourWrites(t.Context())
		assert.NotEqual(t, "primary", replicaName(ctx, t, s.DB), why)
		assert.Equal(t, "primary", replicaName(kin.OnPrimary(ctx), t, s.DB), why)
		require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
			assert.Equal(t, "primary", replicaName(ctx, t, tx), why)
			return nil
		}, kin.TxOptions{ReadOnly: true}))
		assert.NotEqual(t, "primary", replicaName(ctx, t, s.DB), "reads are no writes")
		require.NoError(t, write(ctx), why)
		for range 3 {
			assert.Equal(t, "primary", replicaName(ctx, t, s.DB), why)
		}
		assert.NotEqual(t, "primary", replicaName(other, t, s.DB), "another request")
		assert.NotEqual(t, "primary", replicaName(t.Context(), t, s.DB), "not asked for")
	}
}

func testReplicaMistakes(t *testing.T, s *Suite) {
	ctx := t.Context()
	s.NewSchool(t, 1, 1, 0)
	tx, err := s.Pool().BeginTx(ctx, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	for _, replica := range []*kin.DB{nil, kin.New(tx, s.Dialect())} {
		_, err := kin.Query[Student]().All(ctx, s.With(kin.WithReplicas(s.DB, replica)).DB)
		require.ErrorContains(t, err, "kin: replica 2 of 2 is no pool of connections")
	}
	other := SQLite().Dialect()
	if s.Name == "sqlite" {
		other = Postgres().Dialect()
	}
	_, err = kin.Query[Student]().Count(ctx, s.With(kin.WithReplicas(kin.New(s.Pool(), other))).DB)
	require.ErrorContains(t, err, "and the primary one of "+s.Name)
	n, err := kin.Query[Student]().Count(ctx, s.With(kin.WithReplicas()).DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
}

type tagRouteKey struct{}

func testTags(t *testing.T, s *Suite) {
	s.NewSchool(t, 1, 2, 0)
	s = s.With(kin.WithTags(func(ctx context.Context) map[string]string {
		if route, ok := ctx.Value(tagRouteKey{}).(string); ok {
			return map[string]string{"route": route, "app": "school"}
		}
		return nil
	}))
	ctx := context.WithValue(t.Context(), tagRouteKey{}, "/students/{id}")
	q := kin.Query[Student]().Tag("job", "nightly run").Filter("name__ne", "x")
	const fromContext = " /*app='school',route='%2Fstudents%2F%7Bid%7D'*/"
	s.Wire.Reset()
	_, err := q.All(t.Context(), s.DB)
	require.NoError(t, err)
	_, err = q.Tag("more", "1").Count(ctx, s.DB)
	require.NoError(t, err)
	for _, err := range q.SelectRelated("class").Iter(ctx, s.DB) {
		require.NoError(t, err)
	}
	_, err = q.Update(ctx, s.DB, kin.Set("name", "y"))
	require.NoError(t, err)
	row, err := kin.Query[Student]().First(ctx, s.DB)
	require.NoError(t, err)
	row.Name = "z"
	require.NoError(t, kin.Update(ctx, s.DB, row))
	ends := []string{" /*job='nightly%20run'*/", " /*job='nightly%20run'*/ /*more='1'*/" + fromContext, " /*job='nightly%20run'*/" + fromContext, " /*job='nightly%20run'*/" + fromContext, fromContext, fromContext}
	statements := s.Wire.Statements()
	require.Len(t, statements, len(ends))
	for i, end := range ends {
		assert.True(t, strings.HasSuffix(statements[i], end), statements[i])
		assert.Equal(t, strings.Count(end, "/*"), strings.Count(statements[i], "/*"))
	}
	n, err := kin.Query[Student]().Filter("name__in", []string{"y", "z"}).Count(t.Context(), s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	text, _, err := q.SQL(s.DB.Dialect())
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(text, ends[0]))
}

// testTagAttacks is CVE-2023-22794 (Rails) and CVE-2020-25638 (Hibernate):
// a comment that ends early.
func testTagAttacks(t *testing.T, s *Suite) {
	s.NewSchool(t, 1, 2, 0)
	ctx := t.Context()
	plain, _, err := kin.Query[Student]().SQL(s.DB.Dialect())
	require.NoError(t, err)
	tags := map[string]string{}
	db := s.With(kin.WithTags(func(context.Context) map[string]string { return tags })).DB
	var values []string
	for _, p := range payloads() {
		values = append(values, p, "*/"+p, "*/; DROP TABLE students; --"+p, "/*!50000 "+p, p+"*/ UNION SELECT 1 /*")
	}
	values = append(values, "", strings.Repeat("*/", 1000), "\x00", string([]byte{0xff, 0xfe}), "?", "$1", "{p}", "%", "é😀")
	for _, v := range values {
		tags = map[string]string{"v": v}
		s.Wire.Reset()
		rows, err := kin.Query[Student]().Tag("q", v).All(ctx, db)
		require.NoError(t, err, "%q", v)
		require.Len(t, rows, 2)
		statement := s.Wire.Statements()[0]
		comment, ok := strings.CutPrefix(statement, plain)
		require.True(t, ok, statement)
		require.Regexp(t, `^ /\*q='[A-Za-z0-9_.~%-]*'\*/ /\*v='[A-Za-z0-9_.~%-]*'\*/$`, comment)
		require.Less(t, len(comment), 2*(3*200+20))
		v += "'"
		tags = map[string]string{v: "x"}
		s.Wire.Reset()
		_, err = kin.Query[Student]().All(ctx, db)
		require.ErrorContains(t, err, "kin: a tag has the key", "%q", v)
		require.ErrorContains(t, kin.Query[Student]().Tag(v, "x").Err(), "a tag has the key", "%q", v)
		s.Wire.Want(t, 0, 0)
	}
	for _, key := range []string{"1a", "_a", "a-b", "a b", "a.b", "é", strings.Repeat("a", 64)} {
		require.Error(t, kin.Query[Student]().Tag(key, "x").Err(), key)
	}
	require.NoError(t, kin.Query[Student]().Tag(strings.Repeat("a", 63), "x").Err())
}
