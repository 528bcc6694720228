package alias_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/alias"
)

var form = regexp.MustCompile(`^[A-Z]{2}[0-9a-f]{4}$`)

// TestOfIsPinned holds the hash to what it is. A change gives every relation
// another alias: SQL text, logs and statement caches of all users change with
// it. The values were worked out by a program in another language.
func TestOfIsPinned(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ table, name, want, why string }{
		{"students", "class", "KY65d6", "the foreign key of the school"},
		{"school_classes", "students", "SOa616", "its reverse"},
		{"school_classes", "teachers", "MV30a7", "the other reverse"},
		{"students", "category", "MZd164", "another foreign key on one table"},
		{"categories", "students", "MP1075", "and its reverse"},
		{"employees", "manager", "KD37bc", "a self reference"},
		{"employees", "reports", "TMcdda", "and its reverse"},
		{"", "", "LB0992", "no name at all"},
		{"a", "bc", "YL0b1a", "the border between the names counts"},
		{"ab", "c", "FG04f3", "the border between the names counts"},
		{"Ünïcode", "Größe", "PPe9c1", "names are bytes"},
		{"x", "", "NC0a3f", "an empty name beside one that is not"},
	} {
		assert.Equal(t, c.want, alias.Of(c.table, c.name), "%s: Of(%q, %q)", c.why, c.table, c.name)
		assert.Len(t, alias.Of(c.table, c.name), alias.Len)
	}
}

func TestNth(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "KY65d6", 1: "KY65d6", 2: "KY65d6_2", 10: "KY65d6_10"} {
		assert.Equal(t, want, alias.Nth("KY65d6", n))
	}
}

// corpus returns n relations whose names are like those of real schemas, so
// that many share most of their letters.
func corpus(t *testing.T, n int) []alias.Relation {
	t.Helper()
	words := strings.Fields(`user order item invoice payment account customer product category tag post comment
		author book album artist track genre playlist employee manager report school class student teacher parent child
		team member project task label note event venue ticket seat flight airport city country region address phone
		email role permission group`)
	tableEnds := []string{"s", "", "_logs", "_histories", "_items", "_types", "_v2", "_old", "_x1", "_x2", "_x3"}
	nameEnds := []string{"", "s", "_by", "_to", "_from", "_1", "_2", "_3"}
	var all []alias.Relation
	for _, te := range tableEnds {
		for _, tw := range words {
			for _, ne := range nameEnds {
				for _, nw := range words {
					all = append(all, alias.Relation{Table: tw + te, Name: nw + ne})
				}
			}
		}
	}
	require.GreaterOrEqual(t, len(all), n)
	return all[:n]
}

func TestAssignIsInjective(t *testing.T) {
	t.Parallel()
	relations := corpus(t, 200_000)
	aliases := alias.Assign(relations)
	require.Len(t, aliases, len(relations), "each relation has an alias")
	owner := make(map[string]alias.Relation, len(aliases))
	moved := 0
	for r, a := range aliases {
		if other, taken := owner[a]; taken {
			require.Failf(t, "two relations share an alias", "%v and %v are %s", r, other, a)
		}
		owner[a] = r
		if !form.MatchString(a) {
			require.Failf(t, "an alias has another form", "%v is %s", r, a)
		}
		if a != alias.Of(r.Table, r.Name) {
			moved++
		}
	}
	// 200,000 names in 26·26·65,536 places meet 451 times if the hash is as
	// good as chance; one that is worse meets much more often.
	assert.InDelta(t, 451, moved, 90, "relations whose first alias was taken")
}

func TestAssignIgnoresOrder(t *testing.T) {
	t.Parallel()
	const seed = 20240607
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	relations := corpus(t, 30_000) // enough for a dozen collisions
	want := alias.Assign(relations)
	moved := 0
	for r, a := range want {
		if a != alias.Of(r.Table, r.Name) {
			moved++
		}
	}
	require.Positive(t, moved, "a corpus without collisions proves nothing")
	for range 5 {
		shuffled := slices.Concat(relations, relations[:100]) // some twice
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		before := slices.Clone(shuffled)
		require.Equal(t, want, alias.Assign(shuffled))
		require.Equal(t, before, shuffled, "the caller's slice is left alone")
	}
}

// TestCollision pins two relations that a search over such names found: their
// hashes are the same.
func TestCollision(t *testing.T) {
	t.Parallel()
	tasks, tracks := alias.Relation{Table: "tasks", Name: "city_to"}, alias.Relation{Table: "tracks", Name: "album_by"}
	require.Equal(t, "BX8d4e", alias.Of(tasks.Table, tasks.Name))
	require.Equal(t, "BX8d4e", alias.Of(tracks.Table, tracks.Name))
	want := map[alias.Relation]string{tasks: "BX8d4e", tracks: "PR7d19"}
	assert.Equal(t, want, alias.Assign([]alias.Relation{tasks, tracks}))
	assert.Equal(t, want, alias.Assign([]alias.Relation{tracks, tasks}), "the one that sorts first keeps its alias")
	assert.Equal(t, "BX8d4e", alias.Assign([]alias.Relation{tracks})[tracks], "alone it has its own")
}

func TestReserved(t *testing.T) {
	t.Parallel()
	class := alias.Relation{Table: "students", Name: "class"}
	for _, c := range []struct {
		reserved []string
		moves    bool
		why      string
	}{
		{[]string{"students", "school_classes"}, false, "names that are no aliases"},
		{[]string{"KY65d6"}, true, "a table that is called as the alias would be"},
		{[]string{"ky65d6"}, true, "some servers fold the case of aliases"},
		{[]string{"KY65D6"}, true, "some servers fold the case of aliases"},
		{[]string{"KY65d6_2"}, false, "the alias of a second use is another name"},
	} {
		got := alias.Assign([]alias.Relation{class}, c.reserved...)[class]
		assert.Regexp(t, form, got)
		assert.Equal(t, c.moves, got != "KY65d6", "%s: %v", c.why, c.reserved)
		for _, r := range c.reserved {
			assert.False(t, strings.EqualFold(got, r), c.why)
		}
	}
}

// FuzzAssign: any two relations get different aliases of the right form, also
// where the first ones that they would have are reserved.
func FuzzAssign(f *testing.F) {
	f.Add("students", "class", "school_classes", "students")
	f.Add("tasks", "city_to", "tracks", "album_by")
	f.Add("a", "bc", "ab", "c")
	f.Add("a\xff", "b", "a", "\xffb")
	f.Add("", "", "", "")
	f.Fuzz(func(t *testing.T, table1, name1, table2, name2 string) {
		a, b := alias.Relation{Table: table1, Name: name1}, alias.Relation{Table: table2, Name: name2}
		reserved := []string{alias.Of(table1, name1)}
		for _, aliases := range []map[alias.Relation]string{
			alias.Assign([]alias.Relation{a, b}),
			alias.Assign([]alias.Relation{a, b}, reserved...),
		} {
			require.Regexp(t, form, alias.Of(table1, name1))
			require.Regexp(t, form, aliases[a])
			require.Regexp(t, form, aliases[b])
			if a != b {
				require.NotEqual(t, aliases[a], aliases[b])
			}
		}
		require.NotEqual(t, reserved[0], alias.Assign([]alias.Relation{a}, reserved...)[a])
	})
}
