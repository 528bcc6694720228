package plan

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// Raw is SQL that a user has written, with a ? for each argument.
type Raw struct {
	SQL  string
	Args []any
}

func (Raw) isValue() {}
func (Raw) isAsk()   {}

// A RawSQL is a Raw whose arguments are parameters. It is a condition or a
// value.
type RawSQL struct {
	SQL  string
	Args []driver.Value
}

func (*RawSQL) isCond() {}
func (*RawSQL) isExpr() {}

// raw resolves a user's SQL.
func (b *builder) raw(r Raw) (*RawSQL, error) {
	sql := &RawSQL{SQL: r.SQL, Args: make([]driver.Value, len(r.Args))}
	for i, x := range r.Args {
		v, err := hydrate.Param(x, b.traits)
		if err != nil {
			return nil, fmt.Errorf("kin: raw SQL: argument %d of %d: %w", i+1, len(r.Args), err)
		}
		sql.Args[i] = v
	}
	return sql, nil
}

// rawCond resolves a user's SQL as a condition on the rows of at.
func (b *builder) rawCond(at *Table, r Raw) (Cond, error) {
	sql, err := b.raw(r)
	if err != nil || !renamed(at) {
		return sql, err
	}
	sel := onceMore(at)
	sel.Columns, sel.Where = []Expr{Number(1)}, Both(sql, sel.Where)
	return &There{sel}, nil
}

// rawValue resolves a user's SQL as a value of each row of at.
func (b *builder) rawValue(at *Table, r Raw) (Expr, error) {
	sql, err := b.raw(r)
	if err != nil || !renamed(at) {
		return sql, err
	}
	sel := onceMore(at)
	sel.Columns = []Expr{sql}
	return Nested{Select: sel}, nil
}

// onceMore returns a SELECT of the row of a table once more, under the table's name.
func onceMore(t *Table) *Select {
	own := &Table{Model: t.Model, Alias: t.Model.Table}
	var same All
	for _, c := range t.Model.Key {
		same = append(same, &Test{X: Ref{own, c}, Y: Ref{t, c}, Op: lookup.Exact})
	}
	return &Select{From: &From{Table: own}, Where: same}
}

// renamed reports whether the rows of a table go by another name than the
// table's, as those of a subquery and those behind a link do. SQL that names
// columns by the table's would not find them, or, worse, find those of a row
// around: it is given the table once more, under its own name, and of that the
// row with the same key. What has no key has no table either.
func renamed(t *Table) bool { return t.Alias != t.Model.Table && len(t.Model.Key) > 0 }

// RawShape returns how rows of a model are read from a result whose columns
// have these names: all of the model's must be there, and no others.
func RawShape(m *schema.Model, names []string) (*hydrate.Shape, error) {
	slots := map[*schema.Column]int{}
	for _, c := range m.Columns {
		i, err := RawColumn(names, c.Name)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			return nil, fmt.Errorf("the result has no column %q, which %s needs; select it, or read into a struct of its own", c.Name, c.GoName())
		}
		slots[c] = i
	}
	if len(names) > len(m.Columns) {
		for _, name := range names {
			if !slices.ContainsFunc(m.Columns, func(c *schema.Column) bool { return strings.EqualFold(c.Name, name) }) {
				return nil, fmt.Errorf("the result has a column %q, which %s has not; read into a struct of its own", name, m.Name)
			}
		}
	}
	root := &node{model: m}
	hn := newShapeNode(root)
	hn.Repeats = true
	fillSlots(hn, root, func(c *schema.Column) int { return slots[c] })
	shape := &hydrate.Shape{ArmSlot: -1, RootSlot: -1, Nodes: []*hydrate.Node{hn}, Arms: [][]int{{0}}, Width: len(names)}
	shape.Prepare()
	return shape, nil
}

// RawColumn returns the place of the column with the name, in this case or
// another, or -1. Two of them are an error.
func RawColumn(names []string, name string) (int, error) {
	found, exact := -1, false
	for i, n := range names {
		same := n == name
		if !same && (exact || !strings.EqualFold(n, name)) {
			continue
		}
		if found >= 0 && same == exact {
			return -1, fmt.Errorf("the result has two columns %q; give one of them another name", n)
		}
		found, exact = i, same
	}
	return found, nil
}
