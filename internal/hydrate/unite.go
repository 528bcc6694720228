package hydrate

import (
	"slices"

	"github.com/kin-orm/kin/internal/schema"
)

// Unite decides, once the levels have their shapes, which of their rows are
// one value if they are one row of the database: all of a model, unless two
// places load a relation of it in different ways. A field can hold only one of
// these, so the rows of each place are then values of their own.
func Unite(first *Level) {
	u := &uniting{at: map[*Level][]*member{}}
	u.collect(first)
	for u.split() {
	}
	u.tables(first)
}

// A member is a node of one of the levels.
type member struct {
	node  *Node
	level *Level
	edges []edge
	group int
}

// An edge says that a field of a member's rows leads to rows of another.
type edge struct {
	field *schema.Field
	to    *member
	trim  any // what tells the rows apart from all; nil if they are all
}

type uniting struct {
	all    []*member
	at     map[*Level][]*member // by level and node
	levels []*Level
	groups int
}

// collect makes a member of each node of the level and those below it.
func (u *uniting) collect(l *Level) {
	u.levels = append(u.levels, l)
	members := make([]*member, len(l.Shape.Nodes))
	u.at[l] = members
	var above *member
	if l.Above != nil {
		above = u.at[l.Above][l.Source]
	}
	for i, n := range l.Shape.Nodes {
		if n.Given {
			members[i] = above
			continue
		}
		members[i] = &member{node: n, level: l}
		u.all = append(u.all, members[i])
	}
	for i, n := range l.Shape.Nodes {
		x := members[i]
		switch {
		case n.Given:
		case n.Relation != nil:
			u.hang(members, x, n)
		case above != nil:
			above.edges = append(above.edges, edge{l.Relation.Field, x, l.Trim})
		}
	}
	for _, below := range l.Below {
		src := l.Shape.Nodes[below.Source]
		src.keep, src.KeepRows = true, true
		if below.Relation.Kind == schema.ToMany {
			src.NeedTable, src.KeepKeys = true, true
		} else {
			below.Shape.Nodes[0].NeedTable = true
		}
		u.collect(below)
	}
}

// hang notes how the rows of a node hang on those of its parent.
func (u *uniting) hang(members []*member, x *member, n *Node) {
	parent := members[n.Parent]
	var trim any
	switch {
	case parent.level != x.level:
		trim = x.level.Trim
	case n.Ordered:
		trim = x.level
	}
	if n.Relation.Kind == schema.ToOne {
		if !parent.node.Model.Bare {
			parent.edges = append(parent.edges, edge{n.Relation.Field, x, nil})
		}
		return
	}
	for _, home := range n.Homes {
		to := x
		if home.Target >= 0 {
			to = members[home.Target]
		}
		parent.edges = append(parent.edges, edge{home.Field, to, trim})
	}
	if !n.Model.Bare {
		x.edges = append(x.edges, edge{n.Relation.Inverse.Field, parent, nil})
	}
}

// split parts the groups of members that do not agree, and reports whether it
// has. Members begin as one group for each model.
func (u *uniting) split() bool {
	was := make([]int, len(u.all))
	var groups [][]*member
	for i, x := range u.all {
		was[i] = x.group
	}
	next := make([]int, len(u.all))
	for i, x := range u.all {
		at := slices.IndexFunc(groups, func(g []*member) bool {
			return g[0].node.Model == x.node.Model && !x.node.Model.Bare && !x.node.Alone && !g[0].node.Alone && g[0].group == x.group &&
				!slices.ContainsFunc(g, func(y *member) bool { return !agree(x, y) })
		})
		if at < 0 {
			at = len(groups)
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], x)
		next[i] = at
	}
	for i, x := range u.all {
		x.group = next[i]
	}
	changed := len(groups) != u.groups
	u.groups = len(groups)
	return changed
}

// agree reports whether the rows of two members can be the same values: they
// have the same columns, and their fields lead to the same rows.
func agree(x, y *member) bool {
	if !slices.Equal(x.node.Unread, y.node.Unread) {
		return false
	}
	for _, a := range x.edges {
		for _, b := range y.edges {
			if a.field != b.field {
				continue
			}
			if a.to.node.Model == b.to.node.Model && !a.to.node.Model.Bare && a.to.group != b.to.group {
				return false
			}
			if a.trim == b.trim {
				continue
			}
			// Within one statement, the rows in the order that was asked for
			// take the place of those in the default one.
			if x.level != y.level || !within(a, x.level) || !within(b, x.level) {
				return false
			}
		}
	}
	return true
}

func within(e edge, l *Level) bool { return e.to.level == l && (e.trim == nil || e.trim == any(l)) }

// tables gives each group a table of its own, if it needs one.
func (u *uniting) tables(first *Level) {
	tables := make([]int, u.groups)
	count := make([]int, u.groups)
	need := make([]bool, u.groups)
	for _, x := range u.all {
		count[x.group]++
		need[x.group] = need[x.group] || x.node.NeedTable || x.node.table >= 0
	}
	for i := range tables {
		tables[i] = -1
	}
	for _, x := range u.all {
		g := x.group
		if need[g] || count[g] > 1 {
			if tables[g] < 0 {
				tables[g] = len(first.models)
				first.models = append(first.models, x.node.Model)
			}
			x.node.table = tables[g]
		}
	}
	for _, l := range u.levels {
		l.Shape.models = first.models
		for i, n := range l.Shape.Nodes {
			if n.Given {
				n.table = u.at[l][i].node.table
			}
		}
	}
}
