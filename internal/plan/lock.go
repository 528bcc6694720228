package plan

import (
	"fmt"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// A Strength says what others may not do with rows that are locked.
type Strength uint8

// The strengths.
const (
	NoLock Strength = iota
	Share           // change them
	Update          // change them, or lock them in any way
)

// A Wait says what is done about rows that others have locked.
type Wait uint8

// The ways.
const (
	Waits Wait = iota
	NoWait
	SkipLocked
)

// A Lock asks for the roots' rows to be locked, and for those at the ends of
// paths.
type Lock struct {
	Strength Strength
	Wait     Wait
	Of       []string
}

// A Locking ends a SELECT that locks rows.
type Locking struct {
	Strength Strength
	Wait     Wait
	// Of are the tables whose rows are locked; empty if there is only one, or
	// the dialect cannot tell them apart.
	Of []*Table
}

// locked joins what is to be locked beside the roots, before anything else
// joins it in another way.
func (b *builder) locked(from *From) ([]*Table, error) {
	l := b.query.Lock
	if l == nil {
		return nil, nil
	}
	name := b.query.Model.Name
	switch {
	case l.Strength == NoLock:
		return nil, fmt.Errorf("kin: the query on %s has LockOf, which goes with ForUpdate or ForShare", name)
	case b.traits.ForUpdate == "":
		return nil, fmt.Errorf("kin: the query on %s locks rows, which is not supported by %s: it has no locks on rows; a transaction that writes keeps all others from writing", name, b.dialect)
	case len(l.Of) > 0 && !b.traits.LockOf:
		return nil, fmt.Errorf("kin: the query on %s has LockOf, which is not supported by %s of this kind: MariaDB has no OF; lock the other rows by a query of their own", name, b.dialect)
	}
	tables := []*Table{from.Table}
	for _, text := range l.Of {
		hops, err := lookup.Load(b.query.Model, text)
		if err != nil {
			return nil, err
		}
		at := from.Table
		for _, r := range hops {
			switch {
			case r.Kind != schema.ToOne:
				return nil, fmt.Errorf("kin: the query on %s cannot lock %q: %s leads to many rows; lock them by a query of their own", name, text, r.GoName())
			case r.Nulls:
				return nil, fmt.Errorf("kin: the query on %s cannot lock %q: %s may be NULL, and rows on the far side of an outer join cannot be locked; lock them by a query of their own", name, text, r.GoName())
			case b.hides(r.To):
				return nil, fmt.Errorf("kin: the query on %s cannot lock %q: rows of %s may be softly deleted or outside a filter; lock them by a query of their own", name, text, r.To.Name)
			}
			at = b.join(from, at, r, true)
		}
		tables = append(tables, at)
	}
	return tables, nil
}

// lock has sel lock rows of the tables.
func (b *builder) lock(sel *Select, tables []*Table) {
	if tables == nil {
		return
	}
	sel.Lock = &Locking{Strength: b.query.Lock.Strength, Wait: b.query.Lock.Wait}
	if b.traits.LockOf {
		sel.Lock.Of = tables
	}
}

// locksJoined reports whether the database would lock rows of all tables that
// are joined, so that the roots must be locked before.
func (b *builder) locksJoined(nodes []*node) bool {
	return b.query.Lock != nil && !b.traits.LockOf && len(nodes) > 1
}

// lockless returns an error if a query that must be read in arms locks rows:
// no database locks the rows of a UNION.
func (b *builder) lockless() error {
	if b.query.Lock == nil {
		return nil
	}
	return fmt.Errorf("kin: the query on %s locks rows and loads several relations to many rows at once; lock the rows first, and load those by a query of their own in the same transaction", b.query.Model.Name)
}
