package schema

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Tag is a parsed `kin:"column,option,option=value"`.
type Tag struct {
	Skip    bool // "-"
	Column  string
	Key     bool // pk
	Auto    bool
	Null    bool
	Unique  bool
	Index   bool
	JSON    bool
	Size    int
	Default string // SQL
	Type    string // SQL

	Generated string // SQL, of a column that the database computes
	OmitZero  bool   // left to the database while it is zero
	Comment   string

	Deterministic bool   // of an encrypted column
	BoundTo       string // table.column, of an encrypted column

	AutoCreate bool // set to the time of the insert
	AutoUpdate bool // set to the time of each write
	Version    bool // counts writes

	RelatedName string
	OnDelete    string // SQL, such as SET NULL
	OnUpdate    string
	Via         string // name of a field

	SoftDelete bool // whether the column says that the row is deleted
	Secret     bool // whether texts cannot filter or order by the field
}

// An option reads one option of a tag. value is empty, and hasValue false,
// for an option without "=".
type option struct {
	takesValue bool
	relation   bool // whether it goes with relation fields only
	read       func(t *Tag, value string) error
}

func flag(set func(*Tag)) option {
	return option{read: func(t *Tag, _ string) error { set(t); return nil }}
}

func text(set func(*Tag, string)) option {
	return option{takesValue: true, read: func(t *Tag, v string) error {
		if v == "" {
			return errors.New("needs a value")
		}
		set(t, v)
		return nil
	}}
}

// quoted is text that may be in single quotes, which are taken off.
func quoted(set func(*Tag, string)) option {
	o := text(set)
	read := o.read
	o.read = func(t *Tag, v string) error { return read(t, unquoteWhole(v)) }
	return o
}

func action(set func(*Tag, string)) option {
	return option{takesValue: true, relation: true, read: func(t *Tag, v string) error {
		sql, ok := actions[strings.ToLower(v)]
		if !ok {
			return fmt.Errorf("has no action %q; there are %s", v,
				strings.Join(slices.Sorted(maps.Keys(actions)), ", "))
		}
		set(t, sql)
		return nil
	}}
}

func related(o option) option { o.relation = true; return o }

//nolint:gochecknoglobals // immutable tables of the tag grammar
var (
	actions = map[string]string{
		"cascade": "CASCADE", "restrict": "RESTRICT", "set_null": "SET NULL",
		"set_default": "SET DEFAULT", "no_action": "NO ACTION",
	}
	options = map[string]option{
		"pk":     flag(func(t *Tag) { t.Key = true }),
		"auto":   flag(func(t *Tag) { t.Auto = true }),
		"null":   flag(func(t *Tag) { t.Null = true }),
		"unique": flag(func(t *Tag) { t.Unique = true }),
		"index":  flag(func(t *Tag) { t.Index = true }),
		"json":   flag(func(t *Tag) { t.JSON = true }),

		"autocreate": flag(func(t *Tag) { t.AutoCreate = true }),
		"autoupdate": flag(func(t *Tag) { t.AutoUpdate = true }),
		"version":    flag(func(t *Tag) { t.Version = true }),

		"default": text(func(t *Tag, v string) { t.Default = v }),
		"type":    text(func(t *Tag, v string) { t.Type = v }),

		"generated": quoted(func(t *Tag, v string) { t.Generated = v }),
		"omitzero":  flag(func(t *Tag) { t.OmitZero = true }),
		"comment":   quoted(func(t *Tag, v string) { t.Comment = v }),

		"deterministic": flag(func(t *Tag) { t.Deterministic = true }),
		"bound_to":      text(func(t *Tag, v string) { t.BoundTo = v }),
		"size": {takesValue: true, read: func(t *Tag, v string) error {
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 {
				return fmt.Errorf("needs a positive whole number, not %q", v)
			}
			t.Size = n
			return nil
		}},
		"related_name": related(text(func(t *Tag, v string) { t.RelatedName = v })),
		"via":          related(text(func(t *Tag, v string) { t.Via = v })),
		"on_delete":    action(func(t *Tag, v string) { t.OnDelete = v }),
		"on_update":    action(func(t *Tag, v string) { t.OnUpdate = v }),

		"softdelete": flag(func(t *Tag) { t.SoftDelete = true }),
		"secret":     flag(func(t *Tag) { t.Secret = true }),
	}
)

// parseTag parses the text of a tag. It returns all that is wrong with it.
func parseTag(s string, relation bool) (Tag, []string) {
	var t Tag
	if s == "-" {
		t.Skip = true
		return t, nil
	}
	var problems []string
	for i, part := range splitTag(s) {
		name, value, hasValue := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		o, known := options[name]
		// The first part is a column. Options that have a value may take its
		// place; a column whose name has a "=" is in quotes.
		if i == 0 && (!hasValue || strings.HasPrefix(part, "'")) {
			t.Column = unquote(part)
			if known { // not quoted, then
				problems = append(problems, fmt.Sprintf("has the tag option %[1]q in the place of the column's name; "+
					"write `kin:\",%[1]s\"`, or `kin:\"'%[1]s'\"` for a column of that name", name))
			}
			continue
		}
		switch {
		case name == "" && !hasValue:
			problems = append(problems, "has an empty tag option")
		case !known:
			problems = append(problems, fmt.Sprintf("has an unknown tag option %q; the options are %s%s",
				name, strings.Join(slices.Sorted(maps.Keys(options)), ", "), Suggest(name, maps.Keys(options))))
		case o.relation && !relation:
			problems = append(problems, fmt.Sprintf("has the tag option %q, which is for relations", name))
		case o.takesValue != hasValue && o.takesValue:
			problems = append(problems, fmt.Sprintf("has the tag option %q without a value", name))
		case o.takesValue != hasValue:
			problems = append(problems, fmt.Sprintf("has the tag option %q with a value, which it does not take", name))
		default:
			if err := o.read(&t, strings.TrimSpace(value)); err != nil {
				problems = append(problems, fmt.Sprintf("has a tag option %q that %v", name, err))
			}
		}
	}
	return t, problems
}

// splitTag splits at commas that are not inside single quotes or
// parentheses, for SQL such as default='a,b' and type=numeric(10,2).
func splitTag(s string) []string {
	var parts []string
	depth, quoted, from := 0, false, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth <= 0:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

// unquote takes the single quotes off a column's name that needs them.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
	}
	return s
}

// unquoteWhole takes the single quotes off a value that is in quotes as a
// whole, and leaves SQL that only begins and ends with a text, as 'a' || 'b'.
func unquoteWhole(s string) string {
	whole := unquote(s)
	if strings.Count(whole, "'")*2 != strings.Count(s, "'")-2 {
		return s
	}
	return whole
}
