package tests

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// A scopeCond is a condition on documents, and what it means.
type scopeCond struct {
	pairs []any
	met   func(d *docRow) bool
}

// scopeConds are conditions that lead through every kind of relation. A row
// that a foreign key leads to and that is not there is NULL; only a condition
// on the foreign key's own column does not look.
func (w *scopeWorld) scopeConds(v scopeView, rnd *rand.Rand) []scopeCond {
	a, b, id := string(rune('a'+rnd.IntN(4))), string(rune('a'+rnd.IntN(4))), int64(1+rnd.IntN(4))
	yes := rnd.IntN(2) == 0
	child := func(met func(c *docRow) bool) func(*docRow) bool {
		return func(d *docRow) bool { return slices.ContainsFunc(w.children(v, d), met) }
	}
	note := func(d *docRow) bool {
		return slices.ContainsFunc(w.notesOf(v, d), func(n *noteRow) bool { return n.text == b })
	}
	team := func(met func(x *teamRow) bool) func(*docRow) bool {
		return func(d *docRow) bool { return v.team(d.team) && met(d.team) }
	}
	not := func(f func(*docRow) bool) func(*docRow) bool { return func(d *docRow) bool { return !f(d) } }
	named := team(func(x *teamRow) bool { return x.name == a })
	conds := []scopeCond{
		{[]any{"title", a}, func(d *docRow) bool { return d.title == a }},
		{[]any{"team__name", a}, named},
		{[]any{"team__name__ne", a}, not(named)},
		{[]any{"team__name__isnull", yes}, func(d *docRow) bool { return v.team(d.team) != yes }},
		{[]any{"team", id}, func(d *docRow) bool { return d.team != nil && d.team.id == id }},
		{[]any{"team__isnull", yes}, func(d *docRow) bool { return (d.team == nil) == yes }},
		{[]any{"team__parent__name", a}, team(func(x *teamRow) bool { return v.team(x.parent) && x.parent.name == a })},
		{[]any{"team__members__name", a}, team(func(x *teamRow) bool {
			return slices.ContainsFunc(w.membersOf(v, x), func(m *memberRow) bool { return m.name == a })
		})},
		{[]any{"team__members__isnull", yes}, func(d *docRow) bool {
			return (v.team(d.team) && len(w.membersOf(v, d.team)) > 0) != yes
		}},
		{[]any{"author__docs__title", a}, func(d *docRow) bool {
			return v.member(d.author) && slices.ContainsFunc(w.docsBy(v, d.author), func(x *docRow) bool { return x.title == a })
		}},
		{[]any{"children__isnull", yes}, func(d *docRow) bool { return (len(w.children(v, d)) > 0) != yes }},
		{[]any{"children", id}, child(func(c *docRow) bool { return c.id == id })},
		{[]any{"children__children__title", a}, child(child(func(c *docRow) bool { return c.title == a }))},
		{[]any{"children__title", a, "children__notes__text", b}, child(func(c *docRow) bool { return c.title == a && note(c) })},
		{[]any{"children__team__name", a}, child(named)},
		{[]any{"children__team__name__ne", a}, child(not(named))},
		{[]any{"parent__notes__text", b}, func(d *docRow) bool { return v.doc(d.parent) && note(d.parent) }},
		{[]any{"notes__isnull", yes}, func(d *docRow) bool { return (len(w.notesOf(v, d)) > 0) != yes }},
		{[]any{"notes__text", b}, note},
	}
	return append(conds, w.linkConds(v, a, b, id, yes)...)
}

