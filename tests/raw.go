package tests

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func rawCases() []Case {
	return []Case{
		{"raw/models", testRawModels},
		{"raw/structs and scalars", testRawStructs},
		{"raw/placeholders", testRawPlaceholders},
		{"raw/conditions and values", testRawConditions},
		{"raw/mistakes", testRawMistakes},
		{"raw/attacks", testRawAttacks},
	}
}

func testRawModels(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 30)
	ctx := t.Context()
	s.Wire.Reset()
	rows, err := kin.Raw[pickItem]("SELECT * FROM pick_items WHERE size >= ? AND id <> ? ORDER BY id DESC", uint64(0), int8(3)).All(ctx, s.DB)
	require.NoError(t, err)
	s.Wire.Want(t, 1, len(w.items)-1)
	want, err := kin.Query[pickItem]().Exclude("id", 3).OrderBy("-id").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, rows, len(want))
	for i := range rows {
		require.Equal(t, *want[i], *rows[i])
	}
	twice, err := kin.Raw[pickItem]("SELECT i.* FROM pick_items i JOIN pick_boxes b ON i.box_id IS NOT NULL OR b.id > 0 WHERE i.at <= ?", time.Now()).All(ctx, s.DB)
	require.NoError(t, err)
	seen := map[int64]bool{}
	for _, x := range twice {
		require.False(t, seen[x.ID], "a row comes once")
		seen[x.ID] = true
	}
	box, err := kin.Raw[pickBox]("SELECT * FROM pick_boxes WHERE id = ?", kin.To(w.boxes[2])).Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, w.boxes[2].Name, box.Name)
	shelf, err := box.Shelf.Load(ctx, s.DB)
	if box.Shelf.IsNull() {
		require.NoError(t, err)
		assert.Nil(t, shelf)
	}
	item, err := kin.Raw[pickItem]("SELECT * FROM pick_items WHERE code = ? AND at = ? AND id = ?", w.items[0].Code, w.items[0].At, &w.items[0].ID).Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, w.items[0].ID, item.ID)
	_, err = kin.Raw[pickBox]("SELECT * FROM pick_boxes WHERE id < 0").Get(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrNotFound)
	_, err = kin.Raw[pickBox]("SELECT * FROM pick_boxes").Get(ctx, s.DB)
	require.ErrorIs(t, err, kin.ErrMultipleFound)
}

type rawCount struct {
	Name  string
	Many  int64 `kin:"n"`
	Last  *time.Time
	Unset string `kin:"-"`
}

func testRawStructs(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 30)
	ctx := t.Context()
	rows, err := kin.Raw[rawCount]("SELECT b.name, COUNT(i.id) AS n, MAX(i.until) AS last FROM pick_boxes b LEFT JOIN pick_items i ON i.box_id = b.id GROUP BY b.id, b.name ORDER BY b.id").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, rows, len(w.boxes))
	for i, row := range rows {
		n, last := int64(0), (*time.Time)(nil)
		for _, x := range w.items {
			if x.Box.Get() != w.boxes[i] {
				continue
			}
			n++
			if x.Until != nil && (last == nil || x.Until.After(*last)) {
				last = x.Until
			}
		}
		require.Equal(t, rawCount{Name: w.boxes[i].Name, Many: n, Last: last}, *row)
	}
	n, err := kin.Raw[int64]("SELECT COUNT(*) FROM pick_items WHERE size > ?", 5).Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Positive(t, *n)
	names, err := kin.Raw[string]("SELECT name FROM pick_boxes ORDER BY id").All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, w.boxes[1].Name, *names[1])
	notes, err := kin.Raw[sql.NullString]("SELECT note FROM pick_boxes ORDER BY id").All(ctx, s.DB)
	require.NoError(t, err)
	pointers, err := kin.Raw[*string]("SELECT note FROM pick_boxes ORDER BY id").All(ctx, s.DB)
	require.NoError(t, err)
	for i, b := range w.boxes {
		require.Equal(t, b.Note != nil, notes[i].Valid)
		require.Equal(t, b.Note, *pointers[i])
	}
	at, err := kin.Raw[time.Time]("SELECT at FROM pick_items WHERE id = ?", w.items[4].ID).Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, w.items[4].At, *at)
}

