package tests

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// An ask is a query in parts.
type ask struct {
	model         string
	load          []string
	prefetch      []askBelow
	filter        []any // a lookup and a value
	exclude       bool
	order         []string
	limit, offset int // -1 is none
	deleted       bool
	concurrent    bool
	snapshot      bool
}

type askBelow struct {
	path string
	sub  *ask
}

// An askModel is a model that is asked for.
type askModel struct {
	fields    []string          // to sort by
	relations map[string]string // with the models that they lead to
	all       func(ctx context.Context, db *kin.DB, a *ask) (rows []any, keys []string, err error)
	sub       func(a *ask) kin.Subquery
}

// An askWorld is tables with rows, and who looks.
type askWorld struct {
	models  map[string]askModel
	filter  func(model string) []any
	db      *kin.DB
	ctx     context.Context //nolint:containedctx // that of one test
	deleted bool
	links   string // how the tree comes to links, if it does
}

func askFor[T any](models map[string]askModel, name string, fields []string, relations map[string]string) {
	build := func(a *ask) kin.QuerySet[T] {
		q := kin.Query[T]().SelectRelated(kin.Paths[T](a.load...)...).OrderBy(kin.Paths[T](a.order...)...)
		for _, p := range a.prefetch {
			if p.sub == nil {
				q = q.Prefetch(kin.Path[T](p.path))
			} else {
				q = q.Prefetch(kin.Path[T](p.path), models[p.sub.model].sub(p.sub))
			}
		}
		for i := 0; i < len(a.filter); i += 2 {
			if a.exclude {
				q = q.Exclude(a.filter[i].(string), a.filter[i+1])
			} else {
				q = q.Filter(a.filter[i].(string), a.filter[i+1])
			}
		}
		if a.limit >= 0 {
			q = q.Limit(a.limit)
		}
		if a.offset >= 0 {
			q = q.Offset(a.offset)
		}
		if a.deleted {
			q = q.WithDeleted()
		}
		if a.concurrent {
			q = q.Concurrent()
		}
		if a.snapshot {
			q = q.Snapshot()
		}
		return q
	}
	models[name] = askModel{
		fields: fields, relations: relations,
		sub: func(a *ask) kin.Subquery { return build(a) },
		all: func(ctx context.Context, db *kin.DB, a *ask) (rows []any, keys []string, err error) {
			found, err := build(a).All(ctx, db)
			for _, row := range found {
				rows = append(rows, row)
				keys = append(keys, kin.To(row).String())
			}
			return rows, keys, err
		},
	}
}

func askPick() map[string]askModel {
	models := map[string]askModel{}
	fields := func(name string) []string { return sortedKeys(pickFields()[name]) }
	askFor[pickShelf](models, "shelf", fields("shelf"), pickRelations()["shelf"])
	askFor[pickBox](models, "box", fields("box"), pickRelations()["box"])
	askFor[pickItem](models, "item", fields("item"), pickRelations()["item"])
	askFor[pickTag](models, "tag", fields("tag"), pickRelations()["tag"])
	askFor[pickMark](models, "mark", fields("mark"), pickRelations()["mark"])
	return models
}

func askScopes() map[string]askModel {
	models := map[string]askModel{}
	askFor[scopeTeam](models, "team", []string{"id", "name", "tenant"}, map[string]string{"members": "member", "docs": "doc", "parent": "team"})
	askFor[scopeMember](models, "member", []string{"id", "name"}, map[string]string{"team": "team", "docs": "doc", "reads": "doc"})
	askFor[scopeDoc](models, "doc", []string{"id", "title"}, map[string]string{
		"team": "team", "author": "member", "parent": "doc", "children": "doc", "notes": "note", "labels": "label", "readers": "member", "reviews": "review",
	})
	askFor[scopeNote](models, "note", []string{"text", "level"}, map[string]string{"doc": "doc"})
	askFor[scopeLabel](models, "label", []string{"name"}, map[string]string{"docs": "doc"})
	askFor[scopeReview](models, "review", []string{"text", "level"}, map[string]string{"doc": "doc", "reader": "member"})
	return models
}

// An askNode is a relation that is loaded.
type askNode struct {
	model    string
	relation string
	order    string // of its rows, or empty
	below    []*askNode
}

