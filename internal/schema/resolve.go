package schema

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kin-orm/kin/alias"
	"github.com/kin-orm/kin/dialect"
)

// Resolve makes the graph of the structs. It returns all that is wrong with
// them instead, sorted by model and field.
func Resolve(structs []*Struct, naming Naming) (*Graph, []Problem) {
	r := resolver{
		graph: &Graph{Naming: naming.withDefaults(), byType: map[reflect.Type]*Model{}},
		keys:  map[*Model]keyState{},
		link:  map[*Field]*Model{},

		indexes: map[string]*Model{},
	}
	for _, s := range structs {
		r.problems = append(r.problems, s.Problems...)
		m := &Model{Name: s.Name, Type: s.Type, Struct: s, Table: s.Table.Name, members: map[string]Member{}}
		if m.Table == "" {
			m.Table = r.graph.Naming.Table(m.Name)
		}
		r.graph.Models = append(r.graph.Models, m)
		r.graph.byType[s.Type] = m
	}
	r.links()
	slices.SortFunc(r.graph.Models, func(a, b *Model) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Table, b.Table), cmp.Compare(a.path(), b.path()))
	})
	r.tables()
	for _, m := range r.graph.Models {
		r.key(m)
	}
	for _, m := range r.graph.Models {
		r.columns(m)
	}
	for _, m := range r.graph.Models {
		r.foreignKeys(m)
	}
	for _, m := range r.graph.Models {
		r.homes(m)
	}
	r.manyToMany()
	for _, m := range r.graph.Models {
		r.constraints(m)
		r.encrypted(m)
	}
	r.names()
	r.ranges()
	if len(r.problems) > 0 {
		slices.SortFunc(r.problems, func(a, b Problem) int {
			return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Text, b.Text))
		})
		return nil, slices.Compact(r.problems)
	}
	return r.graph, nil
}

type resolver struct {
	graph    *Graph
	problems []Problem
	keys     map[*Model]keyState
	link     map[*Field]*Model // the link tables that kin makes up
	indexes  map[string]*Model // the special ones, by name
}

// A keyState is the primary key of a model while it is being found out.
type keyState struct {
	parts   []keyPart
	visited bool
	done    bool
}

// A keyPart is one column of a primary key before the columns are made.
type keyPart struct {
	name  string       // lookup name within the model
	value dialect.Type // of the column at the end of the foreign keys
}

func (r *resolver) problem(m *Model, field, format string, args ...any) {
	r.problems = append(r.problems, Problem{m.Name, field, fmt.Sprintf(format, args...)})
}

// tables finds models that share a table.
func (r *resolver) tables() {
	byTable := map[string]*Model{}
	for _, m := range r.graph.Models {
		if other := byTable[m.Table]; other != nil {
			r.problem(m, "", "has the table %q, and so has %s (%s); give one of them another with a KinTable method",
				m.Table, other.Name, other.Type)
			continue
		}
		byTable[m.Table] = m
	}
}

// key finds the parts of the primary key of m, those of the targets first.
func (r *resolver) key(m *Model) []keyPart {
	state := r.keys[m]
	if state.done {
		return state.parts
	}
	if state.visited {
		r.problem(m, "", "has a primary key that leads back to itself through foreign keys")
		return nil
	}
	r.keys[m] = keyState{visited: true}
	var parts []keyPart
	for _, f := range keyFields(m.Struct) {
		lookup := SnakeCase(f.Name)
		if f.Rel.Kind != ToOne {
			parts = append(parts, keyPart{lookup, f.Value})
			continue
		}
		target := r.graph.Model(f.Rel.Target)
		if target == nil {
			continue // reported with the foreign keys
		}
		for _, p := range r.key(target) {
			parts = append(parts, keyPart{lookup + "__" + p.name, p.value})
		}
	}
	if len(keyFields(m.Struct)) == 0 {
		r.problem(m, "", "has no primary key; call a field ID or tag one `kin:\",pk\"`")
	}
	r.keys[m] = keyState{parts: parts, visited: true, done: true}
	return parts
}

// keyFields returns the fields tagged pk, else the one called ID.
func keyFields(s *Struct) []*Field {
	var keys []*Field
	for _, f := range s.Fields {
		if f.Tag.Key && f.Rel.Kind.HasColumns() {
			keys = append(keys, f)
		}
	}
	if keys == nil {
		for _, f := range s.Fields {
			if f.Name == "ID" && f.Rel.Kind.HasColumns() {
				return []*Field{f}
			}
		}
	}
	return keys
}

