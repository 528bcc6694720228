package kin

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/kin-orm/kin/internal/lookup"
	"github.com/kin-orm/kin/internal/plan"
	"github.com/kin-orm/kin/internal/probe"
	"github.com/kin-orm/kin/internal/rel"
	"github.com/kin-orm/kin/internal/schema"
)

// A Path is a path from the model T, as a lookup names it, for methods that
// load, sort or write by it: "students__category", or "-name" for a descending
// order. A constant text is one as it is; a text in a variable is converted,
// Path[Student](text). [Column.Path] and [Relation.Path] give those that the
// compiler has checked.
type Path[T any] string

// Paths converts texts to paths of T.
func Paths[T any](list ...string) []Path[T] {
	paths := make([]Path[T], len(list))
	for i, text := range list {
		paths[i] = Path[T](text)
	}
	return paths
}

// texts returns paths as texts.
func texts[P ~string](paths []P) []string {
	list := make([]string, len(paths))
	for i, p := range paths {
		list[i] = string(p)
	}
	return list
}

// A Column is a column that holds values of V, of the model T or of one that
// relations lead to from there. It is made by [Col]. Where a comparison leads
// over a to-many relation, it is met if one related row meets it, as described
// at [QuerySet.Filter].
//
// A Column may be used by several goroutines at once. The zero Column is none,
// and an error where it is used.
type Column[T, V any] struct{ c *column }

// A Relation leads from the model T to rows of R, perhaps by way of others. It
// is made by [Rel]. It may be used by several goroutines at once. The zero
// Relation is none, and an error where it is used.
type Relation[T, R any] struct{ c *column }

// A column is a Column or a Relation without its types. Its function is run
// when it is first used.
type column struct {
	model reflect.Type
	find  func() (string, error)
}

// Col returns the column whose address the function returns, of the row that it
// is given or of one that it reaches by [ForeignKey.Get] and Any:
//
//	var (
//		className    = kin.Col(func(c *SchoolClass) *string { return &c.Name })
//		categoryName = kin.Col(func(c *SchoolClass) *string { return &c.Students.Any().Category.Get().Name })
//	)
//
// A column that may be NULL has the type of its values: of a field that is a
// pointer, the function returns the pointer itself, and of a [database/sql.Null]
// the address of its V. A foreign key is a column too.
//
// The function is run once, when the column is first used, on rows that are
// made for it. It may be a package variable. What is wrong with it is returned
// by the queries that use the column.
func Col[T, V any](field func(row *T) *V) Column[T, V] { return Column[T, V]{newColumn(field, false)} }

// Rel returns the relation, perhaps of several steps, that leads to the row
// which the function returns:
//
//	var categories = kin.Rel(func(c *SchoolClass) *Category { return c.Students.Any().Category.Get() })
//
// See [Col].
func Rel[T, R any](row func(row *T) *R) Relation[T, R] { return Relation[T, R]{newColumn(row, true)} }

func newColumn[T, V any](visit func(*T) *V, related bool) *column {
	t := reflect.TypeFor[T]()
	what := "Col"
	if related {
		what = "Rel"
	}
	return &column{t, sync.OnceValues(func() (string, error) {
		if visit == nil {
			return "", fmt.Errorf("kin: a function given to %s for %s is nil", what, t.Name())
		}
		path, err := probe.Path(t, structOf, related, func(row any) any { return visit(row.(*T)) })
		if err != nil {
			err = fmt.Errorf("kin: a function given to %s, func(*%s) *%s, %w", what, t.Name(), cmp.Or(reflect.TypeFor[V]().Name(), reflect.TypeFor[V]().String()), err)
		}
		return path, err
	})}
}

// lazy returns the path of a column, or of none.
func (c *column) lazy(t reflect.Type) plan.Lazy {
	if c == nil {
		return plan.Lazy{Model: t, Find: func() (string, error) {
			return "", fmt.Errorf("kin: a Column or Relation of %s is empty; make it with kin.Col or kin.Rel", t.Name())
		}}
	}
	return plan.Lazy{Model: c.model, Find: c.find}
}

