package tests

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func pickNull() sql.Null[int64] { return sql.Null[int64]{} }

type pickLetter struct {
	ID   int64
	Text string
}

// testLetters stores each letter of Unicode that has another case, and finds
// it by its lower-case form, as Go has it.
func testLetters(t *testing.T, s *Suite) {
	var r kin.Registry
	kin.Register[pickLetter](&r)
	s = s.With(kin.WithRegistry(&r))
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	var letters []*pickLetter
	for c := rune('A'); c <= unicode.MaxRune; c++ {
		// Letters that are younger than the databases have no case there.
		if (unicode.ToLower(c) != c || unicode.ToUpper(c) != c) && !youngLetter(c) {
			letters = append(letters, &pickLetter{Text: "x" + string(c)})
		}
	}
	require.Greater(t, len(letters), 2500)
	require.NoError(t, kin.Insert(ctx, s.DB, letters...))
	lower := map[string][]int64{}
	for _, x := range letters {
		lower[strings.ToLower(x.Text)] = append(lower[strings.ToLower(x.Text)], x.ID)
	}
	var wrong []string
	// Each letter is found by its other form, and a part of them in the whole
	// table, where no other letter may be found with it.
	q := kin.Query[pickLetter]()
	for i, x := range letters {
		form := strings.ToLower(x.Text)
		n, err := q.Filter("id", x.ID, "text__iexact", form, "text__iendswith", form[1:]).Count(ctx, s.DB)
		require.NoError(t, err)
		if n != 1 {
			wrong = append(wrong, fmt.Sprintf("%+q by %+q", x.Text, form))
		}
		if i%20 != 0 {
			continue
		}
		rows, err := q.Filter("text__iexact", x.Text).All(ctx, s.DB)
		require.NoError(t, err)
		ids := []int64{}
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		if want := lower[form]; fmt.Sprint(ids) != fmt.Sprint(want) {
			wrong = append(wrong, fmt.Sprintf("%+q: %d rows, not %d", x.Text, len(ids), len(want)))
		}
	}
	assert.Empty(t, wrong)
	// Letters within words, where a database may look at what is around them.
	for _, c := range []struct {
		why, op, value string
		want           bool
	}{
		{"the last letter of what is searched is within the word", "istartswith", "ΜΟΥΣ", true},
		{"and within the searched too", "icontains", "ΥΣΙ", true},
		{"sigma at the end is a letter of its own", "iendswith", "ς", false},
		{"and not what ends a word", "iendswith", "ΟΣ", true},
		{"one letter is one letter", "iexact", "ΜΟΥΣΙΚΟΣ", true},
		{"though it looks like two", "iexact", "μουσικος", false},
	} {
		word := &pickLetter{Text: "Μουσικοσ"}
		require.NoError(t, kin.Insert(ctx, s.DB, word))
		n, err := kin.Query[pickLetter]().Filter("id", word.ID, "text__"+c.op, c.value).Count(ctx, s.DB)
		require.NoError(t, err, c.why)
		assert.Equal(t, c.want, n == 1, c.why)
	}
}

// youngLetter reports whether the letter has a case only since Unicode 15
// or later, which the databases do not know yet.
func youngLetter(c rune) bool {
	return c >= 0x10D50 && c <= 0x10D8F || c >= 0x1C89 && c <= 0x1C8A || c >= 0xA7CB && c <= 0xA7DC ||
		c >= 0x16EA0 && c <= 0x16EDF || c == 0x19B || c == 0x264
}

