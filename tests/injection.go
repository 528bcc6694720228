package tests

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func injectionCases() []Case {
	return []Case{
		{"injection/values", testInjectedValues},
		{"injection/names", testInjectedNames},
		{"injection/texts that no column holds", testInjectedBytes},
		{"injection/values from the database", testSecondOrder},
		{"injection/endless paths", testEndlessPaths},
		{"injection/as many hops as there may be", testMaxHops},
	}
}

// marker is in each payload, and never in a statement.
const marker = "zq9"

// payloads are what the security releases of other ORMs tell of: ways out of
// quotes, comments, statements, formats and placeholders.
func payloads() []string {
	shapes := []string{
		"'", `"`, "`", "''", `""`, "``", `\'`, `\`, `'\`, "]", "[", ";", "--", "-- ", "/*", "*/", "/**/", "#", "#\n", "(", ")", "))",
		".", ",", "%", "%s", "%(name)s", "%%", "_", "{c}", "{p}", "{t}", "{collate}", "{", "}", "$1", "$$", "$tag$", "?", "??", ":name", ":1", "@x", "@@version",
		"\t", "\n", "\r", "\r\n", "\x01", "\x08", "\x0b", "\x1a", "\x1f", "\x7f", "\u0080", "\u009f", "\u00a0", "\u2028", "\ufeff", "＇", "ʼ",
		" OR 1=1", "' OR '1'='1", `" OR "1"="1`, "' OR 1=1 --", "'); DROP TABLE pick_items; --", `"; DROP TABLE pick_items; --`, "`; DROP TABLE pick_items; #",
		"' UNION SELECT * FROM pick_items --", "1; DELETE FROM pick_items", "x' AND SLEEP(1) AND 'x", "'||pg_sleep(1)||'", "0x27", "CHAR(39)", "\\x27", "%27",
		"name\" FROM pick_items; DROP TABLE pick_items; --", "name) FROM pick_items -- ", "pick_items.name", "pick_items\".\"name", "_connector", "pk; --",
		"name ASC", "name DESC", "-name; --", "name, (SELECT 1)", "name COLLATE NOCASE", "name NULLS FIRST", "RANDOM()", "?|name", "*",
	}
	payloads := make([]string, 0, 2*len(shapes))
	for _, s := range shapes {
		payloads = append(payloads, s+marker, marker+s)
	}
	return payloads
}

// clean checks that no statement has a part of a payload in it.
func clean(t *testing.T, s *Suite) {
	t.Helper()
	for _, text := range s.Wire.Statements() {
		require.NotContains(t, strings.ToLower(text), marker)
		require.NotContains(t, text, "DROP")
	}
}

// intact checks that the tables are as they were.
func (w *pickWorld) intact(t *testing.T, s *Suite) {
	t.Helper()
	for table, want := range map[string]int{
		"pick_shelves": len(w.shelfs), "pick_boxes": len(w.boxes), "pick_items": len(w.items),
		"pick_tags": len(w.tags), "pick_marks": len(w.marks),
	} {
		var n int
		err := s.Pool().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n)
		require.NoError(t, err, table)
		assert.Equal(t, want, n, table)
	}
}

// testInjectedValues stores each payload and finds it, and it alone, with
// every operator for text.
func testInjectedValues(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 10)
	ctx := t.Context()
	var rows []*pickBox
	for _, p := range payloads() {
		rows = append(rows, &pickBox{Name: "start" + p + "end", Note: &p})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, rows...))
	for _, b := range rows {
		require.NoError(t, kin.Insert(ctx, s.DB, &pickItem{Name: *b.Note, At: pickTimes()[0], Box: kin.To(b)}))
	}
	w.boxes = append(w.boxes, rows...)
	s.Wire.Reset()
	q := kin.Query[pickBox]().Filter("name__startswith", "start")
	count := func(q kin.QuerySet[pickBox], p string) int64 {
		t.Helper()
		n, err := q.Count(ctx, s.DB)
		require.NoError(t, err, "%q", p)
		return n
	}
	lower := strings.ToLower // and not EqualFold, which also holds ſ for s
	for i, p := range payloads() {
		same, contained := int64(0), int64(0)
		for _, other := range payloads() {
			if lower(other) == lower(p) {
				same++
			}
			if strings.Contains(other, p) {
				contained++
			}
		}
		got, err := q.Filter("note", p).Get(ctx, s.DB)
		require.NoError(t, err, "%q", p)
		require.Equal(t, rows[i].ID, got.ID, "%q", p)
		require.Equal(t, p, *got.Note)
		assert.EqualValues(t, 1, count(q.Filter("note__in", []string{p, "x"}), p), "%q", p)
		assert.EqualValues(t, 1, count(q.Filter("note__range", []string{p, p}), p), "%q", p)
		assert.EqualValues(t, 1, count(q.Filter("note__gte", p, "note__lte", p), p), "%q", p)
		assert.Equal(t, int64(len(rows)-1), count(q.Filter("note__ne", p), p), "%q", p)
		assert.Equal(t, contained, count(q.Filter("note__contains", p), p), "%q", p)
		assert.Equal(t, contained, count(q.Filter("items__name__contains", p), p), "%q", p)
		assert.Equal(t, same, count(q.Filter("note__iexact", strings.ToUpper(p)), p), "%q", p)
		assert.Positive(t, count(q.Filter("note__icontains", p, "name__startswith", "start"+p, "name__endswith", p+"end"), p), "%q", p)
		assert.Positive(t, count(q.Filter("name__istartswith", "START"+p, "name__iendswith", p+"END"), p), "%q", p)
	}
	clean(t, s)
	n, err := kin.Query[pickItem]().Filter("box__name__startswith", "start").Count(ctx, s.DB)
	require.NoError(t, err)
	assert.EqualValues(t, len(rows), n)
	for _, b := range rows {
		w.items = append(w.items, &pickItem{Box: kin.To(b)})
	}
	w.intact(t, s)
}

