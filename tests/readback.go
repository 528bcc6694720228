package tests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func readBackCases() []Case {
	return []Case{
		{"ddl/generated columns come back", testGeneratedBack},
		{"ddl/generated columns are never written", testGeneratedRefused},
		{"ddl/generated columns when a write fails", testGeneratedFails},
		{"ddl/generated columns that are NULL", testGeneratedNull},
		{"ddl/defaults come back", testDefaultsBack},
		{"ddl/rows that leave everything", testEmptyBack},
		{"ddl/defaults in upserts", testDefaultsUpsert},
		{"ddl/rows of a graph come back", testGraphBack},
		{"ddl/rows of a collection come back", testCollectionBack},
		{"ddl/tracked rows know what came back", testTrackedBack},
		{"ddl/what comes back is within the filters", testFilterBack},
		{"ddl/many rows come back in chunks", testChunksBack},
	}
}

type (
	// A madeOrder has a total that the database computes, and values that it
	// makes if nobody else does.
	madeOrder struct {
		ID       int64
		Code     string `kin:",unique,size=20"`
		Price    int
		Quantity int
		Total    int             `kin:",generated=price * quantity"`
		Status   string          `kin:",size=9,default='new',omitzero"`
		Stars    *int            `kin:",default=3,omitzero"`
		Tags     json.RawMessage `kin:",default='[]',omitzero"`
		Since    time.Time       `kin:",default='2020-01-02 03:04:05',omitzero"`
		Version  int             `kin:",version"`
		Lines    kin.Reverse[madeLine]
		Liked    kin.Reverse[madeLine]
	}
	// A madeLine has a key of two columns, and what is made of a foreign key.
	madeLine struct {
		Order kin.ForeignKey[madeOrder] `kin:",pk,related_name=lines"`
		No    int                       `kin:",pk"`
		Text  string                    `kin:",size=20"`
		Loud  string                    `kin:",size=20,generated=upper(text)"`
		Like  kin.ForeignKey[madeOrder] `kin:",null,related_name=liked"`
		Likes bool                      `kin:",generated=like_id IS NOT NULL"`
	}
)

func madeSuite(t *testing.T, s *Suite, options ...kin.Option) *Suite {
	t.Helper()
	var r kin.Registry
	kin.Register[madeOrder](&r)
	kin.Register[madeLine](&r)
	s = s.With(append(options, kin.WithRegistry(&r))...)
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	s.Wire.Reset()
	return s
}

// orders returns the table as text, read by hand.
func (s *Suite) orders(t *testing.T) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT id, code, price, quantity, total, status, stars, tags, since, version FROM made_orders ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	lines := []string{}
	for rows.Next() {
		var o madeOrder
		var since any
		require.NoError(t, rows.Scan(&o.ID, &o.Code, &o.Price, &o.Quantity, &o.Total, &o.Status, &o.Stars, (*[]byte)(&o.Tags), &since, &o.Version))
		switch v := since.(type) {
		case time.Time:
			o.Since = v
		default:
			o.Since, err = time.Parse("2006-01-02 15:04:05.999999", fmt.Sprintf("%s", v))
			require.NoError(t, err)
		}
		lines = append(lines, o.text())
	}
	require.NoError(t, rows.Err())
	return lines
}

func (o *madeOrder) text() string {
	stars := "NULL"
	if o.Stars != nil {
		stars = strconv.Itoa(*o.Stars)
	}
	return fmt.Sprintf("%d %s %d*%d=%d %s %s %s %s v%d", o.ID, o.Code, o.Price, o.Quantity, o.Total, o.Status, stars, o.Tags, o.Since.UTC().Format(time.DateTime), o.Version)
}

func orderTexts(orders ...*madeOrder) []string {
	lines := []string{}
	for _, o := range orders {
		lines = append(lines, o.text())
	}
	return lines
}

// wantBack checks how many statements there were: one if a single row comes
// back with its INSERT.
func (s *Suite) wantBack(t *testing.T, returning, otherwise int) {
	t.Helper()
	want := otherwise
	if s.Dialect().Traits().Returning {
		want = returning
	}
	assert.Len(t, s.Wire.Statements(), want, "%q", s.Wire.Statements())
	s.Wire.Reset()
}

