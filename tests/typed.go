package tests

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func typedCases() []Case {
	return []Case{
		{"typed/columns", testTypedColumns},
		{"typed/relations", testTypedRelations},
		{"typed/writes", testTypedWrites},
		{"typed/columns against columns", testColumnsAgainstColumns},
		{"typed/mistakes", testTypedMistakes},
	}
}

// Declared before their models are registered, in a registry of their own.
var (
	pickName   = kin.Col(func(x *pickItem) *string { return &x.Name })
	pickNote   = kin.Col(func(x *pickItem) *string { return x.Note })
	pickAlt    = kin.Col(func(x *pickItem) *string { return &x.Alt.String })
	pickSmall  = kin.Col(func(x *pickItem) *int8 { return &x.Small })
	pickTiny   = kin.Col(func(x *pickItem) *int8 { return x.Tiny })
	pickAmount = kin.Col(func(x *pickItem) *int64 { return &x.Amount.V })
	pickSize   = kin.Col(func(x *pickItem) *uint64 { return &x.Size })
	pickPrice  = kin.Col(func(x *pickItem) *float64 { return &x.Price })
	pickLive   = kin.Col(func(x *pickItem) *bool { return &x.Live })
	pickAt     = kin.Col(func(x *pickItem) *time.Time { return &x.At })
	pickCode   = kin.Col(func(x *pickItem) *uuid.UUID { return &x.Code })
	pickInBox  = kin.Col(func(x *pickItem) *kin.ForeignKey[pickBox] { return &x.Box })
	pickLabel  = kin.Col(func(x *pickItem) *string { return x.Box.Get().Shelf.Get().Label })
	pickWeight = kin.Col(func(x *pickItem) *int { return x.Tags.Any().Weight })
	pickMarked = kin.Col(func(x *pickItem) *string { return x.Tags.Any().Marks.Any().Text })

	pickTags  = kin.Rel(func(x *pickItem) *pickTag { return x.Tags.Any() })
	pickHome  = kin.Rel(func(x *pickItem) *pickBox { return x.Box.Get() })
	pickHeavy = kin.Col(func(x *pickTag) *int { return x.Weight })
	pickBoxed = kin.Col(func(x *pickBox) *string { return &x.Name })
)

