package kin

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/kin-orm/kin/dialect"
	"github.com/kin-orm/kin/internal/exec"
	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/rel"
)

// MaxHops is the most relations that a path may follow. It keeps a path from
// going round a cycle of relations for ever.
const MaxHops = lookup.MaxHops

// A QuerySet is a query for rows of the model T. It is an immutable value:
// every method returns a new one, so that a query may be kept in a package
// variable, derived from and run by several goroutines at once. Methods that
// build do not fail and do not look at models; what is wrong with a query is
// returned by [QuerySet.Err] and by the methods that run it.
//
// A query is planned and written once for each dialect, and remembered: keep
// queries that are run often. The zero QuerySet is all rows of T.
type QuerySet[T any] struct{ q *query }

// A query is a QuerySet without its type.
type query struct {
	load  []string
	only  []string // columns that are read, of the models in which they end
	left  []string // columns that are not
	keys  []rel.Key
	exact bool // whether keys have the version too
	fixed []plan.Fixed
	calls []plan.Ask

	annotations []plan.Annotation

	source *source // of the rows, in place of a table; nil for that
	on     *plan.Distinct
	order  []string
	limit  *int64
	offset int64
	all    bool // whether a change may touch every row
	err    error

	deleted bool // whether rows that are softly deleted are in

	prefetch []prefetch
	fetch    fetchMode
	reads    reading

	compiled memo
	ran      atomic.Bool
}

// Query returns the query for all rows of T, in the order of their primary
// key.
//
//	kin.Query[SchoolClass]().SelectRelated("students__category").Filter("name", "1A").All(ctx, db)
func Query[T any]() QuerySet[T] { return QuerySet[T]{} }

// SelectRelated loads the rows at the end of each path, and those on the way
// there, with the query's own and in one statement. The steps of a path are
// relations, parted by two underscores: "students__category". They are named
// as the fields are, in snake_case.
//
// A foreign key's row comes by a LEFT JOIN; no row is dropped for want of it.
// One chain of to-many relations is joined too. If there are several
// branches, or one that begins at a row that others share, they are arms of a
// UNION ALL: the rows read are the sum of all related rows, never their
// product. A query of all rows of a table, in the order of their key, has an arm
// for each relation, so that a row to which many lead is read once and not with
// each of them. Rows of the query come once each, whatever is loaded with them,
// and one row of the database is one value.
//
// Related rows come in the order of their primary key, or in that of a path
// of [QuerySet.OrderBy] that leads to them. A path may have [MaxHops] steps.
func (qs QuerySet[T]) SelectRelated(paths ...Path[T]) QuerySet[T] {
	return QuerySet[T]{qs.q.loading(texts(paths))}
}

func (q *query) loading(paths []string) *query {
	q = q.derived()
	q.load = append(q.load, paths...)
	if err := q.loads(paths); err != nil {
		q.fail(err)
	}
	return q
}

// Filter keeps the rows that meet all conditions: pairs of a lookup and a
// value.
//
//	q.Filter("name", "1A")
//	q.Filter("students__name__startswith", "A", "students__category__name", "music")
//
// A lookup is a path of relations and a field, parted by two underscores, and
// perhaps an operator:
//
//	exact (the default), ne
//	iexact, contains, icontains, startswith, istartswith, endswith, iendswith
//	in (a slice), range (a slice of two, both included)
//	gt, gte, lt, lte
//	isnull (true or false)
//
// Text is compared by code point, with case; the operators with i in front
// compare lower-case forms, letter by letter, in all of Unicode. NULL is a
// value like others for exact, ne and in: Filter("category", nil) keeps the
// rows where it is NULL, and ne "x" those where it is NULL or differs. The
// other operators are not met by NULL. A lookup that ends in a relation takes
// a row of its model, a ForeignKey, or a key.
//
// A to-many relation compared with nil is one without rows.
//
// A condition over a to-many relation is met if one related row meets it. The
// conditions of one call speak of the same related row; separate calls may be
// met by different ones. What SelectRelated loads is not trimmed.
func (qs QuerySet[T]) Filter(lookup string, value any, more ...any) QuerySet[T] {
	return QuerySet[T]{qs.q.filtering(reflect.TypeFor[T](), false, lookup, value, more)}
}

// Exclude keeps the rows that [QuerySet.Filter] with the same arguments would
// not: its exact complement, rows with NULL included.
func (qs QuerySet[T]) Exclude(lookup string, value any, more ...any) QuerySet[T] {
	return QuerySet[T]{qs.q.filtering(reflect.TypeFor[T](), true, lookup, value, more)}
}

// Where keeps the rows that meet all of the conditions. As in
// [QuerySet.Filter], those of one call speak of the same related row; separate
// calls may be met by different ones.
//
//	q.Where(className.Eq("1A"), kin.Contains(categoryName, "music"))
func (qs QuerySet[T]) Where(conds ...Cond[T]) QuerySet[T] {
	return QuerySet[T]{qs.q.asking(every(asksOf(conds)))}
}

func (q *query) asking(ask plan.Ask) *query {
	q = q.derived()
	q.calls = append(q.calls, q.guarded(ask))
	return q
}

