package hydrate

import (
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/value"
)

// A RecordSlice is a field for the rows at the end of a path to many.
type RecordSlice struct {
	Name   string // in lookups
	Text   string // the path
	Elem   *Record
	Scalar bool // whether an element is one value, and no struct

	path    string // for messages
	typ     reflect.Type
	pointer bool // whether the elements are pointers
	spot    spot
}

// slice adds a slice of structs, or of values.
func (r *Record) slice(sf reflect.StructField, path, where string) error {
	s := RecordSlice{Name: schema.SnakeCase(sf.Name), Text: path, path: fmt.Sprintf("%s.%s", r.typ, where), typ: sf.Type, spot: spotIn(sf)}
	t := sf.Type.Elem()
	if s.pointer = t.Kind() == reflect.Pointer; s.pointer {
		t = t.Elem()
	}
	if r.deep == maxDeep {
		return fmt.Errorf("%s is nested more than %d levels deep", s.path, maxDeep)
	}
	if s.Scalar = schema.Scalar(sf.Type.Elem()) != nil; s.Scalar {
		var err error
		s.pointer = false
		s.Elem, err = ValueOf(sf.Type.Elem())
		r.Slices = append(r.Slices, s)
		return err
	}
	if t.Kind() != reflect.Struct {
		return fmt.Errorf("%s has the type %s, which no value can be read into", s.path, sf.Type)
	}
	s.Elem = &Record{typ: r.typ, deep: r.deep + 1}
	if err := s.Elem.add(t, "", where); err != nil {
		return err
	}
	s.Elem.typ = t
	r.Slices = append(r.Slices, s)
	return nil
}

// A Nest says how the arms of a statement become structs with slices in them.
// Each row has, in this order, the number of its arm, that of its root, and its
// own among the rows of its arm; then what it and those above go by, and its values.
type Nest struct {
	Arms  []NestArm // that of the roots first, each before those of its slices
	Width int       // of the rows
}

// A NestArm is what an arm has.
type NestArm struct {
	Record *Record
	Slice  *RecordSlice // nil for the roots
	Parent int          // the arm of the structs that it is a slice of
	// Keys are where the keys are of the rows on the way from the root. The
	// first Above of them are the parent's.
	Keys  []ColumnSlot
	Above int
	First int // the place of the first value
}

// The places of what each row begins with, and how many they are.
const (
	nestArm = iota
	nestRoot
	nestOrder
	NestHead
)

// A NestReader reads the rows of one result.
type NestReader struct {
	nest *Nest
	rows [][]nestRow
}

type nestRow struct {
	order     int64
	id, above string
	values    []driver.Value
}

// NewNestReader returns a reader for rows of the nest.
func NewNestReader(n *Nest) *NestReader { return &NestReader{n, make([][]nestRow, len(n.Arms))} }

// Row keeps a row.
func (r *NestReader) Row(row []driver.Value) error {
	var head [NestHead]int64
	for i := range head {
		n, err := value.Int(row[i])
		if err != nil {
			return err
		}
		head[i] = n
	}
	arm := &r.nest.Arms[head[nestArm]]
	id := binary.LittleEndian.AppendUint64(nil, uint64(head[nestRoot]))
	above := len(id)
	for i, k := range arm.Keys {
		key, err := rel.ReadKey(k.Column.Value, row[k.Slot])
		if err != nil {
			return columnError(k.Column, err)
		}
		id = binary.LittleEndian.AppendUint64(id, key.N[0])
		id = binary.LittleEndian.AppendUint64(id, key.N[1])
		id = binary.AppendUvarint(id, uint64(len(key.S)))
		id = append(id, key.S...)
		if i < arm.Above {
			above = len(id)
		}
	}
	kept := nestRow{order: head[nestOrder], id: string(id), values: slices.Clone(row[arm.First : arm.First+len(arm.Record.Fields)])}
	kept.above = kept.id[:above]
	for i, v := range kept.values {
		if b, ok := v.([]byte); ok { // which is the driver's
			kept.values[i] = bytes.Clone(b)
		}
	}
	r.rows[head[nestArm]] = append(r.rows[head[nestArm]], kept)
	return nil
}

// Finish reads the roots, in order, each into what next returns.
func (r *NestReader) Finish(next func() any) error {
	made := make([]map[string]reflect.Value, len(r.rows)) // the slices of each arm
	for i := len(r.rows) - 1; i >= 0; i-- {
		arm, rows := &r.nest.Arms[i], r.rows[i]
		slices.SortFunc(rows, func(a, b nestRow) int { return int(a.order - b.order) })
		if arm.Slice == nil {
			for j := range rows {
				if err := r.read(i, pointerOf(reflect.ValueOf(next())), &rows[j], made); err != nil {
					return err
				}
			}
			return nil
		}
		count := make(map[string]int, len(rows))
		for _, row := range rows {
			count[row.above]++
		}
		made[i] = make(map[string]reflect.Value, len(count))
		for j := range rows {
			list, begun := made[i][rows[j].above]
			if !begun {
				list = reflect.MakeSlice(arm.Slice.typ, 0, count[rows[j].above])
			}
			list = list.Slice(0, list.Len()+1)
			elem := list.Index(list.Len() - 1)
			if arm.Slice.pointer {
				elem.Set(reflect.New(elem.Type().Elem()))
				elem = elem.Elem()
			}
			if err := r.read(i, pointerOf(elem.Addr()), &rows[j], made); err != nil {
				return err
			}
			made[i][rows[j].above] = list
		}
	}
	return nil
}

// read reads a row of an arm, with its slices, which are there already.
func (r *NestReader) read(arm int, p Pointer, row *nestRow, made []map[string]reflect.Value) error {
	if err := r.nest.Arms[arm].Record.read(p, row.values); err != nil {
		return err
	}
	for i := arm + 1; i < len(r.nest.Arms); i++ {
		below := &r.nest.Arms[i]
		if below.Parent != arm {
			continue
		}
		list, some := made[i][row.id]
		if !some {
			list = reflect.MakeSlice(below.Slice.typ, 0, 0)
		}
		valueAt(below.Slice.typ, below.Slice.spot.in(p)).Set(list)
	}
	return nil
}