// text returns the path after a sign, or what is wrong with it in its place.
func (c *column) text(t reflect.Type, sign string) string {
	path, err := c.lazy(t).Find()
	if err != nil {
		return sign + lookup.Unresolved + err.Error()
	}
	if touchesSecret(t, path) {
		path = schema.Typed(path)
	}
	return sign + path
}

// touchesSecret reports whether a path goes by models that have secret fields.
// It may then be used where a text may not.
func touchesSecret(t reflect.Type, path string) bool {
	s := structOf(t)
	var link reflect.Type // of the relation before
	for step := range strings.SplitSeq(path, "__") {
		if step == "link" && link != nil {
			s, link = structOf(link), nil
			continue
		}
		if slices.ContainsFunc(s.Fields, func(f *schema.Field) bool { return f.Tag.Secret }) {
			return true
		}
		i := slices.IndexFunc(s.Fields, func(f *schema.Field) bool { return schema.SnakeCase(f.Name) == step })
		if i < 0 || s.Fields[i].Rel.Kind == schema.NoRel {
			return false
		}
		s, link = s.Fields[i].Rel.Struct(), s.Fields[i].Rel.Link
	}
	return slices.ContainsFunc(s.Fields, func(f *schema.Field) bool { return f.Tag.Secret })
}

// unmarked returns the paths of an order as texts that are the same in every
// process.
func unmarked(order []string) []string {
	list := make([]string, len(order))
	for i, text := range order {
		path := strings.TrimLeft(text, "+-")
		plain, _ := schema.Untyped(path)
		list[i] = text[:len(text)-len(path)] + plain
	}
	return list
}

func (c Column[T, V]) lazy() plan.Lazy { return c.c.lazy(reflect.TypeFor[T]()) }

func (c Column[T, V]) cond(op lookup.Op, value any) Cond[T] {
	return newCond[T](plan.Pair{Path: c.lazy(), Op: op, Value: frozen(value)})
}

// Eq is the condition that the column is v.
func (c Column[T, V]) Eq(v V) Cond[T] { return c.cond(lookup.Exact, v) }

// Ne is the condition that the column is not v: NULL, or another value.
func (c Column[T, V]) Ne(v V) Cond[T] { return c.cond(lookup.Ne, v) }

// Lt is the condition that the column is less than v.
func (c Column[T, V]) Lt(v V) Cond[T] { return c.cond(lookup.Lt, v) }

// Lte is the condition that the column is v or less.
func (c Column[T, V]) Lte(v V) Cond[T] { return c.cond(lookup.Lte, v) }

// Gt is the condition that the column is greater than v.
func (c Column[T, V]) Gt(v V) Cond[T] { return c.cond(lookup.Gt, v) }

// Gte is the condition that the column is v or greater.
func (c Column[T, V]) Gte(v V) Cond[T] { return c.cond(lookup.Gte, v) }

// Between is the condition that the column is low, high or between them.
func (c Column[T, V]) Between(low, high V) Cond[T] { return c.cond(lookup.Range, []V{low, high}) }

// In is the condition that the column is one of the values. Of none, no row
// meets it.
func (c Column[T, V]) In(values ...V) Cond[T] { return c.cond(lookup.In, values) }

// NotIn is the condition that the column is none of the values: the complement
// of [Column.In]. Over a to-many relation, no related row has one of them.
func (c Column[T, V]) NotIn(values ...V) Cond[T] { return Not(c.In(values...)) }

// IsNull is the condition that the column is NULL.
func (c Column[T, V]) IsNull() Cond[T] { return c.cond(lookup.IsNull, true) }

// NotNull is the condition that the column is not NULL.
func (c Column[T, V]) NotNull() Cond[T] { return c.cond(lookup.IsNull, false) }

// EqCol is the condition that the column equals another of the row. NULL is a
// value like others.
func (c Column[T, V]) EqCol(other Column[T, V]) Cond[T] { return c.cond(lookup.Exact, other.F()) }

// NeCol is the complement of [Column.EqCol].
func (c Column[T, V]) NeCol(other Column[T, V]) Cond[T] { return c.cond(lookup.Ne, other.F()) }

