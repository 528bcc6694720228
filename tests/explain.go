package tests

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/kintest"
)

func explainCases() []Case {
	return []Case{
		{"explain/trees", testExplain},
		{"explain/no sequential scan", testNoSequentialScan},
		{"explain/the statement runs", testExplainAnalyze},
		{"explain/attacks", testExplainAttacks},
	}
}

// explainSchool fills tables until an index is worth it, and has the database
// count.
func explainSchool(t *testing.T, s *Suite) {
	t.Helper()
	s.NewSchool(t, 100, 20, 1)
	switch s.Name {
	case "mysql":
		s.Exec(t, "ANALYZE TABLE students, school_classes, categories, teachers")
	default:
		s.Exec(t, "ANALYZE")
	}
	s.Wire.Reset()
}

func explainTables(p *kin.QueryPlan) map[string]bool {
	tables := map[string]bool{}
	p.Walk(func(n *kin.PlanNode) {
		if n.Table != "" {
			tables[n.Table] = true
		}
	})
	return tables
}

func testExplain(t *testing.T, s *Suite) {
	explainSchool(t, s)
	ctx := t.Context()
	q := kin.Query[Student]().SelectRelated("class").Filter("class__name__startswith", "class 00", "category__name", "Music").OrderBy("name").Limit(5)
	p, err := q.Explain(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, s.Wire.Statements(), 1)
	tables := explainTables(p)
	assert.True(t, tables["students"] && tables["school_classes"] && tables["categories"], "aliases are tables again: %v\n%s", tables, p)
	t.Logf("%s", p)
	lines := strings.Split(p.String(), "\n")
	assert.GreaterOrEqual(t, len(lines), 3)
	for _, line := range lines {
		assert.NotEmpty(t, strings.TrimSpace(line))
	}
	for _, q := range []kin.QuerySet[SchoolClass]{
		kin.Query[SchoolClass]().SelectRelated("students__category", "teachers").OrderBy("-name").Limit(3),
		kin.Query[SchoolClass]().Exclude("students__category__name__in", []string{"Music", "Maths"}),
		kin.Query[SchoolClass]().SelectRelated("students").Limit(3),
	} {
		p, err := q.Explain(ctx, s.DB)
		require.NoError(t, err)
		tables := explainTables(p)
		assert.True(t, tables["students"] && tables["school_classes"], "%v\n%s", tables, p)
	}
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		_, err := kin.Query[Student]().Explain(ctx, tx)
		return err
	}))
	s.Wire.Reset()
	p, err = kin.Query[Student]().Filter("id__in", []int64{}).Explain(ctx, s.DB)
	require.NoError(t, err)
	assert.Contains(t, p.String(), "nothing is asked")
	s.Wire.Want(t, 0, 0)
	_, err = kin.Query[Student]().OrderBy("nme").Explain(ctx, s.DB)
	require.ErrorContains(t, err, `did you mean "name"?`)
}

// A recorder is a test that fails without consequence.
type recorder struct {
	*testing.T
	failures []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...) }

func testNoSequentialScan(t *testing.T, s *Suite) {
	explainSchool(t, s)
	byName := kin.Query[Student]().Filter("name", "nobody")
	kintest.NoSequentialScan(t, s.DB, kin.Query[Student]().Filter("id", 5), 100)
	kintest.NoSequentialScan(t, s.DB, byName, 2000)
	kintest.NoSequentialScan(t, s.DB, kin.Query[Student]().Filter("class", 5).SelectRelated("class", "category").OrderBy("name"), 100)
	r := &recorder{T: t}
	kintest.NoSequentialScan(r, s.DB, byName, 1999)
	require.Len(t, r.failures, 1)
	assert.Contains(t, r.failures[0], "the query reads all rows of students, which has more than 1999:\n")
	r = &recorder{T: t}
	kintest.NoSequentialScan(r, s.DB, kin.Query[Student]().SelectRelated("class").Filter("class__name__contains", "x"), 1)
	require.NotEmpty(t, r.failures)
	r = &recorder{T: t}
	kintest.NoSequentialScan(r, s.DB, kin.Query[Student]().Filter("nme", 1), 1)
	require.Len(t, r.failures, 1)
	assert.Contains(t, r.failures[0], `did you mean "name"?`)
	p, err := byName.Explain(t.Context(), s.DB)
	require.NoError(t, err)
	s.Wire.Reset()
	scans, err := p.ScansOver(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, scans, 1)
	assert.Equal(t, "students", scans[0].Table)
	s.Wire.Want(t, 1, 1)
}

func testExplainAnalyze(t *testing.T, s *Suite) {
	explainSchool(t, s)
	p, err := kin.Query[Student]().Filter("class__lte", 3).Explain(t.Context(), s.DB, kin.ExplainOptions{Analyze: true})
	if s.Name == "sqlite" {
		require.ErrorContains(t, err, "this form of Explain is not supported by sqlite")
		return
	}
	require.NoError(t, err)
	read := 0.0
	p.Walk(func(n *kin.PlanNode) {
		if n.Table == "students" {
			read = max(read, n.Actual)
		}
	})
	assert.InDelta(t, 60, read, 0.1, "%s", p)
	_, err = kin.Query[Student]().ForUpdate().Explain(t.Context(), s.DB, kin.ExplainOptions{Analyze: true})
	require.ErrorIs(t, err, kin.ErrNoTx)
}

// testExplainAttacks is CVE-2022-28347: there, the names of options became SQL.
// Here none is a text. What else is in the statement stays a parameter or a
// comment that does not end.
func testExplainAttacks(t *testing.T, s *Suite) {
	options := reflect.TypeFor[kin.ExplainOptions]()
	for field := range options.Fields() {
		assert.Equal(t, reflect.Bool, field.Type.Kind(), field.Name)
	}
	s.NewSchool(t, 1, 1, 0)
	for _, p := range payloads() {
		s.Wire.Reset()
		_, err := kin.Query[Student]().Filter("name", p).Explain(t.Context(), s.DB)
		require.NoError(t, err, "%q", p)
		statement := s.Wire.Statements()[0]
		require.NotContains(t, statement, marker)
	}
}
