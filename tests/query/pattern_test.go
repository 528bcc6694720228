package query

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type note struct {
	ID    int64
	Text  string
	Other *string
}

var (
	noteText  = kin.Col(func(n *note) *string { return &n.Text })
	noteOther = kin.Col(func(n *note) *string { return n.Other })
)

// notes makes rows of texts in which many patterns match.
func notes(t *testing.T, s *harness.Suite, random *rand.Rand) (*harness.Suite, []*note) {
	t.Helper()
	var r kin.Registry
	kin.Register[note](&r)
	s = s.With(kin.WithRegistry(&r))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	var rows []*note
	for i := range 200 {
		n := &note{Text: anyText(random, random.IntN(7))}
		if i%3 > 0 {
			n.Other = new(anyText(random, random.IntN(5)))
		}
		rows = append(rows, n)
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	return s, rows
}

var letters = []rune("aabbAB1_%\\*?[]!^$-. \n\téÉßKK😀'\"(){}|+/")

func anyText(random *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteRune(letters[random.IntN(len(letters))])
	}
	return b.String()
}

// matching returns which rows meet a condition and which its complement, and
// that they are all.
func matching(t *testing.T, s *harness.Suite, cond kin.Cond[note], all int) map[int64]bool {
	t.Helper()
	met := map[int64]bool{}
	rows, err := kin.Query[note]().Where(cond).All(t.Context(), s.DB)
	require.NoError(t, err)
	for _, r := range rows {
		met[r.ID] = true
	}
	rest, err := kin.Query[note]().Where(kin.Not(cond)).All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.Equal(t, all, len(rows)+len(rest))
	return met
}

// TestLike compares random patterns with what a matcher in memory says.
func TestLike(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 2))
		s, rows := notes(t, s, random)
		found := 0
		for range 150 {
			pattern := anyLike(random)
			for _, c := range []struct {
				cond kin.Cond[note]
				of   func(*note) *string
			}{
				{kin.Like(noteText, pattern), func(n *note) *string { return &n.Text }},
				{kin.Q("other__like", pattern), func(n *note) *string { return n.Other }},
			} {
				met := matching(t, s, c.cond, len(rows))
				for _, n := range rows {
					text := c.of(n)
					want := text != nil && like([]rune(*text), []rune(pattern))
					require.Equal(t, want, met[n.ID], "%q LIKE %q", n.Text, pattern)
				}
				found += len(met)
			}
		}
		assert.Greater(t, found, 500, "the test finds rows")
	})
}

func anyLike(random *rand.Rand) string {
	var b strings.Builder
	for range random.IntN(5) {
		switch random.IntN(4) {
		case 0:
			b.WriteByte('%')
		case 1:
			b.WriteByte('_')
		case 2:
			b.WriteByte('\\')
			b.WriteRune(letters[random.IntN(len(letters))])
		default:
			if r := letters[random.IntN(len(letters))]; r != '\\' {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

func like(text, pattern []rune) bool {
	if len(pattern) == 0 {
		return len(text) == 0
	}
	switch {
	case pattern[0] == '%':
		return like(text, pattern[1:]) || len(text) > 0 && like(text[1:], pattern)
	case len(text) == 0:
		return false
	case pattern[0] == '_':
		return like(text[1:], pattern[1:])
	case pattern[0] == '\\':
		pattern = pattern[1:]
	}
	return text[0] == pattern[0] && like(text[1:], pattern[1:])
}

// TestRegexp compares random patterns, and each kind that there is, with what
// package regexp says.
func TestRegexp(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	fixed := []string{
		``, `a`, `^a`, `a$`, `^$`, `.`, `(?s).`, `(?m)^a`, `(?m)b$`, `\bA`, `\Bb`, `\b`, `\d`, `\D`, `\w+\W`, `\s`, `[[:alpha:]]`, `[^[:alpha:]]`,
		`\pL`, `\PL`, `\p{Greek}|é`, `(?i)é`, `(?i)k`, `(?i)ß|A`, `(?i)[a-k]`, `K`, `\x{212A}`, `\x{1F600}`, `😀`, `\Qa.b\E|\Q[\E`, `a|b`, `(a|b)c?`,
		`a*?b`, `a{2}`, `a{0}b`, `a{1,}b`, `a{1,2}A`, `(?:a|)b`, `[\]\[\-^]`, `[^\n]`, `\$`, `\^|\*`, `(?P<x>a)b`, `\A.\z`, `\n`, `\t`, `a\z`, `[^\x00-\x{10FFFF}]`,
		`(?:^)*a`, `(?:\b)+a`, `()`, `(|a)+b`, `[a-b]{3,5}`, `[^a]`, `(?i)(?-i)A`, `''|"`, `%|_`, `(?U)a+`, `\x{d7ff}|\x{e000}`, ` `, `#`,
	}
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 3))
		s, rows := notes(t, s, random)
		patterns := fixed
		for range 100 {
			patterns = append(patterns, anyRegexp(random, 3))
		}
		found, refused := 0, 0
		for _, pattern := range patterns {
			for _, c := range []struct {
				cond kin.Cond[note]
				of   func(*note) *string
				re   string
			}{
				{kin.Regexp(noteText, pattern), func(n *note) *string { return &n.Text }, pattern},
				{kin.Regexp(noteOther, pattern), func(n *note) *string { return n.Other }, pattern},
				{kin.Q("text__regex", pattern), func(n *note) *string { return &n.Text }, pattern},
				{kin.Q("text__iregex", pattern), func(n *note) *string { return &n.Text }, "(?i)" + pattern},
			} {
				re := regexp.MustCompile(c.re)
				if _, err := kin.Query[note]().Where(c.cond).Count(t.Context(), s.DB); err != nil {
					require.Equal(t, "mysql", s.Name, "%q: %v", pattern, err)
					require.ErrorContains(t, err, "in several ways")
					refused++
					t.Logf("refused %q", c.re)
					continue
				}
				met := matching(t, s, c.cond, len(rows))
				for _, n := range rows {
					text := c.of(n)
					want := text != nil && re.MatchString(*text)
					require.Equal(t, want, met[n.ID], "%q and %q of %+v", c.re, c.of(n), *n)
				}
				found += len(met)
			}
		}
		assert.Greater(t, found, 2000, "the test finds rows")
		assert.Less(t, refused, 150, "of 640")
	})
}