// testTypedColumns checks each method of a column against the computation in
// memory, for columns of all kinds and paths.
func testTypedColumns(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(pickRegistry()))
	w := newPickWorld(t, s, seeded(t), 120)
	type cond = kin.Cond[pickItem]
	of := func(hops []string, field, op string, value any) func(*pickRow) bool {
		return func(row *pickRow) bool {
			return meets(row, []pickCond{{hops: hops, field: field, op: op, value: value}})
		}
	}
	own := func(field, op string, value any) func(*pickRow) bool { return of(nil, field, op, value) }
	at, code, box := w.items[3].At, w.items[4].Code, w.items[0]
	for _, x := range w.items {
		if x.Box.Get() != nil {
			box = x
		}
	}
	cases := []struct {
		why  string
		cond cond
		met  func(*pickRow) bool
	}{
		{"text Eq", pickName.Eq("abc"), own("name", "", "abc")},
		{"text Ne", pickNote.Ne("abc"), own("note", "ne", "abc")},
		{"text Lt", pickAlt.Lt("b"), own("alt", "lt", "b")},
		{"text In", pickNote.In("abc", "ABC", "É"), own("note", "in", []any{"abc", "ABC", "É"})},
		{"text In nothing", kin.Not(pickNote.In()), own("id", "gt", int64(0))},
		{"text Between", pickName.Between("a", "b"), own("name", "range", []any{"a", "b"})},
		{"text IsNull", pickAlt.IsNull(), own("alt", "isnull", true)},
		{"text NotNull", pickNote.NotNull(), own("note", "isnull", false)},
		{"EqualFold", kin.EqualFold(pickName, "ABC"), own("name", "iexact", "ABC")},
		{"Contains", kin.Contains(pickName, "b"), own("name", "contains", "b")},
		{"IContains", kin.IContains(pickNote, "É"), own("note", "icontains", "É")},
		{"HasPrefix", kin.HasPrefix(pickName, "a"), own("name", "startswith", "a")},
		{"IHasPrefix", kin.IHasPrefix(pickName, "A"), own("name", "istartswith", "A")},
		{"HasSuffix", kin.HasSuffix(pickName, "c"), own("name", "endswith", "c")},
		{"IHasSuffix", kin.IHasSuffix(pickName, "C"), own("name", "iendswith", "C")},
		{"int8 Gte", pickSmall.Gte(3), own("small", "gte", int64(3))},
		{"int8 Gt, NULL", pickTiny.Gt(0), own("tiny", "gt", int64(0))},
		{"int64 Lte", pickAmount.Lte(0), own("amount", "lte", int64(0))},
		{"uint64", pickSize.Eq(7), own("size", "", uint64(7))},
		{"float", pickPrice.Gt(0.1), own("price", "gt", 0.1)},
		{"bool", pickLive.Eq(true), own("live", "", true)},
		{"time", pickAt.Lt(at), own("at", "lt", at)},
		{"uuid", pickCode.Ne(code), own("code", "ne", code.String())},
		{"a foreign key", pickInBox.Eq(box.Box), of([]string{"box"}, "", "", box.Box.Get().ID)},
		{"a foreign key, NULL", pickInBox.IsNull(), of([]string{"box"}, "", "isnull", true)},
		{"to-one", pickLabel.Ne("a"), of([]string{"box", "shelf"}, "label", "ne", "a")},
		{"to-many", pickWeight.Gt(0), of([]string{"tags"}, "weight", "gt", int64(0))},
		{"to-many, NULL", pickWeight.IsNull(), of([]string{"tags"}, "weight", "isnull", true)},
		{"to-many twice", kin.Contains(pickMarked, "a"), of([]string{"tags", "marks"}, "text", "contains", "a")},
	}
	telling := 0
	for _, c := range cases {
		var in, out []any
		for _, row := range w.rows["item"] {
			if c.met(row) {
				in = append(in, row.key)
			} else {
				out = append(out, row.key)
			}
		}
		kept, err := pickKeys(t.Context(), s, kin.Query[pickItem]().Where(c.cond))
		require.NoError(t, err, c.why)
		if len(kept) > 0 && len(out) > 0 {
			telling++
		}
		assert.ElementsMatch(t, in, kept, c.why)
		others, err := pickKeys(t.Context(), s, kin.Query[pickItem]().Where(kin.Not(c.cond)))
		require.NoError(t, err, c.why)
		assert.ElementsMatch(t, out, others, c.why)
	}

	assert.Greater(t, telling, len(cases)/2, "conditions that part the rows")

	rows, err := kin.Query[pickItem]().OrderBy(pickSmall.Desc(), pickName.Asc()).All(t.Context(), s.DB)
	require.NoError(t, err)
	require.Len(t, rows, len(w.items))
	for i := 1; i < len(rows); i++ {
		a, b := rows[i-1], rows[i]
		assert.True(t, a.Small > b.Small || a.Small == b.Small && a.Name <= b.Name)
	}
}

