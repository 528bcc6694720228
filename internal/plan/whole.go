package plan

import (
	"slices"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// wholeTable reports whether the query reads all rows of its table, in the order of
// their key, with others that a join would repeat: then each table is read once,
// by wholeArms.
func (b *builder) wholeTable(root *node, where Cond) bool {
	q := &b.query
	return b.allRoots(where) && !q.Reverse && !q.Stream && q.Level == nil && len(root.order) == 0 && singleInt(root.model) && slices.ContainsFunc(root.children, (*node).repeats)
}

// repeats reports whether a join would repeat a row: of n, because several rows
// lead to it, or of its parent, because it leads to several.
func (n *node) repeats() bool {
	return n.toMany() || !n.relation.Unique || slices.ContainsFunc(n.children, (*node).repeats)
}

// wholeArms plans a statement that reads each table once: beside the to-many
// relations, the rows that foreign keys lead to are arms of their own, so that
// a row to which many lead comes once and not with each of these. What rows are
// read is asked of the rows that lead to them, not of a join.
//
// It is for queries of all rows of a table. Where conditions or a limit leave few
// of them, their keys would be looked up again for each arm, and a join is less
// work: measured in docs/decisions.md.
func (b *builder) wholeArms(root *node, nodes []*node) *Statement {
	a := newArms(b, nodes)
	a.whole = true
	var targets, rows []*node
	for _, n := range nodes {
		n.apart = n != root && n.shares()
		switch {
		case n.apart:
			targets = append(targets, n)
		case n == root, n.toMany():
			rows = append(rows, n)
		}
	}
	// A row that another leads to had best come before it, which can be given it
	// at once. Databases do not promise to keep to that.
	slices.Reverse(targets)
	a.plan(append(targets, rows...))
	return a.s
}

// shares reports whether n's rows are read once, in an arm of their own, for all
// rows that lead to them by a foreign key. Keys of other kinds may be equal to
// the database and not be the same.
func (n *node) shares() bool {
	r := n.relation
	return r.Kind == schema.ToOne && !r.Unique && n.parent.target() == nil && !n.parent.model.Bare && !n.model.Bare && ByInts(r)
}

// ByInts reports whether a relation's keys are integers, which are the same
// wherever the database takes them for equal.
func ByInts(r *schema.Relation) bool {
	return !slices.ContainsFunc(slices.Concat(r.FromColumns, r.ToColumns), func(c *schema.Column) bool {
		return c.Value.Kind != dialect.Int && c.Value.Kind != dialect.Uint
	})
}

// unasked reports whether the rows of n are read without asking whether their
// parents are there: these are all of their table, and the reader leaves out what
// a foreign key that leads nowhere has there. It must be able to tell, of rows
// below n too, which it then leaves out as well.
func (a *armBuilder) unasked(n *node) bool {
	return n.toMany() && a.everything(n.parent) && !n.strict()
}

// strict reports whether rows of n, or below it, go by keys of which the reader
// cannot tell whether their parent is there.
func (n *node) strict() bool {
	return n.toMany() && !ByInts(n.relation) || slices.ContainsFunc(n.children, (*node).strict)
}

// present returns the condition that none of the columns is NULL, and also, which
// may be nil as the result may.
func present(t *Table, columns []*schema.Column, also Cond) Cond {
	for _, column := range columns {
		if column.Nullable {
			also = Both(Not{&Cmp{Ref: Ref{t, column}, Op: lookup.IsNull}}, also)
		}
	}
	return also
}

// rowsOf returns a SELECT of the rows of n, and their table: of those that rows
// of its parent lead to.
func (a *armBuilder) rowsOf(n *node) (*Select, *Table) {
	if n.parent == nil {
		from := a.root()
		return &Select{From: from}, from.Table
	}
	t := a.table(n.relation)
	scope := t.Scope
	t.Scope = nil // which the SELECT meets
	if a.unasked(n) {
		return &Select{From: &From{Table: t}, Where: present(t, n.relation.ToColumns, scope)}, t
	}
	keys, parent := a.keysFrom(n)
	if n.apart && a.traits.DistinctKeys {
		return &Select{From: ofKeys(keys, parent, n.relation, t), Where: scope}, t
	}
	keys.Columns = refs(parent, n.relation.FromColumns)
	// The children of all rows are nearly all of their table.
	in := &InSelect{Refs: refs(t, n.relation.ToColumns), Select: keys, Most: n.toMany() && a.everything(n.parent)}
	return &Select{From: &From{Table: t}, Where: Both(in, scope)}, t
}

// keysFrom is rowsOf for the keys that lead on from there. Where it is known that
// the rows are all of their table, it is not asked: should a foreign key lead
// nowhere all the same, rows are read that nothing refers to.
func (a *armBuilder) keysFrom(child *node) (*Select, *Table) {
	n := child.parent
	if n.parent == nil || !a.everything(n) || child.strict() {
		return a.rowsOf(n)
	}
	t := a.table(n.relation)
	return &Select{From: &From{Table: t}}, t
}

// everything reports whether the rows of n are all of their table: the roots,
// and children that have one of them each for a parent.
func (a *armBuilder) everything(n *node) bool {
	return n.parent == nil || n.toMany() && a.everything(n.parent) && !a.hides(n.model) &&
		!slices.ContainsFunc(n.relation.ToColumns, func(c *schema.Column) bool { return c.Nullable })
}
