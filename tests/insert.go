package tests

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func insertCases() []Case {
	return []Case{
		{"insert/keys come back on the right rows", testInsertMany},
		{"insert/given and generated keys at once", testInsertMixed},
		{"insert/a key that is given is not generated later", testInsertAhead},
		{"insert/a failing row leaves nothing", testInsertFails},
		{"insert/nil, and nothing", testInsertNil},
		{"insert/a foreign key to a row that is not saved", testInsertUnsaved},
		{"insert/in a transaction", testInsertTx},
		{"insert/a failure leaves the transaction usable", testInsertFailsInTx},
		{"insert/models that are only a key", testInsertKeyOnly},
		{"insert/keys of other types", testInsertOtherKeys},
		{"insert/a row that is inserted twice", testInsertTwice},
	}
}

// A parcel has a unique payload, by which SQL that is written by hand finds
// its key.
type parcel struct {
	ID      int64
	Payload string                 `kin:",unique,size=40"`
	Weight  int                    `kin:",null"`
	In      kin.ForeignKey[parcel] `kin:",null,related_name=inside"`
	Inside  kin.Reverse[parcel]
}

// checkParcels compares the rows with what the table has.
func checkParcels(t *testing.T, s *Suite, rows []*parcel) {
	t.Helper()
	found := map[string]int64{}
	query, err := s.Pool().QueryContext(t.Context(), "SELECT payload, id FROM parcels")
	require.NoError(t, err)
	defer func() { require.NoError(t, query.Close()) }()
	for query.Next() {
		var payload string
		var id int64
		require.NoError(t, query.Scan(&payload, &id))
		found[payload] = id
	}
	require.NoError(t, query.Err())
	require.Len(t, found, len(rows))
	for _, row := range rows {
		require.NotZero(t, row.ID)
		require.Equal(t, found[row.Payload], row.ID, row.Payload)
	}
}

func testInsertMany(t *testing.T, s *Suite) {
	for _, n := range []int{1, 2, 3, 499, 500, 501, 1203} {
		s := s.tablesOf(t, kin.Register[parcel])
		rows := make([]*parcel, n)
		for i := range rows {
			// A prime step makes the payloads unique, and goes down and up, so
			// that no order but the right one fits.
			rows[i] = &parcel{Payload: fmt.Sprintf("%04d", (i*7919)%n)}
		}
		require.NoError(t, kin.Insert(t.Context(), s.DB, rows...), n)
		checkParcels(t, s, rows)
		more := &parcel{Payload: "one more"}
		require.NoError(t, kin.Insert(t.Context(), s.DB, more), "the next key is free")
		checkParcels(t, s, slices.Concat(rows, []*parcel{more}))
		require.NoError(t, kin.DropTables(t.Context(), s.DB))
	}
}

func testInsertMixed(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[parcel])
	var rows []*parcel
	for i := range 30 {
		row := &parcel{Payload: strconv.Itoa(29 - i)}
		switch i % 3 {
		case 1:
			row.ID = int64(10_000 - i)
		case 2:
			row.ID = int64(-i)
		}
		rows = append(rows, row)
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows...))
	checkParcels(t, s, rows)
	assert.EqualValues(t, 9999, rows[1].ID)
	assert.EqualValues(t, -2, rows[2].ID)
	require.Error(t, kin.Insert(t.Context(), s.DB, &parcel{ID: 9999, Payload: "x"}), "a key is there once")
}

// testInsertAhead gives the key that would be generated next.
func testInsertAhead(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[parcel])
	next := &parcel{Payload: "a"}
	require.NoError(t, kin.Insert(t.Context(), s.DB, next))
	rows := []*parcel{next, {ID: next.ID + 1, Payload: "b"}, {Payload: "c"}, {Payload: "d"}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows[1:]...))
	checkParcels(t, s, rows)
}