func testTypedRelations(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.With(kin.WithRegistry(pickRegistry()))
	w := newPickWorld(t, s, seeded(t), 60)
	tag, box := w.tags[0], w.boxes[0]
	for _, x := range w.tags {
		if x.Item.Get() != nil {
			tag = x
		}
	}
	for _, x := range w.items {
		if x.Box.Get() != nil {
			box = x.Box.Get()
		}
	}
	tagSQL := "EXISTS (SELECT 1 FROM pick_tags t WHERE t.item_id = i.id%s)"
	for _, c := range []struct {
		why   string
		cond  kin.Cond[pickItem]
		where string
	}{
		{"a row of many", pickTags.Eq(tag), fmt.Sprintf(tagSQL, " AND t.word = '"+tag.Word+"'")},
		{"one of rows of many", pickTags.In(tag, w.tags[1]), fmt.Sprintf(tagSQL, fmt.Sprintf(" AND t.word IN ('%s', '%s')", tag.Word, w.tags[1].Word))},
		{"none of many", pickTags.IsNull(), "NOT " + fmt.Sprintf(tagSQL, "")},
		{"nil of many", pickTags.Eq(nil), "NOT " + fmt.Sprintf(tagSQL, "")},
		{"any of many", pickTags.NotNull(), fmt.Sprintf(tagSQL, "")},
		{"one that is heavy", pickTags.Has(pickHeavy.Gt(0)), fmt.Sprintf(tagSQL, " AND t.weight > 0")},
		{"none that is heavy", pickTags.HasNo(pickHeavy.Gt(0)), "NOT " + fmt.Sprintf(tagSQL, " AND t.weight > 0")},
		{"only heavy ones", pickTags.HasOnly(pickHeavy.Gt(0)), "NOT " + fmt.Sprintf(tagSQL, " AND NOT COALESCE(t.weight > 0, FALSE)")},
		{"a row", pickHome.Eq(box), fmt.Sprintf("i.box_id = %d", box.ID)},
		{"another row", pickHome.Ne(box), fmt.Sprintf("(i.box_id <> %d OR i.box_id IS NULL)", box.ID)},
		{"no row", pickHome.IsNull(), "i.box_id IS NULL"},
		{"a row that", pickHome.Has(pickBoxed.Lt("m")), s.text("EXISTS (SELECT 1 FROM pick_boxes b WHERE b.id = i.box_id AND b.name {c} < 'm')")},
		{"no row that", pickHome.HasNo(pickBoxed.Lt("m")), s.text("NOT EXISTS (SELECT 1 FROM pick_boxes b WHERE b.id = i.box_id AND b.name {c} < 'm')")},
	} {
		want := s.ints(t, "SELECT i.id FROM pick_items i WHERE "+c.where+" ORDER BY i.id")
		require.NotEmpty(t, want, c.why)
		s.Wire.Reset()
		rows, err := kin.Query[pickItem]().Where(c.cond).All(ctx, s.DB)
		require.NoError(t, err, c.why)
		s.Wire.Want(t, 1, len(want))
		var ids []int64
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		assert.Equal(t, want, ids, c.why)
	}

	rows, err := kin.Query[pickItem]().SelectRelated(pickHome.Path(), pickTags.Path()).All(ctx, s.DB)
	require.NoError(t, err)
	for i, row := range rows {
		assert.True(t, row.Tags.Loaded())
		if w.items[i].Box.Get() != nil {
			assert.Equal(t, w.items[i].Box.Get().Name, row.Box.Get().Name)
		}
	}
}

// text puts the collation of kin's comparisons in the place of {c}.
func (s *Suite) text(sql string) string {
	switch s.DB.Dialect().Name() {
	case "postgres":
		return strings.ReplaceAll(sql, "{c}", `COLLATE "C"`)
	case "mysql":
		return strings.ReplaceAll(sql, "{c}", "COLLATE utf8mb4_nopad_bin")
	}
	return strings.ReplaceAll(sql, "{c}", "")
}

func testTypedWrites(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	name := kin.Col(func(c *Category) *string { return &c.Name })
	id := kin.Col(func(c *Category) *int64 { return &c.ID })
	art := &Category{Name: "Art"}
	require.NoError(t, kin.Insert(ctx, s.DB, art, &Category{Name: "Music"}))
	art.Name = "Fine art"
	require.NoError(t, kin.Update(ctx, s.DB, art, name.Path()))
	n, err := kin.Query[Category]().Where(name.Eq("Music")).Update(ctx, s.DB, name.SetExpr(kin.Concat("The ", name.F())))
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
	_, created, err := kin.GetOrCreate(ctx, s.DB, &Category{Name: "Sport"}, name.Path())
	require.NoError(t, err)
	assert.True(t, created)
	require.NoError(t, kin.Upsert(ctx, s.DB, []*Category{{ID: art.ID, Name: "Arts"}}, kin.OnConflict(id.Path()).Update(name.Path())))
	assert.Equal(t, []string{"Arts", "The Music", "Sport"}, s.strings(t, "SELECT name FROM categories ORDER BY id"))

	student := &Student{Name: "Ada", Class: kin.To(&SchoolClass{Name: "1A"}), Category: kin.To(art)}
	require.NoError(t, kin.Insert(ctx, s.DB, student.Class.Get()))
	require.NoError(t, kin.Insert(ctx, s.DB, student))
	category := kin.Col(func(s *Student) *kin.ForeignKey[Category] { return &s.Category })
	_, err = kin.Query[Student]().Everything().Update(ctx, s.DB, category.SetNull())
	require.NoError(t, err)
	assert.Equal(t, []int64{1}, s.ints(t, "SELECT COUNT(*) FROM students WHERE category_id IS NULL"))
	_, err = kin.Query[Student]().Everything().Update(ctx, s.DB, category.Set(kin.To(art)))
	require.NoError(t, err)
	assert.Equal(t, []int64{art.ID}, s.ints(t, "SELECT category_id FROM students"))
	_, err = kin.Query[Student]().Everything().Update(ctx, s.DB, nil)
	require.ErrorContains(t, err, "nil")
}

