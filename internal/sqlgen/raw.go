package sqlgen

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/plan"
)

// Raw writes a statement that a user has written.
func Raw(r *plan.RawSQL, d dialect.Dialect) Text {
	w := writer{d: d, t: d.Traits(), b: make([]byte, 0, len(r.SQL)+16)}
	w.rawSQL(r)
	if w.err == nil {
		w.checkParams(len(w.args))
	}
	return Text{string(w.b), w.args, w.err}
}

// rawSQL writes a user's SQL, with a parameter in place of each ? that is
// neither in quotes nor in a comment. ?? is one question mark, for operators.
func (w *writer) rawSQL(r *plan.RawSQL) {
	fail := func(err error) {
		if w.err == nil {
			w.err = fmt.Errorf("kin: raw SQL: %w", err)
		}
	}
	n := 0
	for s := r.SQL; s != ""; {
		size, err := quoted(w.t.Lexis, s, r.SQL[:len(r.SQL)-len(s)])
		switch {
		case err != nil:
			fail(err)
			return
		case size > 0:
		case strings.HasPrefix(s, "??"):
			if !w.t.Lexis.QuestionOperators {
				fail(fmt.Errorf("?? stands for an operator with a question mark, which %s has not", w.d.Name()))
				return
			}
			w.text("?")
			s = s[2:]
			continue
		case s[0] == '?' && len(s) > 1 && (isDigit(s[1]) || isLetter(s[1])):
			fail(errors.New("a ? is a parameter by itself, without a number or a name"))
			return
		case s[0] == '?':
			if n < len(r.Args) {
				w.param(r.Args[n])
			}
			n++
			s = s[1:]
			continue
		case s[0] == '$' && len(s) > 1 && isDigit(s[1]):
			fail(errors.New("a parameter is a ?, on every database, and not a $ with a number"))
			return
		default:
			size = 1
		}
		w.text(s[:size])
		s = s[size:]
	}
	if n != len(r.Args) {
		fail(fmt.Errorf("it has %d ? and %d arguments; a ? that is no parameter is in quotes, or, in an operator, ??", n, len(r.Args)))
	}
}
