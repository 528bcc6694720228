package shapes

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests/harness"
)

type (
	commentRow struct {
		Text  string
		Stars int
		On    string `kin:"article__title"`
	}

	labelRow struct {
		Name     string
		Articles int64 `kin:"count(articles)"`
	}

	articleRow struct {
		Title    string
		Price    *float64
		Comments []commentRow
		Labels   []*labelRow
		Stars    []int `kin:"comments__stars"`
		Home     struct {
			Town *string `kin:"name"`
		} `kin:"author__home"`
	}

	authorRow struct {
		Name     string
		Town     *string `kin:"home__name"`
		Articles []articleRow
		Labels   []string `kin:"articles__labels__name"`
		N        int64    `kin:"count(articles)"`
	}
)

// TestSlices reads rows with slices of related ones, and slices in them, in one
// statement that reads the sum of all rows.
func TestSlices(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx := t.Context()
		rows, err := kin.Select[authorRow](kin.Query[author]()).All(ctx, s.DB)
		require.NoError(t, err)
		// 3 authors, 4 articles, 6 comments twice, 6 labels twice.
		s.Wire.Want(t, 1, 3+4+6+6+6+6)
		require.Len(t, rows, 3)
		town := func(s string) *string { return &s }
		comments := func(i int) []commentRow {
			list := []commentRow{}
			for j := range i {
				list = append(list, commentRow{fmt.Sprint("comment ", i, j), j, fmt.Sprintf("Title %d", i)})
			}
			return list
		}
		labels := []*labelRow{{"news", 3}, {"long", 2}, {"old", 1}}
		article := func(i int, home string) articleRow {
			a := articleRow{Title: fmt.Sprintf("Title %d", i), Comments: comments(i), Labels: labels[:i], Stars: []int{}}
			if i == 0 {
				a.Labels = []*labelRow{}
			}
			if i%2 == 0 {
				a.Price = new(float64(i))
			}
			for j := range i {
				a.Stars = append(a.Stars, j)
			}
			a.Home.Town = town(home)
			return a
		}
		assert.Equal(t, []authorRow{
			{"Ann", town("Ulm"), []articleRow{article(0, "Ulm"), article(2, "Ulm")}, []string{"news", "long"}, 2},
			{"Bea", town("Bonn"), []articleRow{article(1, "Bonn"), article(3, "Bonn")}, []string{"news", "news", "long", "old"}, 2},
			{"Cem", nil, []articleRow{}, []string{}, 0},
		}, rows)

		// In the order, and within the limits, of the query and of the selection.
		q := kin.Query[author]().Filter("name__ne", "Ann").OrderBy("-name").Limit(2)
		rows, err = kin.Select[authorRow](q).Limit(1).Offset(1).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		assert.Equal(t, "Bea", rows[0].Name)
		assert.Len(t, rows[0].Articles, 2)
		rows, err = kin.Select[authorRow](kin.Query[author]()).OrderBy("-n", "-name").Having(kin.Q("born__gt", 1900)).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		assert.Equal(t, "Bea", rows[0].Name)
		assert.Equal(t, "Cem", rows[1].Name)
		one, err := kin.Select[authorRow](kin.Query[author]().OrderBy("name")).First(ctx, s.DB)
		require.NoError(t, err)
		assert.Equal(t, "Ann", one.Name)
		_, err = kin.Select[authorRow](kin.Query[author]().Filter("name", "nobody")).Get(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrNotFound)
		none, err := kin.Select[authorRow](kin.Query[author]().Filter("pk__in", []int64{})).All(ctx, s.DB)
		require.NoError(t, err)
		assert.Empty(t, none)
		s.Wire.Reset()
	})
}

// TestSlicesShared: rows that many share are in each slice, also by way of a
// foreign key.
func TestSlicesShared(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		type other struct{ Title string }
		type row struct {
			Title string
			Same  []other `kin:"author__articles"`
			By    struct {
				Name  string
				Title []string `kin:"articles__title"`
			} `kin:"author"`
			Editors []*string `kin:"author__articles__editor__name"`
		}
		rows, err := kin.Select[row](kin.Query[article]()).All(t.Context(), s.DB)
		require.NoError(t, err)
		require.Len(t, rows, 4)
		for i, r := range rows {
			want := []other{{fmt.Sprintf("Title %d", i%2)}, {fmt.Sprintf("Title %d", i%2+2)}}
			assert.Equal(t, want, r.Same)
			assert.Equal(t, []string{want[0].Title, want[1].Title}, r.By.Title)
			assert.Len(t, r.Editors, 2-2*(i%2))
		}
		s.Wire.Want(t, 1, 4+8+8+4)
	})
}

