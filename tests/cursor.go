package tests

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func cursorCases() []Case {
	return []Case{
		{"cursor/pages are the whole", testCursorWhole},
		{"cursor/while rows are inserted", testCursorInserts},
		{"cursor/turning round", testCursorTurns},
		{"cursor/statements", testCursorStatements},
		{"cursor/tampered", testCursorTampered},
		{"cursor/of another query", testCursorOther},
		{"cursor/keys", testCursorKeys},
		{"cursor/mistakes", testCursorMistakes},
	}
}

func cursorKeyring(t *testing.T, keys ...string) *kin.Keyring {
	t.Helper()
	var bytes [][]byte
	for _, k := range keys {
		bytes = append(bytes, []byte((k + strings.Repeat("-", 32))[:32]))
	}
	ring, err := kin.NewKeyring(bytes[0], bytes[1:]...)
	require.NoError(t, err)
	return ring
}

func cursorSuite(t *testing.T, s *Suite, n int) (*Suite, *pickWorld) {
	t.Helper()
	s = s.With(kin.WithRegistry(pickRegistry()), kin.WithCursorKeys(cursorKeyring(t, "one")))
	return s, newPickWorld(t, s, seeded(t), n)
}

// cursorOrder returns a random order: of one to three paths, in either
// direction, some of them through foreign keys.
func cursorOrder(r *rand.Rand) []string {
	paths := append(sortedKeys(pickFields()["item"]), "box", "parent", "box__id", "box__name", "box__note", "box__shelf", "box__shelf__label",
		"box__shelf__floor", "parent__until", "parent__parent__tiny", "parent__open", "parent__code", "parent__at", "parent__ratio")
	var order []string
	for range 1 + r.IntN(3) {
		order = append(order, pickOne(r, []string{"", "-"})+pickOne(r, paths))
	}
	return order
}

func cursorLoad(r *rand.Rand) []string {
	return pickOne(r, [][]string{nil, nil, {"box__shelf", "parent"}, {"tags__marks"}, {"tags", "parts__tags"}, {"box__items"}})
}

// cursorPage asks for a page and returns its keys.
func cursorPage(t *testing.T, s *Suite, q kin.QuerySet[pickItem], cursor string, size int) (page *kin.CursorPage[pickItem], keys []any) {
	t.Helper()
	page, err := q.PageFrom(t.Context(), s.DB, cursor, size)
	require.NoError(t, err)
	for _, x := range page.Rows {
		keys = append(keys, x.ID)
	}
	return page, keys
}

// testCursorWhole goes through random orders with random conditions, forward
// to the end and back to the beginning.
func testCursorWhole(t *testing.T, s *Suite) {
	s, w := cursorSuite(t, s, 60)
	r := w.rand
	for range 150 {
		order, load, size := cursorOrder(r), cursorLoad(r), 1+r.IntN(40)
		q := kin.Query[pickItem]().SelectRelated(kin.Paths[pickItem](load...)...).OrderBy(kin.Paths[pickItem](order...)...)
		want := w.ordered(order...)
		if r.IntN(2) == 0 {
			q = q.Filter("box__note__isnull", false)
			want = slices.DeleteFunc(want, func(x *pickRow) bool { return x.one["box"] == nil || x.one["box"].values["note"] == nil })
		}
		why := fmt.Sprint(order, load, size)
		var got []any
		var previous string
		for cursor, n := "", 0; ; n++ {
			require.Less(t, n, 200, why)
			page, keys := cursorPage(t, s, q, cursor, size)
			for i, x := range page.Rows {
				if len(load) > 0 && strings.HasPrefix(load[0], "tags") {
					checkChildren(t, want[len(got)+i].many["tags"], x.Tags.All())
				}
			}
			got = append(got, keys...)
			require.Equal(t, cursor == "", page.Previous == "", why)
			if previous = page.Previous; page.Next == "" {
				break
			}
			require.Len(t, keys, size)
			cursor = page.Next
		}
		require.Equal(t, rowKeys(want), append([]any{}, got...), why)
		// And back, before the last page.
		last := len(want) % size
		if last == 0 {
			last = size
		}
		want = want[:max(0, len(want)-last)]
		got = nil
		for n := 0; previous != ""; n++ {
			require.Less(t, n, 200, why)
			page, keys := cursorPage(t, s, q, previous, 1+size/2)
			require.NotEmpty(t, page.Next, why)
			got = append(keys, got...)
			previous = page.Previous
		}
		require.Equal(t, rowKeys(want), append([]any{}, got...), "back %s", why)
	}
}

