package schema

import (
	"crypto/rand"
	"strings"
)

// typed begins the text of a path that a program has given in types, and that
// may lead to what is secret. No text of a user's begins so.
//
//nolint:gochecknoglobals // never changed; another in each process
var typed = "\x01" + rand.Text()

// Typed marks the text of a path, after its sign if it has one, as one that a
// program has given in types.
func Typed(path string) string { return typed + path }

// Untyped returns the text of a path without its mark, and whether it had one.
func Untyped(path string) (text string, marked bool) {
	if path == "" || path[0] != typed[0] {
		return path, false
	}
	return strings.CutPrefix(path, typed)
}