func anyRegexp(random *rand.Rand, depth int) string {
	if depth == 0 {
		return []string{"a", "b", "A", ".", `\w`, `[^a]`, "[ab]", `\.`, "é", `\s`, "^", "$", `\b`}[random.IntN(13)]
	}
	inner := func() string { return anyRegexp(random, depth-1) }
	switch random.IntN(6) {
	case 0:
		return "(?:" + inner() + ")" + []string{"*", "+", "?", "{1,2}", "{2}", "*?"}[random.IntN(6)]
	case 1:
		return "(?:" + inner() + "|" + inner() + ")"
	case 2:
		return inner()
	default:
		return inner() + inner()
	}
}

// TestPatternMistakes asks with patterns that are none.
func TestPatternMistakes(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, _ = notes(t, s, rand.New(rand.NewPCG(1, 1)))
		for want, cond := range map[string]kin.Cond[note]{
			`the pattern "a\\" ends in a backslash`:                    kin.Like(noteText, `a\`),
			`the pattern "(" is no regular expression`:                 kin.Regexp(noteText, `(`),
			`the pattern "a{300}" repeats a part 300 times`:            kin.Q("text__iregex", "a{300}"),
			`regex searches text, but note.ID`:                         kin.Q("id__regex", "1"),
			`like takes a value, not NULL`:                             kin.Q("text__like", nil),
			`like searches text, and not what is calculated`:           kin.Q("n__like", 1),
			`contains searches for a text, and takes no expression`:    kin.Q("lower__contains", kin.F("text")),
			`the pattern "[" is no regular expression`:                 kin.Q("lower__regex", "["),
			`range takes a slice`:                                      kin.Q("lower__range", "["),
			"U+0000":                                                   kin.Regexp(noteText, "a\x00"),
			`"text__regex" may not be asked of note; allowed are text`: nil,
		} {
			q := kin.Query[note]().Annotate("lower", kin.Lower(kin.F("text"))).Annotate("n", kin.Length(kin.F("text")))
			if cond == nil {
				q = q.Allow("text").Filter("text__startswith", "a", "text__regex", "a")
			}
			s.Wire.Reset()
			_, err := q.Where(cond).Count(t.Context(), s.DB)
			require.ErrorContains(t, err, want)
			s.Wire.Want(t, 0, 0)
		}
		_, err := kin.Query[note]().Allow("text__regex").Filter("text__regex", "a").Count(t.Context(), s.DB)
		require.NoError(t, err)
	})
}

// TestSearchInExpressions looks for texts in what is calculated.
func TestSearchInExpressions(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s, rows := notes(t, s, rand.New(rand.NewPCG(4, 4)))
		upper := func(n *note) string { return strings.ToUpper(n.Text) }
		for lookup, want := range map[string]func(string) bool{
			"up__contains":   func(x string) bool { return strings.Contains(x, "A") },
			"up__icontains":  func(x string) bool { return strings.Contains(strings.ToLower(x), "a") },
			"up__startswith": func(x string) bool { return strings.HasPrefix(x, "A") },
			"up__iendswith":  func(x string) bool { return strings.HasSuffix(strings.ToLower(x), "a") },
			"up__iexact":     func(x string) bool { return strings.ToLower(x) == "a" },
			"up__like":       func(x string) bool { return x == "A" },
			"up__iregex":     func(x string) bool { return strings.Contains(strings.ToLower(x), "a") },
			"up__regex":      func(x string) bool { return strings.Contains(x, "A") },
		} {
			got, err := kin.Query[note]().Annotate("up", kin.Upper(kin.F("text"))).Filter(lookup, "A").Count(t.Context(), s.DB)
			require.NoError(t, err)
			n := 0
			for _, r := range rows {
				if want(upper(r)) {
					n++
				}
			}
			assert.EqualValues(t, n, got, lookup)
			if lookup != "up__iexact" && lookup != "up__like" {
				assert.Positive(t, n)
			}
		}
	})
}
