package kin

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/internal/rel"
)

type unreadTarget struct{ ID int64 }

// TestUnread: a foreign key whose column was not read knows nothing, which is
// not the same as NULL.
func TestUnread(t *testing.T) {
	t.Parallel()
	var fk ForeignKey[unreadTarget]
	fk.fk.State = rel.Unread
	assert.False(t, fk.IsNull())
	assert.False(t, fk.Loaded())
	assert.Nil(t, fk.Get())
	assert.Nil(t, fk.Ref())
	assert.Equal(t, "unreadTarget(not read)", fk.String())
	_, err := fk.Load(t.Context(), nil)
	require.EqualError(t, err, "kin: the foreign key to unreadTarget was not read")
	_, err = fk.Value()
	require.EqualError(t, err, "kin: the foreign key to unreadTarget was not read", "a filter would ask for NULL else")
	text, err := json.Marshal(fk)
	require.NoError(t, err)
	assert.Equal(t, "null", string(text), "other columns that were not read are written as zero, too")
	fk.Set(&unreadTarget{ID: 3})
	assert.Equal(t, "unreadTarget(3)", fk.String(), "it can be set")
}
