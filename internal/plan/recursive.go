package plan

import (
	"fmt"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// Reached is met by the rows that are reached from those of a subquery on the
// same model, by a foreign key of it to itself: over and over, from a row to the
// one it refers to, or to those that refer to it.
type Reached struct {
	Sub  Subquery
	Path Lazy // the foreign key
	Up   bool // whether to the rows that it leads to
}

func (Reached) isAsk() {}

// A Recursion is met by the rows whose key a recursive CTE finds.
type Recursion struct {
	Key  Ref     // of the row
	Base *Select // the keys of the rows from which it starts
	// Rows is the table over which it goes on, the columns by which a row is
	// found from a key and that it gives, and what it must meet, or nil.
	Rows      *Table
	From, To  *schema.Column
	ToIsNull  bool // whether the column that it gives may be NULL
	Condition Cond
}

func (*Recursion) isCond() {}

func (b *builder) reaches(at place, r Reached) (Cond, error) {
	m := at.at.Model
	text, err := r.Path.At(m)
	if err != nil {
		return nil, err
	}
	p, err := lookup.Relation(m, text)
	if err == nil {
		err = b.lazily(m, r.Path, p)
	}
	if err != nil {
		return nil, err
	}
	fk := p.Hops[0]
	up := r.Up
	if fk.Kind == schema.ToMany && fk.Via == nil { // by its other name
		fk, up = fk.Inverse, !up
	}
	if len(p.Hops) != 1 || fk.Via != nil || fk.From != m || fk.To != m {
		return nil, fmt.Errorf("kin: %q does not lead from %s to %s itself, by one foreign key", text, m.Name, m.Name)
	}
	if len(fk.FromColumns) != 1 {
		return nil, fmt.Errorf("kin: %q is a key of %d columns, which no recursion follows", text, len(fk.FromColumns))
	}
	n, sel, _, err := b.inner(at, r.Sub)
	if err != nil {
		return nil, err
	}
	sel.Columns = []Expr{Ref{sel.From.Table, m.Key[0]}}
	if sel.Limit == nil && sel.Offset == 0 {
		sel.Order = nil
	}
	rows := n.table(fk)
	c := &Recursion{Key: Ref{at.at, m.Key[0]}, Base: sel, Rows: rows, From: fk.FromColumns[0], To: m.Key[0], Condition: rows.Scope}
	if up {
		c.From, c.To, c.ToIsNull = c.To, c.From, true
	}
	return c, n.err
}
