package tests

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func namedFilterCases() []Case {
	return []Case{
		{"named filters/rows", testNamedRows},
		{"named filters/upsert", testNamedUpsert},
		{"named filters/sets and collections", testNamedSets},
		{"named filters/without a value", testNamedErrors},
		{"named filters/one query, many tenants", testNamedRace},
		{"named filters/forms", testNamedForms},
		{"named filters/mistakes", testNamedMistakes},
	}
}

// fingerprint is a table as text, to be compared.
func (s *Suite) fingerprint(t *testing.T) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT id, title, tenant, gone, team_id FROM scope_docs ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	var table []string
	for rows.Next() {
		var id, tenant int64
		var title string
		var gone bool
		var team *int64
		require.NoError(t, rows.Scan(&id, &title, &tenant, &gone, &team))
		table = append(table, fmt.Sprint(id, " ", title, " ", tenant, " ", gone, " ", team != nil))
	}
	require.NoError(t, rows.Err())
	s.Wire.Reset()
	return table
}

// newDocs inserts documents, by turns of the tenants 1 and 2.
func newDocs(t *testing.T, s *Suite, n int) []*scopeDoc {
	t.Helper()
	var docs []*scopeDoc
	for i := range n {
		docs = append(docs, &scopeDoc{Title: fmt.Sprint("d", i+1), Tenant: int64(1 + i%2)})
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, docs...))
	s.Wire.Reset()
	return docs
}

func testNamedRows(t *testing.T, s *Suite) {
	plain, s := scopeSuite(t, s)
	ctx := as(t.Context(), 1, 3)
	d := newDocs(t, plain, 6) // 1, 3 and 5 are ours
	before := s.fingerprint(t)

	d[0].Title = "ours"
	require.NoError(t, kin.Update(ctx, s.DB, d[0]))
	d[2].Title, d[4].Title = "too", "three"
	require.NoError(t, kin.UpdateAll(ctx, s.DB, []*scopeDoc{d[2], d[4]}, "title"))
	s.Wire.Want(t, 2, 0)
	for i, title := range map[int]string{0: "ours", 2: "too", 4: "three"} {
		before[i] = fmt.Sprint(i+1, " ", title, " 1 ", false, " ", false)
	}
	assert.Equal(t, before, s.fingerprint(t))

	theirs := &scopeDoc{ID: 2, Title: "stolen", Tenant: 1} // as if it were ours
	for why, call := range map[string]func() error{
		"update":      func() error { return kin.Update(ctx, s.DB, theirs) },
		"some":        func() error { return kin.Update(ctx, s.DB, d[1], "title") },
		"update all":  func() error { return kin.UpdateAll(ctx, s.DB, []*scopeDoc{d[0], theirs, d[2]}) },
		"save":        func() error { return kin.Save(ctx, s.DB, theirs) },
		"save both":   func() error { return kin.Save(ctx, s.DB, theirs, &scopeDoc{Title: "new", Tenant: 1}) },
		"delete":      func() error { return kin.Delete(ctx, s.DB, d[1]) },
		"delete all":  func() error { return kin.DeleteAll(ctx, s.DB, []*scopeDoc{d[0], d[1]}) },
		"purge":       func() error { return kin.Purge(ctx, s.DB, d[1]) },
		"reload":      func() error { return kin.Reload(ctx, s.DB, d[0], d[1]) },
		"foreign key": func() error { fk := kin.Key[scopeDoc](2); _, err := fk.Load(ctx, s.DB); return err },
	} {
		require.ErrorIs(t, call(), kin.ErrNotFound, why)
		assert.Equal(t, before, s.fingerprint(t), why)
		assert.False(t, d[0].Gone || d[1].Gone, why)
	}
	for why, call := range map[string]func() error{
		"insert":          func() error { return kin.Insert(ctx, s.DB, &scopeDoc{Tenant: 1}, &scopeDoc{Tenant: 2}) },
		"update, away":    func() error { return kin.Update(ctx, s.DB, &scopeDoc{ID: 1, Tenant: 2}) },
		"update, a field": func() error { return kin.Update(ctx, s.DB, &scopeDoc{ID: 1, Tenant: 2}, "tenant") },
		"get or create": func() error {
			_, _, err := kin.GetOrCreate(ctx, s.DB, &scopeDoc{Title: "x", Tenant: 2}, "title")
			return err
		},
	} {
		err := call()
		require.ErrorIs(t, err, kin.ErrOutside, why)
		require.ErrorContains(t, err, `is outside the filter "tenant"`, why)
		assert.Equal(t, before, s.fingerprint(t), why)
	}
	s.Wire.Reset()
	require.EqualError(t, kin.Insert(ctx, s.DB, &scopeDoc{Tenant: 1}, &scopeDoc{Tenant: 2}),
		`kin: insert of scopeDoc: row 2 of 2 is outside the filter "tenant"`)
	s.Wire.Want(t, 0, 0)

	created, err := kin.UpdateOrCreate(ctx, s.DB, &scopeDoc{Title: "d2", Tenant: 1}, "title")
	require.NoError(t, err)
	assert.True(t, created, "theirs is not seen")
	lifted := kin.WithoutFilter(ctx, "tenant")
	require.NoError(t, kin.Insert(lifted, s.DB, &scopeDoc{Title: "any", Tenant: 9}))
	require.NoError(t, kin.Delete(lifted, s.DB, d[1]))
	assert.True(t, d[1].Gone)
	n, err := kin.Query[scopeDoc]().Count(lifted, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 7, n)

	// A transaction and a savepoint have the filters of their database.
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		return tx.Tx(ctx, func(tx *kin.Tx) error {
			require.ErrorIs(t, kin.Update(ctx, tx, &scopeDoc{ID: 4, Tenant: 1}), kin.ErrNotFound)
			n, err := kin.Query[scopeDoc]().Count(ctx, tx)
			assert.EqualValues(t, 4, n)
			return err
		})
	}))
}

