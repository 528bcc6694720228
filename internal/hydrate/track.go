package hydrate

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A Snapshot is what the database held of a row when it was read or written.
// It is never changed, so that copies of the row share it.
type Snapshot struct {
	// text has a part for each field that is stored: its length and one, and
	// then what the field held, in a form in which equal values are equal and
	// others are not. The length is zero where it is not known, and a zero of
	// two bytes where the field was not read.
	text string
}

// A form says how to write down, for comparison only, what a field holds.
type form uint8

const (
	coded  form = iota // what the driver would be given
	memory             // its bytes in memory
	text               // those of a string
	toOne              // the key
)

// A Layout says what is remembered of the rows of a type.
type Layout struct {
	fields []trackField
	at     spot // of the kin.Tracked
}

type trackField struct {
	*schema.Field
	form form
	key  bool
}

//nolint:gochecknoglobals // a cache of what follows from a type
var layouts sync.Map // of *schema.Struct to *Layout

// LayoutOf returns the layout of a type that is tracked, or nil.
func LayoutOf(s *schema.Struct) *Layout {
	if s.Track == nil {
		return nil
	}
	if l, ok := layouts.Load(s); ok {
		return l.(*Layout)
	}
	l := &Layout{at: spotOf(s.Track)}
	for _, f := range s.Fields {
		if f.Rel.Kind != schema.NoRel && f.Rel.Kind != schema.ToOne {
			continue
		}
		tf := trackField{Field: f}
		for _, kf := range s.Key().Fields {
			tf.key = tf.key || kf.Field == f
		}
		switch plain := f.Wrap == schema.Plain && !f.Marshal; {
		case f.Rel.Kind == schema.ToOne:
			tf.form = toOne
		case plain && f.Value.Kind == dialect.String:
			tf.form = text
		case plain:
			switch f.Value.Kind {
			case dialect.Bool, dialect.Int, dialect.Uint, dialect.Float, dialect.UUID:
				tf.form = memory
			default:
			}
		}
		l.fields = append(l.fields, tf)
	}
	kept, _ := layouts.LoadOrStore(s, l)
	return kept.(*Layout)
}

// append appends what the field of the row at p holds, or nothing if that
// cannot be told.
func (f *trackField) append(b []byte, p Pointer) []byte {
	at := fieldOf(p, f.Field)
	switch f.form {
	case memory:
		return appendMemory(b, at, f.Field)
	case text:
		return append(append(b, 's'), *as[string](at)...)
	case toOne:
		if one(p, f.Field).fk.State == rel.Unread {
			return append(b, 'u')
		}
		key, null, err := oneKey(p, f.Field)
		switch {
		case err != nil: // it leads to a row that is not saved, say
			return b
		case null:
			return append(b, 'n')
		}
		b = binary.LittleEndian.AppendUint64(append(b, 'k'), key.N[0])
		b = binary.LittleEndian.AppendUint64(b, key.N[1])
		return append(b, key.S...)
	case coded:
	}
	v, err := codecOf(f.Field).encode(at, permissive)
	if err != nil {
		return b
	}
	if f.Value.Kind == dialect.Array {
		return fmt.Appendf(append(b, 'a'), "%q", v)
	}
	return appendCoded(b, v)
}

func appendCoded(b []byte, v driver.Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, 'n')
	case int64:
		return binary.LittleEndian.AppendUint64(append(b, 'i'), uint64(v))
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, 'f'), math.Float64bits(v))
	case bool:
		return fmt.Append(append(b, 'b'), v)
	case string:
		return append(append(b, 's'), v...)
	case []byte:
		return append(append(b, 'x'), v...)
	case time.Time:
		return v.UTC().AppendFormat(append(b, 't'), time.RFC3339Nano)
	}
	return b // what no driver takes is not known
}

// A partState is what a part of a snapshot says.
type partState uint8

const (
	unknown partState = iota
	known             // what the database holds
	unread            // nothing: the query left the column out
)

// next returns the first part of a snapshot's text, and what is behind it.
func next(s string) (part string, state partState, rest string) {
	var n uint64
	if len(s) > 0 && s[0] == 0x80 {
		state = unread // if it is a zero
	}
	var shift uint
	for i := range len(s) {
		c := s[i]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			s = s[i+1:]
			break
		}
		shift += 7
	}
	if n == 0 {
		return "", state, s
	}
	return s[:n-1], known, s[n-1:]
}

