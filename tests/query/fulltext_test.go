package query

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type (
	author struct {
		ID       int64
		Name     string
		Articles kin.Reverse[article]
	}

	article struct {
		ID     int64
		Title  string `kin:",size=200"`
		Body   *string
		Note   string
		Author kin.ForeignKey[author] `kin:",null,related_name=articles"`
	}

	// plain has no full-text index.
	plain struct {
		ID   int64
		Text string
	}
)

func (article) KinTable() kin.Table {
	return kin.Table{SpecialIndexes: []kin.Index{
		{Name: "article_text", Columns: []string{"title", "body"}, FullText: true},
		{Name: "article_note", Columns: []string{"note"}, FullText: true},
	}}
}

func (author) KinTable() kin.Table {
	return kin.Table{SpecialIndexes: []kin.Index{{Name: "author's \"name\"", Columns: []string{"name"}, FullText: true}}}
}

func articles(t *testing.T, s *harness.Suite) *harness.Suite {
	t.Helper()
	var r kin.Registry
	kin.Register[author](&r)
	kin.Register[article](&r)
	kin.Register[plain](&r)
	s = s.With(kin.WithRegistry(&r))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	return s
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

func hasWords(text, query string) bool {
	have, want := wordsOf(text), wordsOf(query)
	return len(want) > 0 && !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(have, w) })
}

// TestSearch compares searches of random texts with what is in memory, before
// and after the rows are changed.
func TestSearch(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		t.Logf("seed %d", seed)
		ctx := t.Context()
		s = articles(t, s)
		random := rand.New(rand.NewPCG(seed, 14))
		words := []string{
			"go", "a", "the", "fox", "Fox", "FOX", "foxes", "Äpfel", "äpfel", "apfel", "ÉCOLE", "école", "x", "7", "42", "12ab", "日本語", "kq", "kqfox", "or", "AND", "NOT", "NEAR",
			"with", "example", "com", "Straße", "жук", "ЖУК", "verylongwordverylongwordverylongword",
		}
		between := []string{" ", "  ", ", ", "-", "'", ".", "@", "/", "_", "\n", " & ", "://", "*", "\"", "(", ")", ":", "+", "'' ", "\\"}
		sentence := func(n int) string {
			var b strings.Builder
			for range n {
				b.WriteString(words[random.IntN(len(words))] + between[random.IntN(len(between))])
			}
			return b.String()
		}
		var rows []*article
		for i := range 120 {
			x := &article{Title: sentence(random.IntN(4)), Note: sentence(random.IntN(3))}
			if i%4 > 0 {
				x.Body = new(sentence(random.IntN(12)))
			}
			rows = append(rows, x)
		}
		require.NoError(t, kin.Insert(ctx, s.DB, rows[:100]...))
		for _, x := range rows[100:] {
			require.NoError(t, kin.Insert(ctx, s.DB, x))
		}
		found := 0
		compare := func() {
			t.Helper()
			for range 25 {
				query := sentence(1 + random.IntN(2))
				for _, c := range []struct {
					columns []string
					text    func(x *article) string
				}{
					{[]string{"title", "body"}, func(x *article) string {
						if x.Body == nil {
							return x.Title
						}
						return x.Title + " " + *x.Body
					}},
					{[]string{"note"}, func(x *article) string { return x.Note }},
				} {
					cond := kin.Search(query, c.columns...)
					type row struct {
						ID   int64
						Rank float64
					}
					got, err := kin.Query[article]().Where(cond).All(ctx, s.DB)
					require.NoError(t, err, "%q", query)
					rest, err := kin.Query[article]().Where(kin.Not(cond)).Count(ctx, s.DB)
					require.NoError(t, err)
					ranks, err := kin.Select[row](kin.Query[article]().Annotate("rank", kin.SearchRank(query, c.columns...))).All(ctx, s.DB)
					require.NoError(t, err)
					ids := []int64{}
					for _, x := range got {
						ids = append(ids, x.ID)
					}
					want, ranked := []int64{}, []int64{}
					for _, x := range rows {
						if hasWords(c.text(x), query) {
							want = append(want, x.ID)
						}
					}
					for _, x := range ranks {
						if x.Rank > 0 {
							ranked = append(ranked, x.ID)
						}
					}
					require.Equal(t, want, ids, "%q", query)
					require.Equal(t, want, ranked, "%q", query)
					assert.EqualValues(t, len(rows)-len(want), rest)
					found += len(want)
				}
			}
		}
		compare()
		for _, x := range rows[:40] {
			x.Title, x.Body = sentence(2), new(sentence(4))
		}
		require.NoError(t, kin.UpdateAll(ctx, s.DB, rows[:40]))
		require.NoError(t, kin.DeleteAll(ctx, s.DB, rows[110:]))
		rows = rows[:110]
		_, err := kin.Query[article]().Filter("pk__gt", 60, "pk__lt", 70).Update(ctx, s.DB, kin.Set("note", "a fox' set"))
		require.NoError(t, err)
		for _, x := range rows {
			if x.ID > 60 && x.ID < 70 {
				x.Note = "a fox' set"
			}
		}
		rows[5].Title = "upserted fox"
		require.NoError(t, kin.Upsert(ctx, s.DB, rows[5:6], kin.OnConflict("pk")))
		compare()
		assert.Greater(t, found, 300)
		require.NoError(t, kin.DropTables(ctx, s.DB))
		require.NoError(t, kin.CreateTables(ctx, s.DB), "all of it was dropped")
	})
}

