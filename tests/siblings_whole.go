package tests

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

// unchecked runs statements while the database does not look at foreign keys, as
// in one that other programs have filled.
func unchecked(t *testing.T, s *Suite, statements ...string) {
	t.Helper()
	checks := map[string][2]string{ // off and on
		"sqlite":   {"PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"},
		"postgres": {"SET session_replication_role = replica", "RESET session_replication_role"},
		"mysql":    {"SET foreign_key_checks = 0", "SET foreign_key_checks = 1"},
	}[s.Name]
	c, err := s.Pool().Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	for _, text := range slices.Concat(checks[:1], statements, checks[1:]) {
		_, err := c.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
	s.Wire.Reset()
}

// testWholeDangling reads whole tables in which foreign keys lead nowhere: what
// a join would not find is not there, and what hangs on it neither.
func testWholeDangling(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 3, 4, 2)
	ctx := t.Context()
	unchecked(t, s, "UPDATE students SET class_id = 999 WHERE id = 1", "UPDATE students SET category_id = 998 WHERE id = 2",
		"UPDATE teachers SET class_id = 999 WHERE id = 1")

	students, err := kin.Query[Student]().SelectRelated("class__teachers", "category").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, students, len(school.Students))
	assert.Len(t, s.Wire.Statements(), 1)
	first, second := students[0], students[1]
	assert.False(t, first.Class.Loaded())
	assert.Nil(t, first.Class.Get())
	assert.Equal(t, "SchoolClass(999)", first.Class.String())
	assert.False(t, second.Category.Loaded())
	assert.Equal(t, "Category(998)", second.Category.String())
	for _, x := range students[1:] {
		require.True(t, x.Class.Loaded())
		assert.True(t, x.Class.Get().Teachers.Loaded())
	}

	classes, err := kin.Query[SchoolClass]().SelectRelated("students__category", "teachers").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, classes, 3)
	n, m := 0, 0
	for _, c := range classes {
		n, m = n+c.Students.Len(), m+c.Teachers.Len()
	}
	assert.Equal(t, []int{len(school.Students) - 1, len(school.Teachers) - 1}, []int{n, m})
}

// testWholeLikeJoined reads graphs of whole tables, and the same by a query that
// is joined since it has a condition.
func testWholeLikeJoined(t *testing.T, s *Suite) {
	s.NewSchool(t, 5, 6, 3)
	ctx := t.Context()
	for _, load := range [][]string{
		{"students"},
		{"students__category"},
		{"students__category", "teachers"},
		{"teachers__category", "students__category"},
		{"students__class"},
		{"students__class__teachers"},
		{"students__class__students__category"},
	} {
		for _, order := range []kin.Path[SchoolClass]{"id", "-id", "students__name", "-students__category__name"} {
			q := kin.Query[SchoolClass]().SelectRelated(kin.Paths[SchoolClass](load...)...).OrderBy(order)
			whole, err := q.All(ctx, s.DB)
			require.NoError(t, err)
			require.Len(t, whole, 5)
			joined, err := q.Filter("id__gt", 0).All(ctx, s.DB)
			require.NoError(t, err)
			require.Len(t, joined, 5)
			for i := range whole {
				require.Equal(t, graph(joined[i]), graph(whole[i]), "%v by %s", load, order)
			}
			statements := s.Wire.Statements()
			require.Len(t, statements, 2)
			s.Wire.Reset()
		}
	}
}

// testWholeBackwards reads rows in the reverse of the order in which the database
// gives them, which it does not promise: children come before their parents.
func testWholeBackwards(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 4, 5, 2)
	ctx := t.Context()
	unchecked(t, s, "UPDATE students SET class_id = 999 WHERE id = 1", "UPDATE teachers SET class_id = 998 WHERE id = 2")
	for _, load := range [][]string{
		{"students"},
		{"students__category", "teachers"},
		{"students__class__teachers"},
		{"students__class__students__category", "teachers__category"},
	} {
		q := kin.Query[SchoolClass]().SelectRelated(kin.Paths[SchoolClass](load...)...)
		want, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, want, 4)
		n := 0
		for _, c := range want {
			n += c.Students.Len()
		}
		require.Equal(t, len(school.Students)-1, n)
		pool := sql.OpenDB(backwards{s.Wire.Base})
		got, err := q.All(ctx, kin.New(pool, s.Dialect()))
		require.NoError(t, err)
		require.Len(t, got, 4)
		for i := range want {
			require.Equal(t, graph(want[i]), graph(got[i]), load)
		}
		require.NoError(t, pool.Close())
	}
}

// A backwards is a connector whose connections give the rows of a query last to
// first.
type backwards struct{ driver.Connector }

func (b backwards) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := b.Connector.Connect(ctx)
	return &backwardsConn{harness.WireConn{Conn: conn, Wire: &Wire{}}}, err
}

type backwardsConn struct{ harness.WireConn }

func (c *backwardsConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.WireConn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	all := &backwardsRows{Rows: rows}
	for {
		row := make([]driver.Value, len(rows.Columns()))
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, errors.Join(err, rows.Close())
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = bytes.Clone(b)
			}
		}
		all.rows = append(all.rows, row)
	}
}

type backwardsRows struct {
	driver.Rows
	rows [][]driver.Value
}

func (r *backwardsRows) Next(dest []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	last := len(r.rows) - 1
	copy(dest, r.rows[last])
	r.rows = r.rows[:last]
	return nil
}
