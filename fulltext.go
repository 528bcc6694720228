package kin

import "github.com/kin-orm/kin/internal/plan"

// Search is the condition that each word of the query is somewhere in the
// texts of a full-text [Index], whose columns are given, or which is the only
// one of the model:
//
//	func (Article) KinTable() kin.Table {
//		return kin.Table{SpecialIndexes: []kin.Index{{Name: "article_text", Columns: []string{"title", "body"}, FullText: true}}}
//	}
//
//	q.Where(kin.Search("quick fox", "title", "body")).
//		Annotate("rank", kin.SearchRank("quick fox", "title", "body")).OrderBy("-rank")
//
// A word is a run of letters and digits, whose case does not count; all else,
// in the query and in the texts, stands between words. Nothing in the query is
// an operator, so that it may come from a user. Words are whole, and not
// reduced to their stems. A query without words finds nothing. That there is no
// such index is an error, on all databases. [Has] searches related rows.
//
// MariaDB and MySQL find rows only once they are committed, and no words of
// more than 80 letters.
func Search(query string, columns ...string) *Condition {
	return &Condition{plan.Searched{Query: query, Columns: lazies(columns)}}
}

// SearchRank is how well a row fits a [Search]: the more often and the more
// closely words are there, the greater, and 0 if the row is not found. Each
// database has a scale of its own: what a rank says is only the order of the
// rows of one query.
func SearchRank(query string, columns ...string) Expr {
	return Expr{plan.Ranked{Searched: plan.Searched{Query: query, Columns: lazies(columns)}}}
}