// TestSearchRank sorts by how well rows fit, and searches related rows.
func TestSearchRank(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		ctx := t.Context()
		s = articles(t, s)
		ada, bob := &author{Name: "Ada Fox"}, &author{Name: "Bob"}
		require.NoError(t, kin.Insert(ctx, s.DB, ada, bob))
		require.NoError(t, kin.Insert(ctx, s.DB,
			&article{Title: "one", Body: new("the fox and a long text about other things"), Author: kin.To(ada)},
			&article{Title: "fox", Body: new("fox / fox + fox and nothing about other things"), Author: kin.To(ada)},
			&article{Title: "two", Body: new("nothing at all about it"), Author: kin.To(bob)},
			&article{Title: "three", Body: nil}, &article{Title: "four"}, &article{Title: "five"}, &article{Title: "six"}))
		rows, err := kin.Query[article]().Where(kin.Search("fox", "body", "title")).
			Annotate("rank", kin.SearchRank("fox", "title", "body")).OrderBy("-rank").Limit(5).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		assert.Equal(t, []string{"fox", "one"}, []string{rows[0].Title, rows[1].Title})
		n, err := kin.Query[article]().Annotate("rank", kin.SearchRank("fox", "title", "body")).Filter("rank__gt", 0).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)
		authors, err := kin.Query[author]().Where(kin.Has("articles", kin.Search("nothing", "title", "body")), kin.Search("BOB!")).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, authors, 1)
		assert.Equal(t, "Bob", authors[0].Name)
		n, err = kin.Query[article]().Where(kin.Or(kin.Has("author", kin.Search("fox")), kin.Search("four", "title", "body"))).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 3, n)
		deleted, err := kin.Query[article]().Where(kin.Search("fox", "title", "body")).Delete(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 2, deleted)
	})
}

// TestSearchIsData searches for texts that mean something in queries of the
// databases, or in SQL: none of them raises an error.
func TestSearchIsData(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		ctx := t.Context()
		s = articles(t, s)
		require.NoError(t, kin.Insert(ctx, s.DB, &article{Title: "word", Note: "x"}, &article{Title: "other", Note: "x"}))
		for _, query := range []string{
			"", " ", "\"", "\"word", "word\"", "'", "''", "(", ")", "()", "word AND", "AND", "OR", "NOT", "NOT word", "NEAR(word, 2)", "word*", "*", "+", "-word", "+word", "~word",
			"<word", ">word", "@5", "word:*", "word:A", "!word", "word & ", "| word", "word <-> word", "title:word", "^word", "{title} : word", "-title:word", ":", "\\", "\\\\", "word\\", "%", "_",
			"?", "$1", "{0}", "{p}", "; DROP TABLE articles; --", "') OR 1=1 --", "/*", "--", "#", "\x01", "\t\n", "ｗｏｒｄ", "word\u0300", "\u200b", "😀", "word😀word", "İ", "ß", "ﬁ", "²", "½", "Ⅻ", "١٢",
			strings.Repeat("word ", 1000), strings.Repeat("(", 1000), strings.Repeat("w", 5000),
		} {
			rows, err := kin.Query[article]().Where(kin.Search(query, "title", "body")).Annotate("r", kin.SearchRank(query, "title", "body")).OrderBy("-r").All(ctx, s.DB)
			require.NoError(t, err, "%.50q", query)
			for _, x := range rows {
				assert.True(t, hasWords(x.Title, query), "%q of %q", x.Title, query)
			}
			text, _, err := kin.Query[article]().Where(kin.Search(query, "note")).SQL(s.Dialect())
			if err == nil {
				assert.NotContains(t, text, "word")
			}
		}
		for want, cond := range map[string]*kin.Condition{
			"article has several full-text indexes":         kin.Search("word"),
			"article has no full-text index of [\"title\"]": kin.Search("word", "title"),
			"article has no field or relation \"titel\"":    kin.Search("word", "titel"),
			"is no column of article itself":                kin.Search("word", "author__name"),
			"more than 100 words":                           kin.Search(manyWords(101), "note"),
		} {
			_, err := kin.Query[article]().Where(cond).Count(ctx, s.DB)
			require.ErrorContains(t, err, want)
		}
		_, err := kin.Query[plain]().Where(kin.Search("word", "text")).Count(ctx, s.DB)
		require.ErrorContains(t, err, "plain has no full-text index, without which it cannot be searched")
		n, err := kin.Query[article]().Where(kin.Search(manyWords(100), "note")).Count(ctx, s.DB)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

func manyWords(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" w" + strings.Repeat("x", i))
	}
	return b.String()
}
