package kin

import (
	"cmp"
	"sync/atomic"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
)

// keptForms is how many statements a query remembers. There are more only if
// it is run on several dialects, or while models are being registered.
const keptForms = 24

// A memo is the statements that a query or a selection remembers.
type memo struct{ p atomic.Pointer[memoList] }

type memoList []*compiled

// find returns the statement for a graph and a dialect, with the values of the
// filters of this call, or nil if there is none.
func (l *memoList) find(v variant, g *schema.Graph, traits *dialect.Traits, fs *filters, sc *scoping) (*compiled, error) {
	if l == nil {
		return nil, nil
	}
	for _, c := range *l {
		if c.variant == v && c.graph == g && c.traits == traits && c.filters == fs {
			if bound, err := sc.bind(c); bound != nil || err != nil {
				return bound, cmp.Or(err, c.err)
			}
		}
	}
	return nil, nil
}

// add remembers c beside what was there. A loser of the race between several
// calls has written the same statement.
func (k *memo) add(was *memoList, c *compiled) {
	list := memoList{c}
	if was != nil && len(*was) < keptForms {
		list = append(list, *was...)
	}
	k.p.CompareAndSwap(was, &list)
}
