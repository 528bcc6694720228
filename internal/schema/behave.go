package schema

import (
	"slices"

	"github.com/kin-orm/kin/dialect"
)

// Hooks are the methods of a type that are called around reading and writing.
type Hooks uint16

// The hooks.
const (
	BeforeInsert Hooks = 1 << iota
	AfterInsert
	BeforeUpdate
	AfterUpdate
	BeforeDelete
	AfterDelete
	AfterLoad
	Validate
	Defaults
)

// Has reports whether there is one of the hooks.
func (h Hooks) Has(hooks Hooks) bool { return h&hooks != 0 }

// behaviour checks the options of the field f that have kin set its value.
func (s *Struct) behaviour(f *Field) {
	tag := f.Tag
	timed := tag.AutoCreate || tag.AutoUpdate
	switch {
	case timed && (f.Value.Kind != dialect.Time || f.Marshal):
		s.problem(f.Name, "has the tag option autocreate or autoupdate, which is for a time.Time, a *time.Time or a sql.Null[time.Time]")
	case tag.AutoCreate && tag.AutoUpdate:
		s.problem(f.Name, "has the tag options autocreate and autoupdate; autoupdate is set by the insert too")
	case tag.AutoUpdate && tag.Key:
		s.problem(f.Name, "has the tag option autoupdate, but is a primary key, which is not changed")
	case tag.Version && (f.Value.Kind != dialect.Int && f.Value.Kind != dialect.Uint || f.Wrap != Plain || f.Marshal):
		s.problem(f.Name, "has the tag option version, which is for an integer that cannot be NULL")
	case tag.Version && (tag.Key || tag.Auto || timed):
		s.problem(f.Name, "has the tag option version, and another that sets its value")
	}
}

// behaviour notes that kin sets the column c.
func (r *resolver) behaviour(m *Model, c *Column) {
	switch tag := c.Field.Tag; {
	case tag.AutoCreate:
		m.Created = append(m.Created, c)
	case tag.AutoUpdate:
		m.Updated = append(m.Updated, c)
	case tag.Version && m.Version != nil:
		r.problem(m, c.Field.Name, "has the tag option version, and so has %s; a row has one version", m.Version.Field.Name)
	case tag.Version:
		m.Version = c
	}
}

// isMade reports whether the field f, one of n of a primary key, is no key
// while it is zero: the database makes it, or a KinDefaults method does. What
// nobody makes is a key, zero or not.
func isMade(s *Struct, f *Field, n int) bool {
	return isAuto(f, n) || f.Wrap == Plain && s.Hooks.Has(Defaults) && (n == 1 || f.Value.Kind == dialect.UUID)
}

// Writable returns the columns that an update of whole rows writes: all but
// the primary key, the version, what is set by the insert for good, and what the
// database computes.
func (m *Model) Writable() []*Column {
	var columns []*Column
	for _, c := range m.Columns {
		if !c.Key && !c.Computed && c != m.Version && !slices.Contains(m.Created, c) {
			columns = append(columns, c)
		}
	}
	return columns
}

// Identity returns the columns of the primary key, and the version if there
// is one: who writes a row has read it under these.
func (m *Model) Identity() []*Column {
	if m.Version == nil {
		return m.Key
	}
	return append(slices.Clip(m.Key), m.Version)
}
