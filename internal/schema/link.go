package schema

import (
	"cmp"
	"slices"
	"strings"
)

// links makes the link tables of the many-to-many fields that have no link
// model: a model each, with two foreign keys that are its primary key.
func (r *resolver) links() {
	for _, m := range slices.Clone(r.graph.Models) {
		for _, f := range m.Struct.Fields {
			target := r.graph.Model(f.Rel.Target)
			if f.Rel.Kind != Linked || f.Rel.Link != nil || f.Tag.Via != "" || target == nil {
				continue // a target that is missing is reported by manyToMany
			}
			from, to := m.Name, target.Name
			if m == target {
				from, to = "From"+from, "To"+to
			}
			s := &Struct{
				Name:   m.Name + f.Name,
				Fields: []*Field{linkKey(from, m.Struct), linkKey(to, target.Struct)},
				Table:  Table{Name: f.Tag.Column},
			}
			if s.Table.Name == "" {
				s.Table.Name = m.Table + "_" + r.graph.Naming.Column(m.Name, f.Name)
			}
			link := &Model{Name: s.Name, Struct: s, Table: s.Table.Name, Bare: true, members: map[string]Member{}}
			r.graph.Models = append(r.graph.Models, link)
			r.link[f] = link
		}
	}
}

// linkKey returns the foreign key of a link table to the rows of target.
func linkKey(name string, target *Struct) *Field {
	return &Field{
		Name: name,
		Tag:  Tag{Key: true, OnDelete: "CASCADE"},
		Rel:  RelField{Kind: ToOne, Target: target.Type, Struct: func() *Struct { return target }},
	}
}

// path returns where the model's type is declared.
func (m *Model) path() string {
	if m.Bare {
		return ""
	}
	return m.Type.PkgPath()
}

// hide makes the reverse of a foreign key of the link table m, under a name
// that no path can have.
func (r *resolver) hide(m *Model, rel *Relation) {
	rel.Inverse = &Relation{
		Name: m.Table + "__" + rel.Name, Kind: ToMany, From: rel.To, To: m, Nulls: true, Inverse: rel,
		FromColumns: rel.ToColumns, ToColumns: rel.FromColumns,
	}
	rel.To.Relations = append(rel.To.Relations, rel.Inverse)
}

// manyToMany makes the many-to-many relations, there and back.
func (r *resolver) manyToMany() {
	for _, near := range []bool{true, false} { // far sides name near ones
		for _, m := range r.graph.Models {
			for _, f := range m.Struct.Fields {
				if f.Rel.Kind != Linked || near != (f.Tag.Via == "" || f.Rel.Link != nil) {
					continue
				}
				target := r.graph.Model(f.Rel.Target)
				switch {
				case target == nil:
					r.problem(m, f.Name, "holds %[1]s, which is not registered; add kin.Register[%[1]s]() to an init function", f.Rel.Target.Name())
				case f.Rel.Link != nil:
					r.through(m, f, target)
				case near:
					link := r.link[f]
					if len(link.Keys) == 2 { // else reported
						r.linked(m, f, link.Keys[0], link.Keys[1])
					}
				default:
					r.farSide(m, f, target)
				}
			}
		}
	}
	for _, m := range r.graph.Models {
		for _, rel := range m.Homes {
			if rel.Via != nil && rel.Inverse.Field == nil {
				r.nameInverse(m, rel)
			}
		}
	}
}

// linked makes the relation of the field f of m, by way of the link model
// with the foreign keys owner and target, unless the other side has.
func (r *resolver) linked(m *Model, f *Field, owner, target *Relation) {
	rel := r.opposite(owner, target)
	if rel == nil {
		rel = &Relation{Kind: ToMany, From: m, To: target.To, Nulls: true, Via: &Via{owner.Inverse, target}}
		rel.Inverse = &Relation{Kind: ToMany, From: target.To, To: m, Nulls: true, Via: &Via{target.Inverse, owner}, Inverse: rel}
	}
	rel.Name, rel.Field = SnakeCase(f.Name), f
	m.Homes = append(m.Homes, rel)
	m.Relations = append(m.Relations, rel)
	r.member(m, f.Name, rel.Name, Member{Relation: rel})
}

// opposite returns the relation from owner's model to target's if a field on
// the other side has made it.
func (r *resolver) opposite(owner, target *Relation) *Relation {
	for _, home := range target.To.Homes {
		if home.Via != nil && home.Via.Target == owner && home.Via.Link == target.Inverse && home.Inverse.Field == nil {
			return home.Inverse
		}
	}
	return nil
}