// columns makes the columns of m, and the relations of its foreign keys.
func (r *resolver) columns(m *Model) {
	keys := keyFields(m.Struct)
	for _, f := range m.Struct.Fields {
		key := slices.Contains(keys, f)
		switch f.Rel.Kind {
		case ToMany, Linked, Tracking:
		case ToOne:
			r.foreignKey(m, f, key)
		case NoRel:
			c := &Column{
				Model: m, Field: f, Name: f.Tag.Column, Lookup: SnakeCase(f.Name), Value: f.Value,
				Key: key, Nullable: f.Tag.Null || f.Wrap == Pointer || f.Wrap == Null,
				Unique: f.Tag.Unique, Index: f.Tag.Index,
			}
			c.Source = c
			if c.Name == "" {
				c.Name = r.graph.Naming.Column(m.Name, f.Name)
			}
			if key && c.Nullable {
				r.problem(m, f.Name, "is a primary key, which cannot be NULL; take a plain type and no null option")
			}
			r.auto(m, c, len(keys))
			r.behaviour(m, c)
			r.softDelete(m, c)
			m.leaves(c)
			m.Columns = append(m.Columns, c)
			r.member(m, f.Name, c.Lookup, Member{Column: c})
		}
	}
	for _, c := range m.Columns {
		if c.Key {
			m.Key = append(m.Key, c)
			c.Value.Key = true
		}
		if c.Unique || c.Index {
			c.Value.Key = true
		}
	}
	byName := map[string]*Column{}
	for _, c := range m.Columns {
		if other := byName[c.Name]; other != nil {
			r.problem(m, c.Field.Name, "has the column %q, and so has %s", c.Name, other.GoName())
		}
		byName[c.Name] = c
	}
}

// auto says whether the database generates the column.
func (r *resolver) auto(m *Model, c *Column, keys int) {
	switch {
	case c.Key && isAuto(c.Field, keys):
		c.Auto, c.Value.Auto, m.Auto = true, true, c
	case c.Field.Tag.Auto:
		r.problem(m, c.Field.Name, "has the tag option \"auto\", which is for a single integer primary key")
	}
}

// foreignKey makes the columns and the relation of the foreign key f.
func (r *resolver) foreignKey(m *Model, f *Field, key bool) {
	target := r.graph.Model(f.Rel.Target)
	if target == nil {
		r.problem(m, f.Name, "refers to %[1]s, which is not registered; add kin.Register[%[1]s]() to an init function", f.Rel.Target.Name())
		return
	}
	rel := &Relation{
		Name: SnakeCase(f.Name), Kind: ToOne, From: m, To: target, Field: f, Nulls: f.Tag.Null,
		OnDelete: f.Tag.OnDelete, OnUpdate: f.Tag.OnUpdate,
	}
	if key && rel.Nulls {
		r.problem(m, f.Name, "is a primary key, which cannot be NULL; take off the null option")
	}
	if rel.OnDelete == "SET NULL" && !rel.Nulls {
		r.problem(m, f.Name, "has on_delete=set_null, but cannot be NULL; add the null option")
	}
	parts := r.key(target)
	var names []string
	if f.Tag.Column != "" {
		names = []string{f.Tag.Column}
		if len(parts) > 1 {
			names = strings.Split(f.Tag.Column, "+")
		}
		if len(names) != len(parts) {
			r.problem(m, f.Name, "names %d columns, but the primary key of %s has %d; name them a+b in its order",
				len(names), target.Name, len(parts))
			return
		}
	}
	for i, p := range parts {
		c := &Column{
			Model: m, Field: f, Lookup: rel.Name, Value: p.value, Relation: rel, Part: i,
			Key: key, Nullable: rel.Nulls, Unique: f.Tag.Unique && len(parts) == 1, Index: true,
		}
		c.Value.Auto = false
		switch {
		case names != nil:
			c.Name = names[i]
		case len(parts) == 1:
			c.Name = r.graph.Naming.Key(m.Name, f.Name, "")
		default:
			c.Name = r.graph.Naming.Key(m.Name, f.Name, strings.ReplaceAll(p.name, "__", "_"))
		}
		m.Columns = append(m.Columns, c)
		rel.FromColumns = append(rel.FromColumns, c)
	}
	m.Keys = append(m.Keys, rel)
	r.member(m, f.Name, rel.Name, Member{Relation: rel})
}

func (r *resolver) member(m *Model, field, name string, mem Member) {
	if strings.Contains(name, "__") {
		r.problem(m, field, "has the lookup name %q; two underscores part the steps of a path", name)
	}
	if other, ok := m.members[name]; ok {
		r.problem(m, field, "has the name %q in lookups, and so has %s", name, other.describe())
		return
	}
	m.members[name] = mem
}

