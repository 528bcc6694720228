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

// A guarding is the guard of what is being resolved, and counts the conditions
// that are guarded.
type guarding struct {
	guard      *Guard
	own        bool
	conditions int
}

// pair checks a resolved condition.
func (n *guarding) pair(m *schema.Model, p lookup.Path, value any) error {
	if !n.own {
		if err := secret(m, p); err != nil {
			return err
		}
	}
	if n.guard != nil {
		n.conditions++
	}
	for g := n.guard; g != nil; g = g.Outer {
		err := g.path(m, p, func(text string) (lookup.Path, error) { return lookup.Condition(m, text) })
		if err != nil {
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
		err := g.path(m, p, func(text string) (lookup.Path, error) { return lookup.Condition(m, text) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *Guard) path(m *schema.Model, p lookup.Path, resolve func(string) (lookup.Path, error)) error {
	if g.Hops > 0 && len(p.Hops) > g.Hops {
		return fmt.Errorf("kin: the path %.200q follows %d relations; at most %d may be asked for (Cap)", p.Text, len(p.Hops), g.Hops)
	}
	if g.Allow == nil {
		return nil
	}
	for _, text := range g.Allow {
		allowed, err := resolve(text)
		if err != nil {
			return fmt.Errorf("kin: Allow: %w", trim(err))
		}
		one := allowed.Op != lookup.Exact || strings.HasSuffix(text, "__exact")
		if allowed.Column == p.Column && slices.Equal(allowed.Hops, p.Hops) && (allowed.Op == p.Op || !one && !p.Op.Pattern()) {
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
	hidden := p.Column != nil && p.Column.Field.Tag.Secret
	for _, r := range p.Hops {
		hidden = hidden || r.Field != nil && r.Field.Tag.Secret || r.Inverse != nil && r.Inverse.Field != nil && r.Inverse.Field.Tag.Secret
	}
	if !hidden {
		return nil
	}
	return fmt.Errorf("kin: %.200q of %s is secret: it cannot be filtered or ordered by through a text", p.Text, m.Name)
}
