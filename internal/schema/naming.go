package schema

import (
	"iter"
	"math"
	"slices"
	"strings"
	"unicode"
)

// A Naming gives the tables and columns of models their names, where a tag
// or a table option does not. A nil function stands for that of [Snake].
type Naming struct {
	// Table names the table of a model: "SchoolClass" gives "school_classes".
	Table func(model string) string
	// Column names the column of a field: "FirstName" gives "first_name".
	Column func(model, field string) string
	// Key names the column of a foreign key. part is empty if the target has
	// a primary key of one column, else the lookup name of the column
	// referred to: "Class" gives "class_id", or "class_" and the part.
	Key func(model, field, part string) string
}

// Snake is the default naming: columns are snake_case, tables too, in the plural.
func Snake() Naming {
	return Naming{
		Table:  func(model string) string { return Plural(SnakeCase(model)) },
		Column: func(_, field string) string { return SnakeCase(field) },
		Key: func(_, field, part string) string {
			if part == "" {
				part = "id"
			}
			return SnakeCase(field) + "_" + part
		},
	}
}

func (n Naming) withDefaults() Naming {
	d := Snake()
	if n.Table == nil {
		n.Table = d.Table
	}
	if n.Column == nil {
		n.Column = d.Column
	}
	if n.Key == nil {
		n.Key = d.Key
	}
	return n
}

// SnakeCase turns a Go name into snake_case: a word begins at a capital that
// follows a letter or digit that is none, and at the last capital of several
// if a small letter follows. HTMLBody is html_body, UserID is user_id,
// Address2 is address2.
func SnakeCase(s string) string {
	runes := []rune(s)
	var b strings.Builder
	for i, r := range runes {
		if isCapital(r) && i > 0 && runes[i-1] != '_' {
			afterSmall := !isCapital(runes[i-1])
			beforeSmall := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if afterSmall || beforeSmall {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// isCapital reports whether r is a capital that has a small letter.
func isCapital(r rune) bool { return unicode.IsUpper(r) && unicode.ToLower(r) != r }

//nolint:gochecknoglobals // immutable tables of English
var (
	irregular = map[string]string{
		"person": "people", "man": "men", "woman": "women", "child": "children",
		"foot": "feet", "tooth": "teeth", "goose": "geese", "mouse": "mice",
		"ox": "oxen", "datum": "data", "medium": "media", "criterion": "criteria",
		"index": "indexes", "quiz": "quizzes", "knife": "knives", "life": "lives",
		"wife": "wives", "leaf": "leaves", "half": "halves", "shelf": "shelves",
		"self": "selves", "thief": "thieves", "loaf": "loaves", "wolf": "wolves",
		"calf": "calves", "hero": "heroes", "potato": "potatoes", "tomato": "tomatoes",
		"echo": "echoes", "axis": "axes", "analysis": "analyses", "basis": "bases",
		"crisis": "crises", "thesis": "theses", "hypothesis": "hypotheses",
	}
	uncountable = []string{
		"data", "equipment", "fish", "information", "media", "metadata", "money",
		"news", "rice", "series", "sheep", "software", "species",
	}
)

// Plural returns the English plural of a snake_case name, that is of its
// last word. The rule is frozen: a change would rename its users' tables.
func Plural(name string) string {
	i := strings.LastIndexByte(name, '_') + 1
	head, word := name[:i], name[i:]
	if p, ok := irregular[word]; ok {
		return head + p
	}
	if word == "" || slices.Contains(uncountable, word) {
		return name
	}
	switch {
	case hasAnySuffix(word, "s", "x", "z", "ch", "sh"):
		return name + "es"
	case strings.HasSuffix(word, "y") && len(word) > 1 && !strings.ContainsRune("aeiou", rune(word[len(word)-2])):
		return name[:len(name)-1] + "ies"
	}
	return name + "s"
}

func hasAnySuffix(s string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(x string) bool { return strings.HasSuffix(s, x) })
}

// Suggest returns `; did you mean "x"?` with the name that is closest to the
// mistaken one, or nothing if none is close.
func Suggest(mistaken string, names iter.Seq[string]) string {
	best, found := len(mistaken)/3+2, ""
	for name := range names {
		d := distance(strings.ToLower(mistaken), strings.ToLower(name))
		if d < best || d == best && found != "" && name < found {
			best, found = d, name
		}
	}
	if found == "" {
		return ""
	}
	return `; did you mean "` + found + `"?`
}

// distance is the Damerau-Levenshtein distance in its restricted form
// (optimal string alignment), in bytes.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 { // no name that long is a slip of the finger
		return math.MaxInt
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