func (q *query) filtering(t reflect.Type, negate bool, lookup string, value any, more []any) *query {
	pairs, err := pairsOf(lookup, value, more)
	if err != nil {
		q = q.derived()
		q.fail(fmt.Errorf("kin: a query on %s: %w", t.Name(), err))
		return q
	}
	if negate {
		return q.asking(plan.Negated{Ask: every(pairs)})
	}
	return q.asking(every(pairs))
}

// pairsOf makes pairs of a first one and those that follow it.
func pairsOf(lookup string, value any, more []any) ([]plan.Ask, error) {
	pairs := make([]plan.Ask, 1, 1+len(more)/2)
	pairs[0] = plan.Pair{Lookup: lookup, Value: frozen(value)}
	before := lookup
	for i := 0; i < len(more); i += 2 {
		name, ok := more[i].(string)
		if !ok || i+1 == len(more) {
			return nil, fmt.Errorf("conditions are pairs of a lookup and a value; after %.200q comes %T, and no pair of text and value",
				before, more[i])
		}
		pairs = append(pairs, plan.Pair{Lookup: name, Value: frozen(more[i+1])})
		before = name
	}
	return pairs, nil
}

// frozen returns what x holds now, so that a query does not change when the
// variable or the list that it was given does: what pointers to simple values
// point to, and a slice's copy. A pointer to a struct stays one: it may be a
// row, whose key is taken when the query is first run.
func frozen(x any) any {
	if e, ok := x.(Expr); ok {
		return e.value()
	}
	v := reflect.ValueOf(x)
	switch v.Kind() {
	case reflect.Pointer:
		if t := v.Type().Elem(); v.IsNil() || t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() && !isEncrypted(t) {
			return x
		}
		return frozen(v.Elem().Interface())
	case reflect.Slice:
		if v.IsNil() {
			return x
		}
		if k := v.Type().Elem().Kind(); k != reflect.Pointer && k != reflect.Interface {
			list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(list, v)
			return list.Interface()
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = frozen(v.Index(i).Interface())
		}
		return list
	default:
		return x
	}
}

// fail keeps the first thing that is wrong.
func (q *query) fail(err error) {
	if q.err == nil {
		q.err = err
	}
}

// OrderBy sorts by each of the paths, in descending order if a "-" is before
// it. Sorting again replaces the order before.
//
// A path through foreign keys sorts the query's own rows, by a field of the
// row that it leads to. A path through a to-many relation sorts the loaded
// rows at its end, each among those of its parent: "students__name" leaves
// the classes in their order, and sorts the students of each class.
//
// Text sorts by code point, and NULL before all values. Rows that are equal in
// all of it come in the order of their primary key.
func (qs QuerySet[T]) OrderBy(paths ...Path[T]) QuerySet[T] {
	return QuerySet[T]{qs.q.ordered(texts(paths))}
}

func (q *query) ordered(paths []string) *query {
	q = q.derived()
	q.order, q.reads.orderGuard = paths, q.reads.guard
	return q
}

// Limit keeps the first n rows of the query, with all that is loaded for
// them. It counts rows of T, never joined ones.
func (qs QuerySet[T]) Limit(n int) QuerySet[T] {
	return QuerySet[T]{qs.q.limited(reflect.TypeFor[T](), n)}
}

func (q *query) limited(t reflect.Type, n int) *query {
	q = q.derived()
	limit := int64(n)
	q.limit = &limit
	if n < 0 {
		q.fail(fmt.Errorf("kin: a query on %s: the limit %d is negative", t.Name(), n))
	}
	return q
}

// Offset leaves out the first n rows of the query.
func (qs QuerySet[T]) Offset(n int) QuerySet[T] {
	return QuerySet[T]{qs.q.from(reflect.TypeFor[T](), n)}
}

func (q *query) from(t reflect.Type, n int) *query {
	q = q.derived()
	q.offset = int64(n)
	if n < 0 {
		q.fail(fmt.Errorf("kin: a query on %s: the offset %d is negative", t.Name(), n))
	}
	return q
}

// Err returns what is wrong with the query: a path, a lookup or a value that
// does not fit the models of the default registry. It is nil if the query can
// be run. It asks no database.
func (qs QuerySet[T]) Err() error {
	_, _, err := qs.SQL(neutral{})
	return err
}

// SQL returns the text of the statement that [QuerySet.All] would run, and
// its arguments: for eyes and for tests. The models are those of the default
// registry, or those of a database if its [DB.Dialect] is given. The text is
// empty if the answer is known to be empty without asking. Filters that the
// database has by [WithFilter] are not in it: they belong to the context of a
// call.
func (qs QuerySet[T]) SQL(d dialect.Dialect) (text string, args []any, err error) {
	return qs.q.text(d, reflect.TypeFor[T]())
}

func (q *query) text(d dialect.Dialect, t reflect.Type) (text string, args []any, err error) {
	c, err := q.compile(context.Background(), writingFor(d), t, variant{form: allRows})
	if err != nil {
		return "", nil, err
	}
	return c.sql, exec.Anys(c.args), nil
}

// writingFor returns a session that can write statements, and run none: for
// the dialect and, if it is that of a database, with its models.
func writingFor(d dialect.Dialect) *session {
	if b, ok := d.(boundDialect); ok {
		return b.session
	}
	return &session{dialect: d, space: Relations().space()}
}
