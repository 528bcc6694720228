package plan

import (
	"database/sql/driver"
	"fmt"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// WithIdentities returns the condition that is met by the rows of a model that
// have one of the keys, and its version if the model has one.
func WithIdentities(m *schema.Model, keys []rel.Key, d dialect.Dialect) (Cond, error) {
	return keysIn(&Table{Model: m, Alias: m.Table}, m.Identity(), keys, d.Traits())
}

func keysIn(t *Table, columns []*schema.Column, keys []rel.Key, traits *dialect.Traits) (Cond, error) {
	rows := make([][]driver.Value, len(keys))
	for i, key := range keys {
		for j, part := range rel.Split(key, len(columns)) {
			v, err := hydrate.KeyValue(part, columns[j], traits)
			if err != nil {
				return nil, fmt.Errorf("%s %w", columns[j].GoName(), err)
			}
			rows[i] = append(rows[i], v)
		}
	}
	if len(columns) > 1 {
		refs := make([]Ref, len(columns))
		for i, c := range columns {
			refs[i] = Ref{t, c}
		}
		return &Tuples{Refs: refs, Rows: rows}, nil
	}
	args := make([]driver.Value, len(rows))
	for i, row := range rows {
		args[i] = row[0]
	}
	return &Cmp{Ref: Ref{t, columns[0]}, Op: lookup.In, Args: args}, nil
}

// RowsBy plans the statement that reads columns of the rows of a model, and
// then what they have in the columns by, of which it is given all values. The
// rows must meet within, if that is not nil.
func RowsBy(m *schema.Model, columns, by []*schema.Column, values []rel.Key, d dialect.Dialect, within Cond) (*Statement, error) {
	t := &Table{Model: m, Alias: m.Table}
	where, err := keysIn(t, by, values, d.Traits())
	if err != nil {
		return nil, err
	}
	sel := &Select{From: &From{Table: t}, Where: Both(where, within), Columns: refs(t, columns)}
	sel.Columns = append(sel.Columns, refs(t, by)...)
	return &Statement{Arms: []*Select{sel}}, nil
}

// Links returns the condition that is met by the rows of a link table that
// link the row with the key owner to rows that are there, of those with the
// other keys if there are any. filter is as in a [Query].
func Links(via *schema.Via, owner rel.Key, keys []rel.Key, d dialect.Dialect, filter func(*Table) (Cond, error)) (Cond, error) {
	b := newBuilder(Query{Model: via.Link.To, Filter: filter}, d)
	t := b.root().Table
	ours, err := keysIn(t, via.Link.ToColumns, []rel.Key{owner}, b.traits)
	if err != nil {
		return nil, err
	}
	all := All{ours}
	if len(keys) > 0 {
		theirs, err := keysIn(t, via.Target.FromColumns, keys, b.traits)
		if err != nil {
			return nil, err
		}
		all = append(all, theirs)
	}
	if there := b.there(t, via.Target.Field.Name); there != nil {
		all = append(all, there)
	}
	return conjunction(all), b.err
}

// LinkedKeys plans the statement that reads the keys of the rows that are
// linked, as [Links] says, to the row with the key owner.
func LinkedKeys(via *schema.Via, owner rel.Key, d dialect.Dialect, filter func(*Table) (Cond, error)) (*Statement, error) {
	where, err := Links(via, owner, nil, d, filter)
	if err != nil {
		return nil, err
	}
	t := &Table{Model: via.Link.To, Alias: via.Link.To.Table}
	sel := &Select{From: &From{Table: t}, Where: where, Columns: refs(t, via.Target.FromColumns)}
	return &Statement{Arms: []*Select{sel}}, nil
}