// testScopesRandom compares queries with what a computation in memory says,
// over random rows, conditions and eyes.
func testScopesRandom(t *testing.T, s *Suite) {
	rnd := seeded(t)
	plain, filtered := scopeSuite(t, s)
	w := newScopeWorld(t, plain, rnd, 60)
	found := 0
	for range 200 {
		v := scopeView{deleted: rnd.IntN(4) == 0, level: 3}
		db, ctx := plain.DB, t.Context()
		if rnd.IntN(3) > 0 {
			v.tenant, v.level = int64(1+rnd.IntN(2)), rnd.IntN(4)
			db, ctx = filtered.DB, as(ctx, v.tenant, v.level)
			if rnd.IntN(4) == 0 {
				v.tenant, ctx = 0, kin.WithoutFilter(ctx, "tenant")
			}
		}
		q := kin.Query[scopeDoc]()
		if v.deleted {
			q = q.WithDeleted()
		}
		want := which(w.docs, v.doc, func(*docRow) bool { return true })
		said := []any{v}
		for range rnd.IntN(3) {
			conds := w.scopeConds(v, rnd)
			c := conds[rnd.IntN(len(conds))]
			negate := rnd.IntN(3) == 0
			said = append(said, negate, c.pairs)
			if negate {
				q = q.Exclude(c.pairs[0].(string), c.pairs[1], c.pairs[2:]...)
			} else {
				q = q.Filter(c.pairs[0].(string), c.pairs[1], c.pairs[2:]...)
			}
			want = slices.DeleteFunc(slices.Clone(want), func(d *docRow) bool { return c.met(d) == negate })
		}
		text := fmt.Sprintln(said...)
		if rnd.IntN(3) == 0 { // a team that is not there has no name
			q, text = q.OrderBy("-team__name", "id"), text+" by team"
			teamName := func(d *docRow) string {
				if v.team(d.team) {
					return d.team.name
				}
				return ""
			}
			slices.SortStableFunc(want, func(a, b *docRow) int { return cmp.Compare(teamName(b), teamName(a)) })
		}
		if rnd.IntN(3) == 0 {
			n := rnd.IntN(5)
			q, want, text = q.Limit(5).Offset(n), want[min(n, len(want)):min(n+5, len(want))], text+" limited"
		}
		found += len(want)
		w.checkQuery(ctx, t, db, v, rnd, q, want, text)
		if t.Failed() {
			t.FailNow()
		}
	}
	require.Greater(t, found, 500)
}

// scopeLoads are trees that are read in one join, in arms, and below rows
// that others share.
func scopeLoads() [][]string {
	return [][]string{
		{},
		{"team", "author__team", "parent"},
		{"children__notes"},
		{"children__children__author"},
		{"notes", "children"},
		{"children__notes", "children__children", "notes", "author"},
		{"team__members", "team__docs__notes"},
		{"author__docs__children", "parent__team", "parent__notes"},
		{"team__parent__members", "children__team__members"},
		{"labels"},
		{"readers", "reviews"},
		{"labels__docs__labels", "readers__reads"},
		{"readers__reads__readers"},
		{"children__labels", "children__readers__team", "labels"},
		{"author__reads__labels", "parent__readers", "reviews__reader"},
	}
}

// checkQuery runs the query in every form.
func (w *scopeWorld) checkQuery(ctx context.Context, t *testing.T, db *kin.DB, v scopeView, rnd *rand.Rand, q kin.QuerySet[scopeDoc], want []*docRow, text string) {
	t.Helper()
	n, err := q.Count(ctx, db)
	require.NoError(t, err, text)
	assert.EqualValues(t, len(want), n, "count: %s", text)
	some, err := q.Exists(ctx, db)
	require.NoError(t, err, text)
	assert.Equal(t, len(want) > 0, some, "exists: %s", text)
	for _, last := range []bool{false, true} {
		run, at := q.First, 0
		if last {
			run, at = q.Last, len(want)-1
		}
		d, err := run(ctx, db)
		if len(want) == 0 {
			require.ErrorIs(t, err, kin.ErrNotFound, text)
		} else if assert.NoError(t, err, text) {
			assert.Equal(t, want[at].id, d.ID, "first or last: %s", text)
		}
	}
	loads := scopeLoads()
	load := loads[rnd.IntN(len(loads))]
	text += fmt.Sprint(" ", load)
	q = q.SelectRelated(kin.Paths[scopeDoc](load...)...)
	rows, err := q.All(ctx, db)
	require.NoError(t, err, text)
	w.checkDocs(t, v, rows, want, text, map[any]bool{})
	rows = nil
	for row, err := range q.Iter(ctx, db) {
		require.NoError(t, err, text)
		rows = append(rows, row)
	}
	w.checkDocs(t, v, rows, want, text+" row by row", map[any]bool{})
}

