package tests

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func orderCases() []Case {
	return []Case{
		{"order/every column", testOrderColumns},
		{"order/through foreign keys", testOrderPaths},
		{"order/several at once", testOrderSeveral},
		{"order/pages are the whole", testOrderPages},
		{"order/children", testOrderChildren},
		{"order/children in branches", testOrderBranches},
		{"order/the last one", testOrderReplaced},
	}
}

// ordered returns the items as the orders would have them: NULL
// before values, and ties broken by the key. A path is one through foreign
// keys.
func (w *pickWorld) ordered(orders ...string) []*pickRow {
	rows := slices.Clone(w.rows["item"])
	slices.SortStableFunc(rows, func(a, b *pickRow) int { return pickOrders(a, b, orders...) })
	return rows
}

func pickOrders(a, b *pickRow, orders ...string) int {
	for _, o := range orders {
		path, desc := strings.CutPrefix(o, "-")
		if d := pickOrder(pickEnd(a, path), pickEnd(b, path)); d != 0 {
			if desc {
				return -d
			}
			return d
		}
	}
	return pickOrder(a.key, b.key)
}

// pickEnd returns the value at the end of a path of foreign keys.
func pickEnd(row *pickRow, path string) any {
	steps := strings.Split(path, "__")
	for row != nil && len(steps) > 0 {
		if _, isRelation := pickRelations()[row.model][steps[0]]; !isRelation {
			return valueAt(row, steps[0])
		}
		row, steps = row.one[steps[0]], steps[1:]
	}
	return valueAt(row, "")
}

func rowKeys(rows []*pickRow) []any {
	keys := []any{}
	for _, row := range rows {
		keys = append(keys, row.key)
	}
	return keys
}

// checkOrder compares the whole, the first, the last and what Iter gives.
func (w *pickWorld) checkOrder(t *testing.T, s *Suite, orders ...string) {
	t.Helper()
	ctx := t.Context()
	want := rowKeys(w.ordered(orders...))
	s.Wire.Reset()
	q := kin.Query[pickItem]().OrderBy(kin.Paths[pickItem](orders...)...)
	got, err := pickKeys(ctx, s, q)
	require.NoError(t, err, orders)
	require.Equal(t, want, got, orders)
	s.Wire.Want(t, 1, len(want))
	first, err := q.First(ctx, s.DB)
	require.NoError(t, err, orders)
	assert.Equal(t, want[0], first.ID, "the first by %v", orders)
	last, err := q.Last(ctx, s.DB)
	require.NoError(t, err, orders)
	assert.Equal(t, want[len(want)-1], last.ID, "the last by %v", orders)
	s.Wire.Want(t, 2, 2)
	n := 0
	for row, err := range q.Iter(ctx, s.DB) {
		require.NoError(t, err, orders)
		require.Equal(t, want[n], row.ID, orders)
		n++
	}
	require.Equal(t, len(want), n)
}

func testOrderColumns(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 100)
	for _, field := range sortedKeys(pickFields()["item"]) {
		w.checkOrder(t, s, field)
		w.checkOrder(t, s, "-"+field)
	}
	w.checkOrder(t, s)
	assert.Equal(t, any(nil), w.ordered("note")[0].values["note"], "there are NULLs to sort")
}

func testOrderPaths(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 100)
	for _, path := range []string{
		"box", "parent", "box__id", "box__name", "box__note", "box__shelf", "box__shelf__id", "box__shelf__label",
		"box__shelf__floor", "parent__name", "parent__until", "parent__parent__tiny", "parent__box__shelf__label",
	} {
		w.checkOrder(t, s, path)
		w.checkOrder(t, s, "-"+path)
	}
	// The rows at the end of the path may be loaded too, or not.
	want := rowKeys(w.ordered("-box__shelf__label"))
	got, err := pickKeys(t.Context(), s, kin.Query[pickItem]().SelectRelated("box__shelf", "parent").OrderBy("-box__shelf__label"))
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func testOrderSeveral(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 100)
	for _, orders := range [][]string{
		{"live", "-open", "small"},
		{"-live", "open", "-small"},
		{"box", "-note"},
		{"-box__note", "box__shelf__floor", "-id"},
		{"tiny", "-tiny", "name"},
		{"size", "-price", "ratio", "-at"},
		{"-id", "name"},
		{"parent__live", "-parent__name"},
	} {
		w.checkOrder(t, s, orders...)
	}
}

