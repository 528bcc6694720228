package hydrate

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// against puts keys into an intTable and into a map, and compares.
func against(t *testing.T, table *intTable, keys []uint64) {
	t.Helper()
	want := map[uint64]int32{}
	for i, key := range keys {
		next := int32(len(want))
		at, known := want[key]
		if !known {
			at = next
			want[key] = next
		}
		require.Equal(t, at, table.put(key, next), "key %d (%d) of %d", i, key, len(keys))
	}
	require.Equal(t, len(want), table.used)
	for key, at := range want {
		require.Equal(t, at, table.put(key, int32(len(want))), "key %d again", key)
	}
	require.LessOrEqual(t, 4*table.used, 3*len(table.slots)+4, "a full table would never end a search")
}

func TestIntTable(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	makers := map[string]func(i int, random *rand.Rand) uint64{
		"counting up":         func(i int, _ *rand.Rand) uint64 { return uint64(i) },
		"counting down":       func(i int, _ *rand.Rand) uint64 { return -uint64(i) },
		"multiples of 2^32":   func(i int, _ *rand.Rand) uint64 { return uint64(i) << 32 },
		"multiples of 2^48":   func(i int, _ *rand.Rand) uint64 { return uint64(i) << 48 },
		"random":              func(_ int, random *rand.Rand) uint64 { return random.Uint64() },
		"random, most repeat": func(_ int, random *rand.Rand) uint64 { return random.Uint64N(300) },
		"around zero":         func(i int, _ *rand.Rand) uint64 { return uint64(i) - 500 },
		"one key":             func(int, *rand.Rand) uint64 { return math.MaxUint64 },
		"a snowflake's steps": func(i int, _ *rand.Rand) uint64 { return 1<<60 + uint64(i)<<22 },
	}
	for name, key := range makers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			var table intTable
			for _, n := range []int{0, 1, 7, 8, 9, 1000, 5000} { // the table is used again
				keys := make([]uint64, n)
				for i := range keys {
					keys[i] = key(i, random)
				}
				against(t, &table, keys)
				table.reset()
				require.Zero(t, table.used)
				for _, s := range table.slots {
					require.Zero(t, s)
				}
			}
		})
	}
}

func FuzzIntTable(f *testing.F) {
	f.Add([]byte("12345678abcdefgh12345678"))
	f.Add(make([]byte, 400))
	f.Fuzz(func(t *testing.T, data []byte) {
		var wide, narrow []uint64
		for i := 0; i+8 <= len(data); i += 8 {
			wide = append(wide, binary.LittleEndian.Uint64(data[i:]))
		}
		for _, b := range data {
			narrow = append(narrow, uint64(b))
		}
		var table intTable
		against(t, &table, wide)
		table.reset()
		against(t, &table, narrow)
	})
}
