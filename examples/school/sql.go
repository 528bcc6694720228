package main

import "strings"

const width = 100

// sql prints a statement with each clause on a line of its own, and further
// in within a subquery. It knows as much SQL as the statements of kin have,
// and takes no care of names with spaces.
func (p *page) sql(text string) {
	var b strings.Builder
	column, depth, before := 0, 0, ""
	subqueries := []int{0} // the depth of parentheses at which each has its clauses
	for word := range strings.SplitSeq(text, " ") {
		clause := depth == subqueries[len(subqueries)-1] && begins(word, before)
		if column > 0 && (clause || column+1+len(word) > width) {
			indent := 2 * (len(subqueries) - 1)
			if !clause {
				indent += 4
			}
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = 4 + indent // p.code indents as well
		} else if column > 0 {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
		before = word
		for _, r := range word {
			switch r {
			case '(':
				depth++
			case ')':
				if depth--; depth < subqueries[len(subqueries)-1] {
					subqueries = subqueries[:len(subqueries)-1]
				}
			}
		}
		if strings.HasSuffix(word, "(SELECT") {
			subqueries = append(subqueries, depth)
		}
	}
	p.code(b.String())
}

// begins reports whether a clause begins with word.
func begins(word, before string) bool {
	switch word {
	case "FROM", "WHERE", "LEFT", "ORDER", "UNION", "LIMIT":
		return true
	case "JOIN":
		return before != "LEFT"
	case "SELECT":
		return before == "ALL" || strings.HasSuffix(before, ")")
	}
	return false
}