// testLongTexts searches for texts that are longer than limits within the
// databases: SQLite's of 50,000 bytes for a pattern, MariaDB's of 1,024 for
// the part of a text that it sorts by.
func testLongTexts(t *testing.T, s *Suite) {
	var r kin.Registry
	kin.Register[pickLetter](&r)
	s = s.With(kin.WithRegistry(&r))
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	for _, n := range []int{4_000, 10_000} {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "é%d*%%", i)
		}
		long := text.String()
		a, b := &pickLetter{Text: long + "c"}, &pickLetter{Text: long + "a"}
		require.NoError(t, kin.Insert(ctx, s.DB, a, b))
		for _, op := range []string{"exact", "iexact", "startswith", "istartswith", "endswith", "iendswith", "contains", "icontains"} {
			value := long + "a"
			if strings.HasPrefix(op, "i") {
				value = strings.ToUpper(value)
			}
			rows, err := kin.Query[pickLetter]().Filter("id__in", []int64{a.ID, b.ID}, "text__"+op, value).All(ctx, s.DB)
			if s.Name == "sqlite" && len(long) > 50_000 && strings.HasSuffix(op, "swith") {
				require.ErrorContains(t, err, "pattern too complex") // SQLite's own limit
				continue
			}
			require.NoError(t, err, op)
			require.Len(t, rows, 1, op)
			assert.Equal(t, b.ID, rows[0].ID, op)
		}
	}
	long := strings.Repeat("x", 2_000)
	a, b, c := &pickLetter{Text: long + "c"}, &pickLetter{Text: long + "a"}, &pickLetter{Text: long + "b"}
	require.NoError(t, kin.Insert(ctx, s.DB, a, b, c))
	rows, err := kin.Query[pickLetter]().Filter("text__startswith", "x").OrderBy("text").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, rows, 3)
	assert.Equal(t, []int64{b.ID, c.ID, a.ID}, []int64{rows[0].ID, rows[1].ID, rows[2].ID}, "texts that differ late")
}

type (
	pickPlain struct {
		ID   int64
		Word *string
	}

	// pickPair has a key of two texts.
	pickPair struct {
		A    string `kin:",pk,size=20"`
		B    string `kin:",pk,size=20"`
		Uses kin.Reverse[pickUse]
	}

	pickUse struct {
		ID   int64
		Pair kin.ForeignKey[pickPair] `kin:",null,related_name=uses"`
	}
)

