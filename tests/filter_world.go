package tests

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// The models that lookups and orders are tested on: a column of each kind,
// most of them NULL at times, and relations in both directions.
type (
	pickShelf struct {
		ID    int64
		Label *string
		Floor *int8
		Boxes kin.Reverse[pickBox]
	}

	pickBox struct {
		ID    int64
		Name  string
		Note  *string
		Shelf kin.ForeignKey[pickShelf] `kin:",null,related_name=boxes"`
		Items kin.Reverse[pickItem]
	}

	pickItem struct {
		ID     int64
		Name   string
		Note   *string
		Alt    sql.NullString
		Small  int8
		Tiny   *int8
		Amount sql.Null[int64]
		Size   uint64
		Price  float64
		Ratio  *float32
		Live   bool
		Open   *bool
		At     time.Time
		Until  *time.Time
		Code   uuid.UUID
		Other  *uuid.UUID
		Box    kin.ForeignKey[pickBox]  `kin:",null,related_name=items"`
		Parent kin.ForeignKey[pickItem] `kin:",null,related_name=parts"`
		Parts  kin.Reverse[pickItem]
		Tags   kin.Reverse[pickTag]
	}

	pickTag struct {
		Word   string `kin:",pk,size=40"`
		Weight *int
		Item   kin.ForeignKey[pickItem] `kin:",null,related_name=tags"`
		Marks  kin.Reverse[pickMark]
	}

	pickMark struct {
		ID   int64
		Text *string
		Tag  kin.ForeignKey[pickTag] `kin:",null,related_name=marks"`
	}
)

func pickRegistry() *kin.Registry {
	var r kin.Registry
	kin.Register[pickShelf](&r)
	kin.Register[pickBox](&r)
	kin.Register[pickItem](&r)
	kin.Register[pickTag](&r)
	kin.Register[pickMark](&r)
	return &r
}

