package hydrate

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/internal/schema"
)

// What columns can hold, of types whose names and elements are others' than
// those of what is read and written.
type (
	memoryByte    byte
	memoryBytes   []memoryByte
	UUID          [16]memoryByte // which goes by its name
	memoryInt     int
	memoryInt64   int64
	memoryUint16  uint16
	memoryText    string
	memoryFlag    bool
	memoryFloat   float32
	memoryPointer *memoryText
	memoryTexts   []memoryText
	memoryJSON    struct{ A int }
	memoryMixin   struct{ Mixed memoryInt64 } // embedded, and not exported

	memoryRow struct {
		Bytes    memoryBytes
		NoBytes  memoryBytes `kin:",null"`
		UUID     UUID
		Int      memoryInt
		Int64    memoryInt64
		Uint16   memoryUint16
		Text     memoryText
		Flag     memoryFlag
		Float    memoryFloat
		Time     time.Time
		Pointer  memoryPointer
		Plain    *memoryText
		Word     *int
		PUUID    *UUID
		Null     sql.Null[memoryText]
		NullInt  sql.NullInt64
		NullTime sql.NullTime
		NullUUID sql.Null[UUID]
		Texts    memoryTexts
		JSON     memoryJSON  `kin:",json"`
		PJSON    *memoryJSON `kin:",json"`
		Custom   memoryCustom
		PCustom  *memoryCustom
		memoryMixin
	}
)

type memoryCustom struct{ text string }

func (c *memoryCustom) Scan(v any) error {
	c.text = fmt.Sprintf("scanned %v", v)
	return nil
}

func (c memoryCustom) Value() (driver.Value, error) { return c.text, nil }

func memoryFields(t *testing.T) []*schema.Field {
	t.Helper()
	s := schema.Parse(reflect.TypeFor[memoryRow](), func(reflect.Type) (schema.RelField, bool) { return schema.RelField{}, false })
	require.Empty(t, s.Problems)
	require.Len(t, s.Fields, reflect.TypeFor[memoryRow]().NumField())
	return s.Fields
}

// TestMemory decodes into fields of all kinds, and encodes them again.
func TestMemory(t *testing.T) {
	t.Parallel()
	text, word := memoryText("there"), 7
	uuid := UUID{0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00}
	const uuidText = "123e4567-e89b-12d3-a456-426614174000"
	at := time.Date(2024, 2, 29, 12, 30, 0, 0, time.UTC)
	want := memoryRow{
		Bytes: memoryBytes("raw"), NoBytes: memoryBytes{1}, UUID: uuid, Int: -3, Int64: 1 << 40, Uint16: 65535, Text: "a", Flag: true, Float: 1.5, Time: at,
		Pointer: &text, Plain: &text, Word: &word, PUUID: &uuid,
		Null: sql.Null[memoryText]{V: "b", Valid: true}, NullInt: sql.NullInt64{Int64: 0, Valid: true},
		NullTime: sql.NullTime{Time: at, Valid: true}, NullUUID: sql.Null[UUID]{V: uuid, Valid: true},
		Texts: memoryTexts{"x", "y"}, JSON: memoryJSON{1}, PJSON: &memoryJSON{2}, Custom: memoryCustom{"scanned 5"}, PCustom: &memoryCustom{"scanned 6"},
		memoryMixin: memoryMixin{9},
	}
	values := map[string][2]driver.Value{ // as the driver gives them, and as it is given them
		"Bytes": {[]byte("raw"), []byte("raw")}, "NoBytes": {[]byte{1}, []byte{1}}, "UUID": {uuidText, uuidText},
		"Int": {int64(-3), int64(-3)}, "Int64": {int64(1 << 40), int64(1 << 40)}, "Uint16": {int64(65535), int64(65535)},
		"Text": {"a", "a"}, "Flag": {true, true}, "Float": {1.5, 1.5}, "Time": {at, at},
		"Pointer": {"there", "there"}, "Plain": {"there", "there"}, "Word": {int64(7), int64(7)}, "PUUID": {uuidText, uuidText},
		"Null": {"b", "b"}, "NullInt": {int64(0), int64(0)}, "NullTime": {at, at}, "NullUUID": {uuidText, uuidText},
		"Texts": {`["x","y"]`, []string{"x", "y"}}, "JSON": {[]byte(`{"A":1}`), `{"A":1}`}, "PJSON": {[]byte(`{"A":2}`), `{"A":2}`},
		"Custom": {int64(5), "scanned 5"}, "PCustom": {int64(6), "scanned 6"}, "Mixed": {int64(9), int64(9)},
	}
	var row memoryRow
	fields := memoryFields(t)
	for _, f := range fields {
		p := fieldOf(unbox(&row), f)
		assert.True(t, isZero(f, p), f.Name)
		require.NoError(t, codecOf(f).decode(p, values[f.Name][0]), f.Name)
		assert.False(t, isZero(f, p), "%s is set, be it to a zero that is not NULL", f.Name)
		got, err := codecOf(f).encode(p, permissive)
		require.NoError(t, err, f.Name)
		assert.Equal(t, values[f.Name][1], got, f.Name)
		if kind := arenaKindOf(f); kind != notInArena {
			got, done := new(Arena).encode(unbox(&row), &schema.Column{Field: f}, kind, permissive)
			assert.True(t, done, f.Name)
			assert.Equal(t, values[f.Name][1], got, f.Name)
		}
	}
	assert.Equal(t, want, row)

	for _, f := range fields {
		if nullable := f.Wrap != schema.Plain; !nullable {
			continue
		}
		p := fieldOf(unbox(&row), f)
		require.NoError(t, codecOf(f).decode(p, nil), f.Name)
		got, err := codecOf(f).encode(p, permissive)
		require.NoError(t, err, f.Name)
		assert.Nil(t, got, f.Name)
	}
	assert.Equal(t, "there", string(text), "NULL moves the pointer, and leaves what it led to")
	assert.Nil(t, row.Pointer)
	assert.Nil(t, row.NoBytes)
	assert.False(t, row.Null.Valid)
}