func testInsertFails(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[parcel])
	there := &parcel{Payload: "there"}
	require.NoError(t, kin.Insert(t.Context(), s.DB, there))
	for _, x := range []struct {
		bad func(rows []*parcel)
		why string
	}{
		{func(rows []*parcel) { rows[len(rows)/2].Payload = "there" }, "not unique"},
		{func(rows []*parcel) { rows[len(rows)-1].Payload = "there" }, "the last row"},
		{func(rows []*parcel) { rows[len(rows)/2].Payload = rows[0].Payload }, "not unique among themselves"},
		{func(rows []*parcel) { rows[len(rows)/2].In = kin.Key[parcel](123456) }, "no such parcel"},
		{func(rows []*parcel) { rows[len(rows)/2].Payload = strings.Repeat("x", 41) }, "too long"},
		{func(rows []*parcel) { rows[len(rows)/2].Payload = "\x00" }, "no text"},
		{func(rows []*parcel) { rows[len(rows)/2].ID = there.ID }, "a key that is there"},
		{func(rows []*parcel) { rows[len(rows)/2] = nil }, "nil"},
	} {
		for _, n := range []int{3, 1203} {
			rows := make([]*parcel, n)
			for i := range rows {
				rows[i] = &parcel{Payload: strconv.Itoa(i)}
			}
			x.bad(rows)
			require.Error(t, kin.Insert(t.Context(), s.DB, rows...), x.why)
			assert.Equal(t, []string{"there"}, handColumn[string](t, s, "SELECT payload FROM parcels"), x.why)
			for i, row := range rows {
				if row != nil && row.ID != there.ID {
					require.Zero(t, row.ID, "%s: row %d", x.why, i)
				}
			}
		}
	}
}

func testInsertNil(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[parcel])
	require.NoError(t, kin.Insert[parcel](t.Context(), s.DB))
	err := kin.Insert(t.Context(), s.DB, &parcel{Payload: "a"}, nil)
	require.ErrorContains(t, err, "insert of parcel: row 2 of 2 is nil")
	s.Wire.Want(t, 0, 0)
	type unknown struct{ ID int64 }
	err = kin.Insert(t.Context(), s.DB, &unknown{})
	require.ErrorContains(t, err, "kin.Register[unknown]()")
}

func testInsertUnsaved(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[parcel], kin.Register[ticket], kin.Register[seat])
	outer := &parcel{Payload: "outer"}
	inner := &parcel{Payload: "inner", In: kin.To(outer)}
	err := kin.Insert(t.Context(), s.DB, inner)
	require.ErrorIs(t, err, kin.ErrUnsaved)
	require.ErrorContains(t, err, "parcel.In leads to a parcel that is not saved")
	s.Wire.Want(t, 0, 0)
	require.NoError(t, kin.Insert(t.Context(), s.DB, outer))
	require.NoError(t, kin.Insert(t.Context(), s.DB, inner), "once it is saved")
	assert.Equal(t, outer.ID, handOne[int64](t, s, "SELECT in_id FROM parcels WHERE payload = 'inner'"))

	err = kin.Insert(t.Context(), s.DB, &ticket{Seat: kin.Key[seat]("A", 1)})
	require.ErrorContains(t, err, "ticket.Seat")
	err = kin.Insert(t.Context(), s.DB, &ticket{Seat: kin.Key[seat](1)})
	require.ErrorContains(t, err, "ticket.Seat")
}

func testInsertTx(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[parcel])
	rows := []*parcel{{Payload: "a"}, {Payload: "b"}}
	stop := errors.New("stop")
	err := s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
		require.NoError(t, kin.Insert(t.Context(), tx, rows...))
		require.NoError(t, kin.Insert(t.Context(), tx, &parcel{Payload: "c", In: kin.To(rows[0])}))
		n, err := kin.Query[parcel]().Count(t.Context(), tx)
		require.NoError(t, err)
		assert.EqualValues(t, 3, n, "seen within")
		return stop
	})
	require.ErrorIs(t, err, stop)
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM parcels"), "rolled back")
	assert.PanicsWithValue(t, "stop", func() {
		_ = s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
			require.NoError(t, kin.Insert(t.Context(), tx, &parcel{Payload: "d"}))
			panic("stop")
		})
	})
	assert.Zero(t, handOne[int](t, s, "SELECT COUNT(*) FROM parcels"), "rolled back")
	rows = []*parcel{{Payload: "e"}, {Payload: "f"}, {Payload: "g"}}
	require.NoError(t, s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
		return errors.Join(kin.Insert(t.Context(), tx, rows[:2]...), kin.Insert(t.Context(), tx, rows[2]))
	}))
	checkParcels(t, s, rows)
}

func testInsertFailsInTx(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[parcel])
	rows := []*parcel{{Payload: "a"}, {Payload: "b"}}
	require.NoError(t, s.DB.Tx(t.Context(), func(tx *kin.Tx) error {
		require.NoError(t, kin.Insert(t.Context(), tx, rows[0]))
		bad := []*parcel{{Payload: "x"}, {Payload: "a"}, {Payload: "y"}}
		require.Error(t, kin.Insert(t.Context(), tx, bad...), "several rows")
		require.Error(t, kin.Insert(t.Context(), tx, bad[1]), "one row")
		require.Error(t, kin.Insert(t.Context(), tx, &parcel{Payload: "z", In: kin.Key[parcel](99)}), "a foreign key")
		for _, row := range bad {
			assert.Zero(t, row.ID)
		}
		n, err := kin.Query[parcel]().Count(t.Context(), tx)
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
		return kin.Insert(t.Context(), tx, rows[1])
	}))
	checkParcels(t, s, rows)
}