// LtCol is the condition that the column is less than another of the row.
func (c Column[T, V]) LtCol(other Column[T, V]) Cond[T] { return c.cond(lookup.Lt, other.F()) }

// LteCol is the condition that the column equals another of the row or is less.
func (c Column[T, V]) LteCol(other Column[T, V]) Cond[T] { return c.cond(lookup.Lte, other.F()) }

// Asc is the ascending order of the column, for [QuerySet.OrderBy].
func (c Column[T, V]) Asc() Path[T] { return c.Path() }

// Desc is the descending order of the column, for [QuerySet.OrderBy].
func (c Column[T, V]) Desc() Path[T] { return Path[T](c.c.text(reflect.TypeFor[T](), "-")) }

// Path returns the path to the column, for methods that take one: names of the
// columns to write or to read.
func (c Column[T, V]) Path() Path[T] { return Path[T](c.c.text(reflect.TypeFor[T](), "")) }

// F is the column as an expression, to calculate with. See [F].
func (c Column[T, V]) F() Expr { return Expr{plan.Column{Path: c.lazy()}} }

// Set gives the column a value, in [QuerySet.Update].
func (c Column[T, V]) Set(v V) Setting[T] { return c.setting(plan.Literal{Value: v}) }

// SetNull makes the column NULL, in [QuerySet.Update].
func (c Column[T, V]) SetNull() Setting[T] { return c.setting(plan.Literal{}) }

// SetExpr gives the column what an expression is for each row, in
// [QuerySet.Update].
func (c Column[T, V]) SetExpr(e Expr) Setting[T] { return c.setting(e.v) }

func (c Column[T, V]) setting(v plan.Value) Setting[T] {
	return &Assignment{plan.Setting{Lookup: c.lazy(), Value: v}}
}

// Path returns the path, for methods that load relations.
func (r Relation[T, R]) Path() Path[T] { return Path[T](r.c.text(reflect.TypeFor[T](), "")) }

func (r Relation[T, R]) cond(op lookup.Op, value any) Cond[T] {
	return newCond[T](plan.Pair{Path: r.c.lazy(reflect.TypeFor[T]()), Op: op, Value: frozen(value)})
}

// Eq is the condition that the relation leads to the row. If it is to many, the
// row is one of them. Of nil, it is that there is no related row.
func (r Relation[T, R]) Eq(row *R) Cond[T] { return r.cond(lookup.Exact, row) }

// Ne is the condition that the relation leads to another row, or to none. If it
// is to many, one of them is another.
func (r Relation[T, R]) Ne(row *R) Cond[T] { return r.cond(lookup.Ne, row) }

// In is the condition that the relation leads to one of the rows.
func (r Relation[T, R]) In(rows ...*R) Cond[T] { return r.cond(lookup.In, rows) }

// IsNull is the condition that there is no related row.
func (r Relation[T, R]) IsNull() Cond[T] { return r.cond(lookup.IsNull, true) }

// NotNull is the condition that there is a related row.
func (r Relation[T, R]) NotNull() Cond[T] { return r.cond(lookup.IsNull, false) }

// Has is met by the rows with a related row that meets all of the conditions.
// See [Has].
func (r Relation[T, R]) Has(conds ...Cond[R]) Cond[T] { return r.related(plan.SomeRow, conds) }

// HasNo is met by the rows without a related row that meets the conditions. See
// [HasNo].
func (r Relation[T, R]) HasNo(conds ...Cond[R]) Cond[T] { return r.related(plan.NoRow, conds) }

// HasOnly is met by the rows of whose related rows each meets all of the
// conditions. See [HasOnly].
func (r Relation[T, R]) HasOnly(conds ...Cond[R]) Cond[T] { return r.related(plan.EveryRow, conds) }

func (r Relation[T, R]) related(how plan.Quantifier, conds []Cond[R]) Cond[T] {
	return newCond[T](plan.Related{
		Path: r.c.lazy(reflect.TypeFor[T]()), How: how, Ask: every(asksOf(conds)), Model: reflect.TypeFor[R](),
	})
}

// probed returns the row that a relation field of a probe leads to, if it is
// one.
func probed[T any](link rel.Link) *T {
	row, _ := probe.Of(link, false).(*T)
	return row
}
