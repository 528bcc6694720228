package pattern

import (
	"regexp/syntax"
	"unicode"
)

// mostSteps is how large a regular expression may be to be looked through.
const mostSteps = 2000

// ambiguous reports whether a repetition takes some text in several ways, so
// that a matcher that goes back tries exponentially many of them. Of what is
// too large to say, it says so.
//
// That is so if, of two readers who are at the same place of the program, one
// can go another way than the other by the same text and they can meet there
// again. The pairs of places that they may be at make a graph, in which that is
// a circle.
func ambiguous(re *syntax.Regexp) bool {
	prog, err := syntax.Compile(re.Simplify())
	if err != nil || len(prog.Inst) > mostSteps {
		return true
	}
	g := pairs{prog: prog, next: map[uint32][]step{}, common: map[pair]bool{}}
	budget := mostSteps * 100
	for i := range prog.Inst {
		if isRune(&prog.Inst[i]) && g.returns(pair{uint32(i), uint32(i)}, &budget) {
			return true
		}
	}
	return false
}

// A step leads to an instruction that reads a character, perhaps in several
// ways.
type step struct {
	to    uint32
	twice bool
}

type pair struct{ a, b uint32 }

// pairs is the graph.
type pairs struct {
	prog   *syntax.Prog
	next   map[uint32][]step
	common map[pair]bool // whether some character is read by both
}

func isRune(i *syntax.Inst) bool {
	return i.Op == syntax.InstRune || i.Op == syntax.InstRune1 || i.Op == syntax.InstRuneAny || i.Op == syntax.InstRuneAnyNotNL
}

// steps returns where what reads a character leads to next.
func (g *pairs) steps(at uint32) []step {
	if list, ok := g.next[at]; ok {
		return list
	}
	ways := map[uint32]int{}
	var order []uint32
	var follow func(i uint32)
	follow = func(i uint32) {
		if ways[i]++; ways[i] > 2 {
			return
		}
		if ways[i] == 1 {
			order = append(order, i)
		}
		switch inst := &g.prog.Inst[i]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			follow(inst.Out)
			follow(inst.Arg)
		case syntax.InstCapture, syntax.InstEmptyWidth, syntax.InstNop:
			follow(inst.Out)
		default:
		}
	}
	follow(g.prog.Inst[at].Out)
	var list []step
	for _, i := range order {
		if isRune(&g.prog.Inst[i]) {
			list = append(list, step{i, ways[i] > 1})
		}
	}
	g.next[at] = list
	return list
}

// returns reports whether there is a way back to a pair of equal places by a
// pair of two, or by a step that there are two of.
func (g *pairs) returns(from pair, budget *int) bool {
	type state struct {
		pair
		apart bool
	}
	seen := map[state]bool{}
	stack := []state{{from, false}}
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, x := range g.steps(s.a) {
			for _, y := range g.steps(s.b) {
				n := state{pair{x.to, y.to}, s.apart || x.to != y.to || x.twice && s.a == s.b}
				if seen[n] || !g.meet(pair{x.to, y.to}) {
					continue
				}
				if *budget--; *budget < 0 || n.pair == from && n.apart {
					return true
				}
				seen[n] = true
				stack = append(stack, n)
			}
		}
	}
	return false
}

// meet reports whether some character is read by both instructions.
func (g *pairs) meet(p pair) bool {
	found, known := g.common[p]
	if known {
		return found
	}
	x, y := runes(&g.prog.Inst[p.a]), runes(&g.prog.Inst[p.b])
	for i := 0; i < len(x) && !found; i += 2 {
		for j := 0; j < len(y) && !found; j += 2 {
			found = x[i] <= y[j+1] && y[j] <= x[i+1]
		}
	}
	g.common[p] = found
	return found
}

// runes returns the ranges of characters that an instruction reads.
func runes(i *syntax.Inst) []rune {
	switch {
	case i.Op == syntax.InstRuneAny || i.Op == syntax.InstRuneAnyNotNL:
		return []rune{0, unicode.MaxRune}
	case len(i.Rune) > 1:
		return i.Rune
	}
	r := i.Rune[0]
	list := []rune{r, r}
	if syntax.Flags(i.Arg)&syntax.FoldCase != 0 {
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			list = append(list, other, other)
		}
	}
	return list
}
