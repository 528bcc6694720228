package value

import (
	"strings"
	"unicode/utf16"
)

// PlainJSON returns a JSON text in which no character is escaped that need not
// be: MariaDB compares keys as they are written. The text has passed CheckJSON.
func PlainJSON(s string) string {
	if !strings.Contains(s, `\u`) && !strings.Contains(s, `\/`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case '/':
			b.WriteByte('/')
		case 'u':
			r, _ := escaped(s[i-1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low, _ := escaped(s[i+1:])
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			quoteRune(&b, r)
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// QuoteJSON returns a text in the quotes of JSON, as PlainJSON leaves it.
func QuoteJSON(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		quoteRune(&b, r)
	}
	b.WriteByte('"')
	return b.String()
}

func quoteRune(b *strings.Builder, r rune) {
	const short = "\b\f\n\r\t\"\\"
	switch i := strings.IndexRune(short, r); {
	case i >= 0:
		b.WriteByte('\\')
		b.WriteByte(`bfnrt"\`[i])
	case r < 0x20:
		const hex = "0123456789abcdef"
		b.WriteString(`\u00`)
		b.WriteByte(hex[r>>4])
		b.WriteByte(hex[r&15])
	default:
		b.WriteRune(r)
	}
}
