package plan

import (
	"time"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// Offset is how many seconds the clocks of a time zone are ahead of UTC at a
// time.
type Offset struct {
	At      Value
	Before  int64 // the offset before all changes
	Changes []OffsetChange
}

// An OffsetChange is a time from which on another offset holds.
type OffsetChange struct {
	At    time.Time
	After int64
}

func (Offset) isValue() {}

// OffsetName is the name of the call that an [Offset] becomes. Its arguments are
// the time, the first offset, and each change and the offset after it.
const OffsetName = "offset"

// offset resolves an Offset. A column is compared with each change; what is more
// work to find than that is found once and looked up.
func (b *builder) offset(from *From, v Offset, depth int) (Expr, error) {
	x, err := b.value(from, v.At, argument('d'), depth+1)
	if err != nil {
		return nil, err
	}
	if _, own := x.(Ref); own || aggregates(x) || !b.traits.ValuesTable || len(v.Changes) == 0 {
		return b.value(from, v.cases(), schema.ScalarOf[int64](), depth)
	}
	c := Called{Name: OffsetName, Args: []Expr{x}, Type: schema.ScalarOf[int64]()}
	add := func(value any, kind byte) {
		var e Expr
		if err == nil {
			e, err = b.literal(value, argument(kind))
			c.Args = append(c.Args, e)
		}
	}
	add(v.Before, 'i')
	for _, change := range v.Changes {
		add(change.At, 'd')
		add(change.After, 'i')
	}
	return c, err
}

// cases is the offset as a comparison with each change.
func (o Offset) cases() Value {
	var c Case
	offset := o.Before
	for _, change := range o.Changes {
		c.Whens = append(c.Whens, When{
			Ask:  Compared{X: o.At, Op: lookup.Lt, Y: []Value{Literal{Value: change.At}}},
			Then: Literal{Value: offset},
		})
		offset = change.After
	}
	c.Else = Literal{Value: offset}
	if len(c.Whens) == 0 {
		return c.Else
	}
	return c
}
