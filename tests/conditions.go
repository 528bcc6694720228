package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func conditionCases() []Case {
	return []Case{
		{"conditions/random/items", conditionTrees[pickItem]("item", 500)},
		{"conditions/random/shelves", conditionTrees[pickShelf]("shelf", 150)},
		{"conditions/random/tags", conditionTrees[pickTag]("tag", 150)},
		{"conditions/same row", testConditionsSameRow},
		{"conditions/many", testManyConditions},
		{"conditions/mistakes", testConditionMistakes},
	}
}

// A condTree is a condition as it is built: a leaf, or a group of others.
type condTree struct {
	kind  string // leaf, and, or, xor, not, has, hasno, hasonly
	leaf  pickCond
	path  []string
	parts []*condTree
}

// build makes it of kin's functions.
func (c *condTree) build() *kin.Condition {
	parts := make([]*kin.Condition, len(c.parts))
	for i, part := range c.parts {
		parts[i] = part.build()
	}
	path := strings.Join(c.path, "__")
	switch c.kind {
	case "and":
		return kin.And(parts...)
	case "or":
		return kin.Or(parts...)
	case "xor":
		return kin.Xor(parts...)
	case "not":
		return kin.Not(parts[0])
	case "has":
		return kin.Has(path, parts...)
	case "hasno":
		return kin.HasNo(path, parts...)
	case "hasonly":
		return kin.HasOnly(path, parts...)
	}
	return kin.Q(c.leaf.lookup(), c.leaf.given)
}

func (c *condTree) String() string {
	if c.kind == "leaf" {
		return fmt.Sprintf("%s %#v", c.leaf.lookup(), c.leaf.value)
	}
	parts := make([]string, len(c.parts))
	for i, part := range c.parts {
		parts[i] = part.String()
	}
	return c.kind + strings.Join(c.path, "__") + "(" + strings.Join(parts, ", ") + ")"
}

// met computes in memory whether a row meets the tree, by its disjunctive
// normal form: one of its conjunctions is met, whose leaves speak of the same
// rows.
func (c *condTree) met(row *pickRow) bool {
	for _, conj := range c.normal() {
		var leaves []pickCond
		ok := true
		for _, part := range conj {
			if part.kind == "leaf" {
				leaves = append(leaves, part.leaf)
			} else {
				ok = ok && part.closed(row)
			}
		}
		if ok && meets(row, leaves) {
			return true
		}
	}
	return false
}

// closed is met for what is a question of its own.
func (c *condTree) closed(row *pickRow) bool {
	all := &condTree{kind: "and", parts: c.parts}
	related := func() []*pickRow {
		at := []*pickRow{row}
		for _, hop := range c.path {
			var next []*pickRow
			for _, x := range at {
				next = append(next, x.many[hop]...)
				if x.one[hop] != nil {
					next = append(next, x.one[hop])
				}
			}
			at = next
		}
		return at
	}
	switch c.kind {
	case "not":
		return !c.parts[0].met(row)
	case "xor":
		n := 0
		for _, part := range c.parts {
			if part.met(row) {
				n++
			}
		}
		return n%2 == 1
	case "has":
		return slices.ContainsFunc(related(), all.met)
	case "hasno":
		return !slices.ContainsFunc(related(), all.met)
	}
	return !slices.ContainsFunc(related(), func(x *pickRow) bool { return !all.met(x) })
}

// normal returns the disjunctive normal form.
func (c *condTree) normal() [][]*condTree {
	switch {
	case c.kind == "xor" && len(c.parts) == 1:
		return c.parts[0].normal()
	case c.kind == "not" && c.parts[0].kind == "not":
		return c.parts[0].parts[0].normal()
	}
	switch c.kind {
	case "and":
		conjs := [][]*condTree{nil}
		for _, part := range c.parts {
			var next [][]*condTree
			for _, left := range conjs {
				for _, right := range part.normal() {
					next = append(next, slices.Concat(left, right))
				}
			}
			conjs = next
		}
		return conjs
	case "or":
		var conjs [][]*condTree
		for _, part := range c.parts {
			conjs = append(conjs, part.normal()...)
		}
		return conjs
	}
	return [][]*condTree{{c}}
}

