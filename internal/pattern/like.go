// Package pattern reads the patterns that users write for conditions on texts,
// and writes them as each database reads them.
package pattern

import (
	"fmt"
	"strings"

	"github.com/kin-orm/kin/dialect"
)

// CheckLike returns an error for a text that is no pattern of LIKE.
func CheckLike(s string) error {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			if i++; i == len(s) {
				return fmt.Errorf("the pattern %.200q ends in a backslash, which takes the meaning from the character after it; write two for one", s)
			}
		}
	}
	return nil
}

// Like returns a pattern in which % stands for any text, _ for any character
// and a backslash takes the meaning from what follows, as a dialect writes it.
func Like(s string, p *dialect.Pattern) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			b.WriteString(p.Any)
		case c == '_':
			b.WriteString(p.One)
		case c == '\\' && i+1 < len(s):
			i++
			p.Quote(&b, s[i])
		default:
			p.Quote(&b, c)
		}
	}
	return b.String()
}
