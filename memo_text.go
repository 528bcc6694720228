package kin

import (
	"database/sql/driver"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/schema"
	"github.com/kin-orm/kin/internal/sqlgen"
)

// maxKept is the most values that a byText keeps. One more, and they are begun
// anew.
const maxKept = 1000

// A byText keeps values by texts. It is safe for concurrent use, and reading it
// takes no lock. The zero byText is empty.
type byText[V any] struct {
	all atomic.Pointer[map[string]V]
	mu  sync.Mutex // of changes to all
}

// get returns the value of a text, or the zero V.
func (b *byText[V]) get(text []byte) (v V) {
	if all := b.all.Load(); all != nil {
		v = (*all)[string(text)]
	}
	return v
}

func (b *byText[V]) put(text string, v V) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string]V{}
	if before := b.all.Load(); before != nil && len(*before) < maxKept {
		all = maps.Clone(*before)
	}
	all[text] = v
	b.all.Store(&all)
}

// insertText returns the text of an INSERT of one row, which returns some columns
// of it. It is written once for each choice of columns.
func (s *session) insertText(m *schema.Model, columns, returned []*schema.Column) (string, error) {
	var room [signatureRoom]byte
	key := rowKey(room[:0], s.dialect, m).columns(columns).columns(returned)
	if text := s.space.rowTexts.get(key); text != "" {
		return text, nil
	}
	text, err := sqlgen.Insert(s.dialect, m.Table, columns, 1, returned)
	if err == nil {
		s.space.rowTexts.put(string(key), text)
	}
	return text, err
}

// updateText is insertText for an UPDATE of the columns set in the row that has the
// values of keys, in that order.
func (s *session) updateText(m *schema.Model, set, keys []*schema.Column) (string, error) {
	var room [signatureRoom]byte
	key := rowKey(room[:0], s.dialect, m).columns(nil).columns(set).columns(keys)
	if text := s.space.rowTexts.get(key); text != "" {
		return text, nil
	}
	text := sqlgen.UpdateOne(s.dialect, m.Table, set, keys, make([]driver.Value, len(set)+len(keys)), nil)
	if text.Err == nil {
		s.space.rowTexts.put(string(key), text.SQL)
	}
	return text.SQL, text.Err
}

// rowKey begins the key of a statement that writes a row of m. The names of a
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
