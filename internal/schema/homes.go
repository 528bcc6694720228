package schema

import (
	"strings"
)

// homes binds the to-many fields of m to foreign keys of their targets.
func (r *resolver) homes(m *Model) {
	for _, f := range m.Struct.Fields {
		if f.Rel.Kind != ToMany {
			continue
		}
		child := r.graph.Model(f.Rel.Target)
		if child == nil {
			r.problem(m, f.Name, "holds %[1]s, which is not registered; add kin.Register[%[1]s]() to an init function", f.Rel.Target.Name())
			continue
		}
		rel := r.home(m, f, child)
		if rel == nil || rel.Inverse == nil {
			continue
		}
		back := rel.Inverse
		if back.Field != nil {
			r.problem(m, f.Name, "and %s are both the reverse of %s; keep one", back.Field.Name, rel.GoName())
			continue
		}
		back.Field = f
		m.Homes = append(m.Homes, back)
		if name := SnakeCase(f.Name); name != back.Name {
			r.member(m, f.Name, name, Member{Relation: back})
		}
	}
}

// home returns the foreign key of child that the to-many field f of m is the
// reverse of.
func (r *resolver) home(m *Model, f *Field, child *Model) *Relation {
	var found []*Relation
	var names []string
	for _, rel := range child.Keys {
		if rel.To != m {
			continue
		}
		names = append(names, rel.Field.Name)
		switch via := f.Tag.Via; {
		case via != "" && (via == rel.Field.Name || via == rel.Name):
			return rel
		case via == "" && rel.Field.Tag.RelatedName == SnakeCase(f.Name):
			return rel
		case via == "":
			found = append(found, rel)
		}
	}
	switch {
	case len(names) == 0:
		r.problem(m, f.Name, "is the reverse of no foreign key: %[1]s has none to %[2]s; add a field `%[2]s kin.ForeignKey[%[2]s]` to %[1]s",
			child.Name, m.Name)
	case f.Tag.Via != "":
		r.problem(m, f.Name, "is the reverse via %q, but the foreign keys of %s to %s are %s",
			f.Tag.Via, child.Name, m.Name, strings.Join(names, ", "))
	case len(found) > 1:
		r.problem(m, f.Name, "may be the reverse of several foreign keys of %s: %s; choose one, as in `kin:\"via=%s\"`",
			child.Name, strings.Join(names, ", "), names[0])
	case len(found) == 1:
		return found[0]
	}
	return nil
}