// snapshotOf returns where the row at p has its snapshot.
func (l *Layout) snapshotOf(p Pointer) **Snapshot { return as[*Snapshot](held(l.at.in(p))) }

// snapshot returns the snapshot of the row at p, or nil if there is none. One
// of another primary key is of another row, of which this is a copy.
func (l *Layout) snapshot(p Pointer) *Snapshot {
	was := *l.snapshotOf(p)
	if was == nil {
		return nil
	}
	var room [64]byte
	rest := was.text
	for i := range l.fields {
		f := &l.fields[i]
		var part string
		var state partState
		part, state, rest = next(rest)
		if f.key && (state != known || string(f.append(room[:0], p)) != part) {
			return nil
		}
	}
	return was
}

// Known reports whether row, a *T, is known to be in the database: it was read
// from there, or written.
func (l *Layout) Known(row any) bool { return l.snapshot(unbox(row)) != nil }

// Changed returns the fields of row, a *T, that may differ from what is in the
// database, but for the primary key. One that was not read has changed if it is
// not zero any more.
func (l *Layout) Changed(row any) []*schema.Field {
	p := unbox(row)
	rest, own := l.text(p)
	var fields []*schema.Field
	var room [256]byte
	now := room[:0]
	for i := range l.fields {
		f := &l.fields[i]
		var part string
		var state partState
		part, state, rest = next(rest)
		if f.key || state == unread && f.blank(p) {
			continue
		}
		same := own && state == known
		if same {
			now = f.append(now[:0], p)
			same = string(now) == part
		}
		if !same {
			fields = append(fields, f.Field)
		}
	}
	return fields
}

// Was returns the snapshot of row, a *T, for [Layout.Restore].
func (l *Layout) Was(row any) *Snapshot { return *l.snapshotOf(unbox(row)) }

// Restore gives row, a *T, a snapshot that it had before. None is nil.
func (l *Layout) Restore(row any, was *Snapshot) { *l.snapshotOf(unbox(row)) = was }

// A Tracker makes snapshots of rows of one type, several in one piece of
// memory.
type Tracker struct {
	*Layout
	part, all []byte
	texts     []byte     // with room for more
	snapshots []Snapshot // likewise
	grow      int
}

// Track has row, a *T, remember what it holds as what is in the database: in
// all fields, or in those for which only is true. Of the others it keeps what
// it knows.
func (t *Tracker) Track(row any, only func(*schema.Field) bool) { t.track(unbox(row), only, nil) }

// track has the row at p remember what it holds. left says, by place, which
// fields were not read; it is nil if all were.
func (t *Tracker) track(p Pointer, only func(*schema.Field) bool, left []bool) {
	var rest string
	var own bool
	if only != nil {
		rest, own = t.text(p)
	}
	t.all = t.all[:0]
	for i := range t.fields {
		f := &t.fields[i]
		part, state, behind := next(rest)
		rest = behind
		switch {
		case left != nil && left[i]:
			state = unread
		case only == nil || f.key || only(f.Field):
			t.part = f.append(t.part[:0], p)
			t.all = appendPart(t.all, t.part, len(t.part) > 0)
			continue
		}
		if state == unread {
			t.all = append(t.all, 0x80, 0)
			continue
		}
		t.all = appendPart(t.all, part, own && state == known)
	}
	if len(t.snapshots) == cap(t.snapshots) {
		t.grow = min(max(1, 4*t.grow), 64)
		t.snapshots = make([]Snapshot, 0, t.grow)
	}
	t.snapshots = append(t.snapshots, Snapshot{t.keep()})
	*t.snapshotOf(p) = &t.snapshots[len(t.snapshots)-1]
}

func appendPart[S []byte | string](b []byte, part S, known bool) []byte {
	if !known {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(part))+1), part...)
}

// keep returns t.all as a text that does not change.
func (t *Tracker) keep() string {
	n := len(t.all)
	if n > cap(t.texts)-len(t.texts) {
		const most = 1 << 14
		t.texts = make([]byte, 0, max(n, min(n*t.grow, most)))
	}
	at := len(t.texts)
	t.texts = append(t.texts, t.all...)
	return textOf(t.texts[at:])
}
