package plan

import (
	"slices"

	"github.com/kin-orm/kin/internal/schema"
)

// A branch is a to-many relation of a table. Pairs of one call that follow the
// same one speak of one row of it.
type branch struct {
	table    *Table
	relation *schema.Relation
}

// every returns the condition that all parts are met. Those that go on through
// the same to-many relation speak of the same row there.
func (b *builder) every(parts []*tree) (Cond, error) {
	all := make(All, 0, len(parts))
	var open []*tree
	for _, part := range parts {
		if err := b.advance(part); err != nil {
			return nil, err
		}
		if part.cond != nil {
			all = append(all, part.cond)
		} else {
			open = append(open, part)
		}
	}
	for _, group := range connected(open) {
		c, err := b.together(group)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return conjunction(all), nil
}

// connected parts trees into groups that have no branch in common.
func connected(parts []*tree) [][]*tree {
	if len(parts) == 0 {
		return nil
	}
	var groups [][]*tree
	at := map[branch]int{}
	for _, part := range parts {
		into := -1
		for key := range part.branches() {
			i, ok := at[key]
			switch {
			case !ok || i == into:
			case into < 0:
				into = i
			default: // it joins two groups
				first, second := min(into, i), max(into, i)
				groups[first] = append(groups[first], groups[second]...)
				groups[second] = nil
				for k, g := range at {
					if g == second {
						at[k] = first
					}
				}
				into = first
			}
		}
		if into < 0 {
			into = len(groups)
			groups = append(groups, nil)
		}
		groups[into] = append(groups[into], part)
		for key := range part.branches() {
			at[key] = into
		}
	}
	return slices.DeleteFunc(groups, func(g []*tree) bool { return g == nil })
}

func (p *step) branch() branch { return branch{p.at, p.hops[0]} }

// branches calls yield for the branch of every pair of the tree that is at
// one.
func (t *tree) branches() func(yield func(branch, *step) bool) {
	return func(yield func(branch, *step) bool) { t.visit(yield) }
}

func (t *tree) visit(yield func(branch, *step) bool) bool {
	if t.cond != nil {
		return true
	}
	if t.step != nil {
		return yield(t.step.branch(), t.step)
	}
	for _, part := range t.parts {
		if !part.visit(yield) {
			return false
		}
	}
	return true
}

// together returns the condition that all parts are met, which branches
// connect. It is that there is a row of the first branch for which they are;
// or, where they do not all need one, that they are met without it.
func (b *builder) together(parts []*tree) (Cond, error) {
	if len(parts) == 1 && parts[0].step == nil {
		if parts[0].some {
			return b.some(parts[0].parts)
		}
		return b.every(parts[0].parts)
	}
	var key branch
	for key = range parts[0].branches() {
		break
	}
	c, err := b.within(key, parts, b.every)
	if err != nil || slices.ContainsFunc(parts, func(t *tree) bool { return t.step != nil && t.step.branch() == key }) {
		return c, err
	}
	rest := make([]*tree, len(parts))
	for i, part := range parts {
		rest[i] = part.without(key)
	}
	without, err := b.every(rest)
	return disjunction(Any{c, without}), err
}

// within returns the condition that a row of the branch is there for which the
// parts are met, every or some of them.
func (b *builder) within(key branch, parts []*tree, met func([]*tree) (Cond, error)) (Cond, error) {
	var targets []*schema.Relation
	for _, part := range parts {
		for k, p := range part.branches() {
			if k == key {
				targets = append(targets, p.target)
			}
		}
	}
	inner := b.linked(key.relation, targets...)
	moved := make([]*tree, len(parts))
	for i, part := range parts {
		moved[i] = part.into(key, place{inner, inner.Table})
	}
	c, err := met(moved)
	switch {
	case err != nil || c == Const(false):
		return c, err
	case c == Const(true):
		c = nil
	}
	return &Exists{Relation: key.relation, Parent: key.table, From: inner, Where: c}, nil
}

// into returns the tree with the pairs of a branch one hop on, at the place to
// which it leads.
func (t *tree) into(key branch, to place) *tree {
	switch {
	case t.cond != nil:
		return t
	case t.step == nil:
		copied := &tree{some: t.some, parts: make([]*tree, len(t.parts))}
		for i, part := range t.parts {
			copied.parts[i] = part.into(key, to)
		}
		return copied
	case t.step.branch() != key:
		return t
	}
	moved := *t.step
	moved.place, moved.hops = to, moved.hops[1:]
	moved.waits, moved.target, moved.inside = false, nil, true
	return &tree{step: &moved}
}

// without returns the tree as it is where the branch has no row.
func (t *tree) without(key branch) *tree {
	switch {
	case t.cond != nil:
		return t
	case t.step == nil:
		copied := &tree{some: t.some, parts: make([]*tree, len(t.parts))}
		for i, part := range t.parts {
			copied.parts[i] = part.without(key)
		}
		return copied
	case t.step.branch() != key:
		return t
	}
	return &tree{cond: Const(false)}
}

// A sole is what pairs have in common that are asked about the rows of one
// branch at once: the branch, and the way to its far side.
type sole struct {
	branch branch
	target *schema.Relation
}

// some returns the condition that one of the parts is met. Those that are
// about one branch alone are asked about its rows at once.
func (b *builder) some(parts []*tree) (Cond, error) {
	found := make(Any, 0, len(parts))
	groups := map[sole]int{}
	var open [][]*tree
	for _, part := range parts {
		if err := b.advance(part); err != nil {
			return nil, err
		}
		if part.cond != nil {
			found = append(found, part.cond)
			continue
		}
		if part.step == nil {
			open = append(open, []*tree{part})
			continue
		}
		key := sole{part.step.branch(), part.step.target}
		i, ok := groups[key]
		if !ok {
			i = len(open)
			open, groups[key] = append(open, nil), i
		}
		open[i] = append(open[i], part)
	}
	for _, group := range open {
		var c Cond
		var err error
		if len(group) > 1 {
			c, err = b.within(group[0].step.branch(), group, b.some)
		} else {
			c, err = b.together(group)
		}
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return disjunction(found), nil
}
