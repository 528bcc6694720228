package kin_test

import (
	"database/sql/driver"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

type (
	fkClass struct {
		ID       int64
		Name     string
		Students kin.Reverse[fkStudent]
	}
	fkStudent struct {
		ID    int64
		Name  string
		Class kin.ForeignKey[fkClass] `kin:",null,related_name=students"`
	}
	fkCountry struct {
		Code string `kin:",pk"`
	}
	fkBadge struct {
		ID uuid.UUID `kin:",pk"`
	}
	fkSeat struct {
		Row    string `kin:",pk"`
		Number int16  `kin:",pk"`
	}
	fkPlace struct { // its key is a foreign key, and of two columns
		Seat kin.ForeignKey[fkSeat] `kin:",pk"`
		Note string
	}
	fkTicket struct {
		ID      int64
		Country kin.ForeignKey[fkCountry] `kin:",null"`
		Badge   kin.ForeignKey[fkBadge]   `kin:",null"`
		Seat    kin.ForeignKey[fkSeat]    `kin:",null"`
		Place   kin.ForeignKey[fkPlace]   `kin:",null"`
		Class   kin.ForeignKey[fkClass]   `kin:",null"`
	}
)

var fkUUID = uuid.MustParse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")

func fkRegistry() *kin.Registry {
	var r kin.Registry
	kin.Register[fkClass](&r)
	kin.Register[fkStudent](&r)
	kin.Register[fkCountry](&r)
	kin.Register[fkBadge](&r)
	kin.Register[fkSeat](&r)
	kin.Register[fkPlace](&r)
	kin.Register[fkTicket](&r)
	return &r
}

// fkLook is what a ForeignKey says of itself.
type fkLook struct {
	get, ref     bool // whether there is a row
	null, loaded bool
	value        driver.Value
	text         string
}

func requireLook[T any](t *testing.T, want fkLook, fk kin.ForeignKey[T], why string) {
	t.Helper()
	value, err := fk.Value()
	require.NoError(t, err, why)
	got := fkLook{fk.Get() != nil, fk.Ref() != nil, fk.IsNull(), fk.Loaded(), value, fk.String()}
	require.Equal(t, want, got, why)
	require.Equal(t, want.text, fmt.Sprintf("%v", fk), why)
	require.Equal(t, want.text, fmt.Sprintf("%+v", fk), why)
	require.Equal(t, want.text, fmt.Sprintf("%#v", fk), why)
	require.Equal(t, want.text, fmt.Sprintf("%s", fk), why) //nolint:staticcheck // the verb is what is tested
	if want.loaded {
		require.Same(t, fk.Get(), fk.Ref(), why)
	}
}

func TestForeignKeyStates(t *testing.T) {
	t.Parallel()
	null := fkLook{null: true, text: "fkClass(NULL)"}
	seven := fkLook{ref: true, value: int64(7), text: "fkClass(7)"}
	loaded := fkLook{get: true, ref: true, loaded: true, value: int64(9), text: "fkClass(9)"}

	var fk kin.ForeignKey[fkClass]
	requireLook(t, null, fk, "the zero value")
	requireLook(t, null, kin.To[fkClass](nil), "to nothing")
	requireLook(t, seven, kin.Key[fkClass](7), "a key")
	requireLook(t, seven, kin.Key[fkClass](uint8(7)), "a key of another integer type")
	requireLook(t, loaded, kin.To(&fkClass{ID: 9}), "a row")

	require.NoError(t, fk.SetKey(7))
	requireLook(t, seven, fk, "null, then a key")
	assert.Equal(t, &fkClass{ID: 7}, fk.Ref(), "a row of which the key is set")
	first := fk.Ref()
	assert.NotSame(t, first, fk.Ref(), "a new one on each call")
	row := &fkClass{ID: 9, Name: "1A"}
	fk.Set(row)
	requireLook(t, loaded, fk, "a key, then a row")
	assert.Same(t, row, fk.Get())
	row.ID = 8
	assert.Equal(t, "fkClass(8)", fk.String(), "the key is that which the row has now")
	copied := fk
	require.NoError(t, fk.SetKey(7))
	requireLook(t, seven, fk, "a row, then a key")
	assert.Same(t, row, copied.Get(), "a copy is left alone")
	fk.Clear()
	requireLook(t, null, fk, "then nothing")
	fk.Set(row)
	fk.Set(nil)
	requireLook(t, null, fk, "a row, then nothing")
}

func TestForeignKeyTypes(t *testing.T) {
	t.Parallel()
	requireLook(t, fkLook{ref: true, value: "CH", text: `fkCountry("CH")`}, kin.Key[fkCountry]("CH"), "a text")
	requireLook(t, fkLook{ref: true, value: "", text: `fkCountry("")`}, kin.Key[fkCountry](""), "an empty text is a key")
	requireLook(t, fkLook{ref: true, value: int64(0), text: `fkClass(0)`}, kin.Key[fkClass](0), "zero is a key, if it is given")
	badge := fkLook{ref: true, value: fkUUID.String(), text: "fkBadge(6ba7b810-9dad-11d1-80b4-00c04fd430c8)"}
	requireLook(t, badge, kin.Key[fkBadge](fkUUID), "a UUID")
	requireLook(t, badge, kin.Key[fkBadge](fkUUID.String()), "the text of a UUID")
	assert.Equal(t, fkUUID, kin.Key[fkBadge](fkUUID).Ref().ID)
	assert.Equal(t, "CH", kin.Key[fkCountry]("CH").Ref().Code)

	for _, fk := range []kin.ForeignKey[fkSeat]{kin.Key[fkSeat]("A", 12), kin.To(&fkSeat{Row: "A", Number: 12})} {
		assert.Equal(t, &fkSeat{Row: "A", Number: 12}, fk.Ref())
		assert.Equal(t, `fkSeat("A", 12)`, fk.String())
		assert.Equal(t, `fkSeat("A", 12)`, fmt.Sprintf("%#v", fk))
		_, err := fk.Value()
		require.EqualError(t, err, "kin: the key of fkSeat has 2 columns; take Ref()")
	}
	place := kin.Key[fkPlace]("A", 12)
	assert.Equal(t, "A", place.Ref().Seat.Ref().Row, "a key that is a foreign key")
	assert.Equal(t, int16(12), place.Ref().Seat.Ref().Number)
	assert.Equal(t, `fkPlace("A", 12)`, place.String())
	assert.Equal(t, `fkPlace("A", 12)`, kin.To(&fkPlace{Seat: kin.To(&fkSeat{Row: "A", Number: 12})}).String())

	unsaved := kin.To(&fkClass{})
	assert.Equal(t, "fkClass(unsaved)", unsaved.String())
	_, err := unsaved.Value()
	require.ErrorIs(t, err, kin.ErrUnsaved)
	require.EqualError(t, err, "kin: the fkClass is not saved: it has no primary key yet")
	assert.Equal(t, "fkPlace(unsaved)", kin.To(&fkPlace{}).String())
}

// TestForeignKeyBadKey: what does not fit is kept, and told wherever the
// ForeignKey is used.
func TestForeignKeyBadKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
		why  string
	}{
		{new(kin.ForeignKey[fkClass]).SetKey("x"), "kin: a key of fkClass: takes int64, not string", "a text for an integer"},
		{new(kin.ForeignKey[fkClass]).SetKey(1.5), "kin: a key of fkClass: takes int64, not float64", "a float for an integer"},
		{new(kin.ForeignKey[fkClass]).SetKey(uint64(1 << 63)), "kin: a key of fkClass: is out of the range of the column", "too large"},
		{new(kin.ForeignKey[fkClass]).SetKey(nil), "kin: a key of fkClass: is NULL", "nil; Clear makes it NULL"},
		{new(kin.ForeignKey[fkClass]).SetKey(), "kin: a key of fkClass: has 1 parts, not 0", "nothing"},
		{new(kin.ForeignKey[fkClass]).SetKey(1, 2), "kin: a key of fkClass: has 1 parts, not 2", "too many"},
		{new(kin.ForeignKey[fkSeat]).SetKey("A"), "kin: a key of fkSeat: has 2 parts, not 1", "too few"},
		{new(kin.ForeignKey[fkSeat]).SetKey(12, "A"), "kin: a key of fkSeat: takes string, not int", "in the wrong order"},
		{new(kin.ForeignKey[fkSeat]).SetKey("A", 1<<20), "kin: a key of fkSeat: is out of the range of the column", "out of the range of an int16"},
		{new(kin.ForeignKey[fkBadge]).SetKey("no uuid"), `kin: a key of fkBadge: takes a UUID, not the text "no uuid"`, "no UUID"},
		{new(kin.ForeignKey[fkPlace]).SetKey(kin.Key[fkSeat]("A", 1)), "kin: a key of fkPlace: has 2 parts, not 1", "parts are columns"},
	} {
		require.EqualError(t, c.err, c.want, c.why)
	}
	fk := kin.To(&fkClass{ID: 3})
	require.Error(t, fk.SetKey("x"))
	assert.Equal(t, "fkClass(3)", fk.String(), "a SetKey that fails changes nothing")

	ctx, db := t.Context(), open(t, fkRegistry())
	const want = "kin: a key of fkClass: takes int64, not string"
	bad := kin.Key[fkClass]("x")
	assert.False(t, bad.IsNull())
	assert.False(t, bad.Loaded())
	assert.Nil(t, bad.Ref())
	assert.Equal(t, "fkClass(invalid key)", bad.String())
	_, err := bad.Value()
	require.EqualError(t, err, want)
	_, err = bad.Load(ctx, db)
	require.EqualError(t, err, want)
	_, err = bad.MarshalJSON()
	require.EqualError(t, err, want)
	err = kin.Insert(ctx, db, &fkStudent{Class: bad})
	require.ErrorContains(t, err, "fkStudent.Class")
	require.ErrorContains(t, err, "a key of fkClass: takes int64, not string")
	_, err = kin.Query[fkStudent]().Filter("class", bad).All(ctx, db)
	require.ErrorContains(t, err, "takes int64, not string")
}