// TestAppendMemory: what is remembered of a value is the same if the value is,
// and else another.
func TestAppendMemory(t *testing.T) {
	t.Parallel()
	rows := []memoryRow{{}, {}, {UUID: UUID{1}, Int: 1, Int64: 1, Uint16: 1, Flag: true, Float: 1, memoryMixin: memoryMixin{1}}}
	for _, f := range memoryFields(t) {
		switch f.Name {
		case "UUID", "Int", "Int64", "Uint16", "Flag", "Float", "Mixed":
			var texts [3]string
			for i := range rows {
				texts[i] = string(appendMemory([]byte("before"), fieldOf(unbox(&rows[i]), f), f))
			}
			assert.Equal(t, texts[0], texts[1], f.Name)
			assert.NotEqual(t, texts[0], texts[2], f.Name)
			assert.Equal(t, "before", texts[0][:6], f.Name)
		default:
		}
	}
}

// TestRecordParts reads into structs within structs, behind pointers and not,
// of which some are not exported.
func TestRecordParts(t *testing.T) {
	t.Parallel()
	type Deep struct {
		N    memoryInt
		Text *memoryText
	}
	type memoryInner struct {
		A    memoryText
		Deep *Deep
		B    sql.Null[memoryInt64]
	}
	type row struct {
		First memoryInt64
		memoryInner
		memoryMixin
		Inside struct {
			C    memoryFlag
			Deep *Deep
		}
		None *Deep
		Last memoryText
	}
	record, err := RecordOf(reflect.TypeFor[row]())
	require.NoError(t, err)
	var names []string
	for _, f := range record.Fields {
		names = append(names, f.Name)
	}
	assert.Equal(t, []string{
		"first", "a", "deep__n", "deep__text", "b", "mixed", "inside__c", "inside__deep__n", "inside__deep__text", "none__n", "none__text", "last",
	}, names)
	text := memoryText("t")
	want := row{
		First: 1, memoryInner: memoryInner{A: "a", Deep: &Deep{N: 2, Text: &text}, B: sql.Null[memoryInt64]{V: 3, Valid: true}},
		memoryMixin: memoryMixin{4}, Last: "l",
	}
	want.Inside.C, want.Inside.Deep = true, &Deep{N: 5}
	var got row
	require.NoError(t, record.Read(&got, []driver.Value{int64(1), "a", int64(2), "t", int64(3), int64(4), true, int64(5), nil, nil, nil, "l"}))
	assert.Equal(t, want, got)
}
