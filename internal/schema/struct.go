// Package schema turns struct types into the graph of models and relations.
//
// What a type says of itself is a [Struct]: it depends on nothing else and
// is kept for the life of the process. What types say of each other is a
// [Graph]: it belongs to a registry and a naming. Both are immutable.
package schema

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kin-orm/kin/dialect"
)

// A Wrap says how a field holds NULL.
type Wrap uint8

// The wraps.
const (
	Plain   Wrap = iota // not at all
	Pointer             // *V, which is nil
	Null                // sql.Null[V] and its relatives, whose Valid is false
	Nil                 // a slice, which is nil
)

// A RelKind says which relation a field declares.
type RelKind uint8

// The kinds of relation fields.
const (
	NoRel RelKind = iota
	ToOne
	ToMany
	Linked   // to many, by way of a link table
	Tracking // none: the field remembers what the row held
)

// HasColumns reports whether a field of the kind has columns in its model's
// own table.
func (k RelKind) HasColumns() bool { return k < ToMany }

// A RelField is what a relation field's type says of itself.
type RelField struct {
	Kind   RelKind
	Target reflect.Type
	// Struct returns what the target says of itself.
	Struct func() *Struct
	// Link is the model of the link table of a Linked field, if it has one of
	// its own, whose rows the field holds too.
	Link reflect.Type
	Ops  *Ops
}

// Ops reach into a relation field whose type is known only where it is
// generic. Each takes a pointer to the field, and rows as *T.
type Ops struct {
	// Core returns the part of the field that does not depend on its type.
	Core func(field any) any
	// Set makes a to-one field refer to a row, or to none if it is nil.
	Set func(field, row any)
	// Append adds a row to a loaded to-many field, and Remove takes it out.
	// link is the row of the link table, if the field holds those, else nil.
	Append func(field, row, link any)
	Remove func(field, row any)
}

// A Field is a field of a struct that is a column or a relation.
type Field struct {
	Name   string // the Go name
	Index  []int
	Offset uintptr
	Type   reflect.Type
	Tag    Tag
	Rel    RelField

	// Of columns:

	Wrap  Wrap
	Base  reflect.Type // the type without its wrap
	Value dialect.Type // what the column stores
	// ValidOffset is where the Valid of a Null lies, from the field's start.
	ValidOffset uintptr
	// Marshal is whether the value goes through encoding/json.
	Marshal bool
	// Encrypted is the value inside an encrypted field, as a field of its own;
	// nil for others.
	Encrypted *Field
	// Codec is what package hydrate reads and writes the field by, once it has
	// made that; nil if it is not to be kept.
	Codec *atomic.Value
}

// A Struct is what a type says of itself.
type Struct struct {
	Type   reflect.Type // nil for a link table that kin makes up
	Name   string
	Fields []*Field
	Table  Table
	Hooks  Hooks
	Track  *Field // the embedded kin.Tracked, or nil
	// Problems is what is wrong with the type, whatever the others are.
	Problems []Problem

	key atomic.Pointer[Key]
}

// A Key is what a type says of its primary key.
type Key struct {
	Fields []KeyField
	Types  []dialect.Type // of all columns, in order
	Leaves []*Field       // at the end of each column, foreign keys followed
}

// A KeyField is a field of a primary key, and of how many columns it consists.
type KeyField struct {
	Field *Field
	Width int
	Auto  bool
	// Zero is whether a zero value is no key yet, because one is made for it.
	Zero bool
}

// Key returns the primary key. It is empty if there is none.
func (s *Struct) Key() *Key {
	if k := s.key.Load(); k != nil {
		return k
	}
	k := s.findKey(nil)
	s.key.CompareAndSwap(nil, k)
	return k
}

// findKey follows foreign keys, which may lead in a circle: that is a mistake
// which Resolve reports. above are the structs whose keys are being found.
func (s *Struct) findKey(above []*Struct) *Key {
	k := &Key{}
	if slices.Contains(above, s) {
		return k
	}
	above = append(above, s)
	fields := keyFields(s)
	for _, f := range fields {
		if f.Rel.Kind == NoRel {
			k.Fields = append(k.Fields, KeyField{f, 1, isAuto(f, len(fields)), isMade(s, f, len(fields))})
			k.Types = append(k.Types, f.Value)
			k.Leaves = append(k.Leaves, f)
			continue
		}
		target := f.Rel.Struct().findKey(above)
		k.Fields = append(k.Fields, KeyField{f, len(target.Types), false, false})
		k.Types = append(k.Types, target.Types...)
		k.Leaves = append(k.Leaves, target.Leaves...)
	}
	return k
}