// Models without any column but the key.
type (
	keyOnly struct{ ID int64 }
	uintKey struct{ ID uint32 }
	textKey struct {
		Name string `kin:",pk,size=20"`
	}
	uuidKey struct {
		ID   uuid.UUID
		Note string
	}
	pairKey struct {
		A int    `kin:",pk"`
		B string `kin:",pk,size=5"`
	}
	namedID int64
	autoKey struct {
		Number namedID `kin:",pk,auto"`
		Note   string
	}
	plainKey struct {
		Number int `kin:",pk"`
		Note   string
	}
)

func testInsertKeyOnly(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[keyOnly], kin.Register[uintKey])
	rows := make([]*keyOnly, 7)
	want := map[int64]bool{}
	for i := range rows {
		rows[i] = &keyOnly{}
	}
	rows[3].ID = 100
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows[0]))
	require.NoError(t, kin.Insert(t.Context(), s.DB, rows[1:]...))
	for _, r := range rows {
		want[r.ID] = true
	}
	require.Len(t, want, 7)
	for _, id := range handColumn[int64](t, s, "SELECT id FROM key_onlies") {
		assert.True(t, want[id])
		delete(want, id)
	}
	assert.Empty(t, want)
	assert.EqualValues(t, 100, rows[3].ID)

	unsigned := []*uintKey{{}, {}, {}}
	require.NoError(t, kin.Insert(t.Context(), s.DB, unsigned...))
	assert.ElementsMatch(t, []uint32{unsigned[0].ID, unsigned[1].ID, unsigned[2].ID}, handColumn[uint32](t, s, "SELECT id FROM uint_keys"))
}

func testInsertOtherKeys(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[textKey], kin.Register[uuidKey], kin.Register[pairKey], kin.Register[autoKey], kin.Register[plainKey])
	ctx := t.Context()
	require.NoError(t, kin.Insert(ctx, s.DB, &textKey{"b"}, &textKey{""}, &textKey{"a"}, &textKey{"A"}))
	assert.Equal(t, []string{"", "A", "a", "b"}, handColumn[string](t, s, "SELECT name FROM text_keys ORDER BY name"))
	require.Error(t, kin.Insert(ctx, s.DB, &textKey{"a"}))

	id := uuid.New()
	require.NoError(t, kin.Insert(ctx, s.DB, &uuidKey{id, "x"}, &uuidKey{uuid.Nil, "zero"}), "a zero key that nobody generates is a key")
	assert.Equal(t, "x", handOne[string](t, s, "SELECT note FROM uuid_keys WHERE id = "+s.arg(1), id.String()))
	got, err := kin.Query[uuidKey]().Filter("id", id).Get(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, &uuidKey{id, "x"}, got)

	require.NoError(t, kin.Insert(ctx, s.DB, &pairKey{1, "a"}, &pairKey{1, "b"}, &pairKey{0, ""}))
	require.Error(t, kin.Insert(ctx, s.DB, &pairKey{1, "c"}, &pairKey{1, "b"}))
	pairs, err := kin.Query[pairKey]().All(ctx, s.DB)
	require.NoError(t, err)
	assert.Equal(t, []*pairKey{{0, ""}, {1, "a"}, {1, "b"}}, pairs)

	auto := []*autoKey{{Note: "a"}, {Number: 50, Note: "b"}, {Note: "c"}}
	require.NoError(t, kin.Insert(ctx, s.DB, auto...))
	for _, r := range auto {
		assert.EqualValues(t, r.Number, handOne[int64](t, s, "SELECT number FROM auto_keys WHERE note = "+s.arg(1), r.Note))
	}
	plain := []*plainKey{{0, "zero"}, {7, "seven"}}
	require.NoError(t, kin.Insert(ctx, s.DB, plain...), "zero is written where it is not generated")
	assert.Equal(t, []int{0, 7}, handColumn[int](t, s, "SELECT number FROM plain_keys ORDER BY number"))
}

func testInsertTwice(t *testing.T, s *Suite) {
	s = s.tablesOf(t, kin.Register[parcel])
	row := &parcel{Payload: "a"}
	require.NoError(t, kin.Insert(t.Context(), s.DB, row))
	require.Error(t, kin.Insert(t.Context(), s.DB, row), "its key is there already")
	other := &parcel{Payload: "b"}
	require.Error(t, kin.Insert(t.Context(), s.DB, other, other), "one row twice in one call")
	assert.Equal(t, []string{"a"}, handColumn[string](t, s, "SELECT payload FROM parcels"))
}
