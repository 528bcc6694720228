package explain

import (
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func one(text string) [][]driver.Value { return [][]driver.Value{{text}} }

const mysqlPlan = `{"query_block": {"select_id": 1, "cost_info": {"query_cost": "1.2"},
  "nested_loop": [
    {"table": {"table_name": "students", "access_type": "ALL", "possible_keys": ["a", "b"], "rows": 20, "filtered": 100, "r_rows": 7,
      "r_engine_stats": {"pages_accessed": 2},
      "attached_condition": "students.name = ?"}},
    {"table": {"table_name": "KIab12", "access_type": "eq_ref", "key": "PRIMARY", "rows": 1, "materialized": {"query_block": {"select_id": 2,
      "table": {"table_name": "c", "access_type": "ref", "key": "i", "rows_examined_per_scan": 3}}}}}
  ],
  "subqueries": [{"query_block": {"select_id": 3, "table": {"message": "no matching row"}}}]}}`

const postgresPlan = `[{"Plan": {"Node Type": "Hash Join", "Join Type": "Left", "Total Cost": 12.5, "Plan Rows": 4, "Hash Cond": "(a = b)", "Plans": [
  {"Node Type": "Seq Scan", "Relation Name": "students", "Alias": "s", "Plan Rows": 3, "Actual Rows": 2, "Filter": "(name = $1)"},
  {"Node Type": "Index Scan", "Relation Name": "classes", "Alias": "classes", "Index Name": "classes_pkey", "Index Cond": "(id = 1)"},
  {"Node Type": "CTE Scan", "CTE Name": "roots", "Alias": "roots", "Subplan Name": "InitPlan 1"}]}}]`

func TestParse(t *testing.T) {
	t.Parallel()
	for database, c := range map[string]struct {
		rows [][]driver.Value
		want string
	}{
		"mysql": {one(mysqlPlan), `query block
  ALL on students (rows 20, actual 7): students.name = ?
  eq_ref on KIab12 by PRIMARY (rows 1)
    materialized
      query block
        ref on c by i (rows 3)
  subqueries
    query block
      table: no matching row`},
		"postgres": {one(postgresPlan), `Hash Join (left) (rows 4, cost 12.5): (a = b)
  Seq Scan on students as s (rows 3, actual 2): (name = $1)
  Index Scan on classes by classes_pkey: (id = 1)
  InitPlan 1: CTE Scan on roots`},
		"sqlite": {[][]driver.Value{
			{int64(2), int64(0), int64(0), "SCAN students AS s"},
			{int64(4), int64(2), int64(0), "CORRELATED SCALAR SUBQUERY 1"},
			{int64(5), int64(4), int64(0), "SEARCH c USING INTEGER PRIMARY KEY (rowid=?)"},
			{int64(6), int64(0), int64(0), []byte("SEARCH TABLE d USING COVERING INDEX d_i (a=? AND b>?) LEFT-JOIN")},
			{int64(7), int64(0), int64(0), "SCAN CONSTANT ROW"},
			{int64(8), int64(0), int64(0), "USE TEMP B-TREE FOR ORDER BY"},
			{int64(9), int64(0), int64(0), "SCAN a table USING INDEX i"},
		}, `QUERY PLAN
  SCAN on students as s
    CORRELATED SCALAR SUBQUERY 1
      SEARCH on c by INTEGER PRIMARY KEY: rowid=?
  SEARCH on d by d_i: a=? AND b>?
  SCAN CONSTANT ROW
  USE TEMP B-TREE FOR ORDER BY
  SCAN on a table by i`},
	} {
		n, err := Parse(database, c.rows)
		require.NoError(t, err, database)
		assert.Equal(t, c.want, n.String())
		scans := 0
		n.Walk(func(n *Node) {
			if n.Scan {
				scans++
			}
		})
		assert.Equal(t, 1, scans, database)
	}
}

func TestParseNonsense(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"mysql", "postgres", "sqlite", "oracle"} {
		for _, rows := range [][][]driver.Value{nil, {{}}, one(""), one("x"), one("{}"), one(`{"query_block": {"table": {"table_name": "a\\'b\\0\tc"}}}`), one("[]"), one("[{}]"), one("[1]"), one(`{"query_block": 1}`), one(`{"query_block"`), {{nil}}, {{int64(1), "x", nil, nil}}} {
			n, err := Parse(database, rows)
			if err == nil {
				assert.NotEmpty(t, n.String())
			}
		}
	}
}