func TestForeignKeyInDatabase(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), open(t, fkRegistry())
	seat := &fkSeat{Row: "A", Number: 12}
	require.NoError(t, kin.Insert(ctx, db, seat))
	require.NoError(t, kin.Insert(ctx, db, &fkPlace{Seat: kin.To(seat), Note: "aisle"}))
	require.NoError(t, kin.Insert(ctx, db, &fkCountry{Code: "CH"}))
	require.NoError(t, kin.Insert(ctx, db, &fkBadge{ID: fkUUID}))
	class := &fkClass{Name: "1A"}
	require.NoError(t, kin.Insert(ctx, db, class))
	require.NoError(t, kin.Insert(ctx, db, &fkTicket{}, &fkTicket{
		Country: kin.Key[fkCountry]("CH"), Badge: kin.Key[fkBadge](fkUUID), Seat: kin.To(seat), Place: kin.Key[fkPlace]("A", 12), Class: kin.To(class),
	}))

	tickets, err := kin.Query[fkTicket]().All(ctx, db)
	require.NoError(t, err)
	require.Len(t, tickets, 2)
	empty, full := tickets[0], tickets[1]
	assert.True(t, empty.Country.IsNull() && empty.Badge.IsNull() && empty.Seat.IsNull() && empty.Place.IsNull() && empty.Class.IsNull())
	assert.Equal(t, "&{2 fkCountry(\"CH\") fkBadge(6ba7b810-9dad-11d1-80b4-00c04fd430c8) fkSeat(\"A\", 12) fkPlace(\"A\", 12) fkClass(1)}", fmt.Sprint(full))
	assert.Equal(t, &fkSeat{Row: "A", Number: 12}, full.Seat.Ref())
	assert.Equal(t, int16(12), full.Place.Ref().Seat.Ref().Number)

	// Each kind of key is loaded, by itself and by a join.
	joined, err := kin.Query[fkTicket]().SelectRelated("country", "badge", "seat", "place__seat", "class").Filter("pk", full.ID).Get(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, "CH", joined.Country.Get().Code)
	assert.Equal(t, fkUUID, joined.Badge.Get().ID)
	assert.Equal(t, "A", joined.Seat.Get().Row)
	assert.Equal(t, "aisle", joined.Place.Get().Note)
	assert.Same(t, joined.Seat.Get(), joined.Place.Get().Seat.Get(), "one row is one value")
	assert.Equal(t, "1A", joined.Class.Get().Name)

	country, err := full.Country.Load(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, "CH", country.Code)
	assert.True(t, full.Country.Loaded())
	again, err := full.Country.Load(ctx, db)
	require.NoError(t, err)
	assert.Same(t, country, again, "read once")
	place, err := full.Place.Load(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, "aisle", place.Note)
	badge, err := full.Badge.Load(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, fkUUID, badge.ID)
	nothing, err := empty.Country.Load(ctx, db)
	require.NoError(t, err)
	assert.Nil(t, nothing)
	lost := kin.Key[fkCountry]("XX")
	_, err = lost.Load(ctx, db)
	require.ErrorIs(t, err, kin.ErrNotFound)
	assert.Equal(t, `fkCountry("XX")`, lost.String(), "a Load that fails changes nothing")
}

func TestForeignKeyToUnsaved(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), open(t, fkRegistry())
	class := &fkClass{Name: "1A"}
	student := &fkStudent{Name: "Ann", Class: kin.To(class)}
	err := kin.Insert(ctx, db, student)
	require.ErrorIs(t, err, kin.ErrUnsaved)
	require.ErrorContains(t, err, "fkStudent.Class leads to a fkClass that is not saved: it has no primary key yet")
	assert.Zero(t, student.ID)
	require.NoError(t, kin.Insert(ctx, db, class))
	require.NoError(t, kin.Insert(ctx, db, student), "the row may be saved after it is referred to")
	found, err := kin.Query[fkStudent]().SelectRelated("class").Get(ctx, db)
	require.NoError(t, err)
	assert.Equal(t, "1A", found.Class.Get().Name)
}