// scopePrice belongs to a tenant, and has a key that all share.
type scopePrice struct {
	ID     int64
	Code   string `kin:",unique,size=20"`
	Amount int
	Tenant int64
	Group  string `kin:",size=20"`
}

func testNamedUpsert(t *testing.T, s *Suite) {
	var r kin.Registry
	kin.Register[scopePrice](&r)
	plain := s.With(kin.WithRegistry(&r))
	s = s.With(kin.WithRegistry(&r), ofTenant[scopePrice]())
	require.NoError(t, kin.CreateTables(t.Context(), plain.DB))
	ctx := as(t.Context(), 1, 0)
	require.NoError(t, kin.Insert(t.Context(), plain.DB,
		&scopePrice{Code: "a", Amount: 1, Tenant: 1}, &scopePrice{Code: "b", Amount: 2, Tenant: 2}))
	amounts := func() []int64 { return s.ints(t, "SELECT amount + 1000 * tenant FROM scope_prices ORDER BY code") }
	upsert := func(c kin.Conflict[string], rows ...*scopePrice) error { return kin.Upsert(ctx, s.DB, rows, c) }

	rows := []*scopePrice{{Code: "a", Amount: 10, Tenant: 1}, {Code: "c", Amount: 30, Tenant: 1}}
	require.NoError(t, upsert(kin.OnConflict("code"), rows...))
	assert.EqualValues(t, 1, rows[0].ID)
	assert.NotZero(t, rows[1].ID)
	assert.Equal(t, []int64{1010, 2002, 1030}, amounts())
	for _, c := range []kin.Conflict[string]{kin.OnConflict("code"), kin.OnConflict("code").Update("amount"), kin.OnConflict("code").DoNothing()} {
		err := upsert(c, &scopePrice{Code: "a", Amount: 11, Tenant: 1}, &scopePrice{Code: "b", Amount: 20, Tenant: 1})
		var unique *kin.UniqueError
		require.ErrorAs(t, err, &unique)
		require.ErrorIs(t, err, kin.ErrNotFound)
		require.ErrorContains(t, err, "outside a filter")
		assert.Equal(t, []int64{1010, 2002, 1030}, amounts(), "all or nothing")
	}
	s.Wire.Reset()
	require.EqualError(t, upsert(kin.OnConflict("code"), &scopePrice{Code: "z", Tenant: 2}),
		`kin: upsert of scopePrice: row 1 of 1 is outside the filter "tenant"`)
	s.Wire.Want(t, 0, 0)
	_, _, err := kin.GetOrCreate(ctx, s.DB, &scopePrice{Code: "b", Tenant: 1}, "code")
	var unique *kin.UniqueError
	require.ErrorAs(t, err, &unique)
	require.ErrorContains(t, err, "outside a filter")

	// One condition of several columns, all of which are set.
	s = s.With(kin.WithRegistry(&r), kin.WithFilter("open", func(_ context.Context, q kin.QuerySet[scopePrice]) (kin.QuerySet[scopePrice], error) {
		return q.Exclude("group", "secret", "amount__gt", 100), nil
	}))
	err = kin.Upsert(ctx, s.DB, []*scopePrice{{Code: "a", Amount: 500, Tenant: 1, Group: "plain"}}, kin.OnConflict("code"))
	if s.Name == "mysql" {
		require.ErrorContains(t, err, `mysql cannot tell whether a row is within the filter "open"`)
	} else {
		require.NoError(t, err)
		require.ErrorIs(t, kin.Insert(ctx, s.DB, &scopePrice{Code: "q", Amount: 101, Group: "secret"}), kin.ErrOutside)
	}
}