func (mem Member) describe() string {
	if mem.Column != nil {
		return "the field " + mem.Column.GoName()
	}
	switch {
	case mem.Relation.Via != nil && mem.Relation.Field != nil:
		return "the many-to-many relation " + mem.Relation.GoName()
	case mem.Relation.Kind == ToMany:
		return "the reverse of " + mem.Relation.Inverse.GoName()
	}
	return "the foreign key " + mem.Relation.GoName()
}

// foreignKeys completes the foreign keys of m and makes their reverses.
func (r *resolver) foreignKeys(m *Model) {
	unnamed := map[*Model][]string{}
	for _, rel := range m.Keys {
		if rel.Field.Tag.RelatedName == "" {
			unnamed[rel.To] = append(unnamed[rel.To], rel.Field.Name)
		}
	}
	for _, rel := range m.Keys {
		for i, c := range rel.FromColumns {
			if i < len(rel.To.Key) {
				rel.ToColumns = append(rel.ToColumns, rel.To.Key[i])
				c.Source = source(rel.To.Key[i])
			}
		}
		rel.Unique = rel.Field.Tag.Unique || sameColumns(rel.FromColumns, m.Key)
		if m.Bare {
			r.hide(m, rel)
			continue
		}
		name := rel.Field.Tag.RelatedName
		if same := unnamed[rel.To]; name == "" && len(same) > 1 {
			r.problem(m, rel.Field.Name, "and other foreign keys (%s) lead to %s without a related_name; add related_name=… to each",
				strings.Join(same, ", "), rel.To.Name)
			continue
		}
		if name == "" {
			name = strings.ToLower(m.Name) + "s"
		}
		back := &Relation{
			Name: name, Kind: ToMany, From: rel.To, To: m, Nulls: true, Inverse: rel,
			FromColumns: rel.ToColumns, ToColumns: rel.FromColumns,
		}
		rel.Inverse = back
		if strings.Contains(name, "__") {
			r.problem(m, rel.Field.Name, "has the related name %q; two underscores part the steps of a path", name)
			continue
		}
		if other, ok := rel.To.members[name]; ok {
			r.problem(m, rel.Field.Name, "has the related name %q at %s, and so has %s; set another related_name",
				name, rel.To.Name, other.describe())
			continue
		}
		r.member(rel.To, rel.Field.Name, name, Member{Relation: back})
		rel.To.Relations = append(rel.To.Relations, back)
	}
	m.Relations = append(m.Relations, m.Keys...)
}

// source follows foreign keys from a column to the one whose value it holds.
func source(c *Column) *Column {
	for range 32 { // a cycle of keys has been reported
		if c.Relation == nil || c.Part >= len(c.Relation.To.Key) {
			break
		}
		c = c.Relation.To.Key[c.Part]
	}
	return c
}

func sameColumns(a, b []*Column) bool {
	if len(a) != len(b) {
		return false
	}
	for _, c := range a {
		if !slices.Contains(b, c) {
			return false
		}
	}
	return true
}

// constraints checks the names in the table options of m.
func (r *resolver) constraints(m *Model) {
	for _, set := range slices.Concat(m.Struct.Table.Unique, m.Struct.Table.Indexes) {
		columns, bad, ok := m.ColumnsOf(set)
		if !ok {
			r.problem(m, "", "has no column %q, which its KinTable method names%s", bad, Suggest(bad, m.Members()))
		}
		for _, c := range columns {
			c.Value.Key = true // it is in an index, which cannot hold every type
		}
	}
	r.specialIndexes(m)
}

// names sorts the relations and gives them their aliases.
func (r *resolver) names() {
	var all []alias.Relation
	reserved := make([]string, 0, len(r.graph.Models))
	for _, m := range r.graph.Models {
		slices.SortFunc(m.Relations, func(a, b *Relation) int { return cmp.Compare(a.Name, b.Name) })
		reserved = append(reserved, m.Table)
		for _, rel := range m.Relations {
			if rel.Via == nil {
				all = append(all, alias.Relation{Table: m.Table, Name: rel.Name})
			}
		}
	}
	aliases := alias.Assign(all, reserved...)
	for rel := range r.graph.Relations() {
		rel.Alias = aliases[alias.Relation{Table: rel.From.Table, Name: rel.Name}]
	}
	for rel := range r.graph.Relations() {
		if rel.Via != nil {
			rel.Alias = rel.Via.Target.Alias
		}
	}
}
