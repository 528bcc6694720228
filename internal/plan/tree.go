package plan

import (
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// A place is a table whose rows a condition is about, and the From that what
// it joins goes into.
type place struct {
	from *From
	at   *Table
}

// A step is a pair on its way along its path.
type step struct {
	path  lookup.Path
	hops  []*schema.Relation // that are left
	value any
	slot  int // that stands for value, or 0
	place
	top *Table // whose rows expressions are about
	// rows is what the rows at the end of the path must meet, in place of a
	// comparison.
	rows Ask
	// among is the subquery that has the value at the end of the path, in place
	// of a comparison.
	among *Among
	// waits is whether the next hop is to many. Then target is the foreign key
	// to the far side of the many-to-many relation whose link it is, or nil.
	waits  bool
	target *schema.Relation
	// inside is whether it has followed a to-many relation.
	inside bool
}

// A tree is a condition whose pairs are on their way: a group, or one of them.
// In the end it is a Cond.
type tree struct {
	some  bool // whether one of the parts is enough
	parts []*tree
	step  *step
	cond  Cond
}

// ask returns a condition over the rows of a place.
func (b *builder) ask(at place, a Ask) (Cond, error) {
	t, err := b.grow(at, a)
	if err != nil {
		return nil, err
	}
	return b.settle(t)
}

func (b *builder) grow(at place, a Ask) (*tree, error) {
	if b.depth++; b.depth > MaxDepth {
		return nil, errDepth
	}
	defer func() { b.depth-- }()
	switch a.(type) {
	case Related, Searched, Among, Reached:
		if err := b.ofRow(at.at); err != nil {
			return nil, err
		}
	}
	switch a := a.(type) {
	case Pair:
		if v, op, ok := b.annotated(at, a); ok {
			if err := b.guards.guard.named(at.at.Model, a.Lookup); err != nil {
				return nil, err
			}
			c, err := b.comparedBy(at, v, op, a.Value)
			return &tree{cond: c}, err
		}
		p, err := b.pair(at, a)
		return &tree{step: p}, err
	case Group:
		return b.groupOf(at, a)
	case Negated:
		c, err := b.ask(at, a.Ask)
		return &tree{cond: negate(c)}, err
	case Related:
		c, err := b.related(at, a)
		return &tree{cond: c}, err
	case Compared:
		c, err := b.compared(at, a)
		return &tree{cond: c}, err
	case JSONHolds:
		c, err := b.holds(at, a)
		return &tree{cond: c}, err
	case Searched:
		s, err := b.search(at.at, a)
		if s == nil {
			return &tree{cond: Const(false)}, err
		}
		return &tree{cond: s}, err
	case Exist:
		c, err := b.exist(at, a)
		return &tree{cond: c}, err
	case Among:
		c, err := b.among(at, a)
		return &tree{cond: c}, err
	case Reached:
		c, err := b.reaches(at, a)
		return &tree{cond: c}, err
	case Raw:
		c, err := b.rawCond(at.at, a)
		return &tree{cond: c}, err
	case Guarded:
		around := b.guards
		if a.Guard != nil {
			b.guards.guard = a.Guard
		}
		b.guards.own = b.guards.own || a.Own
		t, err := b.grow(at, a.Ask)
		b.guards.guard, b.guards.own = around.guard, around.own
		return t, err
	case Wrong:
		return nil, a.Err
	}
	return nil, errEmpty
}

func (b *builder) groupOf(at place, g Group) (*tree, error) {
	parts, err := g.parts(&b.budget)
	if err != nil {
		return nil, err
	}
	t := &tree{some: g.How == Some, parts: make([]*tree, len(parts))}
	var odd Odds
	for i, part := range parts {
		if t.parts[i], err = b.grow(at, part); err != nil {
			return nil, err
		}
		if g.How == Odd { // each is a question of its own
			c, err := b.settle(t.parts[i])
			if err != nil {
				return nil, err
			}
			odd = append(odd, c)
		}
	}
	if g.How == Odd {
		return &tree{cond: parity(odd)}, nil
	}
	return t, nil
}

// pair resolves the path of a pair.
func (b *builder) pair(at place, p Pair) (*step, error) {
	if err := b.ofRow(at.at); err != nil {
		return nil, err
	}
	text := p.Lookup
	if p.Path.given() {
		var err error
		if text, err = p.Path.At(at.at.Model); err != nil {
			return nil, err
		}
		path, err := lookup.Member(at.at.Model, text)
		path.Op = p.Op
		return newStep(at, path, p), err
	}
	path, err := lookup.Condition(at.at.Model, text)
	if err == nil {
		err = b.guardPair(at.at.Model, path, p.Value)
	}
	return newStep(at, path, p), err
}

func newStep(at place, path lookup.Path, p Pair) *step {
	s := &step{path: path, hops: path.Hops, value: p.Value, place: at, top: at.at}
	if slots(path.Op) {
		s.slot = p.Slot
	}
	return s
}

// related returns the condition that some, none or every one of the rows at
// the end of a path meets another.
func (b *builder) related(at place, r Related) (Cond, error) {
	text, err := r.Path.At(at.at.Model)
	if err != nil {
		return nil, err
	}
	path, err := lookup.Relation(at.at.Model, text)
	if err == nil {
		err = b.lazily(at.at.Model, r.Path, path)
	}
	if err != nil {
		return nil, err
	}
	defer b.guards.beyond(at.at.Model, path.Hops)()
	if end := path.Hops[len(path.Hops)-1].To; r.Model != nil && r.Model != end.Type {
		return nil, (step{path: path}).errorf("leads to %s, but the conditions are about %s", end.Name, r.Model.Name())
	}
	rows := r.Ask
	if rows == nil {
		rows = Group{}
	}
	if r.How == EveryRow {
		rows = Negated{rows}
	}
	c, err := b.settle(&tree{step: &step{path: path, hops: path.Hops, place: at, top: at.at, rows: rows}})
	if err != nil || r.How == SomeRow {
		return c, err
	}
	return negate(c), nil
}

// settle makes a condition of a tree.
func (b *builder) settle(t *tree) (Cond, error) {
	switch {
	case t.cond != nil:
		return t.cond, nil
	case t.step != nil:
		return b.every([]*tree{t})
	case t.some:
		return b.some(t.parts)
	}
	return b.every(t.parts)
}

// advance takes all pairs of a tree as far as foreign keys lead. If no
// to-many relation is left in it, it becomes a condition.
func (b *builder) advance(t *tree) (err error) {
	switch {
	case t.cond != nil:
		return nil
	case t.step != nil:
		t.cond, err = b.follow(t.step)
		return err
	}
	open := false
	for _, part := range t.parts {
		if err := b.advance(part); err != nil {
			return err
		}
		open = open || part.cond == nil
	}
	if !open {
		t.cond, err = b.settle(t)
	}
	return err
}

// follow takes a pair to the next to-many relation, or to its end: then it
// returns its condition.
func (b *builder) follow(p *step) (Cond, error) {
	if p.waits {
		return nil, nil
	}
	for len(p.hops) > 0 && p.hops[0].Kind == schema.ToOne && !p.ends() {
		p.at = b.join(p.from, p.at, p.hops[0], p.inside && p.rows != nil)
		p.hops = p.hops[1:]
	}
	if len(p.hops) == 0 || p.hops[0].Kind == schema.ToOne {
		switch {
		case p.rows != nil:
			return b.met(p)
		case p.among != nil:
			return b.isAmong(p.at, *p)
		}
		return b.leaf(p.at, *p)
	}
	if c, err := p.none(b); c != nil || err != nil {
		return c, err
	}
	p.target = p.targeted()
	p.hops = slices.Concat(p.hops[0].Hops(), p.hops[1:])
	p.waits = true
	return nil, nil
}

// met returns the condition that the row at the end of the path is there and
// meets what is asked of it.
func (b *builder) met(p *step) (Cond, error) {
	c, err := b.ask(place{p.from, p.at}, p.rows)
	if b.outer[p.at] {
		there := Not{&Cmp{Ref: Ref{p.at, p.at.Model.Key[0]}, Op: lookup.IsNull}}
		return conjunction(All{there, c}), err
	}
	return c, err
}

// none returns the condition of a pair that asks whether there are rows at the
// end of a to-many relation, else nil.
func (p *step) none(b *builder) (Cond, error) {
	if len(p.hops) != 1 || p.path.Column != nil || p.rows != nil || p.among != nil {
		return nil, nil
	}
	if hydrate.IsNull(p.value) {
		// No row at the end is what NULL is for a foreign key.
		switch p.path.Op {
		case lookup.Exact:
			p.path.Op, p.value = lookup.IsNull, true
		case lookup.Ne:
			p.path.Op, p.value = lookup.IsNull, false
		default:
		}
	}
	if p.path.Op != lookup.IsNull {
		return nil, nil
	}
	first := p.hops[0].Hops()[0]
	return b.isNull(*p, &Exists{Relation: first, Parent: p.at, From: b.linked(first, p.targeted())})
}