func testGeneratedBack(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = madeSuite(t, s)
	one := &madeOrder{Code: "a", Price: 2, Quantity: 3, Total: 99, Status: "old", Stars: new(0), Tags: json.RawMessage(`[1]`), Since: time.Unix(0, 0)}
	require.NoError(t, kin.Insert(ctx, s.DB, one))
	s.wantBack(t, 1, 2)
	assert.Equal(t, 6, one.Total, "whatever was in memory")
	assert.Equal(t, "old", one.Status)
	assert.Equal(t, s.orders(t), orderTexts(one))

	one.Price, one.Total = 5, 1
	s.Wire.Reset()
	require.NoError(t, kin.Update(ctx, s.DB, one))
	s.wantBack(t, 2, 2)
	assert.Equal(t, 15, one.Total)
	one.Quantity = 4
	require.NoError(t, kin.Update(ctx, s.DB, one, "quantity"))
	s.wantBack(t, 2, 2)
	assert.Equal(t, 20, one.Total)
	assert.Equal(t, s.orders(t), orderTexts(one))

	two := &madeOrder{Code: "b", Price: 1, Quantity: 1, Status: "x", Stars: new(1), Tags: json.RawMessage(`[]`), Since: time.Unix(1, 0)}
	one.Price = 6
	require.NoError(t, kin.Save(ctx, s.DB, two, one))
	assert.Equal(t, []int{24, 1}, []int{one.Total, two.Total})
	one.Price, two.Price = 7, 8
	s.Wire.Reset()
	require.NoError(t, kin.UpdateAll(ctx, s.DB, []*madeOrder{two, one}))
	s.wantBack(t, 2, 2)
	assert.Equal(t, []int{28, 8}, []int{one.Total, two.Total})
	assert.Equal(t, s.orders(t), orderTexts(one, two))

	// A key of several columns, given by the program.
	lines := []*madeLine{{Order: kin.To(two), No: 2, Text: "b"}, {Order: kin.To(one), No: 2, Text: "c"}, {Order: kin.To(one), No: 1, Text: "a"}}
	s.Wire.Reset()
	require.NoError(t, kin.Insert(ctx, s.DB, lines...))
	s.wantBack(t, 2, 2)
	for i, want := range []string{"B", "C", "A"} {
		assert.Equal(t, want, lines[i].Loud)
	}
	require.NoError(t, kin.Insert(ctx, s.DB, &madeLine{Order: kin.To(one), No: 9, Text: "z"}))
	s.wantBack(t, 1, 2)

	got, err := kin.Query[madeOrder]().SelectRelated("lines").Filter("total__gt", 10).Filter("lines__loud", "A").Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, one.text(), got.text(), "it is read and filtered as any other column")
	n, err := kin.Query[madeOrder]().Filter("code", "a").Update(ctx, s.DB, kin.Set("price", 100))
	require.NoError(t, err)
	assert.Equal(t, int64(1), n)
	require.NoError(t, kin.Reload(ctx, s.DB, one))
	assert.Equal(t, 400, one.Total)
}

func testGeneratedRefused(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = madeSuite(t, s)
	one := &madeOrder{Code: "a", Price: 2, Quantity: 3}
	require.NoError(t, kin.Insert(ctx, s.DB, one))
	before, was := s.orders(t), *one
	const why = "madeOrder.Total is generated by the database, and cannot be set; set the columns that it is made of"
	require.EqualError(t, kin.Update(ctx, s.DB, one, "price", "total"), "kin: update of madeOrder: "+why)
	_, err := kin.Query[madeOrder]().Everything().Update(ctx, s.DB, kin.Set("total", 1))
	require.EqualError(t, err, "kin: "+why)
	err = kin.Upsert(ctx, s.DB, []*madeOrder{one}, kin.OnConflict("code").Update("total"))
	require.EqualError(t, err, "kin: upsert of madeOrder: "+why)
	_, _, err = kin.GetOrCreate(ctx, s.DB, &madeOrder{Code: "b"}, "status")
	require.EqualError(t, err, "kin: get or create of madeOrder: madeOrder.Status is left to the database while it is zero; set it, or name other columns")
	assert.Equal(t, before, s.orders(t))
	assert.Equal(t, was, *one)
}

