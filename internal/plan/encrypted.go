package plan

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// encrypted compares an encrypted column: the database knows which rows have
// none, and, if it is deterministic, which have one of some ciphertexts. Under
// each key of the ring, a value has another.
func (b *builder) encrypted(ref Ref, p step) (Cond, error) {
	c := ref.Column
	values := []any{p.value}
	switch p.path.Op {
	case lookup.IsNull:
		return b.isNull(p, Not{&Cmp{Ref: ref, Op: lookup.IsNull}})
	case lookup.In:
		list, err := elements(p)
		if err != nil {
			return nil, err
		}
		values = values[:0]
		for i := range list.Len() {
			values = append(values, list.Index(i).Interface())
		}
	case lookup.Exact, lookup.Ne:
	default:
		return nil, p.errorf("%s is encrypted, so that the database cannot answer %s; it answers isnull, and with the tag option deterministic exact, ne and in",
			c.GoName(), p.path.Op)
	}
	var args []driver.Value
	var parts Any
	for _, x := range values {
		if hydrate.IsNull(x) {
			parts = Any{&Cmp{Ref: ref, Op: lookup.IsNull}}
			continue
		}
		if !c.Field.Tag.Deterministic {
			return nil, p.errorf("%s is encrypted differently each time, so that the database cannot compare it; the tag option deterministic lets it be asked for by exact, ne and in",
				c.GoName())
		}
		sealed, err := hydrate.Ciphertexts(c, x)
		var outside hydrate.RangeError
		switch {
		case errors.As(err, &outside): // no row holds it
		case err != nil:
			return nil, p.errorf("%s %w", c.GoName(), err)
		case sealed == nil:
			parts = Any{&Cmp{Ref: ref, Op: lookup.IsNull}}
		default:
			args = append(args, sealed...)
		}
	}
	if len(args) > 0 {
		parts = append(parts, &Cmp{Ref: ref, Op: lookup.In, Args: args, Nulls: b.nullable(ref)})
	}
	if p.path.Op != lookup.Ne {
		return disjunction(parts), nil
	}
	if len(args) == 1 && len(parts) == 1 {
		return b.cmp(ref, lookup.Ne, args[0]), nil
	}
	return negate(disjunction(parts)), nil
}

// unordered returns an error for an order by an encrypted column.
func unordered(p lookup.Path) error {
	if p.Column == nil || p.Column.Field.Encrypted == nil {
		return nil
	}
	return fmt.Errorf("kin: the order %q: %s is encrypted, so that the database cannot sort by it", p.Text, p.Column.GoName())
}

// uncalculated returns an error for an expression that reads an encrypted
// column, if it is not nil.
func uncalculated(c *schema.Column) error {
	if c == nil || c.Field.Encrypted == nil {
		return nil
	}
	return fmt.Errorf("kin: %s is encrypted, so that the database cannot calculate with it", c.GoName())
}

// unset returns an error for a value that an encrypted column cannot be set
// to: what the database calculates is not encrypted.
func unset(v Value, want *schema.Column) error {
	if want == nil || want.Field.Encrypted == nil {
		return nil
	}
	switch v.(type) {
	case Column, Arithmetic, Function, JSONValue:
		return fmt.Errorf("kin: %s is encrypted, and takes values of Go, or a Case of them, but nothing that the database calculates", want.GoName())
	}
	return nil
}
