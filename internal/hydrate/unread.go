package hydrate

import (
	"slices"

	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// text returns the parts of the snapshot of the row at p, and whether they are
// its own: those of another primary key say only what was not read, which is
// so for a copy too.
func (l *Layout) text(p Pointer) (text string, own bool) {
	was := *l.snapshotOf(p)
	if was == nil {
		return "", false
	}
	return was.text, l.snapshot(p) != nil
}

// left returns which of the layout's fields are among those that a query
// leaves out, by place.
func (l *Layout) left(out []*schema.Field) []bool {
	if l == nil || len(out) == 0 {
		return nil
	}
	left := make([]bool, len(l.fields))
	for i := range l.fields {
		left[i] = slices.Contains(out, l.fields[i].Field)
	}
	return left
}

// blank reports whether a field that was not read is still as it was then.
func (f *trackField) blank(p Pointer) bool {
	if f.form == toOne {
		return one(p, f.Field).fk.State == rel.Unread
	}
	return isZero(f.Field, fieldOf(p, f.Field))
}

// Unread returns the fields of row, a *T, that the query which read it left
// out, and that have got no value since.
func (l *Layout) Unread(row any) (fields []*schema.Field) {
	p := unbox(row)
	rest, _ := l.text(p)
	for i := range l.fields {
		var state partState
		_, state, rest = next(rest)
		if state == unread && l.fields[i].blank(p) {
			fields = append(fields, l.fields[i].Field)
		}
	}
	return fields
}

// Forget has row, a *T, know nothing of the database but which fields were not
// read: of these it holds nothing that could be written.
func (t *Tracker) Forget(row any) {
	at := t.snapshotOf(unbox(row))
	if *at == nil {
		return
	}
	var text []byte
	some := false
	rest := (*at).text
	for range t.fields {
		var state partState
		_, state, rest = next(rest)
		if state == unread {
			text, some = append(text, 0x80, 0), true
		} else {
			text = append(text, 0)
		}
	}
	*at = nil
	if some {
		*at = &Snapshot{string(text)}
	}
}