// testOrderPages puts the pages of a query together: they are the whole, with
// each kind of load.
func testOrderPages(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 60)
	ctx := t.Context()
	for _, load := range [][]string{nil, {"box__shelf"}, {"tags__marks"}, {"tags", "parts__tags"}} {
		for _, orders := range [][]string{nil, {"-id"}, {"open"}, {"-note", "live"}, {"box__shelf__label"}, {"-parent__name"}, {"live"}, {"-until"}} {
			want := rowKeys(w.ordered(orders...))
			q := kin.Query[pickItem]().SelectRelated(kin.Paths[pickItem](load...)...).OrderBy(kin.Paths[pickItem](orders...)...)
			var got []any
			for at := 0; at < len(want); at += 7 {
				page := q.Limit(7).Offset(at)
				s.Wire.Reset()
				keys, err := pickKeys(ctx, s, page)
				require.NoError(t, err, orders)
				assert.Len(t, s.Wire.Statements(), 1)
				got = append(got, keys...)
				first, err := page.First(ctx, s.DB)
				require.NoError(t, err)
				assert.Equal(t, keys[0], first.ID, "the first of a page")
				last, err := page.Last(ctx, s.DB)
				require.NoError(t, err)
				assert.Equal(t, keys[len(keys)-1], last.ID, "the last of a page")
				n, err := page.Count(ctx, s.DB)
				require.NoError(t, err)
				assert.EqualValues(t, len(keys), n)
			}
			require.Equal(t, want, got, "%v %v", load, orders)
			rest, err := pickKeys(ctx, s, q.Offset(50))
			require.NoError(t, err)
			assert.Equal(t, want[50:], rest, "an offset without a limit")
			none, err := pickKeys(ctx, s, q.Offset(500))
			require.NoError(t, err)
			assert.Empty(t, none)
		}
	}
}

// checkChildren compares loaded children with those in memory, in an order.
func checkChildren[T any](t *testing.T, want []*pickRow, got []*T, orders ...string) {
	t.Helper()
	want = slices.Clone(want)
	slices.SortStableFunc(want, func(a, b *pickRow) int { return pickOrders(a, b, orders...) })
	keys := []any{}
	for _, x := range got {
		keys = append(keys, pickKey(x))
	}
	require.Equal(t, rowKeys(want), keys, orders)
}

