package schema

import "github.com/kin-orm/kin/dialect"

const softDeleteTypes = "has the tag option \"softdelete\", which is for a *time.Time, a sql.Null[time.Time] or a bool"

// softDelete notes that the column c of m says whether a row is deleted.
func (r *resolver) softDelete(m *Model, c *Column) {
	if !c.Field.Tag.SoftDelete {
		return
	}
	instant := c.Value.Kind == dialect.Time && (c.Field.Wrap == Pointer || c.Field.Wrap == Null)
	flag := c.Value.Kind == dialect.Bool && c.Field.Wrap == Plain && !c.Nullable
	switch {
	case !instant && !flag || c.Key:
		r.problem(m, c.Field.Name, softDeleteTypes)
	case m.Deleted != nil:
		r.problem(m, c.Field.Name, "has the tag option \"softdelete\", and so has %s; keep one", m.Deleted.GoName())
	default:
		m.Deleted = c
	}
}