func testNamedSets(t *testing.T, s *Suite) {
	plain, s := scopeSuite(t, s)
	ctx := as(t.Context(), 1, 3)
	newDocs(t, plain, 6)
	n, err := kin.Query[scopeDoc]().Filter("id__gt", 2).Update(ctx, s.DB, kin.Set("title", "x"))
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	assert.Equal(t, []int64{3, 5}, s.ints(t, "SELECT id FROM scope_docs WHERE title = 'x' ORDER BY id"))
	before := s.fingerprint(t)
	for _, set := range []*kin.Assignment{kin.Set("tenant", 2), kin.Set("tenant", kin.F("tenant").Add(0))} {
		s.Wire.Reset()
		_, err = kin.Query[scopeDoc]().Everything().Update(ctx, s.DB, set)
		require.ErrorIs(t, err, kin.ErrOutside)
		s.Wire.Want(t, 0, 0)
	}
	_, err = kin.Query[scopeDoc]().Everything().Update(ctx, s.DB, kin.Set("tenant", 1))
	require.NoError(t, err, "where they are already")
	assert.Equal(t, before, s.fingerprint(t))
	n, err = kin.Query[scopeDoc]().OrderBy("-id").Limit(2).Delete(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	_, gone := s.gone(t, "scope_docs", "gone")
	assert.Equal(t, []int64{3, 5}, gone)
	n, err = kin.Query[scopeDoc]().WithDeleted().Everything().Purge(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	assert.Equal(t, []int64{2, 4, 6}, s.ints(t, "SELECT id FROM scope_docs ORDER BY id"))

	// Collections.
	ours := &scopeTeam{Name: "ours", Tenant: 1}
	require.NoError(t, kin.Insert(ctx, s.DB, ours))
	require.NoError(t, ours.Docs.Create(ctx, s.DB, &scopeDoc{Title: "new", Tenant: 1}))
	require.ErrorIs(t, ours.Docs.Create(ctx, s.DB, &scopeDoc{Title: "new", Tenant: 2}), kin.ErrOutside)
	require.ErrorIs(t, ours.Docs.Add(ctx, s.DB, &scopeDoc{ID: 2, Tenant: 2}), kin.ErrNotFound)
	s.Exec(t, "UPDATE scope_docs SET team_id = 1 WHERE id IN (2, 4)")
	docs, err := ours.Docs.Load(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, docs, 1)
	assert.Equal(t, "new", docs[0].Title)
	require.NoError(t, ours.Docs.Set(ctx, s.DB))
	assert.Equal(t, []int64{2, 4}, s.ints(t, "SELECT id FROM scope_docs WHERE team_id = 1 ORDER BY id"), "theirs stay")
}

// testNamedErrors calls without a tenant in the context: that is an error
// wherever a row with a tenant would be touched, and nowhere else.
func testNamedErrors(t *testing.T, s *Suite) {
	plain, s := scopeSuite(t, s)
	ctx := t.Context()
	newDocs(t, plain, 2)
	members, docs := kin.Query[scopeMember](), kin.Query[scopeDoc]()
	before := s.fingerprint(t)
	row := &scopeDoc{ID: 1, Title: "no", Tenant: 1}
	for why, call := range map[string]func() error{
		"all":       func() error { _, err := docs.All(ctx, s.DB); return err },
		"empty":     func() error { _, err := docs.Filter("id__in", []int64{}).All(ctx, s.DB); return err },
		"count":     func() error { _, err := docs.Count(ctx, s.DB); return err },
		"exists":    func() error { _, err := docs.Exists(ctx, s.DB); return err },
		"iter":      func() error { return firstError(docs.Iter(ctx, s.DB)) },
		"to one":    func() error { _, err := members.SelectRelated("team").All(ctx, s.DB); return err },
		"to many":   func() error { _, err := members.SelectRelated("docs").All(ctx, s.DB); return err },
		"arms":      func() error { _, err := members.SelectRelated("docs__children", "team").All(ctx, s.DB); return err },
		"condition": func() error { _, err := members.Filter("docs__title", "a").All(ctx, s.DB); return err },
		"no rows":   func() error { _, err := members.Filter("docs__isnull", true).Count(ctx, s.DB); return err },
		"order":     func() error { _, err := members.OrderBy("team__name").All(ctx, s.DB); return err },
		"set":       func() error { _, err := docs.Everything().Update(ctx, s.DB, kin.Set("title", "")); return err },
		"expression": func() error {
			_, err := members.Everything().Update(ctx, s.DB, kin.Set("name", kin.F("team__name")))
			return err
		},
		"page": func() error {
			_, err := members.OrderBy("team__name").Limit(1).Update(ctx, s.DB, kin.Set("name", ""))
			return err
		},
		"delete":      func() error { _, err := docs.Everything().Delete(ctx, s.DB); return err },
		"insert":      func() error { return kin.Insert(ctx, s.DB, &scopeDoc{Tenant: 1}) },
		"update":      func() error { return kin.Update(ctx, s.DB, row) },
		"delete row":  func() error { return kin.Delete(ctx, s.DB, row) },
		"reload":      func() error { return kin.Reload(ctx, s.DB, row) },
		"upsert":      func() error { return kin.Upsert(ctx, s.DB, []*scopeDoc{row}, kin.OnConflict("id")) },
		"foreign key": func() error { fk := kin.Key[scopeDoc](1); _, err := fk.Load(ctx, s.DB); return err },
	} {
		s.Wire.Reset()
		err := call()
		require.ErrorIs(t, err, errNoTenant, why)
		require.ErrorContains(t, err, `the filter "tenant" on scope`, why)
		s.Wire.Want(t, 0, 0)
		assert.Equal(t, before, s.fingerprint(t), why)
	}
	require.NoError(t, kin.Insert(ctx, s.DB, &scopeMember{Name: "m"}), "members have no tenant")
	n, err := members.Filter("team__isnull", true, "team__ne", 5).Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
	n, err = docs.Count(as(ctx, 1, 0), s.DB)
	require.NoError(t, err, "an error is not remembered")
	assert.EqualValues(t, 1, n)
}

func firstError[T any](rows func(func(T, error) bool)) error {
	for _, err := range rows {
		if err != nil {
			return err
		}
	}
	return nil
}

// testNamedRace has many goroutines of several tenants run the same queries:
// each sees its own rows, by the same text.
func testNamedRace(t *testing.T, s *Suite) {
	plain, s := scopeSuite(t, s)
	w := newScopeWorld(t, plain, rand.New(rand.NewPCG(5, 5)), 50)
	plans := []kin.QuerySet[scopeDoc]{
		kin.Query[scopeDoc]().OrderBy("id"),
		kin.Query[scopeDoc]().SelectRelated("team__members", "children__notes"),
		kin.Query[scopeDoc]().SelectRelated("children__notes").Filter("title__ne", "zz").Limit(100),
	}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			v := scopeView{tenant: int64(1 + i%2), level: i % 4}
			ctx := as(t.Context(), v.tenant, v.level)
			want := which(w.docs, v.doc, func(*docRow) bool { return true })
			for round := range 10 {
				q := plans[(i+round)%len(plans)]
				n, err := q.Count(ctx, s.DB)
				rows, allErr := q.All(ctx, s.DB)
				if err = errors.Join(err, allErr); err != nil {
					t.Error(err)
					return
				}
				assert.EqualValues(t, len(want), n)
				w.checkDocs(t, v, rows, want, v.String(), map[any]bool{})
			}
		})
	}
	group.Wait()
	texts := map[string]bool{}
	for _, text := range s.Wire.Statements() {
		texts[text] = true
	}
	assert.Len(t, texts, 5, "one for each form: two of the counts are the same")
}

