package kin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/schema"
)

// need finds out which new rows a row refers to, and returns the new ones.
func (g *graph) need() (fresh []int32) {
	for i := range g.nodes {
		n := &g.nodes[i]
		if n.fresh {
			fresh = append(fresh, int32(i))
		}
		for _, r := range n.kind.ones {
			target := r.One(n.row)
			if target == nil {
				continue
			}
			on := g.at[target]
			switch {
			case !g.nodes[on].fresh:
			case !n.fresh:
				n.kind.late = true
			case on != int32(i) || !hasKey(n):
				n.needs = append(n.needs, need{Relation: r.Relation, on: on})
			}
		}
	}
	return fresh
}

// hasKey reports whether a new row has its key, so that it can refer to itself.
func hasKey(n *node) bool {
	_, err := hydrate.KeyOf(n.kind.model.Struct.Key(), n.row)
	return err == nil
}

// breakCircles holds foreign keys until new rows wait for each other in no
// circle. It takes one relation at a time, for all circles that it is part of,
// so that a statement completes them: the one that is part of the fewest, or,
// of several, that of the model with the fewest rows.
func (g *graph) breakCircles(fresh []int32) error {
	for {
		circle := g.circles(fresh)
		within := map[*schema.Relation]int{}
		var stuck []int32
		var best *schema.Relation
		for _, i := range fresh {
			for _, n := range g.nodes[i].needs {
				if n.held || circle[i] == 0 || circle[i] != circle[n.on] {
					continue
				}
				if len(stuck) == 0 || stuck[len(stuck)-1] != i {
					stuck = append(stuck, i)
				}
				within[n.Relation]++
			}
		}
		if len(stuck) == 0 {
			return nil
		}
		for _, k := range g.order {
			for _, r := range k.model.Keys {
				if within[r] == 0 || !r.Nulls {
					continue
				}
				if best == nil || within[r] < within[best] ||
					within[r] == within[best] && len(k.nodes) < len(g.kinds[best.From].nodes) {
					best = r
				}
			}
		}
		if best == nil {
			return g.circleError(stuck[0], circle)
		}
		for _, i := range stuck {
			for j := range g.nodes[i].needs {
				n := &g.nodes[i].needs[j]
				n.held = n.held || n.Relation == best && circle[i] == circle[n.on]
			}
		}
		fresh = stuck
	}
}

// circles returns for each row the number of the circles that it is in, which
// it shares with the rows of these, or 0. This is Tarjan's search for strongly
// connected components, without recursion: chains of rows may be long.
func (g *graph) circles(rows []int32) []int32 {
	type visit struct{ row, next int32 }
	var (
		index   = make([]int32, len(g.nodes)) // by when a row was found; 0 is not yet
		low     = make([]int32, len(g.nodes)) // the first row that it leads back to
		found   int32
		circle  = make([]int32, len(g.nodes))
		closed  = make([]bool, len(g.nodes))
		open    []int32
		path    []visit
		circles int32
	)
	enter := func(row int32) {
		found++
		index[row], low[row] = found, found
		open, path = append(open, row), append(path, visit{row, 0})
	}
	for _, start := range rows {
		if index[start] == 0 {
			enter(start)
		}
		for len(path) > 0 {
			v := &path[len(path)-1]
			if int(v.next) < len(g.nodes[v.row].needs) {
				n := g.nodes[v.row].needs[v.next]
				v.next++
				switch {
				case n.held || closed[n.on]:
				case index[n.on] == 0:
					enter(n.on)
				default:
					low[v.row] = min(low[v.row], index[n.on])
				}
				continue
			}
			row := v.row
			path = path[:len(path)-1]
			if len(path) > 0 {
				up := path[len(path)-1].row
				low[up] = min(low[up], low[row])
			}
			if low[row] != index[row] {
				continue
			}
			circles++ // row and all that came after it
			for last := int32(-1); last != row; {
				last = open[len(open)-1]
				open = open[:len(open)-1]
				circle[last], closed[last] = circles, true
			}
		}
	}
	return circle
}

// circleError names the foreign keys that lead from a row back to it.
func (g *graph) circleError(row int32, circle []int32) error {
	var names []string
	seen := map[int32]int{}
	for {
		if from, again := seen[row]; again {
			names = names[from:]
			break
		}
		seen[row] = len(names)
		for _, n := range g.nodes[row].needs {
			if !n.held && circle[n.on] == circle[row] {
				names = append(names, n.GoName())
				row = n.on
				break
			}
		}
	}
	names = append(names, names[0])
	if len(names) > 5 {
		names = append(names[:4], "…")
	}
	return fmt.Errorf("new rows refer to each other in a circle, %s, and none of these foreign keys can be NULL for a while: "+
		"give one of them the null option, or take it out and save twice", strings.Join(names, " → "))
}

// A step inserts rows of one kind. Rows of a level refer to none of the step
// but those of the levels before it.
type step struct {
	kind   *kind
	levels [][]int32
}

// inserts puts new rows in steps: rows come after those that they refer to,
// and each step takes all rows that it can. A kind that waits for no other
// goes first, so that kinds that do not refer to each other in a circle have
// one step each.
func (g *graph) inserts(fresh []int32) (steps []step) {
	waits := make([]int32, len(g.nodes))    // for how many rows a row waits
	needed := make([][]int32, len(g.nodes)) // by whom
	for _, i := range fresh {
		k := g.nodes[i].kind
		for _, n := range g.nodes[i].needs {
			if n.held {
				continue
			}
			waits[i]++
			needed[n.on] = append(needed[n.on], i)
			if g.nodes[n.on].kind != k {
				k.waiting++
			}
		}
		if waits[i] == 0 {
			k.ready = append(k.ready, i)
		}
	}
	for left := len(fresh); left > 0; {
		st := step{kind: g.nextKind()}
		level := st.kind.ready
		st.kind.ready = nil
		for len(level) > 0 {
			slices.Sort(level)
			st.levels = append(st.levels, level)
			left -= len(level)
			var following []int32
			for _, i := range level {
				for _, j := range needed[i] {
					waits[j]--
					k := g.nodes[j].kind
					if k != st.kind {
						k.waiting--
					}
					switch {
					case waits[j] > 0:
					case k == st.kind:
						following = append(following, j)
					default:
						k.ready = append(k.ready, j)
					}
				}
			}
			level = following
		}
		steps = append(steps, st)
	}
	return steps
}

// nextKind returns the kind that has rows which wait for no other, and whose
// rows wait least for those of other kinds.
func (g *graph) nextKind() *kind {
	var best *kind
	for _, k := range g.order {
		if len(k.ready) > 0 && (best == nil || k.waiting < best.waiting) {
			best = k
		}
	}
	return best
}