// testCursorInserts inserts rows between pages. Each row that was there
// comes once, and of the others those that sort after the place at which the
// reader was.
func testCursorInserts(t *testing.T, s *Suite) {
	s, w := cursorSuite(t, s, 20)
	r := w.rand
	for range 12 {
		order, load, size := cursorOrder(r), cursorLoad(r), 5+r.IntN(20)
		q := kin.Query[pickItem]().SelectRelated(kin.Paths[pickItem](load...)...).OrderBy(kin.Paths[pickItem](order...)...)
		want := rowKeys(w.ordered(order...))
		var got []any
		for cursor := ""; ; {
			page, keys := cursorPage(t, s, q, cursor, size)
			got = append(got, keys...)
			if cursor = page.Next; cursor == "" {
				break
			}
			if r.IntN(2) > 0 {
				continue
			}
			fresh := *pickOne(r, w.items)
			item := &pickItem{
				Name: fresh.Name, Note: fresh.Note, Tiny: fresh.Tiny, Amount: fresh.Amount, Open: fresh.Open, At: fresh.At,
				Until: fresh.Until, Code: fresh.Code, Box: kin.To(pickOne(r, w.boxes)), Parent: kin.To(pickOne(r, w.items)),
			}
			require.NoError(t, kin.Insert(t.Context(), s.DB, item))
			w.items = append(w.items, item)
			w.plain()
			now := rowKeys(w.ordered(order...))
			if slices.Index(now, any(item.ID)) > slices.Index(now, keys[len(keys)-1]) {
				want = slices.DeleteFunc(now, func(k any) bool { return k != any(item.ID) && !slices.Contains(want, k) })
			}
		}
		require.Equal(t, want, got, "%v %v %d", order, load, size)
	}
}

// testCursorTurns goes forward and back at random, and off both ends.
func testCursorTurns(t *testing.T, s *Suite) {
	s, w := cursorSuite(t, s, 10)
	r := w.rand
	ctx := t.Context()
	order := []string{"-box__note", "live", "-until"}
	q := kin.Query[pickItem]().OrderBy(kin.Paths[pickItem](order...)...)
	all := rowKeys(w.ordered(order...))
	cursor, first, last := "", 0, 0 // the place is before all[first] and after all[last-1]
	forward := true
	for range 200 {
		size := 1 + r.IntN(9)
		page, keys := cursorPage(t, s, q, cursor, size)
		if forward {
			first, last = last, min(len(all), last+size)
		} else {
			first, last = max(0, first-size), first
		}
		require.Equal(t, all[first:last], keys)
		require.Equal(t, last < len(all), page.Next != "")
		require.Equal(t, first > 0, page.Previous != "")
		switch {
		case page.Previous == "", page.Next != "" && r.IntN(3) > 0:
			cursor, forward = page.Next, true
		default:
			cursor, forward = page.Previous, false
		}
	}
	// Pages whose rows have gone lead back to those that are left.
	page, _ := cursorPage(t, s, q, "", 5)
	_, err := kin.Query[pickTag]().Everything().Update(ctx, s.DB, kin.Set("item", nil))
	require.NoError(t, err)
	_, err = kin.Query[pickItem]().Everything().Update(ctx, s.DB, kin.Set("parent", nil))
	require.NoError(t, err)
	_, err = kin.Query[pickItem]().Filter("id__in", all[5:]).Delete(ctx, s.DB)
	require.NoError(t, err)
	page, keys := cursorPage(t, s, q, page.Next, 5)
	assert.Empty(t, keys)
	assert.Empty(t, page.Next)
	page, keys = cursorPage(t, s, q, page.Previous, 5)
	assert.Equal(t, all[:5], keys, "the row at the place itself is there again")
	assert.Empty(t, page.Previous)
	_, keys = cursorPage(t, s, q, page.Next, 5)
	assert.Empty(t, keys)
	_, err = kin.Query[pickItem]().Everything().Delete(ctx, s.DB)
	require.NoError(t, err)
	page, keys = cursorPage(t, s, q, "", 5)
	assert.Empty(t, keys)
	assert.Empty(t, page.Next+page.Previous)
}

