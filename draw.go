package kin

import (
	"fmt"
	"strings"

	"github.com/kin-orm/kin/internal/schema"
)

// Mermaid returns the graph of models as a Mermaid entity relationship
// diagram: boxes with columns, and a line for each foreign key, with the
// names of both of its directions.
func (r *Registry) Mermaid() (string, error) {
	g, err := r.graph()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("erDiagram\n")
	for _, m := range g.Models {
		fmt.Fprintf(&b, "    %s {\n", mermaidEntity(m.Name))
		for _, c := range m.Columns {
			fmt.Fprintf(&b, "        %s %s%s\n", mermaidWord(typeName(c)), mermaidWord(c.Name), marks(c))
		}
		b.WriteString("    }\n")
	}
	for rel := range g.Relations() {
		if rel.Kind != schema.ToOne {
			continue
		}
		one := "||" // exactly one
		if rel.Nulls {
			one = "|o" // none or one
		}
		many := "o{" // any number
		if rel.Unique {
			many = "o|"
		}
		fmt.Fprintf(&b, "    %s %s--%s %s : %s\n", mermaidEntity(rel.To.Name), one, many, mermaidEntity(rel.From.Name),
			mermaidText(bothNames(rel)))
	}
	return b.String(), nil
}

// bothNames returns what paths call a foreign key and its reverse. No path
// leads to the rows of a link table that has no struct.
func bothNames(rel *schema.Relation) string {
	if rel.From.Bare {
		return rel.Name
	}
	return rel.Name + " / " + rel.Inverse.Name
}

// mermaidEntity returns the name of a box. Names are quoted where they are
// no plain words, and where Mermaid, which ignores case, has a word like them.
func mermaidEntity(name string) string {
	switch strings.ToLower(name) {
	case "accdescr", "acctitle", "class", "classdef", "direction", "end", "erdiagram", "many", "one", "style", "subgraph", "title", "to":
	default:
		if name == mermaidWord(name) && !strings.Contains(name, "-") {
			return name
		}
	}
	return mermaidText(name)
}

// mermaidText quotes a text. Mermaid has no escapes inside quotes, but reads
// entities.
func mermaidText(s string) string {
	return `"` + strings.NewReplacer(`"`, "#quot;", "#", "#35;", `\`, "#92;", "%", "#37;", "\n", " ", "\r", " ").Replace(s) + `"`
}

// mermaidWord keeps the characters that Mermaid takes in types and columns. A
// word may not begin with a digit or a dash, nor with what marks a key.
func mermaidWord(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '_'
	}, s)
	first, _, _ := strings.Cut(strings.ToLower(s), "-")
	if s == "" || s[0] == '-' || s[0] >= '0' && s[0] <= '9' || first == "pk" || first == "fk" || first == "uk" {
		return "_" + s
	}
	return s
}

func typeName(c *schema.Column) string {
	if c.Relation != nil {
		return c.Source.Field.Base.String()
	}
	return c.Field.Base.String()
}

func marks(c *schema.Column) string {
	var marks []string
	if c.Key {
		marks = append(marks, "PK")
	}
	if c.Relation != nil {
		marks = append(marks, "FK")
	}
	if c.Unique {
		marks = append(marks, "UK")
	}
	if marks == nil {
		return ""
	}
	return " " + strings.Join(marks, ", ")
}

// DOT returns the graph of models in the language of Graphviz: an arrow for
// each foreign key, labelled with the names and aliases of both directions.
func (r *Registry) DOT() (string, error) {
	g, err := r.graph()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("digraph kin {\n\trankdir=LR;\n\tnode [shape=box];\n")
	for _, m := range g.Models {
		fmt.Fprintf(&b, "\t%s [label=%s];\n", dotText(m.Name), dotText(m.Name+"\n"+m.Table))
	}
	for rel := range g.Relations() {
		if rel.Kind != schema.ToOne {
			continue
		}
		style := "solid"
		if rel.Nulls {
			style = "dashed"
		}
		label := fmt.Sprintf("%s %s\n%s %s", rel.Name, rel.Alias, rel.Inverse.Name, rel.Inverse.Alias)
		if rel.From.Bare {
			label = fmt.Sprintf("%s %s\n%s", rel.Name, rel.Alias, rel.Inverse.Alias)
		}
		fmt.Fprintf(&b, "\t%s -> %s [label=%s, style=%s];\n", dotText(rel.From.Name), dotText(rel.To.Name), dotText(label), style)
	}
	b.WriteString("}\n")
	return b.String(), nil
}

func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
