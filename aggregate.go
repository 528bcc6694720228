package kin

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kin-orm/kin/internal/plan"
)

// Count is how many related rows there are at the end of the path:
// kin.Count("students"). Over a to-many relation, it is of each row's own, in a
// subquery, whatever else is joined or counted. Of a path to a field, it is how
// many are not NULL. Of "*", it is how many rows the query has, or each group
// of them.
//
// A path that leads over no to-many relation makes an aggregate of the query's
// own rows, which [Select] and [Selection.Having] take.
func Count[P ~string](path P) Expr { return aggregate(plan.Counting, path) }

// CountDistinct is how many different values or rows there are at the end of
// the path.
func CountDistinct[P ~string](path P) Expr {
	return Expr{plan.Aggregate{Name: plan.Counting, Path: plan.Lazy{Text: string(path)}, Distinct: true}}
}

// Sum is the sum of the values at the end of the path. It is NULL if there is
// none: [Expr.Default] gives it another value. A sum of integers that is beyond
// the range of what it is read into is an error.
func Sum[P ~string](path P) Expr { return aggregate(plan.Summing, path) }

// Avg is the average of the values at the end of the path, as a float, or NULL
// if there is none.
func Avg[P ~string](path P) Expr { return aggregate(plan.Averaging, path) }

// Min is the least of the values at the end of the path, or NULL if there is
// none.
func Min[P ~string](path P) Expr { return aggregate(plan.Least, path) }

// Max is the greatest of the values at the end of the path, or NULL if there is
// none.
func Max[P ~string](path P) Expr { return aggregate(plan.Greatest, path) }

// StringAgg is the texts at the end of the path in one, in the order of their
// code points, with the separator between them, or NULL if there is none.
// MariaDB and MySQL cut it at the length group_concat_max_len.
func StringAgg[P ~string](path P, separator string) Expr {
	return Expr{plan.Aggregate{Name: plan.Joined, Path: plan.Lazy{Text: string(path)}, Separator: separator}}
}

// ArrayAgg is a list of the values at the end of the path, NULLs among them, in
// the order of the values, or, with [Expr.OrderBy], in another. It is read into
// a slice, of pointers if there may be NULLs, or, as the JSON array that it is
// on every database, into a [json.RawMessage]. If there are no values, it is
// NULL, which is a nil slice. As a tag of [Select] it is array(path).
//
//	type Row struct {
//		Class    string   `kin:"name"`
//		Students []string `kin:"array(students__name)"`
//	}
//
// Of MariaDB and MySQL, it is an error if the list is longer than their
// group_concat_max_len, 1 MiB by default.
func ArrayAgg[P ~string](path P) Expr { return aggregate(plan.Listed, path) }

// OrderBy gives the values that [ArrayAgg] and [StringAgg] put together an
// order: by fields of the model at the end of the relations that their path
// follows, as [QuerySet.OrderBy] takes them.
func (e Expr) OrderBy(paths ...string) Expr {
	a, ok := e.v.(plan.Aggregate)
	switch {
	case !ok && isMistake(e):
		return e
	case !ok || a.Name != plan.Listed && a.Name != plan.Joined:
		return mistake("OrderBy goes with kin.ArrayAgg and kin.StringAgg")
	}
	a.Order = lazies(paths)
	return Expr{a}
}

func isMistake(e Expr) bool { _, ok := e.v.(plan.Mistake); return ok }

func aggregate[P ~string](name plan.AggregateName, path P) Expr {
	text := string(path)
	if text == "*" {
		text = ""
	}
	return Expr{plan.Aggregate{Name: name, Path: plan.Lazy{Text: text}}}
}

// Where keeps, of the rows that an aggregate is of, those that meet all of the
// conditions. They are about the model at the end of the relations that its path
// follows: kin.Count("students").Where(kin.Q("name__startswith", "A")).
func (e Expr) Where(conds ...*Condition) Expr {
	a, ok := e.v.(plan.Aggregate)
	if isMistake(e) {
		return e
	}
	if !ok {
		return mistake("Where goes with an aggregate, such as kin.Count")
	}
	a.Where = append(slices.Clip(a.Where), asksOf(conds)...)
	return Expr{a}
}

// Default is e, or x where e is NULL.
func (e Expr) Default(x any) Expr { return Coalesce(e, x) }

// Annotate gives an expression a name, by which lookups of the query can ask
// for it, as for a field: in Filter, Where and OrderBy, and in what [Select]
// reads.
//
//	kin.Query[SchoolClass]().Annotate("size", kin.Count("students")).Filter("size__gt", 20).OrderBy("-size")
//
// The name hides a field that has it. It is a letter, then letters, digits and
// single underscores, 63 at most.
func (qs QuerySet[T]) Annotate(name string, e Expr) QuerySet[T] {
	return QuerySet[T]{qs.q.annotated(reflect.TypeFor[T](), name, e)}
}

func (q *query) annotated(t reflect.Type, name string, e Expr) *query {
	q = q.derived()
	if !isName(name) {
		q.fail(fmt.Errorf("kin: a query on %s: %.80q is no name for an annotation; take a letter, then letters, digits and single underscores, 63 at most",
			t.Name(), name))
	}
	q.annotations = append(q.annotations, plan.Annotation{Name: name, Value: q.warded(e.value())})
	return q
}

// isName reports whether a text is a name that lookups can have in them.
func isName(s string) bool {
	return isTagKey(s) && !strings.Contains(s, "__") && s[len(s)-1] != '_'
}
