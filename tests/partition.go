package tests

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func partitionCases() []Case {
	return []Case{
		{"partition/items", partition[pickItem]("item", 700)},
		{"partition/shelves", partition[pickShelf]("shelf", 150)},
		{"partition/tags", partition[pickTag]("tag", 150)},
		{"partition/several calls", testSeveralCalls},
		{"partition/loading", testConditionsDoNotTrim},
	}
}

// pickKeys runs the query and returns the keys of its rows, in order.
func pickKeys[T any](ctx context.Context, s *Suite, q kin.QuerySet[T]) ([]any, error) {
	rows, err := q.All(ctx, s.DB)
	if err != nil {
		return nil, err
	}
	keys := []any{}
	for _, row := range rows {
		keys = append(keys, pickKey(row))
	}
	return keys, nil
}

func pickKey(row any) any {
	switch x := row.(type) {
	case *pickShelf:
		return x.ID
	case *pickBox:
		return x.ID
	case *pickItem:
		return x.ID
	case *pickTag:
		return x.Word
	case *pickMark:
		return x.ID
	}
	panic("no such model")
}

// pickArgs returns the arguments of Filter and Exclude.
func pickArgs(conds []pickCond) (lookup string, value any, more []any) {
	for _, c := range conds[1:] {
		more = append(more, c.lookup(), c.given)
	}
	return conds[0].lookup(), conds[0].given, more
}

func pickText(conds []pickCond) string {
	var b strings.Builder
	for _, c := range conds {
		fmt.Fprintf(&b, "%s %#v (given as %T)\n", c.lookup(), c.value, c.given)
	}
	return b.String()
}

// group makes the conditions of one call: one to three, which often go
// through the same relations.
func (w *pickWorld) group(model string) []pickCond {
	conds := []pickCond{w.condition(model, nil, 3)}
	for range w.rand.IntN(3) {
		var start []string
		if hops := conds[0].hops; len(hops) > 0 && w.rand.IntN(3) > 0 {
			start = hops[:1+w.rand.IntN(len(hops))]
		}
		conds = append(conds, w.condition(model, start, 3))
	}
	return conds
}

// partition checks for n random groups of conditions that Filter keeps what
// the computation in memory does, and Exclude all other rows.
func partition[T any](model string, n int) func(t *testing.T, s *Suite) {
	return func(t *testing.T, s *Suite) {
		t.Helper()
		s = s.With(kin.WithRegistry(pickRegistry()))
		w := newPickWorld(t, s, seeded(t), 100)
		telling := 0
		for range n {
			conds := w.group(model)
			var in, out []any
			for _, row := range w.rows[model] {
				if meets(row, conds) {
					in = append(in, row.key)
				} else {
					out = append(out, row.key)
				}
			}
			lookup, value, more := pickArgs(conds)
			kept, err := pickKeys(t.Context(), s, kin.Query[T]().Filter(lookup, value, more...))
			require.NoError(t, err, pickText(conds))
			require.ElementsMatch(t, in, kept, "Filter\n%s", pickText(conds))
			others, err := pickKeys(t.Context(), s, kin.Query[T]().Exclude(lookup, value, more...))
			require.NoError(t, err, pickText(conds))
			require.ElementsMatch(t, out, others, "Exclude\n%s", pickText(conds))
			if len(in) > 0 && len(out) > 0 {
				telling++
			}
		}
		t.Logf("%d of %d groups keep some rows and not others", telling, n)
		assert.Greater(t, telling, n/3, "the conditions tell nothing")
	}
}

// testSeveralCalls chains calls of Filter and Exclude: a row is kept if it
// meets each for itself.
func testSeveralCalls(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(pickRegistry()))
	w := newPickWorld(t, s, seeded(t), 100)
	telling := 0
	for range 150 {
		q := kin.Query[pickItem]()
		kept := map[any]bool{}
		for _, row := range w.rows["item"] {
			kept[row.key] = true
		}
		var all []pickCond
		for range 2 + w.rand.IntN(2) {
			conds := w.group("item")
			all = append(all, conds...)
			negate := w.rand.IntN(2) == 0
			lookup, value, more := pickArgs(conds)
			if negate {
				q = q.Exclude(lookup, value, more...)
			} else {
				q = q.Filter(lookup, value, more...)
			}
			for _, row := range w.rows["item"] {
				kept[row.key] = kept[row.key] && meets(row, conds) != negate
			}
		}
		var want []any
		for _, row := range w.rows["item"] {
			if kept[row.key] {
				want = append(want, row.key)
			}
		}
		got, err := pickKeys(t.Context(), s, q)
		require.NoError(t, err, pickText(all))
		require.ElementsMatch(t, want, got, pickText(all))
		count, err := q.Count(t.Context(), s.DB)
		require.NoError(t, err)
		require.EqualValues(t, len(want), count, pickText(all))
		exists, err := q.Exists(t.Context(), s.DB)
		require.NoError(t, err)
		require.Equal(t, len(want) > 0, exists, pickText(all))
		if len(want) > 0 {
			telling++
		}
	}
	assert.Greater(t, telling, 30, "the queries have no rows")
}

// testConditionsDoNotTrim loads the relations that the conditions are about:
// every row that is kept has all its related rows.
func testConditionsDoNotTrim(t *testing.T, s *Suite) {
	s = s.With(kin.WithRegistry(pickRegistry()))
	w := newPickWorld(t, s, seeded(t), 100)
	loaded := 0
	for _, paths := range [][]string{{"tags__marks"}, {"tags__marks", "parts__tags"}, {"box__items", "parent", "tags"}} {
		for range 20 {
			conds := w.group("item")
			lookup, value, more := pickArgs(conds)
			q := kin.Query[pickItem]().SelectRelated(kin.Paths[pickItem](paths...)...).Filter(lookup, value, more...)
			rows, err := q.All(t.Context(), s.DB)
			require.NoError(t, err, pickText(conds))
			at := 0
			for _, row := range w.rows["item"] {
				if !meets(row, conds) {
					continue
				}
				require.Greater(t, len(rows), at, pickText(conds))
				require.Equal(t, row.key, rows[at].ID, pickText(conds))
				loaded += rows[at].Tags.Len()
				require.Equal(t, len(row.many["tags"]), rows[at].Tags.Len(), pickText(conds))
				marks, want := 0, 0
				for _, tag := range rows[at].Tags.All() {
					marks += tag.Marks.Len()
				}
				for _, tag := range row.many["tags"] {
					want += len(tag.many["marks"])
				}
				if paths[0] == "tags__marks" {
					require.Equal(t, want, marks, pickText(conds))
				}
				if len(paths) == 2 {
					require.Equal(t, len(row.many["parts"]), rows[at].Parts.Len(), pickText(conds))
				}
				at++
			}
			require.Len(t, rows, at, pickText(conds))
		}
	}
	assert.Positive(t, loaded)
}
