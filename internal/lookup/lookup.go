// Package lookup resolves the texts in which users name columns, relations
// and operators, such as "students__category__name__icontains", against the
// graph of models. No other package takes such a text apart.
package lookup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/schema"
)

// MaxHops is the most relations that a path may follow.
const MaxHops = 16

// Unresolved begins the text of a path that could not be found out. What
// follows is why. No text of a user's begins so.
//
//nolint:gochecknoglobals // never changed; another in each process
var Unresolved = "\x00" + rand.Text()

// An Op compares a column with values.
type Op uint8

// The operators.
const (
	Exact Op = iota
	Ne
	IExact
	Contains
	IContains
	StartsWith
	IStartsWith
	EndsWith
	IEndsWith
	Like
	Regex
	IRegex
	In
	Gt
	Gte
	Lt
	Lte
	Range
	IsNull
	ContainedBy
	Overlap
)

//nolint:gochecknoglobals // an immutable table
var ops = map[string]Op{
	"exact": Exact, "ne": Ne, "iexact": IExact, "contains": Contains, "icontains": IContains,
	"startswith": StartsWith, "istartswith": IStartsWith, "endswith": EndsWith,
	"iendswith": IEndsWith, "like": Like, "regex": Regex, "iregex": IRegex, "in": In, "gt": Gt, "gte": Gte, "lt": Lt, "lte": Lte,
	"range": Range, "isnull": IsNull, "contained_by": ContainedBy, "overlap": Overlap,
}

// String returns the operator as it is written in lookups.
func (op Op) String() string {
	for name, o := range ops {
		if o == op {
			return name
		}
	}
	return "unknown"
}

// Operator returns the operator with a name.
func Operator(name string) (Op, bool) {
	op, ok := ops[name]
	return op, ok
}

// Text reports whether op searches text.
func (op Op) Text() bool { return op >= IExact && op <= IRegex }

// Pattern reports whether op searches text by a pattern, which may cost more
// than the text is long.
func (op Op) Pattern() bool { return op >= Like && op <= IRegex }

// An Error is a path that does not resolve.
type Error struct {
	Model string   // the model at which the step was looked up
	Path  string   // the whole path
	Step  string   // the step that failed
	Known []string // what there is instead, sorted
	text  string
}

// Error implements error.
func (e *Error) Error() string { return "kin: " + e.text }

func notFound(m *schema.Model, path, step, what string, known iter.Seq[string]) *Error {
	names := slices.Sorted(known)
	e := &Error{Model: m.Name, Path: clip(path), Step: clip(step), Known: names}
	e.text = fmt.Sprintf("%s has no %s %q", m.Name, what, e.Step)
	if e.Path != e.Step {
		e.text += fmt.Sprintf(" (in %q)", e.Path)
	}
	if hint := schema.Suggest(step, slices.Values(names)); hint != "" {
		e.text += hint
	} else {
		e.text += "; there are " + strings.Join(names, ", ")
	}
	return e
}

// clip keeps a user's text from filling a log.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// A Path is a resolved text.
type Path struct {
	Text string
	Hops []*schema.Relation
	// Targets has, for a hop that is but the link of a many-to-many relation,
	// the foreign key from there to the far side, else nil. It may be shorter.
	Targets []*schema.Relation
	// Column is the column at the end, or nil if the path ends in a relation,
	// which then is the last hop.
	Column *schema.Column
	Op     Op
	// Typed is whether a program has given it in types.
	Typed bool
}

// Condition resolves a path that ends in a column or a relation, and perhaps
// an operator.
func Condition(m *schema.Model, text string) (Path, error) {
	p, rest, at, err := walk(m, text)
	if err != nil {
		return p, err
	}
	if len(rest) == 0 {
		return p, nil
	}
	op, ok := ops[rest[0]]
	switch {
	case !ok && p.Column == nil:
		return p, notFound(at, text, rest[0], "field, relation or operator", at.Members())
	case !ok:
		return p, notFound(at, text, rest[0], "operator", maps.Keys(ops))
	case len(rest) > 1:
		return p, notFound(at, text, rest[0]+"__"+rest[1], "field or relation", at.Members())
	}
	p.Op = op
	return p, nil
}

// Call takes a text apart that calls a function of one path: "count(students)",
// "count(distinct category)".
func Call(text string) (name, arg string, distinct, ok bool) {
	name, rest, ok := strings.Cut(text, "(")
	arg, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return "", "", false, false
	}
	arg = strings.TrimSpace(arg)
	if of, found := strings.CutPrefix(arg, "distinct "); found {
		arg, distinct = strings.TrimSpace(of), true
	}
	return strings.TrimSpace(name), arg, distinct, true
}

// Member resolves a path that ends in a column or a relation.
func Member(m *schema.Model, text string) (Path, error) {
	p, rest, at, err := walk(m, text)
	if err == nil && len(rest) > 0 {
		err = notFound(at, text, rest[0], "field or relation", at.Members())
	}
	return p, err
}

// Relation resolves a path of relations.
func Relation(m *schema.Model, text string) (Path, error) {
	p, rest, at, err := walk(m, text)
	switch {
	case err != nil:
		return p, err
	case len(rest) > 0:
		return p, notFound(at, text, rest[0], "relation", relations(at))
	case p.Column != nil:
		return p, notFound(p.Column.Model, text, p.Column.Lookup, "relation", relations(p.Column.Model))
	}
	return p, nil
}