// checkDocs compares documents and all that is loaded with them, once each.
func (w *scopeWorld) checkDocs(t *testing.T, v scopeView, got []*scopeDoc, want []*docRow, text string, seen map[any]bool) {
	t.Helper()
	if !assert.Len(t, got, len(want), text) {
		return
	}
	for i, d := range want {
		x := got[i]
		if !assert.Equal(t, d.id, x.ID, "row %d: %s", i, text) {
			return
		}
		if seen[x] { // rows lead back to each other
			continue
		}
		seen[x] = true
		checkKey(t, x.Team, d.team != nil, v.team(d.team), text+" team")
		checkKey(t, x.Author, d.author != nil, v.member(d.author), text+" author")
		if x.Team.Loaded() {
			w.checkTeam(t, v, x.Team.Get(), d.team, text, seen)
		}
		if a := x.Author.Get(); a != nil {
			assert.Equal(t, d.author.id, a.ID, text)
			if a.Docs.Loaded() {
				w.checkDocs(t, v, a.Docs.All(), w.docsBy(v, d.author), text+" by author", seen)
			}
			if a.Reads.Loaded() && !seen[a] {
				seen[a] = true
				w.checkReads(t, v, a, d.author, text+" read by author", seen)
			}
		}
		if p := x.Parent.Get(); p != nil {
			if !assert.True(t, v.doc(d.parent), "%s: the parent is not there", text) {
				continue
			}
			assert.Equal(t, d.parent.id, p.ID, text)
		}
		w.checkLinks(t, v, x, d, text, seen)
		if x.Children.Loaded() {
			w.checkDocs(t, v, x.Children.All(), w.children(v, d), text+" children", seen)
		}
		if x.Notes.Loaded() {
			notes := w.notesOf(v, d)
			if assert.Len(t, x.Notes.All(), len(notes), text+" notes") {
				for i, n := range x.Notes.All() {
					assert.Equal(t, notes[i].id, n.ID, text+" notes")
				}
			}
		}
	}
}

func (w *scopeWorld) checkTeam(t *testing.T, v scopeView, x *scopeTeam, team *teamRow, text string, seen map[any]bool) {
	t.Helper()
	if seen[x] {
		return
	}
	seen[x] = true
	assert.Equal(t, team.id, x.ID, text)
	checkKey(t, x.Parent, team.parent != nil, v.team(team.parent), text+" team's parent")
	if p := x.Parent.Get(); p != nil {
		w.checkTeam(t, v, p, team.parent, text+" parent", seen)
	}
	if x.Members.Loaded() {
		members := w.membersOf(v, team)
		if assert.Len(t, x.Members.All(), len(members), text+" members") {
			for i, m := range x.Members.All() {
				assert.Equal(t, members[i].id, m.ID, text+" members")
			}
		}
	}
	if x.Docs.Loaded() {
		ids := []int64{}
		for _, d := range x.Docs.All() {
			ids = append(ids, d.ID)
		}
		want := []int64{}
		for _, d := range w.docsOf(v, team) {
			want = append(want, d.id)
		}
		assert.Equal(t, want, ids, text+" team's docs")
	}
}

// checkKey checks a foreign key: NULL, with a row only if that is there, and
// else with its key.
func checkKey[T any](t *testing.T, fk kin.ForeignKey[T], set, there bool, text string) {
	t.Helper()
	assert.Equal(t, !set, fk.IsNull(), text)
	if fk.Loaded() {
		assert.True(t, there, "%s: a row is loaded that is not there", text)
	}
	if set {
		assert.NotNil(t, fk.Ref(), "%s: the key stays", text)
	}
}
