package chinook

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why       string
		script    string
		backslash bool
		want      []string
	}{
		{"semicolons part statements, and the last may have none", "A; B ;\n\n; C", false, []string{"A", "B", "C"}},
		{"one in a text does not", "A 'x;y'; B", false, []string{"A 'x;y'", "B"}},
		{"a doubled quote does not end a text", "A 'it''s;'; B N'''';", false, []string{"A 'it''s;'", "B N''''"}},
		{"nor does one after a backslash, in MySQL", `A 'it\';'; B '\\'; C`, true, []string{`A 'it\';'`, `B '\\'`, "C"}},
		{"but elsewhere it does", `A '\'; B`, false, []string{`A '\'`, "B"}},
		{"names are quoted too", "A [x;y]; B `x;y`; C \"x;'y\"", false, []string{"A [x;y]", "B `x;y`", `C "x;'y"`}},
		{"comments are left out", "/* a; b */ A -- c; 'd\n B; -- e", false, []string{"A   B"}},
		{"quotes hide comments", "A '/* -- '; B", false, []string{"A '/* -- '", "B"}},
		{"several rows are one statement", "I (1, 'a'),\n  (2, 'b;');", false, []string{"I (1, 'a'),\n  (2, 'b;')"}},
	} {
		assert.Equal(t, c.want, split(c.script, c.backslash), c.why)
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why  string
		from any
		want Money
	}{
		{"a text of MariaDB", []byte("0.99"), 99},
		{"a text of PostgreSQL", "25.86", 2586},
		{"a text with one decimal", "1.5", 150},
		{"a text without decimals", "7", 700},
		{"a debt below one", "-0.05", -5},
		{"a float of SQLite that is not exact", 8.91, 891},
		{"a float of SQLite that was an integer", int64(5), 500},
	} {
		var m Money
		require.NoError(t, m.Scan(c.from), c.why)
		assert.Equal(t, c.want, m, c.why)
		var again Money
		text, err := m.Value()
		require.NoError(t, err)
		require.NoError(t, again.Scan(text))
		assert.Equal(t, m, again, c.why)
	}
	for _, bad := range []any{nil, "", "x", "0.999", true} {
		var m Money
		assert.Error(t, m.Scan(bad), "%v", bad)
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	require.NoError(t, Registry().Check())
}
