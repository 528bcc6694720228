package hydrate

import (
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
)

// A Shape says where in a result's rows the columns of which models are, and
// how the models' rows hang together. It is made once for a statement and
// may be used by several Readers at once.
type Shape struct {
	Nodes []*Node // parents before children; the first is the root
	// Arms lists the nodes that each arm of the statement has columns of, and
	// ArmSlot says where the arm's number is, or -1 if there is only one.
	Arms    [][]int
	ArmSlot int
	// RootSlot is where the number of the root is that a row belongs to, in a
	// statement with arms that is read root by root; else -1.
	RootSlot int
	Width    int
	// Places are where the values are by which the roots are sorted, if they
	// were asked for.
	Places []ColumnSlot

	models []*schema.Model // that need a table
	idle   sync.Pool       // of *Reader
}

// A Node is a model's rows at one place in the tree that is loaded.
type Node struct {
	Model    *schema.Model
	Relation *schema.Relation // from the parent; nil for the root
	Parent   int

	// Homes are the fields of the parent that the rows of a to-many relation
	// are put into.
	Homes []Home
	// KeyColumns are what rows are told apart by: the primary key, or for a
	// link table without struct that of the rows that it leads to. KeySlots
	// are where they are.
	KeyColumns []*schema.Column
	KeySlots   []int
	Columns    []ColumnSlot
	Keys       []KeySlots // the foreign keys
	// Unread are the fields whose columns the statement leaves out, and
	// UnreadKeys the foreign keys among them.
	Unread     []*schema.Field
	UnreadKeys []*schema.Relation
	// ParentSlots are where the key of the parent is, if the parent has no
	// columns in the same rows.
	ParentSlots []int
	// OrdSlot is where a number is that the rows are sorted by, among those
	// of one parent; -1 if there is none. ByKey is whether they are sorted by
	// the primary key, which is one integer.
	OrdSlot int
	ByKey   bool
	// Ordered is whether an order was asked for: where a relation of a row is
	// loaded by two paths, it goes before the default one.
	Ordered bool
	// Repeats is whether a row may come again elsewhere than in the next row.
	Repeats bool
	// Apart is whether the rows, which the parent's foreign key leads to, come
	// without those that lead to them.
	Apart bool
	// Loose is whether rows may name a parent that does not come: they are left
	// out, with all that hangs on them.
	Loose bool
	// NeedTable is whether others look this node's rows up by key.
	NeedTable bool
	// Given is whether the rows are in memory already, and not read.
	Given bool
	// Alone is whether the rows are no values of their model: they stand for
	// them.
	Alone bool
	// KeepRows is whether rows are kept that no other needs, and KeepKeys
	// whether their keys are: for statements that follow.
	KeepRows, KeepKeys bool

	key       keyReader
	parentKey keyReader
	table     int // in Shape.models, or -1
	keep      bool
	hooked    bool // whether rows have an AfterLoad hook
	decode    []slotDecoder
	box       boxer
	slice     reflect.Type // of the model's rows
	layout    *Layout      // nil if the model is not tracked
	left      []bool       // of the layout's fields: those that are not read; nil if all are
	size      size
	apart     []apart
	ofPair    bool // whether the parent is a row of a link table without struct
}

// An apart is a foreign key whose rows come apart, in a node.
type apart struct {
	field *schema.Field
	node  int
}

// A size is how many rows of a node the last Reader has read, that is, about how
// many the next one will: what is made room for.
type size struct {
	made  atomic.Int32 // rows that memory was taken for
	rows  atomic.Int32 // rows that were kept
	links atomic.Int32
}

// A Home is a field that holds the rows of a node, or those of its child
// Target, to which they are the links; then Links is whether it holds the
// node's rows too.
type Home struct {
	Field  *schema.Field
	Target int // -1 if there is none
	Links  bool
}

// A ColumnSlot is where a column is.
type ColumnSlot struct {
	Column *schema.Column
	Slot   int
}

// KeySlots are where a foreign key is.
type KeySlots struct {
	Relation *schema.Relation
	Slots    []int

	key keyReader
}

type slotDecoder struct {
	slot   int
	spot   spot
	decode decoder
	column *schema.Column
}

// Prepare completes the shape once its exported fields are set.
func (s *Shape) Prepare() {
	count := map[*schema.Model]int{}
	for _, n := range s.Nodes {
		count[n.Model]++
	}
	for i, n := range s.Nodes {
		n.key = newKeyReader(n.KeySlots, n.KeyColumns)
		n.box = newBoxer(rowType(n.Model))
		n.slice = reflect.SliceOf(rowType(n.Model))
		n.layout = LayoutOf(n.Model.Struct)
		n.left = n.layout.left(n.Unread)
		n.ofPair = i > 0 && s.Nodes[n.Parent].Model.Bare
		n.hooked = n.Model.Struct.Hooks.Has(schema.AfterLoad)
		n.table, n.keep = -1, n.keep || n.KeepRows
		if n.NeedTable || n.Repeats || count[n.Model] > 1 && !n.Model.Bare {
			n.table = s.tableOf(n.Model)
		}
		for j, child := range s.Nodes[i+1:] {
			if child.Parent == i && child.Apart {
				n.apart = append(n.apart, apart{child.Relation.Field, i + 1 + j})
			}
			if child.Parent == i && child.Relation.Kind == schema.ToMany {
				n.keep = true
				if child.ParentSlots != nil {
					child.parentKey = newKeyReader(child.ParentSlots, n.KeyColumns)
				}
			}
		}
		for j := range n.Keys {
			n.Keys[j].key = newKeyReader(n.Keys[j].Slots, n.Keys[j].Relation.FromColumns)
		}
		for _, c := range n.Columns {
			n.decode = append(n.decode, slotDecoder{c.Slot, spotOf(c.Column.Field), decoderOf(c.Column), c.Column})
		}
	}
	s.Nodes[0].keep = true
}

func (s *Shape) tableOf(m *schema.Model) int {
	for i, other := range s.models {
		if other == m && !m.Bare { // a bare one's rows are those of one direction
			return i
		}
	}
	s.models = append(s.models, m)
	return len(s.models) - 1
}

func types(columns []*schema.Column) []dialect.Type {
	ts := make([]dialect.Type, len(columns))
	for i, c := range columns {
		ts[i] = c.Value
	}
	return ts
}

func isInt(t dialect.Type) bool { return t.Kind == dialect.Int || t.Kind == dialect.Uint }

// A place is a row of a node.
type place struct {
	row Pointer // nil if there is none
	at  int32   // in the node's rows, if it keeps them
}
