package shapes

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type (
	author struct {
		kin.Tracked
		ID       int64
		Name     string
		Bio      string
		Born     int
		Home     kin.ForeignKey[town] `kin:",null"`
		Articles kin.Reverse[article]
	}

	town struct {
		ID      int64
		Name    string
		Authors kin.Reverse[author]
	}

	article struct {
		kin.Tracked
		ID       int64
		Title    string
		Body     string
		Price    *float64
		Version  int                    `kin:",version"`
		Author   kin.ForeignKey[author] `kin:",related_name=articles"`
		Editor   kin.ForeignKey[author] `kin:",null,related_name=edited"`
		Comments kin.Reverse[comment]
		Labels   kin.ManyToMany[label]
	}

	comment struct {
		kin.Tracked
		ID      int64
		Text    string
		Stars   int
		Article kin.ForeignKey[article] `kin:",related_name=comments"`
	}

	label struct {
		kin.Tracked
		ID       int64
		Name     string
		Color    string
		Articles kin.ManyToMany[article] `kin:"via=Labels"`
	}
)

func press() *kin.Registry {
	var r kin.Registry
	kin.Register[author](&r)
	kin.Register[town](&r)
	kin.Register[article](&r)
	kin.Register[comment](&r)
	kin.Register[label](&r)
	return &r
}

// print makes two towns, three authors, four articles, and comments and labels of
// some of them.
func printed(t *testing.T, s *harness.Suite) *harness.Suite {
	t.Helper()
	ctx := t.Context()
	s = s.With(kin.WithRegistry(press()))
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	towns := []*town{{Name: "Ulm"}, {Name: "Bonn"}}
	require.NoError(t, kin.Insert(ctx, s.DB, towns...))
	var authors []*author
	for i, name := range []string{"Ann", "Bea", "Cem"} {
		a := &author{Name: name, Bio: "born in " + name, Born: 1900 + i}
		if i < 2 {
			a.Home.Set(towns[i])
		}
		authors = append(authors, a)
	}
	require.NoError(t, kin.Insert(ctx, s.DB, authors...))
	labels := []*label{{Name: "news", Color: "red"}, {Name: "long", Color: "blue"}, {Name: "old", Color: "grey"}}
	require.NoError(t, kin.Insert(ctx, s.DB, labels...))
	for i := range 4 {
		a := &article{Title: fmt.Sprintf("Title %d", i), Body: strings.Repeat("body ", i+1), Author: kin.To(authors[i%2])}
		if i%2 == 0 {
			a.Price, a.Editor = new(float64(i)), kin.To(authors[2])
		}
		require.NoError(t, kin.Insert(ctx, s.DB, a))
		for j := range i {
			require.NoError(t, kin.Insert(ctx, s.DB, &comment{Text: fmt.Sprint("comment ", i, j), Stars: j, Article: kin.To(a)}))
		}
		require.NoError(t, a.Labels.Add(ctx, s.DB, labels[:i]...))
	}
	s.Wire.Reset()
	return s
}

// TestOnly reads some columns of a row and of those that are joined to it.
func TestOnly(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx := t.Context()
		q := kin.Query[article]().SelectRelated("author").Only("title", "author__name")
		list, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Want(t, 1, 6)
		require.Len(t, list, 4)
		sql, _, err := q.SQL(s.DB.Dialect())
		require.NoError(t, err)
		for _, column := range []string{"body", "price", "bio", "born", "editor_id", "home_id"} {
			assert.NotContains(t, sql, column)
		}
		for i, a := range list {
			assert.Equal(t, fmt.Sprintf("Title %d", i), a.Title)
			assert.Empty(t, a.Body)
			assert.Nil(t, a.Price)
			assert.NotZero(t, a.Version, "the version always comes")
			assert.Equal(t, []string{"body", "price", "editor"}, kin.Deferred(a))
			assert.False(t, a.Editor.IsNull(), "it is not known to be")
			_, err := a.Editor.Load(ctx, s.DB)
			require.ErrorContains(t, err, "was not read")
			who := a.Author.Get()
			assert.Equal(t, []string{"Ann", "Bea"}[i%2], who.Name)
			assert.Equal(t, []string{"bio", "born", "home"}, kin.Deferred(who))
			assert.Empty(t, kin.Changed(a))
		}
		s.Wire.Want(t, 0, 0)

		whole, err := kin.Query[article]().SelectRelated("author").Only("author__name").First(ctx, s.DB)
		require.NoError(t, err)
		assert.Empty(t, kin.Deferred(whole), "a model in which no path ends is whole")
		assert.Len(t, kin.Deferred(whole.Author.Get()), 3)

		some, err := kin.Query[article]().Only("author").Defer("body").Only("body", "title").Defer("price").Get(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrMultipleFound)
		assert.Nil(t, some)
		some, err = kin.Query[article]().Only("author").Defer("body").Only("body", "title").First(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, []string{"body", "price", "author", "editor"}, kin.Deferred(some), "the last Only, without what is deferred")
		typed, err := kin.Query[article]().Defer(kin.Col(func(a *article) *string { return &a.Body }).Path()).First(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, []string{"body"}, kin.Deferred(typed))
		n, err := kin.Query[article]().Only("title").Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 4, n)
	})
}

