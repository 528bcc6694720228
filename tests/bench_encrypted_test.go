package tests_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
	"github.com/kin-orm/kin/tests"
)

type (
	benchPlain struct {
		ID    int64
		Notes string
	}
	benchEncrypted struct {
		ID    int64
		Notes kin.Encrypted[string]
	}
)

// BenchmarkEncrypted reads 1,000 rows with a text that is encrypted, beside
// the same with one that is not.
func BenchmarkEncrypted(b *testing.B) {
	const rows = 1000
	keys, err := kin.NewKeyring(bytes.Repeat([]byte{1}, 32))
	require.NoError(b, err)
	var models kin.Registry
	kin.Register[benchPlain](&models)
	kin.Register[benchEncrypted](&models)
	plain, encrypted := kin.Query[benchPlain](), kin.Query[benchEncrypted]()
	set := func(s *tests.Suite) {
		*s = *s.With(kin.WithRegistry(&models), kin.WithKeyring(keys))
		require.NoError(b, kin.CreateTables(b.Context(), s.DB))
		for i := range rows {
			text := fmt.Sprintf("patient %d is allergic to nuts", i)
			require.NoError(b, kin.Insert(b.Context(), s.DB, &benchPlain{Notes: text}))
			require.NoError(b, kin.Insert(b.Context(), s.DB, &benchEncrypted{Notes: kin.Encrypt(text)}))
		}
	}
	race(b, set, rows,
		contender{"plain", func(t testing.TB, s *tests.Suite) int {
			found, err := plain.All(t.Context(), s.DB)
			require.NoError(t, err)
			return len(found)
		}},
		contender{"encrypted", func(t testing.TB, s *tests.Suite) int {
			found, err := encrypted.All(t.Context(), s.DB)
			require.NoError(t, err)
			return len(found)
		}},
	)
}