// testNamedForms has filters whose SQL is not the same each time.
func testNamedForms(t *testing.T, s *Suite) {
	plain, _ := scopeSuite(t, s)
	ctx := t.Context()
	newDocs(t, plain, 8)
	plain.Exec(t, "UPDATE scope_docs SET tenant = 3, parent_id = 1 WHERE id > 6")
	type key struct{}
	r := scopeRegistry()
	s = plain.With(kin.WithRegistry(r), kin.WithFilter("tenants", func(ctx context.Context, q kin.QuerySet[scopeDoc]) (kin.QuerySet[scopeDoc], error) {
		switch x := ctx.Value(key{}).(type) {
		case []int64:
			return q.Filter("tenant__in", x), nil
		case *scopeDoc:
			return q.Filter("parent", x), nil
		}
		return q, nil
	}))
	q := kin.Query[scopeDoc]().Filter("id__gt", 0)
	count := func(x any) int64 {
		rows, err := q.All(context.WithValue(ctx, key{}, x), s.DB)
		require.NoError(t, err)
		n, err := q.Count(context.WithValue(ctx, key{}, x), s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, len(rows), n)
		return n
	}
	for range 2 {
		assert.EqualValues(t, 3, count([]int64{1}))
		assert.EqualValues(t, 5, count([]int64{3, 1}))
		assert.EqualValues(t, 5, count([]int64{2, 3}))
		assert.EqualValues(t, 8, count([]int64{2, 3, 1}))
		assert.EqualValues(t, 0, count([]int64{}))
		assert.EqualValues(t, 2, count(&scopeDoc{ID: 1}))
		assert.EqualValues(t, 6, count((*scopeDoc)(nil)))
		assert.EqualValues(t, 8, count(nil))
	}
	// Two databases share the query, and only one of them filters.
	n, err := q.Count(context.WithValue(ctx, key{}, []int64{1}), plain.DB)
	require.NoError(t, err)
	assert.EqualValues(t, 8, n)
}

