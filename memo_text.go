package kin

import (
	"database/sql/driver"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// maxKept is about the most values that a byText keeps. Beyond it, they are begun
// anew. maxYoung is how many are put before they join the others.
const maxKept, maxYoung = 1000, 32

// A byText keeps values by texts. It is safe for concurrent use, and reading it
// takes no lock. The zero byText is empty.
type byText[V any] struct {
	all atomic.Pointer[byAge[V]]
	mu  sync.Mutex // of changes to all
}

// byAge has maps that are not changed. To put a value, the young ones are copied,
// and all only now and then.
type byAge[V any] struct{ young, old map[string]V }

// get returns the value of a text, or the zero V.
func (b *byText[V]) get(text []byte) (v V) {
	all := b.all.Load()
	if all == nil {
		return v
	}
	v, ok := all.young[string(text)]
	if !ok {
		v = all.old[string(text)]
	}
	return v
}

func (b *byText[V]) put(text string, v V) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := byAge[V]{young: map[string]V{}}
	if before := b.all.Load(); before != nil {
		all.young, all.old = maps.Clone(before.young), before.old
	}
	all.young[text] = v
	if len(all.young) > maxYoung {
		old := map[string]V{}
		if len(all.old) < maxKept {
			maps.Copy(old, all.old)
		}
		maps.Copy(old, all.young)
		all = byAge[V]{young: map[string]V{}, old: old}
	}
	b.all.Store(&all)
}

// insertText returns the text of an INSERT of so many rows, which returns some
// columns of them. Those of one row, and of as many as a statement takes, are
// written once for each choice of columns.
func (s *session) insertText(m *schema.Model, columns, returned []*schema.Column, rows int) (string, error) {
	var room [signatureRoom]byte
	key := rowKey(room[:0], s.dialect, m).number(uint64(rows)).columns(columns).columns(returned)
	return s.rowText(key, rows == 1 || rows == s.chunk(len(columns)), func() (string, error) {
		return sqlgen.Insert(s.dialect, m.Table, columns, rows, returned)
	})
}

// updateText is insertText for an UPDATE of the columns set in so many rows, each
// of which has the values of keys, in that order. It is not for databases that
// take arrays, unless it is one row.
func (s *session) updateText(m *schema.Model, set, keys []*schema.Column, rows int, one bool) (string, error) {
	var room [signatureRoom]byte
	key := rowKey(room[:0], s.dialect, m).number(0).bool(one).number(uint64(rows)).columns(set).columns(keys)
	return s.rowText(key, one || rows == s.chunk(len(set)+len(keys)), func() (string, error) {
		values := make([]driver.Value, len(set)+len(keys)) // of each row
		var text sqlgen.Text
		if one {
			text = sqlgen.UpdateOne(s.dialect, m.Table, set, keys, values, nil)
		} else {
			text = sqlgen.UpdateMany(s.dialect, m.Table, set, keys, slices.Repeat([][]driver.Value{values}, rows), nil)
		}
		return text.SQL, text.Err
	})
}

// rowText returns the text with a key, and remembers it if it is worth it.
func (s *session) rowText(key signature, keep bool, write func() (string, error)) (string, error) {
	if text := s.space.rowTexts.get(key); text != "" {
		return text, nil
	}
	text, err := write()
	if err == nil && keep {
		s.space.rowTexts.put(string(key), text)
	}
	return text, err
}

// rowKey begins the key of a statement that writes rows of m. The names of a
// model's table and columns do not change within a space.
func rowKey(room signature, d dialect.Dialect, m *schema.Model) signature {
	return room.number(uint64(reflect.ValueOf(d.Traits()).Pointer())).typ(m.Type)
}

func (sig signature) columns(columns []*schema.Column) signature {
	sig = sig.number(uint64(len(columns)))
	for _, c := range columns {
		sig = sig.text(c.Name)
	}
	return sig
}
