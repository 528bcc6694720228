package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/schema"
)

// Searched is met by the rows that have all words of a query in their texts.
type Searched struct {
	Query   string
	Columns []Lazy // of the index; none for the only one
}

// Ranked is how well a row fits a Searched.
type Ranked struct{ Searched }

func (Searched) isAsk() {}
func (Ranked) isValue() {}

// A Search is a Searched that is resolved. It is a condition.
type Search struct {
	Table   *Table
	Index   schema.Index
	Columns []*schema.Column
	Words   []string
}

// A Rank is how well a row fits a search.
type Rank struct{ *Search }

func (*Search) isCond() {}
func (Rank) isExpr()    {}

// mostWords is the most words that are searched for at once.
const mostWords = 100

// words returns the words of a query, each once, in lower case.
func words(query string) ([]string, error) {
	var list []string
	for word := range strings.FieldsFuncSeq(query, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		if word = strings.ToLower(word); !slices.Contains(list, word) {
			list = append(list, word)
		}
		if len(list) > mostWords {
			return nil, fmt.Errorf("kin: a search for more than %d words", mostWords)
		}
	}
	return list, nil
}

// search resolves a search in the rows of a table. It is nil if there are no
// words to be found.
func (b *builder) search(t *Table, s Searched) (*Search, error) {
	m := t.Model
	var asked []*schema.Column
	for _, lazy := range s.Columns {
		text, err := lazy.At(m)
		if err != nil {
			return nil, err
		}
		p, err := lookup.Member(m, text)
		if err == nil {
			err = secret(m, p)
		}
		if err != nil {
			return nil, err
		}
		if p.Column == nil || len(p.Hops) > 0 {
			return nil, fmt.Errorf("kin: %q is no column of %s itself; search the rows that a relation leads to by kin.Has", text, m.Name)
		}
		asked = append(asked, p.Column)
	}
	ix, columns, err := m.FullText(asked)
	if err != nil {
		return nil, err
	}
	found, err := words(s.Query)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if t.Derived != nil || t.CTE != "" {
		return nil, errors.New("kin: what is limited cannot be searched; search first, and limit then")
	}
	return &Search{Table: t, Index: ix, Columns: columns, Words: found}, nil
}

// ranked resolves how well a row fits a search.
func (b *builder) ranked(from *From, r Ranked) (Expr, error) {
	s, err := b.search(from.Table, r.Searched)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return Param{0.0, schema.ScalarOf[float64]()}, nil
	}
	return Rank{s}, nil
}
