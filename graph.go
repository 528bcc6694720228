package kin

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// Saved says how many rows of one model [SaveGraph] has saved.
type Saved struct {
	Model     string
	Inserted  int
	Updated   int
	Unchanged int // were not written: rows that are [Tracked] and as they were
}

// SaveGraph saves the roots and all rows that can be reached from them in
// memory, along foreign keys that have their row and collections that are
// loaded, and says how many, by model, in the order of their names. All rows
// are saved or none: if it fails, rows in memory are as they were too.
//
// As by [Save], rows whose primary key is not set are inserted, and the others
// updated; one of those that is not in the database is [ErrNotFound]. A row
// that is reached by several paths is saved once. Rows in a loaded collection
// are made to refer to the row that holds them, or linked to it, which costs a
// statement for each link table. Rows that were taken out of one are left alone:
// Remove is for them. Collections in memory stay as they are.
//
// The number of statements depends on that of models, not of rows, but for the
// chunks that many rows are written in. Rows that new rows refer to are
// inserted before them. Where the database cannot tell keys beforehand, as
// MariaDB, rows of a model that refer to each other, a tree, are inserted level
// by level. Where rows refer to each other in a circle, a foreign key that can
// be NULL is, until both are there; if none can, it is an error.
func SaveGraph[T any](ctx context.Context, db Executor, roots ...*T) ([]Saved, error) {
	s := db.session()
	models, m, err := toWrite[T](s)
	if err != nil {
		return nil, err
	}
	g := &graph{models: models, kinds: map[*schema.Model]*kind{}, at: map[any]int32{}}
	for i, root := range roots {
		if root == nil {
			return nil, fmt.Errorf("kin: save graph of %s: row %d of %d is nil", m.Name, i+1, len(roots))
		}
		g.add(m, root)
	}
	if err := g.save(ctx, s); err != nil {
		return nil, fmt.Errorf("kin: save graph of %s: %w", m.Name, err)
	}
	return g.saved(), nil
}

// A graph is rows that are saved together.
type graph struct {
	models *schema.Graph
	kinds  map[*schema.Model]*kind
	order  []*kind // in which they came up
	nodes  []node  // in the order in which they were reached
	at     map[any]int32
	pairs  []pair
}

// A kind is the rows of one model.
type kind struct {
	model        *schema.Model
	ones, manies []hydrate.Reach
	nodes        []int32
	saved        Saved
	changed      []any // those of the old rows that have something to write
	late         bool  // whether one of these waits for the key of a new row

	before reflect.Value // copies of the rows, to put back

	// For ordering the new rows:

	ready   []int32 // rows that wait for no other
	waiting int     // for how often rows wait for a row of another kind
}

// A node is a row.
type node struct {
	row    any
	kind   *kind
	fresh  bool
	owners []owner // whose collections hold the row
	needs  []need  // the new rows that it refers to
}

type owner struct {
	*schema.Relation // the foreign key that leads there
	row              any
}

type need struct {
	*schema.Relation
	on   int32
	held bool // NULL at first, and set once both rows are there
}

// add adds a row, if it is not there yet, and returns its place.
func (g *graph) add(m *schema.Model, row any) int32 {
	if i, known := g.at[row]; known {
		return i
	}
	k := g.kinds[m]
	if k == nil {
		k = &kind{model: m, saved: Saved{Model: m.Name}}
		k.ones, k.manies = hydrate.Reaches(m)
		g.kinds[m] = k
		g.order = append(g.order, k)
	}
	i := int32(len(g.nodes))
	g.nodes = append(g.nodes, node{row: row, kind: k})
	k.nodes = append(k.nodes, i)
	g.at[row] = i
	return i
}

// reach adds all rows that can be reached from those that are there.
func (g *graph) reach() error {
	var children []any
	for i := int32(0); int(i) < len(g.nodes); i++ { // which grow
		row, k := g.nodes[i].row, g.nodes[i].kind
		for _, r := range k.ones {
			if target := r.One(row); target != nil {
				g.add(r.Relation.To, target)
			}
		}
		for _, r := range k.manies {
			children = r.Many(children[:0], row)
			if n := slices.Index(children, nil); n >= 0 {
				return fmt.Errorf("row %d of %d in %s is nil", n+1, len(children), r.Relation.GoName())
			}
			if r.Relation.Via != nil {
				if err := g.link(r, row, children); err != nil {
					return err
				}
				continue
			}
			for _, child := range children {
				if err := g.own(g.add(r.Relation.To, child), owner{r.Relation.Inverse, row}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// own notes whose collection holds a row.
func (g *graph) own(child int32, o owner) error {
	n := &g.nodes[child]
	for _, other := range n.owners {
		if other.Relation == o.Relation && other.row != o.row {
			return fmt.Errorf("%s is in the collections of both %s and %s, but %s can lead to one of them",
				g.text(n.row), g.text(other.row), g.text(o.row), o.GoName())
		}
	}
	n.owners = append(n.owners, o)
	return nil
}

func (g *graph) text(row any) string {
	m := g.nodes[g.at[row]].kind.model
	key, err := hydrate.KeyOf(m.Struct.Key(), row)
	return keyText(m.Type, key, false, err)
}

// save saves all rows. If it fails, it puts those in memory back.
func (g *graph) save(ctx context.Context, s *session) error {
	if err := g.reach(); err != nil {
		return err
	}
	for i := range g.nodes {
		n := &g.nodes[i]
		var err error
		if n.fresh, err = isNew(n.kind.model, n.row); err != nil {
			return fmt.Errorf("a %s %w", n.kind.model.Name, err)
		}
	}
	g.copy()
	err := g.point()
	if err == nil {
		err = g.write(ctx, s)
	}
	if err != nil {
		g.restore()
		return err
	}
	for i := range g.nodes {
		hydrate.Bind(g.nodes[i].kind.model, g.nodes[i].row)
	}
	return nil
}

// copy keeps the rows as they are.
func (g *graph) copy() {
	for _, k := range g.order {
		k.before = reflect.MakeSlice(reflect.SliceOf(k.model.Type), len(k.nodes), len(k.nodes))
		for i, at := range k.nodes {
			k.before.Index(i).Set(reflect.ValueOf(g.nodes[at].row).Elem())
		}
	}
}

func (g *graph) restore() {
	for _, k := range g.order {
		for i, at := range k.nodes {
			reflect.ValueOf(g.nodes[at].row).Elem().Set(k.before.Index(i))
		}
	}
}

// point makes rows refer to those whose collections hold them.
func (g *graph) point() error {
	for i := range g.nodes {
		n := &g.nodes[i]
		for _, o := range n.owners {
			if !n.fresh && o.FromColumns[0].Key && !g.isAt(n.row, o) {
				return fmt.Errorf("%s is in a collection of %s, but %s is its primary key, which is not changed",
					g.text(n.row), g.text(o.row), o.GoName())
			}
			hydrate.Point(n.row, o.Relation, o.row)
		}
	}
	return nil
}

// isAt reports whether row refers to the owner already.
func (g *graph) isAt(row any, o owner) bool {
	key, null, err := hydrate.ForeignKeyOf(row, o.Field)
	want, wantErr := hydrate.KeyOf(o.To.Struct.Key(), o.row)
	return err == nil && wantErr == nil && !null && key == want
}

// saved returns the counts.
func (g *graph) saved() []Saved {
	list := make([]Saved, len(g.order))
	for i, k := range g.order {
		list[i] = k.saved
	}
	slices.SortStableFunc(list, func(a, b Saved) int { return cmp.Compare(a.Model, b.Model) })
	return list
}
