package kin

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/plan"
)

// A seekKey is what the text of a statement of the form seek depends on.
type seekKey struct {
	limit     int64
	back      bool // in the reverse order
	placed    bool // whether there is a place to go on from,
	inclusive bool // with the row that is there, if one is
	offset    bool // whether the query's own offset holds
	nulls     uint64
}

// A seeker asks for the rows of a query after a place in its order.
type seeker struct {
	*query
	model  reflect.Type
	key    seekKey
	place  []hydrate.PlaceValue
	beside int64 // rows that only show whether there are more
}

// maxPlace is how many values a place may have: there is a bit for each.
const maxPlace = 64

// from returns the seeker that goes on from a place.
func (sk seeker) from(place []hydrate.PlaceValue, back, inclusive bool) (seeker, error) {
	if len(place) > maxPlace {
		return sk, fmt.Errorf("kin: a query on %s: the order has %d columns; pages by cursor take at most %d", sk.model.Name(), len(place), maxPlace)
	}
	sk.place = place
	sk.key.placed, sk.key.back, sk.key.inclusive, sk.key.nulls, sk.key.offset = true, back, inclusive, 0, false
	for i, v := range place {
		if v.Null {
			sk.key.nulls |= 1 << i
		}
	}
	return sk, nil
}

// ask makes p ask for the rows. How many values a place has is not known
// before p is planned, and does not matter to what is asked.
func (k seekKey) ask(p *plan.Query, values int) {
	p.Limit, p.Reverse = &k.limit, k.back
	p.Seek = &plan.Seek{Inclusive: k.inclusive}
	if !k.offset {
		p.Offset = 0
	}
	if k.placed {
		p.Seek.Nulls = make([]bool, values)
		for i := range p.Seek.Nulls {
			p.Seek.Nulls[i] = k.nulls&(1<<i) != 0
		}
	}
}

// A sought is what a seeker has found, in the query's order.
type sought struct {
	rows   []hydrate.Pointer
	places *hydrate.Places
}

// run reads the rows.
func (sk seeker) run(ctx context.Context, db Executor) (found sought, err error) {
	s := db.session()
	c, err := sk.compile(ctx, s, sk.model, variant{form: seek, seek: sk.key, places: len(sk.place)})
	if err != nil || c.Empty {
		return found, err
	}
	args, err := sk.args(c)
	if err != nil {
		return found, fmt.Errorf("kin: query on %s: %w", sk.model.Name(), err)
	}
	var hooked []any
	most := s.budgetOf(sk.query)
	budget := countingBut(most, sk.beside)
	note := func(r *hydrate.Reader, row []driver.Value) error {
		if found.places == nil {
			found.places = hydrate.PlacesOf(r)
		}
		if budget != nil {
			if err := budget(r, row); err != nil {
				return err
			}
		}
		return found.places.Note(row)
	}
	found.rows, hooked, err = s.readAll(ctx, db, c, args, int(min(sk.key.limit, 512)), note)
	if err == nil && most > 0 && min(int64(len(found.rows)), sk.key.limit-sk.beside) > most {
		err = tooMany(most)
	}
	if err != nil {
		return found, s.queryError(ctx, sk.model, err)
	}
	if sk.key.back {
		slices.Reverse(found.rows)
	}
	return found, afterLoad(ctx, hooked)
}

// args returns the arguments of the statement for the seeker's place.
func (sk seeker) args(c *compiled) ([]driver.Value, error) {
	if !sk.key.placed {
		return c.args, nil
	}
	params, err := c.Shape.Params(sk.place, c.traits)
	if err != nil {
		return nil, err
	}
	args := slices.Clone(c.args)
	for i, arg := range args {
		if hole, ok := arg.(plan.SeekHole); ok {
			args[i] = params[hole]
		}
	}
	return args, nil
}
