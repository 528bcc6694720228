package tests

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func testDefaultsBack(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = madeSuite(t, s)
	one := &madeOrder{Code: "a", Price: 1, Quantity: 1}
	require.NoError(t, kin.Insert(ctx, s.DB, one))
	s.wantBack(t, 1, 2)
	assert.Equal(t, "1 a 1*1=1 new 3 [] 2020-01-02 03:04:05 v1", one.text())
	assert.Equal(t, s.orders(t), orderTexts(one))

	rows := []*madeOrder{{Code: "b"}, {Code: "c"}, {Code: "d"}}
	s.Wire.Reset()
	require.NoError(t, kin.Insert(ctx, s.DB, rows...))
	s.wantBack(t, 3, 3)
	assert.Equal(t, s.orders(t)[1:], orderTexts(rows...))

	// Rows that leave different columns, of which one has a key of its own.
	mixed := []*madeOrder{{Code: "e"}, {Code: "f", Status: "old"}, {ID: 50, Code: "g"}, {Code: "h", Stars: new(0)}, {Code: "i", Status: "old"}}
	require.NoError(t, kin.Insert(ctx, s.DB, mixed...))
	byID := map[int64]string{}
	for _, o := range mixed {
		byID[o.ID] = o.text()
	}
	for i, id := range s.ints(t, "SELECT id FROM made_orders ORDER BY id") {
		if i >= 4 {
			assert.Equal(t, s.orders(t)[i], byID[id])
		}
	}
	assert.Len(t, byID, 5)
	assert.Equal(t, []string{"new", "old", "new", "new", "old"}, []string{mixed[0].Status, mixed[1].Status, mixed[2].Status, mixed[3].Status, mixed[4].Status})
	assert.Equal(t, 0, *mixed[3].Stars, "what a pointer points to is set, zero or not")

	mixed[0].Status, mixed[0].Stars, mixed[0].Tags = "", nil, json.RawMessage("[]")
	require.NoError(t, kin.Update(ctx, s.DB, mixed[0]))
	assert.Equal(t, int64(1), s.ints(t, "SELECT COUNT(*) FROM made_orders WHERE status = '' AND stars IS NULL")[0], "an update writes zero values")

	saved := &madeOrder{Code: "s"}
	require.NoError(t, kin.Save(ctx, s.DB, saved))
	assert.Equal(t, "new", saved.Status)
	_, created, err := kin.GetOrCreate(ctx, s.DB, &madeOrder{Code: "t"}, "code")
	require.NoError(t, err)
	assert.True(t, created)
}

func testDefaultsUpsert(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = madeSuite(t, s)
	old := []*madeOrder{{Code: "a", Price: 1, Quantity: 2, Status: "old"}, {Code: "b", Price: 1, Quantity: 2, Status: "old"}}
	require.NoError(t, kin.Insert(ctx, s.DB, old...))
	rows := []*madeOrder{{Code: "c", Price: 5, Quantity: 5}, {Code: "a", Price: 3, Quantity: 3, Total: 1, Stars: new(7)}, {Code: "b", Price: 4, Quantity: 4, Status: "set"}}
	require.NoError(t, kin.Upsert(ctx, s.DB, rows, kin.OnConflict("code")))
	assert.Equal(t, s.orders(t), orderTexts(rows[1], rows[2], rows[0]))
	assert.Equal(t, []string{"new", "new", "set"}, []string{rows[0].Status, rows[1].Status, rows[2].Status}, "a row that leaves a column gets its default")
	assert.Equal(t, []int{25, 9, 16}, []int{rows[0].Total, rows[1].Total, rows[2].Total})

	again := &madeOrder{Code: "b", Price: 9, Quantity: 9}
	require.NoError(t, kin.Upsert(ctx, s.DB, []*madeOrder{again}, kin.OnConflict("code").Update("price")))
	assert.Equal(t, "set", again.Status, "what was left, and not set, is as it was")
	assert.Equal(t, 36, again.Total)
	again = &madeOrder{Code: "b", Status: "mine"}
	require.NoError(t, kin.Upsert(ctx, s.DB, []*madeOrder{again}, kin.OnConflict("code").DoNothing()))
	assert.Equal(t, 36, again.Total)
	assert.Equal(t, "mine", again.Status, "what was not left stays in memory as any other column does")

	before, was := s.orders(t), again.text()
	require.Error(t, kin.Upsert(ctx, s.DB, []*madeOrder{again, {Code: "123456789012345678901"}}, kin.OnConflict("code")))
	assert.Equal(t, before, s.orders(t))
	assert.Equal(t, was, again.text())
	created, err := kin.UpdateOrCreate(ctx, s.DB, &madeOrder{Code: "b", Price: 1, Quantity: 1, Tags: json.RawMessage("[]"), Since: time.Unix(0, 0)}, "code")
	require.NoError(t, err)
	assert.False(t, created)
}

// A madeEmpty may leave everything to the database.
type madeEmpty struct {
	ID    int64
	State string `kin:",size=9,default='new',omitzero"`
	Loud  string `kin:",size=9,generated=upper(state)"`
}

func testEmptyBack(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[madeEmpty])
	rows := []*madeEmpty{{}, {}, {State: "old"}, {ID: 90}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows[0]))
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows[1:]...))
	for i, want := range []string{"new", "new", "old", "new"} {
		assert.Equal(t, want, rows[i].State)
		assert.Equal(t, map[string]string{"new": "NEW", "old": "OLD"}[want], rows[i].Loud)
		assert.Equal(t, []int64{1}, s.ints(t, "SELECT COUNT(*) FROM made_empties WHERE id = ? AND state = ? AND loud = ?", rows[i].ID, want, rows[i].Loud))
	}
	assert.Equal(t, int64(90), rows[3].ID)
}