// pickTexts are texts that databases like to get wrong: in case, spaces,
// wildcards, quotes, normal forms and the planes of Unicode. Σ, which lower()
// may turn into two different letters, has pairs of its own.
func pickTexts() []string {
	return []string{
		"", "a", "A", "abc", "ABC", "Abc", "abc ", "abc  ", " abc", "b", "B", "ab", "bc",
		"É", "é", "e\u0301", "E\u0301", "Ж", "ж", "ß", "ẞ", "ss", "SS", "Σ", "σ", "ς", "ΜΟΥΣ", "ΜΟΥΣΙΚΗ", "μουσική",
		"%", "_", `\`, "a%c", "a_c", `a\c`, "!", "a!%", "[", "]", "[a]", "[!a]", "[^a]", "*", "?", "a*c", "a?c", "^",
		"'", `"`, "`", "''", "--", "/*", ";", "#", "{c}", "{p}", "$1", "%s", "?1", ":a", "@a",
		"😀", "😀a", "a😀", "\uE000", "\uFB01", "\U00010000", "\U00010400", "\U00010428",
		"\t", "\n", "a\nc", "\u00a0", "\u200b", "0", "00", "1", "01", "null", "NULL", "İ", "i", "I", "ı", "K", "k",
	}
}

// A pickWorld is the rows, as they were inserted, and again as plain values
// for the computation in memory.
type pickWorld struct {
	rand   *rand.Rand
	shelfs []*pickShelf
	boxes  []*pickBox
	items  []*pickItem
	tags   []*pickTag
	marks  []*pickMark

	rows map[string][]*pickRow // by model
}

// seeded returns a source of random numbers, whose seed is printed, and is
// that of KIN_SEED if it is set.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := env("KIN_SEED", ""); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "KIN_SEED")
		seed = n
	}
	t.Logf("KIN_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func pickOne[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// pickMaybe returns nil for two in five values.
func pickMaybe[T any](r *rand.Rand, of []T) *T {
	if r.IntN(5) < 2 {
		return nil
	}
	v := pickOne(r, of)
	return &v
}

func pickTimes() []time.Time {
	base := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	return []time.Time{
		base, base.Add(time.Microsecond), base.Add(100 * time.Millisecond), base.Add(time.Second), base.Add(-time.Hour),
		time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC),
	}
}

func pickCodes() []uuid.UUID {
	return []uuid.UUID{
		{}, {1}, {0x0f}, {0xf0}, {0xff, 0xff}, uuid.MustParse("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
	}
}

// newPickWorld fills the tables, n items and rows around them, with the
// numbers of r.
func newPickWorld(t *testing.T, s *Suite, r *rand.Rand, n int) *pickWorld {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	w := &pickWorld{rand: r}
	texts, times, codes := pickTexts(), pickTimes(), pickCodes()
	for range n/8 + 2 {
		w.shelfs = append(w.shelfs, &pickShelf{Label: pickMaybe(r, texts), Floor: pickMaybe(r, []int8{-128, -1, 0, 1, 127})})
	}
	require.NoError(t, kin.Insert(ctx, s.DB, w.shelfs...))
	for range n/4 + 2 {
		b := &pickBox{Name: pickOne(r, texts), Note: pickMaybe(r, texts)}
		if r.IntN(4) > 0 {
			b.Shelf.Set(pickOne(r, w.shelfs))
		}
		w.boxes = append(w.boxes, b)
	}
	require.NoError(t, kin.Insert(ctx, s.DB, w.boxes...))
	for i := range n {
		x := &pickItem{
			Name: pickOne(r, texts), Note: pickMaybe(r, texts), Small: pickOne(r, []int8{-128, -3, 0, 3, 127}),
			Tiny: pickMaybe(r, []int8{-128, 0, 5, 127}), Size: pickOne(r, []uint64{0, 1, 7, 1<<63 - 1}),
			Price: pickOne(r, []float64{-1.5, 0, 0.1, 2, 1e300, -1e-300}), Ratio: pickMaybe(r, []float32{-2.5, 0, 0.1, 16777216}),
			Live: r.IntN(2) == 0, Open: pickMaybe(r, []bool{true, false}),
			At: pickOne(r, times), Until: pickMaybe(r, times), Code: pickOne(r, codes), Other: pickMaybe(r, codes),
		}
		if i < len(texts) { // each text is there, however few rows there are
			x.Name = texts[i]
		}
		if v := pickMaybe(r, texts); v != nil {
			x.Alt = sql.NullString{String: *v, Valid: true}
		}
		if v := pickMaybe(r, []int64{-1 << 63, -1, 0, 1, 1<<63 - 1}); v != nil {
			x.Amount = sql.Null[int64]{V: *v, Valid: true}
		}
		if r.IntN(4) > 0 {
			x.Box.Set(pickOne(r, w.boxes))
		}
		w.items = append(w.items, x)
	}
	require.NoError(t, kin.Insert(ctx, s.DB, w.items...))
	for _, x := range w.items {
		if r.IntN(2) == 0 {
			x.Parent = kin.To(pickOne(r, w.items))
			s.Exec(t, s.bind("UPDATE pick_items SET parent_id = ? WHERE id = ?"), x.Parent.Get().ID, x.ID)
		}
	}
	for i := range n {
		tag := &pickTag{Word: fmt.Sprintf("%s%d", pickOne(r, []string{"w", "W", "é", "É"}), i), Weight: pickMaybe(r, []int{-1, 0, 1, 2})}
		if r.IntN(6) > 0 {
			tag.Item = kin.To(w.items[r.IntN(n*2/3)]) // the last third has none
		}
		w.tags = append(w.tags, tag)
	}
	require.NoError(t, kin.Insert(ctx, s.DB, w.tags...))
	for range n {
		mark := &pickMark{Text: pickMaybe(r, texts)}
		if r.IntN(6) > 0 {
			mark.Tag = kin.To(pickOne(r, w.tags))
		}
		w.marks = append(w.marks, mark)
	}
	require.NoError(t, kin.Insert(ctx, s.DB, w.marks...))
	w.plain()
	s.Wire.Reset()
	return w
}