// grow adds a random path to the tree.
func (w *askWorld) grow(r *rand.Rand, n *askNode, hops int) {
	if hops == 0 {
		return
	}
	name := pickOne(r, sortedKeys(w.models[n.model].relations))
	// A link to a row that is out of scope is read by a join, and not by
	// Prefetch: whether its own foreign key is loaded shows that, if links are
	// loaded for themselves too.
	if w.models[n.model].relations[name] == "review" || n.model == "review" {
		if w.links == "readers" {
			return
		}
		w.links = "reviews"
	}
	if name == "readers" || name == "reads" {
		if w.links == "reviews" {
			return
		}
		w.links = "readers"
	}
	for _, c := range n.below {
		if c.relation == name {
			w.grow(r, c, hops-1)
			return
		}
	}
	c := &askNode{model: w.models[n.model].relations[name], relation: name}
	n.below = append(n.below, c)
	w.grow(r, c, hops-1)
}

// sortSome gives an order to relations that come once in the tree: to those
// that come again, two orders would be two fields.
func (w *askWorld) sortSome(r *rand.Rand, root *askNode) {
	at := map[string][]*askNode{}
	var walk func(n *askNode)
	walk = func(n *askNode) {
		for _, c := range n.below {
			at[n.model+" "+c.relation] = append(at[n.model+" "+c.relation], c)
			walk(c)
		}
	}
	walk(root)
	names := make([]string, 0, len(at))
	for name := range at {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c := at[name][0]
		if len(at[name]) == 1 && strings.HasSuffix(c.relation, "s") || c.relation == "children" && len(at[name]) == 1 {
			if r.IntN(2) == 0 {
				c.order = pickOne(r, w.models[c.model].fields)
			}
		}
	}
}

// joined asks for the tree in one statement.
func (n *askNode) joined(a *ask, prefix string) {
	for _, c := range n.below {
		path := prefix + c.relation
		a.load = append(a.load, path)
		if c.order != "" {
			a.order = append(a.order, path+"__"+c.order)
		}
		c.joined(a, path+"__")
	}
}

// mixed asks for the tree by joins, Prefetch with and without subqueries.
func (n *askNode) mixed(r *rand.Rand, a *ask, prefix string, canJoin bool) {
	for _, c := range n.below {
		path := prefix + c.relation
		switch way := r.IntN(4); {
		case way == 0 && canJoin:
			a.load = append(a.load, path)
			if c.order != "" {
				a.order = append(a.order, path+"__"+c.order)
			}
			c.mixed(r, a, path+"__", true)
		case way == 1 && c.order == "":
			a.prefetch = append(a.prefetch, askBelow{path: path})
			c.mixed(r, a, path+"__", false)
		default:
			sub := &ask{model: c.model, limit: -1, offset: -1}
			if c.order != "" {
				sub.order = []string{c.order}
			}
			c.mixed(r, sub, "", true)
			a.prefetch = append(a.prefetch, askBelow{path, sub})
		}
	}
	r.Shuffle(len(a.prefetch), func(i, j int) { a.prefetch[i], a.prefetch[j] = a.prefetch[j], a.prefetch[i] })
}

// roots returns a random question for rows of a model.
func (w *askWorld) roots(r *rand.Rand, model string) *ask {
	a := &ask{model: model, limit: -1, offset: -1, deleted: w.deleted}
	for range r.IntN(3) {
		a.filter = append(a.filter, w.filter(model)...)
		a.exclude = r.IntN(3) == 0
	}
	if r.IntN(2) == 0 {
		a.order = append(a.order, pickOne(r, []string{"", "-"})+pickOne(r, w.models[model].fields))
	}
	if r.IntN(3) == 0 {
		a.limit = r.IntN(12)
	}
	if r.IntN(4) == 0 {
		a.offset = r.IntN(6)
	}
	return a
}

// equal loads a random tree in two ways.
func (w *askWorld) equal(t *testing.T, r *rand.Rand) (what string, ok bool) {
	t.Helper()
	model := pickOne(r, sortedModels(w.models))
	root := &askNode{model: model}
	w.links = ""
	for range 1 + r.IntN(3) {
		w.grow(r, root, 1+r.IntN(3))
	}
	w.sortSome(r, root)
	a := w.roots(r, model)
	b := *a
	b.order = slices.Clone(a.order)
	b.concurrent, b.snapshot = r.IntN(3) == 0, r.IntN(6) == 0
	root.joined(a, "")
	root.mixed(r, &b, "", true)
	what = fmt.Sprintf("%s\nand\n%s", a, &b)
	one, _, err := w.models[model].all(w.ctx, w.db, a)
	require.NoError(t, err, what)
	other, _, err := w.models[model].all(w.ctx, w.db, &b)
	require.NoError(t, err, what)
	return what, sameLines(t, dumpGraph(one), dumpGraph(other), what)
}