// testInjectedNames puts each payload wherever a name goes, alone and within
// a path that is right otherwise.
func testInjectedNames(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 10)
	check := func(q kin.QuerySet[pickItem], p string) {
		t.Helper()
		_, _, err := q.SQL(s.DB.Dialect())
		var path *kin.PathError
		require.ErrorAs(t, err, &path, "%q", p)
		_, err = q.All(t.Context(), s.DB)
		require.ErrorAs(t, err, &path, "%q", p)
		_, err = q.Count(t.Context(), s.DB)
		require.ErrorAs(t, err, &path, "%q", p)
		assert.Less(t, len(err.Error()), 600)
		for _, r := range err.Error() { // nothing that a terminal would obey
			require.False(t, r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0, "%q", err.Error())
		}
	}
	q := kin.Query[pickItem]()
	for _, p := range payloads() {
		for _, name := range []string{p, "name" + p, "name__" + p, "box__" + p, "box__name__" + p, "tags__" + p + "__word", p + "__name", "tags__marks" + p, "name__exact" + p} {
			check(q.Filter(name, "x"), p)
			check(q.Exclude("id", 1, name, "x"), p)
			check(q.OrderBy(kin.Path[pickItem](name)), p)
			check(q.OrderBy("id", kin.Path[pickItem]("-"+name)), p)
			check(q.SelectRelated(kin.Path[pickItem](name)), p)
			check(q.SelectRelated("box", kin.Path[pickItem]("tags__"+name)), p)
		}
	}
	assert.Empty(t, s.Wire.Statements())
	w.intact(t, s)
}

// testInjectedBytes gives texts with U+0000 and what is no UTF-8, as names and
// as values: no database is asked.
func testInjectedBytes(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 10)
	for _, p := range []string{"\x00", "a\x00b", "' OR 1=1\x00", "\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xa7", "\xf8\x88\x80\x80\x80"} {
		for _, q := range []kin.QuerySet[pickItem]{
			kin.Query[pickItem]().Filter("name", p), kin.Query[pickItem]().Filter("note__icontains", p),
			kin.Query[pickItem]().Filter("name__in", []string{"x", p}), kin.Query[pickItem]().Exclude("tags__word__gt", p),
			kin.Query[pickItem]().Filter("tags", p), kin.Query[pickItem]().Filter(p, 1), kin.Query[pickItem]().OrderBy(kin.Path[pickItem](p)),
			kin.Query[pickItem]().SelectRelated(kin.Path[pickItem](p)), kin.Query[pickItem]().Filter("name__"+p, 1), kin.Query[pickItem]().Filter("code", p),
		} {
			_, _, err := q.SQL(s.DB.Dialect())
			require.Error(t, err, "%q", p)
			assert.True(t, utf8.ValidString(err.Error()), "%q", err.Error())
			assert.NotContains(t, err.Error(), "\x00")
			refused(t, s, q, err)
		}
	}
	w.intact(t, s)
}

// testSecondOrder uses what came out of the database, as keys that are text:
// they are parameters again.
func testSecondOrder(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 10)
	ctx := t.Context()
	for i, p := range payloads() {
		if len([]rune(p)) > 30 {
			continue
		}
		tag := &pickTag{Word: fmt.Sprintf("%d%s", i, p)}
		require.NoError(t, kin.Insert(ctx, s.DB, tag))
		require.NoError(t, kin.Insert(ctx, s.DB, &pickMark{Tag: kin.To(tag)}))
		w.tags, w.marks = append(w.tags, tag), append(w.marks, &pickMark{})
	}
	s.Wire.Reset()
	tags, err := kin.Query[pickTag]().SelectRelated("marks", "item").All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, tags, len(w.tags))
	s.Wire.Reset()
	for _, tag := range tags {
		if !strings.Contains(tag.Word, marker) {
			continue
		}
		require.Equal(t, 1, tag.Marks.Len(), "%q", tag.Word)
		mark, err := kin.Query[pickMark]().Filter("tag", tag).Get(ctx, s.DB)
		require.NoError(t, err, "%q", tag.Word)
		back, err := mark.Tag.Load(ctx, s.DB)
		require.NoError(t, err, "%q", tag.Word)
		require.Equal(t, tag.Word, back.Word)
		marks, err := back.Marks.Load(ctx, s.DB)
		require.NoError(t, err, "%q", tag.Word)
		require.Len(t, marks, 1)
	}
	n, err := kin.Query[pickMark]().Filter("tag__in", tags).Count(ctx, s.DB)
	require.NoError(t, err)
	assert.Greater(t, n, int64(100))
	clean(t, s)
	w.intact(t, s)
}

