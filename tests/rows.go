package tests

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/dialect"
)

func rowCases() []Case {
	return []Case{
		{"rows/update", testUpdate},
		{"rows/update many", testUpdateMany},
		{"rows/update many, or none", testUpdateNone},
		{"rows/save", testSave},
		{"rows/delete", testDelete},
		{"rows/reload", testReload},
		{"rows/tiny limits", testTinyLimits},
	}
}

// rowItem has a column of each kind that is written in its own way.
type rowItem struct {
	ID    int64
	Name  string `kin:",size=50,unique"`
	Note  *string
	Score float64
	Count int32
	Done  bool
	At    time.Time
	Blob  []byte
	Owner kin.ForeignKey[rowOwner] `kin:",null,related_name=items"`
}

// rowOwner has a key of two columns.
type rowOwner struct {
	Place  string `kin:",pk,size=20"`
	Number int16  `kin:",pk"`
	Title  string
	Items  kin.Reverse[rowItem]
}

func rowSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	return s.tablesOf(t, kin.Register[rowItem], kin.Register[rowOwner])
}

// newItems inserts n items and two owners.
func newItems(t *testing.T, s *Suite, n int) ([]*rowItem, []*rowOwner) {
	t.Helper()
	owners := []*rowOwner{{Place: "north", Number: 1, Title: "a"}, {Place: "north", Number: 2, Title: "b"}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, owners...))
	items := make([]*rowItem, n)
	for i := range items {
		items[i] = &rowItem{
			Name: fmt.Sprintf("item %d", i), Score: float64(i) / 3, Count: int32(i), Done: i%2 == 0,
			At: time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC), Blob: []byte{byte(i)}, Owner: kin.To(owners[i%2]),
		}
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, items...))
	s.Wire.Reset()
	return items, owners
}

// table returns all items as text, read by hand.
func (s *Suite) table(t *testing.T) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), `SELECT id, name, note, score, count, done, owner_place, owner_number FROM row_items ORDER BY id`)
	require.NoError(t, err)
	defer rows.Close()
	var table []string
	for rows.Next() {
		var id, count int64
		var name string
		var note, place *string
		var number *int64
		var score float64
		var done bool
		require.NoError(t, rows.Scan(&id, &name, &note, &score, &count, &done, &place, &number))
		line := fmt.Sprint(id, " ", name, " ", text(note), " ", score, " ", count, " ", done)
		if place != nil {
			line += fmt.Sprint(" ", *place, " ", *number)
		}
		table = append(table, line)
	}
	require.NoError(t, rows.Err())
	return table
}

// lines returns the items as table would have them.
func lines(items []*rowItem) []string {
	var table []string
	for _, x := range items {
		line := fmt.Sprint(x.ID, " ", x.Name, " ", text(x.Note), " ", x.Score, " ", x.Count, " ", x.Done)
		if o := x.Owner.Ref(); o != nil {
			line += fmt.Sprint(" ", o.Place, " ", o.Number)
		}
		table = append(table, line)
	}
	return table
}

func testUpdate(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = rowSuite(t, s)
	items, owners := newItems(t, s, 3)
	note := "new"
	items[1].Name, items[1].Note, items[1].Score, items[1].Done = "changed", &note, 0, true
	items[1].Owner.Set(owners[0])
	require.NoError(t, kin.Update(ctx, s.DB, items[1]))
	s.Wire.Want(t, 1, 0)
	assert.Equal(t, lines(items), s.table(t))

	s.Wire.Reset()
	items[2].Name, items[2].Count = "unwritten", 0
	items[2].Owner.Clear()
	require.NoError(t, kin.Update(ctx, s.DB, items[2], "count", "owner"))
	s.Wire.Want(t, 1, 0)
	items[2].Name = "item 2"
	assert.Equal(t, lines(items), s.table(t))
	require.NoError(t, kin.Update(ctx, s.DB, items[2]), "nothing changes, and that is fine")

	for _, c := range []struct {
		why, want string
		err       error
	}{
		{"an unknown row", "kin: update of rowItem: kin: no row found: rowItem(99)", kin.Update(ctx, s.DB, &rowItem{ID: 99, Name: "x"})},
		{"a new row", "kin: update of rowItem: row 1 of 1 is not saved: it has no primary key yet", kin.Update(ctx, s.DB, &rowItem{Name: "x"})},
		{"an unknown column", `kin: update of rowItem: rowItem has no column "nam"; did you mean "name"?`, kin.Update(ctx, s.DB, items[0], "nam")},
		{"a to-many relation", `kin: update of rowOwner: rowOwner has no column "items"`, kin.Update(ctx, s.DB, owners[0], "items")},
		{"the key", "kin: update of rowItem: rowItem.ID is the primary key, which is not changed", kin.Update(ctx, s.DB, items[0], "id")},
	} {
		require.ErrorContains(t, c.err, c.want, c.why)
	}
	require.ErrorIs(t, kin.Update(ctx, s.DB, &rowItem{ID: 99, Name: "x"}), kin.ErrNotFound)
	var unique *kin.UniqueError
	items[0].Name = "item 2"
	require.ErrorAs(t, kin.Update(ctx, s.DB, items[0]), &unique)
	assert.Equal(t, []string{"Name"}, unique.Fields)

	owners[1].Title = "by a composite key"
	require.NoError(t, kin.Update(ctx, s.DB, owners[1]))
	got, err := kin.Query[rowOwner]().Filter("number", 2).Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, owners[1].Title, got.Title)
}