func testGeneratedFails(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = madeSuite(t, s)
	one := &madeOrder{Code: "a", Price: 2, Quantity: 3}
	require.NoError(t, kin.Insert(ctx, s.DB, one))
	before, was := s.orders(t), one.text()
	var unique *kin.UniqueError
	fresh := func() []*madeOrder {
		return []*madeOrder{{Code: "b", Price: 1, Total: 7, Status: "x"}, {Code: "c", Total: 7}, {Code: "a", Total: 7, Status: "x"}}
	}
	rows := fresh()
	require.ErrorAs(t, kin.Insert(ctx, s.DB, rows...), &unique)
	assert.Equal(t, orderTexts(fresh()...), orderTexts(rows...), "no row, of none of the parts")
	one.Price = 50
	require.ErrorIs(t, kin.UpdateAll(ctx, s.DB, []*madeOrder{one, {ID: 99, Code: "z", Tags: json.RawMessage("[]")}}), kin.ErrNotFound)
	assert.Equal(t, 6, one.Total)
	one.Price = 2
	stop := errors.New("stop")
	require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		require.ErrorAs(t, kin.Insert(ctx, tx, rows...), &unique)
		require.ErrorAs(t, kin.Insert(ctx, tx, rows[2]), &unique)
		require.NoError(t, kin.Insert(ctx, tx, rows[1]), "the transaction goes on")
		return stop
	}), stop)
	assert.Equal(t, before, s.orders(t))
	assert.Equal(t, was, one.text())
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	rows = fresh()
	require.Error(t, kin.Insert(canceled, s.DB, rows[0]))
	assert.Equal(t, orderTexts(fresh()...), orderTexts(rows...))
}

// A madeNull has a generated column that cannot be NULL and would be, by what
// is in the database's own hands only.
type madeNull struct {
	ID   int64
	A    *int
	Sum  int  `kin:",generated=a + 1"`
	Also *int `kin:",generated=a + 2"`
}

func testGeneratedNull(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[madeNull])
	row := &madeNull{A: new(1)}
	require.NoError(t, kin.Insert(t.Context(), s.DB, row))
	assert.Equal(t, []int{2, 3}, []int{row.Sum, *row.Also})
	before := s.dump(t, "SELECT * FROM made_nulls")
	var null *kin.NotNullError
	bad := &madeNull{}
	require.ErrorAs(t, kin.Insert(t.Context(), s.DB, bad), &null)
	assert.Equal(t, []string{"Sum"}, null.Fields)
	assert.Equal(t, &madeNull{}, bad)
	row.A = nil
	require.ErrorAs(t, kin.Update(t.Context(), s.DB, row), &null)
	assert.Equal(t, []int{2, 3}, []int{row.Sum, *row.Also})
	assert.Equal(t, before, s.dump(t, "SELECT * FROM made_nulls"))
}

func testGraphBack(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = madeSuite(t, s)
	old := &madeOrder{Code: "old", Price: 1, Quantity: 1}
	require.NoError(t, kin.Insert(ctx, s.DB, old))
	old.Price = 10
	root := &madeOrder{Code: "new", Price: 3, Quantity: 4}
	root.Lines = kin.From(&madeLine{No: 1, Text: "a", Like: kin.To(old)}, &madeLine{No: 2, Text: "b"})
	_, err := kin.SaveGraph(ctx, s.DB, root)
	require.NoError(t, err)
	assert.Equal(t, s.orders(t), orderTexts(old, root))
	assert.Equal(t, []int{10, 12}, []int{old.Total, root.Total})
	for i, line := range root.Lines.All() {
		assert.Equal(t, []string{"A", "B"}[i], line.Loud)
		assert.Equal(t, i == 0, line.Likes)
	}
}

func testCollectionBack(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = madeSuite(t, s)
	orders := []*madeOrder{{Code: "a"}, {Code: "b"}}
	require.NoError(t, kin.Insert(ctx, s.DB, orders...))
	lines := []*madeLine{{Order: kin.To(orders[0]), No: 1}, {Order: kin.To(orders[0]), No: 2}}
	require.NoError(t, kin.Insert(ctx, s.DB, lines...))
	likes := func(why string, want ...bool) {
		t.Helper()
		assert.Equal(t, want, []bool{lines[0].Likes, lines[1].Likes}, why)
		for i, n := range s.ints(t, "SELECT CASE WHEN likes THEN 1 ELSE 0 END FROM made_lines ORDER BY no") {
			assert.Equal(t, want[i], n == 1, why)
		}
	}
	require.NoError(t, orders[1].Liked.Add(ctx, s.DB, lines...))
	likes("added", true, true)
	require.ErrorIs(t, orders[1].Liked.Remove(ctx, s.DB, lines[0], &madeLine{Order: kin.To(orders[0]), No: 9}), kin.ErrNotFound)
	likes("a failure", true, true)
	stop := errors.New("stop")
	require.ErrorIs(t, s.DB.Tx(ctx, func(tx *kin.Tx) error {
		require.NoError(t, orders[1].Liked.Remove(ctx, tx, lines[0]))
		assert.False(t, lines[0].Likes)
		return stop
	}), stop)
	likes("rolled back", true, true)
	require.NoError(t, kin.Reload(ctx, s.DB, lines...))
	_, err := orders[1].Liked.Load(ctx, s.DB)
	require.NoError(t, err)
	require.NoError(t, orders[1].Liked.Remove(ctx, s.DB, lines[0]))
	likes("removed", false, true)
	loaded := orders[1].Liked.All()
	require.Len(t, loaded, 1)
	_, err = orders[1].Liked.Clear(ctx, s.DB)
	require.NoError(t, err)
	assert.False(t, loaded[0].Likes)
}

