package tests

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

type (
	wrongHook struct{ ID int64 }
	// MixinA and MixinB have a hook each; both are exported, so that it is promoted.
	MixinA struct{}
	// MixinB is a MixinA.
	MixinB    struct{}
	ambiguous struct {
		ID int64
		MixinA
		MixinB
	}
	validElsewhere struct{ ID int64 }
)

func (*wrongHook) BeforeInsert(context.Context) error { return nil }

// AfterInsert is a hook.
func (*MixinA) AfterInsert(context.Context, *kin.Tx) error { return nil }

// AfterInsert is a hook.
func (*MixinB) AfterInsert(context.Context, *kin.Tx) error { return nil }

func (*validElsewhere) Validate(lang string) map[string]string { return map[string]string{lang: ""} }

func testHookMistakes(t *testing.T, _ *Suite) {
	var r kin.Registry
	kin.Register[wrongHook](&r)
	kin.Register[ambiguous](&r)
	kin.Register[validElsewhere](&r)
	err := r.Check()
	require.ErrorContains(t, err, "wrongHook has a method BeforeInsert that is no hook; make it BeforeInsert(ctx context.Context, tx *kin.Tx) error, or give it another name")
	require.ErrorContains(t, err, "ambiguous embeds several structs with a method AfterInsert, of which Go takes none")
	require.ErrorContains(t, err, "2 mistakes")

	var times kin.Registry
	kin.Register[wrongStamps](&times)
	err = times.Check()
	for _, want := range []string{
		"wrongStamps.A has the tag option autocreate or autoupdate, which is for a time.Time",
		"wrongStamps.B has the tag options autocreate and autoupdate",
		"wrongStamps.C has the tag option version, which is for an integer that cannot be NULL",
		"wrongStamps.E has the tag option version, and so has C",
	} {
		require.ErrorContains(t, err, want)
	}
}
