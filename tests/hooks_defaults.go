package tests

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

type (
	// token makes its own key.
	token struct {
		ID    uuid.UUID
		Name  string `kin:",size=20,unique"`
		Slug  string
		Owner kin.ForeignKey[token] `kin:",null,related_name=owned"`
	}
	code struct {
		Code string `kin:",pk,size=20"`
		Name string
	}
)

func (x *token) KinDefaults() {
	if x.ID == uuid.Nil {
		x.ID = uuid.New()
	}
	if x.Slug == "" {
		x.Slug = strings.ToLower(x.Name)
	}
}

func (x *code) KinDefaults() {
	if x.Code == "" && x.Name != "" {
		x.Code = "code of " + x.Name
	}
}

func testDefaults(t *testing.T, s *Suite) {
	ctx := t.Context()
	s = s.tablesOf(t, kin.Register[token], kin.Register[code])
	s.Wire.Reset()
	a, b := &token{Name: "A"}, &token{Name: "B", Slug: "own"}
	require.NoError(t, kin.Insert(ctx, s.DB, a, b))
	s.Wire.Want(t, 1, 0)
	assert.NotEqual(t, uuid.Nil, a.ID)
	assert.NotEqual(t, a.ID, b.ID)
	assert.Equal(t, []string{a.ID.String() + " a", b.ID.String() + " own"}, s.tokens(t))

	// A zero key is none yet: Save inserts, Update does not.
	c := &token{Name: "C", Owner: kin.To(a)}
	require.ErrorIs(t, kin.Update(ctx, s.DB, c), kin.ErrUnsaved)
	require.NoError(t, kin.Save(ctx, s.DB, c))
	c.Slug = "changed"
	require.NoError(t, kin.Save(ctx, s.DB, c))
	assert.Equal(t, c.ID.String()+" changed", s.tokens(t)[2])
	owner := &token{Name: "O"}
	err := kin.Insert(ctx, s.DB, &token{Name: "D", Owner: kin.To(owner)})
	require.ErrorIs(t, err, kin.ErrUnsaved)
	require.ErrorContains(t, err, "token.Owner leads to a token that is not saved")

	// A failure leaves no key.
	d := &token{Name: "D"}
	var unique *kin.UniqueError
	require.ErrorAs(t, kin.Insert(ctx, s.DB, d, &token{Name: "A"}), &unique)
	assert.Equal(t, token{Name: "D"}, *d)
	assert.Len(t, s.tokens(t), 3)
	again := []*token{{Name: "A", Slug: "upserted"}, {Name: "E"}}
	require.NoError(t, kin.Upsert(ctx, s.DB, again, kin.OnConflict("name").Update("slug")))
	assert.Len(t, s.tokens(t), 4)

	x := &code{Name: "x"}
	require.NoError(t, kin.Save(ctx, s.DB, x))
	assert.Equal(t, "code of x", x.Code)
	require.EqualError(t, kin.Insert(ctx, s.DB, &code{}), "kin: insert of code: row 1 of 1: code.Code is the primary key, and KinDefaults has not set it")
}

func (s *Suite) tokens(t *testing.T) []string {
	t.Helper()
	rows, err := s.Pool().QueryContext(t.Context(), "SELECT id, slug FROM tokens ORDER BY name")
	require.NoError(t, err)
	defer rows.Close()
	list := []string{}
	for rows.Next() {
		var id uuid.UUID
		var slug string
		require.NoError(t, rows.Scan(&id, &slug))
		list = append(list, id.String()+" "+slug)
	}
	require.NoError(t, rows.Err())
	return list
}
