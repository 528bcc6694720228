package tests

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kin-orm/kin"
)

func encryptedErrorCases() []Case {
	return []Case{
		{"encrypted/what cannot be read", testEncryptedTampered},
		{"encrypted/without keys", testEncryptedNoKeys},
	}
}

type otherVault struct {
	ID int64
	V  kin.Encrypted[string]
}

func testEncryptedTampered(t *testing.T, s *Suite) {
	var models kin.Registry
	kin.Register[Vault[string]](&models)
	kin.Register[otherVault](&models)
	s = s.keyed(t, &models, 1)
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, s.DB))
	row := &Vault[string]{Random: kin.Encrypt("random"), Fixed: kin.Encrypt("fixed")}
	require.NoError(t, kin.Insert(ctx, s.DB, row))
	require.NoError(t, kin.Insert(ctx, s.DB, &otherVault{V: kin.Encrypt("elsewhere")}))
	table := s.quoted(row.KinTable().Name)
	before := *row
	put := func(column string, sealed []byte) error {
		t.Helper()
		s.Exec(t, s.bind("UPDATE "+table+" SET "+column+" = ?"), sealed)
		rows, err := kin.Query[Vault[string]]().All(ctx, s.DB)
		assert.True(t, err == nil || rows == nil)
		if err != nil {
			require.Error(t, kin.Reload(ctx, s.DB, row))
			require.Equal(t, before, *row, "as it was")
		}
		return err
	}
	for column, field := range map[string]string{"random": "Random", "fixed": "Fixed"} {
		right := handColumnBy(t, s, scanBytes, "SELECT "+column+" FROM "+table)[0]
		wrong := func(why, says string, sealed []byte) {
			t.Helper()
			err := put(column, sealed)
			var unreadable *kin.DecryptError
			require.ErrorAs(t, err, &unreadable, why)
			assert.Equal(t, "Vault[string]", unreadable.Model)
			assert.Equal(t, field, unreadable.Field)
			assert.Equal(t, column, unreadable.Column)
			require.ErrorContains(t, err, fmt.Sprintf("Vault[string].%s (column %q) cannot be decrypted: its ciphertext %s", field, column, says), why)
		}
		for i := range right {
			flipped := slices.Clone(right)
			flipped[i] ^= 1 << (i % 8)
			says := "was altered"
			switch {
			case i == 0 && flipped[0] != 1 && flipped[0] != 2:
				says = "is none of kin's"
			case i > 0 && i < 5:
				says = "is encrypted with the key "
			}
			wrong(fmt.Sprint("a bit of byte ", i), says, flipped)
		}
		for n := range right {
			says := "was altered"
			if n < 34 {
				says = "is none of kin's"
			}
			wrong(fmt.Sprint(n, " bytes left"), says, right[:n])
		}
		wrong("a byte more", "was altered", append(slices.Clone(right), 0))
		wrong("the text itself", "is none of kin's", []byte("a text that was never encrypted, but is long enough"))
		wrong("that of another table", "was altered", handColumnBy(t, s, scanBytes, "SELECT v FROM other_vaults")[0])
		if column == "fixed" {
			wrong("that of another column", "was altered", handColumnBy(t, s, scanBytes, "SELECT random FROM "+table)[0])
		}
		form := slices.Clone(right)
		form[0] = 3 - form[0]
		wrong("the other form", "was altered", form)
		require.NoError(t, put(column, right))
	}
	// The wrong keys, and the right ones again.
	_, err := kin.Query[Vault[string]]().All(ctx, s.keyed(t, &models, 2, 3).DB)
	var unreadable *kin.DecryptError
	require.ErrorAs(t, err, &unreadable)
	require.ErrorContains(t, err, fmt.Sprintf("is encrypted with the key %x, which the keyring does not have", subkey(t, secretKey(1), "id", "", 4)))
	for _, err := range kin.Query[Vault[string]]().Iter(ctx, s.keyed(t, &models, 2).DB) {
		require.ErrorAs(t, err, &unreadable)
	}
	got, err := kin.Query[Vault[string]]().Get(ctx, s.keyed(t, &models, 2, 1).DB)
	require.NoError(t, err)
	assert.Equal(t, "random", got.Random.Get())

	// Another type in the field: what it says does not have the value.
	s.Exec(t, "DELETE FROM other_vaults")
	n := new(kin.Registry)
	kin.Register[numberVault](n)
	s = s.keyed(t, n, 1)
	require.NoError(t, kin.Insert(ctx, s.DB, &numberVault{V: kin.Encrypt(777)}))
	small := new(kin.Registry)
	kin.Register[smallVault](small)
	_, err = kin.Query[smallVault]().All(ctx, s.keyed(t, small, 1).DB)
	require.ErrorAs(t, err, &unreadable)
	require.ErrorContains(t, err, "smallVault.V (column \"v\") cannot be decrypted: its ciphertext holds no int8")
	assert.NotContains(t, err.Error(), "777")
	_, err = kin.Query[otherVault]().All(ctx, s.keyed(t, &models, 1).DB)
	require.ErrorContains(t, err, "its ciphertext holds no string")
	assert.Zero(t, s.Pool().Stats().InUse)
}

type (
	numberVault struct {
		ID int64
		V  kin.Encrypted[int]
	}
	smallVault struct {
		ID int64
		V  kin.Encrypted[int8]
	}
)

func (numberVault) KinTable() kin.Table { return kin.Table{Name: "other_vaults"} }
func (smallVault) KinTable() kin.Table  { return kin.Table{Name: "other_vaults"} }

func testEncryptedNoKeys(t *testing.T, s *Suite) {
	var models kin.Registry
	kin.Register[Vault[string]](&models)
	without := s.With(kin.WithRegistry(&models))
	with := s.keyed(t, &models, 1)
	ctx := t.Context()
	require.NoError(t, kin.CreateTables(ctx, without.DB), "a table needs no keys")
	row := &Vault[string]{Random: kin.Encrypt("x")}
	require.NoError(t, kin.Insert(ctx, with.DB, row))
	s.Wire.Reset()
	const says = "is encrypted, and the database has no keyring; open it with kin.WithKeyring"
	all := kin.Query[Vault[string]]()
	for why, err := range map[string]error{
		"insert": kin.Insert(ctx, without.DB, &Vault[string]{}),
		"update": kin.Update(ctx, without.DB, row),
		"filter": second(all.Filter("fixed", "x").All(ctx, without.DB)),
		"set":    second(all.Everything().Update(ctx, without.DB, kin.Set("random", "x"))),
	} {
		require.ErrorIs(t, err, kin.ErrNoKeys, why)
		require.ErrorContains(t, err, says, why)
		require.ErrorContains(t, err, "Vault[string].", why)
	}
	s.Wire.Want(t, 0, 0)
	_, err := all.All(ctx, without.DB)
	require.ErrorIs(t, err, kin.ErrNoKeys)
	require.ErrorContains(t, err, "Vault[string].Random")
	got, err := all.All(ctx, with.DB)
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, "x", got[0].Random.Get())
}

func second[T any](_ T, err error) error { return err }