func testRawPlaceholders(t *testing.T, s *Suite) {
	ctx := t.Context()
	one := func(text string, args ...any) string {
		t.Helper()
		got, err := kin.Raw[string](text, args...).Get(ctx, s.DB)
		require.NoError(t, err, text)
		return *got
	}
	text := "CAST(? AS CHAR(20))"
	if s.Name != "mysql" {
		text = "CAST(? AS TEXT)"
	}
	for q, want := range map[string]string{
		"SELECT '?' -- what? 'it\n":      "?",
		"SELECT " + text + " -- ?":       "x",
		"SELECT /* ? 'a */ " + text:      "x",
		"SELECT " + text + " AS \"a?b\"": "x",
		"SELECT 'it''s ?'":               "it's ?",
		"SELECT '--?' /*?*/":             "--?",
	} {
		args := []any{"x"}
		if !strings.Contains(q, text) {
			args = nil
		}
		assert.Equal(t, want, one(q, args...), q)
	}
	switch s.Name {
	case "postgres":
		assert.Equal(t, "?x", one("SELECT $$?$$ || "+text, "x"))
		assert.Equal(t, "$?x", one("SELECT $a$$?$a$ || "+text, "x"))
		assert.Equal(t, "'?x", one(`SELECT E'\'?' || `+text, "x"))
		assert.Equal(t, `\x`, one(`SELECT '\' || `+text, "x"))
		assert.Equal(t, "x", one("SELECT /* /* ? */ ? */ "+text, "x"))
		assert.Equal(t, "true", one(`SELECT ('{"a":1}'::jsonb ?? CAST(? AS TEXT))::text`, "a"))
		n, err := kin.Raw[int64]("SELECT COUNT(*) FROM generate_series(1, 9) AS g WHERE g = ANY(?)", []int64{2, 4, 40}).Get(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 2, *n)
	case "mysql":
		assert.Equal(t, "'?x", one(`SELECT CONCAT('\'?', `+text+`)`, "x"))
		assert.Equal(t, "x", one("SELECT "+text+" AS `a?b` # ?", "x"))
		assert.Equal(t, "3", one("SELECT CAST(5--? AS CHAR(20))", -2))
	default:
		assert.Equal(t, "x", one("SELECT "+text+" AS [a?b]", "x"))
		assert.Equal(t, `\x`, one(`SELECT '\' || `+text, "x"))
	}
	if s.Name != "postgres" {
		_, err := kin.Raw[string]("SELECT 1 ?? 2").All(ctx, s.DB)
		require.ErrorContains(t, err, "which "+s.Name+" has not")
		_, err = kin.Raw[string]("SELECT ?", []int{1}).All(ctx, s.DB)
		require.ErrorContains(t, err, "a ? for each value of a list")
	}
}

func testRawConditions(t *testing.T, s *Suite) {
	s, _ = pickSuite(t, s, 60)
	ctx := t.Context()
	keys := func(q kin.QuerySet[pickItem]) []any {
		t.Helper()
		got, err := pickKeys(ctx, s, q)
		require.NoError(t, err)
		return got
	}
	q := kin.Query[pickItem]()
	want := keys(q.Filter("tiny__gt", 2))
	require.NotEmpty(t, want)
	raw := q.FilterRaw("pick_items.tiny > ?", 2)
	assert.Equal(t, want, keys(raw))
	assert.Equal(t, want, keys(raw), "again, from the kept statement")
	assert.Equal(t, keys(q.Exclude("tiny__gt", 2)), keys(q.ExcludeRaw("pick_items.tiny > ?", 2)), "the complement, NULL included")
	assert.Equal(t, keys(q.Filter("tiny__gt", 2, "box__note__isnull", false).Exclude("live", true)),
		keys(q.Filter("box__note__isnull", false).FilterRaw("pick_items.tiny > ? OR 1 = ?", 2, 0).Exclude("live", true).SelectRelated("tags", "parts")))
	n, err := q.FilterRaw("pick_items.tiny > ?", 2).Count(ctx, s.DB)
	require.NoError(t, err)
	assert.Len(t, want, int(n))
	s.Wire.Reset()
	changed, err := q.FilterRaw("pick_items.tiny > ?", 2).Update(ctx, s.DB, kin.Set("small", kin.RawExpr("pick_items.tiny - ?", 1)), kin.Set("price", kin.RawExpr("1.5 + ?", 2)))
	require.NoError(t, err)
	assert.Equal(t, n, changed)
	rows, err := q.Filter("id__in", want).All(ctx, s.DB)
	require.NoError(t, err)
	for _, x := range rows {
		assert.Equal(t, *x.Tiny-1, x.Small)
		assert.InDelta(t, 3.5, x.Price, 0)
	}
}

