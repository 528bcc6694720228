package crypt_test

import (
	"bytes"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin/internal/crypt"
)

// knownRandom is a ciphertext under the key of ones.
const knownRandom = "01a7faf5def4eee9ccb37abd850d6ce484d0ad2feba0fcdcc2b5daa49b3082b93bf10bc0635bb591efd597f4b0f59b1eccd0"

func ring(tb testing.TB, keys ...byte) *crypt.Ring {
	tb.Helper()
	var secrets [][]byte
	for _, k := range keys {
		secrets = append(secrets, bytes.Repeat([]byte{k}, 32))
	}
	r, err := crypt.NewRing(secrets...)
	require.NoError(tb, err)
	return r
}

// TestKnown has ciphertexts of the first version, which every later one reads.
// They do not change.
func TestKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sealed string
		want   driver.Value
	}{
		{"02a7faf5de8e111dc6b7b42181a225d363142b643fe86fb31e1bf365bf55a43a89a299c75cf6a7679078592343", "078-05-1120"},
		{"02a7faf5deccd6da986246faee12cd7ac8bf1056b72f0222920a9349177164d62a313eb6c0498d218b75", int64(-5)},
		{knownRandom, "allergic to nuts"},
	} {
		sealed, err := hex.DecodeString(c.sealed)
		require.NoError(t, err)
		got, err := ring(t, 1).Cipher("patients.ssn", true).Open(sealed)
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
		if sealed[0] == 2 {
			again, err := ring(t, 1).Cipher("patients.ssn", true).Seal(c.want)
			require.NoError(t, err)
			assert.Equal(t, c.sealed, hex.EncodeToString(again))
		}
	}
}

// TestRandom looks at the nonces of a column that is not deterministic.
func TestRandom(t *testing.T) {
	t.Parallel()
	c := ring(t, 1).Cipher("a.b", false)
	seen := map[string]bool{}
	for range 1000 {
		sealed, err := c.Seal("same")
		require.NoError(t, err)
		require.False(t, seen[string(sealed[5:17])], "a nonce comes once")
		seen[string(sealed[5:17])] = true
	}
}

// TestDeterministic: equal values, and only those, have equal ciphertexts, of
// one key and one column.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, place := range []string{"a.b", "a.c", "b.a", "nonce:a.b"} {
		for _, key := range []byte{1, 2} {
			c := ring(t, key).Cipher(place, true)
			for _, v := range []driver.Value{"", "x", []byte("x"), "X", int64(0), int64(1), 0.0, 1.0, true, false, time.UnixMicro(1), time.UnixMicro(0)} {
				sealed, err := c.Seal(v)
				require.NoError(t, err)
				again, err := ring(t, key).Cipher(place, true).Seal(v)
				require.NoError(t, err)
				require.Equal(t, sealed, again)
				require.Empty(t, seen[string(sealed)], "%s %d %v", place, key, v)
				require.Empty(t, seen[string(sealed[5:])], "%s %d %v", place, key, v)
				seen[string(sealed)], seen[string(sealed[5:])] = place, place
			}
		}
	}
	c := ring(t, 1).Cipher("a.b", true)
	plus, err := c.Seal(0.0)
	require.NoError(t, err)
	minus, err := c.Seal(math.Copysign(0, -1))
	require.NoError(t, err)
	assert.Equal(t, plus, minus, "0 and -0 are equal")
	all, err := ring(t, 2, 1).Cipher("a.b", true).SealAll(0.0)
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, plus, all[1])
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	for _, fixed := range []bool{true, false} {
		c := ring(t, 1, 2).Cipher("a.b", fixed)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 50 {
					sealed, err := c.Seal(int64(i))
					got, openErr := c.Open(sealed)
					assert.NoError(t, errors.Join(err, openErr)) //nolint:testifylint // not the test's goroutine
					assert.Equal(t, int64(i), got)
				}
			})
		}
		wg.Wait()
	}
}

// FuzzRoundTrip decrypts what it has encrypted, under any key of a ring and in
// either form; other columns and other keys do not.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("secret"), int64(-1), 0.5, true, byte(1))
	f.Add([]byte{}, int64(math.MinInt64), math.Inf(1), false, byte(200))
	f.Fuzz(func(t *testing.T, text []byte, n int64, x float64, fixed bool, key byte) {
		old, both := ring(t, key), ring(t, key+1, key)
		for _, v := range []driver.Value{string(text), text, n, x, n%2 == 0, time.UnixMicro(n).UTC()} {
			sealed, err := old.Cipher("a.b", fixed).Seal(v)
			require.NoError(t, err)
			require.LessOrEqual(t, len(sealed), max(len(text), 8)+crypt.Overhead)
			if len(text) > 8 {
				require.NotContains(t, string(sealed), string(text))
			}
			for _, c := range []*crypt.Cipher{old.Cipher("a.b", fixed), both.Cipher("a.b", fixed), both.Cipher("a.b", !fixed)} {
				got, err := c.Open(sealed)
				require.NoError(t, err)
				if f, ok := v.(float64); ok && (math.IsNaN(f) || f == 0) {
					continue // NaN equals nothing, and 0 may have been -0
				}
				if b, ok := v.([]byte); ok && len(b) == 0 {
					require.Empty(t, got)
					continue
				}
				require.Equal(t, v, got)
			}
			for _, c := range []*crypt.Cipher{old.Cipher("a.c", fixed), ring(t, key+1).Cipher("a.b", fixed), (*crypt.Ring)(nil).Cipher("a.b", fixed)} {
				_, err := c.Open(sealed)
				require.Error(t, err)
			}
		}
	})
}

// FuzzTampered changes a ciphertext in any way: it is never read.
func FuzzTampered(f *testing.F) {
	c := ring(f, 2, 1).Cipher("patients.ssn", true)
	sealed, err := c.Seal("078-05-1120")
	require.NoError(f, err)
	loose, err := hex.DecodeString(knownRandom) // the same in each process of the fuzzer
	require.NoError(f, err)
	f.Add(sealed)
	f.Add(loose)
	f.Add(sealed[:20])
	f.Add([]byte("a text that was there before it was encrypted"))
	f.Add(append(slices.Clone(loose[:5]), sealed[5:]...))
	f.Fuzz(func(t *testing.T, other []byte) {
		got, err := c.Open(other)
		switch {
		case bytes.Equal(other, sealed):
			require.NoError(t, err)
			require.Equal(t, "078-05-1120", got)
			return
		case bytes.Equal(other, loose):
			require.NoError(t, err)
			require.Equal(t, "allergic to nuts", got)
			return
		}
		require.Error(t, err)
		require.Nil(t, got)
	})
}
