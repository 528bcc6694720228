package tests

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func filterCases() []Case {
	return []Case{
		{"filter/operators on every kind and path", testOperators},
		{"filter/searching text", testSearch},
		{"filter/relations", testRelationForms},
		{"filter/lists of relations", testRelationLists},
		{"filter/one row or several", testSameRow},
		{"filter/every letter of Unicode", testLetters},
		{"filter/long texts", testLongTexts},
		{"filter/tables made by hand", testHandMade},
		{"filter/out of range", testOutOfRange},
		{"filter/out of range of the database", testBeyondDatabase},
		{"filter/empty lists", testEmptyLists},
		{"filter/a list is copied", testListIsCopied},
		{"filter/mistakes", testMistakes},
		{"filter/mistakes on every kind", testKindMistakes},
	}
}

func pickSuite(t *testing.T, s *Suite, items int) (*Suite, *pickWorld) {
	t.Helper()
	s = s.With(kin.WithRegistry(pickRegistry()))
	// The data is the same in each run: random conditions are partition's.
	return s, newPickWorld(t, s, rand.New(rand.NewPCG(7, 7)), items)
}

// check compares a query on items with the computation in memory, and
// returns how many rows there are.
func (w *pickWorld) check(t *testing.T, s *Suite, conds ...pickCond) int {
	t.Helper()
	lookup, value, more := pickArgs(conds)
	want := []any{}
	for _, row := range w.rows["item"] {
		if meets(row, conds) {
			want = append(want, row.key)
		}
	}
	s.Wire.Reset()
	got, err := pickKeys(t.Context(), s, kin.Query[pickItem]().Filter(lookup, value, more...))
	require.NoError(t, err, pickText(conds))
	require.Equal(t, want, got, pickText(conds)) // in the order of the keys
	if len(want) > 0 {
		s.Wire.Want(t, 1, len(want))
	}
	return len(want)
}

// testOperators asks with each operator for each column that it fits, over
// paths of each shape, for values that are there.
func testOperators(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 100)
	for _, path := range []struct {
		why  string
		hops []string
	}{
		{"own columns", nil},
		{"to one", []string{"parent"}},
		{"to one, to one", []string{"box", "shelf"}},
		{"to many", []string{"parts"}},
		{"to many, to many", []string{"tags", "marks"}},
		{"to one, to many", []string{"box", "items"}},
		{"to many, to one", []string{"parts", "box"}},
	} {
		model := "item"
		for _, hop := range path.hops {
			model = pickRelations()[model][hop]
		}
		for _, field := range sortedKeys(pickFields()[model]) {
			kind := pickFields()[model][field]
			values := w.distinct(model, field)
			for _, op := range pickOperators(kind) {
				c := pickCond{hops: path.hops, field: field, op: op}
				assert.Positive(t, w.checkValues(t, s, c, values), "%s: %s keeps no row", path.why, c.lookup())
			}
		}
	}
}

// distinct returns some of the values of a column, NULL first.
func (w *pickWorld) distinct(model, field string) []any {
	values := []any{nil}
	for _, row := range w.rows[model] {
		if v := row.values[field]; v != nil && !slices.ContainsFunc(values, func(x any) bool { return pickOrder(v, x) == 0 }) {
			values = append(values, v)
		}
	}
	return values[:min(len(values), 7)]
}

// checkValues checks the condition with each of the values, and returns how
// many rows there are altogether.
func (w *pickWorld) checkValues(t *testing.T, s *Suite, c pickCond, values []any) (n int) {
	t.Helper()
	with := func(value, as any) {
		c.value, c.given = value, as
		n += w.check(t, s, c)
	}
	switch c.op {
	case "isnull":
		with(true, true)
		with(false, false)
	case "in":
		for i := range values {
			with(values[i:], slices.Clone(values[i:]))
		}
	case "range":
		values = slices.Clone(values[1:])
		slices.SortFunc(values, pickOrder)
		for i := range values {
			pair := []any{values[i/2], values[i]}
			with(pair, [2]any(pair))
		}
	default:
		takesNull := slices.Contains([]string{"", "exact", "ne", "iexact"}, c.op)
		for _, v := range values {
			if v != nil || takesNull {
				with(v, v)
			}
		}
	}
	return n
}

// testSearch looks for each of the difficult texts among all of them.
func testSearch(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 120)
	for _, field := range []string{"name", "alt"} {
		found := map[string]int{}
		for _, op := range pickOperators("text") {
			if slices.Contains([]string{"in", "isnull", "range"}, op) {
				continue
			}
			for _, text := range pickTexts() {
				found[op] += w.check(t, s, pickCond{field: field, op: op, value: text, given: text})
			}
			assert.Greater(t, found[op], 30, op)
		}
		assert.Greater(t, found["iexact"], found["exact"], "letters without case")
		assert.Greater(t, found["icontains"], found["contains"])
	}
}