// testOrderChildren sorts the rows of a chain of to-many relations, each
// among those of its parent. The roots keep an order of their own.
func testOrderChildren(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 80)
	ctx := t.Context()
	several := 0
	for _, c := range []struct {
		why                string
		orders             []string
		roots, tags, marks []string
	}{
		{"by key", nil, nil, nil, nil},
		{"down", []string{"-tags__word", "-tags__marks__id"}, nil, []string{"-word"}, []string{"-id"}},
		{"with NULL", []string{"tags__weight", "tags__marks__text"}, nil, []string{"weight"}, []string{"text"}},
		{"with NULL, down", []string{"-tags__weight", "-tags__marks__text"}, nil, []string{"-weight"}, []string{"-text"}},
		{"and the roots", []string{"tags__marks__text", "-name", "-tags__weight", "tags__word"}, []string{"-name"}, []string{"-weight", "word"}, []string{"text"}},
		{"the roots alone", []string{"-box__shelf__label"}, []string{"-box__shelf__label"}, nil, nil},
		{"the last level alone", []string{"-tags__marks__text"}, nil, nil, []string{"-text"}},
		{"by the foreign key", []string{"-tags__item", "tags__marks__tag__weight"}, nil, nil, nil},
	} {
		q := kin.Query[pickItem]().SelectRelated("tags__marks").OrderBy(kin.Paths[pickItem](c.orders...)...)
		for _, page := range []kin.QuerySet[pickItem]{q, q.Limit(30), q.Limit(20).Offset(10)} {
			rows, err := page.All(ctx, s.DB)
			require.NoError(t, err, c.why)
			want := w.ordered(c.roots...)
			first := slices.IndexFunc(want, func(r *pickRow) bool { return r.key == rows[0].ID })
			for i, row := range rows {
				require.Equal(t, want[first+i].key, row.ID, c.why)
				checkChildren(t, want[first+i].many["tags"], row.Tags.All(), c.tags...)
				if row.Tags.Len() > 1 {
					several++
				}
				for _, tag := range row.Tags.All() {
					checkChildren(t, w.row("tag", tag.Word).many["marks"], tag.Marks.All(), c.marks...)
				}
			}
		}
		last, err := q.Last(ctx, s.DB)
		require.NoError(t, err, c.why)
		roots := w.ordered(c.roots...)
		require.Equal(t, roots[len(roots)-1].key, last.ID, c.why)
		checkChildren(t, roots[len(roots)-1].many["tags"], last.Tags.All(), c.tags...)
	}
	assert.Greater(t, several, 20, "there is something to sort")
	for _, q := range []kin.QuerySet[pickItem]{
		kin.Query[pickItem]().OrderBy("tags__word"), kin.Query[pickItem]().SelectRelated("tags").OrderBy("tags__marks__text"),
		kin.Query[pickItem]().SelectRelated("parts").OrderBy("name", "-tags__word"),
	} {
		_, _, err := q.SQL(s.DB.Dialect())
		refused(t, s, q, err, "sorts rows that are not loaded")
	}
}

// row returns the row of the model with the key.
func (w *pickWorld) row(model string, key any) *pickRow {
	return w.rows[model][slices.IndexFunc(w.rows[model], func(r *pickRow) bool { return r.key == key })]
}

// testOrderBranches sorts each of several branches, and rows by what their
// foreign keys lead to. No row is on two paths with two orders: it is one
// value, and has its children in one of them.
func testOrderBranches(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 80)
	q := kin.Query[pickItem]().SelectRelated("tags__marks", "parts__box", "box__items").
		OrderBy("-tags__weight", "parts__box__shelf__label", "-parts__name", "-until", "box__items__open")
	for _, page := range []kin.QuerySet[pickItem]{q, q.Limit(25).Offset(5)} {
		rows, err := page.All(t.Context(), s.DB)
		require.NoError(t, err)
		want := w.ordered("-until")
		if len(rows) < len(want) {
			want = want[5:30]
		}
		require.Len(t, rows, len(want))
		for i, row := range rows {
			require.Equal(t, want[i].key, row.ID)
			checkChildren(t, want[i].many["tags"], row.Tags.All(), "-weight")
			checkChildren(t, want[i].many["parts"], row.Parts.All(), "box__shelf__label", "-name")
			if box := row.Box.Get(); box != nil {
				checkChildren(t, w.row("box", box.ID).many["items"], box.Items.All(), "open")
			}
		}
	}
}

// testOrderReplaced orders twice: the second order stands. Without any it is
// the key's.
func testOrderReplaced(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 30)
	got, err := pickKeys(t.Context(), s, kin.Query[pickItem]().OrderBy("-name").OrderBy("note"))
	require.NoError(t, err)
	assert.Equal(t, rowKeys(w.ordered("note")), got)
	got, err = pickKeys(t.Context(), s, kin.Query[pickItem]().OrderBy("-name").OrderBy())
	require.NoError(t, err)
	assert.Equal(t, rowKeys(w.ordered()), got)
}