// Order resolves a path that ends in a column or a to-one relation.
func Order(m *schema.Model, text string) (Path, error) {
	p, rest, at, err := walk(m, text)
	switch {
	case err != nil:
		return p, err
	case len(rest) > 0:
		return p, notFound(at, text, rest[0], "field or relation", at.Members())
	case p.Column == nil && p.Hops[len(p.Hops)-1].Kind == schema.ToMany:
		return p, &Error{
			Model: m.Name, Path: clip(text), Step: p.Hops[len(p.Hops)-1].Name,
			text: fmt.Sprintf("%s cannot be ordered by %q, which leads to many rows; name one of their fields", m.Name, clip(text)),
		}
	}
	return p, nil
}

// Load resolves a path of relations whose rows can be loaded.
func Load(m *schema.Model, text string) ([]*schema.Relation, error) {
	if first, _, _ := strings.Cut(text, "__"); !has(m, first) {
		return nil, notFound(m, text, first, "relation", relations(m))
	}
	p, rest, at, err := walk(m, text)
	switch {
	case err != nil:
		return nil, err
	case p.Column != nil:
		known := slices.Sorted(relations(p.Column.Model))
		return nil, &Error{
			Model: p.Column.Model.Name, Path: clip(text), Step: p.Column.Lookup, Known: known,
			text: fmt.Sprintf("%s has no relation %q (in %q): it is a field, and loaded with its row; the relations are %s",
				p.Column.Model.Name, p.Column.Lookup, clip(text), strings.Join(known, ", ")),
		}
	case len(rest) > 0:
		return nil, notFound(at, text, rest[0], "relation", relations(at))
	}
	for _, r := range p.Hops {
		if r.Field == nil {
			return nil, &Error{
				Model: r.From.Name, Path: clip(text), Step: r.Name,
				text: fmt.Sprintf("%s has no field to load %q into; add `%s %s` to it",
					r.From.Name, r.Name, fieldName(r.Name), field(r)),
			}
		}
	}
	return p.Hops, nil
}

// field returns the declaration of a field for the rows of r.
func field(r *schema.Relation) string {
	switch {
	case r.Via == nil:
		return fmt.Sprintf("kin.Reverse[%s]%s", r.To.Name, via(r))
	case r.Inverse.Field.Rel.Link != nil:
		link := r.Via.Link.To.Name
		return fmt.Sprintf("kin.Through[%s, %s] `kin:\"via=%s+%s\"`", r.To.Name, link, r.Via.Link.Inverse.Field.Name, r.Via.Target.Field.Name)
	}
	return fmt.Sprintf("kin.ManyToMany[%s] `kin:\"via=%s\"`", r.To.Name, r.Inverse.Field.Name)
}

// via returns the tag that a Reverse for r would need.
func via(r *schema.Relation) string {
	n := 0
	for _, k := range r.To.Keys {
		if k.To == r.From {
			n++
		}
	}
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" `kin:\"via=%s\"`", r.Inverse.Field.Name)
}

func fieldName(lookup string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(lookup, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

func has(m *schema.Model, name string) bool {
	_, ok := m.Member(name)
	return ok
}

// relations returns the lookup names of the relations of m.
func relations(m *schema.Model) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range m.Members() {
			if mem, _ := m.Member(name); mem.Relation != nil && !yield(name) {
				return
			}
		}
	}
}

// linkStep names the row of the link model by which a many-to-many relation,
// the step before, has come to its target.
const linkStep = "link"

func hasLinkModel(r *schema.Relation) bool { return r.Via != nil && !r.Via.Link.To.Bare }

// walk follows text as far as it names members. It returns the steps that
// are left and the model at which they were not found.
func walk(m *schema.Model, text string) (p Path, rest []string, at *schema.Model, err error) {
	if bad, ok := strings.CutPrefix(text, Unresolved); ok {
		return p, nil, m, errors.New(bad)
	}
	text, p.Typed = schema.Untyped(text)
	p.Text, at = text, m
	for left, more := text, true; more; {
		var step string
		step, left, more = strings.Cut(left, "__")
		mem, ok := at.Member(step)
		if last := len(p.Hops) - 1; !ok && step == linkStep && last >= 0 && hasLinkModel(p.Hops[last]) {
			p.Targets = append(p.Targets, make([]*schema.Relation, last+1-len(p.Targets))...)
			p.Targets[last] = p.Hops[last].Via.Target
			p.Hops[last] = p.Hops[last].Via.Link
			at = p.Hops[last].To
			continue
		}
		switch {
		case !ok && len(p.Hops) == 0:
			return p, nil, at, notFound(at, text, step, what(more), members(at, more))
		case !ok:
			rest = append(rest, step)
			if more {
				rest = append(rest, left)
			}
			return p, rest, at, nil
		case mem.Column != nil:
			p.Column = mem.Column
			if more {
				rest = strings.SplitN(left, "__", 2)
			}
			return p, rest, at, nil
		}
		if len(p.Hops) == MaxHops {
			return p, nil, at, &Error{
				Model: m.Name, Path: clip(text), Step: clip(step),
				text: fmt.Sprintf("the path %q from %s follows more than %d relations", clip(text), m.Name, MaxHops),
			}
		}
		p.Hops = append(p.Hops, mem.Relation)
		at = mem.Relation.To
	}
	return p, nil, at, nil
}

func what(more bool) string {
	if more {
		return "relation"
	}
	return "field or relation"
}

func members(m *schema.Model, more bool) iter.Seq[string] {
	if more {
		return relations(m)
	}
	return m.Members()
}
