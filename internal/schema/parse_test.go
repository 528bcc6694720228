package schema

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/dialect"
)

// The types that the parsed struct is made of.
type (
	parseTarget struct{ ID int64 }
	parseOne    struct{ _ [3]*int } // stands for a ForeignKey
	parseMany   struct{ _ [2]*int } // stands for a Reverse
	parseLevel  int8                // an enum
	parseTitle  string
	parsePoint  struct{ X, Y int }
	UUID        [16]byte
	ULID        [16]byte // sixteen bytes, but no UUID

	ParseStamps struct {
		CreatedAt time.Time
		Note      string // hidden by that of the struct itself
	}
	parseInner struct {
		ParseStamps
		Inner bool
	}
)

func (u *ULID) Scan(any) error              { return nil }
func (u ULID) Value() (driver.Value, error) { return nil, nil }

type parseAll struct {
	ID       int64 `kin:"key,pk,auto"`
	Level    parseLevel
	Title    parseTitle `kin:",size=40,unique,default='a,b'"`
	Small    uint16     `kin:",index"`
	Ratio    float32
	Note     *string
	Count    sql.Null[int32]
	Old      sql.NullString
	Data     []byte
	Maybe    []byte `kin:",null"`
	At       time.Time
	Lasts    time.Duration
	Token    UUID
	Sort     ULID
	Raw      json.RawMessage `kin:",type=jsonb"`
	Point    parsePoint      `kin:"point_json,json"`
	Points   *[]parsePoint   `kin:",json"`
	Owner    parseOne        `kin:"owner_id,null,related_name=things,on_delete=set_null"`
	Children parseMany       `kin:"via=Owner"`
	parseInner
	Left   chan int `kin:"-"`
	hidden string
}

func (parseAll) KinTable() Table {
	return Table{Name: "everything", Unique: [][]string{{"title", "owner"}}, Checks: []string{"small > 0"}}
}

func parseRecognise(t reflect.Type) (RelField, bool) {
	switch t {
	case reflect.TypeFor[parseOne]():
		return RelField{Kind: ToOne, Target: reflect.TypeFor[parseTarget]()}, true
	case reflect.TypeFor[parseMany]():
		return RelField{Kind: ToMany, Target: reflect.TypeFor[parseTarget]()}, true
	}
	return RelField{}, false
}

