package pattern

import (
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kin-orm/kin/dialect"
)

// mostRepeats is the most times that PostgreSQL lets a part of a regular
// expression be repeated.
const mostRepeats = 255

// CheckRegexp returns an error for a text that is no regular expression of Go,
// or one that some database cannot be asked for.
func CheckRegexp(s string) error {
	re, err := parse(s)
	if err != nil {
		return err
	}
	if n := repeats(re); n > mostRepeats {
		return fmt.Errorf("the pattern %.200q repeats a part %d times; %d is the most that every database takes", s, n, mostRepeats)
	}
	return nil
}

func parse(s string) (*syntax.Regexp, error) {
	re, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the pattern %.200q is no regular expression as package regexp reads them: %w", s, err)
	}
	return re, nil
}

// repeats returns the most times that a part is repeated by a number.
func repeats(re *syntax.Regexp) int {
	n := 0
	if re.Op == syntax.OpRepeat {
		n = max(re.Min, re.Max)
	}
	for _, sub := range re.Sub {
		n = max(n, repeats(sub))
	}
	return n
}

// Regexp returns a regular expression of Go as a database reads it, where it
// matches the same texts: all characters but ASCII letters and digits are
// numbers, and all classes are sets of them, so that no setting or locale of
// the server has a say in it.
func Regexp(s string, form dialect.RegexpForm) (string, error) {
	if form == dialect.GoRegexp {
		return s, nil
	}
	re, err := parse(s)
	if err != nil {
		return "", err
	}
	if form == dialect.PerlRegexp && ambiguous(re) {
		return "", fmt.Errorf("the pattern %.200q has a repetition that takes the same text in several ways, of which MariaDB and MySQL would try all until they give up; "+
			"write it so that one way is left, as [a-z]+ for ([a-z]+)+", s)
	}
	w := regexpWriter{form: form}
	w.write(re)
	return w.b.String(), nil
}

type regexpWriter struct {
	form dialect.RegexpForm
	b    strings.Builder
}

func (w *regexpWriter) text(s string) { w.b.WriteString(s) }

// ascii are the characters of a word, for Go.
//
//nolint:gochecknoglobals // an immutable table
var ascii = []rune{'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}

func (w *regexpWriter) write(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpNoMatch:
		w.text("(?!)")
	case syntax.OpEmptyMatch:
		w.text("(?:)")
	case syntax.OpLiteral:
		w.literal(re)
	case syntax.OpCharClass:
		w.class(re.Rune)
	case syntax.OpAnyCharNotNL:
		w.class([]rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune})
	case syntax.OpAnyChar:
		w.class([]rune{0, unicode.MaxRune})
	case syntax.OpBeginText:
		w.text(`(?:\A)`)
	case syntax.OpEndText:
		w.text("(?:" + w.end() + ")")
	case syntax.OpBeginLine:
		w.around(`\A`, "(?<=", []rune{'\n', '\n'})
	case syntax.OpEndLine:
		w.around(w.end(), "(?=", []rune{'\n', '\n'})
	case syntax.OpWordBoundary:
		w.boundary("(?<=", "(?!", "(?<!", "(?=")
	case syntax.OpNoWordBoundary:
		w.boundary("(?<=", "(?=", "(?<!", "(?!")
	case syntax.OpCapture, syntax.OpConcat:
		w.text("(?:")
		for _, sub := range re.Sub {
			w.write(sub)
		}
		w.text(")")
	case syntax.OpAlternate:
		w.text("(?:")
		for i, sub := range re.Sub {
			if i > 0 {
				w.text("|")
			}
			w.write(sub)
		}
		w.text(")")
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		w.repeat(re)
	}
}

// repeat writes a part that is repeated, by as much as it can: whether a text
// matches does not depend on it.
func (w *regexpWriter) repeat(re *syntax.Regexp) {
	w.text("(?:")
	w.write(re.Sub[0])
	w.text(")")
	switch re.Op {
	case syntax.OpStar:
		w.text("*")
	case syntax.OpPlus:
		w.text("+")
	case syntax.OpQuest:
		w.text("?")
	default:
		w.text("{" + strconv.Itoa(re.Min))
		if re.Max != re.Min {
			w.text(",")
		}
		if re.Max > re.Min {
			w.text(strconv.Itoa(re.Max))
		}
		w.text("}")
	}
}

func (w *regexpWriter) end() string {
	if w.form == dialect.PostgresRegexp {
		return `\Z`
	}
	return `\z`
}

func (w *regexpWriter) around(edge, look string, class []rune) {
	w.text("(?:" + edge + "|" + look)
	w.class(class)
	w.text("))")
}

func (w *regexpWriter) boundary(before, after, orBefore, orAfter string) {
	for i, look := range []string{before, after, orBefore, orAfter} {
		w.text([]string{"(?:", "", "|", ""}[i] + look)
		w.class(ascii)
		w.text(")")
	}
	w.text(")")
}

func (w *regexpWriter) literal(re *syntax.Regexp) {
	for _, r := range re.Rune {
		other := unicode.SimpleFold(r)
		if re.Flags&syntax.FoldCase == 0 || other == r {
			w.rune(r)
			continue
		}
		class := []rune{r, r}
		for ; other != r; other = unicode.SimpleFold(other) {
			class = append(class, other, other)
		}
		w.class(class)
	}
}

// class writes a set of characters. U+0000 and halves of surrogate pairs are in
// no text, and some databases do not take them.
func (w *regexpWriter) class(ranges []rune) {
	const low, high = 0xD800, 0xDFFF
	start := w.b.Len()
	w.text("[")
	empty := true
	put := func(from, to rune) {
		if from > to {
			return
		}
		empty = false
		w.rune(from)
		if from < to {
			w.text("-")
			w.rune(to)
		}
	}
	for i := 0; i < len(ranges); i += 2 {
		from, to := max(ranges[i], 1), ranges[i+1]
		put(from, min(to, low-1))
		put(max(from, high+1), to)
	}
	w.text("]")
	if empty {
		rest := w.b.String()[:start]
		w.b.Reset()
		w.text(rest + "(?!)")
	}
}

func (w *regexpWriter) rune(r rune) {
	switch {
	case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		w.b.WriteRune(r)
	case r == 0 || !utf8.ValidRune(r):
		w.text("(?!)")
	case w.form == dialect.PostgresRegexp:
		fmt.Fprintf(&w.b, `\U%08x`, r)
	default:
		fmt.Fprintf(&w.b, `\x{%x}`, r)
	}
}