// TestSlicesMistakes are errors that say what is wrong.
func TestSlicesMistakes(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx, db := t.Context(), s.DB
		type tree struct {
			Name     string
			Children []tree `kin:"articles"`
		}
		type item struct{ Title string }
		q := kin.Query[author]()
		for want, err := range map[string]error{
			"a group of rows has no slices": errOf(kin.Select[struct {
				N     int    `kin:"count(*)"`
				Items []item `kin:"articles"`
			}](q).All(ctx, db)),
			"go into no Distinct": errOf(kin.Select[struct{ Articles []item }](q).Distinct().All(ctx, db)),
			"Union":               errOf(kin.Select[struct{ Articles []item }](q).Union(kin.Select[struct{ Articles []item }](q)).All(ctx, db)),
			`"articles__title" of author leads to many rows; beside slices`: errOf(kin.Select[struct {
				Title    string `kin:"articles__title"`
				Articles []item
			}](q).All(ctx, db)),
			`"comments__text" of article leads to many rows`: errOf(kin.Select[struct {
				Articles []struct {
					Text string `kin:"comments__text"`
				}
			}](q).All(ctx, db)),
			`"home" of author leads to one value`: errOf(kin.Select[struct{ Home []item }](q).All(ctx, db)),
			`"articles__title" of author ends in a field, and the slice is of structs`: errOf(kin.Select[struct {
				X []item `kin:"articles__title"`
			}](q).All(ctx, db)),
			`author has no field or relation "articels"; did you mean "articles"?`: errOf(kin.Select[struct{ Articels []item }](q).All(ctx, db)),
			`nested more than 16 levels deep`:                                      errOf(kin.Select[tree](q).All(ctx, db)),
			`is a slice behind a pointer`: errOf(kin.Select[struct {
				Author *struct{ Articles []item }
			}](kin.Query[article]()).All(ctx, db)),
			`has the type []func()`: errOf(kin.Select[struct{ Articles []func() }](q).All(ctx, db)),
			`is none of what is selected`: errOf(kin.Select[struct {
				Name     string
				Articles []item
			}](q).OrderBy("articles").All(ctx, db)),
		} {
			require.ErrorContains(t, err, want)
		}
		s.Wire.Want(t, 0, 0)
	})
}

// TestSlicesRandom compares slices of random queries with the rows that
// SelectRelated loads.
func TestSlicesRandom(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = s.With(kin.WithRegistry(press()))
		ctx := t.Context()
		seed := rand.Uint64()
		t.Log("seed", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		require.NoError(t, kin.CreateTables(ctx, s.DB))
		var authors []*author
		for i := range 12 {
			authors = append(authors, &author{Name: fmt.Sprint("a", r.IntN(5)), Born: r.IntN(4), Bio: strconv.Itoa(i)})
		}
		require.NoError(t, kin.Insert(ctx, s.DB, authors...))
		var articles []*article
		for range 40 {
			a := &article{Title: fmt.Sprint("t", r.IntN(9)), Author: kin.To(authors[r.IntN(len(authors))])}
			if r.IntN(2) == 0 {
				a.Editor, a.Price = kin.To(authors[r.IntN(len(authors))]), new(r.Float64())
			}
			articles = append(articles, a)
		}
		require.NoError(t, kin.Insert(ctx, s.DB, articles...))
		labels := []*label{{Name: "x"}, {Name: "y"}, {Name: "z"}}
		require.NoError(t, kin.Insert(ctx, s.DB, labels...))
		var comments []*comment
		for range 90 {
			comments = append(comments, &comment{Text: strconv.Itoa(r.IntN(20)), Stars: r.IntN(5), Article: kin.To(articles[r.IntN(len(articles))])})
		}
		require.NoError(t, kin.Insert(ctx, s.DB, comments...))
		for _, a := range articles {
			require.NoError(t, a.Labels.Add(ctx, s.DB, labels[:r.IntN(4)]...))
		}
		type comm struct {
			ID   int64
			Text string
		}
		type art struct {
			ID       int64
			Price    *float64
			Comments []comm
			Labels   []string `kin:"labels__name"`
		}
		type row struct {
			Name     string
			ID       int64
			Articles []art
			Edited   []*art
		}
		orders := []string{"name", "-name", "born", "-born", "-id", "bio"}
		found := 0
		for range 60 {
			q := kin.Query[author]().OrderBy(kin.Path[author](orders[r.IntN(len(orders))]), kin.Path[author](orders[r.IntN(len(orders))]))
			if r.IntN(2) == 0 {
				q = q.Filter("born__gte", r.IntN(4))
			}
			if r.IntN(2) == 0 {
				q = q.Limit(r.IntN(8)).Offset(r.IntN(4))
			}
			whole, err := q.SelectRelated("articles__comments", "articles__labels").All(ctx, s.DB)
			require.NoError(t, err)
			s.Wire.Reset()
			got, err := kin.Select[row](q).All(ctx, s.DB)
			require.NoError(t, err)
			assert.LessOrEqual(t, len(s.Wire.Statements()), 1)
			var want []row
			one := func(a *article) art {
				x := art{ID: a.ID, Price: a.Price, Comments: []comm{}, Labels: []string{}}
				for _, c := range a.Comments.All() {
					x.Comments = append(x.Comments, comm{c.ID, c.Text})
				}
				for _, l := range a.Labels.All() {
					x.Labels = append(x.Labels, l.Name)
				}
				return x
			}
			for _, w := range whole {
				x := row{Name: w.Name, ID: w.ID, Articles: []art{}, Edited: []*art{}}
				for _, a := range w.Articles.All() {
					x.Articles = append(x.Articles, one(a))
				}
				edited, err := kin.Query[article]().Filter("editor", w).SelectRelated("comments", "labels").All(ctx, s.DB)
				require.NoError(t, err)
				for _, a := range edited {
					x.Edited = append(x.Edited, new(one(a)))
				}
				want = append(want, x)
				found += len(x.Articles)
			}
			require.Equal(t, want, got)
		}
		assert.NotZero(t, found)
	})
}

