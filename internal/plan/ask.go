package plan

import (
	"fmt"
	"reflect"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// An Ask is a condition as a user builds it, before it is resolved against a
// model.
type Ask interface{ isAsk() }

// A Pair is a lookup, or a path and an operator, and a value, which may be a
// [Value].
type Pair struct {
	Lookup string // if Path is not given
	Path   Lazy
	Op     lookup.Op
	Value  any
	Slot   int // that stands for Value, if it can; 0 for none
}

// A Group is several conditions in one. Those that are not parted by a Negated
// or an odd Group speak of the same related rows.
type Group struct {
	How   GroupKind
	Parts []Ask
}

// A GroupKind says how many parts of a Group must be met.
type GroupKind uint8

// The kinds.
const (
	Every GroupKind = iota // all parts
	Some                   // at least one
	Odd                    // an odd number of them
)

// A Negated is met if its condition is not.
type Negated struct{ Ask Ask }

// A Related is met if some, none or every one of the related rows meets a
// condition, which is about these.
type Related struct {
	Path  Lazy
	How   Quantifier
	Ask   Ask          // nil for any row
	Model reflect.Type // whose rows the condition is about, or nil if it does not say
}

// A Quantifier says how many related rows must meet a condition.
type Quantifier uint8

// The quantifiers.
const (
	SomeRow Quantifier = iota
	NoRow
	EveryRow
)

// A Compared compares an expression with others.
type Compared struct {
	X  Value
	Op lookup.Op // Exact, Ne, Gt, Gte, Lt, Lte, IsNull or In
	Y  []Value   // none for IsNull
}

// A Wrong is what a user has built wrongly.
type Wrong struct{ Err error }

func (Pair) isAsk()     {}
func (Group) isAsk()    {}
func (Negated) isAsk()  {}
func (Related) isAsk()  {}
func (Compared) isAsk() {}
func (Wrong) isAsk()    {}

// A Lazy is the text of a path, or what finds it when it is needed, for the
// model that it begins at.
type Lazy struct {
	Text  string
	Find  func() (string, error)
	Model reflect.Type // nil if Find is
}

func (l Lazy) given() bool { return l.Text != "" || l.Find != nil }

// At returns the text for a query on m.
func (l Lazy) At(m *schema.Model) (string, error) {
	if l.Find == nil {
		return l.Text, nil
	}
	if m.Type != l.Model {
		return "", fmt.Errorf("kin: a typed column or relation of %s is used on %s", l.Model.Name(), m.Name)
	}
	return l.Find()
}

// MaxDepth is how deep groups and negations of conditions may be nested, where
// they differ from the one around them.
const MaxDepth = 100

// MaxConditions is the most conditions of one query.
const MaxConditions = 200_000

var (
	errDepth = fmt.Errorf("kin: conditions are nested more than %d levels deep", MaxDepth)
	errCount = fmt.Errorf("kin: a query has more than %d conditions", MaxConditions)
)

// parts returns the parts of a group, those of the same kind of group within
// it in their place. It does not call itself, for groups that are built part
// by part are nested as deep as they are long.
func (g Group) parts(budget *int) ([]Ask, error) {
	if g.How == Odd {
		return g.Parts, spend(budget, len(g.Parts))
	}
	flat := make([]Ask, 0, len(g.Parts))
	type place struct {
		parts []Ask
		next  int
	}
	stack := []place{{g.Parts, 0}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next == len(top.parts) {
			stack = stack[:len(stack)-1]
			continue
		}
		part := top.parts[top.next]
		top.next++
		if err := spend(budget, 1); err != nil {
			return nil, err
		}
		if inner, ok := part.(Group); ok && inner.How == g.How {
			stack = append(stack, place{inner.Parts, 0})
			continue
		}
		flat = append(flat, part)
	}
	return flat, nil
}

func spend(budget *int, n int) error {
	if *budget -= n; *budget < 0 {
		return errCount
	}
	return nil
}