// TestDeferredIsNotWritten changes rows that have not all of their columns.
func TestDeferredIsNotWritten(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx := t.Context()
		narrow := kin.Query[article]().Filter("title", "Title 2").Only("title")
		whole := func() *article {
			defer s.Wire.Pause()()
			a, err := kin.Query[article]().Filter("pk", 3).Get(ctx, s.DB)
			require.NoError(t, err)
			return a
		}
		body := strings.Repeat("body ", 3)
		require.Equal(t, body, whole().Body)
		a, err := narrow.Get(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Reset()

		require.NoError(t, kin.Save(ctx, s.DB, a), "nothing has changed")
		require.NoError(t, kin.Update(ctx, s.DB, a))
		s.Wire.Want(t, 0, 0)
		a.Title = "Two"
		require.NoError(t, kin.Update(ctx, s.DB, a))
		s.Wire.Want(t, 1, 0)
		check := func(title, body string, price float64) {
			t.Helper()
			w := whole()
			assert.Equal(t, title, w.Title)
			assert.Equal(t, body, w.Body)
			assert.Equal(t, new(price), w.Price)
			assert.Equal(t, int64(3), w.Editor.Ref().ID)
			assert.Equal(t, int64(1), w.Author.Ref().ID)
		}
		check("Two", body, 2)

		a.Price = new(7.5)
		assert.Equal(t, []string{"price"}, kin.Changed(a))
		assert.Equal(t, []string{"body", "author", "editor"}, kin.Deferred(a), "a value of its own is known")
		_, err = kin.SaveGraph(ctx, s.DB, a)
		require.NoError(t, err)
		check("Two", body, 7.5)
		a.Price = nil
		assert.Equal(t, []string{"price"}, kin.Changed(a), "it is known since it was written")
		a.Price = new(7.5)

		dup := *a
		assert.Equal(t, []string{"body", "author", "editor"}, kin.Deferred(&dup), "a copy knows, too")
		dup.Title = "Copy"
		require.NoError(t, kin.UpdateAll(ctx, s.DB, []*article{&dup}))
		check("Copy", body, 7.5)
		dup.ID = 1
		dup.Version = 1
		require.NoError(t, kin.Update(ctx, s.DB, &dup), "all that it has is another row's")
		defer s.Wire.Pause()()
		first, err := kin.Query[article]().Filter("pk", 1).Get(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, "body ", first.Body)
		assert.Equal(t, "Copy", first.Title)

		dup.ID = 0
		before := dup
		err = kin.Insert(ctx, s.DB, &dup)
		require.EqualError(t, err, `kin: insert of article: row 1 of 1 was read without ["author" "body" "editor"], by Only or Defer, and would be written with nothing there; Reload it, or set them`)
		require.ErrorContains(t, kin.Save(ctx, s.DB, &dup), "was read without")
		require.ErrorContains(t, kin.Upsert(ctx, s.DB, []*article{a}, kin.OnConflict("id")), "was read without")
		assert.Equal(t, before.Title, dup.Title)

		a, err = narrow.Filter("title", "Title 2").First(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrNotFound)
		assert.Nil(t, a)
		a, err = kin.Query[article]().Filter("pk", 3).Only("title").Get(ctx, s.DB)
		require.NoError(t, err)
		a.Title = "named"
		require.NoError(t, kin.Update(ctx, s.DB, a, "body", "title"), "a column that is named is written")
		check("named", "", 7.5)
		assert.Equal(t, []string{"price", "author", "editor"}, kin.Deferred(a))
		require.NoError(t, kin.Reload(ctx, s.DB, a))
		assert.Empty(t, kin.Deferred(a))
		assert.Equal(t, new(7.5), a.Price)
		assert.Equal(t, int64(3), a.Editor.Ref().ID)
		a.Price = nil
		assert.Equal(t, []string{"price"}, kin.Changed(a))
	})
}