// isAuto reports whether the database generates the key field f, one of n:
// if its tag says so, or if it is a single integer called ID without default.
func isAuto(f *Field, n int) bool {
	integer := f.Value.Kind == dialect.Int || f.Value.Kind == dialect.Uint
	return n == 1 && integer && f.Wrap == Plain && (f.Tag.Auto || f.Name == "ID" && f.Tag.Default == "")
}

// Table holds what a model says of its table as a whole. Columns are named as
// in lookups: snake_case names of fields.
type Table struct {
	// Name is the table's name, if it is not that of the naming rule.
	Name string
	// Unique lists sets of columns that are unique together.
	Unique [][]string
	// Indexes lists the columns of indexes.
	Indexes [][]string
	// Checks are conditions in SQL that every row meets.
	Checks []string
	// SpecialIndexes are those that Indexes cannot say.
	SpecialIndexes []Index
	// Comment is a note on the table, for those who read the database.
	Comment string
}

// A Tabler is a model that has table options.
type Tabler interface{ KinTable() Table }

// A Problem is a mistake in a model.
//
//nolint:errname // it is what is wrong, not an error that a call returns
type Problem struct {
	Model string
	Field string // may be empty
	Text  string
}

// Error implements error.
func (p Problem) Error() string {
	if p.Field == "" {
		return p.Model + " " + p.Text
	}
	return p.Model + "." + p.Field + " " + p.Text
}

// Parse reads the struct type t. recognise tells whether a type is that of a
// relation field.
func Parse(t reflect.Type, recognise func(reflect.Type) (RelField, bool)) *Struct {
	s := &Struct{Type: t, Name: t.Name()}
	if tabler, ok := reflect.TypeAssert[Tabler](reflect.New(t)); ok {
		s.Table = tabler.KinTable()
	}
	flattened := map[string]bool{"": true} // embedded structs, by index path
	for _, sf := range reflect.VisibleFields(t) {
		path := fmt.Sprint(sf.Index)
		if !flattened[fmt.Sprint(sf.Index[:len(sf.Index)-1])] && len(sf.Index) > 1 {
			continue
		}
		if !sf.IsExported() && !sf.Anonymous {
			continue
		}
		rel, isRel := recognise(sf.Type)
		tag, problems := parseTag(sf.Tag.Get("kin"), isRel)
		for _, p := range problems {
			s.problem(sf.Name, p)
		}
		if tag.Skip {
			continue
		}
		f := &Field{
			Name: sf.Name, Index: sf.Index, Type: sf.Type, Tag: tag, Rel: rel,
			Offset: offset(t, sf.Index), Codec: new(atomic.Value),
		}
		if rel.Kind == Tracking {
			s.tracking(f, sf.Anonymous)
			continue
		}
		if isRel {
			s.relation(f)
			continue
		}
		known := f.classify()
		if f.Value.Kind == dialect.Array && f.Encrypted == nil {
			known = f.keepsList() && f.Wrap != Pointer && !tag.Key
		}
		s.encrypted(f)
		switch {
		case known && sf.IsExported():
			s.behaviour(f)
			s.generated(f)
			s.Fields = append(s.Fields, f)
		case sf.Anonymous && sf.Type.Kind() == reflect.Struct:
			flattened[path] = true
		case sf.Anonymous && sf.Type.Kind() == reflect.Pointer:
			s.problem(sf.Name, "embeds a pointer; embed the struct itself, whose fields then are columns")
		case sf.IsExported():
			s.problem(sf.Name, fmt.Sprintf("has the type %s, which no column can hold; "+
				"give it Scan and Value methods, store it as JSON (`kin:\",json\"`) or leave it out (`kin:\"-\"`)", sf.Type))
		}
	}
	return s
}

func (s *Struct) problem(field, text string) {
	s.Problems = append(s.Problems, Problem{s.Name, field, text})
}

