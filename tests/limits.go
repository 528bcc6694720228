package tests

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func limitCases() []Case {
	return []Case{
		{"limits/tables in one join", testJoinLimit},
		{"limits/hops of a path", testHopLimit},
		{"limits/memory of Iter", testIterMemory},
	}
}

// limitNode refers to itself five times over.
type limitNode struct {
	ID   int64
	Name string
	A    kin.ForeignKey[limitNode] `kin:",null,related_name=as"`
	B    kin.ForeignKey[limitNode] `kin:",null,related_name=bs"`
	C    kin.ForeignKey[limitNode] `kin:",null,related_name=cs"`
	D    kin.ForeignKey[limitNode] `kin:",null,related_name=ds"`
	E    kin.ForeignKey[limitNode] `kin:",null,related_name=es"`
}

func limitSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	s = s.tablesOf(t, kin.Register[limitNode])
	root := &limitNode{Name: "root"}
	require.NoError(t, kin.Insert(t.Context(), s.DB, root))
	// A circle: every path leads somewhere, however long it is.
	s.Exec(t, "UPDATE limit_nodes SET a_id = id, b_id = id, c_id = id, d_id = id, e_id = id")
	s.Wire.Reset()
	return s
}

// hops returns a path of n steps.
func hops(step string, n int) string {
	return strings.TrimSuffix(strings.Repeat(step+"__", n), "__")
}

func testJoinLimit(t *testing.T, s *Suite) {
	s = limitSuite(t, s)
	paths := []string{hops("a", 16), hops("b", 16), hops("c", 16), hops("d", 16), hops("e", 16)}
	q := kin.Query[limitNode]().SelectRelated(kin.Paths[limitNode](paths...)...)
	rows, err := q.All(t.Context(), s.DB) // each in an arm of its own
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Same(t, rows[0], rows[0].E.Get())
	s.Wire.Want(t, 1, 1+5*16)
	rows, err = q.Filter("id__gt", 0).All(t.Context(), s.DB)
	if most := s.Dialect().Traits().MaxJoins; most > 0 {
		require.ErrorContains(t, err, "joins 81 tables; this database joins at most")
		s.Wire.Want(t, 0, 0)
	} else {
		require.NoError(t, err)
		require.Len(t, rows, 1)
		assert.Same(t, rows[0], rows[0].E.Get())
		s.Wire.Want(t, 1, 1)
	}
	rows, err = kin.Query[limitNode]().SelectRelated(kin.Paths[limitNode](paths[:3]...)...).All(t.Context(), s.DB)
	require.NoError(t, err, "a join of 49 tables")
	assert.Same(t, rows[0], rows[0].A.Get().B.Get().C.Get())
}

func testHopLimit(t *testing.T, s *Suite) {
	s = limitSuite(t, s)
	most, over := hops("a", kin.MaxHops), hops("a", kin.MaxHops+1)
	rows, err := kin.Query[limitNode]().SelectRelated(kin.Path[limitNode](most)).Filter(most+"__name", "root").OrderBy(kin.Path[limitNode](most+"__name")).All(t.Context(), s.DB)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	s.Wire.Want(t, 1, 1)
	for _, q := range []kin.QuerySet[limitNode]{
		kin.Query[limitNode]().SelectRelated(kin.Path[limitNode](over)),
		kin.Query[limitNode]().Filter(over+"__name", "root"),
		kin.Query[limitNode]().OrderBy(kin.Path[limitNode](over + "__name")),
		kin.Query[limitNode]().SelectRelated(kin.Path[limitNode](hops("as", 10_000))),
	} {
		_, err := q.All(t.Context(), s.DB)
		var path *kin.PathError
		require.ErrorAs(t, err, &path)
		require.ErrorContains(t, err, "follows more than 16 relations")
		assert.Less(t, len(err.Error()), 500)
	}
	s.Wire.Want(t, 0, 0)
}

// testIterMemory reads 20 MB of rows and looks at the heap on the way.
func testIterMemory(t *testing.T, s *Suite) {
	const rows, size = 20_000, 1024
	s = s.tablesOf(t, kin.Register[limitNode])
	nodes := make([]*limitNode, rows)
	for i := range nodes {
		nodes[i] = &limitNode{Name: strings.Repeat("x", size)}
	}
	require.NoError(t, kin.Insert(t.Context(), s.DB, nodes...))
	nodes = nil
	n, least, most := 0, uint64(1<<63), uint64(0)
	for node, err := range kin.Query[limitNode]().SelectRelated("a").Iter(t.Context(), s.DB) {
		require.NoError(t, err)
		require.Len(t, node.Name, size)
		if n++; n%(rows/10) == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			least, most = min(least, m.HeapAlloc), max(most, m.HeapAlloc)
		}
	}
	assert.Equal(t, rows, n)
	_ = nodes
	// Other tests run at the same time: the bound is wide, but far from all
	// rows at once of the three targets.
	assert.Less(t, most-least, uint64(3*rows*size), "least %d, most %d", least, most)
}
