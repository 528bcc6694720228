package tests

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

// Links whose primary key is the pair of rows, with all that a model can
// have: they are softly deleted by a bool, tracked, versioned, timed and
// hooked.
type (
	scopeKnot struct {
		Place  string                            `kin:",pk,size=5"`
		Number int32                             `kin:",pk"`
		Ties   kin.Through[scopeKnot, scopeBond] `kin:"via=Here+There"`
	}

	scopeBond struct {
		kin.Tracked
		Here    kin.ForeignKey[scopeKnot] `kin:",pk,related_name=bonds"`
		There   kin.ForeignKey[scopeKnot] `kin:",pk,related_name=bound"`
		Gone    bool                      `kin:",softdelete"`
		Word    string
		Set     string
		Version int       `kin:",version"`
		Created time.Time `kin:",autocreate"`
		hooks   []string
	}
)

// KinDefaults sets what a new bond has.
func (b *scopeBond) KinDefaults() {
	if b.Set == "" {
		b.Set = "default"
	}
}

// BeforeInsert notes that it was called.
func (b *scopeBond) BeforeInsert(context.Context, *kin.Tx) error {
	b.hooks = append(b.hooks, "insert")
	return nil
}

// BeforeUpdate notes that it was called.
func (b *scopeBond) BeforeUpdate(context.Context, *kin.Tx) error {
	b.hooks = append(b.hooks, "update")
	return nil
}

func testBonds(t *testing.T, s *Suite) {
	ctx := t.Context()
	var r kin.Registry
	kin.Register[scopeKnot](&r)
	kin.Register[scopeBond](&r)
	s = s.With(kin.WithRegistry(&r))
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	knots := make([]*scopeKnot, 12)
	for i := range knots {
		knots[i] = &scopeKnot{Place: string(rune('a' + i%2)), Number: int32(i)}
	}
	require.NoError(t, kin.Insert(ctx, s.DB, knots...))
	root, others := knots[0], knots[1:]
	living := func() int64 {
		return s.ints(t, "SELECT COUNT(*) FROM scope_bonds WHERE gone = FALSE AND "+s.quoted("set")+" = 'default'")[0]
	}
	for _, params := range []int{0, 14, 17, 30} {
		s := s
		if params > 0 {
			s = s.Tiny(params, kin.WithRegistry(&r))
		}
		require.NoError(t, root.Ties.Add(ctx, s.DB, others[:8]...))
		assert.EqualValues(t, 8, living())
		require.NoError(t, root.Ties.Remove(ctx, s.DB, others[2:6]...))
		assert.EqualValues(t, 4, living())
		require.NoError(t, root.Ties.Set(ctx, s.DB, others[3:11]...))
		assert.EqualValues(t, 8, living())
		assert.Equal(t, others[3:11], root.Ties.All())
		for knot, bond := range root.Ties.Links() {
			assert.Same(t, knot, bond.There.Get())
			assert.Same(t, root, bond.Here.Get())
			assert.False(t, bond.Gone)
		}
		n, err := root.Ties.Clear(ctx, s.DB)
		require.NoError(t, err)
		assert.EqualValues(t, 8, n)
		assert.Zero(t, living())
	}

	stored := func() *scopeBond {
		bond, err := kin.Query[scopeBond]().WithDeleted().Filter("there", others[0]).Get(ctx, s.DB)
		require.NoError(t, err)
		return bond
	}
	before := stored()
	require.True(t, before.Gone)
	bond := &scopeBond{There: kin.To(others[0]), Word: "new"}
	require.NoError(t, root.Ties.AddLinks(ctx, s.DB, bond))
	after := stored()
	assert.Equal(t, []string{"update"}, bond.hooks)
	assert.Same(t, others[0], bond.There.Get())
	assert.Equal(t, []*scopeKnot{others[0]}, root.Ties.All())
	assert.Equal(t, fmt.Sprint("new default ", before.Version+1, " ", before.Created), fmt.Sprint(after.Word, " ", after.Set, " ", after.Version, " ", after.Created))
	assert.Equal(t, fmt.Sprint(after.Version, after.Created), fmt.Sprint(bond.Version, bond.Created), "memory and the database agree")
	bond.Word = "newer"
	require.NoError(t, kin.Save(ctx, s.DB, bond))
	assert.Equal(t, "newer", stored().Word)
}
