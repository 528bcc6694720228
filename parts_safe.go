//go:build kin_safe

package kin

import "github.com/kin-orm/kin/internal/hydrate"

// Without unsafe, internal/hydrate reaches what is in the fields of this package
// by asking for it. The methods are not exported, and not there otherwise: every
// method of a generic type is compiled for each model.

//nolint:gochecknoinits // it hands over a function, which depends on nothing
func init() {
	hydrate.PartsOf = func(field any) hydrate.Parts { return field.(interface{ parts() hydrate.Parts }).parts() }
}

func (fk *ForeignKey[T]) parts() hydrate.Parts { return hydrate.Parts{Held: &fk.row, Core: &fk.fk} }

func (c *collection[T]) parts() hydrate.Parts { return hydrate.Parts{Held: &c.rows, Core: &c.many} }

func (t *Through[T, L]) parts() hydrate.Parts {
	return hydrate.Parts{Held: &t.rows, Core: &t.many, Links: &t.links}
}

func (e *Encrypted[T]) parts() hydrate.Parts { return hydrate.Parts{Held: &e.sealed.Value} }

func (t *Tracked) parts() hydrate.Parts { return hydrate.Parts{Held: &t.was} }