// A madePage is tracked.
type madePage struct {
	kin.Tracked
	ID    int64
	Title string `kin:",size=20"`
	Slug  string `kin:",size=20,generated=lower(title)"`
	State string `kin:",size=20,default='draft',omitzero"`
}

func testTrackedBack(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[madePage])
	page := &madePage{Title: "ONE"}
	assert.NotContains(t, kin.Changed(page), "slug")
	require.NoError(t, kin.Insert(ctx, s.DB, page))
	assert.Empty(t, kin.Changed(page))
	s.Wire.Reset()
	require.NoError(t, kin.Update(ctx, s.DB, page))
	s.Wire.Want(t, 0, 0)
	page.Slug = "mine"
	assert.Empty(t, kin.Changed(page), "it would not be written")
	page.Title = "TWO"
	require.NoError(t, kin.Update(ctx, s.DB, page))
	assert.Equal(t, []string{"two", "draft"}, []string{page.Slug, page.State})
	assert.Empty(t, kin.Changed(page))
}

func testFilterBack(t *testing.T, s *Suite) {
	cheap := kin.WithFilter("cheap", func(_ context.Context, q kin.QuerySet[madeOrder]) (kin.QuerySet[madeOrder], error) {
		return q.Filter("total__lt", 100).Filter("status", "new"), nil
	})
	ctx := t.Context()
	s = madeSuite(t, s, cheap)
	one := &madeOrder{Code: "a", Price: 2, Quantity: 3}
	require.NoError(t, kin.Insert(ctx, s.DB, one))
	before, was := s.orders(t), one.text()
	for _, bad := range [][]*madeOrder{{{Code: "b", Price: 100, Quantity: 1}}, {{Code: "b"}, {Code: "c", Price: 100, Quantity: 1}}, {{Code: "d", Status: "old"}}} {
		err := kin.Insert(ctx, s.DB, bad...)
		require.ErrorIs(t, err, kin.ErrOutside)
		assert.Zero(t, bad[0].ID)
		assert.Equal(t, before, s.orders(t))
	}
	one.Price = 1000
	require.ErrorIs(t, kin.Update(ctx, s.DB, one), kin.ErrOutside)
	one.Price = 2
	_, err := kin.Query[madeOrder]().Everything().Update(ctx, s.DB, kin.Set("price", 1000))
	require.ErrorIs(t, err, kin.ErrOutside)
	require.Error(t, kin.Upsert(ctx, s.DB, []*madeOrder{{Code: "a", Price: 1000, Quantity: 3}}, kin.OnConflict("code")))
	require.Error(t, kin.Upsert(ctx, s.DB, []*madeOrder{{Code: "z", Price: 1000, Quantity: 3}}, kin.OnConflict("code")))
	assert.Equal(t, before, s.orders(t))
	assert.Equal(t, was, one.text())
}

func testChunksBack(t *testing.T, s *Suite) {
	var r kin.Registry
	kin.Register[madeOrder](&r)
	kin.Register[madeLine](&r)
	s = s.Tiny(40, kin.WithRegistry(&r))
	require.NoError(t, kin.CreateTables(t.Context(), s.DB))
	var rows []*madeOrder
	for i := range 100 {
		o := &madeOrder{Code: fmt.Sprint("c", i), Price: i, Quantity: 2}
		if i%3 == 0 {
			o.Status = "set"
		}
		rows = append(rows, o)
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	stored := map[string]bool{}
	for _, line := range s.orders(t) {
		stored[line] = true
	}
	assert.Len(t, stored, 100)
	for i, o := range rows {
		assert.True(t, stored[o.text()], "%d: %s", i, o.text())
		assert.Equal(t, 2*i, o.Total)
		o.Quantity = 3
	}
	require.NoError(t, kin.UpdateAll(t.Context(), s.DB, rows))
	for i, o := range rows {
		assert.Equal(t, 3*i, o.Total)
	}
}