// change gives every item other values, some of them NULL.
func change(items []*rowItem, owners []*rowOwner) {
	for i, x := range items {
		x.Name = fmt.Sprintf("other %d", i)
		x.Note = nil
		if i%3 > 0 {
			note := strings.Repeat("n", i%7)
			x.Note = &note
		}
		x.Score, x.Count, x.Done = float64(-i)/7, int32(-i), i%3 == 0
		x.Owner.Clear()
		if i%4 > 0 {
			x.Owner.Set(owners[(i+1)%2])
		}
	}
}

func testUpdateMany(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = rowSuite(t, s)
	items, owners := newItems(t, s, 1203)
	change(items, owners)
	require.NoError(t, kin.UpdateAll(ctx, s.DB, items))
	s.Wire.Want(t, 3, 0) // of 500 rows at the most
	assert.Equal(t, lines(items), s.table(t))

	s.Wire.Reset()
	for _, o := range owners {
		o.Title += " again"
	}
	require.NoError(t, kin.UpdateAll(ctx, s.DB, owners, "title"))
	s.Wire.Want(t, 1, 0)
	got, err := kin.Query[rowOwner]().All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, "a again b again", got[0].Title+" "+got[1].Title)
}

// testUpdateNone fails at the last row of several chunks.
func testUpdateNone(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = rowSuite(t, s)
	items, owners := newItems(t, s, 700)
	before := s.table(t)
	change(items, owners)
	gone := items[699].ID
	items[699].ID = 5000
	err := kin.UpdateAll(ctx, s.DB, items)
	require.ErrorIs(t, err, kin.ErrNotFound)
	require.ErrorContains(t, err, "1 of 700 rows")
	assert.Equal(t, before, s.table(t))
	items[699].ID = gone

	items[699].Name = items[0].Name
	var unique *kin.UniqueError
	require.ErrorAs(t, kin.UpdateAll(ctx, s.DB, items), &unique)
	assert.Equal(t, before, s.table(t))

	require.ErrorContains(t, kin.UpdateAll(ctx, s.DB, append(items[:5:5], items[2])), "rowItem(3) is there twice")
	require.ErrorContains(t, kin.UpdateAll(ctx, s.DB, []*rowItem{items[0], nil}), "row 2 of 2 is nil")
	require.NoError(t, kin.UpdateAll(ctx, s.DB, []*rowItem{}))
	assert.Equal(t, before, s.table(t))
	assert.Zero(t, s.Pool().Stats().InUse)
}

func testSave(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = rowSuite(t, s)
	items, _ := newItems(t, s, 3)
	items[0].Name = "saved"
	fresh := &rowItem{Name: "fresh", At: time.Now()}
	require.NoError(t, kin.Save(ctx, s.DB, items[0], fresh, items[2]))
	require.NotZero(t, fresh.ID)
	assert.Equal(t, lines(append(items, fresh)), s.table(t))
	require.ErrorIs(t, kin.Save(ctx, s.DB, &rowItem{ID: 77, Name: "no", At: time.Now()}), kin.ErrNotFound)

	before := s.table(t)
	items[1].Name = "half"
	again := &rowItem{Name: "half", At: time.Now()}
	var unique *kin.UniqueError
	require.ErrorAs(t, kin.Save(ctx, s.DB, items[1], again), &unique)
	assert.Zero(t, again.ID)
	assert.Equal(t, before, s.table(t), "none is saved")
}