func testColumnsAgainstColumns(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.With(kin.WithRegistry(pickRegistry()))
	newPickWorld(t, s, seeded(t), 100)
	weighed := kin.Query[pickTag]()
	for _, c := range []struct {
		why   string
		cond  kin.Cond[pickItem]
		where string
	}{
		{"numbers", pickTiny.LtCol(pickSmall), "tiny < small"},
		{"numbers or equal", pickTiny.LteCol(pickSmall), "tiny <= small"},
		{"NULL is a value", pickNote.EqCol(pickAlt), s.text("note {c} = alt OR note IS NULL AND alt IS NULL")},
		{"and differs", pickNote.NeCol(pickAlt), s.text("NOT COALESCE(note {c} = alt, FALSE) AND NOT (note IS NULL AND alt IS NULL)")},
		{"texts by code point", pickName.LtCol(pickNote), s.text("name {c} < note")},
		{"an expression", kin.F("tiny").Gt(kin.F("small").Add(3)), "tiny > small + 3"},
		{"by lookups", kin.Q("tiny__gt", kin.F("small")), "tiny > small"},
		{"over a foreign key", kin.Q("box__name__gt", kin.F("name")), s.text("(SELECT b.name FROM pick_boxes b WHERE b.id = i.box_id) {c} > name")},
		{"of the row, over many", kin.Q("tags__weight__gt", kin.F("tiny")), "EXISTS (SELECT 1 FROM pick_tags t WHERE t.item_id = i.id AND t.weight > i.tiny)"},
		{"of the same related row", pickTags.Has(kin.F("weight").Lt(kin.F("item__small"))), "EXISTS (SELECT 1 FROM pick_tags t WHERE t.item_id = i.id AND t.weight < i.small)"},
		{"one of", kin.F("small").In(3, kin.F("tiny")), "small = 3 OR small = tiny"},
		{"NULL", kin.F("tiny").Add(1).IsNull(), "tiny IS NULL"},
	} {
		want := s.ints(t, "SELECT i.id FROM pick_items i WHERE "+c.where+" ORDER BY i.id")
		require.NotEmpty(t, want, c.why)
		got, err := pickKeys(ctx, s, kin.Query[pickItem]().Where(c.cond))
		require.NoError(t, err, c.why)
		require.Len(t, got, len(want), c.why)
		for i, id := range want {
			assert.Equal(t, id, got[i], c.why)
		}
		n, err := kin.Query[pickItem]().Where(kin.Not(c.cond)).Count(ctx, s.DB)
		require.NoError(t, err, c.why)
		assert.EqualValues(t, 100-len(want), n, "the complement: %s", c.why)
	}
	for want, q := range map[string]kin.QuerySet[pickTag]{
		"does not compare":         weighed.Where(kin.F("word").Gt(kin.F("weight"))),
		"takes no expression":      weighed.Filter("word__contains", kin.F("word")),
		"which leads to many rows": weighed.Where(kin.F("marks__text").Eq("x")),
		"not NULL":                 weighed.Where(kin.F("weight").Gt(nil)),
	} {
		_, err := q.All(ctx, s.DB)
		require.ErrorContains(t, err, want)
	}
}

func testTypedMistakes(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	bad := kin.Col(func(*SchoolClass) *string { return nil })
	ofStudents := kin.Col(func(s *Student) *string { return &s.Name })
	q := kin.Query[SchoolClass]()
	for want, err := range map[string]error{
		"func(*SchoolClass) *string, returns nil":                      second(q.Where(bad.Eq("x")).All(ctx, s.DB)),
		"*string, returns nil":                                         second(q.OrderBy(bad.Desc()).All(ctx, s.DB)),
		"of SchoolClass is empty":                                      second(q.Where(kin.Column[SchoolClass, string]{}.Eq("x")).All(ctx, s.DB)),
		"a typed column or relation of Student is used on SchoolClass": second(q.Where(ofStudents.F().Eq("x")).All(ctx, s.DB)),
		"a typed column or relation of SchoolClass is used on Student": second(q.Where(kin.Has("students", kin.Rel(func(c *SchoolClass) *Student { return c.Students.Any() }).Has())).All(ctx, s.DB)),
	} {
		assert.ErrorContains(t, err, want)
	}
}

// strings runs a query of one column of texts.
func (s *Suite) strings(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), s.bind(query), args...)
	require.NoError(t, err)
	defer rows.Close()
	var list []string
	for rows.Next() {
		var x string
		require.NoError(t, rows.Scan(&x))
		list = append(list, x)
	}
	require.NoError(t, rows.Err())
	return list
}