// TestParse compares all that is known of a struct with what is written here.
func TestParse(t *testing.T) {
	t.Parallel()
	var x parseAll
	_ = x.hidden
	typ := reflect.TypeFor[parseAll]()
	field := func(f Field) *Field {
		sf, ok := typ.FieldByName(f.Name)
		require.True(t, ok, f.Name)
		f.Type, f.Codec = sf.Type, new(atomic.Value)
		if f.Base == nil && f.Rel.Kind == NoRel {
			f.Base = sf.Type
		}
		return &f
	}
	at := func(name string) uintptr {
		sf, _ := typ.FieldByName(name)
		return sf.Offset
	}
	inner := at("parseInner")
	want := []*Field{
		field(Field{Name: "ID", Index: []int{0}, Offset: 0, Tag: Tag{Column: "key", Key: true, Auto: true}, Value: dialect.Type{Kind: dialect.Int, Bits: 64}}),
		field(Field{Name: "Level", Index: []int{1}, Offset: at("Level"), Value: dialect.Type{Kind: dialect.Int, Bits: 8}}),
		field(Field{Name: "Title", Index: []int{2}, Offset: at("Title"), Tag: Tag{Size: 40, Unique: true, Default: "'a,b'"}, Value: dialect.Type{Kind: dialect.String, Size: 40}}),
		field(Field{Name: "Small", Index: []int{3}, Offset: at("Small"), Tag: Tag{Index: true}, Value: dialect.Type{Kind: dialect.Uint, Bits: 16}}),
		field(Field{Name: "Ratio", Index: []int{4}, Offset: at("Ratio"), Value: dialect.Type{Kind: dialect.Float, Bits: 32}}),
		field(Field{Name: "Note", Index: []int{5}, Offset: at("Note"), Wrap: Pointer, Base: reflect.TypeFor[string](), Value: dialect.Type{Kind: dialect.String}}),
		field(Field{Name: "Count", Index: []int{6}, Offset: at("Count"), Wrap: Null, Base: reflect.TypeFor[int32](), ValidOffset: 4, Value: dialect.Type{Kind: dialect.Int, Bits: 32}}),
		field(Field{Name: "Old", Index: []int{7}, Offset: at("Old"), Wrap: Null, Base: reflect.TypeFor[string](), ValidOffset: reflect.TypeFor[string]().Size(), Value: dialect.Type{Kind: dialect.String}}),
		field(Field{Name: "Data", Index: []int{8}, Offset: at("Data"), Value: dialect.Type{Kind: dialect.Bytes}}),
		field(Field{Name: "Maybe", Index: []int{9}, Offset: at("Maybe"), Tag: Tag{Null: true}, Wrap: Nil, Value: dialect.Type{Kind: dialect.Bytes}}),
		field(Field{Name: "At", Index: []int{10}, Offset: at("At"), Value: dialect.Type{Kind: dialect.Time}}),
		field(Field{Name: "Lasts", Index: []int{11}, Offset: at("Lasts"), Value: dialect.Type{Kind: dialect.Int, Bits: 64}}),
		field(Field{Name: "Token", Index: []int{12}, Offset: at("Token"), Value: dialect.Type{Kind: dialect.UUID}}),
		field(Field{Name: "Sort", Index: []int{13}, Offset: at("Sort"), Value: dialect.Type{Kind: dialect.Custom}}),
		field(Field{Name: "Raw", Index: []int{14}, Offset: at("Raw"), Tag: Tag{Type: "jsonb"}, Value: dialect.Type{Kind: dialect.JSON}}),
		field(Field{Name: "Point", Index: []int{15}, Offset: at("Point"), Tag: Tag{Column: "point_json", JSON: true}, Marshal: true, Value: dialect.Type{Kind: dialect.JSON}}),
		field(Field{Name: "Points", Index: []int{16}, Offset: at("Points"), Tag: Tag{JSON: true}, Wrap: Pointer, Base: reflect.TypeFor[[]parsePoint](), Marshal: true, Value: dialect.Type{Kind: dialect.JSON}}),
		field(Field{
			Name: "Owner", Index: []int{17}, Offset: at("Owner"), Rel: RelField{Kind: ToOne, Target: reflect.TypeFor[parseTarget]()},
			Tag: Tag{Column: "owner_id", Null: true, RelatedName: "things", OnDelete: "SET NULL"},
		}),
		field(Field{Name: "Children", Index: []int{18}, Offset: at("Children"), Rel: RelField{Kind: ToMany, Target: reflect.TypeFor[parseTarget]()}, Tag: Tag{Via: "Owner"}}),
		field(Field{Name: "CreatedAt", Index: []int{19, 0, 0}, Offset: inner, Value: dialect.Type{Kind: dialect.Time}}),
		field(Field{Name: "Inner", Index: []int{19, 1}, Offset: inner + reflect.TypeFor[ParseStamps]().Size(), Value: dialect.Type{Kind: dialect.Bool}}),
	}
	s := Parse(typ, parseRecognise)
	require.Empty(t, s.Problems)
	assert.Equal(t, typ, s.Type)
	assert.Equal(t, Table{Name: "everything", Unique: [][]string{{"title", "owner"}}, Checks: []string{"small > 0"}}, s.Table)
	require.Len(t, s.Fields, len(want))
	for i := range want {
		assert.Equal(t, want[i], s.Fields[i], want[i].Name)
	}

	key := s.Key()
	require.Len(t, key.Fields, 1)
	assert.Equal(t, KeyField{Field: s.Fields[0], Width: 1, Auto: true, Zero: true}, key.Fields[0])
	assert.Equal(t, []dialect.Type{{Kind: dialect.Int, Bits: 64}}, key.Types)
	assert.Equal(t, []*Field{s.Fields[0]}, key.Leaves)
	assert.Same(t, key, s.Key(), "found once")
}

// TestParseNull has what else makes a slice nullable, or does not.
func TestParseNull(t *testing.T) {
	t.Parallel()
	s := Parse(reflect.TypeFor[struct {
		ID    int64
		Ints  []int64          `kin:",json,null"`
		Raw   json.RawMessage  `kin:",null"`
		Ptr   *json.RawMessage `kin:",null"`
		Plain string           `kin:",null"`
	}](), parseRecognise)
	require.Empty(t, s.Problems)
	for name, want := range map[string]Wrap{"ID": Plain, "Ints": Plain, "Raw": Nil, "Ptr": Pointer, "Plain": Plain} {
		for _, f := range s.Fields {
			if f.Name == name {
				assert.Equal(t, want, f.Wrap, name)
			}
		}
	}
}