func (s *Struct) relation(f *Field) {
	tag := f.Tag
	switch {
	case tag.JSON, tag.Type != "", tag.Size != 0, tag.Auto:
		s.problem(f.Name, "has a tag option for columns (json, type, size or auto), but is a relation")
	case tag.SoftDelete:
		s.problem(f.Name, softDeleteTypes)
	case tag.Deterministic, tag.BoundTo != "":
		s.problem(f.Name, notEncrypted)
	case tag.Generated != "", tag.OmitZero:
		s.problem(f.Name, "has the tag option generated or omitzero, which is for columns, but is a relation")
	case tag.AutoCreate, tag.AutoUpdate, tag.Version:
		s.problem(f.Name, "has a tag option for values that kin sets (autocreate, autoupdate or version), but is a relation")
	case !f.Rel.Kind.HasColumns() && (tag.Key || tag.Null || tag.Unique || tag.Index ||
		tag.Default != "" || tag.Comment != "" || tag.OnDelete != "" || tag.OnUpdate != ""):
		s.problem(f.Name, "has a tag option for columns (pk, null, unique, index, default, comment, on_delete or on_update), but is a relation to many rows")
	case f.Rel.Kind == ToMany && (tag.Column != "" || tag.RelatedName != ""):
		s.problem(f.Name, "is a Reverse, which has no column: its tag takes via only")
	case f.Rel.Link != nil && tag.Column != "":
		s.problem(f.Name, "is a Through, whose table is that of its link model; take off the name")
	case f.Rel.Kind == Linked && f.Rel.Link == nil && tag.Via != "" && (tag.Column != "" || tag.RelatedName != ""):
		s.problem(f.Name, "is the far side of the relation that via names, which has the table and the related_name")
	case f.Rel.Kind == ToOne && tag.Via != "":
		s.problem(f.Name, "is a ForeignKey: via is for a Reverse, a ManyToMany or a Through")
	}
	s.Fields = append(s.Fields, f)
}

func (s *Struct) tracking(f *Field, embedded bool) {
	switch {
	case !embedded:
		s.problem(f.Name, "is a kin.Tracked with a name; embed it, without one")
	case s.Track != nil:
		s.problem(f.Name, "is embedded twice; once is enough")
	}
	s.Track = f
}

// offset returns where the field lies, from the start of t.
func offset(t reflect.Type, index []int) uintptr {
	var n uintptr
	for _, i := range index {
		if t.Kind() == reflect.Pointer {
			return 0 // reported as a problem
		}
		f := t.Field(i)
		n += f.Offset
		t = f.Type
	}
	return n
}

//nolint:gochecknoglobals // types to compare with
var (
	timeType     = reflect.TypeFor[time.Time]()
	rawJSONType  = reflect.TypeFor[json.RawMessage]()
	scannerType  = reflect.TypeFor[sql.Scanner]()
	valuerType   = reflect.TypeFor[driver.Valuer]()
	validFieldNo = 1
)

// classify finds out what the field stores, and reports whether a column can
// hold it.
func (f *Field) classify() bool {
	f.Base = f.Type
	if f.classifyEncrypted() {
		return true
	}
	switch t := f.Type; {
	case f.Tag.JSON:
		f.Marshal = true
		f.Value = dialect.Type{Kind: dialect.JSON}
		if t.Kind() == reflect.Pointer {
			f.Wrap, f.Base = Pointer, t.Elem()
		}
		return true
	case t.Kind() == reflect.Pointer:
		f.Wrap, f.Base = Pointer, t.Elem()
	case isSQLNull(t):
		f.Wrap, f.Base = Null, t.Field(0).Type
		f.ValidOffset = t.Field(validFieldNo).Offset
	}
	f.Value = valueType(f.Base)
	f.Value.Size = f.Tag.Size
	if f.Wrap == Plain && f.Base.Kind() == reflect.Slice && f.Value.Kind != dialect.Custom && f.Tag.Null {
		f.Wrap = Nil
	}
	return f.Value.Kind != dialect.Invalid
}

func isSQLNull(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == "database/sql" &&
		strings.HasPrefix(t.Name(), "Null") && t.NumField() == 2
}

func valueType(t reflect.Type) dialect.Type {
	switch {
	case t == timeType:
		return dialect.Type{Kind: dialect.Time}
	case t == rawJSONType:
		return dialect.Type{Kind: dialect.JSON}
	case isUUID(t):
		return dialect.Type{Kind: dialect.UUID}
	case (t.Implements(valuerType) || reflect.PointerTo(t).Implements(valuerType)) &&
		reflect.PointerTo(t).Implements(scannerType):
		return dialect.Type{Kind: dialect.Custom}
	}
	switch t.Kind() {
	case reflect.Bool:
		return dialect.Type{Kind: dialect.Bool}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return dialect.Type{Kind: dialect.Int, Bits: t.Bits()}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return dialect.Type{Kind: dialect.Uint, Bits: t.Bits()}
	case reflect.Float32, reflect.Float64:
		return dialect.Type{Kind: dialect.Float, Bits: t.Bits()}
	case reflect.String:
		return dialect.Type{Kind: dialect.String}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return dialect.Type{Kind: dialect.Bytes}
		}
		return listType(t.Elem())
	default:
	}
	return dialect.Type{}
}

// isUUID goes by the name: other types of sixteen bytes, such as ULIDs, have
// a text of their own.
func isUUID(t reflect.Type) bool {
	return t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8 && t.Name() == "UUID"
}
