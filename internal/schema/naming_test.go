package schema_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/internal/schema"
)

// TestNamingGolden has no way to write the file anew: a name that changes is
// a table that users' programs no longer find.
func TestNamingGolden(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/naming.golden")
	require.NoError(t, err)
	pairs := 0
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		require.Len(t, words, 3, line)
		assert.False(t, seen[words[0]], "%s is there twice", words[0])
		seen[words[0]] = true
		pairs += 2
		assert.Equal(t, words[1], schema.SnakeCase(words[0]), "SnakeCase(%q)", words[0])
		assert.Equal(t, words[2], schema.Plural(words[1]), "Plural(%q)", words[1])
		assert.Equal(t, words[2], schema.Snake().Table(words[0]), "the table of %q", words[0])
		assert.Equal(t, words[1], schema.Snake().Column("Any", words[0]), "the column of %q", words[0])
	}
	assert.GreaterOrEqual(t, pairs, 240)
}

func TestKeyColumns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ field, part, want, why string }{
		{"Class", "", "class_id", "a target with a key of one column, whatever it is called"},
		{"SupportRep", "", "support_rep_id", "snake_case"},
		{"Seat", "row", "seat_row", "a part of a composite key"},
		{"PlaylistTrack", "playlist_id", "playlist_track_playlist_id", "a part that is a foreign key itself"},
	} {
		assert.Equal(t, c.want, schema.Snake().Key("Any", c.field, c.part), c.why)
	}
}

func FuzzSnakeCase(f *testing.F) {
	for _, s := range []string{"HTMLBody", "UserID", "a_b", "", "_", "__A", "Ünïcode", "\xff", "ǅ", "İ", "A\u0301B", "9A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		snake := schema.SnakeCase(s)
		_ = schema.Plural(snake)
		require.Equal(t, snake, schema.SnakeCase(snake), "snake_case of what is snake_case")
		if !strings.Contains(s, "__") && utf8.ValidString(s) {
			require.NotContains(t, snake, "__", "two underscores part the steps of a path")
		}
	})
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	school := []string{"students", "teachers", "name", "id", "category"}
	for _, c := range []struct {
		mistaken string
		names    []string
		want     string
		why      string
	}{
		{"studnts", school, `; did you mean "students"?`, "a letter left out"},
		{"studentss", school, `; did you mean "students"?`, "a letter too many"},
		{"stuednts", school, `; did you mean "students"?`, "two letters exchanged"},
		{"Students", school, `; did you mean "students"?`, "another case"},
		{"categroy", school, `; did you mean "category"?`, "two letters exchanged"},
		{"idd", school, `; did you mean "id"?`, "a short name"},
		{"naem", school, `; did you mean "name"?`, "a short name"},
		{"pupils", school, ``, "nothing like it"},
		{"xyz", school, ``, "a guess that shares no letter is worse than none"},
		{"", nil, ``, "nothing to choose from"},
		{"bat", []string{"cat", "rat", "hat"}, `; did you mean "cat"?`, "several as close: the first of the alphabet, whatever their order"},
		{"bat", []string{"hat", "rat", "cat"}, `; did you mean "cat"?`, "several as close: the first of the alphabet, whatever their order"},
		{strings.Repeat("a", 10_000), []string{strings.Repeat("a", 9_999)}, ``, "no slip of the finger, and no quadratic work"},
	} {
		assert.Equal(t, c.want, schema.Suggest(c.mistaken, slices.Values(c.names)), "%s: %.20q", c.why, c.mistaken)
	}
}
