package hydrate

import (
	"math/bits"

	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A table finds the rows of one model by key: within one result, a row of the
// database is one value.
type table struct {
	ints   intTable // of keys that are one integer
	others map[rel.Key]int32
	isInt  bool

	rows   []Pointer
	filled []bool // whether the row's columns have been read
}

func newTable(isInt bool) *table {
	t := &table{isInt: isInt}
	if !isInt {
		t.others = map[rel.Key]int32{}
	}
	return t
}

func newTables(models []*schema.Model) []*table {
	tables := make([]*table, len(models))
	for i, m := range models {
		tables[i] = newTable(len(m.Key) == 1 && isInt(m.Key[0].Value))
	}
	return tables
}

// find returns the place of the row with the key k. If there is none, it
// takes one from alloc.
func (t *table) find(k *rel.Key, alloc *slab) int32 {
	next := int32(len(t.rows))
	var at int32
	if t.isInt {
		at = t.ints.put(k.N[0], next)
	} else {
		var ok bool
		if at, ok = t.others[*k]; !ok {
			at = next
			t.others[*k] = next
		}
	}
	if at == next {
		t.rows = append(t.rows, alloc.take())
		t.filled = append(t.filled, false)
	}
	return at
}

// get returns the place of the row with the key k, if there is one.
func (t *table) get(k *rel.Key) (at int32, ok bool) {
	if t.isInt {
		return t.ints.get(k.N[0])
	}
	at, ok = t.others[*k]
	return at, ok
}

// reserve makes room for so many rows, unless there are some already.
func (t *table) reserve(rows int) {
	if rows == 0 || len(t.rows) > 0 {
		return
	}
	t.rows, t.filled = room(t.rows, rows), room(t.filled, rows)
	if t.isInt {
		t.ints.reserve(rows)
	}
}

func (t *table) reset() {
	t.ints.reset()
	clear(t.others)
	clear(t.rows)
	t.rows, t.filled = t.rows[:0], t.filled[:0]
}

// An intTable maps integers to places: open addressing with linear probing,
// and the multiplier of Fibonacci hashing (Knuth, TAOCP 3, 6.4).
type intTable struct {
	slots []intSlot
	used  int
	shift uint
}

type intSlot struct {
	key uint64
	at  int32 // place + 1; 0 is empty
}

// put returns the place of key, which is next if it is new.
func (t *intTable) put(key uint64, next int32) int32 {
	if full(t.used, len(t.slots)) {
		t.expand()
	}
	mask := uint64(len(t.slots) - 1)
	for i := t.hash(key); ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.at == 0 {
			s.key, s.at = key, next+1
			t.used++
			return next
		}
		if s.key == key {
			return s.at - 1
		}
	}
}

// get returns the place of key, if it has one.
func (t *intTable) get(key uint64) (at int32, ok bool) {
	if t.used == 0 {
		return 0, false
	}
	mask := uint64(len(t.slots) - 1)
	for i := t.hash(key); ; i = (i + 1) & mask {
		switch s := &t.slots[i]; {
		case s.at == 0:
			return 0, false
		case s.key == key:
			return s.at - 1, true
		}
	}
}

func (t *intTable) hash(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> t.shift }

// full reports whether so many keys are too many for so many slots: at three
// quarters, one is found after two and a half looks.
func full(keys, slots int) bool { return 4*keys >= 3*slots }

// reserve makes an empty table have room for so many keys.
func (t *intTable) reserve(keys int) {
	if t.used == 0 && full(keys, len(t.slots)) {
		t.slots = nil
		t.resize(1 << bits.Len(uint(4*keys/3)))
	}
}

func (t *intTable) expand() { t.resize(max(16, 4*len(t.slots))) }

func (t *intTable) resize(size int) {
	old := t.slots
	t.slots = make([]intSlot, size)
	t.shift = 64
	for n := size; n > 1; n >>= 1 {
		t.shift--
	}
	mask := uint64(size - 1)
	for _, s := range old {
		if s.at == 0 {
			continue
		}
		i := t.hash(s.key)
		for t.slots[i].at != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

func (t *intTable) reset() {
	switch {
	case len(t.slots) > 1024 && t.used*16 < len(t.slots):
		t.slots = nil // one large root must not tax all that follow
	case t.used > 0:
		clear(t.slots)
	}
	t.used = 0
}
