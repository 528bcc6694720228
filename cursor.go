package kin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/kin-orm/kin/internal/crypt"
	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
)

// ErrCursor says that a cursor is none that this database has made for this
// query: it was changed, or cut off, or is that of a query with other
// conditions or another order, or its key is gone.
var ErrCursor = errors.New("kin: the cursor does not belong to the query")

// WithCursorKeys gives the database the keys that protect the cursors of
// [QuerySet.PageFrom]. Without it, they are derived from those of
// [WithKeyring], if there are any. All processes that serve one API must have
// the same keys.
func WithCursorKeys(k *Keyring) Option {
	return func(db *DB) {
		if k != nil {
			db.s.space.cursorKeys = k.ring
		}
	}
}

// A CursorPage is a page of a query's rows, and the cursors that lead on.
type CursorPage[T any] struct {
	Rows []*T
	// Next and Previous lead to the pages after this one and before it. They
	// are empty where it is known that there is none. A page that they lead to
	// may be empty if rows have been deleted since.
	Next, Previous string
}

// PageFrom returns the page of at most size rows that a cursor leads to, or
// the first page if it is empty. The cursors of a page lead to its neighbours,
// forward and back. Pages have no numbers, and the database reads no rows but
// those of the page, given an index on the order.
//
//	page, err := q.OrderBy("-score", "class__name").PageFrom(ctx, db, cursor, 20)
//
// A cursor is a place in the query's order, and not a number of rows: rows
// that others insert or delete neither move the pages that follow, nor come
// twice, nor are left out. It may hold NULLs, ties are told apart by the
// primary key, and an order may lead through foreign keys.
//
// To the reader, a cursor is an opaque text that fits into a URL. It is
// encrypted and authenticated with the keys of [WithCursorKeys], so that it
// shows no values, and one that was changed is [ErrCursor]. So is that of
// a query on another model, with another order, or with conditions that
// differ in anything: a condition on the time of day must be given the
// same time for all pages. The size may change from page to page, and so may
// what is loaded. A query with a limit or an offset has no such pages.
func (qs QuerySet[T]) PageFrom(ctx context.Context, db Executor, cursor string, size int) (*CursorPage[T], error) {
	rows, next, previous, err := qs.q.pageFrom(ctx, db, reflect.TypeFor[T](), cursor, size)
	if err != nil {
		return nil, err
	}
	return &CursorPage[T]{hydrate.Slice[T](rows), next, previous}, nil
}

// A cursor is what is in the text of one.
type cursor struct {
	back, inclusive bool
	place           []hydrate.PlaceValue
}

func (q *query) pageFrom(ctx context.Context, db Executor, t reflect.Type, text string, size int) (rows []hydrate.Pointer, next, previous string, err error) {
	switch {
	case size < 1 || size > math.MaxInt32:
		err = fmt.Errorf("kin: a page of %s: a page has at least one row, and not %d", t.Name(), size)
	case q != nil && (q.limit != nil || q.offset != 0):
		err = fmt.Errorf("kin: a page of %s: a query with a limit or an offset has no pages by cursor; the size is the limit, and the cursor the offset", t.Name())
	}
	if err != nil {
		return nil, "", "", err
	}
	seal, err := q.cursors(ctx, db.session(), t)
	if err != nil {
		return nil, "", "", err
	}
	sk := seeker{query: q, model: t, key: seekKey{limit: int64(size) + 1}, beside: 1}
	var at cursor
	if text != "" {
		if at, err = seal.open(text); err != nil {
			return nil, "", "", fmt.Errorf("%w: %s: %w", ErrCursor, t.Name(), err)
		}
		if sk, err = sk.from(at.place, at.back, at.inclusive); err != nil {
			return nil, "", "", err
		}
	}
	found, err := sk.run(ctx, db)
	if err != nil {
		return nil, "", "", err
	}
	rows = found.rows
	more := len(rows) > size
	switch {
	case more && at.back:
		rows = rows[1:]
	case more:
		rows = rows[:size]
	}
	first, last := at, at
	if len(rows) > 0 {
		first, last = cursor{place: found.places.Of(rows[0])}, cursor{place: found.places.Of(rows[len(rows)-1])}
	} else {
		// The row at the place itself, if there is one, is on the other side.
		first.inclusive, last.inclusive = !at.inclusive, !at.inclusive
	}
	first.back, last.back = true, false
	if more || at.back {
		if next, err = seal.seal(last); err != nil {
			return nil, "", "", err
		}
	}
	if more && at.back || !at.back && text != "" {
		previous, err = seal.seal(first)
	}
	return rows, next, previous, err
}

