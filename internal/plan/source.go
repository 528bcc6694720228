package plan

import (
	"strconv"

	"github.com/kin-orm/kin/dialect"
)

// A Source is a selection whose rows are asked, in place of those of a table.
type Source struct {
	// Key tells one selection from another: each is written once.
	Key any
	// Plan plans it, with names for its columns ([ValueName]), under the filters of
	// the statement that it is in.
	Plan func(filter func(*Table) (Cond, error), d dialect.Dialect) (*Statement, error)
}

// A CTE is a statement that others name.
type CTE struct {
	Name      string
	Statement *Statement

	key any
}

// source returns the name of the CTE of the rows of a selection.
func (b *builder) source(s *Source) string {
	for _, c := range *b.ctes {
		if c.key == s.Key {
			return c.Name
		}
	}
	statement, err := s.Plan(b.query.Filter, b.d)
	if err != nil || statement.Empty && b.around == nil && !b.totals {
		if b.err == nil {
			b.err = err
		}
		b.nothing = true
		return b.query.Model.Table
	}
	if statement.Empty {
		statement = b.noRows()
	}
	name := "kin_rows"
	if n := len(*b.ctes); n > 0 {
		name += strconv.Itoa(n + 1)
	}
	name = (&armBuilder{builder: b}).free(name)
	*b.ctes = append(*b.ctes, CTE{name, statement, s.Key})
	return name
}

// noRows is a statement with the columns of the source, and without rows.
func (b *builder) noRows() *Statement {
	sel := &Select{Where: Const(false)}
	m := b.query.Graph.Models[0]
	sel.From = &From{Table: &Table{Model: m, Alias: m.Table}}
	for _, c := range b.query.Model.Columns {
		sel.Columns = append(sel.Columns, As{Blank{&Slot{Column: c, Shared: true, First: true}}, c.Name})
	}
	return &Statement{Arms: []*Select{sel}}
}