// String shows what is asked.
func (a *ask) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s load=%q order=%q filter=%q %v limit=%d offset=%d deleted=%v", a.model, a.load, a.order, a.filter, a.exclude, a.limit, a.offset, a.deleted)
	for _, p := range a.prefetch {
		fmt.Fprintf(&b, " {%s", p.path)
		if p.sub != nil {
			b.WriteString(": " + p.sub.String())
		}
		b.WriteString("}")
	}
	return b.String()
}

func sortedModels(models map[string]askModel) []string {
	names := make([]string, 0, len(models))
	for name := range models {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// trimmed compares what a subquery trims with what is left of all rows that
// SelectRelated loads.
func (w *askWorld) trimmed(t *testing.T, r *rand.Rand) (what string, ok bool) {
	t.Helper()
	model := pickOne(r, sortedModels(w.models))
	relation := pickOne(r, sortedKeys(w.models[model].relations))
	target := w.models[model].relations[relation]
	a := w.roots(r, model)
	b := *a
	a.load = []string{relation}
	sub := w.roots(r, target)
	sub.deleted = false
	flat := *sub
	flat.limit, flat.offset, flat.deleted = -1, -1, w.deleted
	if !isToMany(relation) {
		sub.limit, sub.offset = -1, -1
	}
	b.prefetch = []askBelow{{relation, sub}}
	if r.IntN(2) == 0 {
		deep := &askNode{model: target}
		w.links = ""
		w.grow(r, deep, 1+r.IntN(2))
		deep.mixed(r, sub, "", true)
	}
	what = fmt.Sprintf("%s\nand\n%s", a, &b)
	full, _, err := w.models[model].all(w.ctx, w.db, a)
	require.NoError(t, err, what)
	trimmed, _, err := w.models[model].all(w.ctx, w.db, &b)
	require.NoError(t, err, what)
	_, order, err := w.models[target].all(w.ctx, w.db, &flat)
	require.NoError(t, err, what)
	if !assert.Len(t, trimmed, len(full), what) {
		return what, false
	}
	for i := range full {
		all := relatedKeys(full[i], relation)
		var want []string
		for _, key := range order {
			if slices.Contains(all, key) {
				want = append(want, key)
			}
		}
		want = want[min(max(sub.offset, 0), len(want)):]
		if sub.limit >= 0 {
			want = want[:min(sub.limit, len(want))]
		}
		if !assert.Equal(t, append([]string{}, want...), append([]string{}, relatedKeys(trimmed[i], relation)...), what) {
			return what, false
		}
	}
	return what, true
}

func isToMany(relation string) bool {
	return strings.HasSuffix(relation, "s") || relation == "children"
}

// testPrefetchRandom compares the two strategies over random questions: some
// hundred, or as many as KIN_PREFETCH_CASES says.
func testPrefetchRandom(t *testing.T, s *Suite) {
	cases, err := strconv.Atoi(env("KIN_PREFETCH_CASES", "300"))
	require.NoError(t, err)
	r := seeded(t)
	picks := s.With(kin.WithRegistry(pickRegistry()))
	w := newPickWorld(t, picks, r, 40)
	plain, filtered := scopeSuite(t, s)
	newScopeWorld(t, plain, r, 40)
	pick := &askWorld{models: askPick(), db: picks.DB, ctx: t.Context(), filter: func(model string) []any {
		c := w.condition(model, nil, 2)
		return []any{c.lookup(), c.given}
	}}
	scopes := &askWorld{models: askScopes(), filter: func(string) []any {
		return pickOne(r, [][]any{{"id__gt", r.IntN(40)}, {"id__lt", r.IntN(40)}, {"id__in", []int{r.IntN(9), r.IntN(20), r.IntN(40)}}, {"id__ne", r.IntN(9)}})
	}}
	for i := range cases {
		at := pick
		if r.IntN(2) == 0 {
			at = scopes
			at.db, at.ctx, at.deleted = plain.DB, t.Context(), r.IntN(4) == 0
			if r.IntN(3) > 0 {
				at.db, at.ctx = filtered.DB, as(t.Context(), int64(1+r.IntN(2)), r.IntN(4))
			}
		}
		run := at.equal
		if r.IntN(4) == 0 {
			run = at.trimmed
		}
		if what, ok := run(t, r); !ok {
			t.Fatalf("case %d: %s", i, what)
		}
	}
}