// tree makes a condition on rows of the model, whose leaves often go through
// the same relations.
func (w *pickWorld) tree(model string, start []string, depth int) *condTree {
	r := w.rand
	if depth == 0 || r.IntN(4) == 0 {
		return &condTree{kind: "leaf", leaf: w.condition(model, start, 3)}
	}
	c := &condTree{kind: pickOne(r, []string{"and", "and", "or", "or", "xor", "not", "has", "hasno", "hasonly"})}
	n := 1 + r.IntN(3)
	switch c.kind {
	case "not":
		n = 1
	case "has", "hasno", "hasonly":
		at := model
		for range 1 + r.IntN(2) {
			hop := pickOne(r, sortedKeys(pickRelations()[at]))
			c.path, at = append(c.path, hop), pickRelations()[at][hop]
		}
		model, start = at, nil
		n = r.IntN(3)
	}
	if len(start) == 0 && r.IntN(2) == 0 {
		start = []string{pickOne(r, sortedKeys(pickRelations()[model]))}
	}
	for range n {
		from := start
		if r.IntN(3) == 0 {
			from = nil
		}
		c.parts = append(c.parts, w.tree(model, from, depth-1))
	}
	return c
}

// conditionTrees checks for n random trees that Where keeps what the
// computation in memory does, and its complement all other rows.
func conditionTrees[T any](model string, n int) func(t *testing.T, s *Suite) {
	return func(t *testing.T, s *Suite) {
		t.Helper()
		s = s.With(kin.WithRegistry(pickRegistry()))
		w := newPickWorld(t, s, seeded(t), 60)
		telling := 0
		for range n {
			tree := w.tree(model, nil, 1+w.rand.IntN(3))
			var in, out []any
			for _, row := range w.rows[model] {
				if tree.met(row) {
					in = append(in, row.key)
				} else {
					out = append(out, row.key)
				}
			}
			kept, err := pickKeys(t.Context(), s, kin.Query[T]().Where(tree.build()))
			require.NoError(t, err, tree)
			require.ElementsMatch(t, in, kept, "%v", tree)
			others, err := pickKeys(t.Context(), s, kin.Query[T]().Where(kin.Not(tree.build())))
			require.NoError(t, err, tree)
			require.ElementsMatch(t, out, others, "not %v", tree)
			if len(in) > 0 && len(out) > 0 {
				telling++
			}
		}
		require.Greater(t, telling, n/4, "conditions that part the rows")
	}
}