// testEndlessPaths gives paths that go round for ever, and names that are
// very long: the errors are short, and no time is spent.
func testEndlessPaths(t *testing.T, s *Suite) {
	s, w := pickSuite(t, s, 5)
	long := strings.Repeat("x", 100_000)
	for _, path := range []string{
		strings.Repeat("parent__", 10_000) + "name", strings.Repeat("parts__", 10_000) + "name", strings.Repeat("box__items__", 5_000) + "name",
		strings.Repeat("parent__", 17) + "name", long, "name__" + long, "box__" + long, "tags__" + long + "__word", "name__exact__" + long,
		strings.Repeat("__", 50_000), strings.Repeat("_", 100_001), "parent" + strings.Repeat("__", 50_000), strings.Repeat("é", 50_000), strings.Repeat("😀", 25_000),
		"name__" + strings.Repeat("in__", 25_000), strings.Repeat("-", 100_000), strings.Repeat("\x00", 100_000), "a" + strings.Repeat("😀", 25_000),
	} {
		for _, q := range []kin.QuerySet[pickItem]{
			kin.Query[pickItem]().Filter(path, "x"), kin.Query[pickItem]().Exclude("id", 1, path, "x"),
			kin.Query[pickItem]().OrderBy(kin.Path[pickItem](path)), kin.Query[pickItem]().OrderBy(kin.Path[pickItem]("-" + path)), kin.Query[pickItem]().SelectRelated(kin.Path[pickItem](path)),
		} {
			_, _, err := q.SQL(s.DB.Dialect())
			var at *kin.PathError
			require.ErrorAs(t, err, &at, "%.60q", path)
			assert.True(t, utf8.ValidString(err.Error()), "%.60q", path)
			assert.Less(t, len(at.Path)+len(at.Step), 500)
			refused(t, s, q, err)
		}
		for _, q := range []kin.QuerySet[pickItem]{
			kin.Query[pickItem]().Filter(path, "x", 7), kin.Query[pickItem]().Filter("id", 1, path),
			kin.Query[pickItem]().Filter("code", path), kin.Query[pickItem]().Filter("id", path),
		} {
			_, _, err := q.SQL(s.DB.Dialect())
			refused(t, s, q, err)
		}
	}
	w.intact(t, s)
}

// testMaxHops goes as far as a path may, and one step further, over both
// kinds of relations.
func testMaxHops(t *testing.T, s *Suite) {
	s, _ = pickSuite(t, s, 5)
	ctx := t.Context()
	// A row that is its own parent is at the end of all these paths.
	loop := &pickItem{Name: "loop", At: pickTimes()[0]}
	require.NoError(t, kin.Insert(ctx, s.DB, loop))
	s.Exec(t, s.bind("UPDATE pick_items SET parent_id = ? WHERE id = ?"), loop.ID, loop.ID)
	path := func(step string, n int) string { return strings.TrimSuffix(strings.Repeat(step+"__", n), "__") }
	for _, step := range []string{"parent", "parts"} {
		most, over := path(step, kin.MaxHops), path(step, kin.MaxHops+1)
		for why, q := range map[string]kin.QuerySet[pickItem]{
			"a field":    kin.Query[pickItem]().Filter(most+"__name", "loop"),
			"a relation": kin.Query[pickItem]().Filter(most, loop),
			"a load":     kin.Query[pickItem]().SelectRelated(kin.Path[pickItem](most)).Filter("id", loop.ID),
			"an order":   kin.Query[pickItem]().SelectRelated(kin.Path[pickItem](most)).OrderBy(kin.Path[pickItem](most+"__name")).Filter("id", loop.ID),
			"Exclude":    kin.Query[pickItem]().Exclude(most+"__name__ne", "loop").Filter("id", loop.ID),
		} {
			s.Wire.Reset()
			rows, err := q.All(ctx, s.DB)
			require.NoError(t, err, "%s %s", step, why)
			require.NotEmpty(t, rows, "%s %s", step, why)
			assert.Len(t, s.Wire.Statements(), 1)
		}
		for _, q := range []kin.QuerySet[pickItem]{
			kin.Query[pickItem]().Filter(over+"__name", "loop"), kin.Query[pickItem]().Filter(over, loop), kin.Query[pickItem]().Filter(over+"__isnull", true),
			kin.Query[pickItem]().SelectRelated(kin.Path[pickItem](over)), kin.Query[pickItem]().OrderBy(kin.Path[pickItem](over + "__name")), kin.Query[pickItem]().Exclude(over+"__name", "loop"),
		} {
			_, _, err := q.SQL(s.DB.Dialect())
			var at *kin.PathError
			require.ErrorAs(t, err, &at)
			refused(t, s, q, err, fmt.Sprintf("more than %d relations", kin.MaxHops))
		}
	}
}
