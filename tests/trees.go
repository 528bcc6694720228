package tests

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func treeCases() []Case {
	return []Case{
		{"trees/rows in any order", testTreeOrder},
		{"trees/changes by a relation read by index", testChangePlans},
	}
}

// treeRow refers to rows of its own model, and its key is the program's.
type treeRow struct {
	Land   string `kin:",pk,size=5"`
	Number int    `kin:",pk"`
	Name   string
	Parent kin.ForeignKey[treeRow] `kin:",null,related_name=children"`
}

// newTree returns a chain of 23 rows, the last one first, and one that refers
// to itself: MariaDB never deletes such a row while its foreign key restricts.
func newTree(s *Suite) []*treeRow {
	rows := make([]*treeRow, 0, 24)
	for i := 22; i >= 0; i-- {
		row := &treeRow{Land: "a", Number: i, Name: strings.Repeat("x", i)}
		if i > 0 {
			row.Parent = kin.To(&treeRow{Land: "a", Number: i - 1})
		}
		rows = append(rows, row)
	}
	if s.Name == "mysql" {
		return rows
	}
	self := &treeRow{Land: "b", Number: 1}
	self.Parent = kin.To(self)
	return append(rows, self)
}

// testTreeOrder writes and deletes children before their parents, all at once
// and in statements of one, two, three and seven rows.
func testTreeOrder(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[treeRow])
	dump := func() []string {
		return s.dump(t, "SELECT land, number, name, parent_land, parent_number FROM tree_rows ORDER BY land, number")
	}
	require.NoError(t, kin.Insert(ctx, s.DB, newTree(s)...))
	want := dump()
	require.Len(t, want, len(newTree(s)))
	require.NoError(t, kin.DeleteAll(ctx, s.DB, newTree(s)))
	require.Empty(t, dump())
	for _, size := range []int{1, 2, 3, 7, 0} {
		db := kin.Batch{Size: size}.On(s.DB)
		require.NoError(t, kin.Insert(ctx, db, newTree(s)...), "%d", size)
		assert.Equal(t, want, dump())
		// From the root on, which is the wrong order for deletes.
		rows := newTree(s)
		slices.Reverse(rows)
		require.NoError(t, kin.DeleteAll(ctx, db, rows), "%d", size)
		assert.Empty(t, dump())

		require.NoError(t, kin.Upsert(ctx, db, newTree(s), kin.OnConflict("land", "number")), "%d", size)
		assert.Equal(t, want, dump())
		require.NoError(t, kin.DeleteAll(ctx, db, newTree(s)), "%d", size)
		assert.Empty(t, dump())
	}
	require.NoError(t, kin.Insert(ctx, kin.Batch{CommitEach: 5}.On(s.DB), newTree(s)...))
	assert.Equal(t, want, dump())
	// A circle of two rows is what no order serves.
	a, b := &treeRow{Land: "c", Number: 1}, &treeRow{Land: "c", Number: 2}
	a.Parent, b.Parent = kin.To(b), kin.To(a)
	err := kin.Insert(ctx, kin.Batch{Size: 1}.On(s.DB), a, b)
	var key *kin.ForeignKeyError
	require.ErrorAs(t, err, &key)
	assert.Equal(t, want, dump())
}

// testChangePlans asks MariaDB how it runs changes with conditions over
// relations: it runs a subquery of an UPDATE or a DELETE for each row of the
// table. What the others do is in their golden files, and reads by key.
func testChangePlans(t *testing.T, s *Suite) {
	if s.Name != "mysql" {
		t.Log("only MariaDB plans the subqueries of a change apart from those of a SELECT")
		return
	}
	ctx := t.Context()
	school := s.NewSchool(t, 50, 40, 1)
	require.Len(t, school.Students, 2000)
	s.Exec(t, "ANALYZE TABLE students, school_classes, categories, teachers")
	class := school.Classes[7].Name
	for name, run := range map[string]func(q kin.QuerySet[Student]) (int64, error){
		"delete": func(q kin.QuerySet[Student]) (int64, error) { return q.Delete(ctx, s.DB) },
		"update": func(q kin.QuerySet[Student]) (int64, error) { return q.Update(ctx, s.DB, kin.Set("name", "x")) },
	} {
		for what, q := range map[string]kin.QuerySet[Student]{
			"a foreign key":   kin.Query[Student]().Filter("class__name", class),
			"a to-many path":  kin.Query[Student]().Filter("class__teachers__name", "nobody"),
			"the first three": kin.Query[Student]().OrderBy("id").Limit(3),
		} {
			s.Wire.Reset()
			_, err := run(q)
			require.NoError(t, err)
			texts := s.Wire.Statements()
			text := texts[len(texts)-1]
			if what == "a foreign key" {
				text = strings.ReplaceAll(text, "= ?", "= '"+class+"'")
			}
			text = strings.ReplaceAll(text, "?", "'x'")
			for _, table := range s.explain(t, text) {
				if table.name == "students" && table.part == "PRIMARY" {
					assert.Equal(t, "eq_ref", table.access, "%s by %s: %s", name, what, text)
				}
				assert.NotEqual(t, "DEPENDENT SUBQUERY", table.part, "%s by %s: %s", name, what, text)
			}
		}
	}
}

// An explained is a table of a plan of MariaDB.
type explained struct{ part, name, access string }

func (s *Suite) explain(t *testing.T, text string) (tables []explained) {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "EXPLAIN "+text)
	require.NoError(t, err, text)
	defer rows.Close()
	for rows.Next() {
		var part, name, access, other sql.NullString
		require.NoError(t, rows.Scan(&other, &part, &name, &access, &other, &other, &other, &other, &other, &other))
		tables = append(tables, explained{part.String, name.String, access.String})
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, tables)
	return tables
}