// nameInverse names the other side of rel, a relation of m, which has no
// field: by the related name, or by default as that of a foreign key, unless
// the link model's own relations lead there.
func (r *resolver) nameInverse(m *Model, rel *Relation) {
	name := rel.Field.Tag.RelatedName
	if name == "" && rel.Field.Rel.Link != nil {
		return
	}
	name = cmp.Or(name, strings.ToLower(m.Name)+"s")
	rel.Inverse.Name = name
	if other, ok := rel.To.members[name]; ok {
		r.problem(m, rel.Field.Name, "has the related name %q at %s, and so has %s; set another related_name",
			name, rel.To.Name, other.describe())
		return
	}
	r.member(rel.To, rel.Field.Name, name, Member{Relation: rel.Inverse})
	rel.To.Relations = append(rel.To.Relations, rel.Inverse)
}

// farSide binds the field f of m to the relation that its tag names.
func (r *resolver) farSide(m *Model, f *Field, target *Model) {
	var names []string
	for _, near := range target.Homes {
		if near.Via == nil || near.To != m || near.Field == f {
			continue
		}
		if near.Field.Name != f.Tag.Via && near.Name != f.Tag.Via {
			names = append(names, near.Field.Name)
			continue
		}
		if other := near.Inverse.Field; other != nil {
			r.problem(m, f.Name, "and %s are both the far side of %s; keep one", other.Name, near.GoName())
			return
		}
		r.linked(m, f, near.Via.Target, near.Via.Link.Inverse)
		if name := near.Field.Tag.RelatedName; name != "" && name != SnakeCase(f.Name) {
			r.member(m, f.Name, name, Member{Relation: near.Inverse})
		}
		return
	}
	hint := "it has none"
	if names != nil {
		hint = "it has " + strings.Join(names, ", ")
	}
	r.problem(m, f.Name, "is the far side of %q of %s, which has no such many-to-many field of %s; %s", f.Tag.Via, target.Name, m.Name, hint)
}

// through makes the relation of the field f of m by way of its link model.
func (r *resolver) through(m *Model, f *Field, target *Model) {
	link := r.graph.Model(f.Rel.Link)
	if link == nil {
		r.problem(m, f.Name, "has the link model %[1]s, which is not registered; add kin.Register[%[1]s]() to an init function", f.Rel.Link.Name())
		return
	}
	ownerName, targetName, _ := strings.Cut(f.Tag.Via, "+")
	owner := r.linkTo(m, f, link, m, ownerName, nil)
	if owner == nil {
		return
	}
	to := r.linkTo(m, f, link, target, targetName, owner)
	if to == nil || owner.Inverse == nil || to.Inverse == nil {
		return
	}
	switch {
	case owner.Nulls || to.Nulls:
		r.problem(m, f.Name, "has the link model %s, whose foreign keys %s and %s cannot be null", link.Name, owner.Field.Name, to.Field.Name)
	case !link.IsUnique(slices.Concat(owner.FromColumns, to.FromColumns)):
		r.problem(m, f.Name, "has the link model %[1]s, in which a pair may be linked twice; declare it unique, "+
			"as in `func (%[1]s) KinTable() kin.Table { return kin.Table{Unique: [][]string{{%[2]q, %[3]q}}} }`, or take a Reverse[%[1]s]",
			link.Name, owner.Name, to.Name)
	default:
		for _, home := range m.Homes {
			if home.Via != nil && home.Via.Link == owner.Inverse && home.Via.Target == to {
				r.problem(m, f.Name, "and %s take the same way; keep one", home.Field.Name)
				return
			}
		}
		r.linked(m, f, owner, to)
	}
}

// linkTo returns the foreign key of link to the model at: the one called
// name, or the only one besides not.
func (r *resolver) linkTo(m *Model, f *Field, link, at *Model, name string, not *Relation) *Relation {
	var found []*Relation
	var names []string
	for _, key := range link.Keys {
		if key.To != at || key == not {
			continue
		}
		if key.Field.Name == name || key.Name == name {
			return key
		}
		found = append(found, key)
		names = append(names, key.Field.Name)
	}
	switch {
	case len(found) == 0:
		r.problem(m, f.Name, "has the link model %[1]s, which has no foreign key to %[2]s; add a field `%[2]s kin.ForeignKey[%[2]s]` to %[1]s",
			link.Name, at.Name)
	case name != "":
		r.problem(m, f.Name, "names the foreign key %q of its link model, but those of %s to %s are %s", name, link.Name, at.Name, strings.Join(names, ", "))
	case len(found) > 1:
		way := names[0]
		if not != nil {
			way = not.Field.Name + "+" + way
		}
		r.problem(m, f.Name, "has the link model %s with several foreign keys to %s: %s; choose one, as in `kin:\"via=%s\"`",
			link.Name, at.Name, strings.Join(names, ", "), way)
	default:
		return found[0]
	}
	return nil
}