func testNamedMistakes(t *testing.T, s *Suite) {
	ctx := t.Context()
	r := scopeRegistry()
	type docs = kin.QuerySet[scopeDoc]
	for want, narrow := range map[string]func(docs) docs{
		`kin: the filter "f" on scopeDoc: follows a relation; a filter compares the model's own columns and foreign keys`: func(q docs) docs {
			return q.Filter("team__name", "a")
		},
		`kin: the filter "f" on scopeDoc: follows a relation; a filter compares`: func(q docs) docs { return q.Exclude("notes__isnull", true) },
		`kin: the filter "f" on scopeDoc: icontains searches text`:               func(q docs) docs { return q.Filter("title__icontains", "a") },
		`kin: the filter "f" on scopeDoc: scopeDoc has no field or relation "tenat"; did you mean "tenant"?`: func(q docs) docs {
			return q.Filter("tenat", 1)
		},
		`takes Filter and Exclude, and nothing else`: func(q docs) docs { return q.Limit(3) },
		`"tenant": scopeDoc.Tenant takes`:            func(q docs) docs { return q.Filter("tenant", "one") },
	} {
		s := s.With(kin.WithRegistry(r), kin.WithFilter("f", func(_ context.Context, q docs) (docs, error) { return narrow(q), nil }))
		_, err := kin.Query[scopeDoc]().All(ctx, s.DB)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, kin.Insert(ctx, s.DB, &scopeDoc{}), want)
	}
	same := func(_ context.Context, q docs) (docs, error) { return q, nil }
	other := func(_ context.Context, q kin.QuerySet[scopeTag]) (kin.QuerySet[scopeTag], error) { return q, nil }
	for want, options := range map[string][]kin.Option{
		`kin: scopeDoc has two filters called "f"`:                                            {kin.WithFilter("f", same), kin.WithFilter("f", same)},
		`kin: scopeDoc has a filter without a name`:                                           {kin.WithFilter("", same)},
		`kin: the filter "f" is on scopeTag, which is not registered`:                         {kin.WithFilter("f", other)},
		`lifts the filter "tenent", which the database does not have; did you mean "tenant"?`: {kin.WithFilter("tenant", same)},
	} {
		s := s.With(append(options, kin.WithRegistry(r))...)
		_, err := kin.Query[scopeMember]().All(kin.WithoutFilter(ctx, "tenent"), s.DB)
		require.ErrorContains(t, err, want)
	}
}
