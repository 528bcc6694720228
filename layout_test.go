//go:build !kin_safe

package kin

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/internal/hydrate"
	"github.com/kin-orm/kin/internal/rel"
)

type (
	layoutSmall struct{ ID int8 }
	layoutLarge struct {
		ID   string
		Data [1000]byte
		Self ForeignKey[layoutLarge]
		Back Reverse[layoutLarge]
	}
)

// TestLayout guards what internal/hydrate takes for granted when it reaches
// into relation fields whose type it does not know: a field of the row, and
// then the part that is the same for all, whatever the model.
func TestLayout(t *testing.T) {
	t.Parallel()
	one, many, through := hydrate.HeaderSizes()
	for _, typ := range []reflect.Type{
		reflect.TypeFor[ForeignKey[layoutSmall]](), reflect.TypeFor[ForeignKey[layoutLarge]](), reflect.TypeFor[ForeignKey[struct{}]](),
	} {
		assert.Equal(t, one, typ.Size(), typ)
		require.Equal(t, 2, typ.NumField(), typ)
		assert.Equal(t, reflect.Pointer, typ.Field(0).Type.Kind(), typ)
		assert.Zero(t, typ.Field(0).Offset, typ)
		assert.Equal(t, reflect.TypeFor[rel.FK](), typ.Field(1).Type, typ)
		assert.Equal(t, reflect.TypeFor[uintptr]().Size(), typ.Field(1).Offset, typ)
	}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[Reverse[layoutSmall]](), reflect.TypeFor[Reverse[layoutLarge]](), reflect.TypeFor[Reverse[struct{}]](),
		reflect.TypeFor[ManyToMany[layoutSmall]](), reflect.TypeFor[ManyToMany[layoutLarge]](),
	} {
		assert.Equal(t, many, typ.Size(), typ)
		require.Equal(t, 1, typ.NumField(), typ)
		requireCollection(t, typ.Field(0).Type)
	}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[Through[layoutSmall, layoutLarge]](), reflect.TypeFor[Through[layoutLarge, layoutSmall]](),
	} {
		assert.Equal(t, through, typ.Size(), typ)
		require.Equal(t, 2, typ.NumField(), typ)
		requireCollection(t, typ.Field(0).Type)
		assert.Equal(t, many, typ.Field(1).Offset, typ)
		assert.Equal(t, reflect.Slice, typ.Field(1).Type.Kind(), typ)
		assert.Equal(t, reflect.Pointer, typ.Field(1).Type.Elem().Kind(), typ)
	}
}

// TestTrackedLayout guards what internal/hydrate takes for granted of Tracked.
func TestTrackedLayout(t *testing.T) {
	t.Parallel()
	typ := reflect.TypeFor[Tracked]()
	require.Equal(t, 1, typ.NumField())
	assert.Equal(t, reflect.TypeFor[*hydrate.Snapshot](), typ.Field(0).Type)
	assert.Nil(t, Tracked{}.was)
}

func requireCollection(t *testing.T, typ reflect.Type) {
	t.Helper()
	require.Equal(t, 2, typ.NumField(), typ)
	assert.Equal(t, reflect.Slice, typ.Field(0).Type.Kind(), typ)
	assert.Equal(t, reflect.Pointer, typ.Field(0).Type.Elem().Kind(), typ)
	assert.Zero(t, typ.Field(0).Offset, typ)
	assert.Equal(t, reflect.TypeFor[rel.Many](), typ.Field(1).Type, typ)
	assert.Equal(t, reflect.TypeFor[[]int]().Size(), typ.Field(1).Offset, typ)
}