func testRawMistakes(t *testing.T, s *Suite) {
	s, _ = pickSuite(t, s, 3)
	ctx := t.Context()
	fails := func(err error, want string) {
		t.Helper()
		require.ErrorContains(t, err, "kin: raw ")
		require.ErrorContains(t, err, want)
	}
	for text, want := range map[string]string{
		"SELECT 'a":        "a quote ' is not closed",
		`SELECT "a`:        `a quote " is not closed`,
		"SELECT /* 1":      "a comment /* is not closed",
		"SELECT ?":         "it has 1 ? and 0 arguments",
		"SELECT $1":        "a parameter is a ?, on every database",
		"SELECT ?1":        "a ? is a parameter by itself",
		"SELECT ?a":        "a ? is a parameter by itself",
		"SELECT id, 1 / 0": "raw query for int64",
	} {
		s.Wire.Reset()
		_, err := kin.Raw[int64](text).All(ctx, s.DB)
		fails(err, want)
	}
	_, err := kin.Raw[int64]("SELECT 1", 2).All(ctx, s.DB)
	fails(err, "it has 0 ? and 1 arguments")
	_, err = kin.Raw[int64]("SELECT ?", struct{ A int }{1}).All(ctx, s.DB)
	fails(err, "argument 1 of 1: a struct { A int } is no parameter")
	_, err = kin.Raw[int64]("SELECT 1 AS a, 2 AS b").All(ctx, s.DB)
	fails(err, "the result has 2 columns, and a int64 takes one")
	_, err = kin.Raw[chan int]("SELECT 1").All(ctx, s.DB)
	fails(err, "no column can be read into a chan int")
	_, err = kin.Raw[pickBox]("SELECT id, name, note FROM pick_boxes").All(ctx, s.DB)
	fails(err, `the result has no column "shelf_id", which pickBox.Shelf needs`)
	_, err = kin.Raw[pickBox]("SELECT pick_boxes.*, 1 AS more FROM pick_boxes").All(ctx, s.DB)
	fails(err, `the result has a column "more", which pickBox has not`)
	_, err = kin.Raw[pickBox]("SELECT pick_boxes.*, id FROM pick_boxes").All(ctx, s.DB)
	fails(err, `the result has two columns "id"`)
	_, err = kin.Raw[pickBox]("SELECT b.* FROM pick_items i LEFT JOIN pick_boxes b ON b.id < 0").All(ctx, s.DB)
	fails(err, "a row has no primary key")
	_, err = kin.Raw[rawCount]("SELECT 'a' AS name, 1 AS n").All(ctx, s.DB)
	fails(err, `the result has no column "last" for the field tests.rawCount.Last`)
	_, err = kin.Raw[rawCount]("SELECT 'a' AS name, 1 AS n, NULL AS last, 2 AS m").All(ctx, s.DB)
	fails(err, `the result has a column "m", for which tests.rawCount has no field`)
	_, err = kin.Raw[string]("SELECT NULL").All(ctx, s.DB)
	fails(err, "is NULL")
	_, err = kin.Query[pickItem]().FilterRaw("pick_items.id > ?").All(ctx, s.DB)
	fails(err, "it has 1 ? and 0 arguments")
	require.NoError(t, s.DB.Tx(ctx, func(tx *kin.Tx) error { // the rows are closed
		_, err := kin.Raw[string]("SELECT NULL").All(ctx, tx)
		require.Error(t, err)
		return nil
	}, kin.TxOptions{ReadOnly: true}))
	assert.Zero(t, s.Pool().Stats().InUse)
}

// testRawAttacks gives arguments that would be SQL if they were in the text.
func testRawAttacks(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 5)
	s.Wire.Reset()
	for _, p := range payloads() {
		_, err := kin.Raw[pickBox]("SELECT * FROM pick_boxes WHERE name = ?", p).All(t.Context(), s.DB)
		require.NoError(t, err, "%q", p)
		_, err = kin.Query[pickBox]().FilterRaw("pick_boxes.name = ?", p).All(t.Context(), s.DB)
		require.NoError(t, err, "%q", p)
	}
	clean(t, s)
	w.intact(t, s)
}
