package tests

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

type sameClass struct {
	ID   int64
	Kids kin.Reverse[sameKid]
	Tags kin.ManyToMany[sameTag]
}

type sameKid struct {
	ID    int64
	Class kin.ForeignKey[sameClass] `kin:",related_name=kids"`
}

type sameTag struct {
	ID      int64
	Classes kin.ManyToMany[sameClass] `kin:"via=Tags"`
}

// sameNode leaves a column to the database, so that rows are written in parts.
type sameNode struct {
	Code   string                   `kin:",pk,size=20"`
	Parent kin.ForeignKey[sameNode] `kin:",null"`
	Rank   int                      `kin:",omitzero,default=7"`
}

type sameTree struct {
	ID     int64
	Parent kin.ForeignKey[sameTree] `kin:",null"`
	Rank   int                      `kin:",omitzero,default=7"`
}

func sameSuite(t *testing.T, s *Suite) *Suite {
	t.Helper()
	return s.tablesOf(t, kin.Register[sameClass], kin.Register[sameKid], kin.Register[sameTag], kin.Register[sameNode], kin.Register[sameTree])
}

// testSameValues changes collections by values that are not those that are
// loaded, but the same rows: they are there once, on both sides.
func testSameValues(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = sameSuite(t, s)
	class, kid, tag := &sameClass{}, &sameKid{}, &sameTag{}
	require.NoError(t, kin.Insert(ctx, s.DB, class))
	require.NoError(t, class.Kids.Create(ctx, s.DB, kid))
	require.NoError(t, class.Tags.Create(ctx, s.DB, tag))

	other, err := kin.Query[sameClass]().SelectRelated("kids").Get(ctx, s.DB)
	require.NoError(t, err)
	require.NoError(t, other.Kids.Add(ctx, s.DB, kid))
	assert.Equal(t, 1, other.Kids.Len(), other.Kids)

	other, err = kin.Query[sameClass]().SelectRelated("tags").Get(ctx, s.DB)
	require.NoError(t, err)
	far, err := kin.Query[sameTag]().SelectRelated("classes").Get(ctx, s.DB)
	require.NoError(t, err)
	require.NoError(t, other.Tags.Add(ctx, s.DB, far))
	require.NoError(t, other.Tags.Set(ctx, s.DB, far))
	assert.Equal(t, []*sameTag{far}, other.Tags.All())
	assert.Equal(t, 1, far.Classes.Len(), far.Classes)
	require.NoError(t, other.Tags.Remove(ctx, s.DB, tag))
	assert.Zero(t, other.Tags.Len())
	assert.Zero(t, far.Classes.Len())
}

// testRowTwice gives a new row twice: it would be two rows of the database.
func testRowTwice(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = sameSuite(t, s)
	class, kid, tag := &sameClass{}, &sameKid{}, &sameTag{}
	require.NoError(t, kin.Insert(ctx, s.DB, class))
	require.EqualError(t, kin.Insert(ctx, s.DB, tag, &sameTag{}, tag), "kin: insert of sameTag: row 3 of 3 is there twice")
	require.ErrorContains(t, class.Kids.Create(ctx, s.DB, kid, kid), "is there twice")
	require.ErrorContains(t, class.Kids.Add(ctx, s.DB, kid, kid), "is there twice")
	require.ErrorContains(t, class.Tags.Create(ctx, s.DB, tag, tag), "is there twice")
	require.ErrorContains(t, class.Tags.Add(ctx, s.DB, tag, tag), "is there twice")
	assert.Zero(t, kid.ID)
	assert.Zero(t, tag.ID)
	for _, count := range []func() (int64, error){
		func() (int64, error) { return kin.Query[sameKid]().Count(ctx, s.DB) },
		func() (int64, error) { return kin.Query[sameTag]().Count(ctx, s.DB) },
	} {
		n, err := count()
		require.NoError(t, err)
		assert.Zero(t, n)
	}
	require.NoError(t, class.Kids.Create(ctx, s.DB, kid))
	require.EqualError(t, class.Kids.Set(ctx, s.DB), "kin: set sameClass.Kids: sameKid.Class cannot be NULL; Delete deletes the rows instead")
}

// testInsertTree inserts rows that refer to those before them, of which every
// other one leaves a column to the database.
func testInsertTree(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = sameSuite(t, s)
	a := &sameNode{Code: "a", Rank: 1}
	b := &sameNode{Code: "b", Parent: kin.To(a)}
	c := &sameNode{Code: "c", Parent: kin.To(b), Rank: 3}
	d := &sameNode{Code: "d", Parent: kin.To(a)}
	require.NoError(t, kin.Insert(ctx, s.DB, a, b, c, d))
	assert.Equal(t, []int{1, 7, 3, 7}, []int{a.Rank, b.Rank, c.Rank, d.Rank})
	_, err := kin.Query[sameNode]().Filter("code", "c").Delete(ctx, s.DB)
	require.NoError(t, err)
	_, err = kin.Query[sameNode]().Exclude("parent", nil).Delete(ctx, s.DB)
	require.NoError(t, err)
	b.Rank, d.Rank = 0, 0
	require.NoError(t, kin.Upsert(ctx, s.DB, []*sameNode{a, b, c, d}, kin.OnConflict("code")))
	assert.Equal(t, []int{1, 7, 3, 7}, []int{a.Rank, b.Rank, c.Rank, d.Rank})

	root := &sameTree{Rank: 1}
	leaf := &sameTree{Rank: 3, Parent: kin.To(&sameTree{Parent: kin.To(root)})}
	saved, err := kin.SaveGraph(ctx, s.DB, leaf)
	require.NoError(t, err)
	assert.Equal(t, []kin.Saved{{Model: "sameTree", Inserted: 3}}, saved)
	assert.Equal(t, []int{1, 7, 3}, []int{root.Rank, leaf.Parent.Get().Rank, leaf.Rank})
}