// testConditionsSameRow tells the conditions of one call from those of several,
// and of Has, by rows that are made for it.
func testConditionsSameRow(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	one, two, none := &SchoolClass{Name: "one"}, &SchoolClass{Name: "two"}, &SchoolClass{Name: "none"}
	require.NoError(t, kin.Insert(ctx, s.DB, one, two, none))
	music := &Category{Name: "Music"}
	require.NoError(t, kin.Insert(ctx, s.DB, music))
	require.NoError(t, kin.Insert(ctx, s.DB,
		&Student{Name: "Ada", Class: kin.To(one), Category: kin.To(music)}, &Student{Name: "Bob", Class: kin.To(one)},
		&Student{Name: "Ada", Class: kin.To(two)}, &Student{Name: "Bob", Class: kin.To(two), Category: kin.To(music)}))
	require.NoError(t, kin.Insert(ctx, s.DB, &Teacher{Name: "Tom", Class: kin.To(none)}))
	q := kin.Query[SchoolClass]()
	ada, inMusic := kin.Q("students__name", "Ada"), kin.Q("students__category__name", "Music")
	for _, c := range []struct {
		why  string
		q    kin.QuerySet[SchoolClass]
		want []string
	}{
		{"one call", q.Where(ada, inMusic), []string{"one"}},
		{"two calls", q.Where(ada).Where(inMusic), []string{"one", "two"}},
		{"a group", q.Where(kin.And(ada, kin.Or(inMusic, kin.Q("students__name", "Eve")))), []string{"one"}},
		{"an alternative elsewhere", q.Where(kin.Or(kin.And(ada, inMusic), kin.Q("teachers__name", "Tom"))), []string{"one", "none"}},
		{"an alternative that needs no student", q.Where(kin.Or(inMusic, kin.Q("name", "none")), kin.Or(ada, kin.Q("name", "none"))), []string{"one", "none"}},
		{"a negation is about all", q.Where(kin.Not(ada)), []string{"none"}},
		{"a negation of two about one", q.Where(kin.Not(kin.And(ada, inMusic))), []string{"two", "none"}},
		{"Has is about one", q.Where(kin.Has("students", kin.Not(kin.Q("name", "Ada")))), []string{"one", "two"}},
		{"Has of any", q.Where(kin.Has("students")), []string{"one", "two"}},
		{"HasNo", q.Where(kin.HasNo("students", kin.Q("name", "Ada"), kin.Q("category__name", "Music"))), []string{"two", "none"}},
		{"HasOnly", q.Where(kin.HasOnly("students", kin.Q("name__in", []string{"Ada", "Bob"}))), []string{"one", "two", "none"}},
		{"HasOnly of some", q.Where(kin.HasOnly("students__category", kin.Q("name", "Maths"))), []string{"none"}},
		{"one and not the other", q.Where(kin.Xor(ada, kin.Q("name", "one"))), []string{"two"}},
		{"Or of nothing", q.Where(kin.Or[kin.Cond[SchoolClass]]()), nil},
		{"And of nothing", q.Where(kin.And[kin.Cond[SchoolClass]](), nil), []string{"one", "two", "none"}},
		{"Exclude of a group", q.Exclude("students__name", "Ada", "students__category__name", "Music"), []string{"two", "none"}},
	} {
		rows, err := c.q.OrderBy("id").All(ctx, s.DB)
		require.NoError(t, err, c.why)
		var names []string
		for _, row := range rows {
			names = append(names, row.Name)
		}
		assert.Equal(t, c.want, names, c.why)
	}
}

// testManyConditions builds conditions of 100,000 parts: they work or say why
// not, at once.
func testManyConditions(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	require.NoError(t, kin.Insert(ctx, s.DB, &Category{Name: "Music"}, &Category{Name: "Maths"}))
	start := time.Now()
	const many = 100_000
	chain, deep, negated := kin.Q("name", "Music"), kin.Q("name", "Music"), kin.Q("name", "Music")
	for i := range many {
		chain = kin.Or(chain, kin.Q("id", i+1000))
		negated = kin.Not(negated)
		if i%2 == 0 {
			deep = kin.And(deep, kin.Q("id", 1))
		} else {
			deep = kin.Or(deep, kin.Q("id", 1))
		}
	}
	doubled := kin.Q("name", "Music")
	for range 60 {
		doubled = kin.Or(doubled, doubled)
	}
	for want, c := range map[string]*kin.Condition{
		"parameters": chain, "levels deep": deep, "conditions": doubled,
	} {
		_, err := kin.Query[Category]().Where(c).All(ctx, s.DB)
		require.ErrorContains(t, err, want)
	}
	rows, err := kin.Query[Category]().Where(negated).All(ctx, s.DB)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	t.Logf("100,000 conditions: %v", time.Since(start))
	for _, join := range []func(...*kin.Condition) *kin.Condition{kin.Or[*kin.Condition], kin.And[*kin.Condition]} {
		flat := kin.Q("name", "Music")
		for range 20_000 {
			flat = join(flat, kin.Q("name", "Music"))
		}
		rows, err = kin.Query[Category]().Where(flat).All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, rows, 1)
	}
}

func testConditionMistakes(t *testing.T, s *Suite) {
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	for want, c := range map[string]*kin.Condition{
		`no field or relation "nme"`:         kin.Q("nme", "x"),
		`no relation "name"`:                 kin.Has("name"),
		`has no field or relation "studnts"`: kin.Has("studnts"),
		`Student has no field or relation`:   kin.Has("students", kin.Q("nme", 1)),
		"pairs":                              kin.Q("name", "x", "id"),
		"is empty":                           kin.Expr{}.Eq(1),
	} {
		s.Wire.Reset()
		_, err := kin.Query[SchoolClass]().Where(kin.Or(kin.Q("id", 1), c)).All(ctx, s.DB)
		require.ErrorContains(t, err, want)
		s.Wire.Want(t, 0, 0)
	}
}
