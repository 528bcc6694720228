package tests

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// asked checks which of the statements since the last Reset name keys, and resets.
func asked(t *testing.T, s *Suite, keys ...bool) {
	t.Helper()
	statements := s.Wire.Statements()
	require.Len(t, statements, len(keys))
	for i, text := range statements {
		named := strings.Contains(text, " IN (") || strings.Contains(text, "= ANY(")
		assert.Equal(t, keys[i], named, text)
	}
	s.Wire.Reset()
}

// testPrefetchWhole: the children of all rows are asked for without naming these.
// Those whose foreign key leads nowhere are not there, and neither is what hangs on
// them.
func testPrefetchWhole(t *testing.T, s *Suite) {
	school := s.NewSchool(t, 5, 6, 3)
	ctx := t.Context()
	q := kin.Query[SchoolClass]().Prefetch("students__category").Prefetch("teachers__category")
	for range 2 {
		classes, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		school.checkClasses(t, classes)
		asked(t, s, false, false, true, false, true)
	}
	unchecked(t, s, "UPDATE students SET class_id = 999 WHERE id = 1", "UPDATE students SET category_id = 998 WHERE id = 2")
	for _, concurrent := range []bool{false, true} {
		q := q
		if concurrent {
			q = q.Concurrent()
		}
		classes, err := q.All(ctx, s.DB)
		require.NoError(t, err)
		require.Len(t, classes, 5)
		students, without := 0, 0 // of which the category leads nowhere
		for _, c := range classes {
			for _, x := range c.Students.All() {
				students++
				assert.NotEqualValues(t, 1, x.ID)
				assert.Same(t, c, x.Class.Get())
				if x.ID == 2 {
					without++
					assert.False(t, x.Category.Loaded())
				}
			}
		}
		assert.Equal(t, []int{len(school.Students) - 1, 1}, []int{students, without})
	}
	// Others name the keys: of those that are not all, and where a chunk is one.
	s.Wire.Reset()
	for name, q := range map[string]kin.QuerySet[SchoolClass]{
		"filtered": q.Filter("id__gt", 1), "limited": q.Limit(3), "behind": q.Offset(1).Limit(10),
	} {
		classes, err := q.All(ctx, s.DB)
		require.NoError(t, err, name)
		assert.NotEmpty(t, classes)
		asked(t, s, false, true, true, true, true)
	}
	_, err := q.First(ctx, s.DB)
	require.NoError(t, err)
	asked(t, s, false, true, true, true, true)
	n := 0
	for c, err := range q.Iter(ctx, s.DB) {
		require.NoError(t, err)
		n += c.Students.Len()
	}
	assert.Equal(t, len(school.Students)-1, n)
	asked(t, s, false, true, true, true, true)
}

// A wholeNode may have a parent, and its leaves one for sure.
type (
	wholeNode struct {
		ID       int64
		Name     string
		Parent   kin.ForeignKey[wholeNode] `kin:",null,related_name=children"`
		Children kin.Reverse[wholeNode]
		Leaves   kin.Reverse[wholeLeaf]
	}
	wholeLeaf struct {
		ID   int64
		Node kin.ForeignKey[wholeNode] `kin:",related_name=leaves"`
		Tips kin.Reverse[wholeTip]
	}
	wholeTip struct {
		ID   int64
		Leaf kin.ForeignKey[wholeLeaf] `kin:",related_name=tips"`
	}
)

// testPrefetchWholeBelow: the children of all children are all, unless some have no
// parent. The answer is that of a SELECT of each table, linked in memory.
func testPrefetchWholeBelow(t *testing.T, s *Suite) {
	s = s.modelsOf(kin.Register[wholeNode], kin.Register[wholeLeaf], kin.Register[wholeTip])
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	var nodes []*wholeNode
	for i := range 12 {
		n := &wholeNode{Name: strconv.Itoa(i)}
		if i > 2 {
			n.Parent = kin.To(nodes[i/3-1])
		}
		require.NoError(t, kin.Insert(ctx, s.DB, n))
		nodes = append(nodes, n)
		leaf := &wholeLeaf{Node: kin.To(n)}
		require.NoError(t, kin.Insert(ctx, s.DB, leaf))
		for range i % 3 {
			require.NoError(t, kin.Insert(ctx, s.DB, &wholeTip{Leaf: kin.To(leaf)}))
		}
	}
	s.Wire.Reset()
	got, err := kin.Query[wholeNode]().Prefetch("children__leaves").Prefetch("leaves__tips").OrderBy("id").All(ctx, s.DB)
	require.NoError(t, err)
	asked(t, s, false, false, true, false, false)
	require.Len(t, got, 12)
	byID := map[int64]*wholeNode{}
	for _, n := range got {
		byID[n.ID] = n
	}
	for i, n := range got {
		var children []int64
		for at, c := range nodes {
			if at > 2 && at/3-1 == i {
				children = append(children, c.ID)
			}
		}
		require.Equal(t, len(children), n.Children.Len(), "children of %d", i)
		for at, c := range n.Children.All() {
			assert.Equal(t, children[at], c.ID)
			assert.Same(t, byID[c.ID], c)
			assert.Same(t, n, c.Parent.Get())
		}
		require.Equal(t, 1, n.Leaves.Len())
		assert.Equal(t, i%3, n.Leaves.All()[0].Tips.Len())
	}
}