// testRelationForms compares relations with all that stands for a row.
func testRelationForms(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 60)
	box, shelf, tag := w.boxes[0], w.shelfs[0], w.tags[1]
	item := w.items[slices.IndexFunc(w.items, func(x *pickItem) bool { return !x.Parent.IsNull() })]
	for _, c := range []struct {
		why    string
		hops   []string
		value  any
		givens []any
	}{
		{"to one", []string{"box"}, box.ID, []any{box.ID, int(box.ID), uint8(box.ID), &box.ID, box, *box, kin.To(box), kin.Key[pickBox](box.ID)}},
		{"to itself", []string{"parent"}, item.Parent.Ref().ID, []any{item.Parent, item.Parent.Get(), *item.Parent.Get(), item.Parent.Ref().ID}},
		{"two hops", []string{"box", "shelf"}, shelf.ID, []any{shelf, *shelf, kin.To(shelf), shelf.ID}},
		{"to many", []string{"tags"}, tag.Word, []any{tag, *tag, kin.To(tag), kin.Key[pickTag](tag.Word), tag.Word, pickWord(tag.Word)}},
		{"to many and back", []string{"tags", "item"}, item.ID, []any{item, *item, kin.To(item), item.ID}},
		{"two to many", []string{"parts", "tags"}, tag.Word, []any{tag, *tag, kin.To(tag), tag.Word}},
		{"no row", []string{"box"}, nil, []any{nil, (*pickBox)(nil), kin.ForeignKey[pickBox]{}, kin.To[pickBox](nil), pickNull()}},
		{"no row, two hops", []string{"box", "shelf"}, nil, []any{nil, (*pickShelf)(nil), kin.ForeignKey[pickShelf]{}, pickNull()}},
		{"no row behind many", []string{"parts", "box"}, nil, []any{nil, (*pickBox)(nil), kin.ForeignKey[pickBox]{}}},
	} {
		for _, op := range []string{"", "exact", "ne"} {
			for _, given := range c.givens {
				n := w.check(t, s, pickCond{hops: c.hops, op: op, value: c.value, given: given})
				if op == "ne" || c.value == nil {
					assert.Positive(t, n, "%s: %s %T", c.why, op, given)
				}
			}
		}
	}
	assert.Positive(t, w.check(t, s, pickCond{hops: []string{"parent"}, value: item.Parent.Ref().ID, given: item.Parent}))
	for _, hops := range [][]string{{"box"}, {"box", "shelf"}, {"parts"}, {"parts", "tags"}, {"tags", "marks"}, {"parts", "parent"}} {
		for _, null := range []bool{true, false} {
			n := w.check(t, s, pickCond{hops: hops, op: "isnull", value: null, given: null})
			assert.Equal(t, hops[len(hops)-1] != "parent" || !null, n > 0, hops) // a part has a parent
		}
	}
	// The key at the end of a path is in the foreign key: nothing is joined.
	_, err := kin.Query[pickItem]().Filter("box", box, "parent__id__gt", 1).All(t.Context(), s.DB)
	require.NoError(t, err)
	assert.NotContains(t, s.Wire.Statements()[0], "JOIN")
}

func testRelationLists(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 60)
	a, b := w.boxes[0], w.boxes[1]
	keys := []any{a.ID, b.ID}
	withNull := []any{a.ID, nil}
	for _, c := range []struct {
		why   string
		value []any
		given any
	}{
		{"keys", keys, []int64{a.ID, b.ID}},
		{"an array of keys", keys, [2]int64{a.ID, b.ID}},
		{"bytes are keys as well", keys, []uint8{uint8(a.ID), uint8(b.ID)}},
		{"pointers to rows", keys, []*pickBox{a, b}},
		{"rows", keys, []pickBox{*a, *b}},
		{"foreign keys", keys, []kin.ForeignKey[pickBox]{kin.To(a), kin.Key[pickBox](b.ID)}},
		{"all forms", keys, []any{a, b.ID}},
		{"twice the same", keys, []any{a, *a, b, b, a.ID}},
		{"with nil", withNull, []any{a, nil}},
		{"with a typed nil", withNull, []*pickBox{a, nil}},
		{"with a foreign key that is NULL", withNull, []kin.ForeignKey[pickBox]{kin.To(a), {}}},
		{"with a Null that is not valid", withNull, []any{pickNull(), a.ID, pickNull()}},
		{"nil alone", []any{nil}, []any{nil}},
	} {
		assert.Positive(t, w.check(t, s, pickCond{hops: []string{"box"}, op: "in", value: c.value, given: c.given}), c.why)
		assert.Positive(t, w.check(t, s, pickCond{hops: []string{"parts", "box"}, op: "in", value: c.value, given: c.given}), c.why)
	}
	x, y := w.tags[0], w.tags[2]
	for _, given := range []any{[]*pickTag{x, y}, []pickTag{*x, *y}, []string{x.Word, y.Word}, []pickWord{pickWord(x.Word), pickWord(y.Word)}} {
		assert.Positive(t, w.check(t, s, pickCond{hops: []string{"tags"}, op: "in", value: []any{x.Word, y.Word}, given: given}))
	}
}