// testCursorStatements: a page is one statement, whose text is the same from
// page to page, and reads one row more than the page has.
func testCursorStatements(t *testing.T, s *Suite) {
	s, _ = cursorSuite(t, s, 40)
	q := kin.Query[pickItem]().Filter("name__ne", "x").OrderBy("name")
	texts := map[string]bool{}
	cursor := ""
	for range 4 {
		s.Wire.Reset()
		page, _ := cursorPage(t, s, q, cursor, 9)
		statements := s.Wire.Statements()
		require.Len(t, statements, 1)
		texts[statements[0]] = true
		s.Wire.Want(t, 1, 10)
		cursor = page.Next
	}
	assert.Len(t, texts, 2, "the first page's and that of all others")
}

func testCursorTampered(t *testing.T, s *Suite) {
	s, _ = cursorSuite(t, s, 10)
	ctx := t.Context()
	q := kin.Query[pickItem]().OrderBy("-name", "box__shelf__label")
	page, _ := cursorPage(t, s, q, "", 5)
	refused := func(cursor string) {
		t.Helper()
		s.Wire.Reset()
		_, err := q.PageFrom(ctx, s.DB, cursor, 5)
		require.ErrorIs(t, err, kin.ErrCursor, "%q", cursor)
		assert.Less(t, len(err.Error()), 300)
		assert.NotContains(t, err.Error(), marker)
		s.Wire.Want(t, 0, 0)
	}
	raw, err := base64.RawURLEncoding.DecodeString(page.Next)
	require.NoError(t, err)
	for i := range raw { // every bit counts
		changed := slices.Clone(raw)
		changed[i] ^= 1 << (i % 8)
		refused(base64.RawURLEncoding.EncodeToString(changed))
		refused(base64.RawURLEncoding.EncodeToString(raw[:i+1][:max(1, i)]))
	}
	refused(page.Next + "A")
	refused(page.Next + page.Next)
	refused(page.Next[:len(page.Next)-1])
	refused(strings.Repeat("A", 1<<20))
	for _, p := range payloads() {
		refused(p)
		refused(base64.RawURLEncoding.EncodeToString([]byte(p)))
		refused(page.Next + p)
	}
	for _, text := range []string{"pick", "box", "label", "name"} {
		assert.NotContains(t, string(raw), text, "nothing shows")
	}
	again, _ := cursorPage(t, s, q, "", 5)
	assert.Equal(t, page.Next, again.Next, "one place, one cursor")
}

