package plan

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// A Guard restricts the lookups of calls and orders that come from elsewhere.
type Guard struct {
	Outer *Guard // which restricts them, too; nil if there is none
	// Allow are the paths that may be used, each with all operators but those
	// that take a pattern, or with the one that it ends in; nil for all.
	Allow []string
	// The most relations of a path, conditions of a query, and values of a list;
	// 0 for no limit of its own.
	Hops, Conditions, List int
}

// A Guarded is a condition within guards.
type Guarded struct {
	Ask   Ask
	Guard *Guard // nil to leave it as it is around
	Own   bool   // whether it is the program's own, and no user's
}

func (Guarded) isAsk() {}

// A Warded is a value whose texts are within guards.
type Warded struct {
	Value Value
	Guard *Guard
}

func (Warded) isValue() {}

// A guarding is the guard of what is being resolved, and counts the conditions
// that are guarded.
type guarding struct {
	guard      *Guard
	own        bool
	conditions int
	// before are the relations from model, that of the guards, to the one that
	// is asked. There are none while it is that one itself.
	before []*schema.Relation
	model  *schema.Model
}

// may returns an error if a path may not be asked for by its text.
func (b *builder) may(m *schema.Model, p lookup.Path) error {
	if b.guards.own {
		return nil
	}
	if err := secret(m, p); err != nil {
		return err
	}
	for g := b.guards.guard; g != nil; g = g.Outer {
		if err := g.path(b.guards.at(m), b.guards.before, p); err != nil {
			return err
		}
	}
	return nil
}

// lazily is may for a path that may have been given in types: those are the
// program's own.
func (b *builder) lazily(m *schema.Model, name Lazy, p lookup.Path) error {
	if name.Find != nil {
		return nil
	}
	return b.may(m, p)
}

// at returns the model of the guards, where m is asked.
func (n *guarding) at(m *schema.Model) *schema.Model {
	if len(n.before) == 0 {
		return m
	}
	return n.model
}

// beyond has what is resolved until back be about the rows at the end of
// relations of m.
func (n *guarding) beyond(m *schema.Model, hops []*schema.Relation) (back func()) {
	was, model := n.before, n.model
	n.before, n.model = slices.Concat(was, hops), n.at(m)
	return func() { n.before, n.model = was, model }
}

// warded resolves a value within guards.
func (b *builder) warded(from *From, w Warded, want *schema.Column, depth int) (Expr, error) {
	defer b.ward(w.Guard)()
	return b.value(from, w.Value, want, depth)
}

// ward puts what is resolved until back within a guard, if there is one.
func (b *builder) ward(g *Guard) (back func()) {
	was := b.guards.guard
	if g != nil {
		b.guards.guard = g
	}
	return func() { b.guards.guard = was }
}

// guardPair checks a resolved condition.
func (b *builder) guardPair(m *schema.Model, p lookup.Path, value any) error {
	n := &b.guards
	if !n.own {
		if err := secret(m, p); err != nil {
			return err
		}
	}
	if n.guard != nil {
		n.conditions++
	}
	for g := n.guard; g != nil; g = g.Outer {
		if err := g.path(n.at(m), n.before, p); err != nil {
			return err
		}
		if g.Conditions > 0 && n.conditions > g.Conditions {
			return fmt.Errorf("kin: the query on %s has more than the %d conditions that may be asked for (Cap)", m.Name, g.Conditions)
		}
		if v := reflect.ValueOf(value); g.List > 0 && v.Kind() == reflect.Slice && v.Len() > g.List {
			return fmt.Errorf("kin: %.200q: a list of %d values; at most %d may be asked for (Cap)", p.Text, v.Len(), g.List)
		}
	}
	return nil
}

// order checks a resolved path of an order.
func (g *Guard) order(m *schema.Model, p lookup.Path) error {
	if err := secret(m, p); err != nil {
		return err
	}
	for ; g != nil; g = g.Outer {
		if err := g.path(m, nil, p); err != nil {
			return err
		}
	}
	return nil
}

// path checks a path, which goes on behind other relations of the model.
func (g *Guard) path(m *schema.Model, before []*schema.Relation, p lookup.Path) error {
	hops := slices.Concat(before, p.Hops)
	if g.Hops > 0 && len(hops) > g.Hops {
		return fmt.Errorf("kin: the path %.200q follows %d relations; at most %d may be asked for (Cap)", p.Text, len(hops), g.Hops)
	}
	if g.Allow == nil {
		return nil
	}
	for _, text := range g.Allow {
		allowed, err := lookup.Condition(m, text)
		if err != nil {
			return fmt.Errorf("kin: Allow: %w", trim(err))
		}
		one := allowed.Op != lookup.Exact || strings.HasSuffix(text, "__exact")
		if allowed.Column == p.Column && slices.Equal(allowed.Hops, hops) && (allowed.Op == p.Op || !one && !p.Op.Pattern()) {
			return nil
		}
	}
	return g.refused(m, p.Text)
}

// named checks the name of an annotation, which is allowed as it is.
func (g *Guard) named(m *schema.Model, text string) error {
	for ; g != nil; g = g.Outer {
		if g.Allow != nil && !slices.Contains(g.Allow, text) {
			return g.refused(m, text)
		}
	}
	return nil
}

func (g *Guard) refused(m *schema.Model, text string) error {
	return fmt.Errorf("kin: %.200q may not be asked of %s; allowed are %s", text, m.Name, strings.Join(g.Allow, ", "))
}

// secret returns an error if a path ends in a field that is secret, or goes
// through one.
func secret(m *schema.Model, p lookup.Path) error {
	if p.Typed {
		return nil
	}
	hidden := p.Column != nil && p.Column.Field.Tag.Secret
	for _, r := range p.Hops {
		hidden = hidden || r.Field != nil && r.Field.Tag.Secret || r.Inverse != nil && r.Inverse.Field != nil && r.Inverse.Field.Tag.Secret
	}
	if !hidden {
		return nil
	}
	return fmt.Errorf("kin: %.200q of %s is secret: it cannot be filtered or ordered by through a text, nor read; take a typed column (kin.Col)", p.Text, m.Name)
}

// Secret returns an error if a text names relations to load of which one is
// secret.
func Secret(m *schema.Model, text string, hops []*schema.Relation) error {
	text, marked := schema.Untyped(text)
	return secret(m, lookup.Path{Text: text, Hops: hops, Typed: marked})
}
