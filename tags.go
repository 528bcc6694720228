package kin

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Tag adds a comment to the statements of the query, for those who read the
// logs and statistics of the database:
//
//	SELECT … /*job='nightly'*/
//
// A key is a letter and then letters, digits and underscores, at most 63. Of a
// value, all but letters, digits and -_.~ is percent-encoded, as in a URL and
// as sqlcommenter does, so that nothing in it can end the comment; what is
// beyond its first 200 bytes is cut off.
func (qs QuerySet[T]) Tag(key, value string) QuerySet[T] {
	return QuerySet[T]{qs.q.tagged(reflect.TypeFor[T](), key, value)}
}

func (q *query) tagged(t reflect.Type, key, value string) *query {
	q = q.derived()
	tag, err := comment(map[string]string{key: value})
	if err != nil {
		q.fail(fmt.Errorf("kin: a query on %s: %w", t.Name(), err))
	}
	q.reads.tags += tag
	return q
}

// WithTags adds a comment to every statement, as [QuerySet.Tag] does: what tags
// returns for its context, such as the route of a request. A key that is none
// is an error of the call. Statements that differ in their comments are
// prepared each for itself: do not tag with what is another each time, unless
// the pool prepares nothing.
func WithTags(tags func(ctx context.Context) map[string]string) Option {
	return func(db *DB) {
		db.s.Tag = func(ctx context.Context) (string, error) {
			text, err := comment(tags(ctx))
			if err != nil {
				return "", fmt.Errorf("kin: %w", err)
			}
			return text, nil
		}
	}
}

const (
	maxTagKey   = 63
	maxTagValue = 200
)

// comment returns tags as a comment that follows a statement, sorted by key.
func comment(tags map[string]string) (string, error) {
	if len(tags) == 0 {
		return "", nil
	}
	var b strings.Builder
	for i, key := range slices.Sorted(maps.Keys(tags)) {
		if !isTagKey(key) {
			return "", fmt.Errorf("a tag has the key %.80q; a key is a letter, then letters, digits and underscores, at most %d", key, maxTagKey)
		}
		if i == 0 {
			b.WriteString(" /*")
		} else {
			b.WriteByte(',')
		}
		b.WriteString(key)
		b.WriteString("='")
		value := tags[key]
		for j := range min(len(value), maxTagValue) {
			if c := value[j]; isUnreserved(c) {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
		b.WriteByte('\'')
	}
	b.WriteString("*/")
	return b.String(), nil
}

func isTagKey(key string) bool {
	if key == "" || len(key) > maxTagKey || !isLetter(key[0]) {
		return false
	}
	for i := range len(key) {
		if !isLetter(key[i]) && !isDigit(key[i]) && key[i] != '_' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isUnreserved(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '-' || c == '_' || c == '.' || c == '~'
}