// TestDeferredInTransactions keeps knowing what was not read when all else is
// forgotten.
func TestDeferredInTransactions(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx := t.Context()
		a, err := kin.Query[article]().Filter("pk", 3).Defer("body").Get(ctx, s.DB)
		require.NoError(t, err)
		tx, err := s.Pool().BeginTx(ctx, nil)
		require.NoError(t, err)
		own := kin.New(tx, s.Dialect(), kin.WithRegistry(press()))
		a.Title = "own"
		require.NoError(t, kin.Update(ctx, own, a))
		assert.NotContains(t, kin.Changed(a), "body", "it was not read")
		a.Title = "again"
		require.NoError(t, kin.Update(ctx, own, a))
		require.NoError(t, tx.Commit())
		require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
			a.Title = "undone"
			require.NoError(t, kin.Update(ctx, tx, a))
			return context.Canceled
		}), context.Canceled)
		assert.Equal(t, []string{"body"}, kin.Deferred(a))
		w, err := kin.Query[article]().Filter("pk", 3).Get(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, "again", w.Title)
		assert.Equal(t, strings.Repeat("body ", 3), w.Body)
	})
}

// TestOnlyMistakes are errors that say what is wrong.
func TestOnlyMistakes(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = s.With(kin.WithRegistry(press()))
		for want, q := range map[string]kin.QuerySet[article]{
			`kin: article has no field or relation "titel"; did you mean "title"?`:                                                                                                 kin.Query[article]().Only("titel"),
			`kin: Only("author__name") of article is about rows that this query does not load; add SelectRelated("author"), or give the subquery of a Prefetch an Only of its own`: kin.Query[article]().Only("author__name"),
			`kin: Defer("comments") of article ends in a relation to many rows; name their fields`:                                                                                 kin.Query[article]().SelectRelated("comments").Defer("comments"),
			`kin: a query on article: Only names no column`:                                                                                                                        kin.Query[article]().Only(),
			`kin: Only and Defer leave columns of town out, and its rows cannot remember that: a write would set them to zero; embed kin.Tracked in it, or read a struct of your own by kin.Select`: kin.Query[article]().
				SelectRelated("author__home").Defer("author__home__name"),
		} {
			_, err := q.All(t.Context(), s.DB)
			require.EqualError(t, err, want)
			_, err = q.Count(t.Context(), s.DB)
			require.EqualError(t, err, want)
		}
		_, err := kin.Select[struct{ Title string }](kin.Query[article]().Only("title")).All(t.Context(), s.DB)
		require.ErrorContains(t, err, "nothing to leave out with Only or Defer")
		s.Wire.Want(t, 0, 0)
	})
}

// TestOnlyEverywhere compares rows of random trees, by every strategy, with
// those that are read whole.
func TestOnlyEverywhere(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		seed := rand.Uint64()
		t.Log("seed", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		fields := map[string][]string{
			"": {"title", "body", "price", "author", "editor"}, "comments": {"text", "stars", "article"}, "labels": {"name", "color"},
			"author": {"name", "bio", "born", "home"}, "editor": {"name", "bio", "born", "home"}, "author__articles": {"title", "body", "price", "editor"},
			"labels__articles": {"title", "body", "author", "editor"}, "comments__article__author": {"name", "bio"},
		}
		paths := []string{"comments", "labels", "author", "editor", "author__articles", "labels__articles", "comments__article__author"}
		deferred := 0
		for range 150 {
			whole, q := kin.Query[article](), kin.Query[article]()
			var names []string
			load := []string{""}
			for _, p := range paths {
				switch r.IntN(4) {
				case 0, 1:
					load = append(load, p)
					whole, q = whole.SelectRelated(kin.Path[article](p)), q.SelectRelated(kin.Path[article](p))
				}
			}
			for _, p := range load {
				for _, f := range fields[p] {
					if r.IntN(3) == 0 {
						names = append(names, strings.TrimPrefix(p+"__"+f, "__"))
					}
				}
			}
			if len(names) == 0 {
				continue
			}
			if r.IntN(2) == 0 {
				q = q.Only(kin.Paths[article](names...)...)
			} else {
				q = q.Defer(kin.Paths[article](names...)...)
			}
			if r.IntN(2) == 0 {
				whole, q = whole.OrderBy("-title").Limit(3), q.OrderBy("-title").Limit(3)
			}
			var list, want []*article
			var err error
			var iter bool
			if want, err = whole.All(t.Context(), s.DB); err == nil {
				if iter = r.IntN(3) == 0; iter {
					for a, failed := range q.Iter(t.Context(), s.DB) {
						require.NoError(t, failed)
						list = append(list, a)
					}
				} else {
					list, err = q.All(t.Context(), s.DB)
				}
			}
			require.NoError(t, err, "%v %v", load, names)
			c := comparing{t: t, seen: map[any]bool{}, why: fmt.Sprint(load, names), apart: iter}
			require.Len(t, list, len(want))
			for i := range list {
				c.articles(list[i], want[i])
			}
			deferred += c.deferred
		}
		assert.Greater(t, deferred, 100)
	})
}