// testSameRow asks for two things of one related row, and of perhaps two.
// There are rows that meet the one and not the other.
func testSameRow(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(pickRegistry()))
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	one, two := 1, 2
	text := "m"
	both, apart, none := &pickItem{Name: "both"}, &pickItem{Name: "apart"}, &pickItem{Name: "none"}
	for _, x := range []*pickItem{both, apart, none} {
		x.At = pickTimes()[0]
	}
	require.NoError(t, kin.Insert(ctx, s.DB, both, apart, none))
	tags := []*pickTag{
		{Word: "a1", Weight: &one, Item: kin.To(both)},
		{Word: "b2", Item: kin.To(both)},
		{Word: "a2", Weight: &two, Item: kin.To(apart)},
		{Word: "b1", Weight: &one, Item: kin.To(apart)},
	}
	require.NoError(t, kin.Insert(ctx, s.DB, tags...))
	require.NoError(t, kin.Insert(ctx, s.DB, &pickMark{Text: &text, Tag: kin.To(tags[0])}, &pickMark{Text: &text, Tag: kin.To(tags[2])}))
	q := kin.Query[pickItem]()
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[pickItem]
		want []string
	}{
		{"one call", q.Filter("tags__word__startswith", "a", "tags__weight", 1), []string{"both"}},
		{"two calls", q.Filter("tags__word__startswith", "a").Filter("tags__weight", 1), []string{"both", "apart"}},
		{"the complement of one call", q.Exclude("tags__word__startswith", "a", "tags__weight", 1), []string{"apart", "none"}},
		{"of two calls", q.Exclude("tags__word__startswith", "a").Exclude("tags__weight", 1), []string{"none"}},
		{"the row at the first hop is one as well", q.Filter("tags__marks__text", "m", "tags__weight", 1), []string{"both"}},
		{"but not in two calls", q.Filter("tags__marks__text", "m").Filter("tags__weight", 1), []string{"both", "apart"}},
		{"a row without more", q.Filter("tags__marks__isnull", true, "tags__weight", nil), []string{"both"}},
		{"a row that is given", q.Filter("tags", tags[0], "tags__weight", 1), []string{"both"}},
		{"and is not the one", q.Filter("tags", tags[3], "tags__word", "a2"), []string{}},
		{"ne is of one related row", q.Filter("tags__word__ne", "a1"), []string{"both", "apart"}},
		{"Exclude is of all of them", q.Exclude("tags__word", "a1"), []string{"apart", "none"}},
	} {
		rows, err := c.q.All(ctx, s.DB)
		require.NoError(t, err, c.why)
		names := []string{}
		for _, row := range rows {
			names = append(names, row.Name)
		}
		assert.Equal(t, c.want, names, c.why)
	}
}

// testEmptyLists asks for none of something: the answer needs no database.
func testEmptyLists(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 20)
	ctx := t.Context()
	for _, c := range []struct {
		lookup string
		list   any
	}{
		{"name__in", []string{}},
		{"name__in", []string(nil)},
		{"id__in", [0]int{}},
		{"small__in", []int{300, -300}},
		{"tags__word__in", []any{}},
		{"tags__marks__text__in", []string{}},
		{"box__in", []*pickBox{}},
	} {
		q := kin.Query[pickItem]().SelectRelated("tags", "parts").OrderBy("-name").Filter(c.lookup, c.list)
		rows, err := q.All(ctx, s.DB)
		require.NoError(t, err, c.lookup)
		assert.Empty(t, rows)
		n, err := q.Count(ctx, s.DB)
		require.NoError(t, err)
		assert.Zero(t, n)
		exists, err := q.Exists(ctx, s.DB)
		require.NoError(t, err)
		assert.False(t, exists)
		_, err = q.First(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrNotFound)
		_, err = q.Last(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrNotFound)
		_, err = q.Limit(3).Last(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrNotFound)
		_, err = q.Get(ctx, s.DB)
		require.ErrorIs(t, err, kin.ErrNotFound)
		for range q.Iter(ctx, s.DB) {
			t.Fatal("a row of an empty query")
		}
		text, _, err := q.SQL(s.DB.Dialect())
		require.NoError(t, err)
		assert.Empty(t, text)
		s.Wire.Want(t, 0, 0)

		all := kin.Query[pickItem]().Exclude(c.lookup, c.list)
		n, err = all.Count(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, len(w.items), n, c.lookup)
		rows, err = all.All(ctx, s.DB)
		require.NoError(t, err)
		assert.Len(t, rows, len(w.items), c.lookup)
		s.Wire.Want(t, 2, 1+len(w.items))
		_, err = q.OrderBy("nothing").Count(ctx, s.DB)
		require.Error(t, err, "a mistake is one though the answer is known")
		s.Wire.Want(t, 0, 0)
	}
}

// testListIsCopied changes a list after it was given: a query is a value.
func testListIsCopied(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 20)
	ids := []int64{w.items[0].ID, w.items[1].ID}
	q := kin.Query[pickItem]().Filter("id__in", ids)
	want := fmt.Sprint(ids)
	ids[0], ids[1] = w.items[5].ID, -1
	got, err := pickKeys(t.Context(), s, q)
	require.NoError(t, err)
	assert.Equal(t, want, fmt.Sprint(got))
}