// A cursorSeal makes cursors of one query, and reads them.
type cursorSeal struct {
	cipher *crypt.Cipher
	query  [sha256.Size]byte // what tells the query from others
}

// cursors returns the seal for cursors of the query.
func (q *query) cursors(ctx context.Context, s *session, t reflect.Type) (cs cursorSeal, err error) {
	if cs.cipher = s.space.cursors(); cs.cipher == nil {
		return cs, fmt.Errorf("kin: a page of %s: cursors need a key; open the database with kin.WithCursorKeys", t.Name())
	}
	// How its rows are counted says what the conditions are, and not what is
	// loaded. Comments say nothing.
	c, err := q.compile(ctx, s, t, variant{form: count})
	if err != nil {
		return cs, err
	}
	h := sha256.New()
	var order []string
	text := c.sql
	if q != nil {
		order, text = q.order, strings.TrimSuffix(text, q.reads.tags)
	}
	_, _ = fmt.Fprintf(h, "%q %q %q %q", text, t.String(), s.dialect.Name(), unmarked(order))
	for _, arg := range c.args {
		_, _ = fmt.Fprintf(h, " %T %q", arg, fmt.Sprint(arg))
	}
	h.Sum(cs.query[:0])
	return cs, nil
}

// cursors returns the cipher of cursors, or nil if there are no keys.
func (s *space) cursors() *crypt.Cipher {
	s.cursorOnce.Do(func() {
		keys := s.cursorKeys
		if keys == nil {
			keys = s.keys
		}
		if keys != nil {
			s.cursorCipher = keys.Cipher("kin:cursor", true)
		}
	})
	return s.cursorCipher
}

// maxCursor is the length of the longest cursor. URLs are no longer.
const maxCursor = 8000

var errCursorLong = fmt.Errorf("it is longer than %d bytes", maxCursor)

func (cs cursorSeal) seal(c cursor) (string, error) {
	b := append([]byte{}, cs.query[:]...)
	flags := byte(0)
	if c.back {
		flags |= 1
	}
	if c.inclusive {
		flags |= 2
	}
	b = append(b, flags)
	for _, v := range c.place {
		if v.Null {
			b = append(b, 1)
			continue
		}
		b = append(b, 0)
		b = binary.LittleEndian.AppendUint64(b, v.Key.N[0])
		b = binary.LittleEndian.AppendUint64(b, v.Key.N[1])
		b = binary.AppendUvarint(b, uint64(len(v.Key.S)))
		b = append(b, v.Key.S...)
	}
	sealed, err := cs.cipher.Seal(b)
	if err != nil {
		return "", fmt.Errorf("kin: a cursor %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(sealed)
	if len(text) > maxCursor {
		return "", fmt.Errorf("kin: a cursor would be too long: %w; order by shorter values", errCursorLong)
	}
	return text, nil
}

func (cs cursorSeal) open(text string) (c cursor, err error) {
	if len(text) > maxCursor {
		return c, errCursorLong
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // which base64 passes over
		return c, errors.New("it is no base64 text of a URL")
	}
	plain, err := cs.cipher.Open(sealed)
	switch {
	case errors.Is(err, crypt.ErrAltered): // which speaks of columns
		return c, errors.New("it was altered, or cut off")
	case err != nil:
		return c, fmt.Errorf("it %w", err)
	}
	b, _ := plain.([]byte)
	if len(b) <= len(cs.query) || [sha256.Size]byte(b[:len(cs.query)]) != cs.query {
		return c, errors.New("it is that of a query with another model, order or condition")
	}
	b = b[len(cs.query):]
	c.back, c.inclusive = b[0]&1 != 0, b[0]&2 != 0
	for b = b[1:]; len(b) > 0; {
		var v hydrate.PlaceValue
		if v.Null, b = b[0] == 1, b[1:]; !v.Null {
			if v.Key, b, err = cursorKey(b); err != nil {
				return c, err
			}
		}
		c.place = append(c.place, v)
	}
	return c, nil
}

// cursorKey reads a value, which is authentic, and returns what is after it.
func cursorKey(b []byte) (k rel.Key, rest []byte, err error) {
	const numbers = 16
	if len(b) < numbers {
		return k, nil, errors.New("it is of another version")
	}
	k.N[0], k.N[1] = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	n, width := binary.Uvarint(b[numbers:])
	b = b[numbers+max(0, width):]
	if width <= 0 || n > uint64(len(b)) {
		return k, nil, errors.New("it is of another version")
	}
	k.S = string(b[:n])
	return k, b[n:], nil
}
