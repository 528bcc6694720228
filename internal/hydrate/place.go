package hydrate

import (
	"database/sql/driver"
	"fmt"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/rel"
)

// A PlaceValue is a value by which a root is sorted.
type PlaceValue struct {
	Key  rel.Key
	Null bool
}

// Places gathers where the roots of a result are in their order.
type Places struct {
	r  *Reader
	of map[Pointer][]PlaceValue
}

// PlacesOf returns the places of the roots that r reads, none so far.
func PlacesOf(r *Reader) *Places {
	return &Places{r, map[Pointer][]PlaceValue{}}
}

// Of returns the place of a root.
func (p *Places) Of(root Pointer) []PlaceValue { return p.of[root] }

// Note notes the place of the row's root. The Reader must have read the row.
func (p *Places) Note(row []driver.Value) error {
	root := p.r.nodes[0].last.row
	if root == nil || p.of[root] != nil {
		return nil
	}
	values := make([]PlaceValue, len(p.r.shape.Places))
	for i, c := range p.r.shape.Places {
		v := row[c.Slot]
		if v == nil {
			values[i].Null = true
			continue
		}
		key, err := rel.ReadKey(c.Column.Value, v)
		if err != nil {
			return columnError(c.Column, err)
		}
		values[i].Key = key
	}
	p.of[root] = values
	return nil
}

// Params returns the values of a place as parameters for the columns of the
// shape's places. Those that are NULL are nil.
func (s *Shape) Params(values []PlaceValue, traits *dialect.Traits) ([]driver.Value, error) {
	if len(values) != len(s.Places) {
		return nil, fmt.Errorf("a place of %d values, not %d", len(s.Places), len(values))
	}
	params := make([]driver.Value, len(values))
	for i, v := range values {
		if v.Null {
			continue
		}
		param, err := KeyValue(v.Key, s.Places[i].Column, traits)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Places[i].Column.GoName(), err)
		}
		params[i] = param
	}
	return params, nil
}