// TestOnlyOfPrefetches leaves columns out on every level.
func TestOnlyOfPrefetches(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx := t.Context()
		whole, err := kin.Query[article]().Prefetch("comments").Prefetch("author__articles").Prefetch("labels").All(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Reset()
		for name, q := range map[string]kin.QuerySet[article]{
			"each": kin.Query[article]().Only("title").Prefetch("comments", kin.Query[comment]().Only("text")).
				Prefetch("author", kin.Query[author]().Defer("bio").Prefetch("articles", kin.Query[article]().Only("price"))).
				Prefetch("labels", kin.Query[label]().Defer("color").Limit(9)),
			"path":   kin.Query[article]().Defer("body", "author", "editor").Prefetch("author__articles").Prefetch("comments").Prefetch("labels"),
			"joined": kin.Query[article]().SelectRelated("author").Only("author__name").Prefetch("author__articles").Prefetch("labels").Prefetch("comments"),
		} {
			list, err := q.All(ctx, s.DB)
			require.NoError(t, err, name)
			require.Len(t, list, 4)
			c := comparing{t: t, seen: map[any]bool{}, why: name, apart: true}
			for i := range list {
				c.articles(list[i], whole[i])
				assert.True(t, list[i].Author.Loaded(), name)
				assert.Len(t, list[i].Comments.All(), i, name)
				assert.Len(t, list[i].Labels.All(), i, name)
			}
			assert.NotZero(t, c.deferred)
		}
	})
}

// comparing compares rows with those that are read whole.
type comparing struct {
	t        *testing.T
	seen     map[any]bool
	why      string
	apart    bool // whether a row may be several values, of which one has what is loaded
	deferred int
}

func same[V any](c *comparing, left []string, name string, got, want V) {
	if !slices.Contains(left, name) {
		assert.Equal(c.t, want, got, "%s of %s", name, c.why)
		return
	}
	c.deferred++
	assert.Zero(c.t, got, "%s of %s", name, c.why)
}

func refer[T any](c *comparing, left []string, name string, got, want kin.ForeignKey[T]) {
	assert.Equal(c.t, slices.Contains(left, name), strings.Contains(got.String(), "not read"), "%s of %s", name, c.why)
	if !slices.Contains(left, name) {
		assert.Equal(c.t, want.String(), got.String(), "%s of %s", name, c.why)
	}
}

func (c *comparing) articles(got, want *article) {
	if c.seen[got] {
		return
	}
	c.seen[got] = true
	left := kin.Deferred(got)
	assert.Empty(c.t, kin.Changed(got))
	assert.Equal(c.t, want.ID, got.ID, c.why)
	assert.Equal(c.t, want.Version, got.Version, c.why)
	same(c, left, "title", got.Title, want.Title)
	same(c, left, "body", got.Body, want.Body)
	same(c, left, "price", got.Price, want.Price)
	refer(c, left, "author", got.Author, want.Author)
	refer(c, left, "editor", got.Editor, want.Editor)
	c.authors(got.Author.Get(), want.Author.Get())
	c.authors(got.Editor.Get(), want.Editor.Get())
	if !c.apart {
		assert.Equal(c.t, want.Comments.Loaded(), got.Comments.Loaded())
	}
	if got.Comments.Loaded() {
		require.Len(c.t, got.Comments.All(), len(want.Comments.All()), c.why)
		for i, x := range got.Comments.All() {
			c.comments(x, want.Comments.All()[i])
		}
	}
	if got.Labels.Loaded() {
		require.Len(c.t, got.Labels.All(), len(want.Labels.All()), c.why)
		for i, x := range got.Labels.All() {
			y := want.Labels.All()[i]
			same(c, kin.Deferred(x), "name", x.Name, y.Name)
			same(c, kin.Deferred(x), "color", x.Color, y.Color)
		}
	}
}

func (c *comparing) authors(got, want *author) {
	if got == nil || want == nil || c.seen[got] {
		return
	}
	c.seen[got] = true
	left := kin.Deferred(got)
	same(c, left, "name", got.Name, want.Name)
	same(c, left, "bio", got.Bio, want.Bio)
	same(c, left, "born", got.Born, want.Born)
	refer(c, left, "home", got.Home, want.Home)
	if got.Articles.Loaded() && want.Articles.Loaded() {
		require.Len(c.t, got.Articles.All(), len(want.Articles.All()), c.why)
		for i, x := range got.Articles.All() {
			c.articles(x, want.Articles.All()[i])
		}
	}
}

func (c *comparing) comments(got, want *comment) {
	left := kin.Deferred(got)
	same(c, left, "text", got.Text, want.Text)
	same(c, left, "stars", got.Stars, want.Stars)
	refer(c, left, "article", got.Article, want.Article)
}