// testCursorOther uses a cursor with each query that differs.
func testCursorOther(t *testing.T, s *Suite) {
	s, w := cursorSuite(t, s, 20)
	ctx := t.Context()
	q := kin.Query[pickItem]().Filter("size__gte", 0).OrderBy("-name", "box__note")
	page, _ := cursorPage(t, s, q, "", 5)
	base := kin.Query[pickItem]()
	for _, other := range []kin.QuerySet[pickItem]{
		base.OrderBy("-name", "box__note"), base.Filter("size__gte", 1).OrderBy("-name", "box__note"),
		base.Filter("size__gt", 0).OrderBy("-name", "box__note"), q.OrderBy("name", "box__note"), q.OrderBy("-name"), q.OrderBy(),
		q.OrderBy("-name", "-box__note"), q.OrderBy("box__note", "-name"), q.Filter("live", true), q.Exclude("size__gte", 0),
		q.OrderBy("-name", "box__note", "id"), base.Filter("size__in", []int{}).OrderBy("-name", "box__note"),
	} {
		_, err := other.PageFrom(ctx, s.DB, page.Next, 5)
		require.ErrorIs(t, err, kin.ErrCursor)
		require.ErrorContains(t, err, "another model, order or condition")
	}
	_, err := kin.Query[pickBox]().OrderBy("-name", "note").PageFrom(ctx, s.DB, page.Next, 5)
	require.ErrorIs(t, err, kin.ErrCursor)
	// What is loaded, the size, and how the query was built make no difference.
	want := rowKeys(w.ordered("-name", "box__note"))[5:12]
	same := kin.Query[pickItem]().SelectRelated("box", "tags", "parts").OrderBy("-name", "box__note").Filter("size__gte", 0)
	_, keys := cursorPage(t, s, same, page.Next, 7)
	assert.Equal(t, want, keys)
}

// testCursorKeys: cursors live as long as their key, in any process that has
// it.
func testCursorKeys(t *testing.T, s *Suite) {
	s, w := cursorSuite(t, s, 20)
	ctx := t.Context()
	models := kin.WithRegistry(pickRegistry())
	q := kin.Query[pickItem]().OrderBy("name")
	page, _ := cursorPage(t, s, q, "", 5)
	want := rowKeys(w.ordered("name"))[5:10]
	both := s.With(models, kin.WithCursorKeys(cursorKeyring(t, "two", "one")))
	fresh, keys := cursorPage(t, both, q, page.Next, 5)
	assert.Equal(t, want, keys)
	_, err := q.PageFrom(ctx, s.DB, fresh.Next, 5)
	require.ErrorIs(t, err, kin.ErrCursor)
	require.ErrorContains(t, err, "which the keyring does not have")
	derived := s.With(models, kin.WithKeyring(cursorKeyring(t, "one")))
	_, keys = cursorPage(t, derived, q, page.Next, 5)
	assert.Equal(t, want, keys, "the keyring serves for cursors too")
	_, err = q.PageFrom(ctx, s.With(models).DB, "", 5)
	require.ErrorContains(t, err, "open the database with kin.WithCursorKeys")
}

func testCursorMistakes(t *testing.T, s *Suite) {
	s, _ = cursorSuite(t, s, 3)
	ctx := t.Context()
	q := kin.Query[pickItem]()
	s.Wire.Reset()
	for _, size := range []int{0, -1, 1 << 40} {
		_, err := q.PageFrom(ctx, s.DB, "", size)
		require.ErrorContains(t, err, "kin: a page of pickItem: a page has at least one row")
	}
	for _, other := range []kin.QuerySet[pickItem]{q.Limit(5), q.Offset(5)} {
		_, err := other.PageFrom(ctx, s.DB, "", 5)
		require.ErrorContains(t, err, "a query with a limit or an offset has no pages by cursor")
	}
	_, err := q.OrderBy("nme").PageFrom(ctx, s.DB, "", 5)
	require.ErrorContains(t, err, `did you mean "name"?`)
	_, err = q.OrderBy("tags__word").PageFrom(ctx, s.DB, "", 5)
	require.ErrorContains(t, err, "sorts rows that are not loaded")
	s.Wire.Want(t, 0, 0)
	// A text that makes the cursor too long for a URL.
	require.NoError(t, kin.Insert(ctx, s.DB, &pickBox{Name: strings.Repeat("x", 10_000)}, &pickBox{Name: "y"}))
	_, err = kin.Query[pickBox]().Filter("name__startswith", "xxx").OrderBy("name").PageFrom(ctx, s.DB, "", 5)
	require.NoError(t, err, "no cursor is needed")
	_, err = kin.Query[pickBox]().Filter("name__gte", "xxx").OrderBy("name").PageFrom(ctx, s.DB, "", 1)
	require.ErrorContains(t, err, "order by shorter values")
}