// testHandMade asks tables that kin did not make, with the collation that
// the server or the database gives them.
func testHandMade(t *testing.T, s *Suite) {
	var r kin.Registry
	kin.Register[pickPlain](&r)
	kin.Register[pickPair](&r)
	kin.Register[pickUse](&r)
	target := s.Target
	ctx := t.Context()
	charsets := []string{""}
	if s.Name == "mysql" {
		charsets = []string{"", " CHARACTER SET latin1", " CHARACTER SET utf8mb3", " CHARACTER SET utf8mb4", " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"}
	}
	words := []any{"abc", "ABC", "abc ", "Abc", "äbc", "Äbc", nil, "", " ", "abd", "a_c"}
	for _, charset := range charsets {
		for _, kind := range []string{"VARCHAR(50)", "TEXT"} {
			s := New(t, target, kin.WithRegistry(&r))
			s.Exec(t, "CREATE TABLE pick_plains (id BIGINT PRIMARY KEY, word "+kind+charset+")")
			for i, word := range words {
				s.Exec(t, s.bind("INSERT INTO pick_plains VALUES (?, ?)"), i+1, word)
			}
			q := kin.Query[pickPlain]()
			for _, c := range []struct {
				why  string
				q    kin.QuerySet[pickPlain]
				want string
			}{
				{"case and spaces count", q.Filter("word", "abc"), "[1]"},
				{"in upper case too", q.Filter("word", "ABC"), "[2]"},
				{"a space at the end", q.Filter("word", "abc "), "[3]"},
				{"accents count", q.Filter("word", "äbc"), "[5]"},
				{"empty is not a space", q.Filter("word", ""), "[8]"},
				{"ne", q.Filter("word__ne", "abc"), "[2 3 4 5 6 7 8 9 10 11]"},
				{"in", q.Filter("word__in", []string{"abc", "Äbc"}), "[1 6]"},
				{"a longer list", q.Filter("word__in", []string{"abd", "abc ", "Abc", "ABC", "x", "äbc", " ", "ÄBC", "aBc", "a"}), "[2 3 4 5 9 10]"},
				{"in, not", q.Exclude("word__in", []any{"abc", "Äbc", nil}), "[2 3 4 5 8 9 10 11]"},
				{"gt by code point", q.Filter("word__gt", "abc"), "[3 5 6 10]"},
				{"lte", q.Filter("word__lte", "Abc"), "[2 4 8 9]"},
				{"range", q.Filter("word__range", []string{"ABC", "Abc"}), "[2 4]"},
				{"contains", q.Filter("word__contains", "b"), "[1 3 4 5 6 10]"},
				{"a wildcard is a letter", q.Filter("word__contains", "_"), "[11]"},
				{"startswith", q.Filter("word__startswith", "A"), "[2 4]"},
				{"endswith", q.Filter("word__endswith", "c "), "[3]"},
				{"iexact", q.Filter("word__iexact", "aBc"), "[1 2 4]"},
				{"icontains", q.Filter("word__icontains", "ÄB"), "[5 6]"},
				{"istartswith", q.Filter("word__istartswith", "ab"), "[1 2 3 4 10]"},
				{"iendswith", q.Filter("word__iendswith", "C"), "[1 2 4 5 6 11]"},
				{"order", q.OrderBy("word"), "[7 8 9 2 4 11 1 3 10 6 5]"},
				{"order, descending", q.OrderBy("-word"), "[5 6 10 3 1 11 4 2 9 8 7]"},
			} {
				rows, err := c.q.All(ctx, s.DB)
				require.NoError(t, err, "%s%s: %s", kind, charset, c.why)
				ids := []int64{}
				for _, row := range rows {
					ids = append(ids, row.ID)
				}
				assert.Equal(t, c.want, fmt.Sprint(ids), "%s%s: %s", kind, charset, c.why)
			}
		}
		s := New(t, target, kin.WithRegistry(&r))
		s.Exec(t, "CREATE TABLE pick_uses (id BIGINT PRIMARY KEY, pair_a VARCHAR(20)"+charset+", pair_b VARCHAR(20)"+charset+")")
		for i, pair := range [][2]any{{"abc", "x"}, {"ABC", "x"}, {"abc ", "x"}, {"abc", "X"}, {nil, nil}} {
			s.Exec(t, s.bind("INSERT INTO pick_uses VALUES (?, ?, ?)"), i+1, pair[0], pair[1])
		}
		pair := &pickPair{A: "abc", B: "x"}
		for _, c := range []struct {
			why  string
			q    kin.QuerySet[pickUse]
			want string
		}{
			{"a key of two texts", kin.Query[pickUse]().Filter("pair", pair), "[1]"},
			{"not", kin.Query[pickUse]().Exclude("pair", pair), "[2 3 4 5]"},
			{"one in a list", kin.Query[pickUse]().Filter("pair__in", []*pickPair{pair}), "[1]"},
			{"a list", kin.Query[pickUse]().Filter("pair__in", []any{pair, []string{"ABC", "x"}, nil}), "[1 2 5]"},
			{"not in a list", kin.Query[pickUse]().Exclude("pair__in", []any{pair, []string{"ABC", "x"}}), "[3 4 5]"},
			{"a part", kin.Query[pickUse]().Filter("pair__a", "ABC"), "[2]"},
			{"order", kin.Query[pickUse]().OrderBy("-pair"), "[3 1 4 2 5]"},
		} {
			rows, err := c.q.All(ctx, s.DB)
			require.NoError(t, err, "%s: %s", charset, c.why)
			ids := []int64{}
			for _, row := range rows {
				ids = append(ids, row.ID)
			}
			assert.Equal(t, c.want, fmt.Sprint(ids), "%s: %s", charset, c.why)
		}
	}
}