func testDelete(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = rowSuite(t, s)
	items, owners := newItems(t, s, 600)
	require.NoError(t, kin.Delete(ctx, s.DB, items[0]))
	s.Wire.Want(t, 1, 0)
	require.ErrorIs(t, kin.Delete(ctx, s.DB, items[0]), kin.ErrNotFound)
	s.Wire.Reset()
	require.ErrorIs(t, kin.DeleteAll(ctx, s.DB, items), kin.ErrNotFound)
	assert.Equal(t, lines(items[1:]), s.table(t), "none is deleted")
	var key *kin.ForeignKeyError
	require.ErrorAs(t, kin.DeleteAll(ctx, s.DB, owners), &key)
	s.Wire.Reset()
	require.NoError(t, kin.DeleteAll(ctx, s.DB, items[2:]))
	s.Wire.Want(t, 2, 0)
	assert.Equal(t, lines(items[1:2]), s.table(t))
	require.NoError(t, kin.Delete(ctx, s.DB, items[1]))
	require.NoError(t, kin.DeleteAll(ctx, s.DB, owners), "rows with a composite key")
}

func testReload(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = rowSuite(t, s)
	items, owners := newItems(t, s, 3)
	want := lines(items)
	for _, x := range items {
		x.Name, x.Note, x.Count = "stale", new(string), 99
	}
	items[1].Owner.Set(owners[0])
	require.NoError(t, kin.Reload(ctx, s.DB, items...))
	s.Wire.Want(t, 1, 3)
	assert.Equal(t, want, lines(items))
	assert.Same(t, owners[0], items[0].Owner.Get(), "the same key stays loaded")
	assert.Nil(t, items[1].Owner.Get(), "another key is not")
	require.NoError(t, kin.Delete(ctx, s.DB, items[2]))
	items[0].Name = "stale"
	require.ErrorIs(t, kin.Reload(ctx, s.DB, items...), kin.ErrNotFound)
	assert.Equal(t, "stale", items[0].Name, "no row is touched")
}

// A tiny dialect takes few parameters, so that every batch is many chunks.
type tiny struct {
	dialect.Dialect
	traits dialect.Traits
}

func (d *tiny) Traits() *dialect.Traits { return &d.traits }

func (d *tiny) Classify(err error) dialect.Fault {
	return d.Dialect.(dialect.Classifier).Classify(err)
}

// Tiny returns a Suite on the same database whose statements take at most n
// parameters.
func (s *Suite) Tiny(n int, options ...kin.Option) *Suite {
	other := *s.Suite
	other.DB = kin.New(s.Pool(), s.tinyDialect(n), options...)
	return &Suite{&other}
}

func (s *Suite) tinyDialect(n int) dialect.Dialect {
	d := &tiny{s.Dialect(), *s.Dialect().Traits()}
	d.traits.MaxParams = n
	d.traits.ArrayParams, d.traits.List = false, ""
	return d
}

// testTinyLimits runs every batch in chunks of 1, 2, 3 and 7 rows: the table
// is as if there were no limits.
func testTinyLimits(t *testing.T, s *Suite) {
	const columns = 10 // of an item, its composite foreign key included
	for _, rows := range []int{1, 2, 3, 7} {
		t.Run(strconv.Itoa(rows), func(t *testing.T) {
			ctx := t.Context()
			var r kin.Registry
			kin.Register[rowItem](&r)
			kin.Register[rowOwner](&r)
			s := s.Tiny(columns*rows, kin.WithRegistry(&r))
			require.NoError(t, kin.CreateTables(ctx, s.DB))
			defer func() { require.NoError(t, kin.DropTables(ctx, s.DB)) }()
			items, owners := newItems(t, s, 23)
			assert.Equal(t, lines(items), s.table(t))
			change(items, owners)
			require.NoError(t, kin.UpdateAll(ctx, s.DB, items))
			assert.Equal(t, lines(items), s.table(t))
			require.NoError(t, kin.Reload(ctx, s.DB, items...))
			assert.Equal(t, lines(items), s.table(t))
			require.NoError(t, kin.DeleteAll(ctx, s.DB, items[3:]))
			assert.Equal(t, lines(items[:3]), s.table(t))
		})
	}
}
