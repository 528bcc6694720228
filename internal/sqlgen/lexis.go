package sqlgen

import (
	"errors"
	"strings"

	"github.com/kin-orm/kin/dialect"
)

// quoted returns the length of the text in quotes, or of the comment, that s
// begins with; 0 if it begins with neither. before is what comes before s.
func quoted(l dialect.Lexis, s, before string) (int, error) {
	switch c := s[0]; {
	case c == '\'':
		return closed(s, c, l.Backslash || l.EscapeStrings && escapes(before))
	case c == '"':
		return closed(s, c, l.Backslash)
	case c == '`' && l.Backticks:
		return closed(s, c, false)
	case c == '[' && l.Brackets:
		if i := strings.IndexByte(s, ']'); i >= 0 {
			return i + 1, nil
		}
		return 0, errors.New("a [ is not closed")
	case strings.HasPrefix(s, "--") && (!l.DashSpace || len(s) == 2 || s[2] <= ' '), c == '#' && l.Hash:
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			return i + 1, nil
		}
		return len(s), nil
	case strings.HasPrefix(s, "/*"):
		return comment(s, l.NestedComments)
	case c == '$' && l.DollarQuotes && !endsWord(before):
		return dollars(s)
	}
	return 0, nil
}

// closed returns the length of what is in the quotes q, of which two are one.
func closed(s string, q byte, backslash bool) (int, error) {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && backslash:
			i++
		case s[i] == q && i+1 < len(s) && s[i+1] == q:
			i++
		case s[i] == q:
			return i + 1, nil
		}
	}
	return 0, errors.New("a quote " + string(q) + " is not closed")
}

// escapes reports whether the E of an E'…' is before the quote.
func escapes(before string) bool {
	n := len(before)
	return n > 0 && before[n-1]|0x20 == 'e' && !endsWord(before[:n-1])
}

func endsWord(s string) bool {
	if s == "" {
		return false
	}
	c := s[len(s)-1]
	return isWord(c) || c == '$'
}

func isWord(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c >= 0x80 }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func comment(s string, nested bool) (int, error) {
	depth := 1
	for i := 2; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "*/"):
			depth--
			i++
			if depth == 0 {
				return i + 1, nil
			}
		case nested && strings.HasPrefix(s[i:], "/*"):
			depth++
			i++
		}
	}
	return 0, errors.New("a comment /* is not closed")
}

// dollars returns the length of a text in dollar quotes, such as $$…$$ or
// $tag$…$tag$; 0 if s begins with a dollar and no such text.
func dollars(s string) (int, error) {
	end := 1
	for end < len(s) && isWord(s[end]) {
		end++
	}
	if end == len(s) || s[end] != '$' || end > 1 && isDigit(s[1]) {
		return 0, nil
	}
	tag := s[:end+1]
	if i := strings.Index(s[end+1:], tag); i >= 0 {
		return end + 1 + i + len(tag), nil
	}
	return 0, errors.New("a quote " + tag + " is not closed")
}
