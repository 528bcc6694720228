package chinook

import "strings"

// split returns the statements of a script, without comments between them and
// without empty ones. Semicolons inside quotes and comments part nothing. In
// MySQL's quotes a backslash keeps the next character from ending them.
func split(script string, backslash bool) []string {
	var statements []string
	var b strings.Builder
	for i := 0; i < len(script); {
		n := token(script[i:], backslash)
		text := script[i : i+n]
		i += n
		switch {
		case text == ";":
			statements = append(statements, b.String())
			b.Reset()
		case strings.HasPrefix(text, "/*"), strings.HasPrefix(text, "--"):
			b.WriteByte(' ')
		default:
			b.WriteString(text)
		}
	}
	statements = append(statements, b.String())
	kept := statements[:0]
	for _, s := range statements {
		if s = strings.TrimSpace(s); s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

// token returns the length of what the script begins with: a quoted text or
// name, a comment, or else one byte. A doubled quote is one text's end and the
// next one's start, which parts as well as the truth.
func token(s string, backslash bool) int {
	switch c := s[0]; {
	case c == '\'' || c == '"' || c == '`':
		for i := 1; i < len(s); i++ {
			switch {
			case s[i] == '\\' && backslash && c != '`':
				i++
			case s[i] == c:
				return i + 1
			}
		}
		return len(s)
	case c == '[':
		return until(s, "]")
	case strings.HasPrefix(s, "--"):
		return until(s, "\n")
	case strings.HasPrefix(s, "/*"):
		return until(s, "*/")
	}
	return 1
}

func until(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}