// TestSelectionIsRemembered runs one selection often, from several goroutines,
// with filters that have other values each time.
func TestSelectionIsRemembered(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		ctx := t.Context()
		sel := kin.Select[authorRow](kin.Query[author]().Filter("name__in", []string{"Ann", "Bea"}))
		first, err := sel.All(ctx, s.DB)
		require.NoError(t, err)
		s.Wire.Reset()
		errs := make(chan error)
		for range 8 {
			go func() {
				rows, err := sel.All(ctx, s.DB)
				if err == nil && !assert.ObjectsAreEqual(first, rows) {
					err = fmt.Errorf("other rows: %v", rows)
				}
				errs <- err
			}()
		}
		for range 8 {
			require.NoError(t, <-errs)
		}
		texts := s.Wire.Statements()
		assert.Len(t, slices.Compact(texts), 1)
		assert.True(t, strings.HasPrefix(texts[0], "WITH"))
	})
}

type bornKey struct{}

// TestSelectionFilters: what is remembered has the values of named filters of
// each call.
func TestSelectionFilters(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		s = s.With(kin.WithRegistry(press()), kin.WithFilter("born", func(ctx context.Context, q kin.QuerySet[author]) (kin.QuerySet[author], error) {
			return q.Filter("born__gte", ctx.Value(bornKey{})), nil
		}))
		sel := kin.Select[authorRow](kin.Query[author]())
		both := sel
		names := kin.Select[struct{ Name string }](kin.Query[author]())
		set := names.Union(names)
		for i := range 4 {
			ctx := context.WithValue(t.Context(), bornKey{}, 1900+i)
			rows, err := both.All(ctx, s.DB)
			require.NoError(t, err)
			assert.Len(t, rows, max(0, 3-i))
			all, err := set.All(ctx, s.DB)
			require.NoError(t, err)
			assert.Len(t, all, max(0, 3-i))
		}
		texts := s.Wire.Statements()
		require.Len(t, texts, 8)
		slices.Sort(texts)
		assert.Len(t, slices.Compact(texts), 2)
		_, err := sel.All(context.WithValue(t.Context(), bornKey{}, "no number"), s.DB)
		require.Error(t, err)
		_, err = sel.All(context.WithValue(t.Context(), bornKey{}, 1900), s.DB)
		require.NoError(t, err, "what was wrong with one call is not kept")
	})
}

// TestSelectionsOnReplicas: selections are read where queries are.
func TestSelectionsOnReplicas(t *testing.T) {
	t.Parallel()
	harness.Run(t, func(t *testing.T, s *harness.Suite) {
		s = printed(t, s)
		behind := harness.New(t, s.Target)
		behind = printed(t, behind)
		ctx := t.Context()
		_, err := kin.Query[comment]().Everything().Delete(ctx, behind.DB)
		require.NoError(t, err)
		s = s.With(kin.WithRegistry(press()), kin.WithReplicas(behind.DB))
		behind.Wire.Reset()
		type row struct {
			Comments []commentRow
		}
		sel := kin.Select[row](kin.Query[article]()).OrderBy()
		count := func(ctx context.Context, db kin.Executor) (n int) {
			rows, err := sel.All(ctx, db)
			require.NoError(t, err)
			for _, r := range rows {
				n += len(r.Comments)
			}
			return n
		}
		assert.Zero(t, count(ctx, s.DB))
		n, err := kin.Value[int64](ctx, s.DB, kin.Query[comment](), kin.Count("*"))
		require.NoError(t, err)
		assert.Zero(t, n)
		texts, err := kin.Pluck(ctx, s.DB, kin.Query[comment](), kin.Col(func(c *comment) *string { return &c.Text }))
		require.NoError(t, err)
		assert.Empty(t, texts)
		behind.Wire.Want(t, 3, 4+1+0)
		s.Wire.Want(t, 0, 0)
		assert.Equal(t, 6, count(kin.OnPrimary(ctx), s.DB))
		require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
			assert.Equal(t, 6, count(ctx, tx))
			return nil
		}))
		request := kin.ReadYourWrites(ctx)
		assert.Zero(t, count(request, s.DB))
		require.NoError(t, kin.Insert(request, s.DB, &town{Name: "Essen"}))
		assert.Equal(t, 6, count(request, s.DB))
		behind.Wire.Want(t, 1, 4)
	})
}
