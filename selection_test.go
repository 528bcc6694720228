package kin

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSelectionMemo: a selection is planned once, and what is made of it for
// itself.
func TestSelectionMemo(t *testing.T) {
	t.Parallel()
	type row struct {
		ID   int64
		Name string
		Size int `kin:"count(staff)"`
	}
	var models Registry
	Register[memoBoss](&models)
	s := session{dialect: neutral{}, space: models.space()}
	sel := Select[row](Query[memoBoss]().Filter("name", "x"))
	first, err := sel.s.compile(t.Context(), &s)
	require.NoError(t, err)
	again, err := sel.s.compile(t.Context(), &s)
	require.NoError(t, err)
	assert.Same(t, first, again)
	limited, err := sel.Limit(3).s.compile(t.Context(), &s)
	require.NoError(t, err)
	assert.NotEqual(t, first.sql, limited.sql)
	both := sel.Union(sel)
	first, err = both.s.compile(t.Context(), &s)
	require.NoError(t, err)
	again, err = both.s.compile(t.Context(), &s)
	require.NoError(t, err)
	assert.Same(t, first, again)
}

type memoBoss struct {
	ID   int64
	Name string
	Boss ForeignKey[memoBoss] `kin:",null,related_name=staff"`
}
